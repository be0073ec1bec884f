//! What a slate has to match: the tracks of the epoch that it goes on in.

use common::{
    live::{EpochDescription, RenditionFormat, VideoRange},
    media::access_unit::{Codec, TrackId},
};

/// Frames a second, in thousandths, that a still picture is made with at least and at most.
const FRAME_RATES: std::ops::RangeInclusive<u32> = 5_000..=60_000;

/// One track of a slate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrackFormat {
    Video {
        codec: Codec,
        width: u16,
        height: u16,
        frame_rate_millihertz: u32,
    },
    Audio {
        index: u8,
        codec: Codec,
        channels: u8,
        sample_rate: u32,
    },
}

impl TrackFormat {
    pub fn track(&self) -> TrackId {
        match self {
            Self::Video { .. } => TrackId::VIDEO,
            Self::Audio { index, .. } => TrackId::audio(*index),
        }
    }
}

/// A stream that no slate is made for; for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMatch {
    #[error("no slate is made in {0}")]
    Codec(String),
    #[error("no slate is made for a stream in HDR")]
    Range,
    #[error("no slate is made for sound of {0} channels")]
    Channels(u8),
}

/// The tracks that a slate needs to go on in this epoch.
///
/// # Errors
/// No slate can.
pub fn of(description: &EpochDescription) -> Result<Vec<TrackFormat>, NoMatch> {
    let tracks = description.renditions.iter().map(|rendition| {
        let codec = codec(&rendition.codecs).ok_or_else(|| NoMatch::Codec(rendition.codecs.clone()))?;
        match &rendition.format {
            RenditionFormat::Video {
                range: VideoRange::Hlg | VideoRange::Pq,
                ..
            } => Err(NoMatch::Range),
            RenditionFormat::Video {
                width,
                height,
                frame_rate_millihertz,
                ..
            } => Ok(TrackFormat::Video {
                codec,
                width: *width,
                height: *height,
                frame_rate_millihertz: (*frame_rate_millihertz).clamp(*FRAME_RATES.start(), *FRAME_RATES.end()),
            }),
            RenditionFormat::Audio { channels, .. } if layout(*channels).is_none() => Err(NoMatch::Channels(*channels)),
            RenditionFormat::Audio {
                index,
                channels,
                sample_rate,
                ..
            } => Ok(TrackFormat::Audio {
                index: *index,
                codec,
                channels: *channels,
                // HE-AAC sounds at twice the rate that it is counted by, and the slate's AAC is a plain one.
                sample_rate: if codec == Codec::Aac {
                    rendition.timescale
                } else {
                    *sample_rate
                },
            }),
        }
    });
    tracks.collect()
}

/// By the beginning of the RFC 6381 text.
fn codec(codecs: &str) -> Option<Codec> {
    let known = [
        ("avc1.", Codec::H264),
        ("hvc1.", Codec::Hevc),
        ("hev1.", Codec::Hevc),
        ("av01.", Codec::Av1),
        ("vp09.", Codec::Vp9),
        ("mp4a.40.", Codec::Aac),
        ("opus", Codec::Opus),
        ("flac", Codec::Flac),
        ("ac-3", Codec::Ac3),
        ("ec-3", Codec::Eac3),
    ];
    let text = codecs.to_ascii_lowercase();
    known
        .into_iter()
        .find_map(|(start, codec)| text.starts_with(start).then_some(codec))
}

/// As ffmpeg calls it.
pub(super) fn layout(channels: u8) -> Option<&'static str> {
    Some(match channels {
        1 => "mono",
        2 => "stereo",
        3 => "3.0",
        4 => "4.0",
        5 => "5.0",
        6 => "5.1",
        8 => "7.1",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codec_is_known_by_its_text() {
        for (text, expected) in [
            ("avc1.640028", Some(Codec::H264)),
            ("mp4a.40.2", Some(Codec::Aac)),
            ("mp4a.6b", None),
            ("Opus", Some(Codec::Opus)),
            ("fLaC", Some(Codec::Flac)),
            ("av01.0.08M.08", Some(Codec::Av1)),
        ] {
            assert_eq!(codec(text), expected, "{text}");
        }
    }
}
