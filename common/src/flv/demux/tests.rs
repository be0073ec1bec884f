use proptest::prelude::*;

use super::*;
use crate::{
    media::access_unit::{AudioTrackLabel, StreamMetadata},
    rtmp::amf0::{self, Value},
};

mod codecs;
mod tracks;

const FOURCCS: [[u8; 4]; 9] = [
    *b"avc1", *b"hvc1", *b"av01", *b"vp09", *b"mp4a", *b"Opus", *b"fLaC", *b"ac-3", *b"ec-3",
];

const AVCC: [u8; 11] = [1, 0x64, 0, 0x28, 0xff, 0xe1, 0, 1, 0x67, 0, 0];

fn tag(kind: TagKind, parts: &[&[u8]]) -> Tag {
    Tag {
        kind,
        timestamp_ms: 40,
        body: parts.concat().into(),
    }
}

type Outcome = Result<Vec<Demuxed>, FlvError>;

const NOTHING: Outcome = Ok(Vec::new());

fn video(parts: &[&[u8]]) -> Outcome {
    Demuxer::new().push(&tag(TagKind::Video, parts))
}

fn audio(parts: &[&[u8]]) -> Outcome {
    Demuxer::new().push(&tag(TagKind::Audio, parts))
}

fn unit(track: TrackKind, composition_ms: i32, sync: bool, payload: &'static [u8]) -> Outcome {
    let payload = Bytes::from_static(payload);
    let unit = AccessUnit {
        track: TrackId { kind: track, index: 0 },
        timestamp_ms: 40,
        composition_ms,
        sync,
        payload,
    };
    Ok(vec![Demuxed::Media(MediaMessage::AccessUnit(unit))])
}

fn config(codec: Codec, record: &[u8]) -> Outcome {
    Ok(vec![Demuxed::Media(MediaMessage::Config {
        track: TrackId {
            kind: codec.kind(),
            index: 0,
        },
        codec,
        record: Bytes::copy_from_slice(record),
    })])
}

#[test]
fn legacy_h264_gives_its_record_and_frames() {
    assert_eq!(video(&[&[0x17, 0, 0, 0, 0], &AVCC]), config(Codec::H264, &AVCC));
    assert_eq!(
        video(&[&[0x17, 1, 0, 0, 66], b"idr"]),
        unit(TrackKind::Video, 66, true, b"idr")
    );
    assert_eq!(
        video(&[&[0x27, 1, 0xff, 0xff, 0xfe], b"p"]),
        unit(TrackKind::Video, -2, false, b"p")
    );
    assert_eq!(video(&[&[0x17, 2, 0, 0, 0]]), NOTHING, "end of sequence");
}

#[test]
fn legacy_aac_gives_its_config_and_frames() {
    let asc = &[0x11, 0x90, 0x56, 0xe5, 0x00];
    assert_eq!(audio(&[&[0xaf, 0], asc]), config(Codec::Aac, asc));
    assert_eq!(
        audio(&[&[0xaf, 1], b"frame"]),
        unit(TrackKind::Audio, 0, true, b"frame")
    );
}

#[test]
fn enhanced_avc1_is_the_same_stream() {
    assert_eq!(video(&[&[0x90], b"avc1", &AVCC]), config(Codec::H264, &AVCC));
    assert_eq!(
        video(&[&[0x91], b"avc1", &[0, 0, 33], b"idr"]),
        unit(TrackKind::Video, 33, true, b"idr")
    );
    assert_eq!(video(&[&[0xa3], b"avc1", b"p"]), unit(TrackKind::Video, 0, false, b"p"));
}

#[test]
fn enhanced_mp4a_is_the_same_stream() {
    assert_eq!(
        audio(&[&[0x90], b"mp4a", &[0x12, 0x10]]),
        config(Codec::Aac, &[0x12, 0x10])
    );
    assert_eq!(
        audio(&[&[0x91], b"mp4a", b"frame"]),
        unit(TrackKind::Audio, 0, true, b"frame")
    );
    assert_eq!(audio(&[&[0x94], b"mp4a", &[0, 2]]), NOTHING, "channel layout");
}

