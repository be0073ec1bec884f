//! How long a publisher may take to the next step, and how long its connection outlives the last one.

use std::time::Duration;

/// Time for the handshake, from the start of the connection.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time from the end of the handshake to `publish`.
pub const PUBLISH_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time without audio or video while publishing.
pub const MEDIA_TIMEOUT: Duration = Duration::from_secs(30);
/// Time between a refusal and the end of the connection: closed at once, the refusal could be lost on its way.
pub const REFUSAL_LINGER: Duration = Duration::from_millis(300);
/// Time for the peer to close the connection itself after it stopped publishing.
pub const STOP_LINGER: Duration = Duration::from_secs(5);

/// How long a peer may take; the defaults are the constants above.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub handshake: Duration,
    pub publish: Duration,
    pub media: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: HANDSHAKE_TIMEOUT,
            publish: PUBLISH_TIMEOUT,
            media: MEDIA_TIMEOUT,
        }
    }
}
