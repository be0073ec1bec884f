//! How ffmpeg is called for a rung: the source's pictures come in as live Matroska, frames go out as FLV, one for one and with the times they
//! came with.

use std::{ffi::OsStr, io, path::Path};

use common::live::RungDescription;
use rustix::process::{Pid, getpriority_process, setpriority_pgrp};
use tokio::process::{Child, Command};
use tracing::debug;

use super::encoder::{Encoder, Target};

/// More would hold back frames for threads to work on.
const DECODER_THREADS: &str = "2";

/// Of a picture that is decoded, as what a stream says of itself and what is in it may differ: those of 8K. No ladder is offered above it.
const MAX_PIXELS: &str = "35651584";

/// What an encoder has to know of its surroundings: where programs, drivers and devices are, and no secrets of the origin's.
const KEPT: [&str; 3] = ["PATH", "HOME", "LD_LIBRARY_PATH"];
const KEPT_PREFIXES: [&str; 3] = ["LIBVA_", "CUDA_", "NVIDIA_"];

/// A process that has no more of the origin's environment than it needs.
pub(super) fn process(program: &Path) -> Command {
    let mut process = Command::new(program);
    process
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| is_kept(name)));
    process
}

/// Above the origin's own nice value: where there is too little for all, what takes the stream in and sends it out goes first.
const NICER: i32 = 10;

/// Starts it with a lower priority than the origin's.
///
/// # Errors
/// As [`Command::spawn`].
pub(crate) fn spawn(process: &mut Command) -> io::Result<Child> {
    // Linux has a priority for each thread, and sets those of a whole group: threads that there are already, too.
    let child = process.process_group(0).spawn()?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let lowered = getpriority_process(None).and_then(|own| setpriority_pgrp(group, own + NICER));
    if let Err(reason) = lowered {
        debug!(%reason, "an encoder has the origin's own priority");
    }
    Ok(child)
}

fn is_kept(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| KEPT.contains(&name) || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

/// What is to be made.
pub(super) fn target(rung: &RungDescription) -> Target {
    // With the encoder's buffer, a segment of two seconds may have a quarter more than the rate.
    let bit_rate = rung.bit_rate.average.min(rung.bit_rate.peak / 5 * 4).max(1);
    Target {
        width: rung.width,
        height: rung.height,
        bit_rate,
        level: level(&rung.codecs),
    }
}

/// Of a codecs string, as in `avc1.4d401f`.
fn level(codecs: &str) -> Option<u8> {
    let digits = codecs.strip_prefix("avc1.")?.get(4..6)?;
    u8::from_str_radix(digits, 16).ok()
}

/// The arguments for one rung.
pub(super) fn arguments(encoder: Encoder, target: &Target) -> Vec<String> {
    let mut arguments = strings(&["-hide_banner", "-loglevel", "error", "-threads", DECODER_THREADS]);
    arguments.extend(strings(encoder.device()));
    // The stream says what it is in its first bytes; looking further would hold up the first frame.
    arguments.extend(strings(&["-probesize", "32", "-analyzeduration", "0"]));
    arguments.extend(strings(&["-protocol_whitelist", "pipe", "-max_pixels", MAX_PIXELS]));
    arguments.extend(strings(&["-f", "matroska", "-i", "pipe:0", "-map", "0:v:0"]));
    arguments.extend(coded(encoder, target, "source"));
    arguments
}

/// The arguments that find out whether an encoder works: a few raw pictures come in, one of which is to be a key frame.
pub(super) fn trial(encoder: Encoder, target: &Target, key_frame_at: &str) -> Vec<String> {
    let size = format!("{}x{}", target.width, target.height);
    let mut arguments = strings(&["-hide_banner", "-loglevel", "error"]);
    arguments.extend(strings(encoder.device()));
    arguments.extend(strings(&[
        "-f", "rawvideo", "-pix_fmt", "yuv420p", "-r", "25", "-s", &size,
    ]));
    arguments.extend(strings(&["-i", "pipe:0"]));
    arguments.extend(coded(encoder, target, key_frame_at));
    arguments
}

fn coded(encoder: Encoder, target: &Target, key_frames: &str) -> Vec<String> {
    let mut arguments = strings(&["-copyts", "-fps_mode", "passthrough", "-enc_time_base", "1:1000"]);
    arguments.extend(["-vf".to_owned(), encoder.filters(target)]);
    arguments.extend(encoder.arguments(target));
    arguments.extend(strings(&["-force_key_frames", key_frames]));
    arguments.extend(strings(&["-flush_packets", "1", "-flvflags", "no_duration_filesize"]));
    arguments.extend(strings(&["-f", "flv", "pipe:1"]));
    arguments
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_the_origin_are_not_passed_on() {
        let kept = |name: &str| is_kept(OsStr::new(name));
        assert!(kept("PATH") && kept("LIBVA_DRIVER_NAME") && kept("NVIDIA_VISIBLE_DEVICES"));
        assert!(!kept("STREAMCIRCLE_DATABASE") && !kept("PATHS") && !kept("AWS_SECRET_ACCESS_KEY"));
    }

    #[test]
    fn what_is_decoded_is_bounded_and_read_from_the_pipe_alone() {
        let target = Target {
            width: 640,
            height: 360,
            bit_rate: 800_000,
            level: None,
        };
        let arguments = arguments(Encoder::X264, &target).join(" ");
        let (input, _) = arguments.split_once(" -i pipe:0").unwrap();
        assert!(
            input.contains("-max_pixels 35651584") && input.contains("-protocol_whitelist pipe"),
            "{input}"
        );
    }

    #[test]
    fn a_level_is_read_from_the_codecs_string() {
        assert_eq!(level("avc1.4d401f"), Some(31));
        assert_eq!(level("avc1.4d"), None);
        assert_eq!(level("hvc1.1.6.L120.90"), None);
    }
}