#[test]
fn mod_ex_prefixes_are_read_over() {
    let nanoseconds = [0x97, 2, 0, 1, 2, 0x03];
    assert_eq!(
        video(&[&nanoseconds, b"avc1", b"idr"]),
        unit(TrackKind::Video, 0, true, b"idr")
    );
    let long = [&[0x97, 255, 1, 0][..], &[0; 257], &[0x03]].concat();
    assert_eq!(
        video(&[&long, b"avc1", b"idr"]),
        unit(TrackKind::Video, 0, true, b"idr")
    );
    assert_eq!(video(&[&[0x97, 200, 0]]), Err(FlvError::Truncated(TrackKind::Video)));
}

#[test]
fn a_configuration_that_cannot_be_read_is_handed_on_to_be_refused() {
    const LENGTHS_OF_TWO: &[u8] = &[1, 0x64, 0, 0x28, 0xfd, 0xe1, 0, 1, 0x67, 0, 0];
    for record in [LENGTHS_OF_TWO, &[1]] {
        assert_eq!(video(&[&[0x17, 0, 0, 0, 0], record]), config(Codec::H264, record));
        assert_eq!(video(&[&[0x90], b"hvc1", record]), config(Codec::Hevc, record));
    }
    assert_eq!(audio(&[&[0xaf, 0], &[0x12]]), config(Codec::Aac, &[0x12]));
    assert_eq!(audio(&[&[0x90], b"fLaC", b"?"]), config(Codec::Flac, b"?"));
    let header_of_nothing = &[0x81, 0, 0, 0, 0x0a, 1, 0xff];
    assert_eq!(
        video(&[&[0x90], b"av01", header_of_nothing]),
        config(Codec::Av1, header_of_nothing)
    );
}

#[test]
fn an_empty_configuration_says_nothing() {
    assert_eq!(video(&[&[0x17, 0, 0, 0, 0]]), NOTHING);
    assert_eq!(audio(&[&[0xaf, 0]]), NOTHING);
    for fourcc in [b"avc1", b"hvc1", b"av01"] {
        assert_eq!(video(&[&[0x90], fourcc]), NOTHING);
    }
    for fourcc in [b"mp4a", b"fLaC"] {
        assert_eq!(audio(&[&[0x90], fourcc]), NOTHING);
    }
}

#[test]
fn short_tags_are_errors_and_empty_ones_are_nothing() {
    for body in [
        &[0x17_u8][..],
        &[0x17, 1, 0, 0],
        &[0x90, b'a', b'v'],
        &[0x91, b'a', b'v', b'c', b'1', 0],
    ] {
        assert_eq!(video(&[body]), Err(FlvError::Truncated(TrackKind::Video)), "{body:?}");
    }
    for body in [&[0xaf_u8][..], &[0x95], &[0x90, b'm']] {
        assert_eq!(audio(&[body]), Err(FlvError::Truncated(TrackKind::Audio)), "{body:?}");
    }
    assert_eq!(video(&[]), NOTHING);
    assert_eq!(audio(&[]), NOTHING);
    assert_eq!(audio(&[&[0xaf, 1]]), NOTHING);
}

#[test]
fn commands_and_colours_are_no_frames() {
    assert_eq!(video(&[&[0x57, 0]]), NOTHING);
    assert_eq!(video(&[&[0xd1, 0]]), NOTHING);
    assert_eq!(video(&[&[0xd4], b"avc1", &[0x02]]), NOTHING);
}

fn metadata(names: &[&str], properties: Vec<(&str, Value)>) -> Option<StreamMetadata> {
    let mut values: Vec<Value> = names.iter().map(|name| Value::string(name)).collect();
    values.push(Value::Object(
        properties
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    ));
    let body = amf0::encode(&values).into();
    match Demuxer::new()
        .push(&Tag {
            kind: TagKind::Script,
            timestamp_ms: 0,
            body,
        })
        .unwrap()
        .as_slice()
    {
        [Demuxed::Media(MediaMessage::Metadata(metadata))] => Some(metadata.clone()),
        [] => None,
        other => panic!("a script tag became {other:?}"),
    }
}

