//! Pictures that stay while sound goes on, as encoders of screens send them: what was shown is published, and nothing has a hole.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::harness::*;
use crate::{
    cmaf::inspect,
    id::{Epoch, Msn, Rung},
    live::{LiveEvent, Part},
    media::{access_unit::Codec, h264::tests::RECORD_720P30, video_config::VideoConfig},
    packager::{Offer, RungPackager, Tapped},
};

/// Of the picture, milliseconds.
fn published_ms(bench: &Bench) -> u64 {
    let segments = bench.segments(0);
    let newest = segments.iter().flat_map(|segment| &segment.parts).last().unwrap();
    (newest.dts + u64::from(newest.duration)) / 90 - 10_000
}

/// When each picture is shown by the bytes of its part, in ticks; by the number in its payload.
fn shown(bench: &Bench) -> BTreeMap<u64, i64> {
    let epochs = bench.reader.epochs.iter();
    let segments = epochs.flat_map(|epoch| epoch.tracks[0].segments.values());
    let mut shown = BTreeMap::new();
    for part in segments.flat_map(|segment| &segment.parts) {
        for sample in &inspect::read_fragments(&part.body).unwrap()[0].samples {
            let number = u64::from_be_bytes(sample.payload.as_ref().try_into().unwrap());
            let at = i64::try_from(sample.dts).unwrap() + i64::from(sample.composition_offset);
            shown.insert(number, at);
        }
    }
    shown
}

/// One frame of the picture: its decode time, when it is shown, whether it is a key frame.
type Picture = (u32, i32, bool);

/// Sends pictures, and sound that arrives so much sooner than pictures of its time.
fn send(bench: &mut Bench, pictures: &[Picture], lead_ms: impl Fn(u32) -> u32) {
    let begin = bench.now_ms;
    let mut sound = 0_u32;
    for &(at, composition, sync) in pictures {
        while sound * 1024 / 48 <= at + lead_ms(at) {
            bench.now_ms = begin + u64::from(sound * 1024 / 48);
            bench.audio(sound * 1024 / 48);
            sound += 1;
        }
        bench.now_ms = bench.now_ms.max(begin + u64::from(at));
        bench.video(at, composition, sync);
    }
}

/// 30 a second, a key frame every 60th, but for those within the holes.
fn with_holes(ms: u32, holes: &[(u32, u32)]) -> Vec<Picture> {
    let frames = (0..ms * 30 / 1000).map(|frame| (frame * 1000 / 30, 0, frame % 60 == 0));
    frames
        .filter(|(at, ..)| !holes.iter().any(|&(from, until)| (from..until).contains(at)))
        .collect()
}

fn begun(pictures: &[Picture], lead_ms: impl Fn(u32) -> u32) -> Bench {
    let mut bench = Bench::new(333);
    bench.configure_both();
    send(&mut bench, pictures, lead_ms);
    bench
}

/// What each part of the picture holds, in full.
fn bytes(bench: &Bench) -> Vec<bytes::Bytes> {
    let segments = bench.segments(0);
    let parts = segments.iter().flat_map(|segment| &segment.parts);
    parts.map(|part| part.body.clone()).collect()
}

#[test]
fn a_second_without_pictures_is_published_before_the_next_one_comes() {
    let mut pictures = with_holes(6500, &[]);
    let mut bench = begun(&pictures, |_| 0);
    let newest = pictures.last().unwrap().0;
    for sound in 305..345_u32 {
        bench.audio(sound * 1024 / 48);
    }
    let until = published_ms(&bench);
    assert!(
        (450..530).contains(&(until - u64::from(newest))),
        "{until} after {newest}"
    );
    let begin = bench.pushed[0];
    pictures = vec![(7500, 0, false), (7533, 0, false), (7566, 0, true), (7600, 0, false)];
    for &(at, composition, sync) in &pictures {
        bench.video(at, composition, sync);
    }
    bench.end();
    let shown = shown(&bench);
    let numbers = begin + 1..;
    for (number, (at, ..)) in numbers.zip(pictures) {
        assert_eq!(shown[&number], i64::from(at + 10_000) * 90);
    }
    assert_eq!((bench.epochs(), bench.packager.health(bench.now()).breaks), (1, 1));
}

