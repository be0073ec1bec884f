//! A text that no log and no error shows.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A secret text. Cloned and compared, shown by [`SecretText::expose`] alone.
#[derive(Clone)]
pub struct SecretText(String);

impl SecretText {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one who is meant to have it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the text: what a database may know of it.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.0)
    }

    /// Whether `other` is the same, in a time that tells nothing of where they differ.
    pub fn matches(&self, other: &str) -> bool {
        // Hashed first, so that not even the length shows.
        self.sha256().ct_eq(&sha256(other)).into()
    }
}

/// SHA-256 of a secret that came from outside, to look it up or to compare it.
pub fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}
