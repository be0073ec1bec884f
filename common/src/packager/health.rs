//! What the one who sends the stream should know of it, with the setting to change where something is wrong.
//!
//! [`Meters`] see each access unit on its way into the packager and hold what it takes to tell: [`pace`] counts a track, [`sound`] listens to
//! it, [`timing`] looks at timestamps beside the clock, [`left_out`] remembers what cannot be carried, [`history`] five minutes. [`report`]
//! gathers it with what the rest of the packager knows, and [`warnings`] says what to change. Nothing here decides anything about the stream.

mod history;
mod left_out;
mod pace;
mod report;
mod sound;
mod timing;
mod warnings;

pub(super) use self::report::report;
pub use self::{
    history::HistoryPoint,
    report::{AudioHealth, DroppedFrames, IngestHealth, UnsupportedTrack, VideoHealth},
};
use self::{
    history::{Events, History},
    left_out::LeftOutTracks,
    pace::PaceMeter,
    sound::SoundMeter,
    timing::{AvOffset, ClockDrift},
};
use super::{
    PackagerNow,
    audio::AudioCounts,
    live::Live,
    tracks::{TrackSet, Tracks},
};
use crate::{
    media::access_unit::{AccessUnit, Codec, MAX_AUDIO_TRACKS, TrackId, TrackKind},
    time::Monotonic,
};

/// Video without a frame for so many usual intervals, and for so long in milliseconds, stood still.
const HOLE_INTERVALS: f64 = 3.0;
const HOLE_MS: i64 = 300;

/// A track that stopped so much before all others, in milliseconds, stopped by itself.
const ALONE_MS: i64 = 1_000;

/// Counts kept over breaks and epochs.
#[derive(Default)]
pub(super) struct Meters {
    video: PaceMeter,
    sounds: [SoundMeter; MAX_AUDIO_TRACKS as usize],
    history: History,
    clock: ClockDrift,
    av_offset: AvOffset,
    video_arrived: Option<Monotonic>,
    /// When the newest media came, on this connection: with a place in time, and any at all.
    arrived: Option<Monotonic>,
    heard: Option<Monotonic>,
    heard_first: Option<Monotonic>,
    max_composition_ms: i32,
    left_out: LeftOutTracks,
    unusable: [u64; 2],
    stray: [u64; 2],
    /// Of epochs that are over.
    audio_counts: AudioCounts,
    /// What was there when it was last looked at.
    seen_counts: AudioCounts,
    /// What comes is a slate's, of which there is nothing to tell.
    pub(super) stands_in: bool,
    pub(super) breaks: u32,
}

fn index(track: TrackKind) -> usize {
    match track {
        TrackKind::Video => 0,
        TrackKind::Audio => 1,
    }
}

impl Meters {
    /// Time has gone by. `live` is the open epoch.
    pub(super) fn advance(&mut self, now: PackagerNow, live: Option<&Live>) {
        let totals = self.audio_totals(live);
        self.history.happened(Events {
            silent: totals.silent.saturating_sub(self.seen_counts.silent),
            late: totals.late.saturating_sub(self.seen_counts.late),
            ..Events::default()
        });
        self.seen_counts = totals;
        self.history.advance(now);
    }

    /// A frame came, whatever becomes of it; `configured` are the tracks that have been.
    pub(super) fn came(&mut self, now: PackagerNow, unit: &AccessUnit, configured: TrackSet) {
        if !self.stands_in {
            self.heard = Some(now.monotonic);
            self.heard_first.get_or_insert(now.monotonic);
            self.left_out.frame(now, unit, configured);
        }
    }

    /// A frame with its place in time, of a track that is configured.
    pub(super) fn frame(&mut self, now: PackagerNow, unit: &AccessUnit, at_ms: i64, tracks: &Tracks) {
        if self.stands_in {
            return;
        }
        if let Some(before) = self.arrived.replace(now.monotonic) {
            self.history.happened(Events {
                longest_wait_ms: milliseconds(now.monotonic, before),
                ..Events::default()
            });
        }
        if unit.track == tracks.leading() {
            self.clock.frame(at_ms, now.monotonic);
        }
        let bytes = unit.payload.len();
        match unit.track.kind {
            TrackKind::Video => {
                if let Some(longest_hole_ms) = self
                    .video
                    .hole_ms(at_ms, HOLE_INTERVALS)
                    .filter(|&hole| hole >= HOLE_MS)
                {
                    self.history.happened(Events {
                        longest_hole_ms,
                        ..Events::default()
                    });
                }
                self.video.frame(at_ms, bytes);
                self.video.composition(unit.composition_ms);
                self.history.video(bytes);
                self.av_offset.video(at_ms);
                self.video_arrived = Some(now.monotonic);
                self.max_composition_ms = self.max_composition_ms.max(unit.composition_ms);
            }
            TrackKind::Audio => {
                self.history.audio(bytes);
                if unit.track.index == 0 {
                    self.av_offset.audio(at_ms);
                }
                let meter = self.sounds.get_mut(usize::from(unit.track.index));
                if let (Some(meter), Some(config)) = (meter, tracks.sound(unit.track.index)) {
                    meter.frame(now, at_ms, &unit.payload, config);
                }
            }
        }
    }

