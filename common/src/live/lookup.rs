//! What a window answers when it is asked for a place in it.

use bytes::Bytes;

use crate::id::Msn;

/// Where a rendition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Newest segment that is complete.
    pub last_complete: Option<Msn>,
    /// The segment after it, whether or not it has begun.
    pub open: Msn,
    /// Parts of the open one that are here.
    pub open_parts: u32,
}

/// What there is of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    Here(Bytes),
    /// Its record is known, its body is not here: whoever has an upstream may fetch it.
    Absent,
    /// It may come soon.
    NotYet,
    /// It never was, was lost, or is forgotten.
    Unknown,
}

/// What there is of a whole segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentLookup {
    /// Its parts, in order: together they are the segment.
    Here(Vec<Bytes>),
    /// Complete, but not all bodies are here: whoever has an upstream may fetch it.
    Absent,
    /// Parts of it are here.
    Open,
    /// It is the one that comes next.
    NotYet,
    /// It never was, was lost, or is forgotten.
    Unknown,
}
