//! What a session tells its driver, and why it ends.

use crate::{
    flv::tag::Tag,
    rtmp::{amf0::Amf0Error, chunk_reader::ChunkError, publish_status::Refusal, stream_key::StreamKey},
};

/// What the driver of a session has to do next.
#[derive(Debug)]
pub enum Output {
    /// Write these bytes to the peer.
    Send(Vec<u8>),
    /// Find out whether this key may publish, then call [`accept`](super::Session::accept) or
    /// [`refuse`](super::Session::refuse) of the session.
    PublishRequested { key: StreamKey, app: String },
    /// A piece of the stream.
    Media(Tag),
    /// The peer stopped publishing of its own will. [`Output::Close`] follows if it does not close the connection.
    Stopped,
    /// Close the connection. Nothing follows.
    Close(CloseReason),
}

/// Why a session ends by our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    #[error("the handshake took too long")]
    HandshakeTimeout,
    #[error("no publish command in time")]
    PublishTimeout,
    #[error("no audio or video for too long")]
    MediaTimeout,
    #[error("publication refused: {0}")]
    Refused(Refusal),
    #[error("connect to an app that does not exist")]
    InvalidApp,
    #[error("play is not offered")]
    PlayRefused,
    #[error("the publisher stopped")]
    Stopped,
    #[error("protocol error: {0}")]
    Protocol(ProtocolError),
}

/// What a peer may not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    #[error("this is no RTMP handshake")]
    Handshake,
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    #[error(transparent)]
    Amf0(#[from] Amf0Error),
    #[error("a command without name and transaction id")]
    MalformedCommand,
    #[error("publish without a stream name")]
    NoStreamName,
    #[error("a command before connect")]
    NotConnected,
    #[error("a second connect")]
    SecondConnect,
    #[error("a second publish")]
    SecondPublish,
}
