//! The sounds of an epoch: each is cut by its own count of samples, all into segments of the same numbers.
//!
//! Segments begin where the picture's do. Without a picture the first sound says where, and the others end at their first whole part
//! after it.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{
    audio::{AudioCounts, AudioCut, AudioCutter},
    clock::Anchor,
    memory::Coding,
    plan::Plan,
    rendition::Rendition,
    tracks::Tracks,
};
use crate::{
    cmaf::{
        fragment::FragmentTrack,
        init::{self, InitError},
    },
    id::{Msn, RenditionId},
    live::{BitRate, EpochDescription, LiveEvent, RenditionFormat},
    media::{
        access_unit::{Codec, TrackId},
        audio_config::AudioConfig,
    },
};

struct Sound {
    index: u8,
    codec: Codec,
    language: Option<String>,
    timescale: u32,
    frame_samples: u32,
    cutter: AudioCutter,
    rendition: Rendition,
}

pub(super) struct Sounds {
    /// In the order of their numbers.
    sounds: Vec<Sound>,
    /// There is no picture to follow.
    alone: bool,
}

impl Sounds {
    /// Those of the description that are configured.
    pub(super) fn new(description: &EpochDescription, plan: &Plan, tracks: &Tracks, alone: bool) -> Self {
        let mut sounds = Vec::new();
        for (id, rendition) in description.rendition_ids().zip(&description.renditions) {
            if let RenditionFormat::Audio { index, language, .. } = &rendition.format
                && let Some(config) = tracks.sound(*index)
            {
                let leads = alone && sounds.is_empty();
                sounds.push(Sound {
                    index: *index,
                    codec: config.codec,
                    language: language.clone(),
                    timescale: config.sample_rate,
                    frame_samples: config.frame_samples,
                    cutter: AudioCutter::new(plan, config, !leads),
                    rendition: numbered(id, config, description.first_msn, rendition.bit_rate),
                });
            }
        }
        Self { sounds, alone }
    }

    /// Whether each goes on as it is configured now.
    pub(super) fn can_hold(&self, tracks: &Tracks) -> bool {
        self.sounds.iter().all(|sound| {
            let same = |config: &AudioConfig| {
                (config.codec, config.sample_rate, config.frame_samples)
                    == (sound.codec, sound.timescale, sound.frame_samples)
            };
            tracks.sound(sound.index).is_none_or(same)
        })
    }

    /// The number after the last segment begun.
    pub(super) fn next_msn(&self) -> Option<Msn> {
        self.sounds.iter().map(|sound| sound.rendition.next_msn()).max()
    }

    /// Session time up to which media was published, in milliseconds, rounded up.
    pub(super) fn end_ms(&self) -> u64 {
        let ends = self.sounds.iter();
        ends.map(|sound| (sound.cutter.end() * 1000).div_ceil(u64::from(sound.timescale.max(1))))
            .max()
            .unwrap_or(0)
    }

    /// Frames left out or put in, of all sounds together.
    pub(super) fn counts(&self) -> AudioCounts {
        let counts = self.sounds.iter().map(|sound| sound.cutter.counts);
        counts.fold(AudioCounts::default(), |sum, counts| sum + counts)
    }

    /// By how much the timestamps of each lead its count of samples, in milliseconds, by number.
    pub(super) fn drifts_ms(&self) -> impl Iterator<Item = (u8, i64)> {
        self.sounds.iter().map(|sound| (sound.index, sound.cutter.drift_ms()))
    }

    /// What is declared of each.
    pub(super) fn bit_rates(&self) -> impl Iterator<Item = (TrackId, Coding, BitRate)> {
        let coding = |codec| Coding { codec, height: 0 };
        let rate = move |sound: &Sound| {
            let rate = sound.rendition.declared();
            (TrackId::audio(sound.index), coding(sound.codec), rate)
        };
        self.sounds.iter().map(rate)
    }

    /// A frame of what has no silence of its own.
    pub(super) fn seed(&mut self, index: u8, payload: &Bytes) {
        if let Some(sound) = self.sounds.iter_mut().find(|sound| sound.index == index) {
            sound.cutter.seed(payload);
        }
    }

