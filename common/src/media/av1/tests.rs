use proptest::prelude::*;

use super::*;

/// Of SVT-AV1: 320x180 in 8 bits, and 1920x1080 in 10 bits, BT.2020 and HLG.
pub(crate) const RECORD_180P: &[u8] = &[
    0x81, 0x00, 0x0c, 0x00, 0x0a, 0x0b, 0x02, 0x00, 0x00, 0x05, 0x21, 0xe7, 0xf6, 0x60, 0x17, 0xc0, 0x02,
];
pub(crate) const RECORD_HLG: &[u8] = &[
    0x81, 0x08, 0x4c, 0x00, 0x0a, 0x0f, 0x02, 0x00, 0x00, 0x42, 0x95, 0x5d, 0xfe, 0x1b, 0x80, 0x5f, 0x0a, 0x12, 0x24,
    0x12, 0x08,
];

fn config(record: &'static [u8]) -> VideoConfig {
    parse(&Bytes::from_static(record)).unwrap()
}

#[test]
fn a_sequence_header_gives_size_and_codec_string() {
    let config = config(RECORD_180P);
    assert_eq!((config.width, config.height), (320, 180));
    assert_eq!(config.codecs, "av01.0.00M.08");
    assert_eq!(config.record, RECORD_180P);
}

#[test]
fn colours_that_are_not_the_usual_ones_are_in_the_codec_string() {
    let config = config(RECORD_HLG);
    assert_eq!((config.width, config.height), (1920, 1080));
    assert_eq!(config.codecs, "av01.0.08M.10.0.110.09.18.09.0");
    assert_eq!(config.range(), crate::live::VideoRange::Hlg);
}

#[test]
fn a_record_is_made_out_of_a_sequence_header_alone() {
    for known in [RECORD_180P, RECORD_HLG] {
        let header = sequence_header_of_record(known).unwrap();
        assert_eq!(record(header).unwrap(), known);
    }
    assert_eq!(record(&[0x12, 0x00]), None);
}

#[test]
fn temporal_delimiters_are_no_part_of_a_sample() {
    let frame = [0x32, 2, 7, 7];
    let unit = Bytes::from([&[0x12, 0][..], &frame].concat());
    let sampled = sample(&unit);
    assert_eq!(sampled, &frame[..]);
    assert_eq!(sampled.as_ptr(), unit[2..].as_ptr(), "nothing is copied");
    let scattered = Bytes::from([&frame[..], &[0x12, 0], &frame].concat());
    assert_eq!(sample(&scattered), [frame, frame].concat());
}

#[test]
fn a_record_without_a_sequence_header_is_refused() {
    assert!(parse(&Bytes::from_static(&RECORD_180P[..4])).is_err());
    assert!(parse(&Bytes::from_static(&[1, 0, 0, 0])).is_err());
}

proptest! {
    #[test]
    fn a_damaged_record_never_panics(at in 0..RECORD_HLG.len(), bits: u8, cut in 0..RECORD_HLG.len()) {
        let mut damaged = RECORD_HLG.to_vec();
        damaged[at] ^= bits;
        let _ = parse(&damaged.clone().into());
        damaged.truncate(cut);
        let _ = parse(&damaged.into());
    }

    #[test]
    fn any_bytes_are_units_or_an_end(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let header = [&[0x0a, bytes.len() as u8][..], &bytes].concat();
        if let Some(made) = record(&header) {
            let parsed = parse(&made);
            prop_assert!(parsed.is_ok() || matches!(parsed, Err(Flaw::Size(..))));
        }
        prop_assert!(sample(&bytes.clone().into()).len() <= bytes.len());
        let _ = t35_messages(&bytes).count();
    }
}
