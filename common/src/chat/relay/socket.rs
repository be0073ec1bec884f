//! One viewer's socket as the relay's chat sees it: who it is, and what it said without an answer yet.

use std::{collections::VecDeque, time::Duration};

use crate::{
    auth::{Role, ViewerClaims},
    chat::allowance::Allowance,
    id::RoomSlug,
    time::Monotonic,
    wire::chat::ChatAct,
};

/// Messages of a socket that wait for their answer while the link stands; further ones are refused.
pub const MAX_PENDING: usize = 20;
/// The same while it is away, or the socket is not in yet.
pub const MAX_HELD: usize = 5;
/// How long a message waits for its answer.
pub const PENDING_FOR: Duration = Duration::from_secs(15);
/// The rates that the origin holds all sockets of a viewer to: here each of them, so that a flood ends at the relay.
const SAYS: (u32, u32) = (2, 5);
const REACTIONS: (u32, u32) = (5, 10);
/// For all else that a socket may ask.
const OTHERS: (u32, u32) = (5, 20);

/// A socket that was opened with a token that was checked.
#[derive(Clone, Debug)]
pub struct Opened {
    pub claims: ViewerClaims,
    pub token: String,
    /// The viewer's, as the relay sees it.
    pub address: String,
    /// Id of the newest message that the browser has.
    pub after: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Socket {
    pub(super) room: RoomSlug,
    pub(super) claims: ViewerClaims,
    pub(super) token: String,
    pub(super) address: String,
    pub(super) after: Option<i64>,
    /// The origin let it in, over the connection that stands.
    pub(super) entered: bool,
    /// As the origin says.
    pub(super) nickname: String,
    pub(super) role: Role,
    /// It had its hello, and all that happened since, from this message on.
    pub(super) told_from: Option<i64>,
    pub(super) pending: VecDeque<Pending>,
    /// It asked for a newer token and has none yet.
    pub(super) wants_token: bool,
    /// It is kicked then, unless the origin says sooner why.
    pub(super) shut_out_at: Option<Monotonic>,
    /// When the upstream was told last that the viewer is here.
    pub(super) seen_at: Monotonic,
    says: Allowance,
    reactions: Allowance,
    others: Allowance,
}

/// What was said and not answered.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) client_id: String,
    pub(super) act: ChatAct,
    pub(super) since: Monotonic,
}

impl Socket {
    pub(super) fn new(opened: Opened, now: Monotonic) -> Self {
        let allowance = |(per_second, burst)| Allowance::new(per_second, burst);
        Self {
            room: opened.claims.room.clone(),
            nickname: opened.claims.nickname.clone(),
            role: opened.claims.role,
            claims: opened.claims,
            token: opened.token,
            address: opened.address,
            after: opened.after,
            entered: false,
            told_from: None,
            pending: VecDeque::new(),
            wants_token: false,
            shut_out_at: None,
            seen_at: now,
            says: allowance(SAYS),
            reactions: allowance(REACTIONS),
            others: allowance(OTHERS),
        }
    }

    /// Whether it gets what the room's sockets get.
    pub(super) fn is_greeted(&self) -> bool {
        self.told_from.is_some()
    }

    /// Takes what the act costs.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn afford(&mut self, act: &ChatAct, now: Monotonic) -> Result<(), Duration> {
        match act {
            ChatAct::Say { .. } => self.says.take(now),
            ChatAct::React { .. } => self.reactions.take(now),
            _ => self.others.take(now),
        }
    }

    /// The same for a renewal.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn afford_other(&mut self, now: Monotonic) -> Result<(), Duration> {
        self.others.take(now)
    }

    /// Whether something was said with this client id, and is not waited for any more.
    pub(super) fn is_answered(&mut self, client_id: &str) -> bool {
        let at = self.pending.iter().position(|pending| pending.client_id == client_id);
        at.and_then(|at| self.pending.remove(at)).is_some()
    }
}
