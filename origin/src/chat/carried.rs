//! What one connection of a relay carries up, put into the rooms; and what the rooms tell it.
//!
//! A relay is not trusted with a decision: who a socket's viewer is stands in the token, which is checked here. A relay that sends
//! more than its sockets could is ended; acts beyond what is answered are refused one by one.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use common::{
    auth::ViewerClaims,
    chat::{allowance::Allowance, room::SocketKey},
    id::RoomSlug,
    wire::chat::{ChatAct, ChatDown, ChatUp, KickReason, RefusalCode, SocketEvent, SocketId},
};
use node::clock;
use tokio_util::sync::CancellationToken;

use super::{
    line::{self, Frames, Line},
    op::{self, Op},
    registry::Chats,
};

/// Acts of viewers that are answered: on average, and at once. A full relay's viewers do less than a tenth of it.
const ACTS_PER_SECOND: u32 = 5000;
const ACTS_AT_ONCE: u32 = 10_000;
/// All that a relay may carry up, by what it costs: on average, and at once when it comes back and enters all its sockets anew.
const WORK_PER_SECOND: u32 = 10_000;
const WORK_AT_ONCE: u32 = 60_000;
/// A snapshot of a room; the check of a signature.
const FOLLOW_COST: u32 = 20;
const TOKEN_COST: u32 = 2;
/// Items that are put into the rooms before other tasks have their turn.
const ITEMS_AT_A_TIME: usize = 64;
/// Longest text that an address of a viewer is taken from, in bytes.
const MAX_ADDRESS_LEN: usize = 64;

/// The relay sent more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much chat")]
pub struct TooMuch;

/// One connection of a relay to the chats.
pub struct RelayChat {
    chats: Chats,
    line: Arc<Line>,
    frames: Frames,
    acts: Allowance,
    work: Allowance,
}

/// What a piece of what was carried comes to.
#[derive(Default)]
struct Sorted {
    /// By room, in the order they came; a room may stand here several times.
    ops: Vec<(RoomSlug, Vec<Op>)>,
    replies: BTreeMap<RoomSlug, Vec<ChatDown>>,
}

impl RelayChat {
    pub(super) fn new(chats: Chats, line: Arc<Line>, frames: Frames) -> Self {
        Self {
            chats,
            line,
            frames,
            acts: Allowance::new(ACTS_PER_SECOND, ACTS_AT_ONCE),
            work: Allowance::new(WORK_PER_SECOND, WORK_AT_ONCE),
        }
    }

    /// The next frame for the relay. May be dropped half-way.
    pub async fn next(&mut self) -> Bytes {
        match self.frames.next().await {
            Some(frame) => frame,
            // The line, which is in `self`, holds the other end.
            None => std::future::pending().await,
        }
    }

    /// Cancelled when the relay has to leave: it does not take what it is told.
    pub fn must_leave(&self) -> CancellationToken {
        self.line.must_leave().clone()
    }

