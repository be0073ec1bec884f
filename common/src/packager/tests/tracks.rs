//! Several sounds, what is offered beside the source, what the tap gives out, and publishers that come back as others.

use super::harness::*;
use crate::{
    id::{Msn, Rung},
    live::{EpochDescription, RenditionDescription, RenditionFormat, VideoRange},
    media::{
        aac::tests::RECORD_OBS,
        access_unit::{AudioTrackLabel, Codec, ColourInfo, MediaMessage, StreamMetadata},
        h264::tests::RECORD_720P30,
        opus::tests::HEAD_STEREO,
    },
    packager::{Offer, STAND_IN_GOP_MS, Tapped},
};

const PQ: u8 = 16;

fn label(index: u8, name: &str, language: &str) -> AudioTrackLabel {
    AudioTrackLabel {
        index,
        name: Some(name.to_owned()),
        language: Some(language.to_owned()),
    }
}

fn two_dubs() -> Bench {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.configure_sound(1, RECORD_OBS);
    bench
}

fn colour(bench: &mut Bench, transfer: u8) {
    bench.push(MediaMessage::Colour(ColourInfo {
        transfer: Some(transfer),
        ..ColourInfo::default()
    }));
}

/// Name and language of each sound of an epoch.
fn sounds<'a>(bench: &'a Bench, epoch: usize) -> Vec<(&'a str, Option<&'a str>)> {
    let renditions = bench.reader.epochs[epoch].description.renditions.iter();
    let sound = |rendition: &'a RenditionDescription| match &rendition.format {
        RenditionFormat::Audio { name, language, .. } => Some((&**name, language.as_deref())),
        RenditionFormat::Video { .. } => None,
    };
    renditions.filter_map(sound).collect()
}

#[test]
fn two_dubs_are_two_renditions_with_the_pictures_numbers() {
    let mut bench = two_dubs();
    bench.packager.set_offer(Offer {
        labels: vec![label(1, "English", "en")],
        ..Offer::default()
    });
    bench.send_with(2, 0, 12_000, 30, 60);
    assert_eq!(sounds(&bench, 0), [("main", None), ("English", Some("en"))]);
    for rendition in [1, 2] {
        assert!(bench.segments(rendition).len() >= 5);
        assert!(bench.segments(rendition)[0].seconds(48_000) > 1.8);
    }
    bench.interrupt();
    bench.now_ms += 4000;
    bench.configure_both();
    bench.configure_sound(1, RECORD_OBS);
    bench.send_with(2, 0, 6000, 30, 60);
    bench.end();
    // That breaks stand at the same numbers in all renditions is in the reader.
    assert_eq!((bench.epochs(), bench.reader.silent), (1, 0));
}

#[test]
fn a_dub_that_stops_is_silent_and_holds_nobody_up() {
    let mut bench = two_dubs();
    bench.send_with(2, 0, 6000, 30, 60);
    bench.send_with(1, 6000, 10_000, 30, 60);
    assert!(bench.segments(2).len() + 1 >= bench.segments(1).len());
    bench.end();
    assert_eq!(bench.epochs(), 1);
    assert!(bench.reader.silent > 9000 * 48 / 1024);
}

#[test]
fn a_dub_that_comes_late_begins_a_new_epoch_at_a_key_frame() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 6000, 30, 60);
    bench.configure_sound(1, RECORD_OBS);
    bench.send_with(2, 6000, 1000, 30, 60);
    assert_eq!(bench.epochs(), 2, "at once, from what is known");
    bench.send_with(2, 7000, 5000, 30, 60);
    bench.end();
    assert_eq!((bench.epochs(), sounds(&bench, 1).len()), (2, 2));
}

