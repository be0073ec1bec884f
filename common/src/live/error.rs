//! Why a window refuses an event, or records to start from.

use crate::{
    id::{Epoch, Msn, PartId, RenditionId},
    live::description::DescriptionError,
};

/// The window is as it was before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    #[error("a start belongs to no window: it makes a new one")]
    Start,
    #[error("the epoch has ended")]
    Ended,
    #[error("no rendition {}", .0.0)]
    UnknownRendition(RenditionId),
    #[error("part {}.{} of rendition {} came where {}.{} was due", got.msn, got.part, got.rendition.0, due.0, due.1)]
    OutOfOrder { got: PartId, due: (Msn, u32) },
    #[error("part {}.{} of rendition {}: {rule}", id.msn, id.part, id.rendition.0)]
    BadPart { id: PartId, rule: PartRule },
    #[error("segment {msn} of rendition {} is not the open one", rendition.0)]
    SegmentNotOpen { rendition: RenditionId, msn: Msn },
    #[error("the epoch cannot end while segment {msn} of rendition {} is open", rendition.0)]
    EndInsideSegment { rendition: RenditionId, msn: Msn },
    #[error("init segment {init_id} of rendition {} is here with other bytes", rendition.0)]
    InitChanged { rendition: RenditionId, init_id: u32 },
    #[error("init segment {init_id} of rendition {} is empty, too long, older than those in use, or one too many", rendition.0)]
    BadInit { rendition: RenditionId, init_id: u32 },
    #[error("the peak bit rate of rendition {} fell", .0.0)]
    BitRateFell(RenditionId),
    #[error("a body of {got} bytes where the record says {expected}")]
    BodySize { expected: u32, got: usize },
    #[error(transparent)]
    Description(#[from] DescriptionError),
    #[error("records of rendition {} are not those of a window: {rule}", rendition.0)]
    BadRecords { rendition: RenditionId, rule: RecordRule },
    #[error("an event of epoch {0}, which is not here")]
    UnknownEpoch(Epoch),
    #[error("epoch {0} has started before")]
    EpochTwice(Epoch),
    #[error("nothing has started")]
    NotStarted,
}

/// What a part broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartRule {
    #[error("its init segment is not here")]
    UnknownInit,
    #[error("its init segment is not the one of its segment, or older than the last one")]
    InitOrder,
    #[error("a discontinuity inside a segment")]
    DiscontinuityInside,
    #[error("its decode time does not grow, or is out of range")]
    DecodeTime,
    #[error("it has no duration")]
    NoDuration,
    #[error("a gap with a body, or media without one")]
    Body,
    #[error("its body is too long")]
    TooLong,
    #[error("too many parts in a segment")]
    TooManyParts,
    #[error("its number is out of range")]
    Number,
}

/// What a set of records broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordRule {
    #[error("not one list for each rendition")]
    RenditionCount,
    #[error("too many segments")]
    TooManySegments,
    #[error("numbers that do not follow each other from the first one on")]
    Numbers,
    #[error("an open segment that is not the last one")]
    OpenInside,
    #[error("a segment without parts")]
    NoParts,
    #[error("a part marked last that is not, or a segment left open behind one")]
    LastFlag,
    #[error("discontinuity numbers that do not count the marks")]
    Discontinuity,
    #[error("{0}")]
    Part(PartRule),
}