#[test]
fn sound_that_runs_ahead_changes_no_byte_of_the_picture() {
    let pictures = with_holes(12_000, &[]);
    let plain = bytes(&begun(&pictures, |_| 0));
    let ahead = [300, 900].map(|lead| bytes(&begun(&pictures, |_| lead)));
    let by_fits = bytes(&begun(&pictures, |at| at * 7919 % 450));
    for other in [&ahead[0], &ahead[1], &by_fits] {
        assert!(*other == plain);
    }
}

#[test]
fn pictures_that_turn_out_to_be_late_are_shown_when_they_should() {
    // Sound is far ahead at once, without the pictures having stopped.
    let pictures = with_holes(12_000, &[]);
    let mut bench = begun(&pictures, |at| if at < 6000 { 0 } else { 1200 });
    bench.end();
    for (number, at) in shown(&bench) {
        let (sent, ..) = pictures[usize::try_from(number).unwrap() - 1];
        assert_eq!(at, i64::from(sent + 10_000) * 90);
    }
    assert_eq!((bench.epochs(), bench.packager.health(bench.now()).breaks), (1, 1));
}

#[test]
fn a_key_frame_after_a_still_picture_begins_a_segment_that_holds_its_gop() {
    // Key frames at 4 and 6 seconds, one of them after a hole: the GOP is longer by what the hole leaves.
    let mut bench = begun(&with_holes(20_000, &[(3000, 4000), (9000, 10_000)]), |_| 0);
    bench.end();
    assert_eq!(targets(&bench), [2, 3], "once");
    assert_eq!(bench.packager.health(bench.now()).breaks, 2);
}

/// Target durations of its epochs.
fn targets(bench: &Bench) -> Vec<u32> {
    let epochs = bench.reader.epochs.iter();
    epochs.map(|epoch| epoch.description.target_duration_s).collect()
}

#[test]
fn a_room_for_still_pictures_before_key_frames_is_made_once() {
    // The hole of five seconds is a break, after which regular GOPs are as long as each other.
    let holes = [(7600, 10_000), (15_000, 20_000), (33_600, 36_000)];
    let mut bench = begun(&with_holes(44_000, &holes), |_| 0);
    bench.end();
    assert_eq!(targets(&bench), [2, 4]);
}

#[test]
fn a_hole_in_which_a_key_frame_is_missing_lengthens_one_gop_and_not_two() {
    // A GOP of four seconds; two of the four are decoded before the key frame's time, and are its own GOP's.
    let mut bench = begun(&with_holes(20_000, &[(7600, 10_000)]), |_| 0);
    bench.end();
    assert_eq!(targets(&bench), [2, 4]);
}

#[test]
fn a_still_picture_before_a_key_frame_is_none_of_the_next_streams_gops() {
    let mut bench = begun(&with_holes(20_000, &[(7600, 10_000)]), |_| 0).next_stream();
    bench.configure_both();
    send(&mut bench, &with_holes(12_000, &[]), |_| 0);
    bench.end();
    assert_eq!(targets(&bench), [2]);
}

#[test]
fn a_key_frame_after_a_still_picture_within_a_segment_begins_another_one() {
    // Two GOPs of a second make a segment; the hole leaves the one that it begins in no room for the second.
    let mut pictures = with_holes(12_000, &[(6100, 7600)]);
    let keys_from = |at: u32| if at < 7600 { at % 1000 } else { (at - 7600) % 1000 };
    for (at, _, sync) in &mut pictures {
        *sync = keys_from(*at) == 0;
    }
    let mut bench = begun(&pictures, |_| 0);
    bench.end();
    assert_eq!((bench.epochs(), bench.packager.health(bench.now()).breaks), (1, 1));
    assert_eq!(bench.reader.frames[0], bench.pushed[0], "no picture is lost");
}

