//! Bit rates: what a rendition needs of a viewer's line, first foretold, then measured segment by segment.

use crate::live::BitRate;

/// A measured rate is declared with a quarter on top, what the publisher says of itself with a tenth.
const MEASURED_MARGIN_PERCENT: u64 = 125;
const STATED_MARGIN_PERCENT: u64 = 110;

/// A segment above the declared peak raises it by a tenth more, so that it does not rise with every segment.
const RAISE_PERCENT: u64 = 110;

/// Declared where nothing at all is known, bits a second.
const UNKNOWN_BITS: u64 = 64_000;

/// The rate to declare before the first segment, from `bytes` over `duration_ms`, and from the publisher's own word.
pub(super) fn foretold(bytes: u64, duration_ms: i64, stated_kbps: Option<f64>) -> BitRate {
    let duration_ms = u64::try_from(duration_ms).unwrap_or(0);
    let measured = (bytes * 8 * 1000).checked_div(duration_ms).unwrap_or(0);
    // A float out of range is clamped, not wrapped.
    let stated = (stated_kbps.unwrap_or(0.0) * 1000.0) as u64;
    let peak = (measured * MEASURED_MARGIN_PERCENT / 100).max(stated.saturating_mul(STATED_MARGIN_PERCENT) / 100);
    let average = measured.max(stated);
    BitRate {
        peak: clamp(if peak == 0 { UNKNOWN_BITS } else { peak }),
        average: clamp(if average == 0 { UNKNOWN_BITS } else { average }),
    }
}

/// Measures a rendition's segments against what is declared of it.
#[derive(Debug)]
pub(super) struct RateMeter {
    declared: BitRate,
    timescale: u64,
    segment: Span,
    all: Span,
}

#[derive(Clone, Copy, Debug, Default)]
struct Span {
    bytes: u64,
    ticks: u64,
}

impl Span {
    fn bits_a_second(self, timescale: u64) -> u64 {
        // 128 bits: an epoch may last for months.
        let bits = u128::from(self.bytes) * 8 * u128::from(timescale);
        u64::try_from(bits.checked_div(u128::from(self.ticks)).unwrap_or(0)).unwrap_or(u64::MAX)
    }
}

impl RateMeter {
    pub(super) fn new(declared: BitRate, timescale: u32) -> Self {
        Self {
            declared,
            timescale: timescale.into(),
            segment: Span::default(),
            all: Span::default(),
        }
    }

    pub(super) fn declared(&self) -> BitRate {
        self.declared
    }

    pub(super) fn part(&mut self, bytes: usize, ticks: u64) {
        for span in [&mut self.segment, &mut self.all] {
            span.bytes += bytes as u64;
            span.ticks += ticks;
        }
    }

    /// Ends a segment; gives the rate to declare from now on if the old one was exceeded.
    pub(super) fn segment_end(&mut self) -> Option<BitRate> {
        let segment = std::mem::take(&mut self.segment).bits_a_second(self.timescale);
        let average = clamp(self.all.bits_a_second(self.timescale));
        let mut raised = self.declared;
        if clamp(segment) > raised.peak {
            raised.peak = clamp(segment.saturating_mul(RAISE_PERCENT) / 100);
        }
        if average > raised.average {
            raised.average = clamp(u64::from(average) * RAISE_PERCENT / 100).min(raised.peak);
        }
        if raised == self.declared {
            return None;
        }
        self.declared = raised;
        Some(raised)
    }
}

fn clamp(bits: u64) -> u32 {
    u32::try_from(bits).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_publishers_word_counts_when_it_is_the_larger() {
        assert_eq!(
            foretold(250_000, 1000, Some(2500.0)),
            BitRate {
                peak: 2_750_000,
                average: 2_500_000
            }
        );
        assert_eq!(
            foretold(500_000, 1000, Some(2500.0)),
            BitRate {
                peak: 5_000_000,
                average: 4_000_000
            }
        );
        assert_eq!(foretold(0, 0, None).peak, 64_000);
        assert_eq!(foretold(0, 0, Some(f64::INFINITY)).peak, u32::MAX);
    }

    #[test]
    fn a_rate_rises_only_when_a_segment_exceeds_it() {
        let mut meter = RateMeter::new(
            BitRate {
                peak: 1_000_000,
                average: 800_000,
            },
            90_000,
        );
        meter.part(250_000, 180_000);
        assert_eq!(
            meter.segment_end(),
            Some(BitRate {
                peak: 1_000_000,
                average: 1_000_000
            })
        );
        meter.part(500_000, 180_000);
        assert_eq!(meter.segment_end().map(|rate| rate.peak), Some(2_200_000));
        meter.part(500_000, 180_000);
        assert!(meter.segment_end().is_none_or(|rate| rate.peak == 2_200_000));
    }
}
