//! What a room learnt of its publisher, kept over restarts of the origin: the first stream of an evening, and the one after a crash, is
//! seen with its first key frame.
//!
//! It is a guess, so nothing waits for its writing, and one that is lost costs a slower start.

use std::{sync::Arc, time::Duration};

use common::{
    id::RoomSlug,
    packager::Memory,
    time::{Monotonic, UnixMillis},
};
use futures::future::BoxFuture;
use tracing::warn;

use super::numbers::asked;

/// Least time between two writings.
const PAUSE: Duration = Duration::from_secs(2);
/// What is added to it after one that failed.
const RETRY_PAUSE: Duration = Duration::from_secs(30);

/// Where memories outlive the process, as text.
pub trait MemoryStore: Send + Sync + 'static {
    /// What was kept last.
    fn memory<'a>(&'a self, room: &'a RoomSlug) -> BoxFuture<'a, anyhow::Result<Option<String>>>;
    fn keep<'a>(&'a self, room: &'a RoomSlug, memory: String) -> BoxFuture<'a, anyhow::Result<()>>;
    /// Until when the room is waited for from now on; `None`: it is not open.
    fn keep_open_until<'a>(
        &'a self,
        room: &'a RoomSlug,
        until: Option<UnixMillis>,
    ) -> BoxFuture<'a, anyhow::Result<()>>;
}

pub(super) struct Memories {
    slug: RoomSlug,
    /// `None`: each process begins without.
    store: Option<Arc<dyn MemoryStore>>,
    /// It was asked for, whatever came of it.
    recalled: bool,
    /// As the store has it, so far as is known.
    kept: Memory,
    /// At most one at a time, driven by [`Memories::settle`]: what is kept then, if that went well.
    writing: Option<BoxFuture<'static, Option<Memory>>>,
    not_before: Option<Monotonic>,
}

impl Memories {
    pub(super) fn new(slug: RoomSlug, store: Option<Arc<dyn MemoryStore>>) -> Self {
        Self {
            slug,
            store,
            recalled: false,
            kept: Memory::default(),
            writing: None,
            not_before: None,
        }
    }

    /// What another process left; once, for the first stream of this one.
    pub(super) async fn recall(&mut self) -> Option<Memory> {
        let store = self.store.as_ref().filter(|_| !self.recalled)?;
        self.recalled = true;
        let read = asked(store.memory(&self.slug)).await;
        match read.and_then(|text| Ok(text.as_deref().map(Memory::from_text).transpose()?)) {
            Ok(memory) => {
                self.kept = memory.clone().unwrap_or_default();
                memory
            }
            Err(reason) => {
                warn!(%reason, "the room has to learn anew what its publisher sends");
                None
            }
        }
    }

