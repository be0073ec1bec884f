//! The extended tag headers of Enhanced RTMP v2 ("ExVideoTagHeader", "ExAudioTagHeader"): codec by FourCC, ModEx prefixes, multitrack.
//!
//! Headers only; which codecs can be carried is the demuxer's matter. Of a multitrack the track 0 is taken.

use bytes::Bytes;

/// The sound format that announces an extended audio header.
pub(super) const AUDIO_FORMAT: u8 = 9;

const FRAME_COMMAND: u8 = 5;
const VIDEO_METADATA: u8 = 4;
const VIDEO_MULTITRACK: u8 = 6;
const AUDIO_MULTITRACK: u8 = 5;
const MOD_EX: u8 = 7;

/// The tag ends before its header or a track of it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooShort;

/// What an extended packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PacketKind {
    /// The decoder configuration.
    SequenceStart,
    /// A frame; video of `avc1`, `hvc1` and `vvc1` behind a composition offset.
    CodedFrames,
    /// A video frame with composition offset 0 left out.
    CodedFramesX,
}

/// An extended packet of track 0.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    /// 0 for audio.
    pub(super) frame_type: u8,
    pub(super) kind: PacketKind,
    pub(super) fourcc: [u8; 4],
    pub(super) data: Bytes,
}

/// Reads an extended video tag; `None` when there is nothing of use in it.
pub(super) fn video(body: &Bytes) -> Result<Option<Packet>, TooShort> {
    let mut reader = Reader { rest: body.clone() };
    let first = reader.byte()?;
    let frame_type = (first >> 4) & 0b111;
    let packet_type = reader.skip_mod_ex(first & 0x0f)?;
    // A frame of that type is a command of one byte, but not with metadata: HDR colours come so.
    if frame_type == FRAME_COMMAND && packet_type != VIDEO_METADATA {
        return Ok(None);
    }
    let Some(track) = reader.track(packet_type, VIDEO_MULTITRACK)? else {
        return Ok(None);
    };
    let kind = match track.packet_type {
        0 => PacketKind::SequenceStart,
        1 => PacketKind::CodedFrames,
        3 => PacketKind::CodedFramesX,
        _ => return Ok(None),
    };
    Ok(Some(Packet {
        frame_type,
        kind,
        fourcc: track.fourcc,
        data: track.data,
    }))
}

/// Reads an extended audio tag; `None` when there is nothing of use in it.
pub(super) fn audio(body: &Bytes) -> Result<Option<Packet>, TooShort> {
    let mut reader = Reader { rest: body.clone() };
    let first = reader.byte()?;
    let packet_type = reader.skip_mod_ex(first & 0x0f)?;
    let Some(track) = reader.track(packet_type, AUDIO_MULTITRACK)? else {
        return Ok(None);
    };
    let kind = match track.packet_type {
        0 => PacketKind::SequenceStart,
        1 => PacketKind::CodedFrames,
        _ => return Ok(None),
    };
    Ok(Some(Packet {
        frame_type: 0,
        kind,
        fourcc: track.fourcc,
        data: track.data,
    }))
}

/// A signed 24-bit number, big-endian.
pub(super) fn signed24([high, middle, low]: [u8; 3]) -> i32 {
    i32::from_be_bytes([high, middle, low, 0]) >> 8
}

struct Track {
    packet_type: u8,
    fourcc: [u8; 4],
    data: Bytes,
}

struct Reader {
    rest: Bytes,
}

impl Reader {
    fn take(&mut self, length: usize) -> Result<Bytes, TooShort> {
        if length > self.rest.len() {
            return Err(TooShort);
        }
        Ok(self.rest.split_to(length))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TooShort> {
        let array = *self.rest.first_chunk().ok_or(TooShort)?;
        self.take(N)?;
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8, TooShort> {
        self.array().map(|[byte]| byte)
    }

    /// Reads over ModEx prefixes (nanosecond offsets and types to come) to the packet type. Each takes at least three bytes.
    fn skip_mod_ex(&mut self, mut packet_type: u8) -> Result<u8, TooShort> {
        while packet_type == MOD_EX {
            let mut size = usize::from(self.byte()?) + 1;
            if size == 256 {
                size = usize::from(u16::from_be_bytes(self.array()?)) + 1;
            }
            self.take(size)?;
            packet_type = self.byte()? & 0x0f;
        }
        Ok(packet_type)
    }

    /// Finds track 0; `None` when it is not among the tracks, or they stand in an order of the future.
    fn track(mut self, packet_type: u8, multitrack: u8) -> Result<Option<Track>, TooShort> {
        if packet_type != multitrack {
            return Ok(Some(Track {
                packet_type,
                fourcc: self.array()?,
                data: self.rest,
            }));
        }
        let layout = self.byte()?;
        let packet_type = layout & 0x0f;
        let (one_track, own_codecs) = match layout >> 4 {
            0 => (true, false),
            1 => (false, false),
            2 => (false, true),
            _ => return Ok(None),
        };
        let mut fourcc = if own_codecs { [0; 4] } else { self.array()? };
        while !self.rest.is_empty() {
            if own_codecs {
                fourcc = self.array()?;
            }
            let track_id = self.byte()?;
            let size = if one_track {
                self.rest.len()
            } else {
                let [high, middle, low] = self.array()?;
                u32::from_be_bytes([0, high, middle, low]) as usize
            };
            let data = self.take(size)?;
            if track_id == 0 {
                return Ok(Some(Track {
                    packet_type,
                    fourcc,
                    data,
                }));
            }
        }
        Ok(None)
    }
}
