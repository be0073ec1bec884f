//! Bits, most significant first, in and out.

/// The bytes end at this bit, before what was to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EndOfBits(pub(super) usize);

/// Longest Exp-Golomb code read: one more zero would mean a number above 32 bits.
const MAX_LEADING_ZEROS: u32 = 31;

/// Reads bits from bytes.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `count` bits, at most 32.
    pub(super) fn read(&mut self, count: u32) -> Result<u32, EndOfBits> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8).ok_or(EndOfBits(self.at))?;
            value = (value << 1) | u32::from((byte >> (7 - self.at % 8)) & 1);
            self.at += 1;
        }
        Ok(value)
    }

    /// The next eight bits.
    pub(super) fn byte(&mut self) -> Result<u8, EndOfBits> {
        // Eight bits fit.
        Ok(self.read(8)? as u8)
    }

    pub(super) fn flag(&mut self) -> Result<bool, EndOfBits> {
        Ok(self.read(1)? == 1)
    }

    pub(super) fn skip(&mut self, count: usize) -> Result<(), EndOfBits> {
        let end = self.at.saturating_add(count);
        if end > self.bytes.len() * 8 {
            return Err(EndOfBits(self.at));
        }
        self.at = end;
        Ok(())
    }

    /// An unsigned Exp-Golomb code, `ue(v)` of ITU-T H.264 and H.265; `uvlc()` of AV1 is the same.
    pub(super) fn exp_golomb(&mut self) -> Result<u32, EndOfBits> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > MAX_LEADING_ZEROS {
                return Err(EndOfBits(self.at));
            }
        }
        // At most 2^31 - 1 and as much again.
        Ok(((1 << zeros) - 1) + self.read(zeros)?)
    }
}

/// Writes bits to bytes; the last byte is filled up with zeros.
#[derive(Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    bits: usize,
}

impl BitWriter {
    /// Appends the `count` low bits of `value`.
    pub(super) fn write(&mut self, count: u32, value: u32) {
        for shift in (0..count).rev() {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if (value >> shift) & 1 == 1
                && let Some(byte) = self.bytes.last_mut()
            {
                *byte |= 0x80 >> (self.bits % 8);
            }
            self.bits += 1;
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn exp_golomb_codes_are_those_of_the_tables() {
        let mut bits = BitReader::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let read: Vec<_> = std::iter::from_fn(|| bits.exp_golomb().ok()).take(5).collect();
        assert_eq!(read, [0, 1, 2, 3, 4]);
        assert!(bits.exp_golomb().is_err(), "zeros without an end");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(values in prop::collection::vec((1_u32..=32, any::<u32>()), 0..20)) {
            let mut writer = BitWriter::default();
            let kept = |(count, value): (u32, u32)| value & u32::MAX.wrapping_shr(32 - count);
            for &(count, value) in &values {
                writer.write(count, kept((count, value)));
            }
            let bytes = writer.into_bytes();
            let mut reader = BitReader::new(&bytes);
            for &(count, value) in &values {
                prop_assert_eq!(reader.read(count), Ok(kept((count, value))));
            }
        }

        #[test]
        fn any_bytes_are_codes_or_an_end(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut reader = BitReader::new(&bytes);
            while reader.exp_golomb().is_ok() {}
        }
    }
}
