//! FLV tags to configurations and access units (FLV 10.1 annex E, Enhanced RTMP v2).
//!
//! Reads headers, not the coded media: a key frame is what its header calls one, timestamps stay the publisher's. Payloads are slices
//! of the message they came in. H.264 and AAC only; anything else is reported once and dropped.

use bytes::Bytes;

use super::{
    enhanced::{self, Packet, PacketKind},
    metadata,
    tag::{Tag, TagKind},
};
use crate::media::access_unit::{AccessUnit, Codec, MediaMessage, TrackId, TrackKind};

/// Shortest `AVCDecoderConfigurationRecord`: the fixed fields and two counts of zero, bytes.
const MIN_AVC_RECORD: usize = 7;
/// Shortest `AudioSpecificConfig`, bytes.
const MIN_ASC: usize = 2;
const FRAME_KEY: u8 = 1;
/// The frame type of server commands, which carry no picture.
const FRAME_COMMAND: u8 = 5;
const CODEC_AVC: u8 = 7;
const FORMAT_AAC: u8 = 10;

/// What a tag turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Demuxed {
    Media(MediaMessage),
    /// A codec that cannot be carried; told at its track's first tag of that kind only.
    Unsupported(Unsupported),
}

/// A codec that cannot be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported {
    pub track: TrackKind,
    pub codec: CodecName,
}

/// How the publisher names a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodecName {
    /// The codec id (video) or sound format (audio) of a legacy header.
    Legacy(u8),
    /// The code of an Enhanced RTMP header; any bytes.
    FourCc([u8; 4]),
}

impl std::fmt::Display for CodecName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Legacy(id) => write!(f, "FLV codec {id}"),
            Self::FourCc(code) => write!(f, "{}", code.escape_ascii()),
        }
    }
}

/// Why a tag is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlvError {
    /// The tag is shorter than its header says.
    #[error("an FLV {0:?} tag is too short")]
    Truncated(TrackKind),
    /// H.264 with NAL unit lengths that are not four bytes long: no frame of the stream can be used.
    #[error("H.264 with NAL unit lengths of {0} bytes; only 4 are supported")]
    NalLength(u8),
}

impl FlvError {
    /// Nothing of the track that follows can be used either.
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::NalLength(_))
    }
}

/// The demuxer of one publication.
#[derive(Debug, Default)]
pub struct Demuxer {
    told_video: bool,
    told_audio: bool,
}

impl Demuxer {
    /// A demuxer for a new publication.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a tag. `None`: it says nothing of use (end of sequence, silence, unknown packet types, other tracks of a multitrack).
    ///
    /// # Errors
    /// The tag cannot be read. The next one may be, unless [`FlvError::is_fatal`].
    pub fn push(&mut self, tag: &Tag) -> Result<Option<Demuxed>, FlvError> {
        let message = match tag.kind {
            TagKind::Script => metadata::parse(&tag.body).map(|found| Demuxed::Media(MediaMessage::Metadata(found))),
            TagKind::Video => video(tag)?,
            TagKind::Audio => audio(tag)?,
        };
        if let Some(Demuxed::Unsupported(unsupported)) = message {
            let told = match unsupported.track {
                TrackKind::Video => &mut self.told_video,
                TrackKind::Audio => &mut self.told_audio,
            };
            if std::mem::replace(told, true) {
                return Ok(None);
            }
        }
        Ok(message)
    }
}

fn video(tag: &Tag) -> Result<Option<Demuxed>, FlvError> {
    const SHORT: FlvError = FlvError::Truncated(TrackKind::Video);
    let body = &tag.body;
    // An empty message is no picture; some encoders send one when they pause.
    let Some(&first) = body.first() else { return Ok(None) };
    if first & 0x80 != 0 {
        let Some(packet) = enhanced::video(body).map_err(|_| SHORT)? else {
            return Ok(None);
        };
        if &packet.fourcc != b"avc1" {
            return Ok(Some(unsupported(TrackKind::Video, CodecName::FourCc(packet.fourcc))));
        }
        return enhanced_video(tag.timestamp_ms, &packet);
    }
    let (frame_type, codec) = (first >> 4, first & 0x0f);
    if frame_type == FRAME_COMMAND {
        return Ok(None);
    }
    if codec != CODEC_AVC {
        return Ok(Some(unsupported(TrackKind::Video, CodecName::Legacy(codec))));
    }
    let &[_, packet_type, c0, c1, c2] = body.first_chunk().ok_or(SHORT)?;
    let data = body.slice(5..);
    match packet_type {
        0 => avc_config(data).map(Some),
        1 => {
            let composition_ms = enhanced::signed24([c0, c1, c2]);
            Ok(access_unit(
                TrackKind::Video,
                tag.timestamp_ms,
                composition_ms,
                frame_type == FRAME_KEY,
                data,
            ))
        }
        _ => Ok(None),
    }
}

