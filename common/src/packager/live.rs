//! A published epoch: the picture leads, sounds follow, all in the same numbered segments.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

use super::{
    audio::AudioCounts,
    clock::Anchor,
    epoch::EpochStart,
    gather::Frame,
    memory::Coding,
    plan::{MAX_TARGET_DURATION_S, Plan},
    rendition::Rendition,
    sounds::Sounds,
    still::Still,
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
    id::Msn,
    live::{BitRate, EpochDescription, LiveEvent, VideoRange},
    media::access_unit::{TrackId, TrackKind},
    time::UnixMillis,
};

const TICKS_PER_MS: i64 = VIDEO_TIMESCALE as i64 / 1000;

/// Beyond this a composition offset is nonsense, in milliseconds.
const MAX_COMPOSITION_MS: i32 = 10_000;

struct VideoTrack {
    coding: Coding,
    range: VideoRange,
    cutter: VideoCutter,
    rendition: Rendition,
}

pub(super) struct Live {
    description: Arc<EpochDescription>,
    plan: Plan,
    tracks: TrackSet,
    video: Option<VideoTrack>,
    sounds: Sounds,
    still: Still,
    anchor: Anchor,
    open: bool,
    /// Nothing more goes into it.
    left: bool,
    /// The part target goes by a frame rate that nobody measured.
    rate_is_guess: bool,
    /// Number of the next video segment to begin.
    next_segment: Msn,
    /// The next segment begins a run that is not the epoch's first.
    discontinuity: bool,
    /// Runs of segments begun.
    runs: u64,
}

impl Live {
    /// Announces an epoch. Nothing is in it before [`Self::resume`].
    pub(super) fn start(start: EpochStart, tracks: &Tracks, out: &mut VecDeque<LiveEvent>) -> Self {
        let EpochStart {
            description,
            plan,
            longest_gop_ms,
            rate_is_guess,
        } = start;
        let mut video = None;
        if let (Some(id), Some(config)) = (description.rendition_of(TrackId::VIDEO), tracks.video()) {
            let bit_rate = description.renditions[usize::from(id.0)].bit_rate;
            let longest_gop = (longest_gop_ms * TICKS_PER_MS).unsigned_abs();
            video = Some(VideoTrack {
                coding: Coding {
                    codec: config.codec,
                    height: config.height,
                },
                range: config.range(),
                cutter: VideoCutter::new(&plan, longest_gop),
                rendition: Rendition::new(
                    id,
                    FragmentTrack::Video,
                    VIDEO_TIMESCALE,
                    description.first_msn,
                    bit_rate,
                ),
            });
        }
        let description = Arc::new(description);
        out.push_back(LiveEvent::Start(Arc::clone(&description)));
        let all = description.renditions.iter().map(|rendition| rendition.format.track());
        Self {
            plan,
            tracks: all.fold(TrackSet::default(), TrackSet::with),
            sounds: Sounds::new(&description, &plan, tracks, video.is_none()),
            still: Still::new(plan.part_target_ms),
            video,
            anchor: Anchor {
                at_ms: 0,
                unix: UnixMillis(0),
            },
            open: false,
            left: false,
            rate_is_guess,
            next_segment: description.first_msn,
            discontinuity: false,
            runs: 0,
            description,
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
        self.tracks
    }

    /// Whether the epoch's fixed numbers, and players of its codecs, can hold the tracks as they are configured now.
    pub(super) fn can_hold(&self, tracks: &Tracks) -> bool {
        let holds_video = self.video.as_ref().is_none_or(|video| {
            tracks
                .video()
                .is_none_or(|config| (config.codec, config.range()) == (video.coding.codec, video.range))
        });
        holds_video && self.sounds.can_hold(tracks)
    }

    /// Whether segments of such GOPs can be published here; with the longest target duration they have to be.
    pub(super) fn can_hold_gop(&self, gop_ms: Option<i64>) -> bool {
        self.plan.target_duration_s >= MAX_TARGET_DURATION_S || gop_ms.is_none_or(|gop| self.plan.fits(gop))
    }

    /// Nothing more goes into it, whatever it could hold.
    pub(super) fn leave(&mut self) {
        self.left = true;
    }

    pub(super) fn is_left(&self) -> bool {
        self.left
    }

    /// Whether the part target goes by a guess that was not compared with what came, as it is from here on.
    pub(super) fn take_rate_guess(&mut self) -> bool {
        std::mem::take(&mut self.rate_is_guess)
    }

    /// The number after the last segment begun.
    pub(super) fn next_msn(&self) -> Option<Msn> {
        let video = self.video.as_ref().map(|track| track.rendition.next_msn());
        video.max(self.sounds.next_msn())
    }

    /// Session time up to which media was published, in milliseconds, rounded up.
    pub(super) fn end_ms(&self) -> i64 {
        let video = self
            .video
            .as_ref()
            .map_or(0, |track| track.cutter.end().div_ceil(TICKS_PER_MS.unsigned_abs()));
        i64::try_from(video.max(self.sounds.end_ms())).unwrap_or(i64::MAX)
    }

    /// Frames that the audio rules left out or put in.
    pub(super) fn audio_counts(&self) -> AudioCounts {
        self.sounds.counts()
    }

    /// How far a sound's timestamps are off its count of samples, in milliseconds.
    pub(super) fn drift_ms(&self, sound: u8) -> i64 {
        let mut drifts = self.sounds.drifts_ms();
        drifts.find(|&(index, _)| index == sound).map_or(0, |(_, drift)| drift)
    }

    /// What is declared of each track.
    pub(super) fn bit_rates(&self) -> impl Iterator<Item = (TrackId, Coding, BitRate)> {
        let video = self.video.as_ref();
        let video = video.map(|video| (TrackId::VIDEO, video.coding, video.rendition.declared()));
        video.into_iter().chain(self.sounds.bit_rates())
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
            video.coding.height = config.height;
        }
        self.sounds.resume(at_ms, tracks, out)?;
        self.still = Still::new(self.plan.part_target_ms);
        self.anchor = anchor;
        self.open = true;
        self.discontinuity = self.runs > 0;
        self.runs += 1;
        self.announce(tracks, tap);
        Ok(())
    }

