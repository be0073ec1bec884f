//! A published epoch: video leads, audio follows, both in the same numbered segments.

use std::{collections::VecDeque, sync::Arc};

use super::{
    audio::{AudioCounts, AudioCut, AudioCutter},
    clock::Anchor,
    gather::Frame,
    plan::{MAX_TARGET_DURATION_S, Plan},
    rendition::Rendition,
    tap::Tap,
    tracks::{TrackSet, Tracks},
    video::{Pushed, VideoCutter, VideoSample},
};
use crate::{
    cmaf::{
        VIDEO_TIMESCALE,
        fragment::FragmentTrack,
        init::{self, InitError},
    },
    id::{Epoch, Msn, RenditionId},
    live::{BitRate, EpochDescription, LiveEvent, RenditionDescription, RenditionFormat, VideoRange},
    media::access_unit::TrackKind,
};

const TICKS_PER_MS: i64 = VIDEO_TIMESCALE as i64 / 1000;

/// Beyond this a composition offset is nonsense, in milliseconds.
const MAX_COMPOSITION_MS: i32 = 10_000;

/// What an epoch is made of besides its tracks.
pub(super) struct EpochStart {
    pub(super) epoch: Epoch,
    pub(super) first_msn: Msn,
    pub(super) plan: Plan,
    pub(super) tracks: TrackSet,
    pub(super) video_rate: BitRate,
    pub(super) audio_rate: BitRate,
    /// Thousandths of a hertz.
    pub(super) frame_rate: u32,
    pub(super) longest_gop_ms: i64,
}

struct VideoTrack {
    cutter: VideoCutter,
    rendition: Rendition,
}

struct AudioTrack {
    cutter: AudioCutter,
    rendition: Rendition,
    timescale: u32,
    frame_samples: u32,
}

pub(super) struct Live {
    plan: Plan,
    video: Option<VideoTrack>,
    audio: Option<AudioTrack>,
    anchor: Anchor,
    open: bool,
    description: Arc<EpochDescription>,
    /// Number of the next video segment to begin.
    next_segment: Msn,
    /// The next segment begins a run that is not the epoch's first.
    discontinuity: bool,
    /// Runs of segments begun.
    runs: u64,
}

impl Live {
    /// Announces an epoch. Nothing is in it before [`Self::resume`].
    pub(super) fn start(start: &EpochStart, tracks: &Tracks, out: &mut VecDeque<LiveEvent>) -> Self {
        let plan = start.plan;
        let mut renditions = Vec::new();
        let mut next_id = 0..;
        let mut video = None;
        if let Some(config) = tracks.video().filter(|_| start.tracks.video) {
            renditions.push(RenditionDescription {
                format: RenditionFormat::Video {
                    width: config.width,
                    height: config.height,
                    frame_rate_millihertz: start.frame_rate,
                    range: VideoRange::Sdr,
                    captions: false,
                },
                codecs: config.codecs.clone(),
                timescale: VIDEO_TIMESCALE,
                bit_rate: start.video_rate,
            });
            let id = RenditionId(next_id.next().unwrap_or(0));
            let longest_gop = (start.longest_gop_ms * TICKS_PER_MS).unsigned_abs();
            video = Some(VideoTrack {
                cutter: VideoCutter::new(&plan, longest_gop),
                rendition: Rendition::new(
                    id,
                    FragmentTrack::Video,
                    VIDEO_TIMESCALE,
                    start.first_msn,
                    start.video_rate,
                ),
            });
        }
        let mut audio = None;
        if let Some(config) = tracks.audio().filter(|_| start.tracks.audio) {
            renditions.push(RenditionDescription {
                format: RenditionFormat::Audio {
                    index: 0,
                    channels: config.channels,
                    sample_rate: config.output_rate,
                    name: "main".to_owned(),
                    language: None,
                },
                codecs: config.codecs.clone(),
                timescale: config.sample_rate,
                bit_rate: start.audio_rate,
            });
            let id = RenditionId(next_id.next().unwrap_or(0));
            let track = FragmentTrack::Audio {
                frame_duration: config.frame_samples,
            };
            audio = Some(AudioTrack {
                cutter: AudioCutter::new(&plan, config, video.is_some()),
                rendition: Rendition::new(id, track, config.sample_rate, start.first_msn, start.audio_rate),
                timescale: config.sample_rate,
                frame_samples: config.frame_samples,
            });
        }
        let description = Arc::new(EpochDescription {
            epoch: start.epoch,
            target_duration_s: plan.target_duration_s,
            part_target_ms: plan.part_target_ms,
            first_msn: start.first_msn,
            renditions,
            ladder: Vec::new(),
            audio_only: false,
            parent: None,
        });
        out.push_back(LiveEvent::Start(Arc::clone(&description)));
        let anchor = Anchor {
            at_ms: 0,
            unix: crate::time::UnixMillis(0),
        };
        Self {
            plan,
            video,
            audio,
            anchor,
            open: false,
            description,
            next_segment: start.first_msn,
            discontinuity: false,
            runs: 0,
        }
    }

