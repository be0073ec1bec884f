//! The packager's way through its phases: from held frames to a published epoch, and back at a break.

use bytes::Bytes;

use super::{
    Packager, PackagerError, PackagerNow, Phase,
    gather::Frame,
    live::Live,
    tracks::{Configured, Waited},
};
use crate::{
    live::LiveEvent,
    media::access_unit::{Codec, TrackId, TrackKind},
};

/// Breaks in a row that may be laid to stalls; then the GOPs are taken as long as they come.
const MAX_EXCUSED: u32 = 2;

/// So much longer than planned GOPs may be by rounding alone, in milliseconds.
const GOP_ROUNDING_MS: i64 = 10;

/// An epoch is left for one with a so many times shorter target duration or part target: viewers notice the change.
const SHRUNK_FACTOR: u32 = 2;

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
    /// Takes a decoder configuration. One that cannot be read is remembered, for whoever sends it.
    pub(super) fn configure(
        &mut self,
        now: PackagerNow,
        track: TrackId,
        codec: Codec,
        record: &Bytes,
    ) -> Result<(), PackagerError> {
        let configured = self.tracks.configure(track, codec, record);
        self.meters.configured(track, codec, configured.is_ok());
        self.configured(now, configured?)
    }

    /// Goes on with tracks that may be others than before.
    pub(super) fn configured(&mut self, now: PackagerNow, configured: Configured) -> Result<(), PackagerError> {
        if configured == Configured::Changed {
            // Nothing that follows can be decoded with what came before, which is complete.
            match self.phase {
                Phase::Live => self.suspend(),
                Phase::Gathering | Phase::Ended => self.gather.clear(),
            }
        }
        self.settle(now)
    }

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
        let Some(live) = &self.live else {
            self.phase = Phase::Gathering;
            self.inbox.push_front(frame);
            return;
        };
        let set = live.tracks();
        if frame.sync && frame.track == TrackId::VIDEO {
            self.gop.stretched(frame.at_ms, live.stretch_ms(&frame));
        }
        // Sound has no room to end after such GOPs, and would fall behind by a little with each.
        let steady_gop = self.gop.longest_steady_ms().map(|gop| gop - GOP_ROUNDING_MS);
        let has_outgrown = set.has_video() && !live.can_hold_gop(steady_gop);
        let may_end = frame.track == self.tracks.leading() && frame.sync;
        if may_end && (set != self.tracks.current() || has_outgrown || self.has_shrunk() || self.has_other_rate()) {
            // A track came late, or GOPs or frames are of another length: here a new epoch can begin that is made for them.
            self.leave();
            self.inbox.push_front(frame);
        } else if !set.has(frame.track) {
            self.meters.count_unusable(frame.track.kind);
        } else if let Some(live) = &mut self.live
            && let Err(frame) = live.push(frame, &mut self.events, &mut self.tap)
        {
            self.suspend();
            self.inbox.push_front(frame);
        }
    }

    /// Whether the epoch was planned for much longer GOPs than come: it went by those of a publisher, or of settings, before.
    fn has_shrunk(&self) -> bool {
        let Some(live) = self.live.as_ref().filter(|live| live.tracks().has_video()) else {
            return false;
        };
        // A slate is short, and the publisher comes back.
        if self.meters.stands_in || self.gop.settled_ms(live.plan().segment_limit_ms()).is_none() {
            return false;
        }
        self.plan(Some(self.pace())).target_duration_s * SHRUNK_FACTOR <= live.plan().target_duration_s
    }

    /// Whether the epoch's part target was planned for frames so much longer or shorter that these fill no part, or that parts are needlessly
    /// long. Only a guess is put right, and once: a rate that changes later is the publisher's own. Not so where parts are longer than was
    /// asked for: a film that starts on a screen that stood still is not to be seen late for ever.
    fn has_other_rate(&mut self) -> bool {
        if self.meters.stands_in || !self.gop.tells_rate() {
            return false;
        }
        let Some(live) = &mut self.live else { return false };
        let (was_guess, planned) = (live.take_rate_guess(), *live.plan());
        if !was_guess && planned.part_target_ms <= self.config.part_target_ms {
            return false;
        }
        let part_target_ms = self.plan(Some(self.pace())).part_target_ms;
        let fits = planned.fits_frames(self.gop.typical_ticks());
        part_target_ms * SHRUNK_FACTOR <= planned.part_target_ms
            || (was_guess && !fits && part_target_ms != planned.part_target_ms)
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

    /// Closes the epoch for good. It ends when there is another: until then, players have this one.
    fn leave(&mut self) {
        self.suspend();
        if let Some(live) = &mut self.live {
            live.leave();
        }
    }

    /// The timeline is broken: what follows is held and measured anew.
    pub(super) fn break_off(&mut self) {
        self.suspend();
        self.gather.clear();
        self.remember();
        self.gop.reset();
        self.meters.broken();
    }

    /// Ends the epoch, if there is one.
    pub(super) fn end_epoch(&mut self) {
        self.remember();
        if let Some(live) = self.live.take() {
            self.next_msn = live.next_msn().map_or(self.next_msn, |msn| msn.max(self.next_msn));
            self.meters.keep_audio_counts(live.audio_counts());
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
                self.remember();
                self.start(now, false)
            }
            None => self.start(now, false),
        }
    }

    /// Whether no open epoch can hold what is gathered.
    pub(super) fn is_replaced(&mut self, now: PackagerNow) -> bool {
        matches!(self.fate(now), None | Some(Fate::Replace))
    }

    fn fate(&mut self, now: PackagerNow) -> Option<Fate> {
        let live = self.live.as_ref()?;
        let (epoch, current) = (live.tracks(), self.tracks.current());
        if live.is_left() || !epoch.contains(current) || !live.can_hold(&self.tracks) {
            return Some(Fate::Replace);
        }
        if current != epoch {
            let waited = self.gather.waited_for_tracks(now.monotonic);
            let given_up = self.tracks.decided(epoch, waited).is_some();
            return Some(if given_up { Fate::Replace } else { Fate::Wait });
        }
        if epoch.has_video() && !self.gather.has_key() {
            return Some(Fate::Wait);
        }
        if live.can_hold_gop(self.gop.longest_ms()) {
            self.excused = 0;
        } else if live.can_hold_gop(self.gop.longest_steady_ms()) && self.excused < MAX_EXCUSED {
            self.excused += 1;
        } else {
            return Some(Fate::Replace);
        }
        // Its first frame would leave it, and sound would have begun a segment there without it.
        if self.has_shrunk() || self.has_other_rate() {
            self.leave();
            return Some(Fate::Replace);
        }
        Some(Fate::Resume)
    }

    /// Goes on in the epoch that was broken off.
    fn resume(&mut self) -> Result<(), PackagerError> {
        let leading = self
            .live
            .as_ref()
            .map_or(TrackId::VIDEO, |live| live.tracks().leading());
        let (Some(live), Some(at_ms), Some(anchor)) =
            (&mut self.live, self.gather.first_ms(leading), self.clock.anchor())
        else {
            return Ok(());
        };
        live.resume(at_ms, anchor, &self.tracks, &mut self.events, &mut self.tap)?;
        self.tracks.publish();
        self.phase = Phase::Live;
        let mut frames = self.gather.take();
        for frame in frames.iter().filter(|frame| frame.track.kind == TrackKind::Audio) {
            live.seed(frame.track.index, &frame.payload);
        }
        frames.append(&mut self.inbox);
        self.inbox = frames;
        Ok(())
    }

    /// Begins an epoch if it is clear which, or with whatever there is if it has to be `now_or_never`.
    pub(super) fn start(&mut self, now: PackagerNow, now_or_never: bool) -> Result<(), PackagerError> {
        let waited = if now_or_never {
            Waited::Enough
        } else {
            self.gather.waited_for_tracks(now.monotonic)
        };
        let Some(tracks) = self.tracks.decided(self.memory.tracks, waited) else {
            return Ok(());
        };
        let ready = if tracks.has_video() {
            let gop_known = self.gop.longest_ms().is_some()
                || self.memory.pace.is_some()
                || self.gather.waited_for_gop(now.monotonic)
                || now_or_never;
            self.gather.has_key() && gop_known
        } else {
            self.gather.first_ms(tracks.leading()).is_some()
        };
        if !ready {
            return Ok(());
        }
        self.end_epoch();
        let start = self.plan_epoch(tracks);
        self.live = Some(Live::start(start, &self.tracks, &mut self.events));
        self.excused = 0;
        self.resume()?;
        if now_or_never { self.run(now) } else { Ok(()) }
    }
}
