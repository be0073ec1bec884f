//! The keys that sign and check tokens: Ed25519, named by the start of their RFC 7638 thumbprint.
//!
//! The algorithm is fixed here and never taken from a token. Times are checked here against the `now` of the
//! caller: `jsonwebtoken`'s own checks, which read the machine's clock, are off.

use std::{collections::HashMap, fmt};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    invite::{INVITE_AUDIENCE, InviteClaims},
    token::{MAX_TOKEN_LEN, TokenError, VIEWER_AUDIENCE, VIEWER_TOKEN_LEEWAY, ViewerClaims},
};
use crate::time::UnixMillis;

/// Most keys of a set: one that signs, one to come, and those whose tokens still live.
pub const MAX_KEYS: usize = 16;

/// Length of a seed, which is the whole secret of an Ed25519 key (RFC 8032 section 5.1.5).
pub const SEED_LEN: usize = 32;

/// Characters of the thumbprint that name a key: 64 bits and some.
const KEY_ID_LEN: usize = 11;

/// DER of a PKCS#8 version 1 Ed25519 key up to its seed (RFC 8410 section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Why keys cannot be used. Never holds any of a key's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("no Ed25519 private key in PKCS#8 version 1 PEM")]
    PrivateKey,
    #[error("no JWK set")]
    KeySet,
    #[error("more than {MAX_KEYS} keys in the set")]
    TooMany,
}

/// PKCS#8 PEM of the key with this secret seed, as [`Signer::from_pkcs8_pem`] reads it.
pub fn pkcs8_pem(seed: &[u8; SEED_LEN]) -> String {
    let der = [&PKCS8_PREFIX[..], &seed[..]].concat();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        BASE64_STANDARD.encode(der)
    )
}

/// Signs tokens with one key.
pub struct Signer {
    key: EncodingKey,
    public: Jwk,
    key_id: String,
}

/// The key is a secret: only its name is shown.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The claims, and what they are for.
#[derive(Serialize)]
struct Addressed<'a, T> {
    aud: &'static str,
    #[serde(flatten)]
    claims: &'a T,
}

impl Signer {
    /// Reads a private key.
    ///
    /// # Errors
    /// [`KeyError::PrivateKey`] when the PEM holds anything but an Ed25519 key in PKCS#8 version 1.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let key = EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| KeyError::PrivateKey)?;
        // Also proves that the key signs: the public half is derived by loading the private one.
        let mut public = Jwk::from_encoding_key(&key, Algorithm::EdDSA).map_err(|_| KeyError::PrivateKey)?;
        let mut key_id = public
            .thumbprint(ThumbprintHash::SHA256)
            .map_err(|_| KeyError::PrivateKey)?;
        key_id.truncate(KEY_ID_LEN);
        public.common.key_id = Some(key_id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { key, public, key_id })
    }

    /// The name of the key, `kid` of its tokens.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The public half.
    pub fn public_key(&self) -> &Jwk {
        &self.public
    }

    /// The token of an invite.
    pub fn sign_invite(&self, claims: &InviteClaims) -> String {
        self.sign(INVITE_AUDIENCE, claims)
    }

    /// The token of a viewer.
    pub fn sign_viewer(&self, claims: &ViewerClaims) -> String {
        self.sign(VIEWER_AUDIENCE, claims)
    }

    fn sign<T: Serialize>(&self, aud: &'static str, claims: &T) -> String {
        let header = Header {
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, &Addressed { aud, claims }, &self.key)
            .expect("the key was loaded once before, and the claims are plain text and numbers")
    }
}

/// The public halves as a JWK set (RFC 7517 section 5), JSON: what [`Verifier::from_jwk_set`] reads.
pub fn jwk_set<'a>(signers: impl IntoIterator<Item = &'a Signer>) -> String {
    let keys = signers.into_iter().map(|signer| signer.public.clone()).collect();
    serde_json::to_string(&JwkSet { keys }).expect("keys are plain text")
}

/// Checks tokens against a set of public keys.
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: HashMap<String, DecodingKey>,
}