    /// Tells the tap what the frames are of.
    pub(super) fn announce(&self, tracks: &Tracks, tap: &mut Tap) {
        if let (Some(_), Some(config)) = (&self.video, tracks.video()) {
            tap.start(&self.description, config);
        }
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn tracks(&self) -> TrackSet {
        TrackSet {
            video: self.video.is_some(),
            audio: self.audio.is_some(),
        }
    }

    /// Whether the epoch's fixed numbers can hold the tracks as they are configured now.
    pub(super) fn can_hold(&self, tracks: &Tracks) -> bool {
        self.audio.as_ref().is_none_or(|audio| {
            tracks
                .audio()
                .is_none_or(|c| (c.sample_rate, c.frame_samples) == (audio.timescale, audio.frame_samples))
        })
    }

    /// Whether segments of such GOPs can be published here; with the longest target duration they have to be.
    pub(super) fn can_hold_gop(&self, gop_ms: Option<i64>) -> bool {
        self.plan.target_duration_s >= MAX_TARGET_DURATION_S || gop_ms.is_none_or(|gop| self.plan.fits(gop))
    }

    /// The number after the last segment begun.
    pub(super) fn next_msn(&self) -> Option<Msn> {
        let video = self.video.as_ref().map(|track| track.rendition.next_msn());
        let audio = self.audio.as_ref().map(|track| track.rendition.next_msn());
        video.max(audio)
    }

    /// Session time up to which media was published, in milliseconds, rounded up.
    pub(super) fn end_ms(&self) -> i64 {
        let video = self
            .video
            .as_ref()
            .map_or(0, |track| track.cutter.end().div_ceil(TICKS_PER_MS.unsigned_abs()));
        let audio = self
            .audio
            .as_ref()
            .map_or(0, |t| (t.cutter.end() * 1000).div_ceil(u64::from(t.timescale.max(1))));
        i64::try_from(video.max(audio)).unwrap_or(i64::MAX)
    }

    /// Frames that the audio rules left out or put in, and how far timestamps are off the count of samples, in milliseconds.
    pub(super) fn audio_counts(&self) -> (AudioCounts, i64) {
        self.audio
            .as_ref()
            .map_or_else(Default::default, |t| (t.cutter.counts, t.cutter.drift_ms()))
    }

    /// Begins a run of segments, at the first one's session time.
    pub(super) fn resume(
        &mut self,
        at_ms: i64,
        anchor: Anchor,
        tracks: &Tracks,
        out: &mut VecDeque<LiveEvent>,
        tap: &mut Tap,
    ) -> Result<(), InitError> {
        if let (Some(video), Some(config)) = (&mut self.video, tracks.video()) {
            video.rendition.begin(init::video(config)?, out);
        }
        if let (Some(audio), Some(config)) = (&mut self.audio, tracks.audio()) {
            audio.rendition.begin(init::audio(config, None)?, out);
            audio.cutter.start(at_ms, config);
        }
        self.anchor = anchor;
        self.open = true;
        self.discontinuity = self.runs > 0;
        self.runs += 1;
        self.announce(tracks, tap);
        Ok(())
    }

    /// Takes a frame of a track of this epoch; gives it back when its segment has to be closed before it.
    pub(super) fn push(&mut self, frame: Frame, out: &mut VecDeque<LiveEvent>, tap: &mut Tap) -> Result<(), Frame> {
        match frame.track {
            TrackKind::Video => self.push_video(frame, out, tap)?,
            TrackKind::Audio => {
                if let Some(audio) = &mut self.audio {
                    audio.cutter.push(frame.at_ms, frame.payload);
                }
            }
        }
        self.publish(out);
        Ok(())
    }

    fn push_video(&mut self, frame: Frame, out: &mut VecDeque<LiveEvent>, tap: &mut Tap) -> Result<(), Frame> {
        let Some(video) = &mut self.video else { return Ok(()) };
        let composition_ms = frame.composition_ms.clamp(-MAX_COMPOSITION_MS, MAX_COMPOSITION_MS);
        let was_closed = video.cutter.is_closed();
        let pushed = video.cutter.push(VideoSample {
            dts: (frame.at_ms.max(0) * TICKS_PER_MS).unsigned_abs(),
            composition_offset: composition_ms * (VIDEO_TIMESCALE / 1000).cast_signed(),
            sync: frame.sync,
            payload: frame.payload.clone(),
        });
        if pushed == Pushed::TooLong {
            return Err(frame);
        }
        if pushed == Pushed::StartsSegment {
            let discontinuity = std::mem::take(&mut self.discontinuity);
            tap.segment(
                self.next_segment,
                frame.at_ms,
                self.anchor,
                discontinuity,
                self.runs - 1,
            );
            self.next_segment = self.next_segment.next();
        }
        tap.frame(&frame);
        while let Some(part) = video.cutter.next_part() {
            video.rendition.part(&part, self.anchor, out);
        }
        if let Some(audio) = &mut self.audio {
            if pushed == Pushed::StartsSegment && !was_closed {
                audio.cutter.boundary(frame.at_ms);
            }
            audio.cutter.keep_up(frame.at_ms);
        }
        Ok(())
    }

    fn publish(&mut self, out: &mut VecDeque<LiveEvent>) {
        if let Some(audio) = &mut self.audio {
            while let Some(cut) = audio.cutter.next_cut() {
                audio.write(cut, self.anchor, out);
            }
        }
    }

    /// Closes the open segments with all that is held. `typical` is the duration to give the newest frame, in ticks.
    pub(super) fn close(&mut self, typical: u64, out: &mut VecDeque<LiveEvent>, tap: &mut Tap) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let mut until_ms = None;
        if let Some(video) = &mut self.video {
            for part in video.cutter.close(typical) {
                video.rendition.part(&part, self.anchor, out);
            }
            let end_ms = i64::try_from(video.cutter.end()).unwrap_or(i64::MAX) / TICKS_PER_MS;
            tap.break_off(end_ms);
            until_ms = Some(end_ms);
        }
        if let Some(audio) = &mut self.audio {
            for cut in audio.cutter.close(until_ms) {
                audio.write(cut, self.anchor, out);
            }
        }
    }
}

impl AudioTrack {
    fn write(&mut self, cut: AudioCut, anchor: Anchor, out: &mut VecDeque<LiveEvent>) {
        match cut {
            AudioCut::Part(part) => self.rendition.part(&part, anchor, out),
            AudioCut::SegmentEnd => self.rendition.segment_end(out),
        }
    }
}
