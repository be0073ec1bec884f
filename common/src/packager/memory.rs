//! What an epoch was made from, kept for one that has to begin before anything is measured anew: a publisher that comes back with another
//! codec is to be seen with its first key frame, and so is one that starts the room's next stream.
//!
//! It is a guess, and gives way to what is stated or measured. Guessed GOPs that turn out longer or much shorter get an epoch that is
//! planned for them (see [`super::flow`]), and so do frames that the part target does not suit.

use super::{
    Packager, PackagerConfig,
    gop::FramePace,
    tracks::{TrackSet, place},
};
use crate::{
    live::BitRate,
    media::access_unit::{Codec, MAX_AUDIO_TRACKS, TrackId},
};

/// What a packager knows of its room's publisher, for the packager of the next stream ([`Packager::remembering`]).
#[derive(Debug, Default)]
pub struct Memory {
    /// Of the newest epoch with a picture.
    pub(super) pace: Option<FramePace>,
    /// Of the newest epoch.
    pub(super) tracks: TrackSet,
    /// By [`place`].
    rates: [Option<KeptRate>; 1 + MAX_AUDIO_TRACKS as usize],
    /// Captions were seen in the pictures of the stream before.
    pub(super) captions: bool,
}

/// A bit rate, and what needs it.
#[derive(Clone, Copy, Debug)]
struct KeptRate {
    coding: Coding,
    rate: BitRate,
}

/// What a bit rate mostly depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coding {
    pub(super) codec: Codec,
    /// Of the picture; zero for sound.
    pub(super) height: u16,
}

impl Memory {
    /// As it was declared last.
    pub(super) fn rate(&self, track: TrackId) -> Option<BitRate> {
        self.rates[place(track)].map(|kept| kept.rate)
    }

    /// The same, if it was of such a coding.
    pub(super) fn rate_of(&self, track: TrackId, coding: Coding) -> Option<BitRate> {
        let kept = self.rates[place(track)].filter(|kept| kept.coding == coding);
        kept.map(|kept| kept.rate)
    }

    fn keep_rate(&mut self, track: TrackId, coding: Coding, rate: BitRate) {
        self.rates[place(track)] = Some(KeptRate { coding, rate });
    }
}

impl Packager {
    /// A packager of the room's next stream. If that has the tracks of the one before, it is published with its first key frame, as after
    /// an outage.
    pub fn remembering(config: PackagerConfig, memory: Memory) -> Self {
        Self {
            memory,
            ..Self::new(config)
        }
    }

    /// What the room's next stream is to be planned by, once this one has ended.
    pub fn into_memory(self) -> Memory {
        let had_pictures = self.epochs > 0 && self.memory.tracks.has_video();
        Memory {
            captions: if had_pictures {
                self.captions
            } else {
                self.memory.captions
            },
            ..self.memory
        }
    }

    /// Keeps what the open epoch shows of the publisher.
    pub(super) fn remember(&mut self) {
        // A slate's GOPs are not the publisher's.
        let Some(live) = self.live.as_ref().filter(|_| !self.meters.stands_in) else {
            return;
        };
        self.memory.tracks = live.tracks();
        for (track, coding, rate) in live.bit_rates() {
            self.memory.keep_rate(track, coding, rate);
        }
        if live.tracks().has_video() && self.gop.tells_rate() {
            let before = self.memory.pace.and_then(|pace| pace.longest_gop_ms);
            self.memory.pace = Some(FramePace {
                frame_ticks: self.gop.typical_ticks(),
                longest_gop_ms: self.gop.longest_own_ms().or(before),
            });
        }
    }
}
