//! A window without its bodies: what a relay that comes late is given, and what playlists are made from.

use serde::{Deserialize, Serialize};

use crate::{id::Msn, live::PartFlags, time::UnixMillis};

/// A window without its bodies, as a relay that comes late gets it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowRecords {
    /// Indexed by rendition; segments oldest first, the last one may be open.
    pub renditions: Vec<Vec<SegmentRecord>>,
}

/// A segment's parts without their bodies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentRecord {
    pub msn: Msn,
    pub init_id: u32,
    /// Number of discontinuities in the epoch up to and with the start of this segment: EXT-X-DISCONTINUITY-SEQUENCE's count.
    pub discontinuity_number: u64,
    pub complete: bool,
    pub parts: Vec<PartRecord>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    pub dts: u64,
    pub duration: u32,
    pub program_date_time: UnixMillis,
    pub flags: PartFlags,
    pub size: u32,
}
