//! What the one who sends the stream should know of it, with the setting to change where something is wrong.

use serde::Serialize;

use super::{Packager, Phase, audio::AudioCounts, gop::GopMeter, live::Live};
use crate::media::access_unit::{AccessUnit, TrackKind};

/// Frames and bytes are counted over so long a time, in milliseconds.
const WINDOW_MS: i64 = 2_000;

/// A GOP longer than this makes joining slow, in milliseconds.
const LONG_GOP_MS: i64 = 2_600;

/// Without a key frame for so long something is wrong, in milliseconds.
const NO_KEY_MS: i64 = 12_500;

/// Presentation later than decoding by more than this is from more than two B-frames in a row, in milliseconds.
const DEEP_REORDERING_MS: i32 = 200;

/// How a stream is, as the dashboard shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestHealth {
    pub encoder: Option<String>,
    pub video: Option<VideoHealth>,
    pub audio: Option<AudioHealth>,
    pub dropped: DroppedFrames,
    /// Frames of silence put in where audio was missing.
    pub silent_audio_frames: u64,
    /// Breaks of the timeline since the start: outages, jumps, changed settings.
    pub breaks: u32,
    /// Of the open epoch.
    pub target_duration_seconds: Option<u32>,
    pub part_target_milliseconds: Option<u32>,
    /// In plain words, each with what to do.
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoHealth {
    pub codec: String,
    pub width: u16,
    pub height: u16,
    /// As they arrived in the last two seconds.
    pub fps: f64,
    pub kbps: f64,
    /// The newest complete one.
    pub key_frame_interval_seconds: Option<f64>,
    pub b_frames: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioHealth {
    pub codec: String,
    pub channels: u8,
    pub sample_rate: u32,
    pub kbps: f64,
    /// By how much timestamps lead the count of samples.
    pub drift_milliseconds: i64,
}

/// Frames that reached no viewer, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DroppedFrames {
    /// Video that no decoder can start with, and audio before a start, or given up with an unpublished start.
    pub before_start_video: u64,
    pub before_start_audio: u64,
    /// Behind or ahead of the timeline.
    pub out_of_time_video: u64,
    pub out_of_time_audio: u64,
    /// Empty, or of a track that was never configured.
    pub unusable_video: u64,
    pub unusable_audio: u64,
}

/// Counts kept over breaks and epochs.
#[derive(Default)]
pub(super) struct Meters {
    video: Window,
    audio: Window,
    max_composition_ms: i32,
    unusable: [u64; 2],
    stray: [u64; 2],
    /// Of epochs that are over.
    audio_counts: AudioCounts,
    pub(super) breaks: u32,
}

/// Counts frames and bytes over a stretch of session time.
#[derive(Default)]
struct Window {
    start_ms: Option<i64>,
    frames: u32,
    bytes: u64,
    fps: f64,
    kbps: f64,
}

impl Window {
    fn frame(&mut self, at_ms: i64, bytes: usize) {
        let start = *self.start_ms.get_or_insert(at_ms);
        let length = at_ms - start;
        if length >= WINDOW_MS {
            self.fps = f64::from(self.frames) * 1000.0 / length as f64;
            self.kbps = self.bytes as f64 * 8.0 / length as f64;
            *self = Self {
                start_ms: Some(at_ms),
                fps: self.fps,
                kbps: self.kbps,
                ..Self::default()
            };
        }
        self.frames += 1;
        self.bytes += bytes as u64;
    }
}

fn index(track: TrackKind) -> usize {
    match track {
        TrackKind::Video => 0,
        TrackKind::Audio => 1,
    }
}

