//! The header in front of a part on its own unidirectional stream, and what is told of a part that comes another way.

use serde::{Deserialize, Serialize};

use crate::{
    id::{ChannelId, Epoch, PartId},
    live::{PartFlags, window::PartRecord},
    time::UnixMillis,
};

/// A part without its body, and where it belongs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartHeader {
    pub channel: ChannelId,
    pub epoch: Epoch,
    pub id: PartId,
    pub init_id: u32,
    pub dts: u64,
    pub duration: u32,
    pub program_date_time: UnixMillis,
    pub flags: PartFlags,
    /// Bytes of body that follow the header, then the stream ends.
    pub body_len: u32,
}

/// A part that did not come by push: enough to put it, or a gap of its length, in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOutline {
    pub init_id: u32,
    pub record: PartRecord,
}
