//! Reading an [`EpochDescription`], and the bounds it has to keep before anything is built on it: on a relay it comes from the
//! network, and its texts go into playlists.

use crate::{
    id::{Msn, RenditionId},
    live::{EpochDescription, RenditionDescription, RenditionFormat},
    media::access_unit::TrackKind,
};

/// GAP segments that are listed in front of the first real one (PROTOCOLS 1.5); `first_msn` leaves room for their numbers.
pub const GAP_SEGMENTS: u64 = 7;
/// No number of a segment is above this, so that sums of numbers cannot overflow.
pub const MAX_MSN: u64 = 1 << 48;
/// No decode time is above this, in ticks.
pub const MAX_DTS: u64 = 1 << 60;
/// One video and one audio track.
pub const MAX_RENDITIONS: usize = 2;

const MAX_TARGET_DURATION_S: u32 = 12;
const PART_TARGET_MS: std::ops::RangeInclusive<u32> = 50..=5000;
const MAX_CODECS_LEN: usize = 64;

/// Why a description cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    #[error("target duration {0} s is not in 1..={MAX_TARGET_DURATION_S}")]
    TargetDuration(u32),
    #[error("part target {0} ms is not in 50..=5000")]
    PartTarget(u32),
    #[error("first media sequence number {0} is not in {GAP_SEGMENTS}..={MAX_MSN}")]
    FirstMsn(u64),
    #[error("renditions are not one video, one audio, or the video and then the audio")]
    Renditions,
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
        let mut tracks = self.renditions.iter().map(|rendition| rendition.format.track());
        let well_ordered = match (tracks.next(), tracks.next(), tracks.next()) {
            (Some(_), None, _) => true,
            (Some(first), Some(second), None) => first == TrackKind::Video && second == TrackKind::Audio,
            _ => false,
        };
        if !well_ordered {
            return Err(DescriptionError::Renditions);
        }
        for (index, rendition) in (0u8..).zip(&self.renditions) {
            if rendition.timescale == 0 {
                return Err(DescriptionError::Timescale(index));
            }
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
            let codecs = rendition.codecs.as_bytes();
            if !(1..=MAX_CODECS_LEN).contains(&codecs.len()) || !codecs.iter().copied().all(plain) {
                return Err(DescriptionError::Codecs(index));
            }
        }
        Ok(())
    }

    /// The rendition with this number.
    pub fn rendition(&self, id: RenditionId) -> Option<&RenditionDescription> {
        self.renditions.get(usize::from(id.0))
    }

    /// The rendition that carries this track.
    pub fn rendition_of(&self, track: TrackKind) -> Option<RenditionId> {
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
    pub fn track(&self) -> TrackKind {
        match self {
            Self::Video { .. } => TrackKind::Video,
            Self::Audio { .. } => TrackKind::Audio,
        }
    }
}
