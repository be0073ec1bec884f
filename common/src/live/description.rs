//! Reading an [`EpochDescription`], and the bounds it has to keep before anything is built on it: on a relay it comes from the
//! network, and its texts go into playlists.

use crate::{
    id::{Msn, RenditionId},
    live::{EpochDescription, RenditionDescription, RenditionFormat, RungDescription},
    media::{
        access_unit::{MAX_AUDIO_TRACKS, TrackId, TrackKind},
        captions::Captions,
    },
};

/// GAP segments that are listed in front of the first real one (PROTOCOLS 1.5); `first_msn` leaves room for their numbers.
pub const GAP_SEGMENTS: u64 = 7;
/// No number of a segment is above this, so that sums of numbers cannot overflow.
pub const MAX_MSN: u64 = 1 << 48;
/// No decode time is above this, in ticks.
pub const MAX_DTS: u64 = 1 << 60;
/// One video track and all audio tracks.
pub const MAX_RENDITIONS: usize = 1 + MAX_AUDIO_TRACKS as usize;

const MAX_TARGET_DURATION_S: u32 = 12;
const PART_TARGET_MS: std::ops::RangeInclusive<u32> = 50..=5000;
const MAX_CODECS_LEN: usize = 64;
/// Of an audio track's name.
pub const MAX_NAME_CHARS: usize = 64;
const MAX_LANGUAGE_LEN: usize = 35;

/// Why a description cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    #[error("target duration {0} s is not in 1..={MAX_TARGET_DURATION_S}")]
    TargetDuration(u32),
    #[error("part target {0} ms is not in 50..=5000")]
    PartTarget(u32),
    #[error("first media sequence number {0} is not in {GAP_SEGMENTS}..={MAX_MSN}")]
    FirstMsn(u64),
    #[error("renditions are not a video, audio tracks in order, or the video and then the audio tracks")]
    Renditions,
    #[error("rendition {0} has a name or language that is empty, long, or not plain")]
    Label(u8),
    #[error("the ladder is not in order, or a rung of it has a size or a codecs string that cannot be")]
    Ladder,
    #[error("{0} discontinuities in the parent; at most {MAX_MSN} can be")]
    Discontinuities(u64),
    #[error("rendition {0} has a timescale of zero")]
    Timescale(u8),
    #[error("rendition {0} has a codecs string that is empty, long, or not plain")]
    Codecs(u8),
}

impl EpochDescription {
    /// Checks all bounds that playlists and windows rely on.
    pub fn validate(&self) -> Result<(), DescriptionError> {
        if !(1..=MAX_TARGET_DURATION_S).contains(&self.target_duration_s) {
            return Err(DescriptionError::TargetDuration(self.target_duration_s));
        }
        if !PART_TARGET_MS.contains(&self.part_target_ms) {
            return Err(DescriptionError::PartTarget(self.part_target_ms));
        }
        if !(GAP_SEGMENTS..=MAX_MSN).contains(&self.first_msn.0) {
            return Err(DescriptionError::FirstMsn(self.first_msn.0));
        }
        let tracks = || self.renditions.iter().map(|rendition| rendition.format.track());
        let is_known = |track: TrackId| track == TrackId::VIDEO || track.index < MAX_AUDIO_TRACKS;
        // Video sorts before audio, audio by number.
        if self.renditions.is_empty() || !tracks().all(is_known) || !tracks().is_sorted_by(|a, b| a < b) {
            return Err(DescriptionError::Renditions);
        }
        for (index, rendition) in (0u8..).zip(&self.renditions) {
            if rendition.timescale == 0 {
                return Err(DescriptionError::Timescale(index));
            }
            if !is_codecs(&rendition.codecs) {
                return Err(DescriptionError::Codecs(index));
            }
            if let RenditionFormat::Audio { name, language, .. } = &rendition.format
                && !(is_name(name) && language.as_deref().is_none_or(is_language))
            {
                return Err(DescriptionError::Label(index));
            }
        }
        let can_be = |rung: &RungDescription| rung.width > 0 && rung.height > 0 && is_codecs(&rung.codecs);
        if !self.ladder.iter().all(can_be) || !self.ladder.is_sorted_by(|a, b| a.rung < b.rung) {
            return Err(DescriptionError::Ladder);
        }
        if self.discontinuities() > MAX_MSN {
            return Err(DescriptionError::Discontinuities(self.discontinuities()));
        }
        Ok(())
    }

    /// Discontinuities in front of the first segment: a rung counts on from its source's.
    pub fn discontinuities(&self) -> u64 {
        self.parent.map_or(0, |parent| parent.discontinuities)
    }

    /// Captions that ride in the picture.
    pub fn captions(&self) -> Captions {
        let of_picture = self.renditions.iter().find_map(|rendition| match rendition.format {
            RenditionFormat::Video { captions, .. } => Some(captions),
            RenditionFormat::Audio { .. } => None,
        });
        of_picture.unwrap_or_default()
    }

    /// The rendition with this number.
    pub fn rendition(&self, id: RenditionId) -> Option<&RenditionDescription> {
        self.renditions.get(usize::from(id.0))
    }

    /// The rendition that carries this track.
    pub fn rendition_of(&self, track: TrackId) -> Option<RenditionId> {
        self.rendition_ids()
            .find(|&id| self.rendition(id).is_some_and(|r| r.format.track() == track))
    }

    /// All renditions' numbers, in order.
    pub fn rendition_ids(&self) -> impl DoubleEndedIterator<Item = RenditionId> + use<> {
        let count = u8::try_from(self.renditions.len()).unwrap_or(u8::MAX);
        (0..count).map(RenditionId)
    }

    /// Number of the first GAP segment.
    pub fn first_gap_msn(&self) -> Msn {
        Msn(self.first_msn.0.saturating_sub(GAP_SEGMENTS))
    }
}

impl RenditionFormat {
    /// Which track this is.
    pub fn track(&self) -> TrackId {
        match self {
            Self::Video { .. } => TrackId::VIDEO,
            Self::Audio { index, .. } => TrackId::audio(*index),
        }
    }

    /// What the track carries.
    pub fn kind(&self) -> TrackKind {
        self.track().kind
    }
}

fn is_codecs(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    (1..=MAX_CODECS_LEN).contains(&text.len()) && text.bytes().all(plain)
}

/// Whether the text can stand in a quoted string of a playlist, as a name that people read.
pub fn is_name(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= MAX_NAME_CHARS
        && !text.chars().any(|c| c == '"' || c.is_control())
}

/// Whether the text looks like a BCP 47 tag.
pub fn is_language(text: &str) -> bool {
    let subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= MAX_LANGUAGE_LEN && text.split('-').all(subtag)
}