    /// Has what the room knows now written down, if it is news and the last writing is done and long ago.
    pub(super) fn keep(&mut self, now: Monotonic, memory: impl FnOnce() -> Memory) {
        let Some(store) = &self.store else { return };
        if self.writing.is_some() || self.not_before.is_some_and(|not_before| now < not_before) {
            return;
        }
        let memory = memory();
        if !memory.is_news_after(&self.kept) {
            return;
        }
        self.not_before = Some(now + PAUSE);
        let (store, slug) = (Arc::clone(store), self.slug.clone());
        self.writing = Some(Box::pin(async move {
            match asked(store.keep(&slug, memory.to_text())).await {
                Ok(()) => Some(memory),
                Err(reason) => {
                    warn!(%reason, "what the room learnt of its publisher could not be kept");
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
        if let Some(memory) = written {
            self.kept = memory;
        } else if let Some(not_before) = &mut self.not_before {
            *not_before = *not_before + RETRY_PAUSE;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::FutureExt as _;

    use super::*;

    /// `Err`: the database does not work.
    struct Store(Mutex<Result<Option<String>, ()>>);

    impl Store {
        fn with(text: Option<&str>) -> Arc<Self> {
            Arc::new(Self(Mutex::new(Ok(text.map(str::to_owned)))))
        }

        fn failing() -> Arc<Self> {
            Arc::new(Self(Mutex::new(Err(()))))
        }

        fn text(&self) -> Option<String> {
            self.0.lock().unwrap().clone().unwrap()
        }
    }

    impl MemoryStore for Store {
        fn memory<'a>(&'a self, _: &'a RoomSlug) -> BoxFuture<'a, anyhow::Result<Option<String>>> {
            let kept = self.0.lock().unwrap().clone();
            async { kept.map_err(|()| anyhow::anyhow!("the disk is full")) }.boxed()
        }

        fn keep<'a>(&'a self, _: &'a RoomSlug, memory: String) -> BoxFuture<'a, anyhow::Result<()>> {
            let mut kept = self.0.lock().unwrap();
            let answer = kept
                .as_ref()
                .map(|_| ())
                .map_err(|()| anyhow::anyhow!("the disk is full"));
            if answer.is_ok() {
                *kept = Ok(Some(memory));
            }
            async { answer }.boxed()
        }

        fn keep_open_until<'a>(&'a self, _: &'a RoomSlug, _: Option<UnixMillis>) -> BoxFuture<'a, anyhow::Result<()>> {
            async { Ok(()) }.boxed()
        }
    }

    fn memories(store: &Arc<Store>) -> Memories {
        let store: Arc<dyn MemoryStore> = Arc::<Store>::clone(store);
        Memories::new("cinema".parse().unwrap(), Some(store))
    }

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    /// What a packager could know, told apart by how long its GOPs are.
    fn learnt(gop_ms: u32) -> Memory {
        let unknown = serde_json::to_value(Memory::default()).unwrap();
        let mut memory = unknown.as_object().unwrap().clone();
        let pace = serde_json::json!({ "frame_ticks": 3000, "longest_gop_ms": gop_ms });
        memory.insert("pace".to_owned(), pace);
        Memory::from_text(&serde_json::to_string(&memory).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_restarted_origin_knows_what_the_one_before_learnt() {
        let store = Store::with(None);
        let mut before = memories(&store);
        assert_eq!(before.recall().await, None);
        before.keep(at(0), || learnt(8333));
        before.settle().await;
        assert_eq!(memories(&store).recall().await, Some(learnt(8333)));
    }

    #[tokio::test]
    async fn what_a_stream_of_this_process_taught_counts_more_than_what_was_kept() {
        let mut memories = memories(&Store::with(Some(&learnt(2000).to_text())));
        assert!(memories.recall().await.is_some());
        assert_eq!(memories.recall().await, None);
    }

    #[tokio::test]
    async fn nothing_is_written_that_is_not_news() {
        let store = Store::with(Some(&learnt(2000).to_text()));
        let mut memories = memories(&store);
        memories.recall().await;
        memories.keep(at(0), || learnt(2000));
        assert!(memories.settle().now_or_never().is_none());
    }

    #[tokio::test]
    async fn news_is_written_after_a_pause_as_it_is_by_then() {
        let store = Store::with(None);
        let mut memories = memories(&store);
        for (second, gop_ms) in [(0, 1000), (1, 2000), (2, 3000)] {
            memories.keep(at(second), || learnt(gop_ms));
            let _ = memories.settle().now_or_never();
            let expected = if second < 2 { 1000 } else { 3000 };
            assert_eq!(store.text(), Some(learnt(expected).to_text()), "after {second} s");
        }
    }

    #[tokio::test]
    async fn what_a_failing_database_did_not_take_is_written_when_it_is_well_again() {
        let store = Store::failing();
        let mut memories = memories(&store);
        assert_eq!(memories.recall().await, None);
        memories.keep(at(0), || learnt(2000));
        memories.settle().await;
        *store.0.lock().unwrap() = Ok(None);
        for (second, expected) in [(10, None), (60, Some(learnt(2000).to_text()))] {
            memories.keep(at(second), || learnt(2000));
            let _ = memories.settle().now_or_never();
            assert_eq!(store.text(), expected, "after {second} s");
        }
    }

    #[tokio::test]
    async fn what_another_version_kept_is_learnt_anew() {
        let mut memories = memories(&Store::with(Some(r#"{"gop":2}"#)));
        assert_eq!(memories.recall().await, None);
    }
}
