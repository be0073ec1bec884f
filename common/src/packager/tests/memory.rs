//! A room's next stream, which begins by what is known of the one before: by the same encoder or by quite another one.

use serde_json::json;

use super::harness::*;
use crate::{
    live::EpochDescription,
    media::{
        aac::tests::RECORD_OBS,
        access_unit::{Codec, MediaMessage, StreamMetadata},
        av1::tests::RECORD_180P,
        h264::tests::RECORD_720P30,
        opus::tests::HEAD_STEREO,
    },
    packager::Memory,
};

/// A stream that is over, with a key frame every so many pictures, 30 a second. The bench is for the next one.
fn after(gop: u32) -> Bench {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 20_000, 30, gop);
    bench.next_stream()
}

fn targets(bench: &Bench) -> Vec<u32> {
    let epochs = bench.reader.epochs.iter();
    epochs.map(|epoch| epoch.description.target_duration_s).collect()
}

fn first(bench: &Bench) -> &EpochDescription {
    &bench.reader.epochs[0].description
}

#[test]
fn a_stream_that_starts_again_is_published_with_its_first_key_frame() {
    let mut bench = after(250);
    bench.configure_both();
    bench.send(0, 1000, 30, 250);
    assert_eq!(targets(&bench), [9]);
    assert!(!bench.segments(0).is_empty() && !bench.segments(1).is_empty());
    bench.send(1000, 40_000, 30, 250);
    bench.end();
    assert_eq!((bench.epochs(), bench.packager.health(bench.now()).breaks), (1, 1));
}

#[test]
fn a_process_that_dies_amid_a_stream_leaves_what_it_learnt() {
    let mut crashed = Bench::new(333);
    crashed.configure_both();
    crashed.send(0, 20_000, 30, 250);
    let mut bench = crashed.after_a_crash();
    bench.configure_both();
    bench.send(0, 1000, 30, 250);
    assert_eq!(targets(&bench), [9]);
    bench.end();
}

#[test]
fn an_encoder_with_much_shorter_gops_is_planned_for_anew_at_its_third_key_frame() {
    let mut bench = after(250);
    bench.configure_both();
    bench.send(0, 4000, 30, 60);
    assert_eq!(targets(&bench), [9]);
    bench.send(4000, 20_000, 30, 60);
    bench.end();
    assert_eq!(targets(&bench), [9, 2]);
    assert_eq!(bench.reader.frames[0], 24 * 30, "and no picture is lost for it");
}

/// Two streams in a row of pictures that do not tell their rate, with a key frame every two seconds: part targets of the second one, and its
/// parts that are too short after its first three GOPs.
fn rates_in_a_row(before: u32, fps: u32) -> (Vec<u32>, u64) {
    let mut bench = Bench::new(333);
    let configure = |bench: &mut Bench| {
        bench.configure(Codec::Aac, RECORD_OBS);
        bench.configure(Codec::Av1, RECORD_180P);
    };
    configure(&mut bench);
    bench.send(0, 24_000, before, before * 2);
    let mut bench = bench.next_stream();
    configure(&mut bench);
    bench.video(0, 0, true);
    assert_eq!(bench.epochs(), 1, "by what is known of the one before");
    bench.send(1000 / fps, 12_000, fps, fps * 2);
    let forced = bench.reader.forced;
    bench.send(1000 / fps + 12_000, 12_000, fps, fps * 2);
    bench.end();
    assert_eq!(bench.reader.frames[0], u64::from(24 * fps + 1), "no picture is lost");
    let epochs = bench.reader.epochs.iter();
    let targets = epochs.map(|epoch| epoch.description.part_target_ms).collect();
    (targets, bench.reader.forced - forced)
}

#[test]
fn a_remembered_frame_rate_whose_parts_suit_is_kept() {
    for (before, fps) in [(60, 24), (24, 60), (60, 30), (30, 50), (10, 30)] {
        assert_eq!(rates_in_a_row(before, fps), (vec![333], 0), "{before} and {fps}");
    }
}

