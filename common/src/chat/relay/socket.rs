//! One viewer's socket as the relay's chat sees it: who it is, and what it said without an answer yet.

use std::{collections::VecDeque, time::Duration};

use crate::{
    auth::{Revocations, Role, ViewerClaims},
    chat::{allowance::Allowance, room::Now},
    id::RoomSlug,
    time::Monotonic,
    wire::chat::ChatAct,
};

/// Messages of a socket that wait for their answer while the link stands; further ones are refused.
pub const MAX_PENDING: usize = 20;
/// The same while it is away, or the socket is not in yet.
pub const MAX_HELD: usize = 5;
/// How long a message waits for its answer.
///
/// Twice as long as it takes to find out that a link is dead: what was said on it is said again over the next, not given back.
pub const PENDING_FOR: Duration = Duration::from_secs(30);
/// Other acts have no answer when they are done: so long they may be lost with the link, without anybody knowing yet.
pub(super) const SENT_FOR: Duration = Duration::from_secs(20);
/// Of a socket; the oldest goes for a new one.
pub(super) const MAX_SENT: usize = 8;
/// How long a socket that was shut out stays for the origin to say why.
const SHUT_OUT_GRACE: Duration = Duration::from_secs(1);
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
    /// Acts that may be lost with the link: done over the next one, where a second time does no harm.
    pub(super) sent: VecDeque<Sent>,
    /// The viewer showed its token after the origin was asked to let it in with an older one.
    pub(super) shows_token: bool,
    /// It asked for a newer token and has none yet.
    pub(super) wants_token: bool,
    /// It is kicked then, unless the origin says sooner why.
    pub(super) shut_out_at: Option<Monotonic>,
    /// When the upstream was told last that the viewer is here.
    pub(super) seen_at: Monotonic,
    says: Allowance,
    /// What goes up of it: after a break much waits, and the origin holds the viewer to the same rate.
    sayings: Allowance,
    reactions: Allowance,
    others: Allowance,
}

/// What was said and not answered.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) client_id: String,
    pub(super) act: ChatAct,
    pub(super) since: Monotonic,
    /// Over the connection that stands.
    pub(super) went_up: bool,
}

/// What was done, as far as is known.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) act: ChatAct,
    pub(super) at: Monotonic,
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
            sent: VecDeque::new(),
            shows_token: false,
            wants_token: false,
            shut_out_at: None,
            seen_at: now,
            says: allowance(SAYS),
            sayings: allowance(SAYS),
            reactions: allowance(REACTIONS),
            others: allowance(OTHERS),
        }
    }

    /// Whether it gets what the room's sockets get.
    pub(super) fn is_greeted(&self) -> bool {
        self.told_from.is_some()
    }

    /// Looks whether its token is revoked.
    pub(super) fn shut_out(&mut self, now: Now, revocations: &Revocations) {
        if self.shut_out_at.is_none() && revocations.is_revoked(&self.claims, now.wall) {
            self.shut_out_at = Some(now.monotonic + SHUT_OUT_GRACE);
        }
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

    /// The next message that waits to go up, if the rate lets it.
    pub(super) fn next_saying(&mut self, now: Monotonic) -> Option<ChatAct> {
        let next = self.pending.iter_mut().find(|pending| !pending.went_up)?;
        self.sayings.take(now).ok()?;
        next.went_up = true;
        Some(next.act.clone())
    }

    /// Remembers an act that goes up now.
    pub(super) fn remember(&mut self, act: &ChatAct, now: Monotonic) {
        let act = match act {
            ChatAct::Say { .. } | ChatAct::React { .. } => return,
            // So much is a viewer's to do, of its own messages, and the reason counts for nothing.
            ChatAct::Delete { message_id, .. } if self.role == Role::Viewer => ChatAct::Delete {
                message_id: *message_id,
                reason: None,
            },
            _ if self.role == Role::Viewer => return,
            act => act.clone(),
        };
        if self.sent.len() >= MAX_SENT {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent { act, at: now });
    }

    /// Forgets acts that were done by now. Gives how many were lost instead: with the link, and there is no other yet.
    pub(super) fn forget_sent(&mut self, now: Monotonic) -> usize {
        let kept_for = if self.entered { SENT_FOR } else { PENDING_FOR };
        let before = self.sent.len();
        self.sent.retain(|sent| now.since(sent.at) < kept_for);
        if self.entered { 0 } else { before - self.sent.len() }
    }

    /// Whether something was said with this client id, and is not waited for any more.
    pub(super) fn is_answered(&mut self, client_id: &str) -> bool {
        let at = self.pending.iter().position(|pending| pending.client_id == client_id);
        at.and_then(|at| self.pending.remove(at)).is_some()
    }
}
