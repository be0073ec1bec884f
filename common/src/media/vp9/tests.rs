use proptest::prelude::*;

use super::*;

/// Of libvpx: what is announced of 320x180 in 8 bits, and the start of a key frame.
pub(crate) const ANNOUNCED: &[u8] = &[1, 0, 0, 0, 0x00, 0x0b, 0x82, 2, 2, 2, 0, 0];
pub(crate) const KEY_FRAME: &[u8] = &[0x82, 0x49, 0x83, 0x42, 0x00, 0x13, 0xf0, 0x0b, 0x36, 0x06];
/// Of libvpx at 640x360, 4:4:4 in 10 bits, full range.
const KEY_FRAME_HDR: &[u8] = &[0xb1, 0x24, 0xc1, 0xa1, 0x2c, 0x01, 0x3f, 0x80, 0xb3, 0xb0, 0x31];
const ANNOUNCED_HDR: &[u8] = &[3, 0x15, 0xa7, 2, 2, 9, 0, 0];

fn config(frame: &[u8], data: Option<&[u8]>) -> VideoConfig {
    let announced = data.map(|data| announced(data).unwrap());
    parse(&KeyFrame::read(frame).unwrap().record(announced.as_ref())).unwrap()
}

#[test]
fn the_record_and_a_key_frame_give_codec_string_and_size() {
    let config = config(KEY_FRAME, Some(ANNOUNCED));
    assert_eq!((config.width, config.height), (320, 180));
    assert_eq!(config.codecs, "vp09.00.11.08");
    assert_eq!(config.record, ANNOUNCED[4..]);
}

#[test]
fn more_than_eight_bits_and_other_colours_are_in_the_codec_string() {
    let config = config(KEY_FRAME_HDR, Some(ANNOUNCED_HDR));
    assert_eq!((config.width, config.height), (640, 360));
    assert_eq!(config.codecs, "vp09.03.21.10.03.02.02.09.01");
    assert_eq!((config.colour.matrix, config.colour.full_range), (Some(9), Some(true)));
}

#[test]
fn a_key_frame_alone_is_enough() {
    let config = config(KEY_FRAME, None);
    assert_eq!(config.codecs, "vp09.00.21.08");
    assert_eq!(config.record[2], ANNOUNCED[6]);
    assert_eq!(KeyFrame::read(KEY_FRAME_HDR).unwrap().record(None)[2], ANNOUNCED_HDR[2]);
}

#[test]
fn other_frames_tell_nothing() {
    assert_eq!(KeyFrame::read(&[0x86, 0x00, 0x40, 0x92, 0x9c]), None);
    assert_eq!(KeyFrame::read(&KEY_FRAME[..6]), None);
    assert_eq!(KeyFrame::read(&[]), None);
}

proptest! {
    #[test]
    fn any_frame_and_record_are_read_or_refused(
        at in 0..KEY_FRAME_HDR.len(), value: u8, bytes in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut frame = KEY_FRAME_HDR.to_vec();
        frame[at] = value;
        for frame in [&frame, &bytes] {
            if let Some(key) = KeyFrame::read(frame) {
                prop_assert!(parse(&key.record(None)).is_ok());
                let _ = parse(&key.record(announced(&bytes).as_ref()));
            }
        }
        let _ = parse(&bytes.into());
    }
}
