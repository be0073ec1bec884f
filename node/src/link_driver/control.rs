//! The control stream: frames both ways, in order.

use std::time::Duration;

use bytes::{Buf, Bytes};
use common::wire::codec::{self, FrameReader, WireError};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use super::{CloseCode, Closed, LinkConnection, closing};

/// A control stream on which no byte came for so long belongs to a peer that hangs: both ends of a link have something to say
/// every 2 s.
const SILENCE: Duration = Duration::from_secs(30);
/// For a frame to be taken by the peer's flow control. It stands still only when the peer does not read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// For a last frame to reach the peer.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Bytes asked of QUIC at once.
const READ_LEN: usize = 64 << 10;

/// A frame could not be read or written; the connection is of no more use, and closed where the peer is to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error(transparent)]
    Closed(#[from] Closed),
    #[error("control stream: {0}")]
    Wire(#[from] WireError),
    #[error("the control stream ended inside a frame")]
    CutShort,
    #[error("the peer says nothing on the control stream")]
    Silent,
    #[error("the peer does not read the control stream")]
    Stuck,
    #[error("the peer reset the control stream")]
    Reset,
}

pub(super) struct Control {
    writer: Mutex<Writer>,
    reader: Mutex<Reader>,
}

struct Writer {
    stream: quinn::SendStream,
    /// What is left of a frame whose writer was dropped half-way; it goes before the next.
    unfinished: Bytes,
}

struct Reader {
    stream: quinn::RecvStream,
    frames: FrameReader,
    heard: Instant,
}

impl Control {
    pub(super) fn new(send: quinn::SendStream, receive: quinn::RecvStream) -> Self {
        Self {
            writer: Mutex::new(Writer {
                stream: send,
                unfinished: Bytes::new(),
            }),
            reader: Mutex::new(Reader {
                stream: receive,
                frames: FrameReader::new(),
                heard: Instant::now(),
            }),
        }
    }
}

#[cfg(test)]
impl Control {
    /// The stream itself, to write what no frame is.
    pub(super) async fn writer_for_tests(&self) -> tokio::sync::MappedMutexGuard<'_, quinn::SendStream> {
        tokio::sync::MutexGuard::map(self.writer.lock().await, |writer| &mut writer.stream)
    }
}

impl LinkConnection {
    /// The next control frame of a kind that is known here, or `None` when the peer ended the stream. May be dropped at any
    /// time without losing a frame. One caller at a time; others wait.
    ///
    /// # Errors
    /// The connection was lost, or the peer broke the protocol: then it is closed.
    pub async fn read_frame<T: DeserializeOwned>(&self) -> Result<Option<T>, FrameError> {
        let read = self.shared.control.reader.lock().await.read().await;
        read.inspect_err(|error| self.close_after(error))
    }

    /// Writes a control frame. Returns when QUIC took it, which is not when the peer did. Dropped before
    /// that, the frame goes out whole in front of the next one, or not at all.
    ///
    /// # Errors
    /// The connection was lost, the frame is longer than allowed, or the peer does not read.
    pub async fn write_frame<T: Serialize + Sync>(&self, frame: &T) -> Result<(), FrameError> {
        self.write_encoded(codec::encode_frame(frame)?).await
    }

    /// Writes a control frame that [`codec::encode_frame`] made; it may go to many peers and is encoded once. Otherwise as
    /// [`LinkConnection::write_frame`].
    ///
    /// # Errors
    /// The connection was lost, or the peer does not read.
    pub async fn write_encoded(&self, frame: Bytes) -> Result<(), FrameError> {
        let written = self.shared.control.writer.lock().await.write(frame).await;
        written.inspect_err(|error| self.close_after(error))
    }

    /// Writes a last frame, waits until the peer has it (at most [`LAST_WORDS`]), and closes.
    pub async fn close_with<T: Serialize + Sync>(&self, frame: &T, code: CloseCode, reason: &str) {
        let last = async {
            self.write_frame(frame).await.ok()?;
            let writer = &mut self.shared.control.writer.lock().await.stream;
            writer.finish().ok()?;
            writer.stopped().await.ok()
        };
        // A peer that does not take it has the reason of the close.
        let _ = tokio::time::timeout(LAST_WORDS, last).await;
        self.close(code, reason);
    }

    fn close_after(&self, error: &FrameError) {
        let code = match error {
            FrameError::Closed(_) => return,
            FrameError::Silent | FrameError::Stuck => CloseCode::Unavailable,
            FrameError::Wire(_) | FrameError::CutShort | FrameError::Reset => CloseCode::Protocol,
        };
        closing::close(&self.shared.connection, code, &error.to_string());
    }
}

impl Reader {
    async fn read<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        loop {
            if let Some(frame) = self.frames.next_frame()? {
                return Ok(Some(frame));
            }
            let read = timeout_at(self.heard + SILENCE, self.stream.read_chunk(READ_LEN, true));
            match read.await.map_err(|_| FrameError::Silent)? {
                Ok(Some(chunk)) => self.frames.push(&chunk.bytes),
                Ok(None) if self.frames.is_between_frames() => return Ok(None),
                Ok(None) => return Err(FrameError::CutShort),
                Err(quinn::ReadError::ConnectionLost(error)) => return Err(FrameError::Closed(error.into())),
                Err(_) => return Err(FrameError::Reset),
            }
            self.heard = Instant::now();
        }
    }
}

impl Writer {
    async fn write(&mut self, frame: Bytes) -> Result<(), FrameError> {
        let deadline = Instant::now() + WRITE_TIMEOUT;
        self.flush(deadline).await?;
        self.unfinished = frame;
        self.flush(deadline).await
    }

    async fn flush(&mut self, deadline: Instant) -> Result<(), FrameError> {
        while !self.unfinished.is_empty() {
            let write = timeout_at(deadline, self.stream.write(&self.unfinished));
            match write.await.map_err(|_| FrameError::Stuck)? {
                Ok(len) => self.unfinished.advance(len),
                Err(quinn::WriteError::ConnectionLost(error)) => return Err(FrameError::Closed(error.into())),
                Err(_) => return Err(FrameError::Reset),
            }
        }
        Ok(())
    }
}
