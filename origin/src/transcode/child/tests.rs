//! Every codec of pictures that publishers send, through the machine's ffmpeg.

use std::{collections::VecDeque, process::Command};

use bytes::Bytes;
use common::{
    cmaf::inspect,
    id::Rung,
    live::{BitRate, RungDescription},
    media::access_unit::{Codec, ColourInfo},
};

use super::*;
use crate::transcode::encoder::Encoder;

const FRAMES: usize = 45;
const FRAME_MS: i64 = 40;
/// Beyond what FLV's 24 bits hold.
const BASE_MS: i64 = 100_000_000;

pub(in crate::transcode) fn ffmpeg() -> Ffmpeg {
    Ffmpeg {
        program: "ffmpeg".into(),
        version: String::new(),
        encoders: vec![Encoder::X264],
    }
}

pub(in crate::transcode) fn rung() -> RungDescription {
    RungDescription {
        rung: Rung::P144,
        width: 256,
        height: 144,
        frame_rate_millihertz: 25_000,
        codecs: "avc1.4d400d".to_owned(),
        bit_rate: BitRate {
            peak: 300_000,
            average: 200_000,
        },
    }
}

/// A configuration, and frames in the order of decoding: when each is shown, and whether it is a key frame.
pub(in crate::transcode) type Encoded = (VideoConfig, Vec<(i64, bool, Bytes)>);

/// Two seconds with a key frame a second, as fragments of one frame each.
pub(in crate::transcode) fn encoded(codec: Codec, encoder: &[&str], record: &[u8; 4]) -> Encoded {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("encoded.mp4");
    let done = Command::new("ffmpeg")
        .args([
            "-y",
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=25",
        ])
        .args(["-frames:v", &FRAMES.to_string(), "-pix_fmt", "yuv420p", "-g", "25"])
        .args(encoder)
        .args([
            "-movflags",
            "empty_moov+frag_every_frame+default_base_moof",
            "-video_track_timescale",
            "1000",
        ])
        .arg(&path)
        .output()
        .expect("ffmpeg is installed");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let file = Bytes::from(std::fs::read(&path).unwrap());
    let find = |name: &[u8]| file.windows(4).position(|window| window == name).unwrap();
    let at = find(record);
    let size = u32::from_be_bytes(file[at - 4..at].try_into().unwrap()) as usize;
    let config = VideoConfig {
        codec,
        record: file.slice(at + 4..at - 4 + size),
        width: 320,
        height: 180,
        codecs: String::new(),
        frame_rate_millihertz: None,
        sample_aspect_ratio: None,
        colour: ColourInfo::default(),
    };
    let end = file
        .windows(4)
        .rposition(|window| window == b"mfra")
        .unwrap_or(file.len() + 4)
        - 4;
    let fragments = inspect::read_fragments(&file.slice(find(b"moof") - 4..end)).unwrap();
    let samples = fragments.into_iter().flat_map(|fragment| fragment.samples);
    let frames = samples.map(|sample| {
        let shown_ms = i64::try_from(sample.dts).unwrap() + i64::from(sample.composition_offset);
        (BASE_MS + shown_ms, sample.is_sync(), sample.payload)
    });
    (config, frames.collect())
}

/// Whether each frame comes back with its time, key frames as such, and the first ones long before the last are given.
async fn comes_back(codec: Codec, encoder: &[&str], record: &[u8; 4]) {
    let (config, frames) = encoded(codec, encoder, record);
    let mut shown: VecDeque<(i64, bool)> = frames.iter().map(|&(at_ms, sync, _)| (at_ms, sync)).collect();
    shown.make_contiguous().sort_unstable();
    let mut child = Child::start(&ffmpeg(), Encoder::X264, &rung(), &config, BASE_MS).unwrap();
    let (begin, rest) = frames.split_at(FRAMES / 2);
    for (at_ms, sync, payload) in begin {
        child.give(*at_ms, *sync, payload.clone()).unwrap();
    }
    let mut made = Vec::new();
    let mut is_configured = false;
    while made.len() < 5 {
        match child.next().await {
            Answer::Config(config) => is_configured = (config.width, config.height) == (256, 144),
            Answer::Frame { shown_ms, sync, .. } => made.push((shown_ms, sync)),
            Answer::Over(reason) => panic!("{reason}"),
        }
    }
    assert!(is_configured);
    for (at_ms, sync, payload) in rest {
        child.give(*at_ms, *sync, payload.clone()).unwrap();
    }
    child.close();
    loop {
        match child.next().await {
            Answer::Config(_) => {}
            Answer::Frame { shown_ms, sync, .. } => made.push((shown_ms, sync)),
            Answer::Over(reason) => {
                assert!(reason.contains("exit status: 0"), "{reason}");
                break;
            }
        }
    }
    assert_eq!(made, Vec::from(shown));
    assert!(made.iter().zip(&made[1..]).all(|(a, b)| b.0 - a.0 == FRAME_MS));
    assert_eq!(made.iter().filter(|frame| frame.1).count(), 2);
}

#[tokio::test]
async fn h264_with_b_frames_comes_back_frame_by_frame() {
    comes_back(
        Codec::H264,
        &["-c:v", "libx264", "-preset", "veryfast", "-bf", "2"],
        b"avcC",
    )
    .await;
}

#[tokio::test]
async fn hevc_with_b_frames_comes_back_frame_by_frame() {
    let encoder = [
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "log-level=none:open-gop=0:bframes=2:keyint=25",
    ];
    comes_back(Codec::Hevc, &encoder, b"hvcC").await;
}

#[tokio::test]
async fn av1_comes_back_frame_by_frame() {
    comes_back(Codec::Av1, &["-c:v", "libsvtav1", "-preset", "12"], b"av1C").await;
}

#[tokio::test]
async fn vp9_comes_back_frame_by_frame() {
    let encoder = [
        "-c:v",
        "libvpx-vp9",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-b:v",
        "300k",
    ];
    comes_back(Codec::Vp9, &encoder, b"vpcC").await;
}

#[tokio::test]
async fn one_that_reads_nothing_is_told_from_one_that_is_slow() {
    let (config, frames) = encoded(Codec::H264, &["-c:v", "libx264"], b"avcC");
    let mut child = Child::start(&ffmpeg(), Encoder::X264, &rung(), &config, BASE_MS).unwrap();
    let payload = Bytes::from(vec![0; 1 << 20]);
    let refused = (0..64).find(|_| child.give(frames[0].0, true, payload.clone()).is_err());
    assert!(refused.is_some_and(|count| (28..36).contains(&count)), "{refused:?}");
    child.kill().await;
}
