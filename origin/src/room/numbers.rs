//! A room's media sequence numbers: set aside in the database in blocks before they are used, so that they never go back, over a
//! crash or on another machine.
//!
//! Not here: how far they are used, which the packager knows. The room's control waits for the database only before a stream
//! starts, and then for seconds at most.

use std::{sync::Arc, time::Duration};

use common::{
    id::{Msn, RoomSlug},
    time::Monotonic,
};
use futures::future::BoxFuture;
use tokio::time::timeout;
use tracing::warn;

/// How many are set aside at a time, so that a crash of the origin never leads to a number used twice.
const BLOCK: u64 = 1000;
/// A new block is set aside when so few are left.
const LOW: u64 = 300;
/// The seven GAP segments in front of the first one need numbers too.
const FIRST: Msn = Msn(7);
/// For each answer of the database; a publisher at the door waits no longer.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);
/// Least time between two attempts when the database does not answer.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Keeps the media sequence numbers that were set aside, so that they never go back over a restart.
pub trait MsnStore: Send + Sync + 'static {
    /// First number that was never set aside.
    fn reserved<'a>(&'a self, room: &'a RoomSlug) -> BoxFuture<'a, anyhow::Result<Msn>>;
    /// Numbers below `upto` may be used from now on.
    fn reserve<'a>(&'a self, room: &'a RoomSlug, upto: Msn) -> BoxFuture<'a, anyhow::Result<()>>;
}

type Reserving = BoxFuture<'static, Option<Msn>>;

pub(super) struct Numbers {
    slug: RoomSlug,
    store: Arc<dyn MsnStore>,
    /// Numbers below are ours to use; 0: none yet.
    reserved: Msn,
    /// At most one at a time, driven by [`Numbers::settle`].
    reserving: Option<Reserving>,
    retry_at: Option<Monotonic>,
}

impl Numbers {
    pub(super) fn new(slug: RoomSlug, store: Arc<dyn MsnStore>) -> Self {
        Self {
            slug,
            store,
            reserved: Msn(0),
            reserving: None,
            retry_at: None,
        }
    }

    /// First number of a stream that starts now, when this process used all below `used`. `None`: it cannot be told without the
    /// database, which does not answer.
    pub(super) async fn first(&mut self, used: Msn) -> Option<Msn> {
        let stored = asked(self.store.reserved(&self.slug)).await;
        let first = match &stored {
            // Nobody else was here meanwhile.
            Ok(stored) if *stored == self.reserved && used > Msn(0) => used,
            Ok(stored) => used.max(*stored),
            // A stream here left off at `used`; what is set aside behind it may be another origin's by now only if that took the room
            // while the database is away from here.
            Err(reason) if self.reserved > Msn(0) => {
                warn!(%reason, "media sequence numbers could not be read: they go on as far as is known here");
                used.max(self.reserved)
            }
            Err(reason) => {
                warn!(%reason, "media sequence numbers could not be read");
                return None;
            }
        }
        .max(FIRST);
        // After a failed read the next attempt comes with the first segments.
        if let Ok(stored) = stored {
            let upto = Msn(first.max(stored).0 + BLOCK);
            match self.reserve(upto).await {
                Some(upto) => self.reserved = upto,
                None if self.reserved > Msn(0) => {}
                None => return None,
            }
        }
        Some(first)
    }

    /// All below `next` are used: starts to set more aside when few are left. A database that is gone does not end a running
    /// stream: the numbers go on, and a later attempt makes good.
    pub(super) fn used_below(&mut self, now: Monotonic, next: Msn) {
        let is_early = self.retry_at.is_some_and(|retry_at| now < retry_at);
        if self.reserving.is_none() && !is_early && next.0 + LOW > self.reserved.0 {
            self.retry_at = Some(now + RETRY_PAUSE);
            self.reserving = Some(self.reserve(Msn(self.reserved.max(next).0 + BLOCK)));
        }
    }

    /// Completes when numbers that [`Numbers::used_below`] asked for are set aside, or could not be; may be dropped and called again.
    pub(super) async fn settle(&mut self) {
        let Some(reserving) = &mut self.reserving else {
            return std::future::pending().await;
        };
        let done = reserving.await;
        self.reserving = None;
        if let Some(upto) = done {
            self.reserved = self.reserved.max(upto);
            self.retry_at = None;
        }
    }

    /// `None`: it failed, and was told of.
    fn reserve(&self, upto: Msn) -> Reserving {
        let (store, slug) = (Arc::clone(&self.store), self.slug.clone());
        Box::pin(async move {
            match asked(store.reserve(&slug, upto)).await {
                Ok(()) => Some(upto),
                Err(reason) => {
                    warn!(%reason, "media sequence numbers could not be set aside");
                    None
                }
            }
        })
    }
}

