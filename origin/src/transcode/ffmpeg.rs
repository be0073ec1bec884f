//! Finds out what the machine's ffmpeg can do, once: by really encoding a few pictures, as a listed encoder may lack its device or driver.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use common::{
    flv::{
        demux::{Demuxed, Demuxer},
        file::FileReader,
    },
    media::access_unit::MediaMessage,
};
use futures::future::join_all;
use tokio::{io::AsyncWriteExt as _, time::timeout};
use tracing::{info, warn};

use super::{
    command,
    encoder::{Encoder, Target},
};

/// For ffmpeg to say what it is; it has to be loaded from disk first.
const ASKING: Duration = Duration::from_secs(10);
/// For an encoder to take its few pictures; graphics cards wake up slowly.
const TRYING: Duration = Duration::from_secs(15);

/// What is tried: pictures and a level that every encoder takes; one picture in the middle has to be a key frame.
const TRIAL: Target = Target {
    width: 320,
    height: 240,
    bit_rate: 400_000,
    level: Some(30),
};
const TRIAL_FRAMES: u32 = 12;
const TRIAL_FRAME_MS: u32 = 40;
const TRIAL_KEY: &str = "0.2";
const TRIAL_KEY_MS: u32 = 200;

/// An ffmpeg that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ffmpeg {
    pub(super) program: PathBuf,
    pub(super) version: String,
    /// Those that work, the best first; at least one.
    pub(super) encoders: Vec<Encoder>,
}

impl Ffmpeg {
    /// The one to use when so many others have failed.
    pub(super) fn encoder(&self, others: usize) -> Encoder {
        self.encoders
            .get(others)
            .or(self.encoders.last())
            .copied()
            .unwrap_or(Encoder::X264)
    }
}

/// Looks at `program`.
///
/// # Errors
/// Why nothing can be made with it, in words.
pub(super) async fn find(program: &Path) -> Result<Ffmpeg, String> {
    let about = run(program, &["-hide_banner", "-version"], Vec::new(), ASKING).await?;
    let about = String::from_utf8_lossy(&about).into_owned();
    let version = version(&about).ok_or("it does not say that it is ffmpeg")?.to_owned();
    let listed = run(program, &["-hide_banner", "-encoders"], Vec::new(), ASKING).await?;
    let encoders = working(
        program,
        Encoder::worth_trying(&String::from_utf8_lossy(&listed)),
        TRYING,
    )
    .await;
    if encoders.is_empty() {
        return Err("none of its encoders of H.264 works".to_owned());
    }
    for encoder in &encoders {
        info!(version, encoder = encoder.name(), "ffmpeg works");
    }
    Ok(Ffmpeg {
        program: program.to_owned(),
        version,
        encoders,
    })
}

/// Those that work, in the same order. All are tried at once, for one whose device hangs takes the whole `limit`.
async fn working(program: &Path, candidates: Vec<Encoder>, limit: Duration) -> Vec<Encoder> {
    let trials = candidates.into_iter().map(|encoder| async move {
        match tried(program, encoder, limit).await {
            Ok(()) => return Some(encoder),
            Err(reason) if encoder == Encoder::X264 => warn!(reason, "libx264 does not work"),
            Err(reason) => info!(encoder = encoder.name(), reason, "an encoder does not work here"),
        }
        None
    });
    join_all(trials).await.into_iter().flatten().collect()
}

/// Out of `ffmpeg version 5.1.9-0+deb12u1 Copyright …`.
fn version(about: &str) -> Option<&str> {
    let mut words = about.split_whitespace();
    (words.next() == Some("ffmpeg") && words.next() == Some("version")).then(|| words.next())?
}

async fn tried(program: &Path, encoder: Encoder, limit: Duration) -> Result<(), String> {
    let arguments = command::trial(encoder, &TRIAL, TRIAL_KEY);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let made = run(program, &arguments, grey(), limit).await?;
    if is_as_asked(&made) {
        Ok(())
    } else {
        Err("it does not make key frames where they are asked for, or not one frame of each picture".to_owned())
    }
}

/// The pictures of the trial, in as many bytes as those with colours at half the size each way have.
fn grey() -> Vec<u8> {
    let picture = usize::from(TRIAL.width) * usize::from(TRIAL.height) * 3 / 2;
    vec![128; picture * TRIAL_FRAMES as usize]
}