#[test]
fn metadata_is_read_with_and_without_set_data_frame() {
    let properties = || {
        vec![
            ("encoder", Value::string("obs-output module (libobs version 29.0.2)\n")),
            ("framerate", Value::Number(30.0)),
            ("videodatarate", Value::Number(2500.0)),
            ("audiodatarate", Value::Number(f64::NAN)),
            ("videocodecid", Value::Number(7.0)),
            ("when", Value::Date(0.0)),
        ]
    };
    let expected = StreamMetadata {
        encoder: Some("obs-output module (libobs version 29.0.2)".to_owned()),
        frame_rate: Some(30.0),
        video_kbps: Some(2500.0),
        audio_kbps: None,
        has_video: Some(true),
        has_audio: Some(false),
        audio_tracks: Vec::new(),
    };
    assert_eq!(
        metadata(&["@setDataFrame", "onMetaData"], properties()),
        Some(expected.clone())
    );
    assert_eq!(metadata(&["onMetaData"], properties()), Some(expected));
    assert_eq!(metadata(&["onMetaData"], vec![]), Some(StreamMetadata::default()));
}

#[test]
fn metadata_with_the_number_of_no_picture_says_that_there_is_none_unless_it_has_a_size() {
    for (width, has_video) in [(None, false), (Some(0.0), false), (Some(1280.0), true)] {
        let mut properties = vec![
            ("videocodecid", Value::Number(0.0)),
            ("audiocodecid", Value::Number(10.0)),
        ];
        properties.extend(width.map(|width| ("width", Value::Number(width))));
        let found = metadata(&["onMetaData"], properties).unwrap();
        assert_eq!((found.has_video, found.has_audio), (Some(has_video), Some(true)));
    }
}

#[test]
fn names_and_languages_of_sounds_are_read_where_a_publisher_gives_them() {
    let track = |properties: &[(&str, &str)]| {
        let properties = properties
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Value::string(text)));
        Value::Object(properties.collect())
    };
    let tracks = Value::Object(vec![
        (
            "1".to_owned(),
            track(&[("title", " Commentaire\u{7} "), ("language", "fr")]),
        ),
        ("2".to_owned(), track(&[("language", "not a language")])),
        ("x".to_owned(), Value::Null),
    ]);
    let properties = vec![("audioTrackIdInfoMap", tracks), ("audioLanguage", Value::string("eng"))];
    let label = |index, name: Option<&str>, language: &str| AudioTrackLabel {
        index,
        name: name.map(str::to_owned),
        language: Some(language.to_owned()),
    };
    let found = metadata(&["onMetaData"], properties).unwrap();
    assert_eq!(
        found.audio_tracks,
        [label(0, None, "eng"), label(1, Some("Commentaire"), "fr")]
    );
}

#[test]
fn other_script_tags_and_broken_ones_are_nothing() {
    assert_eq!(metadata(&["@setDataFrame"], vec![]), None);
    assert_eq!(metadata(&["onCuePoint"], vec![]), None);
    for body in [&[0x02_u8, 0, 13][..], &[], &[0x03]] {
        assert_eq!(Demuxer::new().push(&tag(TagKind::Script, &[body])), NOTHING);
    }
}

proptest! {
    #[test]
    fn any_body_is_read_or_refused(
        kind in prop_oneof![Just(TagKind::Audio), Just(TagKind::Video), Just(TagKind::Script)],
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let _ = Demuxer::new().push(&Tag { kind, timestamp_ms: 0, body: body.into() });
    }

    #[test]
    fn any_enhanced_body_is_read_or_refused(
        first in 0x90_u8..,
        fourcc in prop_oneof![prop::sample::select(FOURCCS.to_vec()), any::<[u8; 4]>()],
        rest in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut demuxer = Demuxer::new();
        // Twice: the second one meets what the first one left behind.
        for first in [first, 0x91, first] {
            let body: Bytes = [&[first][..], &fourcc, &rest].concat().into();
            for kind in [TagKind::Audio, TagKind::Video] {
                let _ = demuxer.push(&Tag { kind, timestamp_ms: 0, body: body.clone() });
            }
        }
    }
}
