//! Bounds what fetches of the past hold in memory while they run: the cache itself counts them only when they are done.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most bytes of bodies that are being fetched.
pub const MAX_FETCHING_BYTES: usize = 64 << 20;
/// How long a fetch waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Permits are counted in this many bytes.
const UNIT: usize = 1 << 10;

/// Too much is being fetched; trying again in a moment can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much is being fetched")]
pub struct Exhausted;

/// Shared by all fetches; clones share it.
#[derive(Clone, Debug)]
pub struct FetchBudget {
    units: Arc<Semaphore>,
}

impl Default for FetchBudget {
    fn default() -> Self {
        Self {
            units: Arc::new(Semaphore::new(MAX_FETCHING_BYTES / UNIT)),
        }
    }
}

impl FetchBudget {
    /// Room for a body of about `bytes`, until the permit is dropped.
    ///
    /// # Errors
    /// [`Exhausted`] when there is none for five seconds.
    pub async fn admit(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Exhausted> {
        let units = bytes.clamp(UNIT, MAX_FETCHING_BYTES) / UNIT;
        let acquire = self
            .units
            .clone()
            .acquire_many_owned(u32::try_from(units).map_err(|_| Exhausted)?);
        tokio::time::timeout(MAX_WAIT, acquire)
            .await
            .map_err(|_| Exhausted)?
            .map_err(|_| Exhausted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fetch_waits_until_there_is_room() {
        let budget = FetchBudget::default();
        let most = budget.admit(usize::MAX).await.unwrap();
        let waiting = tokio::spawn({
            let budget = budget.clone();
            async move { budget.admit(10).await.map(drop) }
        });
        drop(most);
        assert_eq!(waiting.await.unwrap(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_waits_too_long_is_turned_away() {
        let budget = FetchBudget::default();
        let _most = budget.admit(usize::MAX).await.unwrap();
        assert_eq!(budget.admit(10).await.map(drop), Err(Exhausted));
    }
}
