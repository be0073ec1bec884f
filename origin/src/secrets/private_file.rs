//! Files that only the user of this process may read, written whole or not at all.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{SecretText, SecretsError, random};

/// Longest file that is read as a secret, in bytes.
const MAX_SECRET_FILE: u64 = 16 * 1024;

/// A folder of secret files.
pub(super) struct PrivateFolder(PathBuf);

impl PrivateFolder {
    /// Opens the folder and makes it if it is missing. One that is there keeps its mode: it may hold more than secrets.
    pub(super) fn open(path: &Path) -> Result<Self, SecretsError> {
        if !path.is_dir() {
            fs::create_dir_all(path).map_err(|source| file_error(path, source))?;
            fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(|source| file_error(path, source))?;
        }
        Ok(Self(path.to_owned()))
    }

    /// Path of a file in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of the files whose names pass `is_wanted`, sorted.
    pub(super) fn names(&self, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, SecretsError> {
        let entries = fs::read_dir(&self.0).map_err(|source| file_error(&self.0, source))?;
        let names = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| is_wanted(name)).collect();
        names.sort();
        Ok(names)
    }

    /// The secret in the file `name`; when there is none, what `make` gives is written there first.
    pub(super) fn read_or_make(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<SecretText, SecretsError>,
    ) -> Result<SecretText, SecretsError> {
        read_or_make(&self.path(name), make)
    }
}

/// The secret in the file at `path`; when there is none, what `make` gives is written there first. Its folder has to be there.
pub(super) fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> Result<SecretText, SecretsError>,
) -> Result<SecretText, SecretsError> {
    if !path.exists() {
        write_new(path, make()?.expose())?;
    }
    read(path)
}

/// The secret in a file, without the white space around it.
pub(super) fn read(path: &Path) -> Result<SecretText, SecretsError> {
    let length = fs::metadata(path).map_err(|source| file_error(path, source))?.len();
    if length > MAX_SECRET_FILE {
        return Err(content_error(path, "one secret"));
    }
    let text = fs::read_to_string(path).map_err(|source| file_error(path, source))?;
    Ok(SecretText::new(text.trim().to_owned()))
}

/// Writes a new file of mode 0600. A file that is there already, made by another process meanwhile, stays as it is.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), SecretsError> {
    let suffix = u64::from_be_bytes(random()?);
    let draft = path.with_extension(format!("draft-{suffix:x}"));
    let outcome = write_draft(&draft, text).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome,
    });
    let removed = fs::remove_file(&draft);
    outcome.and(removed).map_err(|source| file_error(path, source))
}

fn write_draft(draft: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

pub(super) fn content_error(path: &Path, expected: &'static str) -> SecretsError {
    SecretsError::Content {
        path: path.display().to_string(),
        expected,
    }
}

fn file_error(path: &Path, source: io::Error) -> SecretsError {
    SecretsError::File {
        path: path.display().to_string(),
        source,
    }
}
