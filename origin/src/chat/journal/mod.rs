//! Keeps what the rooms' chats leave behind, in batches, behind the broadcast. While the database is away, it waits, within bounds,
//! and the hosts are told.

mod backlog;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{id::RoomSlug, time::Monotonic, wire::chat::Notice};
use metrics::gauge;
use node::clock;
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use self::backlog::{Backlog, MAX_BATCH};
use super::outside::{ChatStore, StoreError};
use crate::{api::ChatStorage, db::Kept};

/// For more to come, before a batch is written that is not full.
const GATHER: Duration = Duration::from_millis(250);
/// For the database to take a batch.
const ATTEMPT: Duration = Duration::from_secs(10);
/// Between attempts: at first, and at most.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LAST: Duration = Duration::from_secs(1);
/// How often it is looked whether hosts have to be told.
const LOOK: Duration = Duration::from_millis(250);
/// For all that waits to be written when the origin stops; less than it gives its tasks.
const LAST_WRITES: Duration = Duration::from_secs(6);

/// Clones share what waits.
#[derive(Clone, Default)]
pub(super) struct Journal(Arc<Shared>);

#[derive(Default)]
struct Shared {
    backlog: Mutex<Backlog>,
    came: Notify,
}

/// What the journal tells, and asks, of the rooms.
pub(super) trait Rooms: Send + Sync {
    fn notify_hosts(&self, room: &RoomSlug, notice: Notice);

    /// Nobody is there who could say anything.
    fn are_quiet(&self) -> bool;
}

impl Journal {
    /// Keeps a record, soon. Never waits.
    pub(super) fn push(&self, kept: Kept) {
        let len = {
            let mut backlog = self.backlog();
            backlog.push(kept);
            backlog.len()
        };
        gauge!("streamcircle_chat_journal_waiting").set(len as f64);
        if len == 1 || len == MAX_BATCH {
            self.0.came.notify_one();
        }
    }

    /// The room is gone.
    pub(super) fn forget(&self, room: &RoomSlug) {
        self.backlog().forget(room);
    }

    pub(super) fn storage(&self) -> ChatStorage {
        let totals = self.backlog().totals();
        ChatStorage {
            waiting: totals.waiting,
            dropped: totals.dropped,
            is_failing: totals.is_failing,
        }
    }

    /// Writes what comes, until the origin stops and all is written, or the time for it is up.
    pub(super) async fn run(self, store: Arc<dyn ChatStore>, rooms: impl Rooms, stop: CancellationToken) {
        let mut writer = Writer {
            journal: self,
            store,
            rooms,
        };
        let last = async {
            stop.cancelled().await;
            sleep(LAST_WRITES).await;
        };
        tokio::select! {
            () = writer.write(&stop) => {}
            () = last => {}
        }
        let lost = writer.journal.backlog().len();
        if lost > 0 {
            tracing::error!(lost, "the origin stops before all that was said is kept");
        }
    }

    fn backlog(&self) -> MutexGuard<'_, Backlog> {
        // Each change is whole before anything that could panic.
        self.0.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Writer<R> {
    journal: Journal,
    store: Arc<dyn ChatStore>,
    rooms: R,
}

/// How an attempt went.
enum Tried {
    Nothing,
    Written,
    Failed,
}

impl<R: Rooms> Writer<R> {
    async fn write(&mut self, stop: &CancellationToken) {
        let mut wait = RETRY_FIRST;
        loop {
            match self.attempt().await {
                Tried::Written => wait = RETRY_FIRST,
                Tried::Nothing if stop.is_cancelled() => {
                    if self.rooms.are_quiet() {
                        return;
                    }
                    sleep(RETRY_FIRST).await;
                }
                Tried::Nothing => self.gather(stop).await,
                Tried::Failed => {
                    self.telling(sleep(wait)).await;
                    wait = (wait * 2).min(RETRY_LAST);
                }
            }
        }
    }

    /// Waits for something, and then a little for more.
    async fn gather(&self, stop: &CancellationToken) {
        let came = || self.journal.0.came.notified();
        let enough = async {
            while self.journal.backlog().len() == 0 {
                came().await;
            }
            let full = async {
                while self.journal.backlog().len() < MAX_BATCH {
                    came().await;
                }
            };
            let _ = timeout(GATHER, full).await;
        };
        let _ = stop.run_until_cancelled(enough).await;
    }

    async fn attempt(&self) -> Tried {
        let batch = self.journal.backlog().batch(clock::monotonic());
        if batch.is_empty() {
            return Tried::Nothing;
        }
        let kept = timeout(ATTEMPT, self.store.keep(&batch));
        let outcome = self.telling(kept).await;
        let mut backlog = self.journal.backlog();
        let (tried, notices) = match outcome {
            Ok(Ok(())) => (Tried::Written, backlog.written()),
            Ok(Err(StoreError::Refused(why))) => {
                let (is_dropped, notices) = backlog.refused();
                if is_dropped {
                    let what = &batch[0];
                    tracing::error!(room = %what.room, why, "the database does not take a record: it is dropped");
                }
                (Tried::Written, notices)
            }
            Ok(Err(StoreError::Away(why))) => {
                tracing::warn!(why, "what is said is not kept yet");
                backlog.failed();
                (Tried::Failed, Vec::new())
            }
            Err(_) => {
                tracing::warn!("the database takes too long to keep what is said");
                backlog.failed();
                (Tried::Failed, Vec::new())
            }
        };
        gauge!("streamcircle_chat_journal_waiting").set(backlog.len() as f64);
        drop(backlog);
        self.tell(notices);
        tried
    }

    /// Waits for `what`, and meanwhile tells the hosts what they have to know.
    async fn telling<T>(&self, what: impl Future<Output = T>) -> T {
        tokio::pin!(what);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                outcome = &mut what => return outcome,
                _ = look.tick() => {
                    let notices = self.journal.backlog().notices(now());
                    self.tell(notices);
                }
            }
        }
    }

    fn tell(&self, notices: Vec<(RoomSlug, Notice)>) {
        for (room, notice) in notices {
            self.rooms.notify_hosts(&room, notice);
        }
    }
}

fn now() -> Monotonic {
    clock::monotonic()
}
