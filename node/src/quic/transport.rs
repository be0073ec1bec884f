//! The transport's numbers (RFC 9000 transport parameters), for each end by what it may be sent.

use std::time::Duration;

use quinn::{IdleTimeout, TransportConfig, VarInt};

/// A silent peer is given up after this.
const IDLE: VarInt = VarInt::from_u32(15_000);
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Until measured; between relays of a region and those across the world.
const INITIAL_RTT: Duration = Duration::from_millis(100);
/// Bytes on their way to one relay: 1 s at 128 Mbit/s.
const SEND_WINDOW: u64 = 16 << 20;

/// Questions of a relay that run at once, with the control stream and some room for those that just ended.
pub const MAX_REQUESTS: u32 = 64;

/// A relay's end: it takes parts.
pub(super) fn downstream() -> TransportConfig {
    let mut config = both();
    config
        .max_concurrent_uni_streams(VarInt::from_u32(1024))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(4 << 20))
        .receive_window(VarInt::from_u32(32 << 20));
    config
}

/// The end that feeds relays: it takes frames and questions only, so what one relay can make it hold is small.
pub(super) fn upstream() -> TransportConfig {
    let mut config = both();
    config
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .max_concurrent_bidi_streams(VarInt::from_u32(MAX_REQUESTS))
        .stream_receive_window(VarInt::from_u32(512 << 10))
        .receive_window(VarInt::from_u32(2 << 20));
    config
}

fn both() -> TransportConfig {
    let mut config = TransportConfig::default();
    config
        .max_idle_timeout(Some(IdleTimeout::from(IDLE)))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .initial_rtt(INITIAL_RTT)
        .send_window(SEND_WINDOW)
        // Streams of one priority one after another: a whole part early is worth more than two halves.
        .send_fairness(false)
        // No datagrams.
        .datagram_receive_buffer_size(None);
    config
}
