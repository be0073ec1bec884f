//! The origin's certificate authority: it vouches for the link's server and for each relay.

use std::path::Path;

use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

use super::{PkiError, RELAY_URI_PREFIX, is_relay_id, private_file};

/// The name in the link's server certificate. Nothing looks at it: relays know the origin by its authority's key, wherever it is.
pub const SERVER_NAME: &str = "link.streamcircle.invalid";

const KEY_FILE: &str = "authority.key.pem";

/// Signs certificates of the link. Its key never leaves it.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    key_sha256: [u8; 32],
    derivation: Prk,
}

/// The link's server certificate and its key, made anew at each start.
pub struct ServerCertificate {
    /// The server's own certificate, then the authority's, by which relays know it.
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl Authority {
    /// Reads the authority's key from `dir`, or makes folder (0700) and key (0600) there.
    ///
    /// # Errors
    /// Names the file that cannot be read or written.
    pub fn open(dir: &Path) -> Result<Self, PkiError> {
        let path = dir.join(KEY_FILE);
        let file_error = |source| PkiError::File {
            path: path.clone(),
            source,
        };
        private_file::make_dir(dir).map_err(file_error)?;
        if let Some(text) = private_file::read(&path).map_err(file_error)? {
            let key = KeyPair::from_pkcs8_pem_and_sign_algo(&text, &rcgen::PKCS_ED25519).map_err(|_| {
                let what = "not an Ed25519 key in PEM (to start over with new relays, move it away)";
                PkiError::Content {
                    path: path.clone(),
                    what,
                }
            })?;
            return Self::from_key(key);
        }
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519)?;
        private_file::write(&path, key.serialize_pem().as_bytes()).map_err(file_error)?;
        Self::from_key(key)
    }

    /// An authority that lives as long as this value.
    ///
    /// # Errors
    /// [`PkiError::Make`] when the key cannot be made.
    pub fn generate() -> Result<Self, PkiError> {
        Self::from_key(KeyPair::generate_for(&rcgen::PKCS_ED25519)?)
    }

    fn from_key(key: KeyPair) -> Result<Self, PkiError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name("StreamCircle link authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        // Ed25519 signs without randomness and the serial number is taken from the key: always the same certificate.
        let certificate = params.self_signed(&key)?.der().clone();
        Ok(Self {
            key_sha256: Sha256::digest(key.subject_public_key_info()).into(),
            derivation: Salt::new(HKDF_SHA256, &[]).extract(key.serialized_der()),
            issuer: Issuer::new(params, key),
            certificate,
        })
    }

    /// SHA-256 of the authority's public key (SubjectPublicKeyInfo, DER): what join tokens carry and relays pin.
    pub fn key_sha256(&self) -> &[u8; 32] {
        &self.key_sha256
    }

    /// The authority's own certificate: what client certificates are verified against.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A secret for `purpose` that is the same for as long as the authority's key is, and tells nothing of it (HKDF, RFC 5869).
    pub(crate) fn derived_secret(&self, purpose: &[u8]) -> [u8; 32] {
        let mut secret = [0; 32];
        let info = [purpose];
        let derived = self.derivation.expand(&info, HKDF_SHA256);
        derived
            .and_then(|derived| derived.fill(&mut secret))
            .expect("one block of SHA-256 can always be had, and has 32 bytes");
        secret
    }

    /// Makes a key and certificate for the link's listener.
    ///
    /// # Errors
    /// [`PkiError::Make`].
    pub fn issue_server(&self) -> Result<ServerCertificate, PkiError> {
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519)?;
        let mut params = CertificateParams::new([SERVER_NAME.to_owned()])?;
        params.distinguished_name = common_name("StreamCircle link");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let own = params.signed_by(&key, &self.issuer)?;
        Ok(ServerCertificate {
            chain: vec![own.der().clone(), self.certificate.clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }

    /// Makes a relay's client certificate for its Ed25519 `public_key`. The relay's own certificate is first in the chain.
    ///
    /// # Errors
    /// [`PkiError::RelayId`] or [`PkiError::Make`].
    pub fn sign_relay(&self, relay_id: &str, public_key: [u8; 32]) -> Result<Vec<CertificateDer<'static>>, PkiError> {
        if !is_relay_id(relay_id) {
            return Err(PkiError::RelayId);
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(&format!("StreamCircle relay {relay_id}"));
        params.subject_alt_names = vec![SanType::URI(format!("{RELAY_URI_PREFIX}{relay_id}").try_into()?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // Only client authentication: a relay cannot pass itself off as the origin.
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let own = params.signed_by(&Ed25519PublicKey(public_key), &self.issuer)?;
        Ok(vec![own.der().clone(), self.certificate.clone()])
    }
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

struct Ed25519PublicKey([u8; 32]);

impl PublicKeyData for Ed25519PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::relay_id;

    #[test]
    fn the_authority_of_a_folder_stays_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let pki = dir.path().join("pki");
        let first = Authority::open(&pki).unwrap();
        let again = Authority::open(&pki).unwrap();
        assert_eq!(first.key_sha256(), again.key_sha256());
        assert_eq!(first.certificate(), again.certificate());
        assert_eq!(first.derived_secret(b"one"), again.derived_secret(b"one"));
        assert_ne!(first.derived_secret(b"one"), again.derived_secret(b"other"));
        assert_ne!(first.key_sha256(), Authority::generate().unwrap().key_sha256());
    }

    #[test]
    fn a_damaged_key_is_named_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(KEY_FILE), "no key").unwrap();
        let error = Authority::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains(KEY_FILE), "{error}");
        assert_eq!(std::fs::read_to_string(dir.path().join(KEY_FILE)).unwrap(), "no key");
    }

    #[test]
    fn a_relay_certificate_names_its_relay() {
        let authority = Authority::generate().unwrap();
        let chain = authority.sign_relay("r-1", [3; 32]).unwrap();
        assert_eq!(relay_id(&chain[0]).as_deref(), Some("r-1"));
        assert_eq!(relay_id(&authority.issue_server().unwrap().chain[0]), None);
        assert!(matches!(authority.sign_relay("a b", [3; 32]), Err(PkiError::RelayId)));
    }
}
