//! Chat's seam to the upstream: what the link brings, and what goes over it.
//!
//! What goes up names the connection that it is meant for, since a connection may be lost while it waits: the next one starts anew.

use std::{collections::BTreeSet, sync::Arc};

use common::{
    id::RoomSlug,
    wire::chat::{ChatDown, ChatUp},
};
use tokio::sync::{Notify, mpsc};

/// What the link brought and chat did not look at yet; the link waits then.
const MAX_EVENTS: usize = 1024;
/// What waits to go up: a new connection enters all sockets at once. Beyond it the connection is of no use.
const MAX_UPS: usize = 65_536;

/// Counts connections.
pub type Generation = u64;

/// What the link brings.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkEvent {
    /// A connection stands, and upstream has greeted: these are all rooms.
    Up {
        generation: Generation,
        rooms: BTreeSet<RoomSlug>,
    },
    Down,
    RoomGone(RoomSlug),
    Chat {
        room: RoomSlug,
        items: Vec<ChatDown>,
    },
}

/// Chat's end.
#[derive(Debug)]
pub struct ChatEnd {
    pub(crate) events: mpsc::Receiver<LinkEvent>,
    ups: mpsc::Sender<(Generation, ChatUp)>,
    overflow: Arc<Notify>,
}

/// The link's end.
#[derive(Debug)]
pub struct LinkEnd {
    pub events: mpsc::Sender<LinkEvent>,
    pub ups: mpsc::Receiver<(Generation, ChatUp)>,
    /// Something could not wait any more: the connection is to be closed, and what comes up for it is of no use.
    pub overflow: Arc<Notify>,
}

impl ChatEnd {
    pub(crate) fn send(&self, generation: Generation, item: ChatUp) {
        if self.ups.try_send((generation, item)).is_err() {
            self.overflow.notify_one();
        }
    }
}

/// The two ends.
pub fn pair() -> (ChatEnd, LinkEnd) {
    let (send_event, events) = mpsc::channel(MAX_EVENTS);
    let (ups, take_ups) = mpsc::channel(MAX_UPS);
    let overflow = Arc::new(Notify::new());
    let link = LinkEnd {
        events: send_event,
        ups: take_ups,
        overflow: overflow.clone(),
    };
    (ChatEnd { events, ups, overflow }, link)
}
