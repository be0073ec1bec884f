//! Any messages at any time: nothing panics, and an origin's window takes every event. Eight bytes make a message.

#![no_main]

use std::time::Duration;

use bytes::Bytes;
use common::{
    cmaf::inspect,
    id::Msn,
    live::{
        LiveEvent,
        window::{LiveWindow, Retention},
    },
    media::access_unit::{AccessUnit, Codec, MediaMessage, TrackId, TrackKind},
    packager::{Packager, PackagerConfig, PackagerNow},
    time::{Monotonic, UnixMillis},
};
use libfuzzer_sys::fuzz_target;

/// x264, 1280x720, 30 frames a second.
const AVC: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10,
    0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60, 0x01, 0x00, 0x04, 0x68, 0xef, 0x8f,
    0xcb, 0xfd, 0xf8, 0xf8, 0x00,
];
/// x265, 320x180; SVT-AV1, 320x180; VP9, 320x180.
const HEVC: &[u8] = &[
    0x01, 0x01, 0x60, 0x00, 0x00, 0x00, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x3c, 0xf0, 0x00, 0xfc, 0xfd, 0xf8, 0xf8, 0x00,
    0x00, 0x0f, 0x01, 0x21, 0x00, 0x01, 0x00, 0x2b, 0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00,
    0x03, 0x00, 0x00, 0x03, 0x00, 0x3c, 0xa0, 0x0a, 0x08, 0x0b, 0x9f, 0x79, 0x65, 0x66, 0x92, 0x4c, 0xaf, 0x01, 0x68, 0x08,
    0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x40,
];
const AV1: &[u8] =
    &[0x81, 0x00, 0x0c, 0x00, 0x0a, 0x0b, 0x02, 0x00, 0x00, 0x05, 0x21, 0xe7, 0xf6, 0x60, 0x17, 0xc0, 0x02];
const VP9: &[u8] = &[0x00, 0x0b, 0x82, 2, 2, 2, 0, 0, 0x01, 0x40, 0x00, 0xb4];
/// 20 ms and 10 ms; AC-3; E-AC-3.
const OPUS: &[u8] = b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00\x03\xc0";
const OPUS_SHORT: &[u8] = b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00\x01\xe0";
const AC3: &[u8] = &[0x10, 0x08, 0xc0];
const EAC3: &[u8] = &[0x03, 0x00, 0x20, 0x02, 0x00, 6];

/// Configurations that a message may bring.
const CONFIGS: [(Codec, &[u8]); 8] = [
    (Codec::H264, AVC),
    (Codec::Hevc, HEVC),
    (Codec::Av1, AV1),
    (Codec::Vp9, VP9),
    (Codec::Opus, OPUS),
    (Codec::Opus, OPUS_SHORT),
    (Codec::Ac3, AC3),
    (Codec::Eac3, EAC3),
];

/// AAC-LC: 48 kHz stereo, 44.1 kHz mono.
const AAC: [&[u8]; 2] = [&[0x11, 0x90, 0x56, 0xe5, 0x00], &[0x12, 0x08]];

fuzz_target!(|bytes: &[u8]| {
    let mut packager = Packager::new(PackagerConfig { part_target_ms: 333, seed: 1, first_msn: Msn(7) });
    let mut window: Option<LiveWindow> = None;
    let mut now_ms = 0_u32;
    let mut clock = [0_u32; 2];
    let (messages, rest) = bytes.as_chunks::<8>();
    for &[kind, step, step_high, composition, time, time_high, length, flags] in messages {
        now_ms = now_ms.wrapping_add(u32::from(u16::from_be_bytes([time_high & 0x1f, time])));
        let now = PackagerNow {
            monotonic: Monotonic(Duration::from_millis(now_ms.into())),
            unix: UnixMillis(now_ms.into()),
        };
        let track = if kind & 1 == 0 { TrackId::VIDEO } else { TrackId::audio((kind >> 1) & 0b11) };
        let timestamp = &mut clock[usize::from(kind & 1)];
        // Mostly a frame further, now and then anywhere.
        *timestamp = match kind >> 6 {
            3 => u32::from_be_bytes([step_high, step, time, composition]),
            2 => timestamp.wrapping_sub(step.into()),
            _ => timestamp.wrapping_add(u32::from(u16::from_be_bytes([step_high & 0x0f, step]))),
        };
        match flags & 0x3f {
            0 => packager.interrupted(now),
            1 => packager.tick(now),
            2 | 3 => {
                let _ = packager.push(now, MediaMessage::Config { track: TrackId::VIDEO, codec: Codec::H264, record: Bytes::from_static(AVC) });
            }
            4 | 5 => {
                let record = Bytes::from_static(AAC[usize::from(flags & 1)]);
                let _ = packager.push(now, MediaMessage::Config { track: TrackId::AUDIO, codec: Codec::Aac, record });
            }
            6 => {
                let record = Bytes::copy_from_slice(rest);
                let codecs = CONFIGS.iter().map(|(codec, _)| *codec).chain([Codec::Aac, Codec::Flac]);
                let codec = codecs.filter(|codec| codec.kind() == track.kind).nth(usize::from(length % 5)).unwrap_or(Codec::H264);
                let track = if codec.kind() == TrackKind::Video { TrackId::VIDEO } else { track };
                let _ = packager.push(now, MediaMessage::Config { track, codec, record });
            }
            7 => {
                let (codec, record) = CONFIGS[usize::from(length) % CONFIGS.len()];
                let track = if codec.kind() == TrackKind::Video { TrackId::VIDEO } else { TrackId::audio((kind >> 1) & 0b11) };
                let _ = packager.push(now, MediaMessage::Config { track, codec, record: Bytes::from_static(record) });
            }
            _ => {
                let unit = AccessUnit {
                    track,
                    timestamp_ms: *timestamp,
                    composition_ms: i32::from(composition) - 20,
                    sync: flags & 0xc0 == 0,
                    payload: Bytes::from(vec![length; usize::from(length)]),
                };
                let _ = packager.push(now, MediaMessage::AccessUnit(unit));
            }
        }
        drain(&mut packager, &mut window);
    }
    let at_last = PackagerNow { monotonic: Monotonic(Duration::MAX), unix: UnixMillis(i64::MAX) };
    packager.end(at_last);
    drain(&mut packager, &mut window);
    let _ = packager.health(at_last);
});

fn drain(packager: &mut Packager, window: &mut Option<LiveWindow>) {
    while let Some(event) = packager.poll() {
        if let LiveEvent::Part(part) = &event {
            inspect::read_fragments(&part.body).expect("a part reads back");
        }
        if let LiveEvent::Start(description) = event {
            description.validate().expect("a description is valid");
            *window = Some(LiveWindow::new(description, Retention::relay()));
        } else if let Some(window) = window {
            window.apply(event, Monotonic::default()).expect("a window takes what a packager makes");
        }
    }
}
