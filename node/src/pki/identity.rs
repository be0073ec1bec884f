//! What a relay has after enrolment: its certificate and key, and how to find and know its upstream again.

use std::{fmt, path::Path};

use rcgen::KeyPair;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use serde::{Deserialize, Serialize};

use super::{PkiError, private_file};

const FILE: &str = "identity.json";
const FORMAT: u32 = 1;

/// A key that has no certificate yet.
pub struct RelayKey(KeyPair);

impl RelayKey {
    /// # Errors
    /// [`PkiError::Make`] when the key cannot be made.
    pub fn generate() -> Result<Self, PkiError> {
        Ok(Self(KeyPair::generate_for(&rcgen::PKCS_ED25519)?))
    }

    /// Ed25519, as it goes into the enrolment.
    pub fn public_key(&self) -> [u8; 32] {
        self.0
            .public_key_raw()
            .try_into()
            .expect("an Ed25519 public key has 32 bytes")
    }

    /// For an [`Identity`].
    pub fn into_private(self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.0.serialize_der()).into()
    }
}

/// An enrolled relay.
pub struct Identity {
    pub relay_id: String,
    /// The name the origin knows it by.
    pub name: String,
    /// `host:port` of the upstream, in the order to try them.
    pub upstreams: Vec<String>,
    /// SHA-256 of the public key of the authority that vouches for the upstream.
    pub authority_sha256: [u8; 32],
    /// DER, the relay's own certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stored {
    format: u32,
    relay_id: String,
    name: String,
    upstreams: Vec<String>,
    authority_sha256: [u8; 32],
    /// PEM, as are the next.
    certificates: String,
    key: String,
}

impl Identity {
    /// The identity kept in `dir`, or `None` when there is none yet.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn load(dir: &Path) -> Result<Option<Self>, PkiError> {
        let path = dir.join(FILE);
        let Some(text) = private_file::read(&path).map_err(|source| PkiError::File {
            path: path.clone(),
            source,
        })?
        else {
            return Ok(None);
        };
        let content = |what| PkiError::Content {
            path: path.clone(),
            what,
        };
        // serde's error is not passed on: it may quote the key.
        let stored: Stored = serde_json::from_str(&text).map_err(|_| content("not a relay's identity"))?;
        if stored.format != FORMAT {
            return Err(content("written by another version"));
        }
        let chain = CertificateDer::pem_slice_iter(stored.certificates.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| content("damaged certificate"))?;
        if chain.is_empty() {
            return Err(content("no certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(stored.key.as_bytes()).map_err(|_| content("damaged key"))?;
        Ok(Some(Self {
            relay_id: stored.relay_id,
            name: stored.name,
            upstreams: stored.upstreams,
            authority_sha256: stored.authority_sha256,
            chain,
            key,
        }))
    }

    /// Keeps it in `dir` (made with mode 0700) as one file with mode 0600.
    ///
    /// # Errors
    /// Names the file that cannot be written.
    pub fn save(&self, dir: &Path) -> Result<(), PkiError> {
        let path = dir.join(FILE);
        let certificates: Vec<_> = self
            .chain
            .iter()
            .map(|certificate| pem::Pem::new("CERTIFICATE", certificate.as_ref()))
            .collect();
        let stored = Stored {
            format: FORMAT,
            relay_id: self.relay_id.clone(),
            name: self.name.clone(),
            upstreams: self.upstreams.clone(),
            authority_sha256: self.authority_sha256,
            certificates: pem::encode_many(&certificates),
            key: pem::encode(&pem::Pem::new("PRIVATE KEY", self.key.secret_der())),
        };
        let text = serde_json::to_string_pretty(&stored).expect("texts and numbers always serialize");
        private_file::make_dir(dir)
            .and_then(|()| private_file::write(&path, text.as_bytes()))
            .map_err(|source| PkiError::File { path, source })
    }
}

/// The key is not shown.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("relay_id", &self.relay_id)
            .field("name", &self.name)
            .field("upstreams", &self.upstreams)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::Authority;

    #[test]
    fn an_identity_is_read_as_it_was_kept() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Identity::load(dir.path()).unwrap().is_none());
        let authority = Authority::generate().unwrap();
        let key = RelayKey::generate().unwrap();
        let identity = Identity {
            relay_id: "r1".to_owned(),
            name: "paris".to_owned(),
            upstreams: vec!["origin:4443".to_owned()],
            authority_sha256: *authority.key_sha256(),
            chain: authority.sign_relay("r1", key.public_key()).unwrap(),
            key: key.into_private(),
        };
        identity.save(dir.path()).unwrap();
        let read = Identity::load(dir.path()).unwrap().unwrap();
        assert_eq!(read.relay_id, "r1");
        assert_eq!(read.name, "paris");
        assert_eq!(read.upstreams, identity.upstreams);
        assert_eq!(read.authority_sha256, identity.authority_sha256);
        assert_eq!(read.chain, identity.chain);
        assert_eq!(read.key, identity.key);
    }

    #[test]
    fn a_damaged_identity_is_an_error_that_shows_nothing_of_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "{\"key\": \"hush\"}").unwrap();
        let error = Identity::load(dir.path()).unwrap_err().to_string();
        assert!(error.contains(FILE) && !error.contains("hush"), "{error}");
    }
}