fn enhanced_video(timestamp_ms: u32, packet: &Packet) -> Result<Option<Demuxed>, FlvError> {
    let (composition_ms, data) = match packet.kind {
        PacketKind::SequenceStart => return avc_config(packet.data.clone()).map(Some),
        PacketKind::CodedFrames => {
            let offset = packet.data.first_chunk().ok_or(FlvError::Truncated(TrackKind::Video))?;
            (enhanced::signed24(*offset), packet.data.slice(3..))
        }
        PacketKind::CodedFramesX => (0, packet.data.clone()),
    };
    Ok(access_unit(
        TrackKind::Video,
        timestamp_ms,
        composition_ms,
        packet.frame_type == FRAME_KEY,
        data,
    ))
}

fn audio(tag: &Tag) -> Result<Option<Demuxed>, FlvError> {
    const SHORT: FlvError = FlvError::Truncated(TrackKind::Audio);
    let body = &tag.body;
    // An empty message means silence (Enhanced RTMP v2).
    let Some(&first) = body.first() else { return Ok(None) };
    let format = first >> 4;
    if format == enhanced::AUDIO_FORMAT {
        let Some(packet) = enhanced::audio(body).map_err(|_| SHORT)? else {
            return Ok(None);
        };
        if &packet.fourcc != b"mp4a" {
            return Ok(Some(unsupported(TrackKind::Audio, CodecName::FourCc(packet.fourcc))));
        }
        return match packet.kind {
            PacketKind::SequenceStart => aac_config(packet.data).map(Some),
            PacketKind::CodedFrames => Ok(access_unit(TrackKind::Audio, tag.timestamp_ms, 0, true, packet.data)),
            PacketKind::CodedFramesX => Ok(None),
        };
    }
    if format != FORMAT_AAC {
        return Ok(Some(unsupported(TrackKind::Audio, CodecName::Legacy(format))));
    }
    let packet_type = *body.get(1).ok_or(SHORT)?;
    let data = body.slice(2..);
    match packet_type {
        0 => aac_config(data).map(Some),
        1 => Ok(access_unit(TrackKind::Audio, tag.timestamp_ms, 0, true, data)),
        _ => Ok(None),
    }
}

fn avc_config(record: Bytes) -> Result<Demuxed, FlvError> {
    if record.len() < MIN_AVC_RECORD {
        return Err(FlvError::Truncated(TrackKind::Video));
    }
    match (record[4] & 0b11) + 1 {
        4 => Ok(Demuxed::Media(MediaMessage::Config {
            track: TrackId::VIDEO,
            codec: Codec::H264,
            record,
        })),
        length => Err(FlvError::NalLength(length)),
    }
}

fn aac_config(record: Bytes) -> Result<Demuxed, FlvError> {
    if record.len() < MIN_ASC {
        return Err(FlvError::Truncated(TrackKind::Audio));
    }
    Ok(Demuxed::Media(MediaMessage::Config {
        track: TrackId::AUDIO,
        codec: Codec::Aac,
        record,
    }))
}

fn access_unit(
    track: TrackKind,
    timestamp_ms: u32,
    composition_ms: i32,
    sync: bool,
    payload: Bytes,
) -> Option<Demuxed> {
    if payload.is_empty() {
        return None;
    }
    let unit = AccessUnit {
        track: TrackId { kind: track, index: 0 },
        timestamp_ms,
        composition_ms,
        sync,
        payload,
    };
    Some(Demuxed::Media(MediaMessage::AccessUnit(unit)))
}

fn unsupported(track: TrackKind, codec: CodecName) -> Demuxed {
    Demuxed::Unsupported(Unsupported { track, codec })
}

#[cfg(test)]
mod tests;
