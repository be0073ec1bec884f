use mp4_atom::{Encode as _, Mfhd, Moof, Tfdt, Tfhd, Traf, Trun, TrunEntry, TrunSamples};
use proptest::prelude::*;

use super::*;
use crate::cmaf::inspect;

/// The same fragment by the box library.
fn oracle(track: FragmentTrack, sequence_number: u32, base: u64, samples: &[FragmentSample]) -> Vec<u8> {
    let layout = Layout::of(track, samples);
    let entries = samples.iter().map(|s| TrunEntry {
        duration: layout.has(SAMPLE_DURATION).then_some(s.duration),
        size: Some(s.payload.len() as u32),
        flags: layout.has(SAMPLE_FLAGS).then_some(if s.sync {
            SYNC_SAMPLE_FLAGS
        } else {
            NON_SYNC_SAMPLE_FLAGS
        }),
        cts: layout
            .has(SAMPLE_COMPOSITION_OFFSET)
            .then_some(s.composition_offset.into()),
    });
    let tfhd = match track {
        FragmentTrack::Video => Tfhd {
            track_id: VIDEO_TRACK_ID,
            default_base_is_moof: true,
            ..Tfhd::default()
        },
        FragmentTrack::Audio { frame_duration } => Tfhd {
            track_id: AUDIO_TRACK_ID,
            default_base_is_moof: true,
            default_sample_duration: Some(frame_duration),
            default_sample_flags: Some(SYNC_SAMPLE_FLAGS),
            ..Tfhd::default()
        },
    };
    let run = TrunSamples::Explicit(entries.collect());
    let moof = |data_offset| Moof {
        mfhd: Mfhd { sequence_number },
        traf: vec![Traf {
            tfhd: tfhd.clone(),
            tfdt: Some(Tfdt {
                base_media_decode_time: base,
            }),
            trun: vec![Trun {
                data_offset: Some(data_offset),
                samples: run.clone(),
            }],
            ..Traf::default()
        }],
    };
    let mut sized = Vec::new();
    moof(0).encode(&mut sized).unwrap();
    let mut out = Vec::new();
    moof(sized.len() as i32 + 8).encode(&mut out).unwrap();
    let payload: Vec<u8> = samples.iter().flat_map(|s| s.payload.to_vec()).collect();
    out.extend_from_slice(&(payload.len() as u32 + 8).to_be_bytes());
    out.extend_from_slice(b"mdat");
    out.extend_from_slice(&payload);
    out
}

fn samples() -> impl Strategy<Value = Vec<FragmentSample>> {
    let sample = (
        1..200_000_u32,
        prop_oneof![Just(0), -90_000..90_000_i32],
        any::<bool>(),
        0..40_usize,
        any::<u8>(),
    );
    // Two at least: the library writes one sample's flags as `first_sample_flags`, of the same meaning in other bytes.
    proptest::collection::vec(sample, 2..40).prop_map(|samples| {
        samples
            .into_iter()
            .map(|(duration, composition_offset, sync, length, byte)| FragmentSample {
                duration,
                composition_offset,
                sync,
                payload: vec![byte; length].into(),
            })
            .collect()
    })
}

fn track() -> impl Strategy<Value = FragmentTrack> {
    prop_oneof![
        Just(FragmentTrack::Video),
        Just(FragmentTrack::Audio { frame_duration: 1024 })
    ]
}

fn regular(track: FragmentTrack, mut samples: Vec<FragmentSample>, make_regular: bool) -> Vec<FragmentSample> {
    if let FragmentTrack::Audio { frame_duration } = track {
        for sample in &mut samples {
            sample.composition_offset = 0;
            sample.sync = true;
            if make_regular {
                sample.duration = frame_duration;
            }
        }
    }
    samples
}

proptest! {
    #[test]
    fn the_box_library_writes_the_same_bytes(
        track in track(), samples in samples(), sequence: u32, base: u64, make_regular: bool,
    ) {
        let samples = regular(track, samples, make_regular);
        let ours = write(track, sequence, base, &samples).unwrap();
        prop_assert_eq!(ours.as_ref(), oracle(track, sequence, base, &samples));
    }

    #[test]
    fn a_fragment_reads_back(track in track(), samples in samples(), base in 0..u64::MAX / 2, make_regular: bool) {
        let samples = regular(track, samples, make_regular);
        let read = inspect::read_fragments(&write(track, 7, base, &samples).unwrap()).unwrap();
        prop_assert_eq!(read.len(), 1);
        let mut dts = base;
        prop_assert_eq!(read[0].samples.len(), samples.len());
        for (read, written) in read[0].samples.iter().zip(&samples) {
            prop_assert_eq!(read.dts, dts);
            prop_assert_eq!(read.duration, written.duration);
            prop_assert_eq!(read.composition_offset, written.composition_offset);
            prop_assert_eq!(read.is_sync(), written.sync);
            prop_assert_eq!(&read.payload, &written.payload);
            dts += u64::from(written.duration);
        }
    }
}

#[test]
fn a_video_fragment_without_b_frames_has_no_composition_offsets() {
    let sample = FragmentSample {
        duration: 3000,
        composition_offset: 0,
        sync: true,
        payload: Bytes::from_static(b"abcd"),
    };
    let body = write(FragmentTrack::Video, 1, 900_000, &[sample]).unwrap();
    let trun = body.windows(4).position(|w| w == b"trun").unwrap();
    assert_eq!(body[trun + 4..trun + 8], 0x0100_0701_u32.to_be_bytes());
}

#[test]
fn nothing_and_too_much_are_refused() {
    assert_eq!(write(FragmentTrack::Video, 1, 0, &[]), Err(FragmentError::Empty));
    let huge = FragmentSample {
        duration: 1,
        composition_offset: 0,
        sync: true,
        payload: vec![0; MAX_FRAGMENT_BYTES].into(),
    };
    assert!(matches!(
        write(FragmentTrack::Video, 1, 0, &[huge]),
        Err(FragmentError::TooLong(_))
    ));
}
