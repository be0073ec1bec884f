//! How long a window lists segments, and how long it keeps what left the list.

use std::time::Duration;

/// Segments in a media playlist, the open one not counted.
pub const LISTED_SEGMENTS: usize = 30;
/// How much a media playlist lists at least, once there is so much. At 2.5 Mb/s this is what keeps an origin under 60 MB.
pub const LISTED_FOR: Duration = Duration::from_secs(48);
/// How long an ended epoch still answers.
pub const ENDED_EPOCH_KEPT: Duration = Duration::from_secs(60);

/// Fewer complete segments are never listed, however long they are (PROTOCOLS 1.6 asks for six).
pub(super) const MIN_LISTED_SEGMENTS: usize = 7;
/// What is listed by time is no less than this many target durations: delta updates count on it.
const LISTED_TARGETS: u32 = 6;
/// Most segments that a window may be told to list.
pub(super) const MAX_LISTED_SEGMENTS: usize = 256;
/// Parts are asked for up to this long after their tags are gone (PROTOCOLS 1.6: a validator came 27 s late).
const PARTS_KEPT: Duration = Duration::from_secs(30);
/// The same in target durations.
const PARTS_KEPT_TARGETS: u32 = 6;

/// What a window keeps. Playlists of origin and relays are the same text only if `listed_segments` and `listed_for` are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Most complete segments in the list.
    pub listed_segments: usize,
    /// Segments that are not needed to list so much leave the list before there are [`Retention::listed_segments`]: an encoder with
    /// long segments would fill the memory otherwise.
    pub listed_for: Duration,
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
            listed_for: LISTED_FOR,
            kept_after: Duration::from_secs(30),
            only_copy: true,
        }
    }

    /// For a relay, which can fetch again what it dropped.
    pub fn relay() -> Self {
        Self {
            listed_segments: LISTED_SEGMENTS,
            listed_for: LISTED_FOR,
            kept_after: Duration::from_secs(4),
            only_copy: false,
        }
    }

    /// Whether the first listed segment may leave when `rest` complete ones stay, `duration` long together. Where it may, it may
    /// also with one more behind it: so what left by this rule never has to come back.
    pub(super) fn may_leave(&self, rest: usize, duration: Duration, target_duration_s: u32) -> bool {
        let target = Duration::from_secs(u64::from(target_duration_s));
        rest >= self.listed_segments.clamp(1, MAX_LISTED_SEGMENTS)
            || (rest >= MIN_LISTED_SEGMENTS && duration >= self.listed_for.max(target * LISTED_TARGETS))
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
