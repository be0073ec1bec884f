//! One FLV tag, not yet looked into.

use bytes::Bytes;

/// What a tag carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagKind {
    Audio,
    Video,
    /// AMF0 values, `onMetaData` among them.
    Script,
}

/// A tag as one RTMP message carries it, without the FLV file's tag header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub kind: TagKind,
    /// Decode time, milliseconds on the publisher's clock, wrapping.
    pub timestamp_ms: u32,
    pub body: Bytes,
}
