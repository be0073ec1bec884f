//! Media of the past that viewers asked for: fetched from upstream once, however many ask, and kept as long as there is room.
//!
//! Least recently used goes first: a policy that judges by frequency refuses new media, which nobody has asked for yet. A fetch runs
//! to its end though the viewer who caused it leaves: others wait for it, or will ask.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use common::wire::request::FetchRequest;
use metrics::{counter, gauge};
use moka::{future::Cache, policy::EvictionPolicy};

use super::budget::FetchBudget;

/// Media that nobody asked for during this time goes even if there is room.
const IDLE: Duration = Duration::from_secs(600);
/// How long a failure is the answer to the same question, so that upstream is not asked again by each viewer.
const FAILURE_KEPT: Duration = Duration::from_millis(500);
/// Most failures kept.
const MAX_FAILURES: u64 = 10_000;
/// What an entry takes besides its body, about.
const ENTRY_BYTES: usize = 256;
/// Taken for a body whose length the records do not tell.
const USUAL_BODY: usize = 4 << 20;

/// Why media could not be had from upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("upstream does not have it any more")]
    Gone,
    #[error("upstream cannot be reached, or did not answer in time")]
    Unavailable,
    #[error("too much is being fetched")]
    Overloaded,
}

/// Clones share the cache.
#[derive(Clone, Debug)]
pub struct BackFill {
    bodies: Cache<FetchRequest, Bytes>,
    failures: Cache<FetchRequest, FetchError>,
    budget: FetchBudget,
}

impl BackFill {
    /// Holds at most about `max_bytes`; what is being fetched comes on top ([`super::budget`]).
    pub fn new(max_bytes: u64) -> Self {
        let weigh = |_: &FetchRequest, body: &Bytes| u32::try_from(body.len() + ENTRY_BYTES).unwrap_or(u32::MAX);
        Self {
            bodies: Cache::builder()
                .max_capacity(max_bytes)
                .weigher(weigh)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_idle(IDLE)
                .build(),
            failures: Cache::builder()
                .max_capacity(MAX_FAILURES)
                .time_to_live(FAILURE_KEPT)
                .build(),
            budget: FetchBudget::default(),
        }
    }

    /// The body, from here or by `fetch`, which runs at most once at a time for one request. It must give memory of exactly the
    /// body's size. `size` is how long the body will be, if known.
    ///
    /// # Errors
    /// What `fetch` says, or said less than half a second ago; [`FetchError::Overloaded`] when too much is fetched at once.
    pub async fn get<F>(&self, request: FetchRequest, size: Option<usize>, fetch: F) -> Result<Bytes, FetchError>
    where
        F: Future<Output = Result<Bytes, FetchError>> + Send + 'static,
    {
        if let Some(body) = self.bodies.get(&request).await {
            counter!("streamcircle_relay_backfill_total", "outcome" => "hit").increment(1);
            return Ok(body);
        }
        if let Some(error) = self.failures.get(&request).await {
            return Err(error);
        }
        let this = self.clone();
        // On a task of its own, waiters and all: whoever leaves, it goes on.
        let task = tokio::spawn(async move {
            let run = this.budgeted(size, fetch);
            let body = this.bodies.try_get_with_by_ref(&request, run).await;
            match body {
                Ok(body) => Ok(body),
                Err(error) => {
                    let error = *Arc::as_ref(&error);
                    this.failures.insert(request, error).await;
                    Err(error)
                }
            }
        });
        task.await.unwrap_or(Err(FetchError::Unavailable))
    }

    async fn budgeted<F>(&self, size: Option<usize>, fetch: F) -> Result<Bytes, FetchError>
    where
        F: Future<Output = Result<Bytes, FetchError>> + Send,
    {
        let _room = self
            .budget
            .admit(size.unwrap_or(USUAL_BODY))
            .await
            .map_err(|_| FetchError::Overloaded)?;
        let fetched = fetch.await;
        let outcome = match &fetched {
            Ok(_) => "fetched",
            Err(FetchError::Gone) => "gone",
            Err(FetchError::Unavailable | FetchError::Overloaded) => "failed",
        };
        counter!("streamcircle_relay_backfill_total", "outcome" => outcome).increment(1);
        fetched
    }

