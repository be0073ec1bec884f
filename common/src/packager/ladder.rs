//! The rungs that can be offered of a source: those with fewer lines, in H.264 of the main profile, which plays everywhere.

use crate::{
    id::Rung,
    live::{BitRate, RungDescription, VideoRange},
    media::video_config::VideoConfig,
};

/// `profile_idc` and constraint flags of the main profile.
const MAIN_PROFILE: &str = "4d40";

/// Above this many thousandths of a hertz a rung is given more bits.
const FAST_MILLIHERTZ: u32 = 40_000;
const FAST_PERCENT: u32 = 140;

/// Most luma samples of a source's picture, those of 8K: what is larger is not decoded.
const MAX_SOURCE_PIXELS: u32 = 35_651_584;

/// What a segment may need beyond the mean.
const PEAK_PERCENT: u32 = 150;

/// Of its usual rate, a rung gets so much at least where the source's rate is a guess.
const GUESS_PERCENT: u32 = 50;

/// What is known of the source's rate when an epoch is planned. The rungs' stays the same for the whole epoch.
#[derive(Clone, Copy, Debug)]
pub(super) enum SourceRate {
    /// By the publisher.
    Stated(BitRate),
    /// Over a few seconds, or of a stream before: a film that fades in from black has a hundredth of its rate there.
    Measured(BitRate),
}

impl SourceRate {
    /// What a rung may have that looks good at this rate.
    fn most(self, usual: u32) -> BitRate {
        match self {
            Self::Stated(rate) => rate,
            Self::Measured(rate) => {
                let least = usual / 100 * GUESS_PERCENT;
                BitRate {
                    peak: rate.peak.max(peak(least)),
                    average: rate.average.max(least),
                }
            }
        }
    }
}

/// Macroblocks of a picture, macroblocks a second and bits a second that H.264 allows at a level (table A-1, main profile).
const LEVELS: [(u8, u32, u32, u32); 11] = [
    (0x0d, 396, 11_880, 768_000),
    (0x15, 792, 19_800, 4_000_000),
    (0x1e, 1_620, 40_500, 10_000_000),
    (0x1f, 3_600, 108_000, 14_000_000),
    (0x20, 5_120, 216_000, 20_000_000),
    (0x28, 8_192, 245_760, 20_000_000),
    (0x29, 8_192, 245_760, 50_000_000),
    (0x2a, 8_704, 522_240, 50_000_000),
    (0x32, 22_080, 589_824, 135_000_000),
    (0x33, 36_864, 983_040, 240_000_000),
    (0x34, 36_864, 2_073_600, 240_000_000),
];

/// Describes the rungs of `wanted` that a source has, the best first.
///
/// A source in high dynamic range has none: cut down to eight bits without another grading it is a grey picture.
pub(super) fn offered(
    wanted: &[Rung],
    source: &VideoConfig,
    frame_rate_millihertz: u32,
    rate: SourceRate,
) -> Vec<RungDescription> {
    let pixels = u32::from(source.width) * u32::from(source.height);
    if source.range() != VideoRange::Sdr || pixels > MAX_SOURCE_PIXELS {
        return Vec::new();
    }
    let less_high = |rung: &Rung| wanted.contains(rung) && rung.height() < source.height;
    let rungs = Rung::ALL.into_iter().filter(less_high);
    rungs
        .map(|rung| describe(rung, source, frame_rate_millihertz, rate))
        .collect()
}

fn describe(rung: Rung, source: &VideoConfig, frame_rate_millihertz: u32, source_rate: SourceRate) -> RungDescription {
    let (width, height) = (width(rung, source), rung.height());
    let mut usual = usual_rate(rung);
    if frame_rate_millihertz > FAST_MILLIHERTZ {
        usual = usual / 100 * FAST_PERCENT;
    }
    let most = source_rate.most(usual);
    let average = usual.min(most.average);
    let bit_rate = BitRate {
        peak: peak(average).min(most.peak),
        average: average.min(most.peak),
    };
    let level = level(width, height, frame_rate_millihertz, bit_rate.peak);
    RungDescription {
        rung,
        width,
        height,
        frame_rate_millihertz,
        codecs: format!("avc1.{MAIN_PROFILE}{level:02x}"),
        bit_rate,
    }
}

fn peak(average: u32) -> u32 {
    (average / 100 * PEAK_PERCENT).max(average)
}