#[test]
fn a_remembered_frame_rate_whose_parts_are_not_filled_gives_way() {
    for fps in [15, 12, 5] {
        let (targets, forced) = rates_in_a_row(30, fps);
        assert_eq!((targets.len(), forced), (2, 0), "{fps}: {targets:?}");
    }
}

#[test]
fn a_remembered_frame_rate_whose_parts_are_needlessly_long_gives_way() {
    let (targets, forced) = rates_in_a_row(1, 30);
    assert!(targets[0] >= 1000, "{targets:?}");
    assert_eq!((&targets[1..], forced), (&[333][..], 0));
    let (targets, _) = rates_in_a_row(5, 30);
    assert_eq!(targets, [403], "a little longer is not worth another epoch");
}

#[test]
fn a_stated_frame_rate_that_is_none_gives_way() {
    let mut bench = after(60);
    bench.configure_both();
    bench.send(0, 12_000, 15, 30);
    let forced = bench.reader.forced;
    bench.send(12_000, 12_000, 15, 30);
    bench.end();
    assert_eq!((bench.epochs(), bench.reader.forced), (2, forced));
}

#[test]
fn a_film_that_starts_on_a_screen_that_stood_still_gets_short_parts() {
    let mut bench = after(60);
    bench.configure_both();
    bench.send(0, 20_000, 1, 2);
    bench.send(20_000, 20_000, 30, 60);
    bench.end();
    let epochs = bench.reader.epochs.iter();
    let targets: Vec<u32> = epochs.map(|epoch| epoch.description.part_target_ms).collect();
    assert_eq!(targets.last(), Some(&333), "{targets:?}");
}

#[test]
fn a_rate_that_changes_after_it_was_borne_out_makes_no_other_epoch() {
    let mut bench = after(60);
    bench.configure_both();
    bench.send(0, 8000, 30, 60);
    bench.send(8000, 20_000, 15, 30);
    bench.end();
    assert_eq!(bench.epochs(), 1);
}

#[test]
fn gops_a_little_shorter_are_not_worth_another_epoch() {
    let mut bench = after(80);
    bench.configure_both();
    bench.send(0, 30_000, 30, 60);
    bench.end();
    assert_eq!(targets(&bench), [3]);
}

#[test]
fn scene_cuts_are_no_shorter_gops() {
    let mut bench = after(250);
    bench.configure_both();
    for (gop, from) in [(100, 0_u32), (40, 100), (130, 140), (250, 270), (250, 520), (250, 770)] {
        for frame in from..from + gop {
            bench.now_ms += 33;
            bench.video(frame * 1000 / 30, 0, frame == from);
            bench.audio(frame * 1000 / 30);
        }
    }
    bench.end();
    assert_eq!(targets(&bench), [9]);
}

#[test]
fn an_encoder_with_longer_gops_gets_an_epoch_that_holds_them() {
    let mut bench = after(60);
    bench.configure_both();
    bench.send(0, 40_000, 30, 250);
    bench.end();
    assert_eq!(targets(&bench), [2, 9]);
}

#[test]
fn a_slates_gops_are_not_taken_for_the_publishers() {
    let mut first = Bench::new(333);
    first.configure_both();
    first.send(0, 20_000, 30, 250);
    first.interrupt();
    first.packager.set_stand_in(true);
    first.configure_both();
    first.send(0, 20_000, 30, 60);
    assert_eq!(targets(&first), [9], "the publisher comes back");
    let mut bench = first.next_stream();
    bench.configure_both();
    bench.send(0, 10_000, 30, 250);
    assert_eq!(targets(&bench), [9]);
}

#[test]
fn a_stream_between_without_pictures_takes_nothing_from_what_is_known_of_them() {
    let mut sound = after(60);
    sound.configure(Codec::Aac, RECORD_OBS);
    for frame in 0..400_u32 {
        sound.now_ms = 1000 + u64::from(frame * 1024 / 48);
        sound.audio(frame * 1024 / 48);
    }
    assert_eq!(
        first(&sound).renditions.len(),
        1,
        "a track that does not come is waited for in vain"
    );
    let mut bench = sound.next_stream();
    bench.configure_both();
    bench.send(0, 1000, 30, 60);
    assert_eq!(
        (first(&bench).renditions.len(), first(&bench).target_duration_s),
        (2, 2)
    );
    bench.end();
}

