//! The two ends of the link as state machines, without sockets and clocks.
//!
//! [`publisher`] is the upstream's end, one for each connected relay; [`subscriber`] is the relay's end. Both take closed
//! inputs with `now` and give outputs to be carried out in order; drivers own the QUIC connection. The tests in `sim` run them
//! against each other over a lossy link on a virtual clock.

pub mod backoff;
pub mod fetch;
pub mod publisher;
#[cfg(test)]
mod sim;
pub mod subscriber;

/// Most channels that one relay mirrors at a time.
pub const MAX_CHANNELS: usize = 1024;

/// Priorities of QUIC streams, higher first. Within one the driver sends the oldest stream first (`send_fairness(false)`), so
/// that playlists advance in order. Few values: many different ones cost CPU in the QUIC library.
pub mod priority {
    /// The control stream.
    pub const CONTROL: i32 = 4;
    /// Chat, presence and room events.
    pub const EVENTS: i32 = 3;
    /// A newborn part of sound: small, and missed at once.
    pub const AUDIO: i32 = 2;
    /// A newborn part of video.
    pub const VIDEO: i32 = 1;
    /// Answers to fetches, and the past that a new subscriber is given.
    pub const BACK_FILL: i32 = 0;
}

/// Application codes with which either end closes the connection, or resets a stream.
pub mod code {
    /// Nothing wrong: the process stops, or the relay has no use for the link.
    pub const OK: u32 = 0;
    /// The peer broke the format.
    pub const PROTOCOL: u32 = 1;
    /// The peer is not (or no longer) allowed here.
    pub const AUTH: u32 = 2;
    /// The peer speaks a version that is not known here.
    pub const VERSION: u32 = 3;
    /// Told by `GoAway` before.
    pub const GO_AWAY: u32 = 4;
    /// The same relay connected again.
    pub const DUPLICATE: u32 = 5;
    /// The peer asked for more than it may have.
    pub const LIMIT: u32 = 6;
    /// Not able to serve now: come back later.
    pub const UNAVAILABLE: u32 = 7;
    /// Stream reset: the part is too old to be of use.
    pub const STALE: u32 = 0x10;
}
