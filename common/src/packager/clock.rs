//! The session clock: the publisher's 32-bit milliseconds, unwrapped and carried on over jumps and outages.
//!
//! Milliseconds in, milliseconds out; ticks are made where samples are cut. One clock for all tracks, so that what the publisher
//! holds in step stays in step.

use super::tracks::place;
use crate::{
    media::access_unit::{MAX_AUDIO_TRACKS, TrackId},
    packager::PackagerNow,
    time::{Monotonic, UnixMillis},
};

/// Where the clock starts, so that no decode or presentation time is ever negative.
pub(super) const SESSION_START_MS: i64 = 10_000;

/// A timestamp at most so far back is jitter, and is clamped; farther back the publisher's clock was set.
const MAX_BACKWARD_MS: i64 = 100;

/// A timestamp at most so far ahead is a frame that came late; farther ahead is a break.
const MAX_FORWARD_MS: i64 = 3_000;

/// Two tracks whose timestamps are at most so far apart are on one clock when they start.
const SAME_CLOCK_MS: i64 = 10_000;

/// A track that jumps to within this of another one is back from a hole, on a clock that never changed.
const BACK_IN_STEP_MS: i64 = 1_000;

/// So many frames of the following track may contradict the leading one, about half a second of audio, before the follower is taken to
/// have jumped alone. Tracks of one jump follow each other within 200 ms.
const MAX_STRAYS: u32 = 24;

/// Which wall clock time a session time stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) at_ms: i64,
    pub(super) unix: UnixMillis,
}

impl Anchor {
    /// Wall clock time of a session time.
    pub(super) fn unix_at(self, at_ms: i64) -> UnixMillis {
        UnixMillis(self.unix.0.saturating_add(at_ms - self.at_ms))
    }
}

/// What became of a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// Its session time.
    At(i64),
    /// Its session time; the timeline is broken before it.
    AfterBreak(i64),
    /// It belongs to no timeline: left over from before a jump, or ahead of one.
    Stray,
}

#[derive(Default)]
struct TrackClock {
    /// Of the newest frame placed: its timestamp, and the same unwrapped.
    newest: Option<(u32, i64)>,
    /// Session time less unwrapped timestamp; none before the first frame after a break.
    offset_ms: Option<i64>,
    /// The latest session time given out since the offset was set.
    at_ms: Option<i64>,
    strays: u32,
}

/// The timestamp that the current timeline was begun with.
#[derive(Clone, Copy)]
struct Base {
    timestamp: u32,
    unwrapped: i64,
    offset_ms: i64,
}

#[derive(Default)]
pub(super) struct Clock {
    /// By [`place`].
    tracks: [TrackClock; 1 + MAX_AUDIO_TRACKS as usize],
    base: Option<Base>,
    /// Whether the publisher ever set bit 31. OBS masks it off, so its clock wraps at 2^31 ms.
    full_range: bool,
    /// The latest session time given out, and when.
    latest: Option<(i64, Monotonic)>,
    not_before_ms: i64,
    anchor: Option<Anchor>,
}

impl Clock {
    /// The wall clock time of the current timeline; none before the first frame.
    pub(super) fn anchor(&self) -> Option<Anchor> {
        self.anchor
    }

    /// The latest session time given out.
    pub(super) fn latest_ms(&self) -> Option<i64> {
        self.latest.map(|(at_ms, _)| at_ms)
    }

    /// Nothing after the next break comes before this: it is taken by what was published.
    pub(super) fn keep_after(&mut self, at_ms: i64) {
        self.not_before_ms = self.not_before_ms.max(at_ms);
    }

    /// The connection is gone: the next timestamp says nothing about the ones before.
    pub(super) fn interrupt(&mut self) {
        self.tracks = Default::default();
        self.base = None;
        self.full_range = false;
    }