#[test]
fn what_the_encoder_states_goes_before_the_rate_of_the_stream_before() {
    let peaks = |metadata: StreamMetadata| {
        let mut bench = after(250);
        bench.push(MediaMessage::Metadata(metadata));
        bench.configure_both();
        bench.video(0, 0, true);
        let renditions = first(&bench).renditions.iter();
        renditions.map(|rendition| rendition.bit_rate.peak).collect::<Vec<_>>()
    };
    let silent = peaks(StreamMetadata::default());
    assert!(silent.iter().all(|&peak| peak < 10_000), "small frames: {silent:?}");
    let stated = StreamMetadata {
        video_kbps: Some(6000.0),
        audio_kbps: Some(0.0),
        ..StreamMetadata::default()
    };
    assert_eq!(peaks(stated), [6_600_000, silent[1]], "none is not a rate");
}

#[test]
fn the_rate_of_another_codec_is_not_taken() {
    let mut bench = after(250);
    bench.configure(Codec::Opus, HEAD_STEREO);
    bench.configure(Codec::H264, RECORD_720P30);
    bench.video(0, 0, true);
    let peaks: Vec<_> = first(&bench)
        .renditions
        .iter()
        .map(|rendition| rendition.bit_rate.peak)
        .collect();
    assert!(peaks[0] < 10_000);
    assert_eq!(peaks[1], 64_000, "nothing is known of it");
}

#[test]
fn captions_are_expected_of_the_next_stream_and_not_of_those_after_one_without() {
    let has_captions = |bench: &Bench| first(bench).captions().cea608;
    let mut bench = Bench::new(333);
    for expected in [false, true, false] {
        bench.configure_both();
        bench.send(0, 6000, 30, 60);
        assert_eq!(has_captions(&bench), expected);
        bench.packager.captions.cea608 = !expected;
        bench = bench.next_stream();
    }
}

#[test]
fn a_memory_that_another_version_wrote_or_that_cannot_be_true_is_refused() {
    let kept = serde_json::to_value(Memory::default()).unwrap();
    for (name, value) in [
        ("unheard_of", json!(1)),
        ("tracks", json!("both")),
        ("tracks", json!(0b10_0000)),
        ("pace", json!({ "frame_ticks": 0, "longest_gop_ms": 2000 })),
        ("pace", json!({ "frame_ticks": u64::MAX, "longest_gop_ms": 2000 })),
        ("pace", json!({ "frame_ticks": 3000, "longest_gop_ms": i64::MAX })),
        ("pace", json!({ "frame_ticks": 3000, "longest_gop_ms": -1 })),
    ] {
        let mut memory = kept.clone();
        memory[name] = value;
        let refused = Memory::from_text(&memory.to_string());
        assert!(refused.is_err(), "{memory} was taken for {refused:?}");
    }
    assert!(Memory::from_text("").is_err());
}

#[test]
fn a_steady_stream_is_no_news_and_another_frame_rate_is() {
    for (fps, gop) in [(30, 250), (24, 48), (60, 120)] {
        let mut bench = Bench::new(333);
        bench.configure_both();
        bench.send(0, 40_000, fps, gop);
        let memory = bench.packager.memory();
        for frame in fps * 40..fps * 50 {
            bench.video(frame * 1000 / fps, 0, frame % gop == 0);
            let news = bench.packager.memory().is_news_after(&memory);
            assert!(!news, "{fps} a second, after picture {frame}");
        }
        bench.send(50_000, 10_000, fps * 2, gop * 2);
        assert!(bench.packager.memory().is_news_after(&memory));
    }
}

#[test]
fn captions_that_were_there_before_are_expected_while_a_stream_goes_on() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.packager.captions.cea708 = true;
    bench.send(0, 8000, 30, 60);
    let mut bench = bench.next_stream();
    bench.configure_both();
    bench.send(0, 8000, 30, 60);
    assert!(bench.packager.memory().captions.cea708);
    bench.end();
    assert!(!bench.packager.memory().captions.any());
}