#[test]
fn sounds_alone_keep_step_with_the_first_one() {
    let mut bench = Bench::new(333);
    bench.push(MediaMessage::Metadata(StreamMetadata {
        has_video: Some(false),
        audio_tracks: vec![label(0, "VF", "fr"), label(1, "VO", "en")],
        ..StreamMetadata::default()
    }));
    bench.configure_sound(0, RECORD_OBS);
    bench.sound(0, 0);
    assert_eq!(bench.epochs(), 0, "the second one was announced");
    bench.configure_sound(1, RECORD_AAC_44100);
    for frame in 1..600_u32 {
        bench.now_ms += 21;
        bench.sound(0, frame * 1024 / 48);
        bench.sound(1, frame * 1024 / 48);
    }
    let (first, second) = (bench.segments(0), bench.segments(1));
    assert!(first.len() >= 6 && first.len() - second.len() <= 1);
    for (first, second) in first.iter().zip(&second) {
        let (first, second) = (&first.parts[0], &second.parts[0]);
        let apart = first.program_date_time.0.abs_diff(second.program_date_time.0);
        assert!(apart <= 333, "{apart} ms apart");
    }
    bench.end();
    assert_eq!(bench.epochs(), 1);
}

#[test]
fn another_range_of_brightness_is_a_new_epoch_with_the_first_key_frame() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 8000, 30, 60);
    bench.interrupt();
    bench.now_ms += 5000;
    bench.configure_both();
    colour(&mut bench, PQ);
    bench.video(0, 0, true);
    assert_eq!(bench.epochs(), 2);
    let description = &bench.reader.epochs[1].description;
    assert!(matches!(
        description.renditions[0].format,
        RenditionFormat::Video {
            range: VideoRange::Pq,
            frame_rate_millihertz: 30_000,
            ..
        }
    ));
    let before = &bench.reader.epochs[0].description;
    assert_eq!(description.target_duration_s, before.target_duration_s);
    let peak = |description: &EpochDescription| description.renditions[0].bit_rate.peak;
    assert!(peak(description) >= peak(before));
    bench.end();
}

#[test]
fn another_codec_is_a_new_epoch_with_the_next_key_frame() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 8000, 30, 60);
    bench.configure(Codec::Opus, HEAD_STEREO);
    bench.video(8000, 0, true);
    assert_eq!(bench.epochs(), 2);
    let description = &bench.reader.epochs[1].description;
    assert_eq!(
        (
            description.renditions[1].codecs.as_str(),
            description.renditions[1].timescale
        ),
        ("opus", 48_000)
    );
    bench.interrupt();
    bench.now_ms += 3000;
    bench.configure_both();
    bench.video(0, 0, true);
    assert_eq!(bench.epochs(), 3, "and so after an outage");
    bench.end();
}

#[test]
fn a_publisher_that_comes_back_is_seen_with_its_first_key_frame() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 8000, 30, 60);
    bench.interrupt();
    bench.now_ms += 20_000;
    bench.configure_both();
    let parts = |bench: &Bench| bench.segments(0).iter().map(|s| s.parts.len()).sum::<usize>();
    let before = parts(&bench);
    // Sixty frames a second now: one part, and two frames of look-ahead.
    for frame in 0..24 {
        bench.now_ms += 16;
        bench.video(frame * 1000 / 60, 0, frame == 0);
    }
    assert_eq!((bench.epochs(), parts(&bench) - before), (1, 1));
    bench.end();
}

#[test]
fn long_parts_and_short_gops_are_stood_in_for_in_the_same_epoch() {
    for part_target_ms in [333, 520, 750, 1000] {
        let mut bench = Bench::new(part_target_ms);
        bench.configure_both();
        bench.send(0, 8000, 30, 15);
        bench.interrupt();
        bench.packager.set_stand_in(true);
        bench.configure_both();
        bench.send(0, 20_000, 30, STAND_IN_GOP_MS * 30 / 1000);
        assert_eq!(bench.epochs(), 1, "parts of {part_target_ms} ms");
        bench.end();
    }
}

#[test]
fn a_ladder_is_offered_below_the_source_and_sound_alone_where_there_is_both() {
    let mut bench = Bench::new(333);
    bench.packager.set_offer(Offer {
        ladder: vec![Rung::P360, Rung::P480, Rung::P720],
        audio_only: true,
        labels: Vec::new(),
    });
    bench.configure_both();
    bench.send(0, 6000, 30, 60);
    bench.end();
    let description = &bench.reader.epochs[0].description;
    assert!(description.audio_only);
    let rungs: Vec<_> = description.ladder.iter().map(|rung| (rung.rung, rung.width)).collect();
    assert_eq!(rungs, [(Rung::P480, 854), (Rung::P360, 640)]);
}

