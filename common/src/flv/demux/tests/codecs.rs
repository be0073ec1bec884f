//! Codecs of Enhanced RTMP: where each of them tells its configuration.

use super::*;
use crate::media::{
    ac3::tests::{AC3_MONO, EAC3_MONO},
    audio_config::AudioConfig,
    av1::tests::{RECORD_180P, RECORD_HLG},
    config_error::MAX_RECORD_BYTES,
    flac::tests::STREAM_INFO_MONO,
    hevc::tests::RECORD_180P30,
    opus::tests::HEAD_STEREO,
    video_config::VideoConfig,
    vp9::tests::{ANNOUNCED, KEY_FRAME},
};

/// The configurations and the frames' payloads that come of tags, in order.
#[derive(Debug, PartialEq)]
enum Came {
    Config(Codec, Bytes),
    Frame(Bytes),
}

fn demux(kind: TagKind, tags: &[&[&[u8]]]) -> Vec<Came> {
    let mut demuxer = Demuxer::new();
    let found = tags.iter().flat_map(|parts| demuxer.push(&tag(kind, parts)).unwrap());
    let came = found.map(|found| match found {
        Demuxed::Media(MediaMessage::Config { codec, record, .. }) => Came::Config(codec, record),
        Demuxed::Media(MediaMessage::AccessUnit(unit)) => Came::Frame(unit.payload),
        other => panic!("{other:?}"),
    });
    came.collect()
}

fn frame(payload: &'static [u8]) -> Came {
    Came::Frame(Bytes::from_static(payload))
}

fn video_of(came: &Came) -> VideoConfig {
    match came {
        Came::Config(codec, record) => VideoConfig::parse(*codec, record).unwrap(),
        Came::Frame(_) => panic!("a frame"),
    }
}

fn audio_of(came: &Came) -> AudioConfig {
    match came {
        Came::Config(codec, record) => AudioConfig::parse(*codec, record).unwrap(),
        Came::Frame(_) => panic!("a frame"),
    }
}

#[test]
fn hevc_comes_in_the_enhanced_form_and_under_its_old_number() {
    for start in [[&[0x90][..], b"hvc1"].concat(), vec![0x1c, 0, 0, 0, 0]] {
        assert_eq!(video(&[&start, RECORD_180P30]), config(Codec::Hevc, RECORD_180P30));
    }
    let slice = b"\0\0\0\x02\x26\x01";
    for header in [&[0x91, b'h', b'v', b'c', b'1', 0, 0, 33][..], &[0x1c, 1, 0, 0, 33]] {
        assert_eq!(video(&[header, slice]), unit(TrackKind::Video, 33, true, slice));
    }
}

#[test]
fn hevc_parameter_sets_are_taken_out_of_frames() {
    let set = &RECORD_180P30[RECORD_180P30.len() - 7..];
    let slice = b"\0\0\0\x02\x26\x01";
    let came = demux(
        TagKind::Video,
        &[
            &[&[0x90], b"hvc1", RECORD_180P30],
            &[&[0x93], b"hvc1", b"\0\0\0\x07", set, slice],
        ],
    );
    assert_eq!(came[1], frame(slice));
}

#[test]
fn of_a_configuration_longer_than_any_so_much_is_handed_on_that_it_is_refused_and_the_one_before_stays() {
    let long = vec![0xff; MAX_RECORD_BYTES];
    let refused = |codec, record: &[u8]| config(codec, &[record, &long].concat()[..=MAX_RECORD_BYTES]);
    let mut demuxer = Demuxer::new();
    let start = [&[0x90][..], b"hvc1"].concat();
    demuxer.push(&tag(TagKind::Video, &[&start, RECORD_180P30])).unwrap();
    let again = demuxer.push(&tag(TagKind::Video, &[&start, RECORD_180P30, &long]));
    assert_eq!(again, refused(Codec::Hevc, RECORD_180P30));
    let set = &RECORD_180P30[RECORD_180P30.len() - 7..];
    let frame = tag(
        TagKind::Video,
        &[&[0x93], b"hvc1", b"\0\0\0\x07", set, b"\0\0\0\x02\x26\x01"],
    );
    let [Demuxed::Media(MediaMessage::AccessUnit(unit))] = &demuxer.push(&frame).unwrap()[..] else {
        panic!("a frame");
    };
    assert_eq!(unit.payload, &b"\0\0\0\x02\x26\x01"[..], "the set is still known");
    assert_eq!(video(&[&[0x17, 0, 0, 0, 0], &AVCC, &long]), refused(Codec::H264, &AVCC));
    assert_eq!(
        video(&[&[0x90], b"av01", RECORD_180P, &long]),
        refused(Codec::Av1, RECORD_180P)
    );
    assert_eq!(
        audio(&[&[0xaf, 0, 0x11, 0x90], &long]),
        refused(Codec::Aac, &[0x11, 0x90])
    );
}

