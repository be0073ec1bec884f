//! The operator's token: whoever shows it may do everything.

use std::path::PathBuf;

use super::{
    SecretText, SecretsError,
    private_file::{self, PrivateFolder},
    random_text,
};

/// A token with fewer characters is warned of: it may be guessed.
const SHORT: usize = 16;
/// Start of a token that was made here.
const PREFIX: &str = "sa_";
/// File of the token in the data folder.
const FILE: &str = "admin-token";

/// Where the token comes from.
#[derive(Clone, Debug, Default)]
pub enum Source {
    /// `admin-token` in the data folder, made on the first start.
    #[default]
    DataDir,
    /// Another file, made on the first start too.
    File(PathBuf),
    /// The token itself, from the environment.
    Given(SecretText),
}

#[derive(Clone, Debug)]
pub struct AdminToken(SecretText);

impl AdminToken {
    pub(super) fn open(source: Source, folder: &PrivateFolder) -> Result<Self, SecretsError> {
        let token = match source {
            Source::DataDir => folder.read_or_make(FILE, || random_text(PREFIX))?,
            Source::File(path) => private_file::read_or_make(&path, || random_text(PREFIX))?,
            Source::Given(token) => SecretText::new(token.expose().trim().to_owned()),
        };
        if token.expose().is_empty() {
            return Err(SecretsError::EmptyAdminToken);
        }
        if token.expose().chars().count() < SHORT {
            tracing::warn!("the admin token has fewer than {SHORT} characters: it may be guessed");
        }
        Ok(Self(token))
    }

    /// Whether `shown` is the token, in constant time.
    pub fn matches(&self, shown: &str) -> bool {
        self.0.matches(shown)
    }
}