/// Bits a second that keep a film good to look at, at 30 frames a second.
fn usual_rate(rung: Rung) -> u32 {
    match rung {
        Rung::P1080 => 4_500_000,
        Rung::P720 => 2_500_000,
        Rung::P480 => 1_200_000,
        Rung::P360 => 700_000,
        Rung::P240 => 350_000,
        Rung::P144 => 150_000,
    }
}

/// In square samples, even.
fn width(rung: Rung, source: &VideoConfig) -> u16 {
    let (horizontal, vertical) = source.sample_aspect_ratio.unwrap_or((1, 1));
    let shown = u64::from(source.width) * u64::from(horizontal.max(1));
    let lines = u64::from(source.height.max(1)) * u64::from(vertical.max(1));
    // To the nearest even number.
    let half = (shown * u64::from(rung.height()) + lines) / (2 * lines);
    u16::try_from((half * 2).clamp(2, 8192)).unwrap_or(8192)
}

fn level(width: u16, height: u16, frame_rate_millihertz: u32, peak: u32) -> u8 {
    let blocks = u32::from(width.div_ceil(16)) * u32::from(height.div_ceil(16));
    let a_second = u64::from(blocks) * u64::from(frame_rate_millihertz) / 1000;
    let holds = |&&(_, most_blocks, most_a_second, most_bits): &&(u8, u32, u32, u32)| {
        blocks <= most_blocks && a_second <= most_a_second.into() && peak <= most_bits
    };
    LEVELS.iter().find(holds).unwrap_or(&LEVELS[LEVELS.len() - 1]).0
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::{access_unit::Codec, h264::tests::RECORD_720P30};

    const RICH: SourceRate = SourceRate::Stated(BitRate {
        peak: 8_000_000,
        average: 6_000_000,
    });

    fn source(width: u16, height: u16) -> VideoConfig {
        VideoConfig {
            width,
            height,
            ..VideoConfig::parse(Codec::H264, &Bytes::from_static(RECORD_720P30)).unwrap()
        }
    }

    #[test]
    fn rungs_below_the_source_keep_its_shape() {
        let rungs = offered(
            &[Rung::P480, Rung::P720, Rung::P1080],
            &source(1920, 1080),
            30_000,
            RICH,
        );
        let sizes: Vec<_> = rungs
            .iter()
            .map(|rung| (rung.rung, rung.width, rung.height, &*rung.codecs))
            .collect();
        assert_eq!(
            sizes,
            [
                (Rung::P720, 1280, 720, "avc1.4d401f"),
                (Rung::P480, 854, 480, "avc1.4d401f")
            ]
        );
        let fast = offered(&[Rung::P720], &source(1920, 1080), 60_000, RICH);
        assert_eq!((&*fast[0].codecs, fast[0].bit_rate.average), ("avc1.4d4020", 3_500_000));
        let wide = VideoConfig {
            sample_aspect_ratio: Some((4, 3)),
            ..source(720, 540)
        };
        assert_eq!(offered(&[Rung::P360], &wide, 25_000, RICH)[0].width, 640);
    }

    #[test]
    fn no_rung_needs_more_than_the_publisher_says_that_it_sends() {
        let poor = BitRate {
            peak: 500_000,
            average: 400_000,
        };
        let rung = &offered(&[Rung::P720], &source(1920, 1080), 30_000, SourceRate::Stated(poor))[0];
        assert_eq!(rung.bit_rate, poor);
    }

    #[test]
    fn a_source_that_begins_in_the_dark_does_not_make_its_rungs_poor() {
        let measured = |bits: u32| {
            let rate = SourceRate::Measured(BitRate {
                peak: bits / 4 * 5,
                average: bits,
            });
            offered(&[Rung::P720], &source(1920, 1080), 30_000, rate)[0].bit_rate
        };
        let half = BitRate {
            peak: 1_875_000,
            average: 1_250_000,
        };
        assert_eq!(measured(40_000), half);
        assert_eq!(measured(2_000_000).average, 2_000_000, "it is known to need no more");
        assert_eq!(measured(6_000_000).average, 2_500_000);
    }

    #[test]
    fn a_picture_too_large_to_be_decoded_has_no_rungs() {
        assert_eq!(offered(&[Rung::P720], &source(8192, 4352), 30_000, RICH).len(), 1);
        assert_eq!(offered(&[Rung::P720], &source(8192, 4353), 30_000, RICH), []);
    }

    #[test]
    fn high_dynamic_range_has_no_rungs() {
        let mut hdr = source(1920, 1080);
        hdr.colour.transfer = Some(16);
        assert_eq!(offered(&Rung::ALL, &hdr, 30_000, RICH), []);
    }
}