#[test]
fn five_seconds_without_pictures_are_a_break_as_ever() {
    let mut bench = begun(&with_holes(20_000, &[(7000, 12_000)]), |_| 0);
    bench.end();
    assert_eq!(bench.epochs(), 1);
    assert_eq!(
        bench
            .segments(0)
            .iter()
            .filter(|segment| segment.is_discontinuity())
            .count(),
        1
    );
}

#[test]
fn a_stream_that_ends_within_a_still_picture_is_whole() {
    let mut bench = begun(&with_holes(6500, &[]), |_| 0);
    for sound in 305..360_u32 {
        bench.audio(sound * 1024 / 48);
    }
    bench.end();
    assert!(bench.segments(0).last().unwrap().closed);
}

#[test]
fn without_sound_nobody_tells_and_a_picture_lasts_until_the_next() {
    let mut bench = Bench::new(333);
    bench.configure(Codec::H264, RECORD_720P30);
    for (at, composition, sync) in with_holes(12_000, &[(5000, 6000)]) {
        bench.video(at, composition, sync);
    }
    bench.end();
    let segments = bench.segments(0);
    let longest = segments
        .iter()
        .flat_map(|segment| &segment.parts)
        .map(|part| part.duration / 90)
        .max();
    assert!(longest.unwrap() >= 1000, "{longest:?}");
}

#[test]
fn the_tap_says_of_a_still_picture_what_is_published() {
    let mut bench = begun(&with_holes(4500, &[]), |_| 0);
    bench.packager.set_tap(true);
    let more: Vec<_> = with_holes(12_000, &[(7000, 8000)])
        .into_iter()
        .filter(|(at, ..)| *at >= 4500)
        .collect();
    let mut sound = 212_u32;
    for (at, composition, sync) in more {
        while sound * 1024 / 48 <= at {
            bench.audio(sound * 1024 / 48);
            sound += 1;
        }
        bench.video(at, composition, sync);
    }
    let segments: BTreeMap<_, _> = bench
        .reader
        .epochs
        .iter()
        .flat_map(|epoch| &epoch.tracks[0].segments)
        .collect();
    let mut seen = 0;
    while let Some(tapped) = bench.packager.poll_tapped() {
        if let Tapped::Segment { msn, at_ms, unix, .. } = tapped
            && let Some(segment) = segments.get(&msn)
        {
            assert_eq!(
                (segment.parts[0].dts / 90, segment.parts[0].program_date_time),
                (at_ms.unsigned_abs(), unix)
            );
            seen += 1;
        }
    }
    assert!(seen >= 3);
}

/// Decode times in ticks: of each segment's first picture, and of all pictures by when they are shown.
fn decoded<'a>(parts: impl Iterator<Item = &'a Part>) -> (BTreeMap<Msn, u64>, BTreeMap<i64, u64>) {
    let (mut segments, mut pictures) = (BTreeMap::new(), BTreeMap::new());
    for part in parts {
        segments.entry(part.id.msn).or_insert(part.dts);
        for sample in &inspect::read_fragments(&part.body).unwrap()[0].samples {
            let shown = i64::try_from(sample.dts).unwrap() + i64::from(sample.composition_offset);
            pictures.insert(shown, sample.dts);
        }
    }
    (segments, pictures)
}

/// Sends pictures that are also given to a rung's encoder, which gives each back at once: what is decoded when, in the source and in the rung.
fn with_rung(pictures: &[Picture], lead_ms: impl Fn(u32) -> u32) -> [(BTreeMap<Msn, u64>, BTreeMap<i64, u64>); 2] {
    let mut bench = Bench::new(333);
    bench.packager.set_offer(Offer {
        ladder: vec![Rung::P480],
        ..Offer::default()
    });
    bench.packager.set_tap(true);
    bench.configure_both();
    send(&mut bench, pictures, lead_ms);
    bench.end();
    assert_eq!((bench.epochs(), bench.packager.health(bench.now()).breaks), (1, 1));
    let mut rung = None;
    while let Some(tapped) = bench.packager.poll_tapped() {
        if let Tapped::Start { description, .. } = &tapped {
            rung = RungPackager::new(Epoch(99), Rung::P480, description.clone());
            let config = VideoConfig::parse(Codec::H264, &bytes::Bytes::from_static(RECORD_720P30)).unwrap();
            rung.as_mut().unwrap().configure(config).unwrap();
        }
        let rung = rung.as_mut().unwrap();
        rung.source(&tapped, true);
        if let Tapped::Frame {
            at_ms,
            composition_ms,
            sync,
            payload,
        } = tapped
        {
            rung.made(at_ms + i64::from(composition_ms), sync, payload);
        }
    }
    let events: Vec<_> = std::iter::from_fn(|| rung.as_mut().unwrap().poll()).collect();
    let made = events.iter().filter_map(|event| match event {
        LiveEvent::Part(part) => Some(part),
        _ => None,
    });
    let segments = bench.segments(0);
    [
        decoded(segments.iter().flat_map(|segment| &segment.parts)),
        decoded(made),
    ]
}

