//! Closed captions within coded pictures: which kinds a picture carries, not what they say.

use std::ops::{BitOr, BitOrAssign};

use serde::{Deserialize, Serialize};

use super::{access_unit::Codec, av1, nal};

/// SEI payload type of `user_data_registered_itu_t_t35`, the same in H.264 and HEVC.
const SEI_T35: u32 = 4;

/// United States, ATSC, `GA94`, caption data (ATSC A/53 part 4 section 6.2.3).
const ATSC_CAPTIONS: [u8; 8] = [0xb5, 0x00, 0x31, b'G', b'A', b'9', b'4', 0x03];

/// `process_cc_data_flag` and `cc_count` behind it (CTA-708 section 4.3).
const PROCESS_CAPTIONS: u8 = 0x40;
const CAPTION_COUNT: u8 = 0x1f;

/// `cc_valid` of a caption and its `cc_type`: a pair of CEA-608's first field, or the start of a packet of CEA-708.
const VALID_AND_TYPE: u8 = 0b111;
const FIELD_1: u8 = 0b100;
const PACKET_START: u8 = 0b111;

/// Bytes of CEA-608 have a parity bit.
const WITHOUT_PARITY: u8 = 0x7f;

/// The header of a service's block: its number, and the length of the block behind it (CTA-708 section 6.2).
const SERVICE_1: u8 = 1;
const BLOCK_LENGTH: u8 = 0x1f;

/// The captions that a stream has, by the names under which players can choose them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captions {
    /// CEA-608, of the first field: `CC1`.
    pub cea608: bool,
    /// CEA-708, of the first service: `SERVICE1`.
    pub cea708: bool,
}

impl Captions {
    const BOTH: Self = Self {
        cea608: true,
        cea708: true,
    };

    /// Whether there are any.
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// Looks into an access unit, unless there is nothing more to be found.
    pub fn look(&mut self, codec: Codec, payload: &[u8]) {
        if *self != Self::BOTH {
            *self |= captions(codec, payload);
        }
    }
}

impl BitOr for Captions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            cea608: self.cea608 || other.cea608,
            cea708: self.cea708 || other.cea708,
        }
    }
}

