//! The packager's way through its phases: from held frames to a published epoch, and back at a break.

use super::{
    Packager, PackagerError, PackagerNow, Phase,
    gather::Frame,
    live::{EpochStart, Live},
    plan::Plan,
    rates,
    tracks::TrackSet,
};
use crate::{live::LiveEvent, media::access_unit::TrackKind};

/// Breaks in a row that may be laid to stalls; then the GOPs are taken as long as they come.
const MAX_EXCUSED: u32 = 2;

/// What becomes of an epoch whose timeline is broken.
enum Fate {
    /// Not clear yet.
    Wait,
    /// It goes on after a discontinuity.
    Resume,
    /// It cannot hold what comes now.
    Replace,
}

impl Packager {
    /// Lets the frames of the inbox through.
    pub(super) fn run(&mut self, now: PackagerNow) -> Result<(), PackagerError> {
        while let Some(frame) = self.inbox.pop_front() {
            match self.phase {
                Phase::Gathering => {
                    self.gather.push(frame, now.monotonic);
                    self.decide(now)?;
                    if self.phase == Phase::Gathering && self.gather.is_full() {
                        // Nothing could be made of so much: no key frame, or tracks that an epoch cannot be told from.
                        self.gather.clear();
                    }
                }
                Phase::Live => self.pass_on(frame),
                Phase::Ended => self.inbox.clear(),
            }
        }
        Ok(())
    }

    /// Decides on held frames, and lets them through if that is possible now.
    pub(super) fn settle(&mut self, now: PackagerNow) -> Result<(), PackagerError> {
        if self.phase == Phase::Gathering {
            self.decide(now)?;
        }
        self.run(now)
    }

    /// Hands a frame to the epoch, or leaves the epoch for it.
    fn pass_on(&mut self, frame: Frame) {
        let Some(live) = &mut self.live else {
            self.phase = Phase::Gathering;
            self.inbox.push_front(frame);
            return;
        };
        let set = live.tracks();
        let (has_track, has_all) = match frame.track {
            TrackKind::Video => (set.video, set == self.tracks.current()),
            TrackKind::Audio => (set.audio, true),
        };
        if frame.track == TrackKind::Video && frame.sync && !has_all {
            // A track came late: here a new epoch can begin with both.
            self.suspend();
            self.end_epoch();
            self.inbox.push_front(frame);
        } else if !has_track {
            self.meters.count_unusable(frame.track);
        } else if let Err(frame) = live.push(frame, &mut self.events, &mut self.tap) {
            self.suspend();
            self.inbox.push_front(frame);
        }
    }

    /// Closes what is open; from here on frames are held.
    pub(super) fn suspend(&mut self) {
        if self.phase == Phase::Live {
            if let Some(live) = &mut self.live {
                live.close(self.gop.typical_ticks(), &mut self.events, &mut self.tap);
                self.clock.keep_after(live.end_ms());
            }
            self.meters.breaks += 1;
            self.phase = Phase::Gathering;
        }
    }

    /// The timeline is broken: what follows is held and measured anew.
    pub(super) fn break_off(&mut self) {
        self.suspend();
        self.gather.clear();
        self.gop.reset();
        self.meters.broken();
    }

    /// Ends the epoch, if there is one.
    pub(super) fn end_epoch(&mut self) {
        if let Some(live) = self.live.take() {
            self.next_msn = live.next_msn().map_or(self.next_msn, |msn| msn.max(self.next_msn));
            self.meters.keep_audio_counts(live.audio_counts().0);
            self.events.push_back(LiveEvent::End);
            self.tap.end();
        }
    }

    fn decide(&mut self, now: PackagerNow) -> Result<(), PackagerError> {
        self.gather.ask(now.monotonic);
        if self.gather.is_empty() {
            return Ok(());
        }
        match self.fate(now) {
            Some(Fate::Wait) => Ok(()),
            Some(Fate::Resume) => self.resume(),
            Some(Fate::Replace) => {
                self.end_epoch();
                self.start(now, false)
            }
            None => self.start(now, false),
        }
    }