    /// A sound's first frame, ahead of its turn: what stands in for those before it.
    pub(super) fn seed(&mut self, index: u8, payload: &Bytes) {
        self.sounds.seed(index, payload);
    }

    /// Takes a frame of a track of this epoch; gives it back when its segment has to be closed before it.
    pub(super) fn push(&mut self, frame: Frame, out: &mut VecDeque<LiveEvent>, tap: &mut Tap) -> Result<(), Frame> {
        match frame.track.kind {
            TrackKind::Video => self.push_video(frame, out, tap)?,
            TrackKind::Audio => {
                if let Some(until_ms) = self.still.sound(frame.at_ms) {
                    self.end_still(until_ms, out);
                }
                self.sounds.push(frame.track.index, frame.at_ms, frame.payload);
            }
        }
        self.sounds.publish(self.anchor, out);
        Ok(())
    }

    fn push_video(&mut self, frame: Frame, out: &mut VecDeque<LiveEvent>, tap: &mut Tap) -> Result<(), Frame> {
        let stretch_ms = self.stretch_ms(&frame);
        let most = i64::from(MAX_COMPOSITION_MS);
        let delay_ms = i64::from(frame.composition_ms).clamp(-most, most);
        let Some(video) = &mut self.video else { return Ok(()) };
        let was_closed = video.cutter.is_closed();
        let was_let_go = video.cutter.resumes_at().is_some();
        // Decoded where the one before ended, shown when it is to be.
        let pushed = video.cutter.push(VideoSample {
            dts: ticks(frame.at_ms - stretch_ms),
            // Below 2^31: the clock takes longer waits for breaks.
            composition_offset: i32::try_from((delay_ms + stretch_ms) * TICKS_PER_MS).unwrap_or(i32::MAX),
            sync: frame.sync,
            payload: frame.payload.clone(),
        });
        if pushed == Pushed::TooLong {
            return Err(frame);
        }
        // Where it stands, which is later than it should if the picture before was thought to stay longer.
        let at_ms = video.cutter.newest().map_or(frame.at_ms, ms);
        self.still.picture(frame.at_ms);
        if pushed == Pushed::StartsSegment {
            if was_let_go {
                video.rendition.segment_end(out);
            }
            let discontinuity = std::mem::take(&mut self.discontinuity);
            let discontinuities = self.runs - 1;
            tap.segment(
                self.next_segment,
                at_ms,
                delay_ms,
                self.anchor,
                discontinuity,
                discontinuities,
            );
            self.next_segment = self.next_segment.next();
        }
        tap.frame(&Frame {
            at_ms,
            composition_ms: i32::try_from(frame.at_ms + delay_ms - at_ms).unwrap_or(frame.composition_ms),
            ..frame.clone()
        });
        while let Some(part) = video.cutter.next_part() {
            video.rendition.part(&part, self.anchor, out);
        }
        if pushed == Pushed::StartsSegment && !was_closed {
            self.sounds.boundary(frame.at_ms);
        }
        self.sounds.keep_up(frame.at_ms);
        Ok(())
    }

    /// Publishes the newest picture, which no other one follows: it lasts until then.
    fn end_still(&mut self, until_ms: i64, out: &mut VecDeque<LiveEvent>) {
        let Some(video) = &mut self.video else { return };
        for part in video.cutter.close_held(ticks(until_ms)) {
            video.rendition.part(&part, self.anchor, out);
        }
    }

    /// By how much a frame of the picture is decoded before its time, so that there is no hole after one that had to end. Milliseconds.
    pub(super) fn stretch_ms(&self, frame: &Frame) -> i64 {
        let video = self.video.as_ref().filter(|_| frame.track == TrackId::VIDEO);
        let resumes_at = video.and_then(|video| video.cutter.resumes_at());
        resumes_at.map_or(0, |at| (frame.at_ms - ms(at)).max(0))
    }

    /// Closes the open segments with all that is held. `typical` is the duration to give the newest frame, in ticks.
    pub(super) fn close(&mut self, typical: u64, out: &mut VecDeque<LiveEvent>, tap: &mut Tap) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let mut until_ms = None;
        if let Some(video) = &mut self.video {
            let was_let_go = video.cutter.resumes_at().is_some();
            for part in video.cutter.close(typical) {
                video.rendition.part(&part, self.anchor, out);
            }
            if was_let_go {
                video.rendition.segment_end(out);
            }
            let end_ms = ms(video.cutter.end());
            tap.break_off(end_ms);
            until_ms = Some(end_ms);
        }
        self.sounds.close(until_ms, self.anchor, out);
    }
}

fn ticks(ms: i64) -> u64 {
    (ms.max(0) * TICKS_PER_MS).unsigned_abs()
}

/// Rounded down.
fn ms(ticks: u64) -> i64 {
    i64::try_from(ticks).unwrap_or(i64::MAX) / TICKS_PER_MS
}
