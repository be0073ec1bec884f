//! What a new epoch is to be: its numbers that cannot change, and how it is described.

use super::{
    Packager,
    gop::FramePace,
    labels::labels,
    ladder::{self, SourceRate},
    memory::Coding,
    plan::Plan,
    rates,
    tracks::TrackSet,
};
use crate::{
    cmaf::VIDEO_TIMESCALE,
    live::{BitRate, EpochDescription, RenditionDescription, RenditionFormat},
    media::{access_unit::TrackId, audio_config::AudioConfig},
};

/// Beyond this a frame rate that the publisher states is nonsense, thousandths of a hertz.
const PLAUSIBLE_MILLIHERTZ: std::ops::RangeInclusive<u32> = 1_000..=300_000;

/// Over less than this a bit rate is not measured, milliseconds.
const SHORT_MS: i64 = 1_000;

/// An epoch about to begin.
pub(super) struct EpochStart {
    pub(super) description: EpochDescription,
    pub(super) plan: Plan,
    pub(super) longest_gop_ms: i64,
    /// The frame rate it goes by was not measured.
    pub(super) rate_is_guess: bool,
}

impl Packager {
    /// Plans an epoch of these tracks from what is held, and from what was seen before.
    pub(super) fn plan_epoch(&mut self, tracks: TrackSet) -> EpochStart {
        let pace = tracks.has_video().then(|| self.pace());
        let plan = self.plan(pace);
        let mut renditions = Vec::new();
        let mut offered = Vec::new();
        if let (Some(pace), Some(config)) = (pace, self.tracks.video()) {
            let frame_rate_millihertz = self.frame_rate(pace);
            offered = ladder::offered(&self.offer.ladder, config, frame_rate_millihertz, self.source_rate());
            let mut bit_rate = self.foretold(TrackId::VIDEO);
            // By their rates players order what they may choose from: the source is never below its rungs.
            for rung in &offered {
                bit_rate = larger(bit_rate, rung.bit_rate);
            }
            renditions.push(RenditionDescription {
                format: RenditionFormat::Video {
                    width: config.width,
                    height: config.height,
                    frame_rate_millihertz,
                    range: config.range(),
                    captions: self.captions | self.memory.captions,
                },
                codecs: config.codecs.clone(),
                timescale: VIDEO_TIMESCALE,
                bit_rate,
            });
        }
        let said = &self.tracks.metadata.audio_tracks;
        let labels = labels(tracks.audio(), &self.offer.labels, said);
        for ((index, config), label) in self.tracks.sounds().zip(labels) {
            renditions.push(RenditionDescription {
                format: RenditionFormat::Audio {
                    index,
                    channels: config.channels,
                    sample_rate: config.output_rate,
                    name: label.name,
                    language: label.language,
                },
                codecs: config.codecs.clone(),
                timescale: config.sample_rate,
                bit_rate: self.foretold(TrackId::audio(index)),
            });
        }
        let audio_only = self.offer.audio_only && tracks.has_video() && tracks.has_audio();
        EpochStart {
            description: EpochDescription {
                epoch: self.next_epoch(),
                target_duration_s: plan.target_duration_s,
                part_target_ms: plan.part_target_ms,
                first_msn: self.next_msn,
                renditions,
                ladder: offered,
                audio_only,
                opens_early: tracks.has_video() && !self.gather.has_whole_gop(),
                parent: None,
            },
            plan,
            longest_gop_ms: pace
                .and_then(|pace| pace.longest_gop_ms)
                .unwrap_or_else(|| plan.segment_limit_ms()),
            rate_is_guess: tracks.has_video() && !self.gop.tells_rate(),
        }
    }

    /// The plan for the tracks as they are configured.
    pub(super) fn plan(&self, pace: Option<FramePace>) -> Plan {
        let sounds: Vec<&AudioConfig> = self.tracks.sounds().map(|(_, config)| config).collect();
        Plan::new(self.config.part_target_ms, pace, &sounds)
    }

