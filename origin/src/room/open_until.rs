//! Until when a room is waited for, kept over restarts of the origin: whoever watches is told that the stream will be back, not that it
//! is over, as long as relays hold the playlist.
//!
//! While the room is on air that is a little ahead, and moved on as time goes by, for nobody tells when a process dies.

use std::{sync::Arc, time::Duration};

use common::{
    id::RoomSlug,
    time::{Monotonic, UnixMillis},
};
use futures::future::BoxFuture;
use tracing::warn;

use super::{memories::MemoryStore, numbers::asked};

/// So far may be off what is kept, milliseconds; a room that is on air is written as often.
const LEEWAY_MS: u64 = 10_000;
/// Least time from one writing to the next, if that one failed.
const RETRY_PAUSE: Duration = Duration::from_secs(10);

type Until = Option<UnixMillis>;

pub(super) struct OpenUntil {
    slug: RoomSlug,
    /// `None`: each process begins with no room open.
    store: Option<Arc<dyn MemoryStore>>,
    /// As the store has it, so far as is known.
    kept: Until,
    /// At most one at a time, driven by [`OpenUntil::settle`]: what is kept then, if that went well.
    writing: Option<BoxFuture<'static, Option<Until>>>,
    not_before: Option<Monotonic>,
}

impl OpenUntil {
    /// `kept`: what the process before left.
    pub(super) fn new(slug: RoomSlug, store: Option<Arc<dyn MemoryStore>>, kept: Until) -> Self {
        Self {
            slug,
            store,
            kept,
            writing: None,
            not_before: None,
        }
    }

    /// As the store has it.
    pub(super) fn kept(&self) -> Until {
        self.kept
    }

    /// Has it written down, if it is not about what is kept.
    pub(super) fn keep(&mut self, now: Monotonic, until: Until) {
        let Some(store) = &self.store else { return };
        let is_kept = match (self.kept, until) {
            (Some(kept), Some(until)) => kept.0.abs_diff(until.0) < LEEWAY_MS,
            (kept, until) => kept == until,
        };
        if is_kept || self.writing.is_some() || self.not_before.is_some_and(|not_before| now < not_before) {
            return;
        }
        self.not_before = Some(now + RETRY_PAUSE);
        let (store, slug) = (Arc::clone(store), self.slug.clone());
        self.writing = Some(Box::pin(async move {
            match asked(store.keep_open_until(&slug, until)).await {
                Ok(()) => Some(until),
                Err(reason) => {
                    warn!(%reason, "until when the room is open could not be kept");
                    None
                }
            }
        }));
    }

    /// Completes when a writing is over; may be dropped and called again.
    pub(super) async fn settle(&mut self) {
        let Some(writing) = &mut self.writing else {
            return std::future::pending().await;
        };
        let written = writing.await;
        self.writing = None;
        if let Some(until) = written {
            self.kept = until;
            self.not_before = None;
        }
    }

    /// The room is not served any more: what is being written is waited for, for seconds at most.
    pub(super) async fn close(mut self) {
        if self.writing.is_some() {
            self.settle().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::FutureExt as _;

    use super::*;

    #[derive(Default)]
    struct Store {
        written: Mutex<Vec<Until>>,
        is_away: Mutex<bool>,
    }

    impl MemoryStore for Store {
        fn memory<'a>(&'a self, _: &'a RoomSlug) -> BoxFuture<'a, anyhow::Result<Option<String>>> {
            async { Ok(None) }.boxed()
        }

        fn keep<'a>(&'a self, _: &'a RoomSlug, _: String) -> BoxFuture<'a, anyhow::Result<()>> {
            async { Ok(()) }.boxed()
        }

        fn keep_open_until<'a>(&'a self, _: &'a RoomSlug, until: Until) -> BoxFuture<'a, anyhow::Result<()>> {
            let is_away = *self.is_away.lock().unwrap();
            if !is_away {
                self.written.lock().unwrap().push(until);
            }
            async move { if is_away { anyhow::bail!("it is away") } else { Ok(()) } }.boxed()
        }
    }

    fn keeper(kept: Until) -> (OpenUntil, Arc<Store>) {
        let store = Arc::new(Store::default());
        let slug = "cinema".parse().unwrap();
        let keeper = OpenUntil::new(slug, Some(Arc::<Store>::clone(&store)), kept);
        (keeper, store)
    }

    /// Told at this second that it is open until another.
    async fn told(keeper: &mut OpenUntil, second: u64, until: Option<i64>) {
        let until = until.map(|second| UnixMillis(second * 1000));
        keeper.keep(Monotonic(Duration::from_secs(second)), until);
        let _ = keeper.settle().now_or_never();
    }

    fn written(store: &Store) -> Vec<Option<i64>> {
        let written = store.written.lock().unwrap();
        written.iter().map(|until| until.map(|until| until.0 / 1000)).collect()
    }

    #[tokio::test]
    async fn a_room_on_air_is_written_now_and_then_and_its_end_at_once() {
        let (mut keeper, store) = keeper(None);
        told(&mut keeper, 0, None).await;
        for second in 0..25 {
            told(&mut keeper, second, Some(90 + second.cast_signed())).await;
        }
        told(&mut keeper, 25, Some(25 + 5)).await;
        told(&mut keeper, 30, None).await;
        assert_eq!(written(&store), [Some(90), Some(100), Some(110), Some(30), None]);
    }

    #[tokio::test]
    async fn what_the_process_before_left_is_taken_back_when_nobody_returned() {
        let (mut keeper, store) = keeper(Some(UnixMillis(60_000)));
        told(&mut keeper, 0, Some(60)).await;
        told(&mut keeper, 60, None).await;
        assert_eq!(written(&store), [None]);
    }

    #[tokio::test]
    async fn a_database_that_is_away_is_asked_again_after_a_pause() {
        let (mut keeper, store) = keeper(None);
        *store.is_away.lock().unwrap() = true;
        told(&mut keeper, 0, Some(90)).await;
        *store.is_away.lock().unwrap() = false;
        for second in 1..=10 {
            told(&mut keeper, second, Some(90 + second.cast_signed())).await;
        }
        assert_eq!(written(&store), [Some(100)]);
    }
}