    /// Carries out what the cache put off; to be called every second, or an idle cache keeps what is over.
    pub async fn maintain(&self) {
        self.bodies.run_pending_tasks().await;
        self.failures.run_pending_tasks().await;
        gauge!("streamcircle_relay_backfill_bytes").set(self.bodies.weighted_size() as f64);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use common::id::{ChannelId, Epoch, Msn, RenditionId};
    use tokio::sync::Semaphore;

    use super::*;

    fn request(msn: u64) -> FetchRequest {
        FetchRequest {
            channel: ChannelId::source("cinema".parse().unwrap()),
            epoch: Epoch(1),
            rendition: RenditionId(0),
            msn: Msn(msn),
            part: None,
        }
    }

    /// Counts how often it runs, and runs only when let.
    #[derive(Clone)]
    struct Upstream {
        runs: Arc<AtomicUsize>,
        gate: Arc<Semaphore>,
    }

    impl Upstream {
        fn new(open: usize) -> Self {
            Self {
                runs: Arc::default(),
                gate: Arc::new(Semaphore::new(open)),
            }
        }

        fn fetch(
            &self,
            result: Result<usize, FetchError>,
        ) -> impl Future<Output = Result<Bytes, FetchError>> + Send + 'static {
            let this = self.clone();
            async move {
                this.runs.fetch_add(1, Ordering::SeqCst);
                this.gate.acquire().await.unwrap().forget();
                result.map(|len| vec![7; len].into())
            }
        }

        fn runs(&self) -> usize {
            self.runs.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn many_viewers_cause_one_fetch_and_one_who_leaves_does_not_cancel_it() {
        let (cache, upstream) = (BackFill::new(1 << 20), Upstream::new(0));
        let first = tokio::spawn({
            let (cache, fetch) = (cache.clone(), upstream.fetch(Ok(10)));
            async move { cache.get(request(1), None, fetch).await }
        });
        while upstream.runs() == 0 {
            tokio::task::yield_now().await;
        }
        first.abort();
        let others: Vec<_> = (0..5)
            .map(|_| cache.get(request(1), None, upstream.fetch(Ok(10))))
            .collect();
        upstream.gate.add_permits(1);
        for body in futures::future::join_all(others).await {
            assert_eq!(body.unwrap().len(), 10);
        }
        assert_eq!(upstream.runs(), 1);
    }

    #[tokio::test]
    async fn a_failure_is_remembered_for_a_moment_only() {
        let (cache, upstream) = (BackFill::new(1 << 20), Upstream::new(9));
        for _ in 0..3 {
            let got = cache.get(request(1), None, upstream.fetch(Err(FetchError::Gone))).await;
            assert_eq!(got, Err(FetchError::Gone));
        }
        assert_eq!(upstream.runs(), 1);
        // moka reads a clock of its own, which cannot be paused.
        tokio::time::sleep(FAILURE_KEPT + Duration::from_millis(100)).await;
        assert_eq!(
            cache.get(request(1), None, upstream.fetch(Ok(1))).await.unwrap().len(),
            1
        );
    }

    #[tokio::test]
    async fn the_cache_stays_within_its_bytes_and_keeps_the_newest() {
        let (cache, upstream) = (BackFill::new(100_000), Upstream::new(99));
        for msn in 0..30 {
            cache
                .get(request(msn), Some(10_000), upstream.fetch(Ok(10_000)))
                .await
                .unwrap();
            cache.maintain().await;
        }
        assert!(cache.bodies.weighted_size() <= 100_000);
        cache.get(request(29), None, upstream.fetch(Ok(10_000))).await.unwrap();
        assert_eq!(upstream.runs(), 30, "the newest is still here");
        cache.get(request(0), None, upstream.fetch(Ok(10_000))).await.unwrap();
        assert_eq!(upstream.runs(), 31, "the oldest went");
    }
}
