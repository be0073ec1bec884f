//! What waits to be written to one socket: frames, encoded already and mostly shared with other sockets.
//!
//! The socket's task takes all at once, and only when it wrote what it took before: so the number that waits here is how far the
//! socket is behind.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::Waker,
    time::Duration,
};

use bytes::Bytes;
use common::time::Monotonic;
use futures::task::AtomicWaker;

/// Batches that may wait. With one more the socket is too slow, and gets nothing more but its end.
pub(super) const MAX_BATCHES: usize = 256;

/// Filled by anyone, emptied by the socket's task.
#[derive(Debug)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    reader: AtomicWaker,
    /// Milliseconds of the monotonic clock: when bytes of the peer came last.
    heard_at: AtomicU64,
    /// The same: since when the peer takes nothing; zero when it does.
    blocked_since: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    chunks: VecDeque<Bytes>,
    /// A batch is one or more chunks.
    batches: usize,
    closing: bool,
}

impl Outbox {
    pub fn new(now: Monotonic) -> Self {
        Self {
            waiting: Mutex::default(),
            reader: AtomicWaker::new(),
            heard_at: AtomicU64::new(millis(now)),
            blocked_since: AtomicU64::new(0),
        }
    }

    /// Adds whole frames. `false`: too many batches wait, and this one was not added.
    #[must_use]
    pub fn push(&self, batch: impl IntoIterator<Item = Bytes>) -> bool {
        let mut waiting = self.lock();
        if waiting.closing {
            return true;
        }
        if waiting.batches >= MAX_BATCHES {
            return false;
        }
        waiting.batches += 1;
        waiting
            .chunks
            .extend(batch.into_iter().filter(|chunk| !chunk.is_empty()));
        drop(waiting);
        self.reader.wake();
        true
    }

    /// Adds the last frames, or none. Where too much waits, it gives way to them.
    pub fn close(&self, last: Bytes) {
        let mut waiting = self.lock();
        if waiting.closing {
            return;
        }
        waiting.closing = true;
        if waiting.batches >= MAX_BATCHES {
            waiting.chunks.clear();
        }
        waiting.chunks.extend((!last.is_empty()).then_some(last));
        drop(waiting);
        self.reader.wake();
    }

    /// Whether nothing will be added any more.
    pub(super) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// How long nothing came from the peer.
    pub fn silent_for(&self, now: Monotonic) -> Duration {
        Duration::from_millis(millis(now).saturating_sub(self.heard_at.load(Ordering::Relaxed)))
    }

    /// How long the peer has taken nothing of what it was sent.
    pub fn blocked_for(&self, now: Monotonic) -> Duration {
        match self.blocked_since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_millis(millis(now).saturating_sub(since)),
        }
    }

    pub(super) fn heard(&self, now: Monotonic) {
        self.heard_at.store(millis(now), Ordering::Relaxed);
    }

    pub(super) fn blocked(&self, since: Option<Monotonic>) {
        self.blocked_since
            .store(since.map_or(0, |since| millis(since).max(1)), Ordering::Relaxed);
    }

    /// The task that calls it is woken by what comes next.
    pub(super) fn register(&self, waker: &Waker) {
        self.reader.register(waker);
    }

    /// Moves all that waits into `chunks`, which is empty and serves here next; `true`: nothing will come after it.
    pub(super) fn take(&self, chunks: &mut VecDeque<Bytes>) -> bool {
        let mut waiting = self.lock();
        waiting.batches = 0;
        std::mem::swap(chunks, &mut waiting.chunks);
        waiting.closing
    }

    /// Only whole changes are made under the lock.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(at: Monotonic) -> u64 {
    u64::try_from(at.0.as_millis()).unwrap_or(u64::MAX)
}
