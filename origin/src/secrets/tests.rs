use std::{fs, os::unix::fs::PermissionsExt};

use common::{
    auth::{Role, ViewerClaims},
    time::UnixMillis,
};
use tempfile::TempDir;

use super::{admin_token::Source, *};

const NOW: UnixMillis = UnixMillis(1_795_341_600_000);

fn open(folder: &TempDir) -> Secrets {
    Secrets::open(&folder.path().join("data"), Source::DataDir).unwrap()
}

fn viewer() -> ViewerClaims {
    ViewerClaims {
        viewer_id: "v1".into(),
        invite_id: None,
        room: "cinema".parse().unwrap(),
        role: Role::Viewer,
        nickname: "Ada".into(),
        relays: None,
        issued_at: NOW,
        expires_at: UnixMillis(NOW.0 + 60_000),
    }
}

#[test]
fn the_first_start_makes_secrets_that_the_next_one_finds() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(&folder);
    let (key, stored) = first.make_stream_key("cinema").unwrap();
    let token = first.signing().signer().sign_viewer(&viewer());
    let admin_token = fs::read_to_string(folder.path().join("data/admin-token")).unwrap();

    let second = open(&folder);
    assert_eq!(
        second.unseal_stream_key("cinema", &stored.sealed).unwrap().expose(),
        key.expose()
    );
    assert!(second.signing().verifier().verify_viewer(&token, NOW).is_ok());
    assert!(second.admin_token().matches(admin_token.trim()));
    assert!(!second.admin_token().matches(""));
    assert_eq!(first.hook_secret().expose(), second.hook_secret().expose());
}

#[test]
fn only_the_owner_may_read_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder));
    let mut files = 0;
    for place in ["data", "data/keys"] {
        let path = folder.path().join(place);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700,
            "{place}"
        );
        for entry in fs::read_dir(&path)
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().is_file())
        {
            files += 1;
            assert_eq!(
                entry.metadata().unwrap().permissions().mode() & 0o777,
                0o600,
                "{:?}",
                entry.path()
            );
        }
    }
    assert_eq!(files, 4);
}

#[test]
fn a_stream_key_has_the_shape_that_obs_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (key, stored) = open(&folder).make_stream_key("cinema").unwrap();
    let body = key.expose().strip_prefix("sk_").unwrap();
    assert_eq!(body.len(), 32);
    assert!(body.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')));
    assert_eq!(stored.hash, key.sha256());
    let sealed = String::from_utf8_lossy(&stored.sealed);
    assert!(!sealed.contains(body));
}

#[test]
fn a_sealed_key_opens_for_its_room_and_unchanged_alone() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = open(&folder);
    let (_, stored) = secrets.make_stream_key("cinema").unwrap();
    assert!(secrets.unseal_stream_key("games", &stored.sealed).is_err());
    for at in 0..stored.sealed.len() {
        let mut changed = stored.sealed.clone();
        changed[at] ^= 1;
        assert!(secrets.unseal_stream_key("cinema", &changed).is_err(), "byte {at}");
        assert!(secrets.unseal_stream_key("cinema", &stored.sealed[..at]).is_err());
    }
}

#[test]
fn a_newer_signing_key_signs_and_the_older_still_counts() {
    let folder = tempfile::tempdir().unwrap();
    let before = open(&folder);
    let token = before.signing().signer().sign_viewer(&viewer());
    let newer = folder.path().join("data/keys/signing-9000000000000.pem");
    fs::write(newer, common::auth::keys::pkcs8_pem(&[7; 32])).unwrap();

    let after = open(&folder);
    assert_ne!(after.signing().signer().key_id(), before.signing().signer().key_id());
    assert!(after.signing().verifier().verify_viewer(&token, NOW).is_ok());
    assert!(after.signing().jwk_set().contains(before.signing().signer().key_id()));
    assert!(!after.signing().jwk_set().contains("\"d\""));
}

#[test]
fn an_admin_token_from_outside_is_taken_and_an_empty_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let given = |text: &str| Secrets::open(folder.path(), Source::Given(SecretText::new(text.into())));
    assert!(given(" house \n").unwrap().admin_token().matches("house"));
    let empty = given("  ").unwrap_err();
    assert!(matches!(empty, SecretsError::AdminToken(cause) if matches!(*cause, SecretsError::EmptyAdminToken)));
    assert!(!folder.path().join("admin-token").exists());

    let file = folder.path().join("token.txt");
    fs::write(&file, "of a file\n").unwrap();
    let secrets = Secrets::open(folder.path(), Source::File(file)).unwrap();
    assert!(secrets.admin_token().matches("of a file"));
    let nowhere = Secrets::open(folder.path(), Source::File("/nowhere/token".into())).unwrap_err();
    assert!(matches!(nowhere, SecretsError::AdminToken(cause) if cause.to_string().contains("/nowhere/token")));
}

#[test]
fn a_missing_admin_token_file_is_made_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("operator.txt");
    let open = || Secrets::open(&folder.path().join("data"), Source::File(file.clone())).unwrap();
    drop(open());
    let token = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(token.starts_with("sa_") && open().admin_token().matches(token.trim()));
}

#[test]
fn a_damaged_file_is_named_and_its_content_is_not() {
    for file in ["keys/stream-keys.key", "keys/signing-0000000000001.pem"] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("keys")).unwrap();
        fs::write(folder.path().join(file), "hunter2").unwrap();
        let error = Secrets::open(folder.path(), Source::DataDir).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(file) && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = open(&folder);
    let shown = format!("{secrets:?}");
    for file in ["admin-token", "hook-secret", "keys/stream-keys.key"] {
        let secret = fs::read_to_string(folder.path().join("data").join(file)).unwrap();
        assert!(!shown.contains(secret.trim()), "{file}");
    }
}

#[test]
fn base32_is_that_of_rfc_4648() {
    // Section 10 of the RFC, in lower case and without padding.
    for (bytes, text) in [
        ("", ""),
        ("f", "my"),
        ("fo", "mzxq"),
        ("foo", "mzxw6"),
        ("foob", "mzxw6yq"),
        ("fooba", "mzxw6ytb"),
    ] {
        assert_eq!(base32(bytes.as_bytes()), text);
    }
}
