//! What the origin and the relay share at run time: clocks, configuration, listeners, the link's transport.
//! Room rules, RTMP and playlists are not here.

pub mod clock;
pub mod config;
pub mod enrol;
pub mod exit;
pub mod http_server;
pub mod link_driver;
pub mod live;
pub mod ops;
pub mod pki;
pub mod public_url;
pub mod quic;
pub mod representation;
pub mod shutdown;
pub mod telemetry;
pub mod tls;
pub mod web_app;