#[test]
fn a_sequence_header_longer_than_any_is_no_configuration() {
    let mut header = vec![0x0a, 0x80 | 0x10, 0x80, 0x01];
    header.extend(&RECORD_180P[6..]);
    header.resize(4 + 0x4010, 0);
    let came = demux(TagKind::Video, &[&[&[0x91], b"av01", &header]]);
    assert_eq!(came, [Came::Frame(header.into())]);
}

#[test]
fn a_frame_that_is_a_small_part_of_its_message_does_not_keep_it() {
    let padding = [0x97, 255, 0xff, 0xff].into_iter().chain(vec![0; 0x1_0000]);
    let message: Vec<u8> = padding.chain([0x03]).collect();
    let tag = tag(TagKind::Video, &[&message, b"avc1", b"p"]);
    let held = |payload: &Bytes| tag.body.as_ptr_range().contains(&payload.as_ptr());
    let [Demuxed::Media(MediaMessage::AccessUnit(unit))] = &Demuxer::new().push(&tag).unwrap()[..] else {
        panic!("a frame");
    };
    assert!(unit.payload == "p" && !held(&unit.payload));
}

#[test]
fn av1_is_taken_with_the_record_announced() {
    let header = &RECORD_180P[4..];
    let came = demux(
        TagKind::Video,
        &[
            &[&[0x90], b"av01"],
            &[&[0x90], b"av01", RECORD_180P],
            &[&[0x91], b"av01", &[0x12, 0], header, &[0x32, 1, 7]],
            &[&[0xa1], b"av01", &[0x12, 0, 0x32, 1, 8]],
        ],
    );
    let config = Came::Config(Codec::Av1, Bytes::from_static(RECORD_180P));
    let key = Came::Frame([header, &[0x32, 1, 7]].concat().into());
    assert_eq!(came, [config, key, frame(&[0x32, 1, 8])]);
}

#[test]
fn av1_without_a_record_is_known_by_its_first_key_frame_and_by_one_of_another_size() {
    let key = |record: &'static [u8]| [&[0x91][..], b"av01", &[0x12, 0], &record[4..], &[0x32, 1, 7]].concat();
    let came = demux(
        TagKind::Video,
        &[
            &[&[0x90], b"av01", &RECORD_180P[..4]],
            &[&key(RECORD_180P)],
            &[&key(RECORD_180P)],
            &[&key(RECORD_HLG)],
        ],
    );
    assert_eq!(came.len(), 5);
    assert_eq!(video_of(&came[0]).width, 320);
    assert_eq!(video_of(&came[3]).width, 1920);
}

#[test]
fn vp9_is_known_when_a_key_frame_tells_the_size() {
    let came = demux(
        TagKind::Video,
        &[
            &[&[0x90], b"vp09", ANNOUNCED],
            &[&[0x91], b"vp09", KEY_FRAME],
            &[&[0xa1], b"vp09", &[0x86, 0]],
            &[&[0x90], b"vp09", ANNOUNCED],
            &[&[0x91], b"vp09", KEY_FRAME],
        ],
    );
    let config = video_of(&came[0]);
    assert_eq!((config.width, config.codecs.as_str()), (320, "vp09.00.11.08"));
    assert_eq!(came[1..3], [frame(KEY_FRAME), frame(&[0x86, 0])]);
    assert_eq!(came[3], came[0], "announced again");
    assert_eq!(came.len(), 5);
}