    /// Places a frame of `track` in time. `leads` is the track whose jumps are believed at once.
    pub(super) fn place(&mut self, track: TrackId, leads: TrackId, timestamp: u32, now: PackagerNow) -> Placement {
        self.full_range |= timestamp >= 1 << 31;
        let Some(base) = self.base else {
            let at_ms = self.begin(track, timestamp, now);
            return Placement::At(at_ms);
        };
        let this = &self.tracks[place(track)];
        let (Some(offset), Some((newest, unwrapped)), Some(at_ms)) = (this.offset_ms, this.newest, this.at_ms) else {
            return self.join(track, leads, base, timestamp, now);
        };
        let candidate = unwrapped + self.difference(timestamp, newest) + offset;
        let step = candidate - at_ms;
        if (-MAX_BACKWARD_MS..=MAX_FORWARD_MS).contains(&step) {
            return Placement::At(self.accept(track, timestamp, offset, candidate, now));
        }
        let in_step = self
            .others(track)
            .any(|other| (candidate - other).abs() <= BACK_IN_STEP_MS);
        if step > 0 && in_step {
            let at_ms = self.accept(track, timestamp, offset, candidate, now);
            return if track == leads {
                Placement::AfterBreak(at_ms)
            } else {
                Placement::At(at_ms)
            };
        }
        if track == leads {
            return Placement::AfterBreak(self.begin(track, timestamp, now));
        }
        self.stray(track, timestamp, now)
    }

    /// Begins a timeline with this frame, after the wall clock time that went by.
    fn begin(&mut self, track: TrackId, timestamp: u32, now: PackagerNow) -> i64 {
        let at_ms = match self.latest {
            None => SESSION_START_MS,
            Some((latest, then)) => {
                let gap = i64::try_from(now.monotonic.since(then).as_millis()).unwrap_or(i64::MAX / 2);
                latest.saturating_add(gap.max(1))
            }
        }
        .max(self.not_before_ms);
        // Never back in wall clock time, even when that clock was set back.
        let unix = self
            .anchor
            .map_or(now.unix, |anchor| anchor.unix_at(at_ms).max(now.unix));
        self.anchor = Some(Anchor { at_ms, unix });
        let unwrapped = i64::from(timestamp);
        let offset_ms = at_ms - unwrapped;
        self.base = Some(Base {
            timestamp,
            unwrapped,
            offset_ms,
        });
        for track in &mut self.tracks {
            track.offset_ms = None;
            track.at_ms = None;
            track.strays = 0;
        }
        self.accept(track, timestamp, offset_ms, at_ms, now)
    }

    /// The first frame of a track on a timeline that another one began.
    fn join(&mut self, track: TrackId, leads: TrackId, base: Base, timestamp: u32, now: PackagerNow) -> Placement {
        let left_over = self.tracks[place(track)].newest.is_some_and(|(newest, _)| {
            let step = self.difference(timestamp, newest);
            (-MAX_BACKWARD_MS..=BACK_IN_STEP_MS).contains(&step)
        });
        if left_over {
            return self.stray(track, timestamp, now);
        }
        let latest = self.latest_ms().unwrap_or(SESSION_START_MS);
        // The shorter way round is right from a near timestamp only, and the first one may be weeks ago.
        let begun = self.tracks[place(leads)]
            .newest
            .filter(|_| self.tracks[place(leads)].offset_ms == Some(base.offset_ms));
        let (near, unwrapped) = begun.unwrap_or((base.timestamp, base.unwrapped));
        let candidate = unwrapped + self.difference(timestamp, near) + base.offset_ms;
        if (candidate - latest).abs() <= SAME_CLOCK_MS {
            Placement::At(self.accept(track, timestamp, base.offset_ms, candidate, now))
        } else {
            Placement::At(self.adopt(track, timestamp, now))
        }
    }

    /// A frame that contradicts the leading track; after enough of them the track gets a clock of its own.
    fn stray(&mut self, track: TrackId, timestamp: u32, now: PackagerNow) -> Placement {
        let this = self.track(track);
        this.strays += 1;
        if this.strays <= MAX_STRAYS {
            return Placement::Stray;
        }
        Placement::At(self.adopt(track, timestamp, now))
    }

