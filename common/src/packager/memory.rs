//! What an epoch was made from, kept for one that has to begin before anything is measured anew: a publisher that comes back with another
//! codec is to be seen with its first key frame, and so is one that starts the room's next stream.
//!
//! It is a guess, and gives way to what is stated or measured. Guessed GOPs that turn out longer or much shorter get an epoch that is
//! planned for them (see [`super::flow`]), and so do frames that the part target does not suit.

use serde::{Deserialize, Serialize};

use super::{
    Packager, PackagerConfig,
    gop::FramePace,
    tracks::{TrackSet, place},
};
use crate::{
    live::BitRate,
    media::{
        access_unit::{Codec, MAX_AUDIO_TRACKS, TrackId},
        captions::Captions,
    },
};

/// No stream has frames or GOPs as long: whoever says so is not to be reckoned with.
const MAX_FRAME_TICKS: u64 = 60 * 90_000;
const MAX_GOP_MS: i64 = 3_600_000;

/// Intervals that differ by no more than one in so many are the same, measured on times that encoders round.
const ROUNDING_SHARE: u64 = 100;

/// What a packager knows of its room's publisher, for the packager of the next stream ([`Packager::remembering`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Of the newest epoch with a picture.
    pub(super) pace: Option<FramePace>,
    /// Of the newest epoch.
    pub(super) tracks: TrackSet,
    /// By [`place`].
    rates: [Option<KeptRate>; 1 + MAX_AUDIO_TRACKS as usize],
    /// Captions were seen in the pictures of the stream before.
    pub(super) captions: Captions,
}

/// A memory's text is not one of this version, or cannot be true.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    #[error("not a memory of this version: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("tracks that there are not")]
    Tracks,
    #[error("a frame of {frame_ticks} ticks or a GOP of {gop_ms} ms")]
    Pace { frame_ticks: u64, gop_ms: i64 },
}

/// A bit rate, and what needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptRate {
    coding: Coding,
    rate: BitRate,
}

/// What a bit rate mostly depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Coding {
    pub(super) codec: Codec,
    /// Of the picture; zero for sound.
    pub(super) height: u16,
}

impl Memory {
    /// JSON to be kept over a restart of the process; nobody else's to read, and another with each version that needs it.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("numbers and names are JSON")
    }

    /// What [`Memory::to_text`] gave.
    ///
    /// # Errors
    /// When another version wrote it, or what it says cannot be.
    pub fn from_text(text: &str) -> Result<Self, MemoryError> {
        let memory: Self = serde_json::from_str(text)?;
        if !memory.tracks.is_known() {
            return Err(MemoryError::Tracks);
        }
        if let Some(FramePace {
            frame_ticks,
            longest_gop_ms,
        }) = memory.pace
        {
            let gop_ms = longest_gop_ms.unwrap_or_default();
            if !(1..=MAX_FRAME_TICKS).contains(&frame_ticks) || !(0..=MAX_GOP_MS).contains(&gop_ms) {
                return Err(MemoryError::Pace { frame_ticks, gop_ms });
            }
        }
        Ok(memory)
    }

    /// Whether it differs from `kept` by more than encoders' rounding of times makes from frame to frame.
    pub fn is_news_after(&self, kept: &Self) -> bool {
        let mut unrounded = self.clone();
        if let (Some(pace), Some(kept)) = (&mut unrounded.pace, kept.pace) {
            let apart = pace.frame_ticks.abs_diff(kept.frame_ticks);
            if apart * ROUNDING_SHARE <= kept.frame_ticks {
                pace.frame_ticks = kept.frame_ticks;
            }
        }
        unrounded != *kept
    }

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

    /// What the room's next stream is to be planned by, if this one ended now.
    pub fn memory(&self) -> Memory {
        let learnt = self.learnt();
        let showed_pictures = self.epochs > 0 && self.live.is_none() && learnt.tracks.has_video();
        // A stream that goes on may show captions yet.
        let expected = if showed_pictures {
            Captions::default()
        } else {
            learnt.captions
        };
        let captions = self.captions | expected;
        Memory { captions, ..learnt }
    }

    /// Keeps what the open epoch shows of the publisher.
    pub(super) fn remember(&mut self) {
        self.memory = self.learnt();
    }

    fn learnt(&self) -> Memory {
        let mut memory = self.memory.clone();
        // A slate's GOPs are not the publisher's.
        let Some(live) = self.live.as_ref().filter(|_| !self.meters.stands_in) else {
            return memory;
        };
        memory.tracks = live.tracks();
        for (track, coding, rate) in live.bit_rates() {
            memory.keep_rate(track, coding, rate);
        }
        if live.tracks().has_video() && self.gop.tells_rate() {
            let before = memory.pace.and_then(|pace| pace.longest_gop_ms);
            memory.pace = Some(FramePace {
                frame_ticks: self.gop.typical_ticks(),
                longest_gop_ms: self.gop.longest_own_ms().or(before),
            });
        }
        memory
    }
}
