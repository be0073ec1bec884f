//! What this origin must keep to itself, and where: the folder `DATA_DIR`, files of mode 0600.
//!
//! None of it is in the database. A database is copied, backed up and shared between origins; whoever gets hold of a
//! copy must not be able to sign tokens, to publish, or to sign in. So the database has only hashes, and stream keys
//! encrypted with a key from here. Origins that share a PostgreSQL share a copy of this folder.

pub mod admin_token;
mod private_file;
mod seal;
mod signing;
mod text;

use std::{io, path::Path};

pub use self::{
    admin_token::AdminToken,
    signing::SigningKeys,
    text::{SecretText, sha256},
};
use self::{private_file::PrivateFolder, seal::SealingKey};
use crate::db::rooms::StoredKey;

/// Bytes of a stream key's randomness: 32 characters of 5 bits.
const STREAM_KEY_BYTES: usize = 20;

/// SHA-256 of a stream key: tells whether two are the same, and nothing else of them.
pub type KeyHash = [u8; 32];

/// Start of every stream key.
pub const STREAM_KEY_PREFIX: &str = "sk_";

/// Bytes of randomness in every other secret text.
const SECRET_BYTES: usize = 32;

/// What can go wrong with secrets. Names files and causes, never contents.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error("cannot use {path}")]
    File { path: String, source: io::Error },
    #[error("{path} does not hold {expected}")]
    Content { path: String, expected: &'static str },
    #[error("the admin token is empty")]
    EmptyAdminToken,
    /// Told apart, as an own setting says where the token is.
    #[error("the admin token cannot be used")]
    AdminToken(#[source] Box<Self>),
    /// Encrypted with another key, or changed since.
    #[error("a stored stream key cannot be decrypted with the key of this data folder")]
    Unsealable,
    #[error("the system gives no random numbers")]
    Randomness,
}

/// The secrets of an origin, read once at its start.
#[derive(Debug)]
pub struct Secrets {
    admin_token: AdminToken,
    signing: SigningKeys,
    sealing: SealingKey,
    hook_secret: SecretText,
}

impl Secrets {
    /// Reads the secrets in `data_dir`, and makes those that are missing: the folder too, with mode 0700.
    ///
    /// # Errors
    /// When a file cannot be read or written, or holds something else than it should.
    pub fn open(data_dir: &Path, admin_token: admin_token::Source) -> Result<Self, SecretsError> {
        let folder = PrivateFolder::open(data_dir)?;
        let keys = PrivateFolder::open(&data_dir.join("keys"))?;
        Ok(Self {
            admin_token: AdminToken::open(admin_token, &folder)
                .map_err(|cause| SecretsError::AdminToken(Box::new(cause)))?,
            signing: SigningKeys::open(&keys)?,
            sealing: SealingKey::open(&keys)?,
            hook_secret: folder.read_or_make("hook-secret", || random_text("hook_"))?,
        })
    }

    pub fn admin_token(&self) -> &AdminToken {
        &self.admin_token
    }

    pub fn signing(&self) -> &SigningKeys {
        &self.signing
    }

    /// What an nginx-rtmp in front shows with its hooks.
    pub fn hook_secret(&self) -> &SecretText {
        &self.hook_secret
    }

    /// A new stream key for `room`, and how the database may keep it.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn make_stream_key(&self, room: &str) -> Result<(SecretText, StoredKey), SecretsError> {
        let key = SecretText::new(format!("{STREAM_KEY_PREFIX}{}", base32(&random::<STREAM_KEY_BYTES>()?)));
        let stored = StoredKey {
            hash: key.sha256(),
            sealed: self.sealing.seal(room, key.expose())?,
        };
        Ok((key, stored))
    }

    /// The stream key of `room` in clear.
    ///
    /// # Errors
    /// [`SecretsError::Unsealable`] when it was sealed with another key, for another room, or is damaged.
    pub fn unseal_stream_key(&self, room: &str, sealed: &[u8]) -> Result<SecretText, SecretsError> {
        self.sealing.unseal(room, sealed)
    }
}

/// `N` random bytes of the system.
///
/// # Errors
/// When the system gives none.
pub fn random<const N: usize>() -> Result<[u8; N], SecretsError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| SecretsError::Randomness)?;
    Ok(bytes)
}

/// A text nobody can guess, 256 bits behind `prefix`.
///
/// # Errors
/// When the system gives no random numbers.
pub fn random_text(prefix: &str) -> Result<SecretText, SecretsError> {
    Ok(SecretText::new(format!(
        "{prefix}{}",
        base32(&random::<SECRET_BYTES>()?)
    )))
}

/// RFC 4648 section 6 in lower case and without padding: no character that a URL or a form would change.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut window, mut held) = (0_u32, 0_u32);
    for byte in bytes {
        window = (window << 8) | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(ALPHABET[(window >> held) as usize & 31]));
        }
        window &= (1 << held) - 1;
    }
    if held > 0 {
        text.push(char::from(ALPHABET[(window << (5 - held)) as usize & 31]));
    }
    text
}

#[cfg(test)]
mod tests;