impl BitOrAssign for Captions {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

/// The captions that the access unit carries as ATSC A/53 packs them, padding left out. Cheap: slices are not looked into.
fn captions(codec: Codec, payload: &[u8]) -> Captions {
    match codec {
        Codec::H264 => all(nal::units(payload).map(|unit| of_sei(unit, 1, |kind| kind & 0x1f == 6))),
        Codec::Hevc => all(nal::units(payload).map(|unit| of_sei(unit, 2, |kind| (kind >> 1) & 0x3f == 39))),
        Codec::Av1 => all(av1::t35_messages(payload).map(of_t35)),
        _ => Captions::default(),
    }
}

fn all(found: impl Iterator<Item = Captions>) -> Captions {
    found.fold(Captions::default(), BitOr::bitor)
}

fn of_sei(unit: &[u8], header: usize, is_kind: impl Fn(u8) -> bool) -> Captions {
    if !unit.first().is_some_and(|&kind| is_kind(kind)) {
        return Captions::default();
    }
    let unescaped = nal::unescape(unit);
    let messages = nal::sei_messages(unescaped.get(header..).unwrap_or_default());
    all(messages
        .filter(|&(kind, _)| kind == SEI_T35)
        .map(|(_, t35)| of_t35(t35)))
}

fn of_t35(t35: &[u8]) -> Captions {
    let Some([flags, _em_data, triples @ ..]) = t35.strip_prefix(&ATSC_CAPTIONS) else {
        return Captions::default();
    };
    if flags & PROCESS_CAPTIONS == 0 {
        return Captions::default();
    }
    let (triples, _) = triples.as_chunks::<3>();
    let counted = triples.iter().take(usize::from(flags & CAPTION_COUNT));
    all(counted.map(|&[marker, first, second]| Captions {
        cea608: marker & VALID_AND_TYPE == FIELD_1 && (first | second) & WITHOUT_PARITY != 0,
        // Behind the packet's own header; a block of service 0 is padding.
        cea708: marker & VALID_AND_TYPE == PACKET_START && second >> 5 == SERVICE_1 && second & BLOCK_LENGTH != 0,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONE: Captions = Captions {
        cea608: false,
        cea708: false,
    };
    const CEA608: Captions = Captions { cea608: true, ..NONE };
    const CEA708: Captions = Captions { cea708: true, ..NONE };

    fn t35(triples: &[[u8; 3]]) -> Vec<u8> {
        let count = PROCESS_CAPTIONS | triples.len() as u8;
        [&ATSC_CAPTIONS[..], &[count, 0xff], triples.as_flattened(), &[0xff]].concat()
    }

    /// A valid pair of CEA-608.
    fn pair() -> Vec<u8> {
        t35(&[[0xfc, 0x94, 0x2c]])
    }

    fn sei(header: &[u8], t35: &[u8]) -> Vec<u8> {
        let unit = [header, &[4, t35.len() as u8], t35, &[0x80]].concat();
        let length = (unit.len() as u32).to_be_bytes();
        [&[0, 0, 0, 2, 9, 0xf0][..], &length, &unit].concat()
    }

    fn in_h264(triples: &[[u8; 3]]) -> Captions {
        captions(Codec::H264, &sei(&[0x06], &t35(triples)))
    }

    #[test]
    fn captions_are_seen_in_the_sei_of_both_nal_codecs_and_in_av1_metadata() {
        assert_eq!(captions(Codec::H264, &sei(&[0x06], &pair())), CEA608);
        assert_eq!(captions(Codec::Hevc, &sei(&[0x4e, 0x01], &pair())), CEA608);
        let obu = [&[0x12, 0, 0x2a, pair().len() as u8 + 2, 4][..], &pair(), &[0x80]].concat();
        assert_eq!(captions(Codec::Av1, &obu), CEA608);
        assert_eq!(captions(Codec::Vp9, &sei(&[0x06], &pair())), NONE);
    }

    #[test]
    fn a_packet_without_a_valid_caption_is_none() {
        let mut none_counted = pair();
        none_counted[8] = PROCESS_CAPTIONS;
        let mut not_to_be_processed = pair();
        not_to_be_processed[8] = 1;
        for t35 in [
            &none_counted[..],
            &not_to_be_processed,
            &t35(&[[0xf8, 0x94, 0x2c]]),
            b"\xb5\x00\x31DTG1\x03\x41\xff\xfc\x94\x2c",
        ] {
            assert_eq!(captions(Codec::H264, &sei(&[0x06], t35)), NONE);
        }
        assert_eq!(captions(Codec::H264, &sei(&[0x65], &pair())), NONE, "a slice");
    }

    #[test]
    fn padding_is_no_caption_and_neither_is_the_second_field() {
        assert_eq!(in_h264(&[[0xfc, 0x80, 0x80], [0xfc, 0, 0]]), NONE);
        assert_eq!(in_h264(&[[0xfd, 0x94, 0x2c]]), NONE);
        assert_eq!(in_h264(&[[0xfe, 0, 0], [0xfa, 0, 0]]), NONE);
        assert_eq!(
            in_h264(&[[0xff, 0x02, 0x00], [0xfe, 0x94, 0x2c]]),
            NONE,
            "a null service block"
        );
    }

    #[test]
    fn cea_708_is_told_from_cea_608() {
        // A packet of four bytes, with a block of two of the first service.
        let packet = [[0xff, 0x02, 0x22], [0xfe, b'H', b'i']];
        assert_eq!(in_h264(&packet), CEA708);
        assert_eq!(in_h264(&[[0xff, 0x02, 0x42], packet[1]]), NONE, "the second service");
        let null_pair = [0xfc, 0x80, 0x80];
        assert_eq!(in_h264(&[null_pair, packet[0], packet[1]]), CEA708);
        assert_eq!(in_h264(&[[0xfc, 0x94, 0x2c], packet[0], packet[1]]), CEA608 | CEA708);
    }

    #[test]
    fn what_was_seen_once_stays() {
        let mut seen = Captions::default();
        seen.look(Codec::H264, &sei(&[0x06], &pair()));
        seen.look(Codec::H264, &sei(&[0x06], &t35(&[[0xfc, 0x80, 0x80]])));
        assert!(seen == CEA608 && seen.any() && !NONE.any());
    }

    proptest! {
        #[test]
        fn any_payload_is_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 0..40_usize) {
            for codec in [Codec::H264, Codec::Hevc, Codec::Av1, Codec::Vp9] {
                captions(codec, &bytes);
                let sei = sei(&[0x06], &pair());
                captions(codec, &sei[..cut.min(sei.len())]);
            }
        }
    }
}