    /// Takes this frame for simultaneous with the latest one of all.
    fn adopt(&mut self, track: TrackId, timestamp: u32, now: PackagerNow) -> i64 {
        let at_ms = self.latest_ms().unwrap_or(SESSION_START_MS);
        self.track(track).at_ms = None;
        self.accept(track, timestamp, at_ms - i64::from(timestamp), at_ms, now)
    }

    fn accept(&mut self, track: TrackId, timestamp: u32, offset_ms: i64, at_ms: i64, now: PackagerNow) -> i64 {
        let at_ms = at_ms.max(0);
        let this = self.track(track);
        this.newest = Some((timestamp, at_ms - offset_ms));
        this.offset_ms = Some(offset_ms);
        // The latest, so that many small steps back add up to a jump.
        this.at_ms = Some(this.at_ms.map_or(at_ms, |latest| latest.max(at_ms)));
        this.strays = 0;
        if self.latest.is_none_or(|(latest, _)| at_ms > latest) {
            self.latest = Some((at_ms, now.monotonic));
        }
        at_ms
    }

    /// `new` less `old`, the shorter way round the publisher's clock.
    fn difference(&self, new: u32, old: u32) -> i64 {
        let difference = new.wrapping_sub(old);
        if self.full_range {
            i64::from(difference.cast_signed())
        } else {
            // 31 bits: the sign is bit 30.
            i64::from((difference << 1).cast_signed() >> 1)
        }
    }

    fn track(&mut self, track: TrackId) -> &mut TrackClock {
        &mut self.tracks[place(track)]
    }

