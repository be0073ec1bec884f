//! How ffmpeg is called for a rung: the source's pictures come in as live Matroska, frames go out as FLV, one for one and with the times they
//! came with.

use common::live::RungDescription;

use super::encoder::{Encoder, Target};

/// More would hold back frames for threads to work on.
const DECODER_THREADS: &str = "2";

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
    fn a_level_is_read_from_the_codecs_string() {
        assert_eq!(level("avc1.4d401f"), Some(31));
        assert_eq!(level("avc1.4d"), None);
        assert_eq!(level("hvc1.1.6.L120.90"), None);
    }
}
