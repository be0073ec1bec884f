//! Heads in front of a body, on streams that carry one thing each.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use bytes::Bytes;
use common::{
    link::code,
    wire::codec::{self, HEAD_PREFIX_LEN, Head, WireError},
};
use quinn::{ReadError, ReadExactError, VarInt, WriteError};

use super::Closed;

/// Stream error codes: what was sent is of no use any more; longer than allowed; malformed or too slow.
const STALE: VarInt = VarInt::from_u32(code::STALE);
pub(super) const TOO_LARGE: VarInt = VarInt::from_u32(0x11);
pub(super) const UNREADABLE: VarInt = VarInt::from_u32(0x12);

/// A stream that carries one thing could not be read or written to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    #[error(transparent)]
    Closed(#[from] Closed),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("the stream ended early")]
    CutShort,
    #[error("the peer sent more than it announced")]
    Overlong,
    #[error("the body is not as long as its head says")]
    Length,
    /// The peer has no more use for it, or for sending it.
    #[error("the peer gave the stream up")]
    GivenUp,
    #[error("nothing came for {} s", .0.as_secs())]
    TimedOut(Duration),
}

impl HeadError {
    /// Whether the peer does not follow the protocol, rather than being slow or having changed its mind.
    pub fn is_peers_fault(&self) -> bool {
        matches!(self, Self::Wire(_) | Self::Overlong | Self::CutShort)
    }

    pub(super) fn stop_code(&self) -> VarInt {
        match self {
            Self::Wire(WireError::TooLong { .. }) | Self::Overlong => TOO_LARGE,
            _ => UNREADABLE,
        }
    }
}

impl From<ReadError> for HeadError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::ConnectionLost(error) => Self::Closed(error.into()),
            _ => Self::GivenUp,
        }
    }
}

impl From<ReadExactError> for HeadError {
    fn from(error: ReadExactError) -> Self {
        match error {
            ReadExactError::FinishedEarly(_) => Self::CutShort,
            ReadExactError::ReadError(error) => error.into(),
        }
    }
}

impl From<WriteError> for HeadError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::ConnectionLost(error) => Self::Closed(error.into()),
            _ => Self::GivenUp,
        }
    }
}

/// Reads a head, `limit` long at most. Not to be dropped half-way and called again.
///
/// # Errors
/// See [`HeadError`].
pub async fn read_head<T: Head>(stream: &mut quinn::RecvStream, limit: Duration) -> Result<T, HeadError> {
    let read = async {
        let mut prefix = [0; HEAD_PREFIX_LEN];
        stream.read_exact(&mut prefix).await?;
        let mut payload = vec![0; codec::head_len::<T>(prefix)?];
        stream.read_exact(&mut payload).await?;
        Ok(codec::decode_head(&payload)?)
    };
    tokio::time::timeout(limit, read)
        .await
        .unwrap_or(Err(HeadError::TimedOut(limit)))
}

/// Writes a head and ends the stream.
///
/// # Errors
/// See [`HeadError`].
pub async fn write_head<T: Head>(stream: &mut quinn::SendStream, head: &T, limit: Duration) -> Result<(), HeadError> {
    write_all(stream, vec![codec::encode_head(head)?], limit).await
}

/// Writes all chunks, which are not copied, and ends the stream.
pub(super) async fn write_all(
    stream: &mut quinn::SendStream,
    mut chunks: Vec<Bytes>,
    limit: Duration,
) -> Result<(), HeadError> {
    match tokio::time::timeout(limit, stream.write_all_chunks(&mut chunks)).await {
        Ok(written) => written?,
        Err(_) => return Err(HeadError::TimedOut(limit)),
    }
    stream.finish().map_err(|_| HeadError::GivenUp)
}

/// Reads a body of exactly `len` bytes, after which the stream must end, into memory of that size: QUIC's own slices would each
/// keep a whole datagram batch alive.
pub(super) async fn read_body(stream: &mut quinn::RecvStream, len: u32, limit: Duration) -> Result<Bytes, HeadError> {
    let read = async {
        let mut body = vec![0; len as usize];
        stream.read_exact(&mut body).await?;
        match stream.read_chunk(1, true).await? {
            None => Ok(Bytes::from(body)),
            Some(_) => Err(HeadError::Overlong),
        }
    };
    tokio::time::timeout(limit, read)
        .await
        .unwrap_or(Err(HeadError::TimedOut(limit)))
}

/// Quinn ends a dropped stream as if all had been written; what is given up half-way must not look whole.
pub(super) struct ResetOnDrop {
    stream: quinn::SendStream,
    is_whole: bool,
}

impl ResetOnDrop {
    pub(super) fn new(stream: quinn::SendStream) -> Self {
        Self {
            stream,
            is_whole: false,
        }
    }

    /// All was written and the stream was ended: QUIC delivers it, whatever becomes of this value.
    pub(super) fn leave(mut self) {
        self.is_whole = true;
    }
}

impl Deref for ResetOnDrop {
    type Target = quinn::SendStream;

    fn deref(&self) -> &quinn::SendStream {
        &self.stream
    }
}

impl DerefMut for ResetOnDrop {
    fn deref_mut(&mut self) -> &mut quinn::SendStream {
        &mut self.stream
    }
}

impl Drop for ResetOnDrop {
    fn drop(&mut self) {
        if !self.is_whole {
            // Fails on a stream that is acknowledged, reset or stopped: nothing is left to take back.
            let _ = self.stream.reset(STALE);
        }
    }
}
