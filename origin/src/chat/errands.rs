//! What a chat wants of the database and goes on without: bans that have to last, and newer tokens.
//!
//! A banned viewer is out at once; that the ban lasts is tried until the database is there, or the ban is taken back. One after the
//! other, as either may come first. Tokens are signed for several viewers at a time.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use common::{
    auth::{Role, ViewerClaims},
    chat::{
        record::{AuditAction, AuditEntry, BanOrder, Target},
        room::SocketKey,
    },
    id::RoomSlug,
    link::backoff::Backoff,
    wire::{
        chat::{Notice, RefusalCode, SocketEvent},
        control::RevokedSubject,
    },
};
use metrics::counter;
use node::{clock, shutdown::Shutdown};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{journal::Rooms as _, op::Op, outside::StoreError, registry::Chats};
use crate::db::{BanOutcome, BannedLink};

/// Bans that wait for the database. One that finds no place holds for as long as the viewer's tokens and this program live.
const MAX_BANS: usize = 1000;
/// Newer tokens that are asked for and not signed yet; who finds no place may ask again.
const MAX_RENEWALS: usize = 20_000;
/// Tokens that are signed at a time: fewer than the database has connections.
const RENEWALS_AT_ONCE: usize = 4;
/// For the database to answer once.
const TIMEOUT: Duration = Duration::from_secs(10);

/// For all bans to be kept when the origin stops; less than it gives its tasks.
const LAST_BANS: Duration = Duration::from_secs(6);
/// How often it is looked whether anybody is there, or the database, when the origin stops.
const LOOK: Duration = Duration::from_millis(100);

pub(super) enum BanErrand {
    Ban(BanOrder),
    Unban { room: RoomSlug, viewer_id: String },
}

impl BanErrand {
    /// Whether it takes back the ban that `other` is.
    fn lifts(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unban { room, viewer_id }, Self::Ban(order)) => *room == order.room && *viewer_id == order.viewer_id,
            _ => false,
        }
    }
}

/// A socket whose viewer wants a newer token.
pub(super) struct Renewal {
    pub(super) at: SocketKey,
    pub(super) claims: ViewerClaims,
}

pub(super) struct Errands {
    bans: mpsc::Sender<BanErrand>,
    renewals: mpsc::Sender<Renewal>,
}

/// The other end of [`Errands`].
pub(super) struct Queues {
    bans: mpsc::Receiver<BanErrand>,
    renewals: mpsc::Receiver<Renewal>,
}

impl Errands {
    pub(super) fn new() -> (Self, Queues) {
        let (bans, ban_queue) = mpsc::channel(MAX_BANS);
        let (renewals, renewal_queue) = mpsc::channel(MAX_RENEWALS);
        let queues = Queues {
            bans: ban_queue,
            renewals: renewal_queue,
        };
        (Self { bans, renewals }, queues)
    }

    pub(super) fn ban(&self, errand: BanErrand) {
        if self.bans.try_send(errand).is_err() {
            counter!("streamcircle_chat_bans_lost_total").increment(1);
            tracing::error!("a ban is not kept: too many wait for the database");
        }
    }

    /// Whether there is place for it.
    pub(super) fn renew(&self, renewal: Renewal) -> bool {
        self.renewals.try_send(renewal).is_ok()
    }
}

/// Spawns the tasks that see to the errands of `chats`.
pub(super) fn spawn(chats: &Chats, queues: Queues, shutdown: &Shutdown) {
    shutdown.spawn(see_to_bans(chats.clone(), queues.bans, shutdown.clone()));
    shutdown.spawn(see_to_renewals(chats.clone(), queues.renewals, shutdown.clone()));
}

async fn see_to_bans(chats: Chats, bans: mpsc::Receiver<BanErrand>, shutdown: Shutdown) {
    let stop = shutdown.token();
    let mut waiting = VecDeque::new();
    let last = async {
        stop.cancelled().await;
        tokio::time::sleep(LAST_BANS).await;
    };
    tokio::select! {
        () = see_to_each(&chats, bans, &mut waiting, stop) => {}
        () = last => {}
    }
    if !waiting.is_empty() {
        tracing::error!(lost = waiting.len(), "the origin stops before all bans are kept");
    }
}

