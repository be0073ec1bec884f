//! One viewer's socket: reads what the browser sends, answers what needs no origin, and hands on the rest.

use std::sync::Arc;

use common::{
    chat::{
        allowance::Allowance,
        json::{ClientMessage, ServerMessage, Unreadable},
        relay::Opened,
    },
    id::RoomSlug,
    websocket::{Message, Opcode, code, frame},
    wire::chat::{KickReason, RefusalCode, SocketId},
};
use node::clock;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot},
};

use super::{Input, farewell};
use crate::{
    viewer::Viewers,
    websocket::{Connection, Outbox, Received},
};

/// Longest message of a browser.
const MAX_MESSAGE: usize = 8 << 10;
/// Frames of a browser, a second and at once, pings and pongs included.
const FRAMES: (u32, u32) = (20, 60);
/// Binary frames that are answered; the next ends the socket.
const MAX_BINARY: u32 = 2;

struct Viewer {
    id: SocketId,
    room: RoomSlug,
    outbox: Arc<Outbox>,
    inputs: mpsc::Sender<Input>,
    viewers: Arc<Viewers>,
    frames: Allowance,
    binary_frames: u32,
}

/// How the socket is to be closed.
type Close = Option<(u16, &'static str)>;

/// Until the socket is closed.
pub(super) async fn run<I>(io: I, opened: Opened, inputs: mpsc::Sender<Input>, viewers: Arc<Viewers>)
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    let outbox = Arc::new(Outbox::new(clock::monotonic()));
    let mut connection = Connection::new(io, outbox.clone(), MAX_MESSAGE, clock::monotonic);
    let room = opened.claims.room.clone();
    let (opened_as, id) = oneshot::channel();
    let open = Input::Open {
        opened: Box::new(opened),
        outbox: outbox.clone(),
        opened_as,
    };
    let _ = inputs.send(open).await;
    let Ok(id) = id.await else {
        // The relay stops.
        return connection.end(Some((code::GOING_AWAY, ""))).await;
    };
    let mut viewer = Viewer {
        id,
        room,
        outbox,
        inputs,
        viewers,
        frames: Allowance::new(FRAMES.0, FRAMES.1),
        binary_frames: 0,
    };
    let close = loop {
        let received = connection.next().await;
        if let Some(close) = viewer.take(received).await {
            break close;
        }
    };
    let _ = viewer.inputs.send(Input::Closed { socket: id }).await;
    drop(viewer);
    connection.end(close).await;
}

impl Viewer {
    /// `Some`: the socket is over.
    async fn take(&mut self, received: Received) -> Option<Close> {
        let message = match received {
            Received::Over => return Some(None),
            Received::Violation(violation) => return Some(Some((violation.code, violation.reason))),
            Received::Message(message) => message,
        };
        if self.frames.take(clock::monotonic()).is_err() {
            return Some(self.misbehaved());
        }
        match message {
            Message::Text(text) => self.read(&text).await,
            Message::Binary(_) => {
                self.binary_frames += 1;
                if self.binary_frames > MAX_BINARY {
                    return Some(self.misbehaved());
                }
                self.refuse(RefusalCode::Malformed, "send text frames", None);
            }
            Message::Close { code } => return Some(Some((code.unwrap_or(code::NORMAL), ""))),
            Message::Ping(_) | Message::Pong(_) | Message::Fragment => {}
        }
        None
    }

    fn misbehaved(&self) -> Close {
        self.outbox.close(farewell(KickReason::Misbehaved));
        None
    }

    async fn read(&self, text: &str) {
        let socket = self.id;
        let act = match ClientMessage::read(text) {
            Ok(message) => message.into_act(),
            Err(Unreadable {
                code,
                detail,
                client_id,
            }) => return self.refuse(code, &detail, client_id),
        };
        let input = match act {
            Ok(act) => Input::Act { socket, act },
            Err(ClientMessage::Ping { t0 }) => {
                let now = self.viewers.rooms.origin_now().0;
                return self.tell(&ServerMessage::Pong { t0, t1: now, t2: now });
            }
            Err(ClientMessage::Renew { token: Some(token) }) => {
                match self.viewers.gate.admit(&self.room, Some(&token)).await {
                    Ok(claims) => Input::Token {
                        socket,
                        token,
                        claims: Box::new((*claims).clone()),
                    },
                    Err(_) => Input::BadToken { socket },
                }
            }
            Err(_) => Input::Renew { socket },
        };
        // Closed only when the relay stops.
        let _ = self.inputs.send(input).await;
    }

    fn refuse(&self, code: RefusalCode, detail: &str, client_id: Option<String>) {
        let detail = detail.to_owned();
        self.tell(&ServerMessage::Error {
            code,
            detail,
            client_id,
        });
    }

    fn tell(&self, message: &ServerMessage) {
        // One that does not take its answers is dropped by the hub.
        let _ = self.outbox.push([frame(Opcode::Text, message.to_text().as_bytes())]);
    }
}
