//! Any bytes as tags of one publication. The first byte of each tag chooses its kind and, for most, a codec of Enhanced RTMP put in
//! its header; the second its length. What comes out is read as the packager reads it, and made an init segment of.

#![no_main]

use bytes::Bytes;
use common::{
    cmaf::{init, inspect},
    flv::{
        demux::{Demuxed, Demuxer},
        tag::{Tag, TagKind},
    },
    media::{
        access_unit::{Codec, MediaMessage, TrackKind},
        audio_config::AudioConfig,
        captions::Captions,
        video_config::VideoConfig,
    },
};
use libfuzzer_sys::fuzz_target;

const FOURCCS: [&[u8; 4]; 9] = [b"avc1", b"hvc1", b"av01", b"vp09", b"mp4a", b"Opus", b"fLaC", b"ac-3", b"ec-3"];

fuzz_target!(|bytes: &[u8]| {
    let mut demuxer = Demuxer::new();
    let mut rest = bytes;
    while let [kind, length, after @ ..] = rest {
        let fourcc = FOURCCS.get(usize::from(kind >> 4));
        let kind = match kind % 3 {
            0 => TagKind::Audio,
            1 => TagKind::Video,
            _ => TagKind::Script,
        };
        let (body, next) = after.split_at(after.len().min(usize::from(*length)));
        rest = next;
        let body = match (fourcc, body.split_first()) {
            (Some(fourcc), Some((&first, data))) => [&[first | 0x90], &fourcc[..], data].concat().into(),
            _ => Bytes::copy_from_slice(body),
        };
        let mut codec = Codec::H264;
        for found in demuxer.push(&Tag { kind, timestamp_ms: 0, body }).unwrap_or_default() {
            match found {
                Demuxed::Media(MediaMessage::Config { track, codec: told, record }) => {
                    codec = told;
                    assert_eq!(track.kind, told.kind());
                    configure(told, &record);
                }
                Demuxed::Media(MediaMessage::AccessUnit(unit)) => Captions::default().look(codec, &unit.payload),
                _ => {}
            }
        }
    }
});

fn configure(codec: Codec, record: &Bytes) {
    let init = match codec.kind() {
        TrackKind::Video => VideoConfig::parse(codec, record).ok().map(|config| init::video(&config)),
        TrackKind::Audio => AudioConfig::parse(codec, record).ok().map(|config| init::audio(&config, Some("fr"))),
    };
    if let Some(init) = init {
        inspect::read_init(&init.expect("any configuration can be written")).expect("an init segment reads back");
    }
}
