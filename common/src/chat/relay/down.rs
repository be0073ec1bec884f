//! What the origin says, taken into the mirror and told to sockets.

use super::{
    mirror::Mirror,
    output::{Output, OwnCopy},
    rooms::Room,
};
use crate::{
    chat::{
        json::{self, Emote, Hello, Message, ServerMessage},
        relay::RelayChat,
        room::Now,
    },
    id::RoomSlug,
    wire::chat::{
        ChatDown, ChatEvent, ChatMessage, ChatState, ChatUp, KickReason, RosterEntry, SnapshotPiece, SocketEvent,
        SocketId,
    },
};

/// Roster entries of a snapshot that is not whole yet: more than any origin sends.
const MAX_COLLECTED: usize = 100_000;

impl RelayChat {
    /// The origin told this of the room.
    pub fn down(&mut self, now: Now, slug: &RoomSlug, items: Vec<ChatDown>) {
        for item in items {
            match item {
                ChatDown::Snapshot(piece) => self.piece(now, slug, piece),
                ChatDown::All(event) => self.event(slug, event),
                ChatDown::Socket { socket, event } => self.tell_socket(now, slug, socket, event),
                ChatDown::Staff { least, notice } => {
                    self.notice_shows(slug, &notice);
                    let message = ServerMessage::Notice(notice.into());
                    let members = self.rooms.get(slug).into_iter().flat_map(|room| &room.members);
                    let is_staff = |id: &&SocketId| {
                        self.sockets
                            .get(id)
                            .is_some_and(|socket| socket.is_greeted() && socket.role >= least)
                    };
                    let staff: Vec<SocketId> = members.filter(is_staff).copied().collect();
                    staff.into_iter().for_each(|id| self.tell(id, message.clone()));
                }
            }
        }
    }

    fn piece(&mut self, now: Now, slug: &RoomSlug, piece: SnapshotPiece) {
        let Some(room) = self.rooms.get_mut(slug) else {
            return;
        };
        let collected = &mut room.collected;
        collected.messages.extend(piece.messages);
        collected.deleted.extend(piece.deleted);
        collected.roster.extend(piece.roster);
        for len in [
            collected.messages.len(),
            collected.deleted.len(),
            collected.roster.len(),
        ] {
            if len > MAX_COLLECTED {
                *collected = SnapshotPiece::default();
                return;
            }
        }
        if let Some(state) = piece.state {
            let whole = SnapshotPiece {
                floor: piece.floor,
                ..std::mem::take(collected)
            };
            self.snapshot(now, slug, whole, state);
        }
    }

    /// The difference to what was known goes to the sockets as if it happened now.
    fn snapshot(&mut self, now: Now, slug: &RoomSlug, piece: SnapshotPiece, state: ChatState) {
        let Some(room) = self.rooms.get_mut(slug) else {
            return;
        };
        room.is_current = true;
        if room.mirror.is_below(piece.floor) {
            room.mirror = Mirror::above(piece.floor);
            self.send_back(now, slug);
        } else {
            room.mirror.fill(&piece.messages);
        }
        for message in &piece.messages {
            self.message(slug, message);
        }
        for message_id in piece.deleted {
            // Who did it is not known any more.
            self.deleted(slug, message_id, String::new());
        }
        self.roster(slug, piece.roster, state.viewer_count);
        self.state(slug, state);
        let waiting = |room: &Room| -> Vec<SocketId> {
            let waits = |id: &&SocketId| self.sockets.get(id).is_some_and(|s| s.entered && !s.is_greeted());
            room.members.iter().filter(waits).copied().collect()
        };
        let waiting = self.rooms.get(slug).map_or_else(Vec::new, waiting);
        waiting.into_iter().for_each(|id| self.greet(id));
    }

    fn event(&mut self, slug: &RoomSlug, event: ChatEvent) {
        // What came for an earlier following of the room says nothing.
        let Some(room) = self.rooms.get_mut(slug).filter(|room| room.is_current) else {
            return;
        };
        match event {
            ChatEvent::Message(message) => self.message(slug, &message),
            ChatEvent::Deleted { message_id, by } => self.deleted(slug, message_id, by),
            ChatEvent::Reaction {
                viewer_id,
                emoji,
                media_time,
            } => self.tell_room(
                slug,
                ServerMessage::Reaction {
                    viewer_id,
                    emoji,
                    media_time,
                },
            ),
            ChatEvent::Reactions { counts } => {
                let counts = counts.into_iter().collect();
                self.tell_room(slug, ServerMessage::Reactions { counts });
            }
            ChatEvent::Presence { joined, left, count } => {
                room.mirror.presence(&joined, &left, count);
                let joined = joined.iter().map(json::Person::from).collect();
                self.tell_room(slug, ServerMessage::Presence { joined, left, count });
            }
            ChatEvent::State(state) => self.state(slug, state),
        }
    }

    fn message(&mut self, slug: &RoomSlug, message: &ChatMessage) {
        let Some(room) = self.rooms.get_mut(slug) else {
            return;
        };
        let is_new = room.mirror.add(message);
        let own = room.of_viewer.get(&message.viewer_id).cloned().unwrap_or_default();
        for id in &own {
            if self
                .sockets
                .get_mut(id)
                .is_some_and(|socket| socket.is_answered(&message.client_id))
            {
                self.pending -= 1;
            }
        }
        if !is_new {
            return;
        }
        let own = (!own.is_empty() && !message.client_id.is_empty()).then(|| {
            Box::new(OwnCopy {
                sockets: own,
                message: ServerMessage::Message(Message::for_viewer(message, &message.viewer_id)),
            })
        });
        self.outputs.push_back(Output::Room {
            room: slug.clone(),
            message: ServerMessage::Message(Message::for_others(message)),
            own,
        });
    }

