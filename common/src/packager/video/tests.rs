use proptest::prelude::*;

use super::*;
use crate::packager::gop::tests::measured;

/// Of a part target of 333 ms and a target duration of 2 s, the longest GOP 2 s.
fn cutter() -> VideoCutter {
    VideoCutter::new(&Plan::new(333, Some(measured(25, 50).pace()), &[]), 2000 * TICKS_PER_MS)
}

fn push(cutter: &mut VideoCutter, ms: u64, sync: bool) -> Pushed {
    let payload = Bytes::copy_from_slice(&ms.to_be_bytes());
    cutter.push(VideoSample {
        dts: ms * TICKS_PER_MS,
        composition_offset: 0,
        sync,
        payload,
    })
}

/// Lengths in milliseconds, and whether the part is the last one.
fn parts(cutter: &mut VideoCutter) -> Vec<(u64, bool)> {
    std::iter::from_fn(|| cutter.next_part())
        .map(|part| (part.duration() / TICKS_PER_MS, part.last))
        .collect()
}

#[test]
fn a_key_frame_early_in_a_segment_does_not_end_it() {
    let mut cutter = VideoCutter {
        longest_gop: 500 * TICKS_PER_MS,
        ..cutter()
    };
    assert_eq!(push(&mut cutter, 0, true), Pushed::StartsSegment);
    for key in [500, 1000, 1500] {
        assert_eq!(push(&mut cutter, key, true), Pushed::Inside);
    }
    assert_eq!(push(&mut cutter, 2000, true), Pushed::StartsSegment);
}

#[test]
fn a_scene_cut_ends_a_segment_when_the_next_key_frame_might_come_too_late() {
    let mut cutter = cutter();
    push(&mut cutter, 0, true);
    assert_eq!(push(&mut cutter, 400, true), Pushed::Inside);
    assert_eq!(push(&mut cutter, 1200, true), Pushed::StartsSegment);
}

#[test]
fn a_frame_longer_than_a_part_is_a_part_of_its_own() {
    let mut cutter = cutter();
    for ms in [0, 40, 80, 1400, 1440, 1480] {
        push(&mut cutter, ms, ms == 0);
    }
    assert_eq!(parts(&mut cutter), [(80, false), (1320, false)]);
}

#[test]
fn a_segment_without_key_frame_is_closed_within_its_limit() {
    let mut cutter = cutter();
    let mut ms = 0;
    while push(&mut cutter, ms, ms == 0) != Pushed::TooLong {
        ms += 40;
    }
    assert_eq!(ms, 2520);
    let mut lengths = parts(&mut cutter);
    lengths.extend(
        cutter
            .close(3600)
            .iter()
            .map(|part| (part.duration() / TICKS_PER_MS, part.last)),
    );
    assert_eq!(lengths.iter().map(|(length, _)| length).sum::<u64>(), 2499);
    assert_eq!(lengths.iter().filter(|(_, last)| *last).count(), 1);
}

#[test]
fn a_step_back_in_time_becomes_one_tick_and_keeps_its_presentation_time() {
    let mut cutter = cutter();
    push(&mut cutter, 100, true);
    push(&mut cutter, 90, false);
    push(&mut cutter, 140, false);
    let samples: Vec<_> = cutter.close(3600).into_iter().flat_map(|part| part.samples).collect();
    assert_eq!(samples[0].duration, 1);
    assert_eq!(samples[1].composition_offset, -(10 * 90 + 1));
}

#[test]
fn a_part_stays_below_the_size_of_a_fragment() {
    let mut cutter = cutter();
    let payload = Bytes::from(vec![0; MAX_PART_BYTES / 2]);
    for frame in 0..6 {
        cutter.push(VideoSample {
            dts: frame * 3000,
            composition_offset: 0,
            sync: frame == 0,
            payload: payload.clone(),
        });
    }
    assert_eq!(parts(&mut cutter), [(66, false), (66, false)]);
}

/// Cuts these frames, each with its milliseconds after the one before, as the packager does; parts in each segment.
fn parts_in_segments(frames: impl IntoIterator<Item = (u64, bool, Bytes)>) -> Vec<usize> {
    let mut cutter = cutter();
    let mut segments = vec![0];
    let mut count = |part: CutPart| {
        assert!(part.samples.iter().map(|sample| sample.payload.len()).sum::<usize>() <= MAX_PART_BYTES);
        *segments.last_mut().unwrap() += 1;
        if part.last {
            segments.push(0);
        }
    };
    let mut at = 0;
    for (step, sync, payload) in frames {
        at += step * TICKS_PER_MS;
        let sample = VideoSample {
            dts: at,
            composition_offset: 0,
            sync: sync || cutter.is_closed(),
            payload,
        };
        if cutter.push(sample.clone()) == Pushed::TooLong {
            cutter.close(3000).into_iter().for_each(&mut count);
            cutter.push(VideoSample { sync: true, ..sample });
        }
        std::iter::from_fn(|| cutter.next_part()).for_each(&mut count);
    }
    cutter.close(3000).into_iter().for_each(&mut count);
    segments
}

#[test]
fn pictures_of_one_time_that_fill_a_part_each_end_their_segment_before_it_has_too_many() {
    let payload = Bytes::from(vec![0; MAX_PART_BYTES / 2 + 1]);
    let frames = (0..1200).map(|frame| (0, frame % 2 == 0, payload.clone()));
    let segments = parts_in_segments(frames);
    assert_eq!(segments.iter().sum::<usize>(), 1200);
    assert!(
        segments.iter().all(|&parts| parts <= MAX_PARTS_PER_SEGMENT),
        "{segments:?}"
    );
}

proptest! {
    #[test]
    fn no_segment_has_more_parts_than_a_window_takes(
        frames in prop::collection::vec((0..500_usize, prop::bool::weighted(0.05), 0..4_u64), 0..3000),
    ) {
        let large = Bytes::from(vec![0; MAX_PART_BYTES]);
        let frames = frames
            .into_iter()
            .map(|(kilobytes, sync, step)| (step * 10, sync, large.slice(..((kilobytes * 64) << 10).min(MAX_PART_BYTES))));
        let segments = parts_in_segments(frames);
        prop_assert!(segments.iter().all(|&parts| parts <= MAX_PARTS_PER_SEGMENT), "{:?}", segments);
    }
}
