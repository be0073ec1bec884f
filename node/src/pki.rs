//! Keys and certificates of the link: the origin's authority, the link's server certificate, and a relay's identity.
//!
//! The authority's key is made at first start and is all that is kept: its certificate follows from it, as do the secrets by which the
//! link's listener is known again after a restart, and a relay pins the key, not the certificate. Certificates do not expire; whether a
//! relay is still wanted is asked of the database each time it connects, so that removing one needs no revocation list. All keys are
//! Ed25519 (RFC 8032).

mod authority;
mod identity;
pub mod private_file;

use rustls::pki_types::CertificateDer;

pub use self::{
    authority::{Authority, SERVER_NAME, ServerCertificate},
    identity::{Identity, RelayKey},
};

/// Start of the URI in a relay's certificate that carries its id.
pub const RELAY_URI_PREFIX: &str = "streamcircle:relay:";
/// Longest relay id, in bytes.
pub const MAX_RELAY_ID_LEN: usize = 64;

/// A key or certificate cannot be made, read or kept.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    #[error("{path}: {source}")]
    File {
        path: std::path::PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {what}")]
    Content {
        path: std::path::PathBuf,
        what: &'static str,
    },
    #[error("a certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("a relay id is 1 to {MAX_RELAY_ID_LEN} characters of a-z, A-Z, 0-9, '-' and '_'")]
    RelayId,
}

/// The relay id that a client certificate names, if it names one. Says nothing about who signed the certificate.
pub fn relay_id(certificate: &CertificateDer<'_>) -> Option<String> {
    let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
    let id = certificate
        .valid_uri_names()
        .find_map(|uri| uri.strip_prefix(RELAY_URI_PREFIX))?;
    is_relay_id(id).then(|| id.to_owned())
}

fn is_relay_id(text: &str) -> bool {
    (1..=MAX_RELAY_ID_LEN).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
