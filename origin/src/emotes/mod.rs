//! Emotes: which names and pictures a room takes.
//!
//! A picture comes from whoever may host a room, and goes to all viewers. So it is decoded under limits and encoded anew: what
//! viewers get was made here, whatever else the upload was. Keeping and telling is the API's.

mod picture;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::Semaphore, task};

pub use self::picture::{Picture, Unfit};

/// Longest upload, in bytes.
pub const MAX_UPLOAD_LEN: usize = 512 << 10;

/// Most emotes of a room.
pub const MAX_EMOTES: u32 = 100;

/// Uploads that are decoded at once: it costs processor time and tens of MiB each.
const MAX_AT_WORK: usize = 2;

/// Uploads at work or waiting for their turn; what comes beyond is sent away.
const MAX_TAKEN: usize = 16;

/// When who was sent away may try again.
pub const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Whether `text` may name an emote: 2 to 32 characters of `[A-Za-z0-9_]`.
pub fn is_name(text: &str) -> bool {
    (2..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether `text` may be the name of a picture's file, without its extension.
pub fn is_hash(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Makes pictures of uploads, a few at a time.
pub struct Workshop {
    /// Held by work until it is done, also when nobody waits for it any more.
    places: Arc<Semaphore>,
    taken: Semaphore,
}

/// Why there is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMade {
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Too many uploads wait already.
    #[error("other pictures are at work")]
    Busy,
}

impl Default for Workshop {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MAX_AT_WORK)),
            taken: Semaphore::new(MAX_TAKEN),
        }
    }
}

impl Workshop {
    /// Makes what viewers get of an upload.
    ///
    /// # Errors
    /// It is no picture that is taken, or there is too much to do.
    pub async fn make(&self, upload: Bytes) -> Result<Picture, NotMade> {
        self.run(upload, picture::make).await
    }

    /// Makes something else of an upload, in its turn.
    ///
    /// # Errors
    /// As [`Self::make`].
    pub async fn run<T: Send + 'static>(
        &self,
        upload: Bytes,
        make: fn(&[u8]) -> Result<T, Unfit>,
    ) -> Result<T, NotMade> {
        let _taken = self.taken.try_acquire().map_err(|_| NotMade::Busy)?;
        let places = Arc::clone(&self.places);
        let place = places.acquire_owned().await.map_err(|_| NotMade::Busy)?;
        let work = task::spawn_blocking(move || {
            let _place = place;
            make(&upload)
        });
        // A decoder that panics has met a broken file.
        Ok(work.await.unwrap_or(Err(Unfit::Broken))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word_and_nothing_that_means_something_elsewhere() {
        for name in ["ok", "Party_Parrot", "100", &"x".repeat(32)] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            "x",
            "a b",
            "<b>",
            "../x",
            "a.png",
            "é2",
            "a-b",
            "a:b",
            "ab\n",
            &"x".repeat(33),
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[tokio::test]
    async fn what_is_too_much_to_wait_for_is_sent_away() {
        let workshop = Workshop::default();
        let _all = workshop.taken.try_acquire_many(MAX_TAKEN as u32).unwrap();
        assert_eq!(workshop.make(Bytes::new()).await, Err(NotMade::Busy));
    }

    #[tokio::test]
    async fn a_picture_waits_for_its_turn() {
        let workshop = Workshop::default();
        let busy = Arc::clone(&workshop.places)
            .try_acquire_many_owned(MAX_AT_WORK as u32)
            .unwrap();
        let making = workshop.make(Bytes::from_static(b"nothing"));
        tokio::pin!(making);
        assert!(futures::poll!(making.as_mut()).is_pending());
        drop(busy);
        assert_eq!(making.await, Err(NotMade::Unfit(Unfit::Unknown)));
    }
}