#[test]
fn a_film_that_begins_in_the_dark_and_says_no_rate_has_rungs_that_are_good_to_look_at_and_none_above_it() {
    let offer = Offer {
        ladder: vec![Rung::P480, Rung::P360],
        ..Offer::default()
    };
    let averages = |bench: &Bench| {
        let description = &bench.reader.epochs[0].description;
        let rungs = description.ladder.iter().map(|rung| rung.bit_rate.average);
        let source = description.renditions[0].bit_rate.average;
        [source].into_iter().chain(rungs).collect::<Vec<_>>()
    };
    let mut bench = Bench::new(333);
    bench.packager.set_offer(offer.clone());
    bench.configure_both();
    // Frames of eight bytes.
    bench.send(0, 6000, 30, 60);
    assert_eq!(averages(&bench), [600_000, 600_000, 350_000]);

    let mut bench = Bench::new(333);
    bench.packager.set_offer(offer);
    bench.push(MediaMessage::Metadata(StreamMetadata {
        video_kbps: Some(400.0),
        ..StreamMetadata::default()
    }));
    bench.configure_both();
    bench.send(0, 6000, 30, 60);
    assert_eq!(
        averages(&bench),
        [400_000, 400_000, 400_000],
        "it says that it sends little"
    );
}

/// What came out of the tap since it was last asked, in short.
fn tapped(bench: &mut Bench) -> Vec<String> {
    let mut seen = Vec::new();
    let mut frames = 0;
    loop {
        let next = bench.packager.poll_tapped();
        if let Some(Tapped::Frame { sync, .. }) = &next {
            assert_eq!(*sync, frames == 0);
            frames += 1;
            continue;
        }
        if frames > 0 {
            seen.push(format!("{frames} frames"));
            frames = 0;
        }
        match next {
            None => return seen,
            Some(Tapped::Start { config, .. }) => seen.push(format!("start {}", config.height)),
            Some(Tapped::Segment {
                msn,
                at_ms,
                unix,
                discontinuity,
                discontinuities,
                ..
            }) => {
                let late = unix.0 - START_UNIX_MS - 1000;
                let mark = if discontinuity { "!" } else { "" };
                seen.push(format!("segment {msn}{mark} at {at_ms} ({late}) {discontinuities}"));
            }
            Some(Tapped::Break { end_ms }) => seen.push(format!("break at {end_ms}")),
            Some(Tapped::End) => seen.push("end".to_owned()),
            Some(Tapped::Frame { .. }) => {}
        }
    }
}

#[test]
fn the_tap_gives_out_what_is_published_segment_by_segment() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 3000, 30, 60);
    bench.packager.set_tap(true);
    assert_eq!(
        tapped(&mut bench),
        ["start 720"],
        "nothing of the segment that is under way"
    );
    bench.send(3000, 1000, 30, 60);
    let begun = bench.packager.next_msn();
    assert_eq!(begun, Msn(10));
    assert_eq!(tapped(&mut bench), ["segment 9 at 13000 (3000) 0", "30 frames"]);
    bench.interrupt();
    assert_eq!(tapped(&mut bench), ["break at 13999"]);
    bench.now_ms += 2000;
    bench.configure_both();
    bench.send(0, 1000, 30, 60);
    assert_eq!(
        tapped(&mut bench),
        ["start 720", "segment 10! at 16000 (6000) 1", "30 frames"]
    );
    bench.end();
    assert_eq!(tapped(&mut bench), ["break at 16999", "end"]);
}

#[test]
fn a_tap_that_is_shut_keeps_nothing() {
    let mut bench = Bench::new(333);
    bench.configure(Codec::H264, RECORD_720P30);
    bench.packager.set_tap(true);
    bench.packager.set_tap(false);
    bench.send(0, 6000, 30, 60);
    assert_eq!(bench.packager.poll_tapped(), None);
}