/// Whether an FLV file has all frames, shown as they are decoded, and key frames just where they were asked for.
fn is_as_asked(flv: &[u8]) -> bool {
    let (mut reader, mut demuxer) = (FileReader::default(), Demuxer::new());
    reader.buffer().extend_from_slice(flv);
    let mut frames = Vec::new();
    let mut is_configured = false;
    while let Ok(Some(tag)) = reader.next_tag() {
        for demuxed in demuxer.push(&tag).unwrap_or_default() {
            match demuxed {
                Demuxed::Media(MediaMessage::Config { .. }) => is_configured = true,
                Demuxed::Media(MediaMessage::AccessUnit(unit)) => {
                    frames.push((unit.timestamp_ms, unit.composition_ms, unit.sync));
                }
                _ => {}
            }
        }
    }
    let expected = (0..TRIAL_FRAMES).map(|frame| {
        let at_ms = frame * TRIAL_FRAME_MS;
        (at_ms, 0, at_ms == 0 || at_ms == TRIAL_KEY_MS)
    });
    is_configured && frames.into_iter().eq(expected)
}

/// What the program writes for what it is given.
async fn run(program: &Path, arguments: &[&str], input: Vec<u8>, limit: Duration) -> Result<Vec<u8>, String> {
    let mut process = command::process(program);
    process
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child =
        command::spawn(&mut process).map_err(|cause| format!("{} cannot be started: {cause}", program.display()))?;
    let stdin = child.stdin.take();
    let feed = async {
        if let Some(mut stdin) = stdin {
            // One that reads no more says why by its exit status.
            let _ = stdin.write_all(&input).await;
        }
    };
    let both = async { tokio::join!(feed, child.wait_with_output()).1 };
    let output = match timeout(limit, both).await {
        Err(_) => return Err(format!("it took more than {} s", limit.as_secs())),
        Ok(output) => output.map_err(|cause| cause.to_string())?,
    };
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().lines().last().unwrap_or_default();
    Err(format!("{}: {said}", output.status))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_version_is_the_third_word_of_ffmpeg_alone() {
        assert_eq!(
            version("ffmpeg version 5.1.9-0+deb12u1 Copyright (c)"),
            Some("5.1.9-0+deb12u1")
        );
        assert_eq!(version("avconv version 11"), None);
    }

    #[tokio::test]
    async fn the_machines_ffmpeg_works_with_libx264_at_least() {
        let found = find(Path::new("ffmpeg")).await.unwrap();
        assert!(!found.version.is_empty());
        tried(Path::new("ffmpeg"), Encoder::X264, TRYING).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_tried_has_the_level_that_it_was_asked_for() {
        for level in [30, 31] {
            let target = Target {
                level: Some(level),
                ..TRIAL
            };
            let arguments = command::trial(Encoder::X264, &target, TRIAL_KEY);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let made = run(Path::new("ffmpeg"), &arguments, grey(), TRYING).await.unwrap();
            let (mut reader, mut demuxer) = (FileReader::default(), Demuxer::new());
            reader.buffer().extend_from_slice(&made);
            let mut told = None;
            while let Ok(Some(tag)) = reader.next_tag() {
                for demuxed in demuxer.push(&tag).unwrap() {
                    if let Demuxed::Media(MediaMessage::Config { record, .. }) = demuxed {
                        told = Some(record[3]);
                    }
                }
            }
            assert_eq!(told, Some(level), "level_idc of the configuration record");
        }
        let asked = command::trial(Encoder::Vaapi, &TRIAL, TRIAL_KEY).join(" ");
        assert!(asked.contains("-level:v 30"), "a level is tried too: {asked}");
    }

    #[tokio::test]
    async fn an_encoder_whose_device_hangs_holds_up_no_other_and_the_best_is_first_though_it_answers_last() {
        let folder = tempfile::tempdir().unwrap();
        let in_folder = |name: &str| folder.path().join(name);
        let arguments = command::trial(Encoder::X264, &TRIAL, TRIAL_KEY);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let made = run(Path::new("ffmpeg"), &arguments, grey(), TRYING).await.unwrap();
        std::fs::write(in_folder("made.flv"), made).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(in_folder("pipe")).status();
        assert!(pipe.unwrap().success());
        // QuickSync answers once x264 was tried.
        let script = format!(
            "#!/bin/sh\ncd {}\ncase \"$*\" in\n\
             *h264_nvenc*) exec sleep 1000;;\n\
             *h264_qsv*) exec cat pipe made.flv;;\n\
             *libx264*) : >pipe; exec cat made.flv;;\n\
             esac\n",
            folder.path().display()
        );
        let program = in_folder("ffmpeg");
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();

        let candidates = vec![Encoder::Nvenc, Encoder::QuickSync, Encoder::X264];
        let found = working(&program, candidates, Duration::from_secs(10)).await;
        assert_eq!(found, [Encoder::QuickSync, Encoder::X264]);
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_or_not_ffmpeg_is_told_apart() {
        let missing = find(Path::new("/nowhere/ffmpeg")).await.unwrap_err();
        assert!(missing.contains("/nowhere/ffmpeg"), "{missing}");
        let other = find(Path::new("echo")).await.unwrap_err();
        assert!(other.contains("does not say"), "{other}");
    }
}