#[test]
fn a_rung_is_decoded_as_its_source_after_a_picture_that_stayed() {
    // A key frame each second, the one at four seconds after a hole; shown two pictures after it is decoded.
    let mut pictures = with_holes(10_000, &[(3100, 4000)]);
    for (number, (at, composition, sync)) in pictures.iter_mut().enumerate() {
        *composition = 66;
        *sync = at.is_multiple_of(1000) || number == 0;
    }
    let [source, rung] = with_rung(&pictures, |_| 0);
    let at_once = (14_066 * 90, 13_600 * 90);
    assert!(source.1[&at_once.0] < at_once.1, "decoded before its time");
    assert_eq!(rung, source);
}

#[test]
fn a_rung_begins_where_its_source_does_after_sound_that_was_ahead_at_once() {
    let mut pictures = with_holes(10_000, &[]);
    for (at, _, sync) in &mut pictures {
        *sync = at.is_multiple_of(1000);
    }
    let [source, rung] = with_rung(&pictures, |at| if at < 6000 { 0 } else { 1200 });
    let late = source.0.values().filter(|&&dts| !dts.is_multiple_of(90_000)).count();
    assert_eq!(late, 1, "decoded after its time");
    for (msn, dts) in &source.0 {
        assert!(
            rung.0[msn].abs_diff(*dts) < 33 * 90,
            "segment {msn}: {} and {dts}",
            rung.0[msn]
        );
    }
}

#[test]
fn a_key_frame_that_would_leave_the_epoch_for_its_rate_begins_nothing_there() {
    // The epoch begins while the picture changes rarely, and its only key frame is too long ago when it moves.
    let rarely = (0..20).map(|picture| (picture * 700, 0, picture == 0));
    let moving = (0..300).map(|frame| (14_000 + frame * 1000 / 30, 0, frame == 240));
    let mut bench = begun(&rarely.chain(moving).collect::<Vec<_>>(), |_| 0);
    bench.end();
    assert_eq!(bench.epochs(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// That decode times have no hole and segments keep their limits is in the reader.
    #[test]
    fn pictures_at_any_time_are_published_once_and_shown_when_they_should(
        waits in prop::collection::vec(prop_oneof![8 => 10..60_u32, 2 => 60..900_u32, 1 => 900..2900_u32], 60..300),
        keys in 10..200_usize,
        b_frames: bool,
        lead_ms in prop_oneof![Just(0_u32), 0..1500_u32],
        jitter_ms in 1..700_u32,
    ) {
        let mut at = 0;
        let mut pictures = Vec::new();
        for (number, wait) in waits.iter().enumerate() {
            let composition = if b_frames { i32::try_from(number % 3).unwrap() * 40 } else { 0 };
            pictures.push((at, composition, number % keys == 0));
            at += wait;
        }
        let mut bench = begun(&pictures, |at| lead_ms + at.wrapping_mul(7919) % jitter_ms);
        bench.end();
        for (number, shown) in shown(&bench) {
            let (at, composition, _) = pictures[usize::try_from(number).unwrap() - 1];
            prop_assert_eq!(shown, (i64::from(at) + i64::from(composition) + 10_000) * 90, "picture {}", number);
        }
    }
}
