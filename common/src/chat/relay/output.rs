//! What a relay's chat asks for, and small ways to ask.

use std::time::Duration;

use super::RelayChat;
use crate::{
    chat::json::{Hello, ServerMessage},
    id::RoomSlug,
    wire::chat::{ChatUp, KickReason, RefusalCode, SocketId},
};

/// What is to be done, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Over the link; only while it stands.
    Up(ChatUp),
    /// The socket's first message; from now on it gets what its room's sockets get.
    Hello {
        room: RoomSlug,
        socket: SocketId,
        hello: Box<Hello>,
    },
    /// To all sockets of the room that had their hello; to those of `own` as it stands there instead.
    Room {
        room: RoomSlug,
        message: ServerMessage,
        own: Option<Box<OwnCopy>>,
    },
    Socket {
        socket: SocketId,
        message: ServerMessage,
    },
    /// Tell it why, and close it; it is forgotten here.
    Close {
        socket: SocketId,
        reason: KickReason,
    },
    /// The viewer is still there.
    Seen {
        room: RoomSlug,
        viewer_id: String,
        invite_id: Option<String>,
    },
}

/// A message as its sender sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnCopy {
    pub sockets: Vec<SocketId>,
    pub message: ServerMessage,
}

impl RelayChat {
    pub(super) fn up(&mut self, item: ChatUp) {
        if self.link_is_up {
            self.outputs.push_back(Output::Up(item));
        }
    }

    pub(super) fn tell(&mut self, socket: SocketId, message: ServerMessage) {
        self.outputs.push_back(Output::Socket { socket, message });
    }

    pub(super) fn refuse(&mut self, socket: SocketId, code: RefusalCode, detail: &str, client_id: Option<String>) {
        let detail = detail.to_owned();
        self.tell(
            socket,
            ServerMessage::Error {
                code,
                detail,
                client_id,
            },
        );
    }

    pub(super) fn refuse_for(&mut self, socket: SocketId, wait: Duration, client_id: Option<String>) {
        let detail = format!("too fast: wait {} ms", wait.as_millis());
        self.refuse(socket, RefusalCode::RateLimited, &detail, client_id);
    }

    pub(super) fn unavailable(&mut self, socket: SocketId, client_id: Option<String>) {
        let detail = "the origin cannot be reached at the moment";
        self.refuse(socket, RefusalCode::Unavailable, detail, client_id);
    }
}
