//! Chat of this relay's viewers: their sockets, and the link to the origin who decides everything.
//!
//! One task, the hub, owns the rules (`common::chat::relay`) and encodes what rooms are told, once for all their sockets; each
//! socket has a task that reads, and writes what its outbox holds. [`link`] is the seam to the upstream: tests run sockets against
//! a scripted origin on it.

mod feed;
mod hub;
pub mod link;
mod places;
mod socket;

use std::{net::IpAddr, sync::Arc};

use common::{
    auth::ViewerClaims,
    chat::relay::Opened,
    wire::chat::{ChatAct, KickReason, SocketId},
};
use node::shutdown::Shutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

pub use self::places::{Full, Place};
use self::{hub::Hub, link::ChatEnd, places::Places};
use crate::{viewer::Viewers, viewer::rooms::Rooms, websocket::Outbox};

/// What sockets ask that the hub did not look at yet; a socket that asks more waits, and is not read meanwhile.
const MAX_INPUTS: usize = 4096;

/// The chats of a relay.
pub struct Chat {
    inputs: mpsc::Sender<Input>,
    places: Places,
    shutdown: Shutdown,
}

/// From a socket to the hub.
enum Input {
    Open {
        opened: Box<Opened>,
        outbox: Arc<Outbox>,
        opened_as: oneshot::Sender<SocketId>,
    },
    Act {
        socket: SocketId,
        act: ChatAct,
    },
    Renew {
        socket: SocketId,
    },
    Token {
        socket: SocketId,
        token: String,
        claims: Box<ViewerClaims>,
    },
    BadToken {
        socket: SocketId,
    },
    Closed {
        socket: SocketId,
    },
}

impl Chat {
    /// Runs until `shutdown`, which waits for the sockets to be told.
    pub fn start(rooms: Arc<dyn Rooms>, link: ChatEnd, shutdown: Shutdown) -> Self {
        let (inputs, waiting) = mpsc::channel(MAX_INPUTS);
        shutdown.spawn(Hub::new(rooms, link, waiting).run(shutdown.token().clone()));
        Self {
            inputs,
            places: Places::default(),
            shutdown,
        }
    }

    /// A place for one more socket from `address`.
    ///
    /// # Errors
    /// The relay, or the address, has no more.
    pub fn place(&self, address: IpAddr) -> Result<Place, Full> {
        self.places.take(address)
    }

    /// Serves a viewer's socket in a task of its own, once it is `upgraded`.
    pub(crate) fn serve<I>(
        &self,
        upgraded: impl Future<Output = Option<I>> + Send + 'static,
        opened: Opened,
        viewers: Arc<Viewers>,
        place: Place,
    ) where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let inputs = self.inputs.clone();
        self.shutdown.spawn(async move {
            if let Some(io) = upgraded.await {
                socket::run(io, opened, inputs, viewers).await;
            }
            drop(place);
        });
    }
}

/// The code that a socket is closed with.
fn close_code(reason: KickReason) -> u16 {
    match reason {
        KickReason::Expired => 4401,
        KickReason::Banned | KickReason::Revoked => 4403,
        KickReason::RoomGone => 4404,
        KickReason::Replaced => 4409,
        KickReason::Misbehaved => common::websocket::code::POLICY,
        KickReason::TooSlow => common::websocket::code::TRY_LATER,
        KickReason::GoingAway => common::websocket::code::GOING_AWAY,
    }
}

/// The last frames of a socket that is kicked.
fn farewell(reason: KickReason) -> bytes::Bytes {
    use common::websocket::{Opcode, close_frame, put_frame};
    let label = match reason {
        KickReason::Banned => "banned",
        KickReason::Revoked => "revoked",
        KickReason::Expired => "expired",
        KickReason::RoomGone => "roomGone",
        KickReason::TooSlow => "tooSlow",
        KickReason::Misbehaved => "misbehaved",
        KickReason::Replaced => "replaced",
        KickReason::GoingAway => "goingAway",
    };
    metrics::counter!("streamcircle_relay_chat_kicked_total", "reason" => label).increment(1);
    let text = common::chat::json::ServerMessage::Kicked { reason }.to_text();
    let mut frames = bytes::BytesMut::new();
    put_frame(&mut frames, Opcode::Text, text.as_bytes());
    frames.extend_from_slice(&close_frame(close_code(reason), label));
    frames.freeze()
}
