//! Writes init segments: `ftyp` and a `moov` of one track without samples.
//!
//! The header boxes are the box library's. Sample entries are put together here, so that a decoder configuration goes in as the
//! encoder gave it, and for the boxes of high dynamic range, which the library does not know.
//!
//! No edit list: live RTMP has no gapless metadata, and players differ in what they make of one.

use bytes::{BufMut as _, Bytes, BytesMut};
use mp4_atom::{
    Audio, Dinf, Dref, Encode, FourCC, Ftyp, Hdlr, Mdhd, Mvex, Mvhd, Pasp, Smhd, Stco, Stsc, Stsz, Stts, Tkhd, Trex,
    Url, Visual, Vmhd,
    esds::{DecoderConfig, DecoderSpecific, EsDescriptor, Esds},
};

use super::{AUDIO_TRACK_ID, VIDEO_TIMESCALE, VIDEO_TRACK_ID};
use crate::media::{access_unit::Codec, audio_config::AudioConfig, video_config::VideoConfig};

mod colour;
mod language;

/// Ticks a second of the movie header, which has no duration to count.
const MOVIE_TIMESCALE: u32 = 1000;

/// `objectTypeIndication` of MPEG-4 audio and `streamType` of audio (ISO/IEC 14496-1 tables 5 and 6).
const MPEG4_AUDIO: u8 = 0x40;
const AUDIO_STREAM: u8 = 5;

/// The boxes could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("init segment: {0}")]
pub struct InitError(String);

impl From<mp4_atom::Error> for InitError {
    fn from(error: mp4_atom::Error) -> Self {
        Self(error.to_string())
    }
}

/// The init segment of a video track.
///
/// # Errors
/// When the configuration has values that a box cannot hold.
pub fn video(config: &VideoConfig) -> Result<Bytes, InitError> {
    let (entry, configuration) = match config.codec {
        Codec::H264 => (b"avc1", b"avcC"),
        Codec::Hevc => (b"hvc1", b"hvcC"),
        Codec::Av1 => (b"av01", b"av1C"),
        Codec::Vp9 => (b"vp09", b"vpcC"),
        other => return Err(InitError(format!("{other:?} is no picture"))),
    };
    let track = Track {
        id: VIDEO_TRACK_ID,
        timescale: VIDEO_TIMESCALE,
        handler: b"vide",
        name: "video",
        size: (config.width, config.height),
        language: None,
    };
    track.encode(|out| {
        boxed(out, entry, |out| {
            Visual {
                data_reference_index: 1,
                width: config.width,
                height: config.height,
                ..Visual::default()
            }
            .encode(out)?;
            boxed(out, configuration, |out| {
                if config.codec == Codec::Vp9 {
                    out.put_u32(VPCC_VERSION);
                }
                out.put_slice(&config.record);
                Ok(())
            })?;
            colour::encode(&config.colour, out)?;
            if let Some((h, v)) = config.sample_aspect_ratio {
                let (h_spacing, v_spacing) = (h.into(), v.into());
                Pasp { h_spacing, v_spacing }.encode(out)?;
            }
            Ok(())
        })
    })
}

/// Version 1 and no flags, the only one there is of `vpcC`.
const VPCC_VERSION: u32 = 1 << 24;

/// The init segment of an audio track; its timescale is the sampling frequency. The language is a BCP 47 tag.
///
/// # Errors
/// When the configuration has values that a box cannot hold.
pub fn audio(config: &AudioConfig, language: Option<&str>) -> Result<Bytes, InitError> {
    let (entry, configuration) = match config.codec {
        Codec::Aac => (b"mp4a", None),
        Codec::Opus => (b"Opus", Some(b"dOps")),
        Codec::Flac => (b"fLaC", Some(b"dfLa")),
        Codec::Ac3 => (b"ac-3", Some(b"dac3")),
        Codec::Eac3 => (b"ec-3", Some(b"dec3")),
        other => return Err(InitError(format!("{other:?} is no sound"))),
    };
    let track = Track {
        id: AUDIO_TRACK_ID,
        timescale: config.sample_rate,
        handler: b"soun",
        name: "audio",
        size: (0, 0),
        language,
    };
    track.encode(|out| {
        boxed(out, entry, |out| {
            Audio {
                data_reference_index: 1,
                channel_count: config.channels.into(),
                sample_size: config.sample_bits,
                // 16 bits hold no 88.2 or 96 kHz; then zero, and the configuration is what counts.
                sample_rate: u16::try_from(config.output_rate).unwrap_or(0).into(),
            }
            .encode(out)?;
            match configuration {
                Some(kind) => boxed(out, kind, |out| {
                    if config.codec == Codec::Flac {
                        out.put_u32(0);
                    }
                    out.put_slice(&config.record);
                    Ok(())
                }),
                None => Ok(esds(&config.record).encode(out)?),
            }
        })
    })
}