impl Verifier {
    /// Reads a JWK set. Keys of other kinds, and keys without a name, are left out.
    ///
    /// # Errors
    /// [`KeyError::KeySet`] when it is no JWK set, [`KeyError::TooMany`] when it holds more than [`MAX_KEYS`].
    pub fn from_jwk_set(json: &str) -> Result<Self, KeyError> {
        let set: JwkSet = serde_json::from_str(json).map_err(|_| KeyError::KeySet)?;
        if set.keys.len() > MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        let keys = set.keys.iter().filter_map(ed25519_key).collect();
        Ok(Self { keys })
    }

    /// Checks a viewer token, with [`VIEWER_TOKEN_LEEWAY`] after its end. Whether it is revoked is not looked at.
    ///
    /// # Errors
    /// The first reason why the token does not count.
    pub fn verify_viewer(&self, token: &str, now: UnixMillis) -> Result<ViewerClaims, TokenError> {
        let claims = self.read_viewer(token)?;
        let leeway = VIEWER_TOKEN_LEEWAY.as_millis() as i64;
        if now.0 >= claims.expires_at.0.saturating_add(leeway) {
            return Err(TokenError::Expired);
        }
        if now.0.saturating_add(leeway) < claims.issued_at.0 {
            return Err(TokenError::NotYetValid);
        }
        Ok(claims)
    }

    /// The claims of a viewer token that we signed, expired or not: who someone was, not what it may do.
    ///
    /// # Errors
    /// The first reason why the token does not count, its times aside.
    pub fn read_viewer(&self, token: &str) -> Result<ViewerClaims, TokenError> {
        self.read(token, VIEWER_AUDIENCE)
    }

    /// Checks an invite; without leeway, since the origin that signed it also checks it. Whether it is revoked is not looked at.
    ///
    /// # Errors
    /// The first reason why the invite does not count.
    pub fn verify_invite(&self, token: &str, now: UnixMillis) -> Result<InviteClaims, TokenError> {
        let claims = self.read_invite(token)?;
        if now < claims.not_before {
            return Err(TokenError::NotYetValid);
        }
        if now >= claims.expires_at {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    /// The claims of an invite that we signed, whatever the time.
    ///
    /// # Errors
    /// The first reason why the invite does not count, its times aside.
    pub fn read_invite(&self, token: &str) -> Result<InviteClaims, TokenError> {
        self.read(token, INVITE_AUDIENCE)
    }

    fn read<T: DeserializeOwned + Clone>(&self, token: &str, audience: &str) -> Result<T, TokenError> {
        if token.len() > MAX_TOKEN_LEN {
            return Err(TokenError::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        // An extension that must be understood is one we do not (RFC 7515 section 4.1.11).
        if header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        if header.alg != Algorithm::EdDSA {
            return Err(TokenError::WrongAlgorithm);
        }
        let key_id = header.kid.ok_or(TokenError::UnknownKey)?;
        let key = self.keys.get(&key_id).ok_or(TokenError::UnknownKey)?;
        let decoded = jsonwebtoken::decode::<T>(token, key, &validation(audience));
        decoded
            .map(|data| data.claims)
            .map_err(|error| token_error(error.kind()))
    }
}

fn ed25519_key(jwk: &Jwk) -> Option<(String, DecodingKey)> {
    let AlgorithmParameters::OctetKeyPair(pair) = &jwk.algorithm else {
        return None;
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let whole = key.try_get_as_bytes().is_ok_and(|bytes| bytes.len() == 32);
    (whole && pair.curve == EllipticCurve::Ed25519).then_some(())?;
    Some((jwk.common.key_id.clone()?, key))
}

fn validation(audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["exp", "aud"]);
    validation.set_audience(&[audience]);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation
}

fn token_error(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::InvalidSignature => TokenError::BadSignature,
        ErrorKind::InvalidAlgorithm => TokenError::WrongAlgorithm,
        ErrorKind::InvalidAudience => TokenError::WrongAudience,
        _ => TokenError::Malformed,
    }
}

#[cfg(test)]
mod tests;
