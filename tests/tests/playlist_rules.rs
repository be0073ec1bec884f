//! The playlists of real streams under our linter. `make bench` does the same for five minutes.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{evening::Evening, lint, publisher::Settings};

async fn lint_a_stream_of(settings: Settings) -> Result<()> {
    let evening = Evening::start(settings).await?;
    let viewer = evening.friend("Ann").await?;
    let report = lint::follow(&viewer, Duration::from_secs(20)).await?;
    ensure!(
        report.playlists > 20 && report.parts > 20,
        "hardly anything was looked at: {report:?}"
    );
    let violations: Vec<String> = report.violations.iter().map(ToString::to_string).collect();
    ensure!(violations.is_empty(), "{}", violations.join("\n"));
    Ok(())
}

#[tokio::test]
async fn pictures_and_sound_break_no_rule() -> Result<()> {
    lint_a_stream_of(Settings::default()).await
}

#[tokio::test]
async fn sound_alone_breaks_no_rule() -> Result<()> {
    lint_a_stream_of(Settings {
        video: false,
        ..Settings::default()
    })
    .await
}

#[tokio::test]
async fn pictures_alone_break_no_rule() -> Result<()> {
    lint_a_stream_of(Settings {
        audio: false,
        ..Settings::default()
    })
    .await
}

#[tokio::test]
async fn obs_default_key_interval_breaks_no_rule() -> Result<()> {
    lint_a_stream_of(Settings {
        key_interval: 250,
        ..Settings::default()
    })
    .await
}
