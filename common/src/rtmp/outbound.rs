//! What we send to a publisher, as chunks.

use bytes::Bytes;
use rml_rtmp::{
    chunk_io::ChunkSerializer,
    messages::{MessagePayload, RtmpMessage, UserControlEventType},
    time::RtmpTimestamp,
};

use super::{
    amf0::{self, Value},
    message::type_id,
};

/// Chunk size that we announce, bytes. Longer than any message of ours, so each goes out as one chunk: the serializer's
/// uncompressed form, which old encoders need, is wrong for a message of several.
const CHUNK_SIZE: u32 = 4096;

/// The writer of one connection's chunks.
pub(super) struct Outbound {
    serializer: ChunkSerializer,
}

impl Outbound {
    pub(super) fn new() -> Self {
        Self {
            serializer: ChunkSerializer::new(),
        }
    }

    /// "Set Chunk Size", in force for everything after it.
    pub(super) fn announce_chunk_size(&mut self) -> Vec<u8> {
        let packet = self.serializer.set_max_chunk_size(CHUNK_SIZE, RtmpTimestamp::new(0));
        packet.expect("the size is below 2^31 and the message is 4 bytes").bytes
    }

    /// A protocol control message.
    pub(super) fn control(&mut self, message: RtmpMessage) -> Vec<u8> {
        let payload = message.into_message_payload(RtmpTimestamp::new(0), 0);
        self.chunk(&payload.expect("control messages are fixed fields written to memory"))
    }

    /// "Stream Begin": the message stream can be used.
    pub(super) fn stream_begin(&mut self, stream_id: u32) -> Vec<u8> {
        self.control(RtmpMessage::UserControl {
            event_type: UserControlEventType::StreamBegin,
            stream_id: Some(stream_id),
            buffer_length: None,
            timestamp: None,
        })
    }

    /// The answer to a ping, with the ping's timestamp.
    pub(super) fn pong(&mut self, timestamp_ms: u32) -> Vec<u8> {
        self.control(RtmpMessage::UserControl {
            event_type: UserControlEventType::PingResponse,
            stream_id: None,
            buffer_length: None,
            timestamp: Some(RtmpTimestamp::new(timestamp_ms)),
        })
    }

    /// A command on the message stream `stream_id`.
    pub(super) fn command(&mut self, stream_id: u32, values: &[Value]) -> Vec<u8> {
        self.chunk(&MessagePayload {
            timestamp: RtmpTimestamp::new(0),
            type_id: type_id::COMMAND_AMF0,
            message_stream_id: stream_id,
            data: Bytes::from(amf0::encode(values)),
        })
    }

    fn chunk(&mut self, payload: &MessagePayload) -> Vec<u8> {
        let packet = self.serializer.serialize(payload, true, false);
        packet.expect("our messages are shorter than 16 MiB").bytes
    }
}
