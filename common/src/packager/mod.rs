//! Access units in, numbered CMAF parts out.
//!
//! A [`Packager`] lives as long as a room's stream, over reconnects of its publisher. It decides where segments and parts begin
//! and end, which epoch they belong to, and what time it is in them; it writes the bytes with [`crate::cmaf`]. It never asks for
//! the time: `now` comes with every call. Windows, playlists and links are elsewhere ([`crate::live`], [`crate::hls`]).
//!
//! What callers keep: after each call, [`Packager::poll`] until nothing comes; [`Packager::tick`] at [`Packager::next_tick`].
//!
//! The way of a frame: [`clock`] gives it a session time; before an epoch and after a break [`gather`] holds it until it is clear how to go
//! on; then [`live`] hands it to the cutters ([`video`], [`audio`] for each of the [`sounds`]), and what they cut to a [`rendition`], which
//! numbers it. Pictures that stay are seen by [`still`]. What an epoch is to be is in [`epoch`]. Whoever makes rungs of the picture hears of it by the [`tap`].

mod audio;
mod budget;
mod clock;
mod epoch;
mod flow;
mod gather;
mod gop;
mod health;
mod intake;
mod labels;
mod ladder;
mod live;
mod memory;
mod part;
mod plan;
mod rates;
mod rendition;
mod rung;
mod sounds;
mod still;
mod tap;
mod tracks;
mod video;

use std::collections::VecDeque;

use self::{
    budget::{Budget, MOST_MEGABITS},
    clock::Clock,
    gather::{Frame, Gather},
    gop::GopMeter,
    health::Meters,
    live::Live,
    tap::Tap,
    tracks::{Tracks, is_carried},
};
pub use self::{
    health::{AudioHealth, DroppedFrames, HistoryPoint, IngestHealth, UnsupportedTrack, VideoHealth},
    memory::Memory,
    plan::STAND_IN_GOP_MS,
    rung::RungPackager,
    tap::Tapped,
};
use crate::{
    cmaf::init::InitError,
    id::{Epoch, Msn, Rung},
    live::LiveEvent,
    media::{
        access_unit::{AudioTrackLabel, MediaMessage},
        audio_config::ConfigError,
        captions::Captions,
    },
    time::{Monotonic, UnixMillis},
};

/// What a packager is told once.
#[derive(Clone, Copy, Debug)]
pub struct PackagerConfig {
    /// PART-TARGET asked for, milliseconds; raised where whole frames do not fill it.
    pub part_target_ms: u32,
    /// Epochs are derived from it: no two packagers of a room may have the same.
    pub seed: u64,
    /// Number of the first segment.
    pub first_msn: Msn,
}

/// What the room offers besides the source as it comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Those less high than the source are offered, in any order.
    pub ladder: Vec<Rung>,
    /// A variant of sound alone.
    pub audio_only: bool,
    /// Names and languages of sounds, which go before what the publisher says of them.
    pub labels: Vec<AudioTrackLabel>,
}

/// The time, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct PackagerNow {
    pub monotonic: Monotonic,
    pub unix: UnixMillis,
}

/// A message was not taken. The packager goes on, also after [`Self::TooMuch`]; what sent so much is to be cut off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackagerError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error("an access unit of {bytes} bytes; at most {most} are taken")]
    TooLarge { bytes: usize, most: usize },
    #[error("the stream has more than {MOST_MEGABITS} Mb per second of its timestamps")]
    TooMuch,
    #[error("the stream has ended")]
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Frames are held: no epoch yet, or its timeline is broken.
    Gathering,
    /// Frames go straight to the epoch.
    Live,
    Ended,
}

/// Turns one publisher's access units into a room's live events.
pub struct Packager {
    config: PackagerConfig,
    phase: Phase,
    clock: Clock,
    budget: Budget,
    tracks: Tracks,
    gop: GopMeter,
    gather: Gather,
    /// Frames with a place in time, on their way within one call.
    inbox: VecDeque<Frame>,
    /// The open epoch; while gathering, one that may go on.
    live: Option<Live>,
    events: VecDeque<LiveEvent>,
    next_msn: Msn,
    epochs: u64,
    /// Breaks in a row that were laid to stalls and not to the length of GOPs.
    excused: u32,
    meters: Meters,
    memory: Memory,
    /// Captions were seen in the pictures of this stream.
    captions: Captions,
    offer: Offer,
    tap: Tap,
}

impl Packager {
    /// A packager that has seen nothing yet.
    pub fn new(config: PackagerConfig) -> Self {
        Self {
            config,
            phase: Phase::Gathering,
            clock: Clock::default(),
            budget: Budget::default(),
            tracks: Tracks::default(),
            gop: GopMeter::default(),
            gather: Gather::default(),
            inbox: VecDeque::new(),
            live: None,
            events: VecDeque::new(),
            next_msn: config.first_msn,
            epochs: 0,
            excused: 0,
            meters: Meters::default(),
            memory: Memory::default(),
            captions: Captions::default(),
            offer: Offer::default(),
            tap: Tap::default(),
        }
    }

