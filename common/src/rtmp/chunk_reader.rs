//! RTMP chunks in, whole messages out (RTMP 1.0 section 5.3), with a cap on everything that a peer can make us keep.
//!
//! Sans-IO: [`ChunkReader::read`] takes any split of the byte stream. A payload is copied once, from the caller's buffer into its
//! message. "Set Chunk Size" and "Abort" act here and are not handed on; every other meaning of a message is the session's.
//! After an error the byte stream has lost its frame: the caller closes the connection and does not read on.

use std::collections::VecDeque;

use header::Header;

use super::message::{Message, type_id};

mod header;

/// Most chunk stream ids that one connection may use. Encoders use four or five.
pub const MAX_CHUNK_STREAMS: usize = 16;
/// Chunk size before the first "Set Chunk Size", bytes; also the least that a peer may set.
pub const MIN_CHUNK_SIZE: u32 = 128;
/// Largest chunk size that a peer may set, bytes.
pub const MAX_CHUNK_SIZE: u32 = 1 << 20;
/// Longest message before [`ChunkReader::accept_media`], bytes. A `connect` has a few hundred.
pub const MAX_MESSAGE_BEFORE_PUBLISH: u32 = 16 << 10;
/// Longest message that is neither audio nor video, bytes.
pub const MAX_AMF_MESSAGE: u32 = 64 << 10;
/// Longest audio or video message, bytes: a key frame of 8 MiB is 64 Mbit.
pub const MAX_MEDIA_MESSAGE: u32 = 8 << 20;
/// Most bytes of unfinished messages over all chunk streams of a connection.
pub const MAX_UNFINISHED: usize = 12 << 20;
/// First allocation for a message that is longer, bytes.
const FIRST_ALLOCATION: usize = 1 << 10;

/// Why the peer's chunks are not read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    #[error("more than {MAX_CHUNK_STREAMS} chunk streams")]
    TooManyChunkStreams,
    #[error("chunk stream {csid} starts with a header that refers to an earlier one")]
    NoEarlierHeader { csid: u32 },
    #[error("chunk stream {csid} starts a message within a message")]
    MessageInterrupted { csid: u32 },
    #[error("a message of type {type_id} has {length} bytes, {limit} are allowed")]
    TooLong { type_id: u8, length: u32, limit: u32 },
    #[error("audio or video before a publication was accepted")]
    MediaBeforePublish,
    #[error("more than {MAX_UNFINISHED} bytes of unfinished messages")]
    TooMuchUnfinished,
    #[error("a chunk size of {size} is not within {MIN_CHUNK_SIZE}..={MAX_CHUNK_SIZE}")]
    ChunkSize { size: u32 },
    #[error("a control message of type {type_id} has only {length} bytes")]
    ShortControl { type_id: u8, length: usize },
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Header,
    /// `left` more payload bytes of the chunk on `streams[stream]`.
    Payload {
        stream: usize,
        left: usize,
    },
}

/// How far one step of reading came.
enum Progress {
    /// All input is used within a header or a chunk.
    InputUsed,
    /// A header or a chunk is read, its message is not whole.
    Part,
    /// The message on `streams[_]` is whole.
    Message(usize),
}

/// The state of one chunk stream: the last message header, which later ones refer to, and the message being read.
#[derive(Debug)]
struct ChunkStream {
    csid: u32,
    /// Absolute time of the message being read, or of the last one.
    timestamp_ms: u32,
    /// The last header's timestamp field: a time in a type 0 header, else a difference.
    field: u32,
    /// The field stood in the four bytes of the extended timestamp.
    extended: bool,
    length: u32,
    type_id: u8,
    stream_id: u32,
    /// A message has begun and is not whole yet.
    open: bool,
    payload: Vec<u8>,
}

/// The reader of one connection's chunks, from the end of the handshake.
#[derive(Debug)]
pub struct ChunkReader {
    stage: Stage,
    streams: Vec<ChunkStream>,
    chunk_size: u32,
    media_accepted: bool,
    /// Bytes of the header being read, at most [`header::MAX_LEN`].
    header: Vec<u8>,
    /// Bytes that were looked at as a repeated timestamp and are none, at most four: to be read before the input.
    ahead: VecDeque<u8>,
    unfinished: usize,
}

