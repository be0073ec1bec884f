//! Stream keys at rest: AES-256-GCM, bound to their room, so that a row's key cannot be moved to another.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{
    SecretText, SecretsError,
    private_file::{PrivateFolder, content_error},
    random,
};

/// File of the key in the folder of keys.
const FILE: &str = "stream-keys.key";

/// First byte of what is sealed; another one would be another algorithm.
const VERSION: u8 = 1;

/// Length of an AES-256 key.
const KEY_LEN: usize = 32;

pub(super) struct SealingKey(RandomizedNonceKey);

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

impl SealingKey {
    pub(super) fn open(folder: &PrivateFolder) -> Result<Self, SecretsError> {
        let text = folder.read_or_make(FILE, || {
            Ok(SecretText::new(BASE64_STANDARD.encode(random::<KEY_LEN>()?)))
        })?;
        let wrong = || content_error(&folder.path(FILE), "32 bytes in base64");
        let bytes = BASE64_STANDARD.decode(text.expose()).map_err(|_| wrong())?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| wrong())?;
        Ok(Self(key))
    }

    /// Version, nonce, ciphertext and tag.
    pub(super) fn seal(&self, room: &str, key: &str) -> Result<Vec<u8>, SecretsError> {
        let mut body = key.as_bytes().to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(room.as_bytes()), &mut body)
            .map_err(|_| SecretsError::Randomness)?;
        Ok([&[VERSION], &nonce.as_ref()[..], &body].concat())
    }

    pub(super) fn unseal(&self, room: &str, sealed: &[u8]) -> Result<SecretText, SecretsError> {
        let (&version, rest) = sealed.split_first().ok_or(SecretsError::Unsealable)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SecretsError::Unsealable)?;
        if version != VERSION {
            return Err(SecretsError::Unsealable);
        }
        let mut body = body.to_vec();
        let clear = self
            .0
            .open_in_place(Nonce::from(nonce), Aad::from(room.as_bytes()), &mut body)
            .map_err(|_| SecretsError::Unsealable)?;
        let text = std::str::from_utf8(clear).map_err(|_| SecretsError::Unsealable)?;
        Ok(SecretText::new(text.to_owned()))
    }
}
