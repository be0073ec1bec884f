//! How long a window lists segments, and how long it keeps what left the list.

use std::time::Duration;

/// Segments in a media playlist, the open one not counted.
pub const LISTED_SEGMENTS: usize = 30;
/// How long an ended epoch still answers.
pub const ENDED_EPOCH_KEPT: Duration = Duration::from_secs(60);

/// Most segments that a window may be told to list.
pub(super) const MAX_LISTED_SEGMENTS: usize = 256;
/// Parts are asked for up to this long after their tags are gone (PROTOCOLS 1.6: a validator came 27 s late).
const PARTS_KEPT: Duration = Duration::from_secs(30);
/// The same in target durations.
const PARTS_KEPT_TARGETS: u32 = 6;

/// What a window keeps. Playlists of origin and relays are the same text only if `listed_segments` is the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub listed_segments: usize,
    /// How long bodies stay after their segment left the list, at least.
    pub kept_after: Duration,
    /// There is nobody to fetch a dropped body from: bodies stay as long as a player may still ask for them, even if that is
    /// longer than `kept_after`.
    pub only_copy: bool,
}

impl Retention {
    /// For the origin, from which relays fetch.
    pub fn origin() -> Self {
        Self {
            listed_segments: LISTED_SEGMENTS,
            kept_after: Duration::from_secs(60),
            only_copy: true,
        }
    }

    /// For a relay, which can fetch again what it dropped.
    pub fn relay() -> Self {
        Self {
            listed_segments: LISTED_SEGMENTS,
            kept_after: Duration::from_secs(4),
            only_copy: false,
        }
    }

    /// How long a segment's record, and on the origin its body, outlives its place in the list: the duration of the longest
    /// playlist that listed it and its own (RFC 8216bis section 6.2.2), and no less than its parts need.
    pub(super) fn record_kept(&self, listed: Duration, target_duration_s: u32) -> Duration {
        let target = Duration::from_secs(u64::from(target_duration_s));
        self.kept_after
            .max(listed.saturating_add(target))
            .max(PARTS_KEPT)
            .max(target * PARTS_KEPT_TARGETS)
    }

    /// How long a segment's bodies outlive its place in the list.
    pub(super) fn bodies_kept(&self, record_kept: Duration) -> Duration {
        if self.only_copy { record_kept } else { self.kept_after }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::origin()
    }
}
