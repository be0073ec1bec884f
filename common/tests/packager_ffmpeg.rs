//! What the packager makes of real encodes, read by ffprobe and decoded by ffmpeg (which have to be installed).

#![expect(clippy::unwrap_used, reason = "a failing test may panic, in its helpers too")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use common::{
    id::{Msn, RenditionId},
    live::{EpochDescription, LiveEvent, Part},
    media::access_unit::{AccessUnit, Codec, MediaMessage, TrackId},
    packager::{Packager, PackagerConfig, PackagerNow},
    time::{Monotonic, UnixMillis},
};

/// An encode of a test picture and a tone.
#[derive(Clone, Copy)]
struct Encode {
    name: &'static str,
    rate: &'static str,
    /// Frames from key frame to key frame.
    gop: u32,
    b_frames: u32,
    sample_rate: u32,
    seconds: u32,
}

const USUAL: Encode = Encode {
    name: "usual",
    rate: "30",
    gop: 60,
    b_frames: 2,
    sample_rate: 48_000,
    seconds: 7,
};

impl Encode {
    fn flv(&self) -> Vec<u8> {
        let picture = format!("testsrc2=size=320x180:rate={}", self.rate);
        let sound = format!("sine=frequency=440:sample_rate={}", self.sample_rate);
        let (gop, b_frames) = (self.gop.to_string(), self.b_frames.to_string());
        let output = Command::new("ffmpeg")
            .args([
                "-v", "error", "-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound,
            ])
            .args([
                "-t",
                &self.seconds.to_string(),
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-pix_fmt",
                "yuv420p",
            ])
            .args([
                "-g",
                &gop,
                "-keyint_min",
                &gop,
                "-sc_threshold",
                "0",
                "-bf",
                &b_frames,
                "-x264-params",
                "scenecut=0",
            ])
            .args(["-c:a", "aac", "-ac", "2", "-f", "flv", "pipe:1"])
            .stderr(Stdio::inherit())
            .output()
            .expect("ffmpeg is installed");
        assert!(output.status.success());
        output.stdout
    }
}

/// The tags of an FLV file, as far as this test's encodes use them (legacy headers, H.264 and AAC).
fn demux(flv: &[u8]) -> Vec<(u32, MediaMessage)> {
    let mut messages = Vec::new();
    let mut rest = &flv[13..];
    while rest.len() > 11 {
        let size = usize::from(rest[1]) << 16 | usize::from(rest[2]) << 8 | usize::from(rest[3]);
        let timestamp_ms = u32::from_be_bytes([rest[7], rest[4], rest[5], rest[6]]);
        let body = &rest[11..11 + size];
        let message = match rest[0] {
            8 => audio_message(body, timestamp_ms),
            9 => video_message(body, timestamp_ms),
            _ => None,
        };
        messages.extend(message.map(|message| (timestamp_ms, message)));
        rest = &rest[11 + size + 4..];
    }
    messages
}

fn video_message(body: &[u8], timestamp_ms: u32) -> Option<MediaMessage> {
    let composition_ms = i32::from_be_bytes([body[2], body[3], body[4], 0]) >> 8;
    let payload = Bytes::copy_from_slice(&body[5..]);
    match body[1] {
        0 => Some(MediaMessage::Config {
            track: TrackId::VIDEO,
            codec: Codec::H264,
            record: payload,
        }),
        1 => Some(MediaMessage::AccessUnit(AccessUnit {
            track: TrackId::VIDEO,
            timestamp_ms,
            composition_ms,
            sync: body[0] >> 4 == 1,
            payload,
        })),
        _ => None,
    }
}

fn audio_message(body: &[u8], timestamp_ms: u32) -> Option<MediaMessage> {
    let payload = Bytes::copy_from_slice(&body[2..]);
    if body[1] == 0 {
        return Some(MediaMessage::Config {
            track: TrackId::AUDIO,
            codec: Codec::Aac,
            record: payload,
        });
    }
    Some(MediaMessage::AccessUnit(AccessUnit {
        track: TrackId::AUDIO,
        timestamp_ms,
        composition_ms: 0,
        sync: true,
        payload,
    }))
}

fn count(messages: &[(u32, MediaMessage)], track: TrackId) -> usize {
    messages
        .iter()
        .filter(|(_, m)| matches!(m, MediaMessage::AccessUnit(unit) if unit.track == track))
        .count()
}

struct Packaged {
    description: EpochDescription,
    inits: Vec<Vec<Bytes>>,
    parts: Vec<Part>,
}

