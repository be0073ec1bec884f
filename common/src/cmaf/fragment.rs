//! Writes fragments: one `moof` and one `mdat` of one track, in a single buffer.
//!
//! By hand and not by the box library, since this is the hot path; a property test holds both to the same bytes.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{AUDIO_TRACK_ID, MAX_FRAGMENT_BYTES, NON_SYNC_SAMPLE_FLAGS, SYNC_SAMPLE_FLAGS, VIDEO_TRACK_ID};

/// `tfhd` and `trun` flags (ISO/IEC 14496-12 sections 8.8.7 and 8.8.8).
const DEFAULT_BASE_IS_MOOF: u32 = 0x02_0000;
const DEFAULT_SAMPLE_DURATION: u32 = 0x00_0008;
const DEFAULT_SAMPLE_FLAGS: u32 = 0x00_0020;
const DATA_OFFSET: u32 = 0x00_0001;
const SAMPLE_DURATION: u32 = 0x00_0100;
const SAMPLE_SIZE: u32 = 0x00_0200;
const SAMPLE_FLAGS: u32 = 0x00_0400;
const SAMPLE_COMPOSITION_OFFSET: u32 = 0x00_0800;

const VERSION_1: u32 = 1 << 24;
const BOX_HEADER: usize = 8;
const FULL_BOX_HEADER: usize = 12;

/// One sample with its place in time, in ticks of its track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FragmentSample {
    pub duration: u32,
    /// Presentation time less decode time.
    pub composition_offset: i32,
    pub sync: bool,
    pub payload: Bytes,
}

/// Which track a fragment is of, and what its samples have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FragmentTrack {
    Video,
    /// Ticks of one frame.
    Audio {
        frame_duration: u32,
    },
}

/// The samples make no fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FragmentError {
    #[error("a fragment without samples")]
    Empty,
    #[error("a fragment of {0} bytes; at most {MAX_FRAGMENT_BYTES} are written")]
    TooLong(usize),
}

/// Writes the fragment of `samples`, the first of which is decoded at `base_decode_time` ticks.
///
/// # Errors
/// When there is no sample, or the fragment would be longer than [`MAX_FRAGMENT_BYTES`].
pub fn write(
    track: FragmentTrack,
    sequence_number: u32,
    base_decode_time: u64,
    samples: &[FragmentSample],
) -> Result<Bytes, FragmentError> {
    if samples.is_empty() {
        return Err(FragmentError::Empty);
    }
    let layout = Layout::of(track, samples);
    let payload: usize = samples.iter().map(|s| s.payload.len()).sum();
    let total = layout.moof() + BOX_HEADER + payload;
    if total > MAX_FRAGMENT_BYTES {
        return Err(FragmentError::TooLong(total));
    }
    let mut out = BytesMut::with_capacity(total);
    open(&mut out, layout.moof(), b"moof");
    open(&mut out, MFHD, b"mfhd");
    out.put_u32(0);
    out.put_u32(sequence_number);
    open(&mut out, layout.traf(), b"traf");
    layout.write_tfhd(&mut out);
    open(&mut out, TFDT, b"tfdt");
    out.put_u32(VERSION_1);
    out.put_u64(base_decode_time);
    layout.write_trun(&mut out, samples);
    open(&mut out, BOX_HEADER + payload, b"mdat");
    for sample in samples {
        out.put_slice(&sample.payload);
    }
    debug_assert_eq!(out.len(), total, "the layout foretells the length");
    Ok(out.freeze())
}

const MFHD: usize = FULL_BOX_HEADER + 4;
const TFDT: usize = FULL_BOX_HEADER + 8;

/// The optional fields of a fragment, and the box lengths that follow from them.
struct Layout {
    track: FragmentTrack,
    run_flags: u32,
    samples: usize,
}

impl Layout {
    fn of(track: FragmentTrack, samples: &[FragmentSample]) -> Self {
        let mut run_flags = DATA_OFFSET | SAMPLE_SIZE;
        match track {
            FragmentTrack::Video => {
                run_flags |= SAMPLE_DURATION | SAMPLE_FLAGS;
                if samples.iter().any(|s| s.composition_offset != 0) {
                    run_flags |= SAMPLE_COMPOSITION_OFFSET;
                }
            }
            FragmentTrack::Audio { frame_duration } => {
                if samples.iter().any(|s| s.duration != frame_duration) {
                    run_flags |= SAMPLE_DURATION;
                }
            }
        }
        Self {
            track,
            run_flags,
            samples: samples.len(),
        }
    }

    fn moof(&self) -> usize {
        BOX_HEADER + MFHD + self.traf()
    }

    fn traf(&self) -> usize {
        BOX_HEADER + self.tfhd() + TFDT + self.trun()
    }

    fn tfhd(&self) -> usize {
        let defaults = match self.track {
            FragmentTrack::Video => 0,
            FragmentTrack::Audio { .. } => 8,
        };
        FULL_BOX_HEADER + 4 + defaults
    }

    fn trun(&self) -> usize {
        let fields = [SAMPLE_DURATION, SAMPLE_SIZE, SAMPLE_FLAGS, SAMPLE_COMPOSITION_OFFSET];
        let a_sample = 4 * fields.iter().filter(|&&field| self.has(field)).count();
        FULL_BOX_HEADER + 8 + a_sample * self.samples
    }

    fn has(&self, field: u32) -> bool {
        self.run_flags & field != 0
    }

    fn write_tfhd(&self, out: &mut BytesMut) {
        open(out, self.tfhd(), b"tfhd");
        match self.track {
            FragmentTrack::Video => {
                out.put_u32(DEFAULT_BASE_IS_MOOF);
                out.put_u32(VIDEO_TRACK_ID);
            }
            FragmentTrack::Audio { frame_duration } => {
                out.put_u32(DEFAULT_BASE_IS_MOOF | DEFAULT_SAMPLE_DURATION | DEFAULT_SAMPLE_FLAGS);
                out.put_u32(AUDIO_TRACK_ID);
                out.put_u32(frame_duration);
                out.put_u32(SYNC_SAMPLE_FLAGS);
            }
        }
    }

    fn write_trun(&self, out: &mut BytesMut, samples: &[FragmentSample]) {
        open(out, self.trun(), b"trun");
        // Version 1: composition offsets are signed.
        out.put_u32(VERSION_1 | self.run_flags);
        put_len(out, self.samples);
        put_len(out, self.moof() + BOX_HEADER);
        for sample in samples {
            if self.has(SAMPLE_DURATION) {
                out.put_u32(sample.duration);
            }
            put_len(out, sample.payload.len());
            if self.has(SAMPLE_FLAGS) {
                out.put_u32(if sample.sync {
                    SYNC_SAMPLE_FLAGS
                } else {
                    NON_SYNC_SAMPLE_FLAGS
                });
            }
            if self.has(SAMPLE_COMPOSITION_OFFSET) {
                out.put_i32(sample.composition_offset);
            }
        }
    }
}

fn open(out: &mut BytesMut, length: usize, kind: &[u8; 4]) {
    put_len(out, length);
    out.put_slice(kind);
}

fn put_len(out: &mut BytesMut, length: usize) {
    out.put_u32(u32::try_from(length).expect("lengths are below MAX_FRAGMENT_BYTES"));
}

#[cfg(test)]
mod tests;
