//! The header in front of a part on its own unidirectional stream.

use serde::{Deserialize, Serialize};

use crate::{
    id::{Epoch, PartId, RoomSlug},
    live::PartFlags,
    time::UnixMillis,
};

/// A part without its body, and where it belongs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartHeader {
    pub room: RoomSlug,
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
