//! The extended tag headers of Enhanced RTMP v2 ("ExVideoTagHeader", "ExAudioTagHeader"): codec by FourCC, ModEx prefixes, multitrack.
//!
//! Headers only; which codecs and tracks can be carried is the demuxer's matter.

use bytes::Bytes;

/// The sound format that announces an extended audio header.
pub(super) const AUDIO_FORMAT: u8 = 9;

/// Most tracks of one tag looked at.
const MAX_TRACKS: usize = 16;

const FRAME_COMMAND: u8 = 5;
const VIDEO_METADATA: u8 = 4;
const VIDEO_MULTITRACK: u8 = 6;
const AUDIO_MULTITRACK: u8 = 5;
const MOD_EX: u8 = 7;

/// Codecs whose frames stand behind a composition offset.
const REORDERED: [&[u8; 4]; 3] = [b"avc1", b"hvc1", b"vvc1"];

/// The tag ends before its header or a track of it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooShort;

/// What an extended packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PacketKind {
    /// The decoder configuration.
    SequenceStart,
    /// A frame, its composition offset taken off it.
    Frame { composition_ms: i32 },
    /// AMF0 values about the picture.
    Metadata,
}

/// An extended packet of one track.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) track_id: u8,
    /// 0 for audio.
    pub(super) frame_type: u8,
    pub(super) kind: PacketKind,
    pub(super) fourcc: [u8; 4],
    pub(super) data: Bytes,
}

/// Reads an extended video tag; packets of no use to us are left out.
pub(super) fn video(body: &Bytes) -> Result<Vec<Packet>, TooShort> {
    let mut reader = Reader { rest: body.clone() };
    let first = reader.byte()?;
    let frame_type = (first >> 4) & 0b111;
    let packet_type = reader.skip_mod_ex(first & 0x0f)?;
    // A frame of that type is a command of one byte, but not with metadata: HDR colours come so.
    if frame_type == FRAME_COMMAND && packet_type != VIDEO_METADATA {
        return Ok(Vec::new());
    }
    let mut packets = Vec::with_capacity(1);
    for track in reader.tracks(packet_type, VIDEO_MULTITRACK)? {
        let mut data = track.data;
        let kind = match track.packet_type {
            0 => PacketKind::SequenceStart,
            1 if REORDERED.contains(&&track.fourcc) => {
                let offset = *data.first_chunk().ok_or(TooShort)?;
                data = data.slice(offset.len()..);
                PacketKind::Frame {
                    composition_ms: signed24(offset),
                }
            }
            // The second kind leaves an offset of 0 out.
            1 | 3 => PacketKind::Frame { composition_ms: 0 },
            VIDEO_METADATA => PacketKind::Metadata,
            _ => continue,
        };
        packets.push(Packet {
            track_id: track.id,
            frame_type,
            kind,
            fourcc: track.fourcc,
            data,
        });
    }
    Ok(packets)
}

/// Reads an extended audio tag; packets of no use to us are left out, layouts of channels among them: decoders know them.
pub(super) fn audio(body: &Bytes) -> Result<Vec<Packet>, TooShort> {
    let mut reader = Reader { rest: body.clone() };
    let first = reader.byte()?;
    let packet_type = reader.skip_mod_ex(first & 0x0f)?;
    let mut packets = Vec::with_capacity(1);
    for track in reader.tracks(packet_type, AUDIO_MULTITRACK)? {
        let kind = match track.packet_type {
            0 => PacketKind::SequenceStart,
            1 => PacketKind::Frame { composition_ms: 0 },
            _ => continue,
        };
        packets.push(Packet {
            track_id: track.id,
            frame_type: 0,
            kind,
            fourcc: track.fourcc,
            data: track.data,
        });
    }
    Ok(packets)
}

/// A signed 24-bit number, big-endian.
pub(super) fn signed24([high, middle, low]: [u8; 3]) -> i32 {
    i32::from_be_bytes([high, middle, low, 0]) >> 8
}

struct Track {
    id: u8,
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

    /// The tracks of the tag; none when they stand in an order of the future.
    fn tracks(mut self, packet_type: u8, multitrack: u8) -> Result<Vec<Track>, TooShort> {
        if packet_type != multitrack {
            return Ok(vec![Track {
                id: 0,
                packet_type,
                fourcc: self.array()?,
                data: self.rest,
            }]);
        }
        let layout = self.byte()?;
        let packet_type = layout & 0x0f;
        let (one_track, own_codecs) = match layout >> 4 {
            0 => (true, false),
            1 => (false, false),
            2 => (false, true),
            _ => return Ok(Vec::new()),
        };
        let mut fourcc = if own_codecs { [0; 4] } else { self.array()? };
        let mut tracks = Vec::new();
        while !self.rest.is_empty() && tracks.len() < MAX_TRACKS {
            if own_codecs {
                fourcc = self.array()?;
            }
            let id = self.byte()?;
            let size = if one_track {
                self.rest.len()
            } else {
                let [high, middle, low] = self.array()?;
                u32::from_be_bytes([0, high, middle, low]) as usize
            };
            tracks.push(Track {
                id,
                packet_type,
                fourcc,
                data: self.take(size)?,
            });
        }
        Ok(tracks)
    }
}