    /// Does what the relay's sockets want, in order.
    ///
    /// # Errors
    /// The relay has to leave.
    pub async fn carry(&mut self, items: Vec<ChatUp>) -> Result<(), TooMuch> {
        // A frame without items is work, too.
        self.work(1)?;
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            let mut sorted = Sorted::default();
            for item in items.by_ref().take(ITEMS_AT_A_TIME) {
                self.sort(item, &mut sorted)?;
            }
            self.put(sorted);
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn work(&mut self, cost: u32) -> Result<(), TooMuch> {
        let now = clock::monotonic();
        (0..cost).try_for_each(|_| self.work.take(now).map_err(|_| TooMuch))
    }

    fn sort(&mut self, item: ChatUp, sorted: &mut Sorted) -> Result<(), TooMuch> {
        self.work(match &item {
            ChatUp::Follow { .. } => FOLLOW_COST,
            ChatUp::Enter { .. } | ChatUp::Token { .. } => TOKEN_COST,
            _ => 1,
        })?;
        let at = |socket| SocketKey {
            relay: self.line.key,
            socket,
        };
        match item {
            ChatUp::Follow { room, after } => {
                let line = Arc::clone(&self.line);
                sorted.op(room, Op::Follow { line, after });
            }
            ChatUp::Unfollow { room } => sorted.op(room, Op::Unfollow(self.line.key)),
            ChatUp::Enter {
                room,
                socket,
                token,
                address,
            } => match self.check(&room, &token) {
                Ok(claims) => {
                    let line = Arc::clone(&self.line);
                    let address = address[..address.floor_char_boundary(MAX_ADDRESS_LEN)].to_owned();
                    let at = at(socket);
                    sorted.op(
                        room,
                        Op::Enter {
                            line,
                            at,
                            claims,
                            address,
                        },
                    );
                }
                Err(reason) => sorted.reply(room, socket, SocketEvent::Kicked { reason }),
            },
            ChatUp::Leave { room, socket } => sorted.op(room, Op::Leave(at(socket))),
            ChatUp::Token { room, socket, token } => match self.check(&room, &token) {
                Ok(claims) => sorted.op(room, Op::Renewed(at(socket), claims)),
                // The older one goes on for as long as it may.
                Err(KickReason::Expired) => {
                    let detail = "the token does not count";
                    sorted.reply(room, socket, refusal(RefusalCode::Forbidden, detail, None));
                }
                Err(reason) => {
                    sorted.op(room.clone(), Op::Leave(at(socket)));
                    sorted.reply(room, socket, SocketEvent::Kicked { reason });
                }
            },
            ChatUp::Renew { room, socket } => sorted.op(room, Op::Renew(at(socket))),
            ChatUp::Act { room, socket, act } => {
                if self.acts.take(clock::monotonic()).is_ok() {
                    sorted.op(room, Op::Act(at(socket), act));
                } else {
                    let client_id = match act {
                        ChatAct::Say { client_id, .. } => Some(client_id),
                        _ => None,
                    };
                    let detail = "too much is said on this relay; try again";
                    sorted.reply(room, socket, refusal(RefusalCode::RateLimited, detail, client_id));
                }
            }
        }
        Ok(())
    }

    fn check(&self, room: &RoomSlug, token: &str) -> Result<ViewerClaims, KickReason> {
        self.chats.gate().check(token, room, &self.line.relay_id)
    }

    fn put(&self, sorted: Sorted) {
        let Sorted { ops, mut replies } = sorted;
        for (room, ops) in ops {
            let entered: Vec<SocketId> = ops.iter().filter_map(Op::entering).collect();
            if !self.chats.apply_opening(&room, ops) {
                for socket in entered {
                    let reason = KickReason::RoomGone;
                    let event = SocketEvent::Kicked { reason };
                    let told = ChatDown::Socket { socket, event };
                    replies.entry(room.clone()).or_default().push(told);
                }
            }
        }
        for (room, replies) in replies {
            line::encode(&room, replies, &mut |frame| self.line.tell(frame));
        }
    }
}

impl Drop for RelayChat {
    fn drop(&mut self) {
        self.chats.lost(&self.line);
    }
}

impl Sorted {
    fn op(&mut self, room: RoomSlug, op: Op) {
        match self.ops.last_mut() {
            Some((last, ops)) if *last == room => ops.push(op),
            _ => self.ops.push((room, vec![op])),
        }
    }

    fn reply(&mut self, room: RoomSlug, socket: SocketId, event: SocketEvent) {
        if let SocketEvent::Refused { code, .. } = &event {
            op::refused(*code);
        }
        let replies = self.replies.entry(room).or_default();
        replies.push(ChatDown::Socket { socket, event });
    }
}

fn refusal(code: RefusalCode, detail: &str, client_id: Option<String>) -> SocketEvent {
    SocketEvent::Refused {
        code,
        detail: detail.to_owned(),
        client_id,
    }
}
