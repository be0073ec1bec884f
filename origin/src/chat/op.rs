//! What happens to a room, as one value: it may have to wait until the chat is open.

use std::sync::Arc;

use common::{
    auth::{Role, ViewerClaims},
    chat::room::{OnAir, Opening, RelayKey, Settings, SocketKey},
    time::UnixMillis,
    wire::chat::{ChatAct, EmoteRef, KickReason, Notice, RefusalCode, SocketEvent, SocketId},
};
use metrics::counter;

use super::line::Line;

/// Something that happens to a room.
pub(super) enum Op {
    Follow {
        line: Arc<Line>,
        after: Option<i64>,
    },
    Unfollow(RelayKey),
    /// The relay's connection is gone.
    Lost(RelayKey),
    Enter {
        line: Arc<Line>,
        at: SocketKey,
        claims: ViewerClaims,
        address: String,
    },
    Leave(SocketKey),
    /// The socket's viewer shows a newer token.
    Renewed(SocketKey, ViewerClaims),
    Renew(SocketKey),
    Act(SocketKey, ChatAct),
    /// A newer token was signed for the socket's viewer.
    Token {
        at: SocketKey,
        token: String,
        claims: ViewerClaims,
    },
    Tell(SocketKey, SocketEvent),
    Settings(Settings),
    OnAir(OnAir),
    Emotes(Vec<EmoteRef>),
    Notify(Role, Notice),
    ShutOut(String, KickReason),
    ShutOutInvite(String),
    Forget(UnixMillis),
    /// What the database has, of a chat that had to open without it.
    CatchUp(Box<Opening>),
    Claim {
        viewer_id: String,
        role: Role,
        name: String,
    },
}

impl Op {
    /// The socket that wants to enter.
    pub(super) fn entering(&self) -> Option<SocketId> {
        match self {
            Self::Enter { at, .. } => Some(at.socket),
            _ => None,
        }
    }
}

/// Counts a refusal.
pub(super) fn refused(code: RefusalCode) {
    let code = match code {
        RefusalCode::Malformed => "malformed",
        RefusalCode::UnknownType => "unknownType",
        RefusalCode::Empty => "empty",
        RefusalCode::TooLong => "tooLong",
        RefusalCode::RateLimited => "rateLimited",
        RefusalCode::SlowMode => "slowMode",
        RefusalCode::TimedOut => "timedOut",
        RefusalCode::Locked => "locked",
        RefusalCode::Forbidden => "forbidden",
        RefusalCode::Unavailable => "unavailable",
    };
    counter!("streamcircle_chat_refusals_total", "code" => code).increment(1);
}
