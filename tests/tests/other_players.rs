//! Players that are no browser: ffmpeg follows the playlists with a token in the query.

use std::{process::Command, time::Duration};

use anyhow::{Result, ensure};
use e2e::{evening::Evening, process::Process, publisher::Settings};

#[tokio::test]
async fn ffmpeg_plays_with_a_token_in_the_query_and_decodes_without_an_error() -> Result<()> {
    let evening = Evening::start(Settings::default()).await?;
    let ann = evening.friend("Ann").await?;
    let mut command = Command::new("ffmpeg");
    command
        .args([
            "-hide_banner",
            "-loglevel",
            "error",
            "-nostdin",
            "-i",
            &ann.url("index.m3u8"),
        ])
        .args(["-t", "6", "-map", "0:v", "-map", "0:a", "-f", "framecrc", "-"]);
    let mut player = Process::start("ffmpeg-player", &mut command, evening.origin.folder())?;
    let status = player.wait(Duration::from_secs(60))?;
    let log = player.log();
    ensure!(status.success(), "{log}");
    let (video, audio) = (count(&log, "0,"), count(&log, "1,"));
    ensure!(video >= 170, "{video} pictures in 6 s at 30 a second:\n{log}");
    ensure!(audio >= 270, "{audio} audio frames in 6 s at 47 a second");
    ensure!(!log.to_lowercase().contains("error"), "{log}");
    Ok(())
}

fn count(log: &str, stream: &str) -> usize {
    log.lines().filter(|line| line.starts_with(stream)).count()
}
