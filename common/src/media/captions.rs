//! Closed captions within coded pictures: whether a picture carries any, not what they say.

use super::{access_unit::Codec, av1, nal};

/// SEI payload type of `user_data_registered_itu_t_t35`, the same in H.264 and HEVC.
const SEI_T35: u32 = 4;

/// United States, ATSC, `GA94`, caption data (ATSC A/53 part 4 section 6.2.3).
const ATSC_CAPTIONS: [u8; 8] = [0xb5, 0x00, 0x31, b'G', b'A', b'9', b'4', 0x03];

/// `process_cc_data_flag` and `cc_count` behind it, and `cc_valid` of each caption (CTA-708 section 4.3).
const PROCESS_CAPTIONS: u8 = 0x40;
const CAPTION_COUNT: u8 = 0x1f;
const CAPTION_VALID: u8 = 0x04;

/// Whether the access unit carries CEA-608 or CEA-708 captions as ATSC A/53 packs them. Cheap: slices are not looked into.
pub fn has_captions(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::H264 => nal::units(payload).any(|unit| is_sei(unit, 1, |kind| kind & 0x1f == 6)),
        Codec::Hevc => nal::units(payload).any(|unit| is_sei(unit, 2, |kind| (kind >> 1) & 0x3f == 39)),
        Codec::Av1 => av1::t35_messages(payload).any(is_captions),
        _ => false,
    }
}

fn is_sei(unit: &[u8], header: usize, is_kind: impl Fn(u8) -> bool) -> bool {
    let Some((&kind, _)) = unit.split_first() else {
        return false;
    };
    if !is_kind(kind) {
        return false;
    }
    let unescaped = nal::unescape(unit);
    unescaped
        .get(header..)
        .is_some_and(|payload| nal::sei_messages(payload).any(|(kind, t35)| kind == SEI_T35 && is_captions(t35)))
}

fn is_captions(t35: &[u8]) -> bool {
    let Some([flags, _em_data, triples @ ..]) = t35.strip_prefix(&ATSC_CAPTIONS) else {
        return false;
    };
    let (triples, _) = triples.as_chunks::<3>();
    flags & PROCESS_CAPTIONS != 0
        && triples
            .iter()
            .take(usize::from(flags & CAPTION_COUNT))
            .any(|[marker, ..]| marker & CAPTION_VALID != 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One valid CEA-608 pair.
    const T35: &[u8] = &[
        0xb5, 0x00, 0x31, b'G', b'A', b'9', b'4', 0x03, 0x41, 0xff, 0xfc, 0x94, 0x2c, 0xff,
    ];

    fn sei(header: &[u8], t35: &[u8]) -> Vec<u8> {
        let unit = [header, &[4, t35.len() as u8], t35, &[0x80]].concat();
        let length = (unit.len() as u32).to_be_bytes();
        [&[0, 0, 0, 2, 9, 0xf0][..], &length, &unit].concat()
    }

    #[test]
    fn captions_are_seen_in_the_sei_of_both_nal_codecs_and_in_av1_metadata() {
        assert!(has_captions(Codec::H264, &sei(&[0x06], T35)));
        assert!(has_captions(Codec::Hevc, &sei(&[0x4e, 0x01], T35)));
        let obu = [&[0x12, 0, 0x2a, T35.len() as u8 + 2, 4][..], T35, &[0x80]].concat();
        assert!(has_captions(Codec::Av1, &obu));
        assert!(!has_captions(Codec::Vp9, &sei(&[0x06], T35)));
    }

    #[test]
    fn a_packet_without_a_valid_caption_is_none() {
        let mut none_valid = T35.to_vec();
        none_valid[10] = 0xf8;
        let mut none_counted = T35.to_vec();
        none_counted[8] = 0x40;
        for t35 in [
            &none_valid[..],
            &none_counted,
            b"\xb5\x00\x31DTG1\x03\x41\xff\xfc\x94\x2c",
        ] {
            assert!(!has_captions(Codec::H264, &sei(&[0x06], t35)));
        }
        assert!(!has_captions(Codec::H264, &sei(&[0x65], T35)), "a slice");
    }

    proptest! {
        #[test]
        fn any_payload_is_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 0..40_usize) {
            for codec in [Codec::H264, Codec::Hevc, Codec::Av1, Codec::Vp9] {
                has_captions(codec, &bytes);
                let captions = sei(&[0x06], T35);
                has_captions(codec, &captions[..cut.min(captions.len())]);
            }
        }
    }
}
