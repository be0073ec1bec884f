//! Chat on the link: frames that came, told to chat; what chat has for the origin, put into frames.

use std::{collections::VecDeque, time::Duration};

use common::{
    id::RoomSlug,
    wire::{
        chat::{ChatAct, ChatDown, ChatUp},
        control::{DownstreamFrame, UpstreamFrame},
    },
};
use futures::FutureExt;
use tokio::{sync::mpsc::WeakSender, time::Instant};

use super::session::MAX_WAITING_FRAMES;
use crate::chat::link::{Generation, LinkEnd, LinkEvent};

/// Items, and about so many bytes, in a frame.
const MAX_ITEMS: usize = 512;
const MAX_BYTES: usize = 256 << 10;
/// Least time between two frames: what comes meanwhile goes together. The origin counts frames.
const PACE: Duration = Duration::from_millis(15);

/// More waits than may.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("more chat waits for the link than it may")]
pub(super) struct Overflow;

pub(super) struct ChatLink {
    end: LinkEnd,
    /// Not told yet, since that may wait for chat.
    events: VecDeque<LinkEvent>,
    /// Of the connection that stands; others are not sent any more.
    generation: Generation,
    /// Where frames of the connection wait; `None`: it is away.
    queue: Option<WeakSender<DownstreamFrame>>,
    /// Taken from chat, not sent yet; at most [`MAX_ITEMS`].
    taken: Vec<(Generation, ChatUp)>,
    next_at: Instant,
}

impl ChatLink {
    pub(super) fn new(end: LinkEnd) -> Self {
        Self {
            end,
            events: VecDeque::new(),
            generation: 0,
            queue: None,
            taken: Vec::new(),
            next_at: Instant::now(),
        }
    }

    /// Looks at a frame for what chat has to know besides what is its own.
    pub(super) fn take(&mut self, frame: &UpstreamFrame, queue: Option<WeakSender<DownstreamFrame>>) {
        match frame {
            UpstreamFrame::Welcome { rooms, .. } => {
                self.generation += 1;
                self.queue = queue;
                self.forget_ups();
                self.events.push_back(LinkEvent::Up {
                    generation: self.generation,
                    rooms: rooms.iter().map(|state| state.slug.clone()).collect(),
                });
            }
            UpstreamFrame::RoomGone { room } => self.events.push_back(LinkEvent::RoomGone(room.clone())),
            _ => {}
        }
    }

    /// What waits was meant for the connection before, and may be all that can wait: this one is not to suffer for it.
    fn forget_ups(&mut self) {
        self.taken.clear();
        while self.end.ups.try_recv().is_ok() {}
        let _ = self.end.overflow.notified().now_or_never();
    }

    pub(super) fn items(&mut self, room: RoomSlug, items: Vec<ChatDown>) {
        self.events.push_back(LinkEvent::Chat { room, items });
    }

    pub(super) fn lost(&mut self) {
        if self.queue.take().is_some() {
            self.events.push_back(LinkEvent::Down);
        }
    }

    /// Tells chat what happened. Waits for it where it is behind: so what it has to look at stays bounded, and the link with it.
    pub(super) async fn tell(&mut self) {
        while let Some(event) = self.events.pop_front() {
            // Nobody carries chat here.
            let _ = self.end.events.send(event).await;
        }
    }

    /// The next frame's items, when it is time for one. May be dropped at any time without losing any.
    ///
    /// # Errors
    /// So much waits that the connection is of no use.
    pub(super) async fn next_items(&mut self) -> Result<Vec<ChatUp>, Overflow> {
        let overflow = self.end.overflow.clone();
        tokio::select! {
            () = overflow.notified() => Err(Overflow),
            items = self.items_in_time() => Ok(items),
        }
    }

    async fn items_in_time(&mut self) -> Vec<ChatUp> {
        let Some(queue) = &self.queue else {
            return std::future::pending().await;
        };
        tokio::time::sleep_until(self.next_at).await;
        // Chat leaves room for all others.
        while queue
            .upgrade()
            .is_some_and(|queue| queue.capacity() < MAX_WAITING_FRAMES / 2)
        {
            tokio::time::sleep(PACE).await;
        }
        if self.taken.is_empty() && self.end.ups.recv_many(&mut self.taken, MAX_ITEMS).await == 0 {
            return std::future::pending().await;
        }
        self.next_at = Instant::now() + PACE;
        let mut bytes = 0;
        let fitting = self.taken.iter().take_while(|(_, item)| {
            bytes += size(item);
            bytes <= MAX_BYTES
        });
        // An item alone is far smaller than a frame may be.
        let count = fitting.count().max(1);
        let generation = self.generation;
        let sent = self
            .taken
            .drain(..count)
            .filter(|(meant_for, _)| *meant_for == generation);
        sent.map(|(_, item)| item).collect()
    }
}

/// About so many bytes of a frame.
fn size(item: &ChatUp) -> usize {
    const OTHER_FIELDS: usize = 128;
    let text = match item {
        ChatUp::Enter { token, address, .. } => token.len() + address.len(),
        ChatUp::Token { token, .. } => token.len(),
        ChatUp::Act { act, .. } => match act {
            ChatAct::Say { text, client_id, .. } => text.len() + client_id.len(),
            ChatAct::React { emoji, .. } => emoji.len(),
            ChatAct::Delete { reason, .. } => reason.as_ref().map_or(0, String::len),
            ChatAct::Timeout { viewer_id, reason, .. } | ChatAct::Ban { viewer_id, reason } => {
                viewer_id.len() + reason.as_ref().map_or(0, String::len)
            }
            ChatAct::Unban { viewer_id } => viewer_id.len(),
            ChatAct::Pin { .. } | ChatAct::SlowMode { .. } | ChatAct::Lock { .. } => 0,
        },
        ChatUp::Follow { .. } | ChatUp::Unfollow { .. } | ChatUp::Leave { .. } | ChatUp::Renew { .. } => 0,
    };
    text + OTHER_FIELDS
}
