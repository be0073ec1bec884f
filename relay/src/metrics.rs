//! What a relay counts, in words, for `/metrics`. None is labelled by viewer, room or token.

use metrics::{describe_counter, describe_gauge};

/// Tells the recorder what the numbers mean; call it once a recorder is installed.
pub fn describe() {
    describe_gauge!(
        "streamcircle_http_connections",
        "Connections of viewers and others that are open"
    );
    describe_counter!(
        "streamcircle_http_connections_refused_total",
        "Connections closed at once, above a cap"
    );
    describe_counter!(
        "streamcircle_http_panics_total",
        "Requests ended by a fault of this program"
    );
    describe_counter!(
        "streamcircle_relay_egress_bytes_total",
        "Bytes of playlists and media sent to viewers"
    );
    describe_gauge!(
        "streamcircle_relay_held_requests",
        "Requests that wait for the live edge"
    );
    describe_counter!(
        "streamcircle_relay_playlists_rendered_total",
        "Media playlists made; many viewers share one"
    );
    describe_gauge!("streamcircle_relay_chat_sockets", "Viewers' sockets that are open");
    describe_counter!(
        "streamcircle_relay_chat_deliveries_total",
        "Events of rooms handed to viewers' sockets"
    );
    describe_counter!(
        "streamcircle_relay_chat_kicked_total",
        "Viewers' sockets closed by this relay or the origin, by reason"
    );
    describe_counter!(
        "streamcircle_relay_refused_requests_total",
        "Requests of media without a token that lets them in"
    );
}