    /// Media came that nothing paid for.
    pub(super) fn too_much(&mut self) {
        self.history.happened(Events {
            too_much: true,
            ..Events::default()
        });
    }

    /// The timeline is broken: times after it say nothing about those before.
    pub(super) fn broken(&mut self) {
        self.video.broken();
        for sound in &mut self.sounds {
            sound.pace.broken();
        }
        self.clock = ClockDrift::default();
        self.av_offset = AvOffset::default();
    }

    /// The publisher is gone, and what comes next may be another one.
    pub(super) fn interrupted(&mut self) {
        self.broken();
        self.video = PaceMeter::default();
        self.sounds = Default::default();
        self.arrived = None;
        self.heard = None;
        self.heard_first = None;
        self.video_arrived = None;
        self.max_composition_ms = 0;
        self.left_out = LeftOutTracks::default();
    }

    /// A track that is not carried.
    pub(super) fn unsupported(&mut self, track: TrackId, codec: &str) {
        self.left_out.unsupported(track, codec);
    }

    /// A track said how it is coded.
    pub(super) fn configured(&mut self, track: TrackId, codec: Codec, is_readable: bool) {
        if !self.stands_in {
            self.left_out.configured(track, codec, is_readable);
        }
    }

    pub(super) fn count_unusable(&mut self, track: TrackKind) {
        self.unusable[index(track)] += 1;
    }

    pub(super) fn count_stray(&mut self, track: TrackKind) {
        self.stray[index(track)] += 1;
    }

    pub(super) fn keep_audio_counts(&mut self, counts: AudioCounts) {
        self.audio_counts = self.audio_counts + counts;
    }

    fn audio_totals(&self, live: Option<&Live>) -> AudioCounts {
        let open = live.map(Live::audio_counts).unwrap_or_default();
        self.audio_counts + open
    }

    fn silent_ms(&self, index: u8) -> i64 {
        self.sounds.get(usize::from(index)).map_or(0, SoundMeter::silent_ms)
    }

    /// For how long a sound did not come though other media did, milliseconds; 0 while it comes.
    fn sound_gone_ms(&self, now: PackagerNow, index: u8) -> i64 {
        let sound = self.sounds.get(usize::from(index));
        let stopped = sound.and_then(|sound| sound.stopped_ms(now));
        stopped
            .filter(|_| self.others_went_on(sound.and_then(SoundMeter::arrived)))
            .unwrap_or(0)
    }

    /// For how long the picture did not come though sound did, milliseconds; 0 while it comes.
    fn picture_gone_ms(&self, now: PackagerNow) -> i64 {
        let stopped = self.picture_stopped_ms(now);
        stopped.filter(|_| self.others_went_on(self.video_arrived)).unwrap_or(0)
    }

    /// For how long nothing came at all, milliseconds; 0 where that is no longer than pictures without sound are apart.
    fn nothing_ms(&self, now: PackagerNow) -> i64 {
        let waits_for_picture = self.sounds.iter().all(|sound| sound.arrived().is_none())
            && self.video_arrived.is_some()
            && self.picture_stopped_ms(now).is_none();
        if waits_for_picture {
            0
        } else {
            quiet_ms(now, self.heard)
        }
    }

    /// For how long other media came, where no picture did yet, milliseconds.
    fn without_picture_ms(&self, now: PackagerNow) -> i64 {
        let since = self.heard_first.filter(|_| self.video_arrived.is_none());
        quiet_ms(now, since)
    }

    fn picture_quiet_ms(&self, now: PackagerNow) -> i64 {
        quiet_ms(now, self.video_arrived)
    }

    fn picture_stopped_ms(&self, now: PackagerNow) -> Option<i64> {
        let quiet = self.picture_quiet_ms(now);
        self.video.has_stopped(quiet).then_some(quiet)
    }

    /// Whether a track whose newest frame came then stopped alone, and not with all that the publisher sends.
    fn others_went_on(&self, arrived: Option<Monotonic>) -> bool {
        match (self.heard, arrived) {
            (Some(heard), Some(arrived)) => milliseconds(heard, arrived) >= ALONE_MS,
            _ => false,
        }
    }

    /// How far the picture is ahead of the sound, while both come.
    fn av_offset_ms(&self, now: PackagerNow) -> Option<i64> {
        let [sound, ..] = &self.sounds;
        let both_come = self.picture_stopped_ms(now).is_none() && sound.stopped_ms(now).is_none();
        self.av_offset.milliseconds().filter(|_| both_come)
    }
}

impl std::ops::Add for AudioCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            early: self.early + other.early,
            late: self.late + other.late,
            excess: self.excess + other.excess,
            silent: self.silent + other.silent,
        }
    }
}

/// Time since something came, if anything did, milliseconds.
fn quiet_ms(now: PackagerNow, arrived: Option<Monotonic>) -> i64 {
    arrived.map_or(0, |arrived| milliseconds(now.monotonic, arrived))
}

fn milliseconds(later: Monotonic, earlier: Monotonic) -> i64 {
    i64::try_from(later.since(earlier).as_millis()).unwrap_or(i64::MAX)
}

/// To one digit after the point.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests;
