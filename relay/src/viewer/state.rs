//! What all viewers' requests share.

use std::sync::Arc;

use node::shutdown::Shutdown;
use tokio_util::sync::CancellationToken;

use super::{auth::Gate, emotes::Emotes, playlist::Renderings, rooms::Rooms};
use crate::chat::{Chat, link::ChatEnd};

/// The viewers' side of a relay, for an `Arc`.
pub struct Viewers {
    pub(crate) rooms: Arc<dyn Rooms>,
    pub(crate) gate: Gate,
    pub(super) renderings: Renderings,
    pub(super) emotes: Emotes,
    pub(super) chat: Chat,
    /// Held requests are ended when it is cancelled.
    pub(crate) stop: CancellationToken,
}

impl Viewers {
    /// Chat runs on `chat` until `shutdown`.
    pub fn new(rooms: Arc<dyn Rooms>, chat: ChatEnd, shutdown: &Shutdown) -> Arc<Self> {
        Arc::new(Self {
            chat: Chat::start(rooms.clone(), chat, shutdown.clone()),
            emotes: Emotes::default(),
            gate: Gate::new(rooms.clone()),
            renderings: Renderings::default(),
            rooms,
            stop: shutdown.token().clone(),
        })
    }
}