    /// What to offer from the next epoch on.
    pub fn set_offer(&mut self, offer: Offer) {
        self.offer = offer;
    }

    /// Whether what is pushed from now on stands in for the publisher: it is published, and not measured.
    pub fn set_stand_in(&mut self, on: bool) {
        self.meters.stands_in = on;
    }

    /// Opens or shuts the tap. While it is open, [`Self::poll_tapped`] has to be called until nothing comes, as [`Self::poll`] has.
    pub fn set_tap(&mut self, on: bool) {
        if on && !self.tap.is_on() {
            self.tap.set(true);
            if let (Phase::Live, Some(live)) = (self.phase, &self.live) {
                live.announce(&self.tracks, &mut self.tap);
            }
        } else {
            self.tap.set(on);
        }
    }

    /// What came out of the tap next.
    pub fn poll_tapped(&mut self) -> Option<Tapped> {
        self.tap.poll()
    }

    /// Takes the publisher's next message.
    ///
    /// # Errors
    /// When the message cannot be used; the stream goes on without it.
    pub fn push(&mut self, now: PackagerNow, message: MediaMessage) -> Result<(), PackagerError> {
        if self.phase == Phase::Ended {
            return Err(PackagerError::Ended);
        }
        self.meters.advance(now, self.live.as_ref());
        match message {
            MediaMessage::Metadata(metadata) => {
                self.tracks.metadata = metadata;
                self.settle(now)
            }
            MediaMessage::Config { track, codec, record } if is_carried(track) && codec.kind() == track.kind => {
                self.configure(now, track, codec, &record)
            }
            MediaMessage::Config { .. } => Ok(()),
            MediaMessage::Colour(colour) => {
                let configured = self.tracks.set_colour(colour)?;
                self.configured(now, configured)
            }
            MediaMessage::Unsupported { track, codec } => {
                self.meters.unsupported(track, &codec);
                Ok(())
            }
            MediaMessage::AccessUnit(unit) => self.access_unit(now, unit),
        }
    }

    /// The publisher is lost and nothing more comes for now. What is held is published and the segment closed; the next media follow after a
    /// discontinuity, or in a new epoch if they do not fit this one. An epoch not published yet is given up.
    pub fn interrupted(&mut self, _now: PackagerNow) {
        if self.phase == Phase::Ended {
            return;
        }
        self.break_off();
        self.gop.interrupt();
        self.meters.interrupted();
        self.clock.interrupt();
        self.tracks.interrupt();
    }

    /// The stream is over: everything held is published, and the epoch ended.
    pub fn end(&mut self, now: PackagerNow) {
        if self.phase == Phase::Ended {
            return;
        }
        if self.phase == Phase::Gathering && self.is_replaced(now) {
            // A stream shorter than a GOP is a stream too. Its tracks can be written, or they would not have been configured.
            let _ = self.start(now, true);
        }
        self.suspend();
        self.gather.clear();
        self.end_epoch();
        self.phase = Phase::Ended;
    }

    /// Whoever plays the open epoch can follow it no more: it is given up with all that is not fetched of it, its end too. What is pushed next
    /// is of another one.
    pub fn abandon_epoch(&mut self) {
        self.suspend();
        self.gather.clear();
        self.end_epoch();
        self.events.clear();
    }

    /// Time has gone by: decides what was waiting for it.
    pub fn tick(&mut self, now: PackagerNow) {
        self.meters.advance(now, self.live.as_ref());
        if self.phase == Phase::Gathering {
            // A configuration that cannot be written was reported when it came.
            let _ = self.settle(now);
        }
    }

    /// When [`Self::tick`] has something to decide, if nothing else comes.
    pub fn next_tick(&self) -> Option<Monotonic> {
        (self.phase == Phase::Gathering).then(|| self.gather.next_tick())?
    }

    /// The next event, in order.
    pub fn poll(&mut self) -> Option<LiveEvent> {
        self.events.pop_front()
    }

    /// The number after the last segment begun.
    pub fn next_msn(&self) -> Msn {
        self.live
            .as_ref()
            .and_then(Live::next_msn)
            .unwrap_or(self.next_msn)
            .max(self.next_msn)
    }

    /// How the stream is, for the one who sends it.
    pub fn health(&self, now: PackagerNow) -> IngestHealth {
        health::report(self, now)
    }

    /// Epochs are told apart by a mix of the seed and a count (the finalizer of SplitMix64, which maps no two counts to one).
    fn next_epoch(&mut self) -> Epoch {
        self.epochs += 1;
        let mut z = self
            .config
            .seed
            .wrapping_add(self.epochs.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Epoch(z ^ (z >> 31))
    }
}

#[cfg(test)]
mod tests;
