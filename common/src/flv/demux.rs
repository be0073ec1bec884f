//! FLV tags to configurations and access units (FLV 10.1 annex E, Enhanced RTMP v2).
//!
//! Of the coded media only that is read which a configuration takes: headers of key frames and of sounds that have no other place
//! for it. A key frame is what its header calls one, timestamps stay the publisher's. Payloads are slices of the message they came
//! in where they make up most of it: what is kept of a message never costs much more memory than its length says. The work for a message
//! grows with its bytes and no faster. What cannot be carried is reported once for each track and dropped.

use bytes::Bytes;

use super::{
    colour, enhanced, metadata,
    tag::{Tag, TagKind},
};
use crate::media::{
    access_unit::{AccessUnit, Codec, MAX_AUDIO_TRACKS, MediaMessage, TrackId, TrackKind},
    config_error::MAX_RECORD_BYTES,
};

use audio::AudioTrack;
use video::VideoTrack;

mod audio;
mod video;

/// The frame type of server commands, which carry no picture.
const FRAME_COMMAND: u8 = 5;
const FRAME_KEY: u8 = 1;
const CODEC_AVC: u8 = 7;
/// HEVC before Enhanced RTMP had a name for it, as encoders of the time send it.
const CODEC_HEVC: u8 = 12;
const FORMAT_AAC: u8 = 10;

/// Most tracks of a kind that are told to be not carried.
const MAX_TOLD: usize = 8;

/// What a tag turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Demuxed {
    Media(MediaMessage),
    /// Something that cannot be carried; told at its track's first tag of that kind only.
    Unsupported(Unsupported),
}

/// A codec that cannot be carried, or a track too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Any number at all.
    pub track: TrackId,
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
}

/// What one tag leads to, in order.
type Found = Vec<Demuxed>;

/// The demuxer of one publication.
#[derive(Debug, Default)]
pub struct Demuxer {
    video: VideoTrack,
    audio: [AudioTrack; MAX_AUDIO_TRACKS as usize],
    /// Tracks told to be not carried, at most [`MAX_TOLD`] of a kind.
    told: Vec<TrackId>,
}

