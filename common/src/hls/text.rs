//! Writing playlists: one growing text, no text in between.

/// A playlist in the making.
pub(super) struct Text(String);

impl Text {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(String::with_capacity(capacity))
    }

    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.0.push_str(text);
        self
    }

    pub(super) fn number(&mut self, number: impl Into<u64>) -> &mut Self {
        let mut digits = [0; 20];
        let mut rest = number.into();
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.0
            .push_str(std::str::from_utf8(&digits[start..]).unwrap_or_default());
        self
    }

    /// `units` of `1 / 10^decimals`, as in 1500 with 3 decimals: `1.500`.
    pub(super) fn fixed(&mut self, units: u64, decimals: u32) -> &mut Self {
        let one = 10_u64.pow(decimals);
        self.number(units / one).push(".");
        let mut place = one / 10;
        while place > 0 {
            self.number(units / place % 10);
            place /= 10;
        }
        self
    }

    /// Seconds with five decimals, rounded down: a part or a segment of a permitted length never reads as a longer one.
    pub(super) fn seconds(&mut self, ticks: u64, timescale: u32) -> &mut Self {
        let units = u128::from(ticks) * 100_000 / u128::from(timescale.max(1));
        self.fixed(u64::try_from(units).unwrap_or(u64::MAX), 5)
    }

    /// The text itself, for those who write by `fmt::Write` or push themselves.
    pub(super) fn buffer(&mut self) -> &mut String {
        &mut self.0
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_seconds_are_plain_decimals() {
        let mut text = Text::with_capacity(0);
        text.number(0_u64)
            .push(" ")
            .number(u64::MAX)
            .push(" ")
            .fixed(1005, 3)
            .push(" ");
        text.seconds(30_000, 90_000).push(" ").seconds(23 * 1024, 48_000);
        assert_eq!(text.finish(), "0 18446744073709551615 1.005 0.33333 0.49066");
    }
}
