//! Files that only the daemon's user may read, written whole or not at all. Everything here blocks.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Longest private file that is read, in bytes.
pub const MAX_LEN: u64 = 128 << 10;

/// Makes `dir` (and what is missing above it) with mode 0700; one that is there gets that mode.
pub(super) fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(0o700))
}

/// Writes `content` beside `path` with mode 0600 and moves it there, so that a crash leaves the old file or the new one.
///
/// # Errors
/// The folder is not there, or cannot be written to.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    match path.parent() {
        // Without this the move itself may be lost with the power.
        Some(dir) => fs::File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

/// The file's text, or `None` when there is no such file.
///
/// # Errors
/// It cannot be read, or is longer than [`MAX_LEN`].
pub fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(metadata) if metadata.len() > MAX_LEN => return Err(io::Error::other("the file is too long")),
        Ok(_) => {}
    }
    fs::read_to_string(path).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_for_its_owner_only_and_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/pki");
        make_dir(&inner).unwrap();
        let path = inner.join("key.pem");
        assert_eq!(read(&path).unwrap(), None);
        fs::write(path.with_extension("new"), "left by a crash").unwrap();
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("two"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&path)), (0o700, 0o600));
        assert!(!path.with_extension("new").exists());
    }
}
