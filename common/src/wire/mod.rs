//! What goes over the link between an origin (or any upstream) and a relay: the shapes, and how they are framed.
//!
//! One bidirectional control stream carries [`control`] frames both ways; each part travels on a unidirectional stream of its
//! own ([`media`]); questions of a relay ([`request`]) have a bidirectional stream each.

pub mod chat;
pub mod codec;
pub mod control;
pub mod enrol;
pub mod media;
pub mod request;

/// ALPN of the link.
pub const ALPN_LINK: &[u8] = b"streamcircle-link/1";
/// ALPN of enrolment, the only thing a peer without a client certificate may speak.
pub const ALPN_ENROL: &[u8] = b"streamcircle-enrol/1";
/// Said in `Hello`; raised when an old peer would misread what follows.
pub const LINK_VERSION: u16 = 2;
