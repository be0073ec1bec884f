//! The keys that sign invites and viewer tokens: one file each, the newest signs, all verify.
//!
//! Rotation: put a newer file beside the others and restart; take an old one away when no invite that it signed is
//! still needed. Names sort by age, so nothing else has to be told.

use common::{
    auth::{
        Signer, Verifier,
        keys::{MAX_KEYS, SEED_LEN, jwk_set, pkcs8_pem},
    },
    time::UnixMillis,
};

use super::{
    SecretText, SecretsError,
    private_file::{self, PrivateFolder, content_error, write_new},
    random,
};

/// Start and end of a key's file name; milliseconds since the Unix epoch stand between.
const PREFIX: &str = "signing-";
const SUFFIX: &str = ".pem";

#[derive(Debug)]
pub struct SigningKeys {
    /// Oldest first; never empty.
    signers: Vec<Signer>,
    jwk_set: String,
    verifier: Verifier,
}

impl SigningKeys {
    pub(super) fn open(folder: &PrivateFolder) -> Result<Self, SecretsError> {
        let is_key = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX);
        if folder.names(is_key)?.is_empty() {
            write_new(
                &folder.path(&file_name(node::clock::unix_millis())),
                make_pem()?.expose(),
            )?;
        }
        let names = folder.names(is_key)?;
        let newest = names.len().saturating_sub(MAX_KEYS);
        let signers: Vec<Signer> = names[newest..]
            .iter()
            .map(|name| read_signer(folder, name))
            .collect::<Result<_, _>>()?;
        let jwk_set = jwk_set(signers.iter().rev());
        let verifier = Verifier::from_jwk_set(&jwk_set).expect("the set was just made of at most so many keys");
        Ok(Self {
            signers,
            jwk_set,
            verifier,
        })
    }

    /// The key that signs now.
    pub fn signer(&self) -> &Signer {
        self.signers.last().expect("a key was made when there was none")
    }

    /// The public halves of all keys, JSON.
    pub fn jwk_set(&self) -> &str {
        &self.jwk_set
    }

    /// Checks tokens of all keys.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }
}

/// Thirteen digits sort by age until the year 2286.
fn file_name(now: UnixMillis) -> String {
    format!("{PREFIX}{:013}{SUFFIX}", now.0)
}

fn make_pem() -> Result<SecretText, SecretsError> {
    Ok(SecretText::new(pkcs8_pem(&random::<SEED_LEN>()?)))
}

fn read_signer(folder: &PrivateFolder, name: &str) -> Result<Signer, SecretsError> {
    let path = folder.path(name);
    let pem = private_file::read(&path)?;
    Signer::from_pkcs8_pem(pem.expose()).map_err(|_| content_error(&path, "an Ed25519 private key in PKCS#8 PEM"))
}