/// Packages in real time by the timestamps; at each time of `outages` the publisher is lost for five seconds.
fn package(messages: &[(u32, MediaMessage)], outages: &[u32]) -> Packaged {
    let mut packager = Packager::new(PackagerConfig {
        part_target_ms: 333,
        seed: 7,
        first_msn: Msn(7),
    });
    let mut lost = 0_u64;
    let at = |ms: u64| PackagerNow {
        monotonic: Monotonic(Duration::from_millis(ms)),
        unix: UnixMillis(1_700_000_000_000 + i64::try_from(ms).unwrap()),
    };
    let configs = messages
        .iter()
        .filter(|(_, m)| matches!(m, MediaMessage::Config { .. }));
    let mut outages = outages.iter().peekable();
    let mut now = at(0);
    for (timestamp_ms, message) in messages {
        if outages.next_if(|outage| *outage <= timestamp_ms).is_some() {
            packager.interrupted(now);
            lost += 5000;
            for (_, config) in configs.clone() {
                packager
                    .push(at(u64::from(*timestamp_ms) + lost), config.clone())
                    .unwrap();
            }
        }
        now = at(u64::from(*timestamp_ms) + lost);
        packager.push(now, message.clone()).unwrap();
    }
    packager.end(now);
    assert_eq!(packager.health(now).dropped.out_of_time_audio, 0);

    let mut packaged = None;
    while let Some(event) = packager.poll() {
        match event {
            LiveEvent::Start(description) => {
                assert!(packaged.is_none(), "one epoch");
                let inits = vec![Vec::new(); description.renditions.len()];
                packaged = Some(Packaged {
                    description: (*description).clone(),
                    inits,
                    parts: Vec::new(),
                });
            }
            LiveEvent::Init { rendition, body, .. } => {
                packaged.as_mut().unwrap().inits[usize::from(rendition.0)].push(body);
            }
            LiveEvent::Part(part) => packaged.as_mut().unwrap().parts.push(part),
            LiveEvent::SegmentEnd { .. } | LiveEvent::BitRate { .. } | LiveEvent::End => {}
        }
    }
    packaged.expect("something is published")
}

impl Packaged {
    /// Writes a rendition as a player would see it: init segment, then all parts that refer to it.
    fn write(&self, name: &str, rendition: u8, init_id: u32) -> PathBuf {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{rendition}-{init_id}.mp4"));
        let mut file = self.inits[usize::from(rendition)][init_id as usize].to_vec();
        let parts = self
            .parts
            .iter()
            .filter(|p| p.id.rendition == RenditionId(rendition) && p.init_id == init_id);
        for part in parts {
            file.extend_from_slice(&part.body);
        }
        fs::write(&path, file).unwrap();
        path
    }
}

/// Decode time and key flag of each packet.
fn packets(path: &Path) -> Vec<(i64, bool)> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "packet=dts,flags", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .expect("ffprobe is installed");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", path.display());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| {
            let (dts, flags) = line.split_once(',').unwrap();
            (dts.parse().unwrap(), flags.starts_with('K'))
        })
        .collect()
}

fn decodes_clean(path: &Path) {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-i"])
        .arg(path)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", path.display());
    assert!(output.status.success());
}

fn check(encode: Encode) -> Packaged {
    let messages = demux(&encode.flv());
    let packaged = package(&messages, &[]);
    for (rendition, track) in [(0, TrackId::VIDEO), (1, TrackId::AUDIO)] {
        let path = packaged.write(encode.name, rendition, 0);
        let packets = packets(&path);
        let expected = count(&messages, track);
        if rendition == 0 {
            assert_eq!(packets.len(), expected, "{}: video packets", encode.name);
            assert!(packets[0].1, "starts with a key frame");
        } else {
            // Audio that ended before the first picture is left out, and at most a few frames of silence end it.
            assert!(
                packets.len().abs_diff(expected) <= 3,
                "{}: {} of {expected}",
                encode.name,
                packets.len()
            );
        }
        assert!(
            packets.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "{}: decode times rise",
            encode.name
        );
        decodes_clean(&path);
    }
    packaged
}

#[test]
fn film_rate() {
    let packaged = check(Encode {
        name: "film",
        rate: "24",
        gop: 48,
        ..USUAL
    });
    assert_eq!(packaged.description.target_duration_s, 2);
}

#[test]
fn pal_rate_without_b_frames() {
    check(Encode {
        name: "pal",
        rate: "25",
        gop: 50,
        b_frames: 0,
        sample_rate: 44_100,
        ..USUAL
    });
}

#[test]
fn ntsc_rate() {
    let packaged = check(Encode {
        name: "ntsc",
        rate: "30000/1001",
        ..USUAL
    });
    assert_eq!(
        (
            packaged.description.target_duration_s,
            packaged.description.part_target_ms
        ),
        (2, 333)
    );
}

#[test]
fn thirty_and_sixty_frames() {
    check(USUAL);
    check(Encode {
        name: "sixty",
        rate: "60",
        gop: 120,
        sample_rate: 44_100,
        ..USUAL
    });
}

#[test]
fn short_and_long_gops() {
    check(Encode {
        name: "short-gop",
        gop: 15,
        ..USUAL
    });
    let long = check(Encode {
        name: "long-gop",
        gop: 250,
        seconds: 20,
        ..USUAL
    });
    assert_eq!(long.description.target_duration_s, 9);
}

#[test]
fn both_sides_of_an_outage_decode() {
    let messages = demux(&USUAL.flv());
    let packaged = package(&messages, &[4500]);
    for rendition in [0, 1] {
        for init_id in [0, 1] {
            let path = packaged.write("outage", rendition, init_id);
            assert!(packets(&path).len() > 20);
            decodes_clean(&path);
        }
    }
}

#[test]
fn silence_in_the_place_of_lost_sound_decodes() {
    let mut messages = demux(&USUAL.flv());
    let all = count(&messages, TrackId::AUDIO);
    messages.retain(|(timestamp_ms, message)| {
        !matches!(message, MediaMessage::AccessUnit(unit) if unit.track == TrackId::AUDIO)
            || !(3000..4000).contains(timestamp_ms)
    });
    assert!(count(&messages, TrackId::AUDIO) < all - 40);
    let packaged = package(&messages, &[]);
    let path = packaged.write("silence", 1, 0);
    assert!(packets(&path).len().abs_diff(all) <= 3);
    decodes_clean(&path);
}
