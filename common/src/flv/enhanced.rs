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

/// Reads an extended video header. Outer `None`: too short; inner `None`: nothing of use.
pub(super) fn video(body: &Bytes) -> Option<Option<Packet>> {
    let first = *body.first()?;
    let frame_type = (first >> 4) & 0b111;
    let (packet_type, rest) = skip_mod_ex(first & 0x0f, body.slice(1..))?;
    // A frame of that type is a command of one byte, but not with metadata: HDR colours come so.
    if frame_type == FRAME_COMMAND && packet_type != VIDEO_METADATA {
        return Some(None);
    }
    let Some((packet_type, fourcc, data)) = track(packet_type, VIDEO_MULTITRACK, rest)? else {
        return Some(None);
    };
    let kind = match packet_type {
        0 => PacketKind::SequenceStart,
        1 => PacketKind::CodedFrames,
        3 => PacketKind::CodedFramesX,
        _ => return Some(None),
    };
    Some(Some(Packet {
        frame_type,
        kind,
        fourcc,
        data,
    }))
}

/// Reads an extended audio header. Outer `None`: too short; inner `None`: nothing of use.
pub(super) fn audio(body: &Bytes) -> Option<Option<Packet>> {
    let first = *body.first()?;
    let (packet_type, rest) = skip_mod_ex(first & 0x0f, body.slice(1..))?;
    let Some((packet_type, fourcc, data)) = track(packet_type, AUDIO_MULTITRACK, rest)? else {
        return Some(None);
    };
    let kind = match packet_type {
        0 => PacketKind::SequenceStart,
        1 => PacketKind::CodedFrames,
        _ => return Some(None),
    };
    Some(Some(Packet {
        frame_type: 0,
        kind,
        fourcc,
        data,
    }))
}

/// Reads over ModEx prefixes (nanosecond offsets and types to come). Each takes at least three bytes, so this ends.
fn skip_mod_ex(mut packet_type: u8, mut rest: Bytes) -> Option<(u8, Bytes)> {
    while packet_type == MOD_EX {
        let mut size = usize::from(*rest.first()?) + 1;
        let mut at = 1;
        if size == 256 {
            size = usize::from(u16::from_be_bytes(*rest.get(1..3)?.first_chunk()?)) + 1;
            at = 3;
        }
        packet_type = rest.get(at + size)? & 0x0f;
        rest = rest.slice(at + size + 1..);
    }
    Some((packet_type, rest))
}

/// Finds the packet type, codec and data of track 0. Outer `None`: too short; inner `None`: no such track.
fn track(packet_type: u8, multitrack: u8, rest: Bytes) -> Option<Option<(u8, [u8; 4], Bytes)>> {
    if packet_type != multitrack {
        let fourcc = *rest.first_chunk()?;
        return Some(Some((packet_type, fourcc, rest.slice(4..))));
    }
    let layout = *rest.first()?;
    let packet_type = layout & 0x0f;
    let mut rest = rest.slice(1..);
    let (one_track, own_codecs) = match layout >> 4 {
        0 => (true, false),
        1 => (false, false),
        2 => (false, true),
        _ => return Some(None),
    };
    let mut fourcc = [0; 4];
    if !own_codecs {
        fourcc = *rest.first_chunk()?;
        rest = rest.slice(4..);
    }
    while !rest.is_empty() {
        if own_codecs {
            fourcc = *rest.first_chunk()?;
            rest = rest.slice(4..);
        }
        let track_id = *rest.first()?;
        rest = rest.slice(1..);
        let size = if one_track {
            rest.len()
        } else {
            let &[high, middle, low] = rest.first_chunk()?;
            rest = rest.slice(3..);
            u32::from_be_bytes([0, high, middle, low]) as usize
        };
        let data = rest.get(..size).map(|_| rest.slice(..size))?;
        if track_id == 0 {
            return Some(Some((packet_type, fourcc, data)));
        }
        rest = rest.slice(size..);
    }
    Some(None)
}

/// A signed 24-bit number, big-endian.
pub(super) fn signed24([high, middle, low]: [u8; 3]) -> i32 {
    i32::from_be_bytes([high, middle, low, 0]) >> 8
}