/// The descriptors around an `AudioSpecificConfig`.
fn esds(record: &Bytes) -> Esds {
    Esds {
        es_desc: EsDescriptor {
            dec_config: DecoderConfig {
                object_type_indication: MPEG4_AUDIO,
                stream_type: AUDIO_STREAM,
                dec_specific: Some(DecoderSpecific {
                    raw: record.to_vec(),
                    ..DecoderSpecific::default()
                }),
                ..DecoderConfig::default()
            },
            ..EsDescriptor::default()
        },
    }
}

/// What `write` writes, as the content of a box.
fn boxed(
    out: &mut BytesMut,
    kind: &[u8; 4],
    write: impl FnOnce(&mut BytesMut) -> Result<(), InitError>,
) -> Result<(), InitError> {
    let start = out.len();
    out.put_u32(0);
    out.put_slice(kind);
    write(out)?;
    let size = u32::try_from(out.len() - start).map_err(|e| InitError(e.to_string()))?;
    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
    Ok(())
}

struct Track<'a> {
    id: u32,
    timescale: u32,
    handler: &'static [u8; 4],
    name: &'static str,
    /// Of the picture; audio has none.
    size: (u16, u16),
    language: Option<&'a str>,
}

impl Track<'_> {
    fn encode(&self, sample_entry: impl FnOnce(&mut BytesMut) -> Result<(), InitError>) -> Result<Bytes, InitError> {
        let mut out = BytesMut::with_capacity(1024);
        Ftyp {
            major_brand: FourCC::new(b"iso6"),
            minor_version: 0,
            compatible_brands: vec![FourCC::new(b"iso6"), FourCC::new(b"cmfc"), FourCC::new(b"mp41")],
        }
        .encode(&mut out)?;
        boxed(&mut out, b"moov", |out| {
            Mvhd {
                timescale: MOVIE_TIMESCALE,
                rate: 1.into(),
                volume: 1.into(),
                next_track_id: AUDIO_TRACK_ID + 1,
                ..Mvhd::default()
            }
            .encode(out)?;
            boxed(out, b"trak", |out| {
                self.header().encode(out)?;
                boxed(out, b"mdia", |out| self.media(sample_entry, out))
            })?;
            let trex = Trex {
                track_id: self.id,
                default_sample_description_index: 1,
                ..Trex::default()
            };
            let mvex = Mvex {
                mehd: None,
                trex: vec![trex],
            };
            Ok(mvex.encode(out)?)
        })?;
        Ok(out.freeze())
    }

    fn is_audio(&self) -> bool {
        self.size == (0, 0)
    }

    fn header(&self) -> Tkhd {
        Tkhd {
            track_id: self.id,
            enabled: true,
            in_movie: true,
            volume: u8::from(self.is_audio()).into(),
            width: self.size.0.into(),
            height: self.size.1.into(),
            ..Tkhd::default()
        }
    }

    fn media(
        &self,
        sample_entry: impl FnOnce(&mut BytesMut) -> Result<(), InitError>,
        out: &mut BytesMut,
    ) -> Result<(), InitError> {
        Mdhd {
            timescale: self.timescale,
            language: language::three_letters(self.language).to_owned(),
            ..Mdhd::default()
        }
        .encode(out)?;
        Hdlr {
            handler: FourCC::new(self.handler),
            name: self.name.to_owned(),
        }
        .encode(out)?;
        if let Some(tag) = self.language {
            language::encode_tag(tag, out)?;
        }
        boxed(out, b"minf", |out| {
            if self.is_audio() {
                Smhd::default().encode(out)?;
            } else {
                Vmhd::default().encode(out)?;
            }
            let entries = vec![Url::default().into()];
            Dinf { dref: Dref { entries } }.encode(out)?;
            boxed(out, b"stbl", |out| {
                boxed(out, b"stsd", |out| {
                    out.put_u32(0);
                    out.put_u32(1);
                    sample_entry(out)
                })?;
                Stts::default().encode(out)?;
                Stsc::default().encode(out)?;
                Stsz::default().encode(out)?;
                Ok(Stco::default().encode(out)?)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cmaf::inspect::{self, SampleEntry},
        media::{aac::tests::RECORD_OBS, h264::tests::RECORD_720P30, hevc::tests::RECORD_HDR10, vp9},
    };

    #[test]
    fn a_video_init_segment_reads_back() {
        let record = Bytes::from_static(RECORD_720P30);
        let body = video(&VideoConfig::parse(Codec::H264, &record).unwrap()).unwrap();
        let init = inspect::read_init(&body).unwrap();
        assert_eq!((init.track_id, init.timescale), (VIDEO_TRACK_ID, VIDEO_TIMESCALE));
        assert_eq!(
            init.entry,
            SampleEntry::Video {
                kind: *b"avc1",
                width: 1280,
                height: 720,
                record,
                colour: None,
            }
        );
    }

    #[test]
    fn an_audio_init_segment_carries_the_configuration_verbatim() {
        let record = Bytes::from_static(RECORD_OBS);
        let body = audio(&AudioConfig::parse(Codec::Aac, &record).unwrap(), None).unwrap();
        let init = inspect::read_init(&body).unwrap();
        assert_eq!((init.track_id, init.timescale), (AUDIO_TRACK_ID, 48_000));
        assert_eq!(
            init.entry,
            SampleEntry::Audio {
                kind: *b"mp4a",
                channels: 2,
                sample_rate: 48_000,
                record
            }
        );
    }

    #[test]
    fn colours_and_light_stand_beside_the_configuration() {
        let config = VideoConfig::parse(Codec::Hevc, &Bytes::from_static(RECORD_HDR10)).unwrap();
        let body = video(&config).unwrap();
        let SampleEntry::Video {
            kind, record, colour, ..
        } = inspect::read_init(&body).unwrap().entry
        else {
            panic!("a picture")
        };
        assert_eq!(
            (kind, record, colour),
            (*b"hvc1", config.record, Some((9, 16, 9, false)))
        );
        let find = |kind: &[u8]| body.windows(kind.len()).position(|window| window == kind).unwrap();
        let (light, display) = (find(b"clli") + 4, find(b"mdcv") + 4);
        assert_eq!(body[light..light + 4], [0x03, 0xe8, 0x01, 0x90]);
        // Green, blue, red, white, and the luminances, as they stand in the SEI message.
        let points = [13_250, 34_500, 7_500, 3_000, 34_000, 16_000, 15_635, 16_450_u16];
        let mut expected: Vec<u8> = points.iter().flat_map(|number| number.to_be_bytes()).collect();
        expected.extend([10_000_000_u32, 1].iter().flat_map(|number| number.to_be_bytes()));
        assert_eq!(body[display..display + 24], expected);
    }

    #[test]
    fn vp9_is_behind_version_and_flags() {
        let record = vp9::KeyFrame::read(vp9::tests::KEY_FRAME).unwrap().record(None);
        let config = VideoConfig::parse(Codec::Vp9, &record).unwrap();
        let SampleEntry::Video { kind, record, .. } = inspect::read_init(&video(&config).unwrap()).unwrap().entry
        else {
            panic!("a picture")
        };
        assert_eq!((kind, record), (*b"vp09", config.record));
    }

    #[test]
    fn a_configuration_on_a_track_of_another_kind_is_refused() {
        let mut config = VideoConfig::parse(Codec::H264, &Bytes::from_static(RECORD_720P30)).unwrap();
        config.codec = Codec::Opus;
        assert!(video(&config).is_err());
    }
}
