//! Writes one video track as a live Matroska stream (RFC 9559): the shape in which ffmpeg of any version takes every codec that is carried,
//! with times in milliseconds. FLV would not do: ffmpeg before 6.1 reads nothing but H.264 from it.
//!
//! Blocks carry presentation times only, which is all a decoder needs. Nothing is ever sought, so there is no index, and sizes that are not
//! known beforehand are said to be unknown.

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::media::access_unit::{Codec, TrackKind};

/// Element ids (RFC 8794 section 17.1, RFC 9559 section 27.1), with their length markers.
const EBML: &[u8] = &[0x1a, 0x45, 0xdf, 0xa3];
const DOC_TYPE: &[u8] = &[0x42, 0x82];
const DOC_TYPE_VERSION: &[u8] = &[0x42, 0x87];
const DOC_TYPE_READ_VERSION: &[u8] = &[0x42, 0x85];
const SEGMENT: &[u8] = &[0x18, 0x53, 0x80, 0x67];
const INFO: &[u8] = &[0x15, 0x49, 0xa9, 0x66];
const TIMESTAMP_SCALE: &[u8] = &[0x2a, 0xd7, 0xb1];
const MUXING_APP: &[u8] = &[0x4d, 0x80];
const WRITING_APP: &[u8] = &[0x57, 0x41];
const TRACKS: &[u8] = &[0x16, 0x54, 0xae, 0x6b];
const TRACK_ENTRY: &[u8] = &[0xae];
const TRACK_NUMBER: &[u8] = &[0xd7];
const TRACK_UID: &[u8] = &[0x73, 0xc5];
const TRACK_TYPE: &[u8] = &[0x83];
const FLAG_LACING: &[u8] = &[0x9c];
const DEFAULT_DURATION: &[u8] = &[0x23, 0xe3, 0x83];
const CODEC_ID: &[u8] = &[0x86];
const CODEC_PRIVATE: &[u8] = &[0x63, 0xa2];
const VIDEO: &[u8] = &[0xe0];
const PIXEL_WIDTH: &[u8] = &[0xb0];
const PIXEL_HEIGHT: &[u8] = &[0xba];
const CLUSTER: &[u8] = &[0x1f, 0x43, 0xb6, 0x75];
const TIMESTAMP: &[u8] = &[0xe7];
const SIMPLE_BLOCK: &[u8] = &[0xa3];

const UNKNOWN_SIZE: u64 = 0x01ff_ffff_ffff_ffff;
/// Marks a size of eight bytes.
const SIZE_MARKER: u64 = 1 << 56;

/// Nanoseconds in a tick: times are milliseconds.
const MILLISECOND: u64 = 1_000_000;
const TRACK: u8 = 1;
const TYPE_VIDEO: u64 = 1;
const KEYFRAME: u8 = 0x80;

/// A cluster's blocks say 16 bits of time; this leaves room for pictures that are shown before the cluster's first one.
const CLUSTER_MS: i64 = 20_000;

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub codec: Codec,
    /// As in [`Codec`].
    pub record: Bytes,
    pub width: u16,
    pub height: u16,
    pub frame_rate_millihertz: u32,
}

/// The codec is no picture's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no codec of pictures")]
pub struct NoPicture(pub Codec);

/// One stream, from its first byte.
#[derive(Debug, Default)]
pub struct Writer {
    cluster_ms: Option<i64>,
}

impl Writer {
    /// A stream, and what it begins with.
    ///
    /// # Errors
    /// The codec is one of sound.
    pub fn new(picture: &Picture) -> Result<(Self, Bytes), NoPicture> {
        let codec: &[u8] = match picture.codec {
            Codec::H264 => b"V_MPEG4/ISO/AVC",
            Codec::Hevc => b"V_MPEGH/ISO/HEVC",
            Codec::Av1 => b"V_AV1",
            Codec::Vp9 => b"V_VP9",
            codec => {
                debug_assert_eq!(
                    codec.kind(),
                    TrackKind::Audio,
                    "every codec of pictures has a name here"
                );
                return Err(NoPicture(codec));
            }
        };
        let mut ebml = BytesMut::new();
        binary(&mut ebml, DOC_TYPE, b"matroska");
        unsigned(&mut ebml, DOC_TYPE_VERSION, 4);
        unsigned(&mut ebml, DOC_TYPE_READ_VERSION, 2);
        let mut info = BytesMut::new();
        unsigned(&mut info, TIMESTAMP_SCALE, MILLISECOND);
        binary(&mut info, MUXING_APP, b"StreamCircle");
        binary(&mut info, WRITING_APP, b"StreamCircle");
        let mut video = BytesMut::new();
        unsigned(&mut video, PIXEL_WIDTH, picture.width.into());
        unsigned(&mut video, PIXEL_HEIGHT, picture.height.into());
        let mut track = BytesMut::new();
        unsigned(&mut track, TRACK_NUMBER, TRACK.into());
        unsigned(&mut track, TRACK_UID, TRACK.into());
        unsigned(&mut track, TRACK_TYPE, TYPE_VIDEO);
        unsigned(&mut track, FLAG_LACING, 0);
        if let Some(duration) = (1000 * 1000 * MILLISECOND).checked_div(picture.frame_rate_millihertz.into()) {
            unsigned(&mut track, DEFAULT_DURATION, duration);
        }
        binary(&mut track, CODEC_ID, codec);
        // Matroska's record for VP9 is another one, and optional.
        if picture.codec != Codec::Vp9 {
            binary(&mut track, CODEC_PRIVATE, &picture.record);
        }
        binary(&mut track, VIDEO, &video);
        let mut tracks = BytesMut::new();
        binary(&mut tracks, TRACK_ENTRY, &track);

        let mut out = BytesMut::new();
        binary(&mut out, EBML, &ebml);
        out.put_slice(SEGMENT);
        out.put_u64(UNKNOWN_SIZE);
        binary(&mut out, INFO, &info);
        binary(&mut out, TRACKS, &tracks);
        Ok((Self::default(), out.freeze()))
    }

