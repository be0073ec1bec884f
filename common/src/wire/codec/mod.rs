//! Bytes of the link: frames of the control stream, and heads in front of a part, a question or an answer.
//!
//! ```text
//! frame = length u32 big-endian | postcard(kind, fields)                      at most MAX_FRAME
//! head  = version u8 | length u32 big-endian | postcard(fields) | body...     cap by kind of head
//! ```
//! A frame kind that is not known here is skipped, and so are bytes behind the known fields of a frame or head: both are how
//! a newer peer extends the format. Sockets are not here; a driver feeds [`FrameReader`] and reads heads by [`head_len`].

mod kinds;
#[cfg(test)]
mod tests;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    media::PartHeader,
    request::{CallReply, FetchReply, Request},
};

/// Longest payload of a control frame: a window of 30 segments with its records takes a tenth of it.
pub const MAX_FRAME: usize = 1 << 20;
/// Longest body behind a head: a part, or a whole segment.
pub const MAX_PART: usize = 16 << 20;
/// Bytes of a frame's length.
pub const FRAME_PREFIX_LEN: usize = 4;
/// Bytes of a head's version and length.
pub const HEAD_PREFIX_LEN: usize = 5;
/// First byte of every head.
pub const HEAD_VERSION: u8 = 1;

/// Bytes of the peer that do not follow the format, or a value of ours that does not fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Longer than the cap of its kind.
    #[error("{what} of {len} bytes, at most {max} are allowed")]
    TooLong { what: &'static str, len: u64, max: usize },
    /// The fields could not be read; `offset` counts from the start of the payload.
    #[error("malformed {what} at byte {offset}")]
    Malformed { what: &'static str, offset: usize },
    #[error("head version {found}, expected {HEAD_VERSION}")]
    Version { found: u8 },
    /// A value that the format cannot carry.
    #[error("{what} cannot be encoded")]
    Unencodable { what: &'static str },
}

/// A frame with its length in front, ready to be written.
///
/// # Errors
/// [`WireError::TooLong`] beyond [`MAX_FRAME`].
pub fn encode_frame<T: Serialize>(frame: &T) -> Result<Bytes, WireError> {
    let payload = serialize("frame", frame, FRAME_PREFIX_LEN)?;
    let len = cap("frame", payload.len() - FRAME_PREFIX_LEN, MAX_FRAME)?;
    Ok(finish(payload, &len.to_be_bytes()))
}

/// Reads a frame's payload (without its length). `None`: a kind that is not known here.
///
/// # Errors
/// [`WireError::TooLong`] or [`WireError::Malformed`].
pub fn decode_frame<T: DeserializeOwned>(payload: &[u8]) -> Result<Option<T>, WireError> {
    cap("frame", payload.len(), MAX_FRAME)?;
    if !kinds::is_known::<T>(payload) {
        return Ok(None);
    }
    deserialize("frame", payload).map(Some)
}

/// Cuts a control stream into frames: takes bytes as they come, gives payloads.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: BytesMut,
}

impl FrameReader {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the stream. What is held stays under [`MAX_FRAME`] and one read as long as
    /// [`FrameReader::next_payload`] is called until it gives `None` after each call.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole payload, if it is here.
    ///
    /// # Errors
    /// [`WireError::TooLong`] as soon as the length is here; the stream cannot be read on after it.
    pub fn next_payload(&mut self) -> Result<Option<Bytes>, WireError> {
        let Some(prefix) = self.buffer.first_chunk::<FRAME_PREFIX_LEN>() else {
            return Ok(None);
        };
        let len = frame_len(*prefix)?;
        if self.buffer.len() < FRAME_PREFIX_LEN + len {
            self.buffer.reserve(FRAME_PREFIX_LEN + len - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(FRAME_PREFIX_LEN);
        Ok(Some(self.buffer.split_to(len).freeze()))
    }

    /// The next frame of a known kind, if it is here.
    ///
    /// # Errors
    /// As [`FrameReader::next_payload`] and [`decode_frame`].
    pub fn next_frame<T: DeserializeOwned>(&mut self) -> Result<Option<T>, WireError> {
        while let Some(payload) = self.next_payload()? {
            if let Some(frame) = decode_frame(&payload)? {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// Whether the stream stands between two frames, the only place where it may end.
    pub fn is_between_frames(&self) -> bool {
        self.buffer.is_empty()
    }
}

/// Length of a frame's payload.
///
/// # Errors
/// [`WireError::TooLong`] beyond [`MAX_FRAME`].
pub fn frame_len(prefix: [u8; FRAME_PREFIX_LEN]) -> Result<usize, WireError> {
    let len = u32::from_be_bytes(prefix);
    cap("frame", len as usize, MAX_FRAME).map(|_| len as usize)
}

/// What may stand at the head of a part's, question's or answer's stream.
pub trait Head: Serialize + DeserializeOwned {
    /// Its name in errors.
    const NAME: &'static str;
    /// Longest encoding, in bytes.
    const MAX_LEN: usize;

    /// Bytes of body behind it.
    fn body_len(&self) -> u32 {
        0
    }
}

impl Head for PartHeader {
    const NAME: &'static str = "part header";
    const MAX_LEN: usize = 1024;

    fn body_len(&self) -> u32 {
        self.body_len
    }
}

impl Head for Request {
    const NAME: &'static str = "request";
    /// A viewer's call comes whole, with its headers and body: the largest body is a slate's picture.
    const MAX_LEN: usize = 3 << 20;
}

impl Head for FetchReply {
    const NAME: &'static str = "fetch reply";
    const MAX_LEN: usize = 64;

    fn body_len(&self) -> u32 {
        match *self {
            Self::Found { body_len, .. } => body_len,
            Self::Gone => 0,
        }
    }
}

impl Head for CallReply {
    const NAME: &'static str = "call reply";
    /// The origin's answer comes whole: history of a room, list of rooms.
    const MAX_LEN: usize = 4 << 20;
}

/// A head with its version and length in front, ready to be written; the body follows it on the stream.
///
/// # Errors
/// [`WireError::TooLong`] when the head is beyond [`Head::MAX_LEN`] or announces more than [`MAX_PART`].
pub fn encode_head<T: Head>(head: &T) -> Result<Bytes, WireError> {
    cap("body", head.body_len() as usize, MAX_PART)?;
    let payload = serialize(T::NAME, head, HEAD_PREFIX_LEN)?;
    let [a, b, c, d] = cap(T::NAME, payload.len() - HEAD_PREFIX_LEN, T::MAX_LEN)?.to_be_bytes();
    Ok(finish(payload, &[HEAD_VERSION, a, b, c, d]))
}

/// Length of the head behind its first five bytes.
///
/// # Errors
/// [`WireError::Version`], or [`WireError::TooLong`] beyond [`Head::MAX_LEN`].
pub fn head_len<T: Head>(prefix: [u8; HEAD_PREFIX_LEN]) -> Result<usize, WireError> {
    let [version, a, b, c, d] = prefix;
    if version != HEAD_VERSION {
        return Err(WireError::Version { found: version });
    }
    let len = u32::from_be_bytes([a, b, c, d]) as usize;
    cap(T::NAME, len, T::MAX_LEN).map(|_| len)
}

/// Reads a head (without its version and length). [`Head::body_len`] of what it gives is at most [`MAX_PART`].
///
/// # Errors
/// [`WireError::TooLong`] or [`WireError::Malformed`].
pub fn decode_head<T: Head>(payload: &[u8]) -> Result<T, WireError> {
    cap(T::NAME, payload.len(), T::MAX_LEN)?;
    let head: T = deserialize(T::NAME, payload)?;
    cap("body", head.body_len() as usize, MAX_PART)?;
    Ok(head)
}

/// Checks a length against its cap, and gives it as it goes over the wire.
fn cap(what: &'static str, len: usize, max: usize) -> Result<u32, WireError> {
    let too_long = WireError::TooLong {
        what,
        len: len as u64,
        max,
    };
    if len > max {
        Err(too_long)
    } else {
        u32::try_from(len).map_err(|_| too_long)
    }
}

/// Encodes behind `prefix` bytes that [`finish`] fills.
fn serialize<T: Serialize>(what: &'static str, value: &T, prefix: usize) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity(256);
    out.put_bytes(0, prefix);
    postcard::to_extend(value, out).map_err(|_| WireError::Unencodable { what })
}

fn finish(mut payload: Vec<u8>, prefix: &[u8]) -> Bytes {
    payload[..prefix.len()].copy_from_slice(prefix);
    payload.into()
}

fn deserialize<T: DeserializeOwned>(what: &'static str, payload: &[u8]) -> Result<T, WireError> {
    let mut reader = postcard::Deserializer::from_bytes(payload);
    match T::deserialize(&mut reader) {
        Ok(value) => Ok(value),
        Err(_) => {
            let left = reader.finalize().map_or(0, <[u8]>::len);
            Err(WireError::Malformed {
                what,
                offset: payload.len() - left,
            })
        }
    }
}