    /// Latest session times of the other tracks on this timeline.
    fn others(&self, track: TrackId) -> impl Iterator<Item = i64> {
        let others = self.tracks.iter().enumerate();
        others
            .filter(move |&(other, _)| other != place(track))
            .filter_map(|(_, other)| other.at_ms)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const VIDEO: TrackId = TrackId::VIDEO;
    const AUDIO: TrackId = TrackId::AUDIO;

    fn at(ms: u64) -> PackagerNow {
        PackagerNow {
            monotonic: Monotonic(Duration::from_millis(ms)),
            unix: UnixMillis(1_000_000 + i64::try_from(ms).unwrap()),
        }
    }

    fn video(clock: &mut Clock, timestamp: u32, now_ms: u64) -> Placement {
        clock.place(VIDEO, VIDEO, timestamp, at(now_ms))
    }

    fn audio(clock: &mut Clock, timestamp: u32, now_ms: u64) -> Placement {
        clock.place(AUDIO, VIDEO, timestamp, at(now_ms))
    }

    #[test]
    fn both_tracks_start_at_ten_seconds_and_keep_their_distance() {
        let mut clock = Clock::default();
        assert_eq!(video(&mut clock, 5000, 0), Placement::At(10_000));
        assert_eq!(audio(&mut clock, 4990, 0), Placement::At(9_990));
        assert_eq!(video(&mut clock, 5033, 33), Placement::At(10_033));
    }

    #[test]
    fn the_clock_of_obs_wraps_at_31_bits() {
        let mut clock = Clock::default();
        video(&mut clock, 0x7fff_fff0, 0);
        assert_eq!(video(&mut clock, 0x11, 33), Placement::At(10_033));
    }

    #[test]
    fn a_clock_that_uses_bit_31_wraps_at_32_bits() {
        let mut clock = Clock::default();
        video(&mut clock, 0x7fff_fff0, 0);
        assert_eq!(video(&mut clock, 0x8000_0011, 33), Placement::At(10_033));
        let mut clock = Clock::default();
        video(&mut clock, 0xffff_fff0, 0);
        assert_eq!(video(&mut clock, 0x11, 33), Placement::At(10_033));
    }

    #[test]
    fn a_jump_continues_the_session_clock_by_the_wall_clock() {
        let mut clock = Clock::default();
        video(&mut clock, 1000, 0);
        audio(&mut clock, 1000, 0);
        assert_eq!(video(&mut clock, 500_000, 40), Placement::AfterBreak(10_040));
        // What is left of the old timeline is not taken for the new one.
        assert_eq!(audio(&mut clock, 1021, 41), Placement::Stray);
        assert_eq!(audio(&mut clock, 500_010, 50), Placement::At(10_050));
        assert_eq!(video(&mut clock, 0, 90), Placement::AfterBreak(10_090));
    }

    #[test]
    fn audio_ahead_of_a_jump_waits_for_video_to_follow() {
        let mut clock = Clock::default();
        video(&mut clock, 100_000, 0);
        audio(&mut clock, 100_000, 0);
        assert_eq!(audio(&mut clock, 10, 20), Placement::Stray);
        assert_eq!(video(&mut clock, 0, 33), Placement::AfterBreak(10_033));
        assert_eq!(audio(&mut clock, 31, 41), Placement::At(10_064));
    }

    #[test]
    fn audio_that_jumps_alone_is_brought_back_in_step() {
        let mut clock = Clock::default();
        video(&mut clock, 100_000, 0);
        audio(&mut clock, 100_000, 0);
        for frame in 0..MAX_STRAYS {
            assert_eq!(audio(&mut clock, frame * 21, 20), Placement::Stray);
        }
        video(&mut clock, 100_500, 500);
        assert_eq!(audio(&mut clock, 525, 500), Placement::At(10_500));
        assert_eq!(audio(&mut clock, 546, 520), Placement::At(10_521));
    }

    #[test]
    fn a_hole_in_one_track_is_no_change_of_clock() {
        let mut clock = Clock::default();
        video(&mut clock, 0, 0);
        for ms in (0..8000).step_by(20) {
            audio(&mut clock, ms, 0);
        }
        assert_eq!(video(&mut clock, 8000, 8000), Placement::AfterBreak(18_000));
        assert_eq!(audio(&mut clock, 8000, 8000), Placement::At(18_000));
    }

    #[test]
    fn a_second_sound_that_comes_days_later_is_in_step() {
        let mut clock = Clock::default();
        video(&mut clock, 1000, 0);
        // Twenty days in steps of two seconds.
        let days: u32 = 20 * 24 * 3_600_000;
        for ms in (0..=days).step_by(2000) {
            video(&mut clock, 1000 + ms, ms.into());
        }
        let late = clock.place(TrackId::audio(1), VIDEO, 1000 + days - 40, at(days.into()));
        assert_eq!(late, Placement::At(10_000 + i64::from(days) - 40));
    }

    #[test]
    fn two_sounds_that_jump_together_follow_the_picture() {
        let mut clock = Clock::default();
        let second = TrackId::audio(1);
        video(&mut clock, 1000, 0);
        audio(&mut clock, 1000, 0);
        assert_eq!(clock.place(second, VIDEO, 1000, at(0)), Placement::At(10_000));
        assert_eq!(audio(&mut clock, 90_000, 20), Placement::Stray);
        assert_eq!(clock.place(second, VIDEO, 90_000, at(20)), Placement::Stray);
        assert_eq!(video(&mut clock, 90_000, 40), Placement::AfterBreak(10_040));
        assert_eq!(audio(&mut clock, 90_021, 41), Placement::At(10_061));
        assert_eq!(clock.place(second, VIDEO, 90_021, at(41)), Placement::At(10_061));
    }

    #[test]
    fn small_steps_back_are_kept_small() {
        let mut clock = Clock::default();
        video(&mut clock, 1000, 0);
        assert_eq!(video(&mut clock, 940, 0), Placement::At(9_940));
        assert_eq!(video(&mut clock, 880, 0), Placement::AfterBreak(10_001));
    }

    #[test]
    fn an_outage_becomes_a_gap_and_wall_clock_time_never_goes_back() {
        let mut clock = Clock::default();
        video(&mut clock, 77_000, 0);
        clock.interrupt();
        let back = PackagerNow {
            unix: UnixMillis(5),
            ..at(6000)
        };
        assert_eq!(clock.place(VIDEO, VIDEO, 0, back), Placement::At(16_000));
        assert_eq!(clock.anchor().unwrap().unix_at(16_000), UnixMillis(1_006_000));
    }
}