    fn deleted(&mut self, slug: &RoomSlug, message_id: i64, by: String) {
        self.deletion_shows(slug, message_id);
        if self
            .rooms
            .get_mut(slug)
            .is_some_and(|room| room.mirror.delete(message_id))
        {
            self.tell_room(slug, ServerMessage::Deleted { message_id, by });
        }
    }

    fn roster(&mut self, slug: &RoomSlug, roster: Vec<RosterEntry>, count: u32) {
        let changed = self
            .rooms
            .get_mut(slug)
            .and_then(|room| room.mirror.set_roster(roster, count));
        if let Some(presence) = changed {
            self.tell_room(slug, presence);
        }
    }

    fn state(&mut self, slug: &RoomSlug, state: ChatState) {
        self.state_shows(slug, &state);
        let Some(room) = self.rooms.get_mut(slug) else {
            return;
        };
        let changes = room.mirror.set_state(slug, state);
        changes.into_iter().for_each(|message| self.tell_room(slug, message));
    }

    fn tell_room(&mut self, slug: &RoomSlug, message: ServerMessage) {
        self.outputs.push_back(Output::Room {
            room: slug.clone(),
            message,
            own: None,
        });
    }

    fn tell_socket(&mut self, now: Now, slug: &RoomSlug, id: SocketId, event: SocketEvent) {
        let Some(socket) = self.sockets.get_mut(&id).filter(|socket| socket.room == *slug) else {
            return;
        };
        match event {
            SocketEvent::Entered { nickname, role } => {
                (socket.nickname, socket.role) = (nickname, role);
                socket.entered = true;
                self.entered(now, slug, id);
            }
            SocketEvent::Kicked { reason } => {
                self.outputs.push_back(Output::Close { socket: id, reason });
                self.remove(now, id);
                if reason == KickReason::RoomGone {
                    self.room_gone(now, slug);
                }
            }
            SocketEvent::Refused {
                code,
                detail,
                client_id,
            } => {
                if client_id
                    .as_deref()
                    .is_some_and(|client_id| socket.is_answered(client_id))
                {
                    self.pending -= 1;
                }
                if client_id.is_none() {
                    // It does not say which; those before it were done, and none may be done after the viewer was told otherwise.
                    socket.sent.clear();
                }
                self.refuse(id, code, &detail, client_id);
            }
            SocketEvent::Again(message) => self.again(slug, id, &message),
            SocketEvent::Token { token, expires_at } => {
                socket.token.clone_from(&token);
                socket.claims.expires_at = expires_at;
                socket.claims.issued_at = now.wall;
                socket.wants_token = false;
                self.tell(id, ServerMessage::Token { token, expires_at });
            }
        }
    }

    /// What the socket asked for while it was not in goes up now.
    fn entered(&mut self, now: Now, slug: &RoomSlug, id: SocketId) {
        if self.rooms.get(slug).is_some_and(|room| room.is_current) {
            self.greet(id);
        }
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let wants_token = socket.wants_token;
        let shown = std::mem::take(&mut socket.shows_token).then(|| socket.token.clone());
        let acts: Vec<_> = socket.sent.iter().map(|sent| sent.act.clone()).collect();
        let (room, socket) = (|| slug.clone(), id);
        if let Some(token) = shown {
            self.up(ChatUp::Token {
                room: room(),
                socket,
                token,
            });
        }
        for act in acts {
            self.up(ChatUp::Act {
                room: room(),
                socket,
                act,
            });
        }
        self.say_what_waits(now, id);
        if wants_token {
            self.up(ChatUp::Renew { room: room(), socket });
        }
    }

    /// A socket that was here before the link was lost had its hello, and got all since.
    fn greet(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(&id).filter(|socket| !socket.is_greeted()) else {
            return;
        };
        let Some((mirror, state)) = self
            .rooms
            .get(&socket.room)
            .and_then(|room| Some((&room.mirror, room.mirror.state()?)))
        else {
            return;
        };
        let viewer_id = &socket.claims.viewer_id;
        let history = mirror.history(socket.after, viewer_id);
        let next = mirror.newest().map_or(i64::MIN, |newest| newest.saturating_add(1));
        socket.told_from = Some(history.messages.first().map_or(next, |message| message.id));
        let hello = Hello {
            viewer_id: viewer_id.clone(),
            nickname: socket.nickname.clone(),
            role: socket.role,
            history: history.messages,
            truncated: history.truncated,
            deleted: history.deleted,
            roster: mirror.people(),
            room: json::Room::of(&socket.room, state),
            pinned: state
                .pinned
                .as_ref()
                .map(|pinned| Message::for_viewer(pinned, viewer_id)),
            emotes: Emote::all_of(&socket.room, state),
            expires_at: socket.claims.expires_at,
        };
        self.outputs.push_back(Output::Hello {
            room: socket.room.clone(),
            socket: id,
            hello: Box::new(hello),
        });
    }

    /// The socket is told only if it was not, or could not know the message as its own.
    fn again(&mut self, slug: &RoomSlug, id: SocketId, message: &ChatMessage) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        if socket.is_answered(&message.client_id) {
            self.pending -= 1;
        }
        let known = self.rooms.get(slug).and_then(|room| room.mirror.message(message.id));
        let was_told = socket.told_from.is_some_and(|from| from <= message.id)
            && known.is_some_and(|known| known.client_id == message.client_id);
        if !was_told {
            let own = Message {
                client_id: Some(message.client_id.clone()),
                ..Message::for_others(message)
            };
            self.tell(id, ServerMessage::Message(own));
        }
    }
}
