//! Several tracks in a stream and in a tag, and what of them is not carried.

use super::*;

fn sounds(found: Outcome) -> Vec<(u8, Vec<u8>)> {
    let units = found.unwrap().into_iter().filter_map(|found| match found {
        Demuxed::Media(MediaMessage::AccessUnit(unit)) => Some((unit.track.index, unit.payload.to_vec())),
        _ => None,
    });
    units.collect()
}

#[test]
fn each_sound_of_a_multitrack_goes_to_its_own_track() {
    let one = audio(&[&[0x95, 0x01], b"mp4a", &[2], b"aac"]);
    assert_eq!(sounds(one), [(2, b"aac".to_vec())]);
    let many = audio(&[&[0x95, 0x11], b"mp4a", &[0, 0, 0, 1], b"a", &[3, 0, 0, 2], b"bc"]);
    assert_eq!(sounds(many), [(0, b"a".to_vec()), (3, b"bc".to_vec())]);
    let own_codecs = audio(&[
        &[0x95, 0x21],
        b"mp4a",
        &[0, 0, 0, 1],
        b"a",
        b"Opus",
        &[1, 0, 0, 3],
        b"\xfc\xff\xfe",
    ]);
    assert_eq!(sounds(own_codecs), [(0, b"a".to_vec()), (1, b"\xfc\xff\xfe".to_vec())]);
}

#[test]
fn the_first_picture_of_a_multitrack_is_taken_and_the_others_are_told_once() {
    let one = video(&[&[0x96, 0x03], b"avc1", &[0], b"idr"]);
    assert_eq!(one, unit(TrackKind::Video, 0, true, b"idr"));
    let mut demuxer = Demuxer::new();
    let many = tag(
        TagKind::Video,
        &[&[0x96, 0x13], b"avc1", &[1, 0, 0, 2], b"xx", &[0, 0, 0, 3], b"idr"],
    );
    let other = Unsupported {
        track: TrackId {
            kind: TrackKind::Video,
            index: 1,
        },
        codec: CodecName::FourCc(*b"avc1"),
    };
    let mut expected = vec![Demuxed::Unsupported(other)];
    expected.extend(unit(TrackKind::Video, 0, true, b"idr").unwrap());
    assert_eq!(demuxer.push(&many), Ok(expected));
    assert_eq!(demuxer.push(&many), unit(TrackKind::Video, 0, true, b"idr"));
}

#[test]
fn a_track_that_does_not_fit_its_tag_is_an_error_behind_good_ones_it_is_not() {
    let past_the_end = [&[0x96, 0x13][..], b"avc1", &[0, 0xff, 0xff, 0xff], b"x"];
    assert_eq!(video(&past_the_end), Err(FlvError::Truncated(TrackKind::Video)));
    let empty_config = [&[0x95, 0x10][..], b"mp4a", &[0, 0, 0, 2, 0x12, 0x10], &[1, 0, 0, 0]];
    assert_eq!(audio(&empty_config), config(Codec::Aac, &[0x12, 0x10]));
}

#[test]
fn more_tracks_in_a_tag_than_any_encoder_has_are_not_read() {
    let tracks = [0xff, 0, 0, 0].repeat(1000);
    let found = audio(&[&[0x95, 0x11], b"mp4a", &tracks]).unwrap();
    assert_eq!(found.len(), 1, "told once");
}

#[test]
fn a_codec_that_cannot_be_carried_is_told_once_for_each_track() {
    let mut demuxer = Demuxer::new();
    let vvc = tag(TagKind::Video, &[&[0x90], b"vvc1", b"record"]);
    let told = |track, codec| Ok(vec![Demuxed::Unsupported(Unsupported { track, codec })]);
    assert_eq!(demuxer.push(&vvc), told(TrackId::VIDEO, CodecName::FourCc(*b"vvc1")));
    assert_eq!(demuxer.push(&vvc), NOTHING);
    assert_eq!(demuxer.push(&tag(TagKind::Video, &[&[0x90], b"vp08"])), NOTHING);
    assert_eq!(
        demuxer.push(&tag(TagKind::Audio, &[&[0x2f, 0]])),
        told(TrackId::AUDIO, CodecName::Legacy(2))
    );
    let fifth = tag(TagKind::Audio, &[&[0x95, 0x01], b"mp4a", &[4], b"aac"]);
    assert_eq!(
        demuxer.push(&fifth),
        told(TrackId::audio(4), CodecName::FourCc(*b"mp4a"))
    );
    assert_eq!(CodecName::FourCc(*b"av\n1").to_string(), "av\\n1");
}

#[test]
fn not_every_number_is_told() {
    let mut demuxer = Demuxer::new();
    let told = (0..=u8::MAX).map(|number| {
        let tag = tag(TagKind::Audio, &[&[0x95, 0x01], b".mp3", &[number], b"x"]);
        demuxer.push(&tag).unwrap().len()
    });
    assert_eq!(told.sum::<usize>(), MAX_TOLD);
}