impl Meters {
    pub(super) fn frame(&mut self, unit: &AccessUnit, at_ms: i64) {
        match unit.track.kind {
            TrackKind::Video => {
                self.video.frame(at_ms, unit.payload.len());
                self.max_composition_ms = self.max_composition_ms.max(unit.composition_ms);
            }
            TrackKind::Audio => self.audio.frame(at_ms, unit.payload.len()),
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

pub(super) fn report(packager: &Packager) -> IngestHealth {
    let Packager {
        meters,
        tracks,
        gop,
        gather,
        live,
        ..
    } = packager;
    let (open_counts, drift_ms) = live.as_ref().map(Live::audio_counts).unwrap_or_default();
    let audio_counts = meters.audio_counts + open_counts;
    let video = tracks.video().map(|config| VideoHealth {
        codec: config.codecs.clone(),
        width: config.width,
        height: config.height,
        fps: round(meters.video.fps),
        kbps: round(meters.video.kbps),
        key_frame_interval_seconds: gop.last_ms().map(seconds),
        b_frames: meters.max_composition_ms > 0,
    });
    let audio = tracks.audio().map(|config| AudioHealth {
        codec: config.codecs.clone(),
        channels: config.channels,
        sample_rate: config.output_rate,
        kbps: round(meters.audio.kbps),
        drift_milliseconds: drift_ms,
    });
    let plan = live.as_ref().map(Live::plan);
    IngestHealth {
        encoder: tracks.metadata.encoder.clone(),
        dropped: DroppedFrames {
            before_start_video: gather.dropped_video,
            before_start_audio: gather.dropped_audio + audio_counts.early,
            out_of_time_video: meters.stray[0],
            out_of_time_audio: meters.stray[1] + audio_counts.late + audio_counts.excess,
            unusable_video: meters.unusable[0],
            unusable_audio: meters.unusable[1],
        },
        silent_audio_frames: audio_counts.silent,
        breaks: meters.breaks,
        target_duration_seconds: plan.map(|plan| plan.target_duration_s),
        part_target_milliseconds: plan.map(|plan| plan.part_target_ms),
        warnings: warnings(packager, video.is_some(), audio.is_some(), &audio_counts),
        video,
        audio,
    }
}

fn warnings(packager: &Packager, has_video: bool, has_audio: bool, counts: &AudioCounts) -> Vec<String> {
    let Packager {
        meters,
        gop,
        gather,
        phase,
        ..
    } = packager;
    let mut warnings = Vec::new();
    if has_video {
        key_frame_warning(
            gop,
            *phase == Phase::Gathering && !gather.has_key(),
            gather.dropped_video,
            &mut warnings,
        );
        if gop.longest_stall_ms() > 0 {
            warnings.push(format!(
                "Video stood still for up to {:.1} s: lower Settings > Output > Video Bitrate, or use a better connection",
                seconds(gop.longest_stall_ms())
            ));
        }
        if meters.max_composition_ms > DEEP_REORDERING_MS {
            warnings.push("Many B-frames add delay: set Settings > Output > B-frames to 2 or less".to_owned());
        }
    }
    if has_video && !has_audio && *phase == Phase::Live {
        warnings.push("No sound is sent: check Settings > Audio and the Audio Mixer".to_owned());
    }
    if counts.silent > 0 {
        warnings.push(format!(
            "Sound was missing for {} frames, and silence was put in: check the audio sources and the connection",
            counts.silent
        ));
    }
    if counts.late > 0 {
        warnings.push(format!(
            "{} sound frames came too late and were left out: check the encoder's audio sync",
            counts.late
        ));
    }
    warnings
}

fn key_frame_warning(gop: &GopMeter, waits_for_key: bool, dropped: u64, warnings: &mut Vec<String>) {
    if gop.open_ms().is_some_and(|open| open > NO_KEY_MS) || (waits_for_key && dropped > 0 && gop.open_ms().is_none()) {
        warnings.push(
            "No key frame comes, so viewers cannot start: set Settings > Output > Keyframe Interval to 2 s".to_owned(),
        );
    } else if let Some(length) = gop.last_ms().filter(|&length| length > LONG_GOP_MS) {
        warnings.push(format!(
            "Key frame interval is {:.1} s: set Settings > Output > Keyframe Interval to 2 s",
            seconds(length)
        ));
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// To one digit after the point.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
