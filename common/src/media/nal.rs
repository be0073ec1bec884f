//! NAL units of H.264 and HEVC: finding them in access units, and reading the supplemental information among them.

/// Most bytes of one NAL unit unescaped: parameter sets and SEI are shorter.
const MAX_UNESCAPED: usize = 4096;

/// The NAL units of an access unit, each behind a 4-byte length. Ends where a length does not fit.
pub(super) fn units(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (unit, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = after;
        Some(unit)
    })
}

/// The start of a NAL unit without its emulation prevention bytes (ITU-T H.264 section 7.4.1.1).
pub(super) fn unescape(unit: &[u8]) -> Vec<u8> {
    let unit = &unit[..unit.len().min(MAX_UNESCAPED)];
    let mut out = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

/// The messages of an SEI unit's unescaped payload, its header left out: type and content (ITU-T H.264 section 7.3.2.3.1).
pub(super) fn sei_messages(payload: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        // The last byte is the stop bit.
        if rest.len() < 3 {
            return None;
        }
        let kind = extended_number(&mut rest)?;
        let size = extended_number(&mut rest)?;
        let (content, after) = rest.split_at_checked(size as usize)?;
        rest = after;
        Some((kind, content))
    })
}

/// A number as any count of 255 and a rest.
fn extended_number(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    loop {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number = number.checked_add(byte.into())?;
        if byte != u8::MAX {
            return Some(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_end_where_a_length_does_not_fit() {
        let payload = [&[0, 0, 0, 1][..], b"a", &[0, 0, 0, 2], b"bc", &[0, 0, 0, 9], b"d"].concat();
        assert_eq!(units(&payload).collect::<Vec<_>>(), [&b"a"[..], b"bc"]);
    }

    #[test]
    fn emulation_prevention_is_taken_out() {
        assert_eq!(unescape(&[1, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3]), [1, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(unescape(&[0, 3, 0, 1]), [0, 3, 0, 1]);
    }

    #[test]
    fn sei_types_and_sizes_may_be_of_several_bytes() {
        let payload = [&[255, 1, 2, 7, 8][..], &[4, 1, 9], &[0x80]].concat();
        let messages: Vec<_> = sei_messages(&payload).collect();
        assert_eq!(messages, [(256, &[7, 8][..]), (4, &[9][..])]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_apart(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            for unit in units(&bytes) {
                let unescaped = unescape(unit);
                prop_assert!(sei_messages(&unescaped).count() <= unescaped.len());
            }
        }
    }
}
