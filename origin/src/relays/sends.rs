//! Parts on their way to one relay: one task each. How many there may be is the publisher's to hold.

use std::{collections::BTreeMap, future};

use bytes::Bytes;
use common::{link::publisher::SendId, wire::media::PartHeader};
use futures::FutureExt;
use node::link_driver::LinkConnection;
use tokio::task::{AbortHandle, JoinSet};

/// Dropped, all that is still on its way is taken back.
#[derive(Default)]
pub(super) struct Sends {
    running: JoinSet<SendId>,
    aborts: BTreeMap<SendId, AbortHandle>,
}

impl Sends {
    /// Starts at once, so that parts go out in the order of these calls.
    pub(super) fn start(&mut self, link: &LinkConnection, id: SendId, header: PartHeader, body: Bytes, priority: i32) {
        let link = link.clone();
        let mut sending = async move {
            if let Err(error) = link.send_part(&header, body, priority).await {
                tracing::debug!(channel = %header.channel, part = ?header.id, %error, "a part did not go out");
            }
            id
        }
        .boxed();
        // The first poll hands the part to QUIC if there is room; tasks of their own would race for that.
        let abort = match sending.as_mut().now_or_never() {
            Some(id) => self.running.spawn(future::ready(id)),
            None => self.running.spawn(sending),
        };
        self.aborts.insert(id, abort);
    }

    /// Takes a part back.
    pub(super) fn cancel(&mut self, id: SendId) {
        if let Some(abort) = self.aborts.remove(&id) {
            abort.abort();
        }
    }

    /// The next part that is over; `None` when there is none on its way.
    pub(super) async fn over(&mut self) -> Option<SendId> {
        loop {
            // Cancelled ones were forgotten above.
            if let Ok(id) = self.running.join_next().await? {
                self.aborts.remove(&id);
                return Some(id);
            }
        }
    }
}