#[test]
fn opus_is_known_when_a_packet_tells_how_long_it_plays() {
    let came = demux(
        TagKind::Audio,
        &[
            &[&[0x90], b"Opus", HEAD_STEREO],
            &[&[0x94], b"Opus", &[1, 2, 0, 0, 0, 3]],
            &[&[0x91], b"Opus", b"\xfc\xff\xfe"],
            &[&[0x91], b"Opus", b"\x48\x01"],
            &[&[0x91], b"Opus", b"\xf4\xff\xfe"],
        ],
    );
    assert_eq!(audio_of(&came[0]).frame_samples, 960);
    assert_eq!(came[1..3], [frame(b"\xfc\xff\xfe"), frame(b"\x48\x01")], "20 ms each");
    assert_eq!(audio_of(&came[3]).frame_samples, 480);
    let without_header = demux(
        TagKind::Audio,
        &[&[&[0x90], b"Opus"], &[&[0x91], b"Opus", b"\xfc\xff\xfe"]],
    );
    assert_eq!(audio_of(&without_header[0]).channels, 2);
}

#[test]
fn flac_is_known_by_its_stream_information_bare_or_wrapped() {
    let wrapped = [&b"fLaC\x80\x00\x00\x22"[..], STREAM_INFO_MONO].concat();
    for data in [&STREAM_INFO_MONO[..], &wrapped] {
        let came = demux(
            TagKind::Audio,
            &[&[&[0x90], b"fLaC", data], &[&[0x91], b"fLaC", b"frame"]],
        );
        assert_eq!(audio_of(&came[0]).frame_samples, 1024);
        assert_eq!(came[1], frame(b"frame"));
    }
}

#[test]
fn dolby_frames_tell_their_configuration_once() {
    for (codec, fourcc, packet) in [(Codec::Ac3, b"ac-3", AC3_MONO), (Codec::Eac3, b"ec-3", EAC3_MONO)] {
        let tag: &[&[u8]] = &[&[0x91], fourcc, packet];
        let came = demux(TagKind::Audio, &[&[&[0x90], fourcc], tag, tag]);
        assert_eq!(came.len(), 3, "{codec:?}");
        assert_eq!(audio_of(&came[0]).frame_samples, 1536);
        assert_eq!(came[1], Came::Frame(Bytes::from_static(packet)));
        let garbage: &[&[u8]] = &[&[0x91], fourcc, b"no syncword"];
        assert_eq!(demux(TagKind::Audio, &[tag, garbage]).len(), 2);
        assert_eq!(
            demux(TagKind::Audio, &[garbage]),
            [frame(b"no syncword")],
            "a track that can never be read is missed"
        );
    }
}

#[test]
fn colours_beside_the_stream_are_told_when_they_change() {
    let object = |properties: &[(&str, Value)]| {
        let properties = properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        Value::Object(properties.collect())
    };
    let number = |number| Value::Number(number);
    let points = [
        "redX",
        "redY",
        "greenX",
        "greenY",
        "blueX",
        "blueY",
        "whitePointX",
        "whitePointY",
    ];
    let mut display: Vec<_> = points.iter().map(|name| (*name, number(0.25))).collect();
    display.extend([("maxLuminance", number(1000.0)), ("minLuminance", number(0.005))]);
    let codes = [
        ("colorPrimaries", number(9.0)),
        ("transferCharacteristics", number(16.0)),
        ("matrixCoefficients", number(999.0)),
    ];
    let info = object(&[
        ("colorConfig", object(&codes)),
        (
            "hdrCll",
            object(&[("maxCLL", number(1000.0)), ("maxFall", number(f64::NAN))]),
        ),
        ("hdrMdcv", object(&display)),
    ]);
    let mut demuxer = Demuxer::new();
    let mut push = |info: &Value| {
        let body = amf0::encode(&[Value::string("colorInfo"), info.clone()]);
        demuxer.push(&tag(TagKind::Video, &[&[0xd4], b"hvc1", &body])).unwrap()
    };
    assert_eq!(push(&object(&[])), [], "as at first");
    let found = push(&info);
    let [Demuxed::Media(MediaMessage::Colour(colour))] = found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (colour.primaries, colour.transfer, colour.matrix),
        (Some(9), Some(16), None)
    );
    assert_eq!(colour.light_level, None, "half of it is no number");
    assert_eq!(colour.mastering.unwrap().white, (0.25, 0.25));
    assert_eq!(push(&info), []);
}
