use super::*;
use crate::{
    media::{aac::tests::RECORD_OBS, access_unit::Codec},
    packager::{gop::tests::measured, part::MAX_SOUND_BYTES},
};

fn config() -> AudioConfig {
    AudioConfig::parse(Codec::Aac, &Bytes::from_static(RECORD_OBS)).unwrap()
}

/// 48 kHz, 15 frames a part, started at 10 s, video's segments at most 2 s.
fn cutter(follows_video: bool) -> AudioCutter {
    let gop = measured(25, 50);
    let plan = Plan::new(333, follows_video.then_some(gop.pace()), &[&config()]);
    let mut cutter = AudioCutter::new(&plan, &config(), follows_video);
    cutter.start(10_000, &config());
    cutter
}

/// Milliseconds of the nth frame, as RTMP would carry it.
fn at(frame: i64) -> i64 {
    10_000 + frame * 1024 / 48
}

fn push(cutter: &mut AudioCutter, frames: std::ops::Range<i64>) {
    for frame in frames {
        cutter.push(at(frame), Bytes::from_static(b"sound"));
    }
}

/// Frames in each part, and whether it is the last one; `None` is a segment end of its own.
fn cuts(cutter: &mut AudioCutter) -> Vec<Option<(usize, bool)>> {
    std::iter::from_fn(|| cutter.next_cut()).map(shape).collect()
}

fn shape(cut: AudioCut) -> Option<(usize, bool)> {
    match cut {
        AudioCut::Part(part) => Some((part.samples.len(), part.last)),
        AudioCut::SegmentEnd => None,
    }
}

const WHOLE: Option<(usize, bool)> = Some((15, false));
const LAST: Option<(usize, bool)> = Some((15, true));

#[test]
fn a_segment_ends_with_the_first_whole_part_after_video() {
    let mut cutter = cutter(true);
    push(&mut cutter, 0..95);
    cutter.boundary(12_000);
    push(&mut cutter, 95..130);
    assert_eq!(
        cuts(&mut cutter),
        [WHOLE, WHOLE, WHOLE, WHOLE, WHOLE, WHOLE, LAST, WHOLE]
    );
}

#[test]
fn a_boundary_that_shows_late_ends_the_segment_by_itself() {
    let mut cutter = cutter(true);
    push(&mut cutter, 0..31);
    assert_eq!(cuts(&mut cutter), [WHOLE, WHOLE]);
    cutter.boundary(10_500);
    assert_eq!(cuts(&mut cutter), [None]);
}

#[test]
fn a_hole_is_filled_with_silence_and_the_count_goes_on() {
    let mut cutter = cutter(true);
    push(&mut cutter, 0..10);
    push(&mut cutter, 20..40);
    assert_eq!(
        cutter.counts,
        AudioCounts {
            silent: 10,
            ..AudioCounts::default()
        }
    );
    assert_eq!(cutter.next, 480_000 + 40 * 1024);
}

#[test]
fn frames_behind_the_count_are_left_out() {
    let mut cutter = cutter(true);
    push(&mut cutter, 0..30);
    push(&mut cutter, 20..35);
    assert_eq!(cutter.counts.late, 9);
}

#[test]
fn frames_before_the_start_are_left_out_and_a_late_first_frame_follows_silence() {
    let mut early = cutter(true);
    push(&mut early, -5..5);
    assert_eq!(early.counts.early, 4, "the last one reaches into the segment");
    let mut late = cutter(true);
    push(&mut late, 12..20);
    assert_eq!(late.counts.silent, 12);
    assert_eq!(late.end(), 480_000);
}

#[test]
fn sound_that_stays_away_is_made_up_for_three_seconds_behind_video() {
    let mut cutter = cutter(true);
    push(&mut cutter, 0..10);
    cutter.keep_up(13_000);
    assert_eq!(cutter.counts.silent, 0);
    cutter.keep_up(14_000);
    assert_eq!(cutter.counts.silent, (1000 * 48 / 1024) - 10);
}

#[test]
fn a_segment_that_video_does_not_end_waits_at_its_limit() {
    let mut cutter = cutter(true);
    push(&mut cutter, 0..200);
    assert_eq!(cuts(&mut cutter).len(), 7);
    let closed: Vec<_> = cutter.close(Some(10_100)).into_iter().map(shape).collect();
    // The rest of 2.499 s is 12 frames; 83 more have no place.
    assert_eq!(closed, [Some((12, false)), None]);
    assert_eq!(cutter.counts.excess, 83);
}

#[test]
fn every_segment_of_video_gets_a_part_when_both_are_closed() {
    let mut cutter = cutter(true);
    push(&mut cutter, 0..10);
    cutter.boundary(12_000);
    cutter.boundary(12_300);
    let closed: Vec<_> = cutter.close(Some(12_400)).into_iter().map(shape).collect();
    assert_eq!(closed.iter().filter(|cut| cut.is_none_or(|(_, last)| last)).count(), 3);
    assert!(cutter.end().abs_diff(12_400 * 48) < 2 * 1024);
}

#[test]
fn sound_alone_paces_itself() {
    let mut cutter = cutter(false);
    push(&mut cutter, 0..100);
    assert_eq!(cuts(&mut cutter), [WHOLE, WHOLE, WHOLE, WHOLE, WHOLE, LAST]);
}

#[test]
fn a_codec_without_silence_is_filled_with_its_first_frame() {
    let mut cutter = cutter(true);
    (cutter.stand_in, cutter.has_silence) = (Bytes::new(), false);
    cutter.keep_up(13_100);
    assert!(!cutter.held.is_empty());
    push(&mut cutter, 10..60);
    let payloads = std::iter::from_fn(|| cutter.next_cut()).filter_map(|cut| match cut {
        AudioCut::Part(part) => Some(part.samples),
        AudioCut::SegmentEnd => None,
    });
    assert!(payloads.flatten().all(|sample| sample.payload == "sound"));
}

#[test]
fn frames_too_large_to_share_a_part_make_shorter_ones() {
    let plan = Plan::new(900, None, &[&config()]);
    let mut cutter = AudioCutter::new(&plan, &config(), false);
    cutter.start(10_000, &config());
    let payload = Bytes::from(vec![0; MAX_SOUND_BYTES]);
    (0..90).for_each(|frame| cutter.push(at(frame), payload.clone()));
    let mut frames = Vec::new();
    let closing = std::iter::from_fn(|| cutter.next_cut()).collect::<Vec<_>>();
    for cut in closing.into_iter().chain(cutter.close(None)) {
        if let AudioCut::Part(part) = cut {
            assert!(part.samples.iter().map(|sample| sample.payload.len()).sum::<usize>() <= MAX_PART_BYTES);
            frames.push(part.samples.len());
        }
    }
    assert_eq!(frames, [30, 30, 30], "and not 42 of them");
}

#[test]
fn a_segment_with_as_many_parts_as_a_window_takes_waits_for_the_picture() {
    let mut cutter = AudioCutter {
        parts_in_segment: MAX_PARTS_PER_SEGMENT as u32,
        ..cutter(true)
    };
    cutter.floor = None;
    cutter.next = 480_000;
    cutter.segment_start = 480_000;
    push(&mut cutter, 0..40);
    assert_eq!(cuts(&mut cutter), []);
    cutter.boundary(10_900);
    assert_eq!(cuts(&mut cutter), [None, WHOLE, WHOLE]);
    cutter.parts_in_segment = MAX_PARTS_PER_SEGMENT as u32;
    let closed: Vec<_> = cutter.close(None).into_iter().map(shape).collect();
    assert_eq!((closed, cutter.counts.excess), (vec![None], 10));
}