    /// The bytes of a frame that is shown at `at_ms`, without its payload, which follows them. Frames come in decode order; times below
    /// zero are written as zero.
    pub fn frame(&mut self, at_ms: i64, sync: bool, payload_len: usize) -> Bytes {
        let at_ms = at_ms.max(0);
        let mut out = BytesMut::with_capacity(64);
        let cluster_ms = match self.cluster_ms {
            Some(cluster_ms) if (-CLUSTER_MS..CLUSTER_MS).contains(&(at_ms - cluster_ms)) => cluster_ms,
            _ => {
                out.put_slice(CLUSTER);
                out.put_u64(UNKNOWN_SIZE);
                unsigned(&mut out, TIMESTAMP, at_ms.unsigned_abs());
                *self.cluster_ms.insert(at_ms)
            }
        };
        let relative = i16::try_from(at_ms - cluster_ms).expect("CLUSTER_MS fits into 16 bits");
        out.put_slice(SIMPLE_BLOCK);
        out.put_u64(SIZE_MARKER | (payload_len as u64 + 4));
        out.put_u8(0x80 | TRACK);
        out.put_i16(relative);
        out.put_u8(if sync { KEYFRAME } else { 0 });
        out.freeze()
    }
}

fn unsigned(out: &mut BytesMut, id: &[u8], value: u64) {
    binary(out, id, &value.to_be_bytes());
}

fn binary(out: &mut BytesMut, id: &[u8], body: &[u8]) {
    out.put_slice(id);
    out.put_u64(SIZE_MARKER | body.len() as u64);
    out.put_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(codec: Codec) -> Picture {
        Picture {
            codec,
            record: Bytes::from_static(b"record"),
            width: 640,
            height: 360,
            frame_rate_millihertz: 30_000,
        }
    }

    fn has(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn a_stream_says_how_it_is_decoded() {
        let (_, head) = Writer::new(&picture(Codec::Hevc)).unwrap();
        assert!(has(&head, b"V_MPEGH/ISO/HEVC") && has(&head, b"record"));
        assert!(has(&head, &33_333_333u64.to_be_bytes()));
        let (_, head) = Writer::new(&picture(Codec::Vp9)).unwrap();
        assert!(has(&head, b"V_VP9") && !has(&head, b"record"));
        assert_eq!(
            Writer::new(&picture(Codec::Aac)).map(|_| ()),
            Err(NoPicture(Codec::Aac))
        );
    }

    #[test]
    fn times_far_from_their_cluster_begin_another_one() {
        let (mut writer, _) = Writer::new(&picture(Codec::H264)).unwrap();
        let tail = |bytes: &Bytes| bytes[bytes.len() - 13..].to_vec();
        let first = writer.frame(100_000, true, 5);
        assert!(first.starts_with(CLUSTER) && has(&first, &100_000u64.to_be_bytes()));
        assert_eq!(tail(&first), [0xa3, 1, 0, 0, 0, 0, 0, 0, 9, 0x81, 0, 0, 0x80]);
        // Shown before the one that was decoded first.
        let second = writer.frame(99_967, false, 5);
        assert_eq!(second[..], [0xa3, 1, 0, 0, 0, 0, 0, 0, 9, 0x81, 0xff, 0xdf, 0]);
        assert!(!writer.frame(119_999, true, 5).starts_with(CLUSTER));
        assert!(writer.frame(120_000, false, 5).starts_with(CLUSTER));
        assert!(writer.frame(-5, false, 5).starts_with(CLUSTER));
    }
}
