//! The shape of health: JSON for the API, gathered from all that knows a part of it.

use serde::Serialize;

use super::{
    HistoryPoint,
    left_out::{LeftOut, Why},
    quiet_ms, round,
    warnings::{PictureSigns, Signs, SoundSigns, cut_off, warnings},
};
use crate::{
    live::VideoRange,
    media::access_unit::TrackKind,
    packager::{Packager, PackagerNow, Phase, gop::GopMeter, live::Live},
};

/// How a stream is, as the dashboard shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestHealth {
    /// For how long the publisher is gone, or so silent that a slate stands in for it; none while it sends.
    pub away_seconds: Option<f64>,
    /// Why it was cut off of late, as in [`Self::warnings`].
    #[serde(skip)]
    pub cut_off: Option<String>,
    pub encoder: Option<String>,
    pub video: Option<VideoHealth>,
    /// The first of [`Self::audio_tracks`].
    pub audio: Option<AudioHealth>,
    /// All sounds.
    pub audio_tracks: Vec<AudioHealth>,
    /// The last five minutes, every two seconds.
    pub history: Vec<HistoryPoint>,
    /// How far the picture is ahead of the sound that arrives with it, while both do.
    pub av_offset_milliseconds: Option<i64>,
    /// Parts in a million by which the encoder's clock is fast; below 0, slow. After three minutes.
    pub clock_drift_ppm: Option<i64>,
    /// Tracks that are not carried.
    pub unsupported: Vec<UnsupportedTrack>,
    pub dropped: DroppedFrames,
    /// Frames of silence put in where audio was missing.
    pub silent_audio_frames: u64,
    /// Frames of sound left out because they came behind what was published.
    pub late_audio_frames: u64,
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
    /// As they were sent in the last two seconds; 0 where none come any more.
    pub fps: f64,
    pub kbps: f64,
    /// The newest complete one.
    pub key_frame_interval_seconds: Option<f64>,
    pub b_frames: bool,
    /// `SDR`, `HLG` or `PQ`.
    pub range: &'static str,
    /// CEA-608 or 708 in the picture.
    pub captions: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioHealth {
    pub index: u8,
    pub codec: String,
    pub channels: u8,
    pub sample_rate: u32,
    pub kbps: f64,
    /// By how much timestamps lead the count of samples.
    pub drift_milliseconds: i64,
    /// Mean of the last two seconds, dB of full scale; none where the codec is not decoded here, or nothing comes.
    pub level_db: Option<f64>,
    /// For how long nothing was to be heard.
    pub silent_seconds: f64,
}

/// A track that is not carried: for its codec, its number, or a configuration that cannot be read or did not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnsupportedTrack {
    /// `video`, or `audio`.
    pub track: &'static str,
    pub index: u8,
    /// `unknown` where it is not told.
    pub codec: String,
}

impl UnsupportedTrack {
    /// `None`: the track is carried all the same.
    fn of(LeftOut { track, why }: LeftOut) -> Option<Self> {
        Some(Self {
            track: match track.kind {
                TrackKind::Video => "video",
                TrackKind::Audio => "audio",
            },
            index: track.index,
            codec: match why {
                Why::Unsupported(codec) => codec,
                Why::Unreadable(codec) => codec.name().to_owned(),
                Why::Outdated(_) => return None,
                Why::Unconfigured => "unknown".to_owned(),
            },
        })
    }
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
    /// Empty, longer than any, or of a track that was never configured.
    pub unusable_video: u64,
    pub unusable_audio: u64,
}