    fn fate(&mut self, now: PackagerNow) -> Option<Fate> {
        let live = self.live.as_ref()?;
        let (epoch, current) = (live.tracks(), self.tracks.current());
        let gained = (current.video && !epoch.video) || (current.audio && !epoch.audio);
        if gained || !live.can_hold(&self.tracks) {
            return Some(Fate::Replace);
        }
        if current != epoch {
            let given_up = self.gather.waited_for_tracks(now.monotonic);
            return Some(if given_up { Fate::Replace } else { Fate::Wait });
        }
        if epoch.video && !self.gather.has_key() {
            return Some(Fate::Wait);
        }
        if live.can_hold_gop(self.gop.longest_ms()) {
            self.excused = 0;
            return Some(Fate::Resume);
        }
        if live.can_hold_gop(self.gop.longest_steady_ms()) && self.excused < MAX_EXCUSED {
            self.excused += 1;
            return Some(Fate::Resume);
        }
        Some(Fate::Replace)
    }

    /// Goes on in the epoch that was broken off.
    fn resume(&mut self) -> Result<(), PackagerError> {
        let has_video = self.live.as_ref().is_some_and(|live| live.tracks().video);
        let leading = if has_video { TrackKind::Video } else { TrackKind::Audio };
        let (Some(live), Some(at_ms), Some(anchor)) =
            (&mut self.live, self.gather.first_ms(leading), self.clock.anchor())
        else {
            return Ok(());
        };
        live.resume(at_ms, anchor, &self.tracks, &mut self.events, &mut self.tap)?;
        self.phase = Phase::Live;
        let mut frames = self.gather.take();
        frames.append(&mut self.inbox);
        self.inbox = frames;
        Ok(())
    }

    /// Begins an epoch if it is clear which, or with whatever there is if it has to be `now_or_never`.
    pub(super) fn start(&mut self, now: PackagerNow, now_or_never: bool) -> Result<(), PackagerError> {
        let waited = now_or_never || self.gather.waited_for_tracks(now.monotonic);
        let Some(tracks) = self.tracks.decided(waited) else {
            return Ok(());
        };
        let ready = if tracks.video {
            let gop_known =
                self.gop.longest_ms().is_some() || self.gather.waited_for_gop(now.monotonic) || now_or_never;
            self.gather.has_key() && gop_known
        } else {
            self.gather.first_ms(TrackKind::Audio).is_some()
        };
        if !ready {
            return Ok(());
        }
        let start = self.epoch_start(tracks);
        self.live = Some(Live::start(&start, &self.tracks, &mut self.events));
        self.excused = 0;
        self.resume()?;
        if now_or_never { self.run(now) } else { Ok(()) }
    }

    fn epoch_start(&mut self, tracks: TrackSet) -> EpochStart {
        let video = tracks.video.then_some(&self.gop);
        let audio = self.tracks.audio().filter(|_| tracks.audio);
        let plan = Plan::new(self.config.part_target_ms, video, audio);
        let rate = |track, stated| {
            let (bytes, duration_ms) = self.gather.extent(track);
            rates::foretold(bytes, duration_ms, stated)
        };
        let metadata = &self.tracks.metadata;
        let (video_rate, audio_rate) = (
            rate(TrackKind::Video, metadata.video_kbps),
            rate(TrackKind::Audio, metadata.audio_kbps),
        );
        EpochStart {
            plan,
            tracks,
            video_rate,
            audio_rate,
            frame_rate: self.frame_rate(),
            longest_gop_ms: self.gop.longest_ms().unwrap_or_else(|| plan.segment_limit_ms()),
            first_msn: self.next_msn,
            epoch: self.next_epoch(),
        }
    }

    /// Thousandths of a hertz: the encoder's own word if the frames bear it out, else as measured.
    pub(super) fn frame_rate(&self) -> u32 {
        let measured = 90_000_000 / self.gop.typical_ticks();
        let stated = self.tracks.video().and_then(|config| config.frame_rate_millihertz);
        let borne_out = |stated: &u32| u64::from(*stated).abs_diff(measured) * 20 <= measured;
        stated
            .filter(borne_out)
            .unwrap_or_else(|| u32::try_from(measured).unwrap_or(u32::MAX))
    }
}
