//! Enrolment, over its own ALPN: one bidirectional stream, one head each way.

use serde::{Deserialize, Serialize};

use super::codec::Head;
use crate::auth::join_token::JoinSecret;

/// Most certificates in a chain.
pub const MAX_CHAIN_LEN: usize = 4;

/// A new relay asks for its certificate.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// The link version it is going to speak.
    pub version: u16,
    pub secret: JoinSecret,
    /// Ed25519, RFC 8032. That the relay holds its private half shows when it connects with the certificate.
    pub public_key: [u8; 32],
    /// What it calls itself, and where viewers are going to reach it: for the operator's log. Its name is the origin's to give.
    pub name: String,
    pub public_url: String,
}

impl Head for EnrolRequest {
    const NAME: &'static str = "enrolment request";
    const MAX_LEN: usize = 4096;
}

/// The secret is not shown.
impl std::fmt::Debug for EnrolRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolRequest")
            .field("version", &self.version)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The upstream's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EnrolReply {
    Granted {
        relay_id: String,
        /// The name that the origin knows it by.
        name: String,
        /// DER, the relay's own certificate first.
        chain: Vec<Vec<u8>>,
    },
    /// For a person to read.
    Refused { reason: String },
}

impl Head for EnrolReply {
    const NAME: &'static str = "enrolment reply";
    const MAX_LEN: usize = 16 << 10;
}