pub(in crate::packager) fn report(packager: &Packager, now: PackagerNow) -> IngestHealth {
    let Packager {
        meters,
        tracks,
        gop,
        gather,
        live,
        ..
    } = packager;
    let audio_counts = meters.audio_totals(live.as_ref());
    let plan = live.as_ref().map(Live::plan);
    let pace = meters.video.newest(meters.picture_quiet_ms(now));
    let audio_tracks: Vec<AudioHealth> = tracks
        .sounds()
        .filter_map(|(index, config)| Some((index, config, meters.sounds.get(usize::from(index))?)))
        .map(|(index, config, meter)| AudioHealth {
            index,
            codec: config.codecs.clone(),
            channels: config.channels,
            sample_rate: config.output_rate,
            kbps: round(meter.pace.newest(quiet_ms(now, meter.arrived())).kbps),
            drift_milliseconds: live.as_ref().map_or(0, |live| live.drift_ms(index)),
            level_db: meter.level_db(now).map(round),
            silent_seconds: round(seconds(
                meter.silent_ms().saturating_add(meter.stopped_ms(now).unwrap_or(0)),
            )),
        })
        .collect();
    let signs = signs(packager, now, &audio_tracks);
    IngestHealth {
        away_seconds: None,
        cut_off: cut_off(&signs),
        encoder: tracks.metadata.encoder.clone(),
        video: tracks.video().map(|config| VideoHealth {
            codec: config.codecs.clone(),
            width: config.width,
            height: config.height,
            fps: round(pace.fps),
            kbps: round(pace.kbps),
            key_frame_interval_seconds: gop.last_ms().map(seconds),
            b_frames: meters.max_composition_ms > 0,
            range: match config.range() {
                VideoRange::Sdr => "SDR",
                VideoRange::Hlg => "HLG",
                VideoRange::Pq => "PQ",
            },
            captions: packager.captions.any(),
        }),
        audio: audio_tracks.first().cloned(),
        history: meters.history.report(),
        av_offset_milliseconds: meters.av_offset_ms(now),
        clock_drift_ppm: meters.clock.ppm().map(|ppm| ppm.round() as i64),
        unsupported: meters
            .left_out
            .report(tracks.current())
            .into_iter()
            .filter_map(UnsupportedTrack::of)
            .collect(),
        dropped: DroppedFrames {
            before_start_video: gather.dropped_video,
            before_start_audio: gather.dropped_audio + audio_counts.early,
            out_of_time_video: meters.stray[0],
            out_of_time_audio: meters.stray[1] + audio_counts.late + audio_counts.excess,
            unusable_video: meters.unusable[0],
            unusable_audio: meters.unusable[1],
        },
        silent_audio_frames: audio_counts.silent,
        late_audio_frames: audio_counts.late,
        breaks: meters.breaks,
        target_duration_seconds: plan.map(|plan| plan.target_duration_s),
        part_target_milliseconds: plan.map(|plan| plan.part_target_ms),
        warnings: warnings(&signs),
        audio_tracks,
    }
}

fn signs(packager: &Packager, now: PackagerNow, sounds: &[AudioHealth]) -> Signs {
    let Packager {
        meters,
        tracks,
        gop,
        phase,
        ..
    } = packager;
    let events = meters.history.events();
    Signs {
        on_air: *phase == Phase::Live,
        nothing_ms: meters.nothing_ms(now),
        picture: tracks.video().map(|config| PictureSigns {
            codec: config.codecs.clone(),
            waits_for_key: waits_for_key(packager, gop),
            gone_ms: meters.picture_gone_ms(now),
            open_gop_ms: gop.open_ms(),
            last_gop_ms: gop.last_ms(),
            reordering: meters.video.reordering(),
            longest_hole_ms: events.longest_hole_ms,
            frame_rate: meters.video.spread(|pace| pace.fps),
            bit_rate: meters.video.spread(|pace| pace.kbps),
        }),
        sounds: sounds
            .iter()
            .map(|sound| SoundSigns {
                index: sound.index,
                codec: sound.codec.clone(),
                silent_ms: meters.silent_ms(sound.index),
                gone_ms: meters.sound_gone_ms(now, sound.index),
            })
            .collect(),
        longest_wait_ms: events.longest_wait_ms,
        silent: events.silent,
        late: events.late,
        too_much: events.too_much,
        av_offset_ms: meters.av_offset_ms(now),
        clock_ppm: meters.clock.ppm(),
        left_out: meters.left_out.report(tracks.current()),
        is_picture_due: tracks.video().is_some() || tracks.metadata.has_video == Some(true),
        without_picture_ms: meters.without_picture_ms(now),
    }
}

fn waits_for_key(packager: &Packager, gop: &GopMeter) -> bool {
    let Packager { phase, gather, .. } = packager;
    *phase == Phase::Gathering && !gather.has_key() && gather.dropped_video > 0 && gop.open_ms().is_none()
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
