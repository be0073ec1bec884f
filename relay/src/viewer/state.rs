//! What all viewers' requests share.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{auth::Gate, playlist::Renderings, rooms::Rooms};

/// The viewers' side of a relay, for an `Arc`.
pub struct Viewers {
    pub(crate) rooms: Arc<dyn Rooms>,
    pub(crate) gate: Gate,
    pub(super) renderings: Renderings,
    /// Held requests are ended when it is cancelled.
    pub(crate) stop: CancellationToken,
}

impl Viewers {
    pub fn new(rooms: Arc<dyn Rooms>, stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            gate: Gate::new(rooms.clone()),
            renderings: Renderings::default(),
            rooms,
            stop,
        })
    }
}