impl Demuxer {
    /// A demuxer for a new publication.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a tag. Nothing comes of one that says nothing of use (end of sequence, silence, unknown packet types).
    ///
    /// # Errors
    /// The tag cannot be read. The next one may be.
    pub fn push(&mut self, tag: &Tag) -> Result<Vec<Demuxed>, FlvError> {
        let mut found = Found::new();
        let read = match tag.kind {
            TagKind::Script => {
                let metadata = metadata::parse(&tag.body).map(|found| Demuxed::Media(MediaMessage::Metadata(found)));
                found.extend(metadata);
                Ok(())
            }
            TagKind::Video => self.video(tag, &mut found),
            TagKind::Audio => self.audio(tag, &mut found),
        };
        found.iter_mut().for_each(|found| own(found, tag.body.len()));
        match read {
            // What was found before a bad track of several is good.
            Err(error) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    fn video(&mut self, tag: &Tag, found: &mut Found) -> Result<(), FlvError> {
        const SHORT: FlvError = FlvError::Truncated(TrackKind::Video);
        let body = &tag.body;
        // An empty message is no picture; some encoders send one when they pause.
        let Some(&first) = body.first() else { return Ok(()) };
        if first & 0x80 != 0 {
            for packet in enhanced::video(body).map_err(|_| SHORT)? {
                self.video_packet(tag.timestamp_ms, packet, found)?;
            }
            return Ok(());
        }
        let (frame_type, codec_id) = (first >> 4, first & 0x0f);
        if frame_type == FRAME_COMMAND {
            return Ok(());
        }
        let codec = match codec_id {
            CODEC_AVC => Codec::H264,
            CODEC_HEVC => Codec::Hevc,
            other => {
                self.unsupported(TrackId::VIDEO, CodecName::Legacy(other), found);
                return Ok(());
            }
        };
        let &[_, packet_type, c0, c1, c2] = body.first_chunk().ok_or(SHORT)?;
        let data = body.slice(5..);
        match packet_type {
            0 => self.video.configure(codec, data, found),
            1 => {
                let unit = AccessUnit {
                    track: TrackId::VIDEO,
                    timestamp_ms: tag.timestamp_ms,
                    composition_ms: enhanced::signed24([c0, c1, c2]),
                    sync: frame_type == FRAME_KEY,
                    payload: data,
                };
                self.video.frame(codec, unit, found);
            }
            _ => {}
        }
        Ok(())
    }

    fn video_packet(&mut self, timestamp_ms: u32, packet: enhanced::Packet, found: &mut Found) -> Result<(), FlvError> {
        let codec = match &packet.fourcc {
            b"avc1" => Some(Codec::H264),
            b"hvc1" => Some(Codec::Hevc),
            b"av01" => Some(Codec::Av1),
            b"vp09" => Some(Codec::Vp9),
            _ => None,
        };
        let track = TrackId {
            kind: TrackKind::Video,
            index: packet.track_id,
        };
        let Some(codec) = codec.filter(|_| track == TrackId::VIDEO) else {
            self.unsupported(track, CodecName::FourCc(packet.fourcc), found);
            return Ok(());
        };
        match packet.kind {
            enhanced::PacketKind::SequenceStart => self.video.configure(codec, packet.data, found),
            enhanced::PacketKind::Frame { composition_ms } => {
                let unit = AccessUnit {
                    track,
                    timestamp_ms,
                    composition_ms,
                    sync: packet.frame_type == FRAME_KEY,
                    payload: packet.data,
                };
                self.video.frame(codec, unit, found);
            }
            enhanced::PacketKind::Metadata => {
                if let Some(colour) = colour::parse(&packet.data) {
                    self.video.colour(colour, found);
                }
            }
        }
        Ok(())
    }

    fn audio(&mut self, tag: &Tag, found: &mut Found) -> Result<(), FlvError> {
        const SHORT: FlvError = FlvError::Truncated(TrackKind::Audio);
        let body = &tag.body;
        // An empty message means silence (Enhanced RTMP v2).
        let Some(&first) = body.first() else { return Ok(()) };
        let format = first >> 4;
        if format == enhanced::AUDIO_FORMAT {
            for packet in enhanced::audio(body).map_err(|_| SHORT)? {
                self.audio_packet(tag.timestamp_ms, packet, found)?;
            }
            return Ok(());
        }
        if format != FORMAT_AAC {
            self.unsupported(TrackId::AUDIO, CodecName::Legacy(format), found);
            return Ok(());
        }
        let packet_type = *body.get(1).ok_or(SHORT)?;
        let data = body.slice(2..);
        let [audio, ..] = &mut self.audio;
        match packet_type {
            0 => audio.configure(TrackId::AUDIO, Codec::Aac, data, found),
            1 => audio.frame(sound(TrackId::AUDIO, tag.timestamp_ms, data), Codec::Aac, found),
            _ => {}
        }
        Ok(())
    }

    fn audio_packet(&mut self, timestamp_ms: u32, packet: enhanced::Packet, found: &mut Found) -> Result<(), FlvError> {
        let codec = match &packet.fourcc {
            b"mp4a" => Some(Codec::Aac),
            b"Opus" => Some(Codec::Opus),
            b"fLaC" => Some(Codec::Flac),
            b"ac-3" => Some(Codec::Ac3),
            b"ec-3" => Some(Codec::Eac3),
            _ => None,
        };
        let track = TrackId::audio(packet.track_id);
        let state = self.audio.get_mut(usize::from(packet.track_id));
        let Some((codec, state)) = codec.zip(state) else {
            self.unsupported(track, CodecName::FourCc(packet.fourcc), found);
            return Ok(());
        };
        match packet.kind {
            enhanced::PacketKind::SequenceStart => state.configure(track, codec, packet.data, found),
            enhanced::PacketKind::Frame { .. } => state.frame(sound(track, timestamp_ms, packet.data), codec, found),
            enhanced::PacketKind::Metadata => {}
        }
        Ok(())
    }

    fn unsupported(&mut self, track: TrackId, codec: CodecName, found: &mut Found) {
        let of_kind = self.told.iter().filter(|told| told.kind == track.kind).count();
        if of_kind < MAX_TOLD && !self.told.contains(&track) {
            self.told.push(track);
            found.push(Demuxed::Unsupported(Unsupported { track, codec }));
        }
    }
}

fn sound(track: TrackId, timestamp_ms: u32, payload: Bytes) -> AccessUnit {
    AccessUnit {
        track,
        timestamp_ms,
        composition_ms: 0,
        sync: true,
        payload,
    }
}

/// Copies what is less than half of the message that it is a slice of.
fn own(found: &mut Demuxed, message: usize) {
    let bytes = match found {
        Demuxed::Media(MediaMessage::AccessUnit(unit)) => &mut unit.payload,
        Demuxed::Media(MediaMessage::Config { record, .. }) => record,
        _ => return,
    };
    if bytes.len() < message / 2 {
        *bytes = Bytes::copy_from_slice(bytes);
    }
}

/// Of a record that is longer than any, enough to be refused.
fn push_config(track: TrackId, codec: Codec, mut record: Bytes, found: &mut Found) {
    record.truncate(MAX_RECORD_BYTES + 1);
    found.push(Demuxed::Media(MediaMessage::Config { track, codec, record }));
}

fn push_unit(unit: AccessUnit, found: &mut Found) {
    if !unit.payload.is_empty() {
        found.push(Demuxed::Media(MediaMessage::AccessUnit(unit)));
    }
}

#[cfg(test)]
mod tests;
