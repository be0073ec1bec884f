//! What colours mean: which range of brightness a picture is made for, and two statements about it put together.

use super::access_unit::ColourInfo;
use crate::live::VideoRange;

/// Transfer characteristics of ITU-T H.273: SMPTE ST 2084, and ARIB STD-B67.
const TRANSFER_PQ: u8 = 16;
const TRANSFER_HLG: u8 = 18;

/// "Unspecified", of primaries, transfer and matrix alike.
const UNSPECIFIED: u8 = 2;

/// A code point, where it says anything.
pub(crate) fn specified(code: u8) -> Option<u8> {
    Some(code).filter(|&code| code != UNSPECIFIED)
}

impl ColourInfo {
    /// The range of brightness, as VIDEO-RANGE names it.
    pub fn range(&self) -> VideoRange {
        match self.transfer {
            Some(TRANSFER_PQ) => VideoRange::Pq,
            Some(TRANSFER_HLG) => VideoRange::Hlg,
            _ => VideoRange::Sdr,
        }
    }

    /// This, and what `other` says of all that this leaves open.
    pub fn or(self, other: Self) -> Self {
        Self {
            primaries: self.primaries.or(other.primaries),
            transfer: self.transfer.or(other.transfer),
            matrix: self.matrix.or(other.matrix),
            full_range: self.full_range.or(other.full_range),
            light_level: self.light_level.or(other.light_level),
            mastering: self.mastering.or(other.mastering),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_goes_over_another_where_it_says_anything() {
        let stated = ColourInfo {
            transfer: Some(TRANSFER_HLG),
            ..ColourInfo::default()
        };
        let coded = ColourInfo {
            primaries: Some(9),
            transfer: Some(1),
            ..ColourInfo::default()
        };
        let both = stated.or(coded);
        assert_eq!((both.primaries, both.range()), (Some(9), VideoRange::Hlg));
        assert_eq!(coded.range(), VideoRange::Sdr);
    }
}
