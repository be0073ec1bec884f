//! The program as scripts see it: exit codes, and one line that says what is wrong.

use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};

fn relay(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_streamcircle-relay"));
    command.env_clear().current_dir(folder).args(args);
    command.output().expect("the program was built")
}

/// Its exit code, and its one line on standard error.
fn refused(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = relay(folder, args);
    let text = String::from_utf8(output.stderr).expect("plain text");
    assert_eq!(text.lines().count(), 1, "{text}");
    (output.status.code().expect("it ended by itself"), text)
}

#[test]
fn bad_arguments_and_settings_end_with_2() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("relay.toml"), "http = '127.0.0.1:0'\nhtpp = 1\n").unwrap();
    for (args, named) in [
        (&["--htpp", "x"][..], "--htpp"),
        (&["--http", "nowhere"], "--http \"nowhere\""),
        (&["--join", "garbage"], "--join"),
        (&["--config", "missing.toml"], "missing.toml"),
        (&["--config", "relay.toml"], "htpp in relay.toml"),
        (
            &["--http", "127.0.0.1:0"],
            "--join \"(not set)\": needed at the first start",
        ),
        (&["check-config", "--tls-cert", "c.pem", "--tls-key", "k.pem"], "c.pem"),
    ] {
        let (code, text) = refused(folder.path(), args);
        assert_eq!(code, 2, "{args:?}: {text}");
        assert!(text.contains(named), "{args:?}: {text}");
        assert!(!text.contains("garbage"), "{text}");
    }
}

#[test]
fn what_the_machine_refuses_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, text) = refused(folder.path(), &["--http", &address]);
    assert_eq!(code, 1);
    assert!(
        text.contains("--http") && text.contains(&address) && text.contains("in use"),
        "{text}"
    );

    std::fs::write(folder.path().join("file"), "").unwrap();
    let (code, text) = refused(folder.path(), &["--http", "127.0.0.1:0", "--data-dir", "file/inner"]);
    assert_eq!(code, 1);
    assert!(text.contains("--data-dir \"file/inner\""), "{text}");
}

#[test]
fn good_settings_help_and_version_end_with_0() {
    let folder = tempfile::tempdir().unwrap();
    for (args, said) in [
        (&["check-config"][..], "good"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
        (&["--help"], "STREAMCIRCLE_JOIN"),
    ] {
        let output = relay(folder.path(), args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(String::from_utf8(output.stdout).unwrap().contains(said), "{args:?}");
    }
}
