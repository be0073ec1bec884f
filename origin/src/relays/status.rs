//! What the dashboard and joins see of a relay, and what a call that came through one carries.

use common::time::UnixMillis;

/// A relay as the link knows it. Relays that never connected since the start are not listed.
#[derive(Clone, Debug, PartialEq)]
pub struct RelayStatus {
    pub id: String,
    pub online: bool,
    /// Rooms it mirrors now.
    pub rooms: u32,
    /// Different viewers in its newest report.
    pub viewers: u32,
    /// Bytes sent to viewers since the relay started, as it says.
    pub egress_bytes: u64,
    /// Round trip of the link, milliseconds; of connected relays.
    pub rtt_ms: Option<f64>,
    pub last_seen: Option<UnixMillis>,
    /// The software and its version, as the relay says.
    pub version: String,
    /// Where viewers reach it, as the relay says.
    pub url: String,
}

/// Extension of a request that came over the link: the viewer's address as the relay saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewerPeer(pub String);

/// Extension of a request that came over the link: the relay that carried it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViaRelay {
    pub id: String,
    pub name: String,
}
