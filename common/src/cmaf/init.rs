//! Writes init segments: `ftyp` and a `moov` of one track without samples.
//!
//! No edit list: live RTMP has no gapless metadata, and players differ in what they make of one.

use bytes::{Bytes, BytesMut};
use mp4_atom::{
    Audio, Avc1, Codec, Dinf, Dref, Encode as _, FourCC, Ftyp, Hdlr, Mdhd, Mdia, Minf, Moov, Mp4a, Mvex, Mvhd, Pasp,
    Smhd, Stbl, Stco, Stsd, Tkhd, Trak, Trex, Url, Visual, Vmhd,
    esds::{DecoderConfig, DecoderSpecific, EsDescriptor, Esds},
};

use super::{AUDIO_TRACK_ID, VIDEO_TIMESCALE, VIDEO_TRACK_ID};
use crate::media::{aac::AacConfig, h264::AvcConfig};

/// Ticks a second of the movie header, which has no duration to count.
const MOVIE_TIMESCALE: u32 = 1000;

/// `objectTypeIndication` of MPEG-4 audio and `streamType` of audio (ISO/IEC 14496-1 tables 5 and 6).
const MPEG4_AUDIO: u8 = 0x40;
const AUDIO_STREAM: u8 = 5;

/// The boxes could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("init segment: {0}")]
pub struct InitError(String);

/// The init segment of a video track.
///
/// # Errors
/// When the configuration has values that a box cannot hold.
pub fn video(config: &AvcConfig) -> Result<Bytes, InitError> {
    let sample_entry = Codec::Avc1(Avc1 {
        visual: Visual {
            data_reference_index: 1,
            width: config.width,
            height: config.height,
            ..Visual::default()
        },
        avcc: config.avcc.clone(),
        pasp: config.sample_aspect_ratio.map(|(h, v)| Pasp {
            h_spacing: h.into(),
            v_spacing: v.into(),
        }),
        ..Avc1::default()
    });
    let track = Track {
        id: VIDEO_TRACK_ID,
        timescale: VIDEO_TIMESCALE,
        handler: FourCC::new(b"vide"),
        name: "video",
        size: (config.width, config.height),
        sample_entry,
    };
    track.encode()
}

/// The init segment of an audio track; its timescale is the sampling frequency.
///
/// # Errors
/// When the configuration has values that a box cannot hold.
pub fn audio(config: &AacConfig) -> Result<Bytes, InitError> {
    let decoder = DecoderConfig {
        object_type_indication: MPEG4_AUDIO,
        stream_type: AUDIO_STREAM,
        dec_specific: Some(DecoderSpecific {
            raw: config.record.to_vec(),
            ..DecoderSpecific::default()
        }),
        ..DecoderConfig::default()
    };
    let sample_entry = Codec::Mp4a(Mp4a {
        audio: Audio {
            data_reference_index: 1,
            channel_count: config.channels.into(),
            sample_size: 16,
            // 16 bits hold no 88.2 or 96 kHz; then zero, and the AudioSpecificConfig is what counts.
            sample_rate: u16::try_from(config.output_rate).unwrap_or(0).into(),
        },
        esds: Esds {
            es_desc: EsDescriptor {
                dec_config: decoder,
                ..EsDescriptor::default()
            },
        },
        btrt: None,
        taic: None,
    });
    let track = Track {
        id: AUDIO_TRACK_ID,
        timescale: config.sample_rate,
        handler: FourCC::new(b"soun"),
        name: "audio",
        size: (0, 0),
        sample_entry,
    };
    track.encode()
}

struct Track {
    id: u32,
    timescale: u32,
    handler: FourCC,
    name: &'static str,
    /// Of the picture; audio has none.
    size: (u16, u16),
    sample_entry: Codec,
}

impl Track {
    fn encode(self) -> Result<Bytes, InitError> {
        let ftyp = Ftyp {
            major_brand: FourCC::new(b"iso6"),
            minor_version: 0,
            compatible_brands: vec![FourCC::new(b"iso6"), FourCC::new(b"cmfc"), FourCC::new(b"mp41")],
        };
        let mut out = BytesMut::with_capacity(1024);
        ftyp.encode(&mut out)
            .and_then(|()| self.moov().encode(&mut out))
            .map_err(|e| InitError(e.to_string()))?;
        Ok(out.freeze())
    }

    fn moov(self) -> Moov {
        let is_audio = self.size == (0, 0);
        Moov {
            mvhd: Mvhd {
                timescale: MOVIE_TIMESCALE,
                rate: 1.into(),
                volume: 1.into(),
                next_track_id: AUDIO_TRACK_ID + 1,
                ..Mvhd::default()
            },
            mvex: Some(Mvex {
                mehd: None,
                trex: vec![Trex {
                    track_id: self.id,
                    default_sample_description_index: 1,
                    ..Trex::default()
                }],
            }),
            trak: vec![Trak {
                tkhd: Tkhd {
                    track_id: self.id,
                    enabled: true,
                    in_movie: true,
                    volume: u8::from(is_audio).into(),
                    width: self.size.0.into(),
                    height: self.size.1.into(),
                    ..Tkhd::default()
                },
                mdia: Mdia {
                    mdhd: Mdhd {
                        timescale: self.timescale,
                        language: "und".to_owned(),
                        ..Mdhd::default()
                    },
                    hdlr: Hdlr {
                        handler: self.handler,
                        name: self.name.to_owned(),
                    },
                    minf: Minf {
                        vmhd: (!is_audio).then(Vmhd::default),
                        smhd: is_audio.then(Smhd::default),
                        dinf: Dinf {
                            dref: Dref {
                                entries: vec![Url::default().into()],
                            },
                        },
                        stbl: Stbl {
                            stsd: Stsd {
                                codecs: vec![self.sample_entry],
                            },
                            // Mandatory in the file, optional in the type.
                            stco: Some(Stco::default()),
                            ..Stbl::default()
                        },
                        ..Minf::default()
                    },
                },
                ..Trak::default()
            }],
            ..Moov::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cmaf::inspect::{self, SampleEntry},
        media::{aac::tests::RECORD_OBS, h264::tests::RECORD_720P30},
    };

    #[test]
    fn a_video_init_segment_reads_back() {
        let record = Bytes::from_static(RECORD_720P30);
        let body = video(&AvcConfig::parse(&record).unwrap()).unwrap();
        let init = inspect::read_init(&body).unwrap();
        assert_eq!((init.track_id, init.timescale), (VIDEO_TRACK_ID, VIDEO_TIMESCALE));
        assert_eq!(
            init.entry,
            SampleEntry::Avc1 {
                width: 1280,
                height: 720,
                record
            }
        );
    }

    #[test]
    fn an_audio_init_segment_carries_the_configuration_verbatim() {
        let record = Bytes::from_static(RECORD_OBS);
        let body = audio(&AacConfig::parse(&record).unwrap()).unwrap();
        let init = inspect::read_init(&body).unwrap();
        assert_eq!((init.track_id, init.timescale), (AUDIO_TRACK_ID, 48_000));
        assert_eq!(
            init.entry,
            SampleEntry::Mp4a {
                channels: 2,
                sample_rate: 48_000,
                record
            }
        );
    }
}