impl Default for ChunkReader {
    fn default() -> Self {
        Self::new()
    }
}

impl ChunkReader {
    /// A reader that takes commands only, until [`ChunkReader::accept_media`].
    pub fn new() -> Self {
        Self {
            stage: Stage::Header,
            streams: Vec::new(),
            chunk_size: MIN_CHUNK_SIZE,
            media_accepted: false,
            header: Vec::with_capacity(header::MAX_LEN),
            ahead: VecDeque::new(),
            unfinished: 0,
        }
    }

    /// From the next message on audio and video are read, and metadata may be longer.
    pub fn accept_media(&mut self) {
        self.media_accepted = true;
    }

    /// Reads up to the end of the next message and moves `input` on behind it; `None` when all input is read and more is needed.
    ///
    /// # Errors
    /// The chunks break the protocol or one of the caps above.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Message>, ChunkError> {
        loop {
            let progress = match self.stage {
                Stage::Header => match self.take_header(input) {
                    Some(header) => self.begin_chunk(&header)?,
                    None => Progress::InputUsed,
                },
                Stage::Payload { stream, left } => self.take_payload(stream, left, input)?,
            };
            let message = match progress {
                Progress::InputUsed => return Ok(None),
                Progress::Part => continue,
                Progress::Message(stream) => self.finish_message(stream),
            };
            match message.type_id {
                type_id::SET_CHUNK_SIZE => self.set_chunk_size(&message)?,
                type_id::ABORT => self.abort(&message)?,
                _ => return Ok(Some(message)),
            }
        }
    }

    fn take_header(&mut self, input: &mut &[u8]) -> Option<Header> {
        loop {
            if let Some(header) = header::parse(&self.header, |csid| self.repeatable_timestamp(csid)) {
                for &byte in self.header[header.size..].iter().rev() {
                    self.ahead.push_front(byte);
                }
                self.header.clear();
                return Some(header);
            }
            let byte = self.ahead.pop_front().or_else(|| {
                let (&first, rest) = input.split_first()?;
                *input = rest;
                Some(first)
            })?;
            self.header.push(byte);
        }
    }

    /// The values that a header of type 3 may repeat as extended timestamp, when the last header of that chunk stream had one:
    /// the field as it stood (the specification's reading), or the absolute time (some encoders).
    fn repeatable_timestamp(&self, csid: u32) -> Option<[u32; 2]> {
        let stream = self.streams.iter().find(|stream| stream.csid == csid)?;
        stream.extended.then_some([stream.field, stream.timestamp_ms])
    }

    fn begin_chunk(&mut self, header: &Header) -> Result<Progress, ChunkError> {
        let csid = header.csid;
        let index = match self.streams.iter().position(|stream| stream.csid == csid) {
            Some(index) => index,
            // librtmp begins its control stream with type 1, so that is taken as relative to nothing.
            None if header.length_and_type.is_some() => self.add_stream(csid)?,
            None => return Err(ChunkError::NoEarlierHeader { csid }),
        };
        let stream = &mut self.streams[index];
        if stream.open && header.field.is_some() {
            return Err(ChunkError::MessageInterrupted { csid });
        }
        if !stream.open {
            if let Some((field, extended)) = header.field {
                stream.field = field;
                stream.extended = extended;
            }
            if let Some((length, type_id)) = header.length_and_type {
                stream.length = length;
                stream.type_id = type_id;
            }
            match header.stream_id {
                Some(stream_id) => {
                    stream.stream_id = stream_id;
                    stream.timestamp_ms = stream.field;
                }
                // Also for type 3 after type 0, whose time is then the difference (section 5.3.1.2.4); ffmpeg relies on it.
                None => stream.timestamp_ms = stream.timestamp_ms.wrapping_add(stream.field),
            }
            stream.open = true;
            check_length(stream.type_id, stream.length, self.media_accepted)?;
        }
        let left_of_message = stream.length as usize - stream.payload.len();
        if left_of_message == 0 {
            return Ok(Progress::Message(index));
        }
        self.stage = Stage::Payload {
            stream: index,
            left: left_of_message.min(self.chunk_size as usize),
        };
        Ok(Progress::Part)
    }

    fn add_stream(&mut self, csid: u32) -> Result<usize, ChunkError> {
        if self.streams.len() == MAX_CHUNK_STREAMS {
            return Err(ChunkError::TooManyChunkStreams);
        }
        self.streams.push(ChunkStream {
            csid,
            timestamp_ms: 0,
            field: 0,
            extended: false,
            length: 0,
            type_id: 0,
            stream_id: 0,
            open: false,
            payload: Vec::new(),
        });
        Ok(self.streams.len() - 1)
    }

    fn take_payload(&mut self, index: usize, mut left: usize, input: &mut &[u8]) -> Result<Progress, ChunkError> {
        let stream = &mut self.streams[index];
        let before = stream.payload.len();
        while left > 0
            && let Some(byte) = self.ahead.pop_front()
        {
            stream.append(&[byte]);
            left -= 1;
        }
        let (taken, rest) = input.split_at(left.min(input.len()));
        stream.append(taken);
        *input = rest;
        left -= taken.len();

        self.unfinished += stream.payload.len() - before;
        if self.unfinished > MAX_UNFINISHED {
            return Err(ChunkError::TooMuchUnfinished);
        }
        if left > 0 {
            self.stage = Stage::Payload { stream: index, left };
            return Ok(Progress::InputUsed);
        }
        self.stage = Stage::Header;
        let is_whole = stream.payload.len() == stream.length as usize;
        Ok(if is_whole {
            Progress::Message(index)
        } else {
            Progress::Part
        })
    }

    fn finish_message(&mut self, index: usize) -> Message {
        let stream = &mut self.streams[index];
        let payload = std::mem::take(&mut stream.payload);
        self.unfinished -= payload.len();
        stream.open = false;
        Message {
            type_id: stream.type_id,
            stream_id: stream.stream_id,
            timestamp_ms: stream.timestamp_ms,
            payload: payload.into(),
        }
    }

    fn set_chunk_size(&mut self, message: &Message) -> Result<(), ChunkError> {
        let size = message.number().ok_or(ChunkError::ShortControl {
            type_id: message.type_id,
            length: message.payload.len(),
        })?;
        if !(MIN_CHUNK_SIZE..=MAX_CHUNK_SIZE).contains(&size) {
            return Err(ChunkError::ChunkSize { size });
        }
        self.chunk_size = size;
        Ok(())
    }

    fn abort(&mut self, message: &Message) -> Result<(), ChunkError> {
        let csid = message.number().ok_or(ChunkError::ShortControl {
            type_id: message.type_id,
            length: message.payload.len(),
        })?;
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.csid == csid) {
            self.unfinished -= stream.payload.len();
            stream.payload = Vec::new();
            stream.open = false;
        }
        Ok(())
    }
}

impl ChunkStream {
    /// Adds payload. The allocation doubles, never past the message's length: no more than twice what has arrived.
    fn append(&mut self, bytes: &[u8]) {
        if self.payload.capacity() - self.payload.len() < bytes.len() {
            let left = self.length as usize - self.payload.len();
            let more = bytes.len().max(self.payload.len()).max(FIRST_ALLOCATION);
            self.payload.reserve_exact(more.min(left));
        }
        self.payload.extend_from_slice(bytes);
    }
}

fn check_length(type_id: u8, length: u32, media_accepted: bool) -> Result<(), ChunkError> {
    let is_media = matches!(type_id, type_id::AUDIO | type_id::VIDEO);
    let limit = match (media_accepted, is_media) {
        (false, true) => return Err(ChunkError::MediaBeforePublish),
        (false, false) if type_id == type_id::AGGREGATE => return Err(ChunkError::MediaBeforePublish),
        (false, false) => MAX_MESSAGE_BEFORE_PUBLISH,
        (true, true) => MAX_MEDIA_MESSAGE,
        (true, false) => MAX_AMF_MESSAGE,
    };
    if length > limit {
        Err(ChunkError::TooLong { type_id, length, limit })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
