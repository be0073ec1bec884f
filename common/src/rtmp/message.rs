//! RTMP messages (RTMP 1.0 sections 5.4, 6 and 7), whole and not looked into.

use std::fmt;

use bytes::Bytes;

/// Message type ids of RTMP 1.0 sections 5.4 and 7.1.
pub mod type_id {
    pub const SET_CHUNK_SIZE: u8 = 1;
    pub const ABORT: u8 = 2;
    pub const ACKNOWLEDGEMENT: u8 = 3;
    pub const USER_CONTROL: u8 = 4;
    pub const WINDOW_ACKNOWLEDGEMENT_SIZE: u8 = 5;
    pub const SET_PEER_BANDWIDTH: u8 = 6;
    pub const AUDIO: u8 = 8;
    pub const VIDEO: u8 = 9;
    pub const DATA_AMF3: u8 = 15;
    pub const COMMAND_AMF3: u8 = 17;
    pub const DATA_AMF0: u8 = 18;
    pub const COMMAND_AMF0: u8 = 20;
    pub const AGGREGATE: u8 = 22;
}

/// One whole RTMP message.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub type_id: u8,
    /// The message stream; 0 is the connection itself.
    pub stream_id: u32,
    /// Milliseconds on the peer's clock, wrapping.
    pub timestamp_ms: u32,
    pub payload: Bytes,
}

impl Message {
    /// The 32-bit number that a control message is, or begins with; `None` when it is shorter.
    pub fn number(&self) -> Option<u32> {
        let (number, _) = self.payload.split_first_chunk()?;
        Some(u32::from_be_bytes(*number))
    }
}

impl fmt::Debug for Message {
    /// Without the payload: a `publish` command carries the stream key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("type_id", &self.type_id)
            .field("stream_id", &self.stream_id)
            .field("timestamp_ms", &self.timestamp_ms)
            .field("payload_len", &self.payload.len())
            .finish()
    }
}
