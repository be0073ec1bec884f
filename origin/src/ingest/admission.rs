//! What the ingest asks of the rooms: may this key publish, and where does its media go.

use std::{future::Future, net::SocketAddr};

use common::media::access_unit::MediaMessage;
pub use common::rtmp::{publish_status::Refusal, stream_key::StreamKey};

/// A publisher at the door.
#[derive(Clone, Debug)]
pub struct PublishRequest {
    pub key: StreamKey,
    pub peer: SocketAddr,
    /// The RTMP app; `live`, as any other is turned away before.
    pub app: String,
}

/// Decides who may publish. The answer is waited for for a few seconds only; then the publisher is told to come again.
pub trait Admission: Send + Sync + 'static {
    /// The right to publish into one room.
    type Lease: Lease;

    /// Looks the key up and takes the room for this publisher.
    ///
    /// The future may be dropped before it is done: it must leave no room taken then.
    fn admit(&self, request: PublishRequest) -> impl Future<Output = Result<Self::Lease, Refusal>> + Send;
}

/// How a publication came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishEnd {
    /// The publisher said that it stops.
    Stopped,
    /// The connection was lost, fell silent or broke the protocol: the publisher may come back.
    Lost,
}

/// Why the room took the right to publish away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaseEnded {
    #[error("another publisher took over")]
    TakenOver,
    #[error("the stream key was changed")]
    KeyRotated,
    #[error("the room was deleted")]
    RoomDeleted,
    #[error("an operator ended the stream")]
    Cut,
    #[error("the origin is stopping")]
    Draining,
    #[error("the stream has more bits per second than are carried")]
    TooMuch,
}

/// The right to publish into one room, held by one connection.
///
/// The connection calls [`Lease::finish`] exactly once in every case, also when its task panics.
pub trait Lease: Send {
    /// Hands a message to the room. Called on the connection's task: must neither block nor wait.
    ///
    /// # Errors
    /// The right is gone, or more was sent than is carried; the connection is closed.
    fn push(&mut self, message: MediaMessage) -> Result<(), LeaseEnded>;

    /// Completes when the room takes the right away. The connection is closed then, even if nothing is being pushed.
    fn ended(&self) -> impl Future<Output = LeaseEnded> + Send + 'static;

    /// The publication is over. Also called after the right was taken away.
    fn finish(self, how: PublishEnd);
}