/// Until the origin stops and nobody is there who could ban anybody. `waiting`: what is not done yet, in order.
async fn see_to_each(
    chats: &Chats,
    mut bans: mpsc::Receiver<BanErrand>,
    waiting: &mut VecDeque<BanErrand>,
    stop: &CancellationToken,
) {
    let mut backoff = Backoff::new(clock::monotonic().0.as_nanos() as u64);
    loop {
        while waiting.len() < MAX_BANS
            && let Ok(errand) = bans.try_recv()
        {
            waiting.push_back(errand);
        }
        let Some(errand) = waiting.front() else {
            if stop.is_cancelled() && chats.are_quiet() {
                return;
            }
            if stop.is_cancelled() {
                tokio::time::sleep(LOOK).await;
            } else if let Some(Some(errand)) = stop.run_until_cancelled(bans.recv()).await {
                waiting.push_back(errand);
            }
            continue;
        };
        if waiting.iter().any(|later| later.lifts(errand)) {
            waiting.pop_front();
            continue;
        }
        match once(chats, errand).await {
            Ok(()) => {
                waiting.pop_front();
                backoff = Backoff::new(clock::monotonic().0.as_nanos() as u64);
            }
            Err(why) => {
                tracing::warn!(why, "a ban waits for the database");
                if stop.is_cancelled() {
                    tokio::time::sleep(LOOK).await;
                } else {
                    // When the origin stops, it is tried again at once.
                    let wait = tokio::time::sleep(backoff.next_wait());
                    let _ = stop.run_until_cancelled(wait).await;
                }
            }
        }
    }
}

/// Tries an errand. What the database refuses is said, and over.
async fn once(chats: &Chats, errand: &BanErrand) -> Result<(), String> {
    let store = chats.store();
    let done = async {
        match errand {
            BanErrand::Ban(order) => banned(chats, order, store.ban(order).await?),
            BanErrand::Unban { room, viewer_id } => store.unban(room, viewer_id).await?,
        }
        Ok(())
    };
    match tokio::time::timeout(TIMEOUT, done).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(StoreError::Away(why))) => Err(why),
        Ok(Err(StoreError::Refused(why))) => {
            tracing::error!(why, "the database does not take a ban");
            Ok(())
        }
        Err(_) => Err("time is up".to_owned()),
    }
}

/// Tells relays, rooms and hosts what came of a ban.
fn banned(chats: &Chats, order: &BanOrder, outcome: BanOutcome) {
    for revocation in outcome.revocations {
        if let RevokedSubject::Invite(invite_id) = &revocation.subject {
            let entry = AuditEntry {
                at: order.at,
                by: order.by.clone(),
                action: AuditAction::InviteRevoked,
                target: Some(Target {
                    viewer_id: order.viewer_id.clone(),
                    nickname: order.nickname.clone(),
                }),
                detail: Some(invite_id.clone()),
                reason: order.reason.clone(),
            };
            chats.audit(&order.room, entry);
        }
        chats.gate().push(revocation.clone());
        chats.revoked(&revocation);
    }
    let (viewer_id, nickname) = (order.viewer_id.clone(), order.nickname.clone());
    let notice = match outcome.link {
        BannedLink::None => return,
        BannedLink::Revoked => Notice::LinkRevoked { viewer_id, nickname },
        BannedLink::Shared { others } => Notice::LinkShared {
            viewer_id,
            nickname,
            others,
        },
    };
    chats.apply(&order.room, vec![Op::Notify(Role::Host, notice)]);
}

async fn see_to_renewals(chats: Chats, mut renewals: mpsc::Receiver<Renewal>, shutdown: Shutdown) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.token().cancelled() => return,
            Some(_) = running.join_next() => {}
            Some(renewal) = renewals.recv(), if running.len() < RENEWALS_AT_ONCE => {
                running.spawn(renew(chats.clone(), renewal));
            }
        }
    }
}

async fn renew(chats: Chats, renewal: Renewal) {
    let Renewal { at, claims } = renewal;
    let store = Arc::clone(chats.store());
    let signed = tokio::time::timeout(TIMEOUT, store.renew(&claims)).await;
    let refused = |code, detail: &str| {
        let detail = detail.to_owned();
        let client_id = None;
        Op::Tell(
            at,
            SocketEvent::Refused {
                code,
                detail,
                client_id,
            },
        )
    };
    let op = match signed {
        Ok(Ok(Some((token, expires_at)))) => {
            let claims = ViewerClaims {
                expires_at,
                ..claims.clone()
            };
            Op::Token { at, token, claims }
        }
        Ok(Ok(None)) => refused(RefusalCode::Forbidden, "the invite ended, or the door was closed"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a viewer token is not renewed");
            refused(RefusalCode::Unavailable, "tokens cannot be renewed now; try again")
        }
        Err(_) => refused(RefusalCode::Unavailable, "tokens cannot be renewed now; try again"),
    };
    chats.apply(&claims.room, vec![op]);
}