    /// How frames and key frames are spaced: as measured, else as the encoder says, else as before.
    pub(super) fn pace(&self) -> FramePace {
        let measured = self.gop.pace();
        let before = self.memory.pace;
        let frame_ticks = if self.gop.tells_rate() {
            None
        } else {
            self.stated_frame_ticks()
                .or_else(|| before.map(|before| before.frame_ticks))
        };
        FramePace {
            frame_ticks: frame_ticks.unwrap_or(measured.frame_ticks),
            longest_gop_ms: measured
                .longest_gop_ms
                .or_else(|| before.and_then(|before| before.longest_gop_ms)),
        }
    }

    fn stated_frame_ticks(&self) -> Option<u64> {
        let coded = self.tracks.video().and_then(|config| config.frame_rate_millihertz);
        // A float out of range is clamped, not wrapped.
        let said = self.tracks.metadata.frame_rate.map(|rate| (rate * 1000.0) as u32);
        let stated = coded.or(said).filter(|rate| PLAUSIBLE_MILLIHERTZ.contains(rate))?;
        Some(u64::from(VIDEO_TIMESCALE) * 1000 / u64::from(stated))
    }

    /// Thousandths of a hertz: the encoder's own word if the frames bear it out, else as measured.
    fn frame_rate(&self, pace: FramePace) -> u32 {
        let measured = u64::from(VIDEO_TIMESCALE) * 1000 / pace.frame_ticks.max(1);
        let stated = self.tracks.video().and_then(|config| config.frame_rate_millihertz);
        let borne_out = |stated: &u32| u64::from(*stated).abs_diff(measured) * 20 <= measured;
        stated
            .filter(borne_out)
            .unwrap_or_else(|| u32::try_from(measured).unwrap_or(u32::MAX))
    }

    fn coding(&self, track: TrackId) -> Option<Coding> {
        if track == TrackId::VIDEO {
            let config = self.tracks.video()?;
            return Some(Coding {
                codec: config.codec,
                height: config.height,
            });
        }
        let config = self.tracks.sound(track.index)?;
        Some(Coding {
            codec: config.codec,
            height: 0,
        })
    }

    /// The rate to declare of a track, before its first segment.
    fn foretold(&self, track: TrackId) -> BitRate {
        let (bytes, duration_ms) = self.gather.extent(track);
        // What is held is too little to measure where the epoch begins with its first key frame.
        match self.remembered(track).filter(|_| duration_ms < SHORT_MS) {
            Some(before) => before,
            None => rates::foretold(bytes, duration_ms, self.stated_kbps(track)),
        }
    }

    /// What rungs go by: they keep their rates though the source's turns out to be another.
    fn source_rate(&self) -> SourceRate {
        let foretold = self.foretold(TrackId::VIDEO);
        if self.stated_kbps(TrackId::VIDEO).is_some() {
            return SourceRate::Stated(foretold);
        }
        let before = self.remembered(TrackId::VIDEO);
        SourceRate::Measured(before.map_or(foretold, |before| larger(before, foretold)))
    }

    fn stated_kbps(&self, track: TrackId) -> Option<f64> {
        let metadata = &self.tracks.metadata;
        let stated = match track {
            TrackId::VIDEO => metadata.video_kbps,
            TrackId::AUDIO => metadata.audio_kbps,
            _ => None,
        };
        stated.filter(|&kbps| kbps > 0.0)
    }

    /// Of an epoch or a stream before, if that says something of this one.
    fn remembered(&self, track: TrackId) -> Option<BitRate> {
        if self.epochs > 0 {
            return self.memory.rate(track);
        }
        // The stream before may have been sent with other settings.
        let is_silent = self.stated_kbps(track).is_none();
        let coding = self.coding(track).filter(|_| is_silent)?;
        self.memory.rate_of(track, coding)
    }
}

fn larger(one: BitRate, other: BitRate) -> BitRate {
    BitRate {
        peak: one.peak.max(other.peak),
        average: one.average.max(other.average),
    }
}
