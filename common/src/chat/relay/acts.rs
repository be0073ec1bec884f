//! What viewers do: sent up, kept until it is known to be done, and sent again after a break.

use super::{MAX_HELD, MAX_PENDING, MAX_PENDING_IN_ALL, RelayChat, socket};
use crate::{
    chat::room::Now,
    id::RoomSlug,
    wire::chat::{ChatAct, ChatState, ChatUp, Notice, SocketId},
};

impl RelayChat {
    /// The viewer of a socket does something.
    pub fn act(&mut self, now: Now, id: SocketId, act: ChatAct) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let client_id = match &act {
            ChatAct::Say { client_id, .. } => Some(client_id.clone()),
            _ => None,
        };
        let is_repeated = |said: &String| socket.pending.iter().any(|pending| pending.client_id == *said);
        if client_id.as_ref().is_some_and(is_repeated) {
            return;
        }
        if let Err(wait) = socket.afford(&act, now.monotonic) {
            return self.refuse_for(id, wait, client_id);
        }
        let can_go = self.link_is_up && socket.entered;
        if let Some(client_id) = client_id {
            let most = if can_go { MAX_PENDING } else { MAX_HELD };
            if socket.pending.len() >= most || self.pending >= MAX_PENDING_IN_ALL {
                return self.unavailable(id, Some(client_id));
            }
            self.pending += 1;
            socket.pending.push_back(socket::Pending {
                client_id,
                act,
                since: now.monotonic,
                went_up: false,
            });
            return self.say_what_waits(now, id);
        }
        if !can_go {
            return self.unavailable(id, None);
        }
        socket.remember(&act, now.monotonic);
        let room = socket.room.clone();
        self.up(ChatUp::Act { room, socket: id, act });
    }

    /// Says as much as the origin takes of the viewer; the rest later.
    pub(super) fn say_what_waits(&mut self, now: Now, id: SocketId) {
        while let Some(socket) = self.sockets.get_mut(&id).filter(|socket| socket.entered)
            && let Some(act) = socket.next_saying(now.monotonic)
        {
            let room = socket.room.clone();
            self.up(ChatUp::Act { room, socket: id, act });
        }
    }

    pub(super) fn deletion_shows(&mut self, slug: &RoomSlug, id: i64) {
        self.forget_done(
            slug,
            |act| matches!(act, ChatAct::Delete { message_id, .. } if *message_id == id),
        );
    }

    pub(super) fn state_shows(&mut self, slug: &RoomSlug, state: &ChatState) {
        let pinned = state.pinned.as_ref().map(|message| message.id);
        self.forget_done(slug, |act| match act {
            ChatAct::Pin { message_id } => *message_id == pinned,
            ChatAct::SlowMode { seconds } => *seconds == state.slow_mode_seconds,
            ChatAct::Lock { locked } => *locked == state.locked,
            _ => false,
        });
    }

    pub(super) fn notice_shows(&mut self, slug: &RoomSlug, notice: &Notice) {
        if let Notice::TimedOut {
            viewer_id: told,
            seconds: so_long,
            ..
        } = notice
        {
            self.forget_done(
                slug,
                |act| matches!(act, ChatAct::Timeout { viewer_id, seconds, .. } if viewer_id == told && seconds == so_long),
            );
        }
    }

    /// The room shows that these were done: done again, they might undo what somebody did since.
    fn forget_done(&mut self, slug: &RoomSlug, is_done: impl Fn(&ChatAct) -> bool) {
        let members = self.rooms.get(slug).into_iter().flat_map(|room| &room.members);
        for id in members {
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.sent.retain(|sent| !is_done(&sent.act));
            }
        }
    }
}