/// An answer of the database, while it is worth waiting for.
pub(super) async fn asked<T>(answer: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    timeout(STORE_TIMEOUT, answer).await?
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use futures::FutureExt as _;

    use super::*;

    #[derive(Clone, Copy, PartialEq)]
    enum Health {
        Well,
        Failing,
        Hanging,
    }

    struct Store {
        mark: Mutex<Msn>,
        health: Mutex<Health>,
        attempts: AtomicUsize,
    }

    impl Store {
        fn at(mark: u64) -> Arc<Self> {
            Arc::new(Self {
                mark: Mutex::new(Msn(mark)),
                health: Mutex::new(Health::Well),
                attempts: AtomicUsize::new(0),
            })
        }

        fn is(&self, health: Health) {
            *self.health.lock().unwrap() = health;
        }

        fn mark(&self) -> u64 {
            self.mark.lock().unwrap().0
        }

        async fn answer(&self) -> anyhow::Result<()> {
            self.attempts.fetch_add(1, Ordering::SeqCst);
            let health = *self.health.lock().unwrap();
            match health {
                Health::Well => Ok(()),
                Health::Failing => anyhow::bail!("the disk is full"),
                Health::Hanging => std::future::pending().await,
            }
        }
    }

    impl MsnStore for Store {
        fn reserved<'a>(&'a self, _: &'a RoomSlug) -> BoxFuture<'a, anyhow::Result<Msn>> {
            async { self.answer().await.map(|()| *self.mark.lock().unwrap()) }.boxed()
        }

        fn reserve<'a>(&'a self, _: &'a RoomSlug, upto: Msn) -> BoxFuture<'a, anyhow::Result<()>> {
            async move {
                self.answer().await?;
                let mut mark = self.mark.lock().unwrap();
                *mark = upto.max(*mark);
                Ok(())
            }
            .boxed()
        }
    }

    fn numbers(store: &Arc<Store>) -> Numbers {
        Numbers::new("cinema".parse().unwrap(), Arc::clone(store) as Arc<dyn MsnStore>)
    }

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    #[tokio::test]
    async fn a_restarted_origin_goes_on_behind_what_was_set_aside() {
        let store = Store::at(0);
        assert_eq!(numbers(&store).first(Msn(0)).await, Some(Msn(7)));
        assert_eq!(store.mark(), 1007);
        assert_eq!(numbers(&store).first(Msn(0)).await, Some(Msn(1007)));
    }

    #[tokio::test]
    async fn the_next_stream_of_a_process_goes_on_where_the_last_one_ended() {
        let store = Store::at(0);
        let mut numbers = numbers(&store);
        numbers.first(Msn(0)).await;
        assert_eq!(numbers.first(Msn(50)).await, Some(Msn(50)));
        assert_eq!(store.mark(), 2007);
    }

    #[tokio::test]
    async fn numbers_that_another_origin_used_in_between_are_not_used_again() {
        let store = Store::at(0);
        let mut numbers = numbers(&store);
        numbers.first(Msn(0)).await;
        *store.mark.lock().unwrap() = Msn(5000);
        assert_eq!(numbers.first(Msn(50)).await, Some(Msn(5000)));
    }

    #[tokio::test]
    async fn without_the_database_only_who_knows_its_numbers_starts_a_stream() {
        let store = Store::at(300);
        let mut known = numbers(&store);
        known.first(Msn(0)).await;
        store.is(Health::Failing);
        assert_eq!(known.first(Msn(400)).await, Some(Msn(1300)));
        assert_eq!(numbers(&store).first(Msn(0)).await, None);
    }

    #[tokio::test]
    async fn a_database_that_hangs_is_not_waited_for() {
        let store = Store::at(0);
        let mut numbers = numbers(&store);
        numbers.first(Msn(0)).await;
        store.is(Health::Hanging);
        numbers.used_below(at(0), Msn(1000));
        assert!(
            numbers.settle().now_or_never().is_none(),
            "the room's control goes on meanwhile"
        );
        numbers.settle().await;
        assert_eq!(store.attempts.load(Ordering::SeqCst), 3);
        assert_eq!(numbers.first(Msn(1000)).await, Some(Msn(1007)));
    }

    #[tokio::test]
    async fn a_failed_attempt_is_made_again_after_a_pause() {
        let store = Store::at(0);
        let mut numbers = numbers(&store);
        numbers.first(Msn(0)).await;
        store.is(Health::Failing);
        for second in 0..5 {
            numbers.used_below(at(second), Msn(800));
            if second == 0 {
                numbers.settle().await;
            }
        }
        assert_eq!(store.attempts.load(Ordering::SeqCst), 3);
        store.is(Health::Well);
        numbers.used_below(at(5), Msn(1200));
        numbers.settle().await;
        assert_eq!(store.mark(), 2200);
        numbers.used_below(at(5), Msn(1300));
        assert!(numbers.settle().now_or_never().is_none(), "there are enough");
    }
}
