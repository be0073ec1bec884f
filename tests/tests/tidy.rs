//! Rules of the house that no compiler holds.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// Longest file of code, lines without its tests.
const MAX_LINES: usize = 350;
/// Longer ones, each with its reason.
const LONGER: [(&str, usize, &str); 1] = [(
    "common/src/link/sim/mod.rs",
    480,
    "the simulated world is one state machine, and used by tests only",
)];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the workspace")
        .to_owned()
}

fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).current_dir(root()).output()?;
    ensure!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Files that git knows, with one of these endings.
fn files(endings: &[&str]) -> Result<Vec<String>> {
    let listed = output("git", &["ls-files"])?;
    Ok(listed
        .lines()
        .filter(|file| endings.iter().any(|ending| file.ends_with(ending)))
        .map(str::to_owned)
        .collect())
}

fn is_test(file: &str) -> bool {
    file.contains("tests") || file.contains(".test.") || file.starts_with("fuzz/")
}

/// Lines above the inline tests.
fn code_lines(text: &str) -> usize {
    text.lines().take_while(|line| !line.ends_with("mod tests {")).count()
}

#[test]
fn no_file_grows_past_its_bounds() -> Result<()> {
    for file in files(&[".rs", ".ts", ".tsx"])? {
        if is_test(&file) {
            continue;
        }
        let lines = code_lines(&std::fs::read_to_string(root().join(&file))?);
        let allowed = LONGER
            .iter()
            .find(|(name, ..)| *name == file)
            .map_or(MAX_LINES, |(_, lines, _)| *lines);
        ensure!(
            lines <= allowed,
            "{file} has {lines} lines; at most {allowed}: split it, or say here why not"
        );
    }
    Ok(())
}

#[test]
fn every_rust_file_says_what_it_is_for() -> Result<()> {
    for file in files(&[".rs"])? {
        let text = std::fs::read_to_string(root().join(&file))?;
        ensure!(is_test(&file) || text.starts_with("//!"), "{file} has no `//!` header");
    }
    Ok(())
}

#[test]
fn crates_depend_on_each_other_in_a_straight_line() -> Result<()> {
    let below: [(&str, &[&str]); 4] = [
        ("common", &[]),
        ("node", &["common"]),
        ("relay", &["common", "node"]),
        ("origin", &["common", "node", "relay"]),
    ];
    for (name, allowed) in below {
        let manifest = std::fs::read_to_string(root().join(name).join("Cargo.toml"))?;
        for other in ["common", "node", "relay", "origin"] {
            let depends = manifest.contains(&format!("\n{other}.workspace = true"));
            ensure!(!depends || allowed.contains(&other), "{name} depends on {other}");
        }
    }
    Ok(())
}

#[test]
fn the_rules_know_no_tokio_and_one_crypto_provider_serves_all() -> Result<()> {
    let rules = output(
        "cargo",
        &[
            "tree",
            "--locked",
            "--offline",
            "-p",
            "streamcircle-common",
            "-e",
            "normal",
            "--prefix",
            "none",
        ],
    )?;
    ensure!(
        !rules.lines().any(|line| line.starts_with("tokio ")),
        "common depends on tokio"
    );
    let programs = output(
        "cargo",
        &[
            "tree",
            "--locked",
            "--offline",
            "-p",
            "streamcircle-origin",
            "-e",
            "normal,build",
            "--prefix",
            "none",
        ],
    )?;
    for banned in ["ring ", "rsa ", "openssl-sys ", "native-tls "] {
        ensure!(
            !programs.lines().any(|line| line.starts_with(banned)),
            "{banned}is in the graph"
        );
    }
    Ok(())
}

#[test]
fn both_engines_have_the_same_migrations() -> Result<()> {
    let names = |engine: &str| -> Result<Vec<String>> {
        let folder = root().join("migrations").join(engine);
        let mut names: Vec<String> = std::fs::read_dir(&folder)
            .with_context(|| folder.display().to_string())?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_>>()?;
        names.sort();
        Ok(names)
    };
    let (sqlite, postgres) = (names("sqlite")?, names("postgres")?);
    ensure!(!sqlite.is_empty() && sqlite == postgres, "{sqlite:?} and {postgres:?}");
    Ok(())
}