    /// Begins a run of segments at a session time.
    pub(super) fn resume(
        &mut self,
        at_ms: i64,
        tracks: &Tracks,
        out: &mut VecDeque<LiveEvent>,
    ) -> Result<(), InitError> {
        for sound in &mut self.sounds {
            if let Some(config) = tracks.sound(sound.index) {
                let init = init::audio(config, sound.language.as_deref())?;
                sound.rendition.begin(init, out);
                sound.cutter.start(at_ms, config);
            }
        }
        Ok(())
    }

    /// Takes a frame.
    pub(super) fn push(&mut self, index: u8, at_ms: i64, payload: Bytes) {
        if let Some(sound) = self.sounds.iter_mut().find(|sound| sound.index == index) {
            sound.cutter.push(at_ms, payload);
        }
        if self.alone {
            self.keep_up(at_ms);
        }
    }

    /// The picture starts a segment at this session time; the first one of a run is [`Self::resume`].
    pub(super) fn boundary(&mut self, at_ms: i64) {
        for sound in &mut self.sounds {
            sound.cutter.boundary(at_ms);
        }
    }

    /// Another track is at this session time: sounds that are too far behind are made up for.
    pub(super) fn keep_up(&mut self, at_ms: i64) {
        for sound in &mut self.sounds {
            sound.cutter.keep_up(at_ms);
        }
    }

    /// Writes what can be cut.
    pub(super) fn publish(&mut self, anchor: Anchor, out: &mut VecDeque<LiveEvent>) {
        for place in 0..self.sounds.len() {
            while let Some(cut) = self.sounds[place].cutter.next_cut() {
                self.write(place, cut, anchor, out);
            }
        }
    }

    /// Closes the open segments with all that is held; `until_ms` is where the picture ends.
    pub(super) fn close(&mut self, until_ms: Option<i64>, anchor: Anchor, out: &mut VecDeque<LiveEvent>) {
        let mut until_ms = until_ms;
        for place in 0..self.sounds.len() {
            for cut in self.sounds[place].cutter.close(until_ms) {
                self.sounds[place].write(cut, anchor, out);
            }
            if self.alone && place == 0 {
                until_ms = Some(self.sounds[place].end_ms());
            }
        }
    }

    fn write(&mut self, place: usize, cut: AudioCut, anchor: Anchor, out: &mut VecDeque<LiveEvent>) {
        let ends_segment = match &cut {
            AudioCut::Part(part) => part.last,
            AudioCut::SegmentEnd => true,
        };
        self.sounds[place].write(cut, anchor, out);
        if self.alone && place == 0 && ends_segment {
            let at_ms = self.sounds[place].end_ms();
            for follower in &mut self.sounds[1..] {
                follower.cutter.boundary(at_ms);
            }
        }
    }
}

impl Sound {
    /// Rounded down: a part of the same length in another sound then reaches it.
    fn end_ms(&self) -> i64 {
        let end_ms = u128::from(self.cutter.end()) * 1000 / u128::from(self.timescale.max(1));
        i64::try_from(end_ms).unwrap_or(i64::MAX)
    }

    fn write(&mut self, cut: AudioCut, anchor: Anchor, out: &mut VecDeque<LiveEvent>) {
        match cut {
            // No frame of it came yet, and none can be made up.
            AudioCut::Part(part) if part.samples.iter().any(|sample| sample.payload.is_empty()) => {
                self.rendition.gap(part.dts, part.duration(), part.last, anchor, out);
            }
            AudioCut::Part(part) => self.rendition.part(&part, anchor, out),
            AudioCut::SegmentEnd => self.rendition.segment_end(out),
        }
    }
}

fn numbered(id: RenditionId, config: &AudioConfig, first_msn: Msn, bit_rate: BitRate) -> Rendition {
    let track = FragmentTrack::Audio {
        frame_duration: config.frame_samples,
    };
    Rendition::new(id, track, config.sample_rate, first_msn, bit_rate)
}
