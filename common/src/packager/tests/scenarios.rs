use super::harness::*;
use crate::{
    id::Msn,
    live::RenditionFormat,
    media::{
        aac::tests::RECORD_OBS,
        access_unit::{Codec, MediaMessage, StreamMetadata},
        h264::tests::RECORD_720P30,
    },
    packager::PackagerError,
};

#[test]
fn a_usual_stream_is_published_at_its_second_key_frame() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 2000, 30, 60);
    assert_eq!(bench.epochs(), 0);
    bench.send(2000, 8000, 30, 60);
    let description = &bench.reader.epochs[0].description;
    assert_eq!(
        (
            description.target_duration_s,
            description.part_target_ms,
            description.first_msn
        ),
        (2, 333, Msn(7))
    );
    assert_eq!(description.renditions.len(), 2);
    bench.end();
    assert_eq!(bench.epochs(), 1);
    assert_eq!(bench.reader.silent, 0);
}

#[test]
fn a_part_comes_out_with_two_frames_of_look_ahead() {
    let mut bench = Bench::new(333);
    bench.configure(Codec::H264, RECORD_720P30);
    bench.push(MediaMessage::Metadata(StreamMetadata {
        has_audio: Some(false),
        ..StreamMetadata::default()
    }));
    for frame in 0..=60 {
        bench.video(frame * 1000 / 30, 0, frame % 60 == 0);
    }
    let parts = |bench: &Bench| bench.segments(0).iter().map(|s| s.parts.len()).sum::<usize>();
    assert_eq!(parts(&bench), 7, "the first segment, whole");
    for frame in 61..=71 {
        let before = parts(&bench);
        bench.video(frame * 1000 / 30, 0, false);
        // Nine frames in the part, 60 to 68; 69 ends it, 70 shows that no key frame is near.
        assert_eq!(parts(&bench) - before, usize::from(frame == 70), "frame {frame}");
    }
}

#[test]
fn a_key_frame_just_behind_a_part_extends_it() {
    let mut bench = Bench::new(338);
    bench.configure(Codec::H264, RECORD_720P30);
    bench.push(MediaMessage::Metadata(StreamMetadata {
        has_audio: Some(false),
        ..StreamMetadata::default()
    }));
    for frame in 0..200 {
        // 9 frames fill a part of 338 ms, 10 fit: a GOP of 55 would leave one frame.
        bench.video(frame * 1000 / 30, 0, frame % 55 == 0);
    }
    bench.end();
    for segment in &bench.segments(0)[..3] {
        let tail = segment.parts.last().unwrap().duration / 90;
        assert!((330..=338).contains(&tail), "a tail of {tail} ms");
    }
}

#[test]
fn the_default_gop_of_obs_gives_nine_seconds_and_advice() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 30_000, 30, 250);
    let description = &bench.reader.epochs[0].description;
    assert_eq!(description.target_duration_s, 9);
    let health = bench.packager.health(bench.now());
    let advice = "Key frame interval is 8.3 s: set Settings > Output > Keyframe Interval to 2 s";
    assert_eq!(health.warnings, [advice]);
    let video = health.video.unwrap();
    assert_eq!(
        (video.fps, video.width, video.codec.as_str()),
        (30.0, 1280, "avc1.64001f")
    );
    bench.end();
    assert_eq!(bench.epochs(), 1);
}

#[test]
fn a_gop_that_does_not_end_is_published_after_ten_seconds() {
    let mut early = Bench::new(333);
    early.configure_both();
    early.send(0, 9900, 30, 1000);
    assert_eq!(early.epochs(), 0);
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 10_100, 30, 1000);
    assert_eq!(bench.epochs(), 1);
    assert_eq!(bench.reader.epochs[0].description.target_duration_s, 12);
}

#[test]
fn a_publisher_that_falls_silent_before_its_second_key_frame_is_published_by_the_clock() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 1000, 30, 60);
    while let Some(due) = bench.packager.next_tick() {
        assert_eq!(bench.epochs(), 0);
        bench.now_ms = u64::try_from(due.0.as_millis()).unwrap();
        bench.tick();
    }
    assert_eq!(bench.epochs(), 1);
    assert_eq!(bench.now_ms, 1000 + 10_000);
}

#[test]
fn sound_alone_is_published_after_two_seconds() {
    let mut bench = Bench::new(333);
    bench.configure(Codec::Aac, RECORD_OBS);
    for frame in 0..600_u32 {
        bench.audio(frame * 1024 / 48);
    }
    bench.end();
    let description = &bench.reader.epochs[0].description;
    assert!(matches!(
        description.renditions[0].format,
        RenditionFormat::Audio {
            channels: 2,
            sample_rate: 48_000,
            ..
        }
    ));
    assert_eq!(bench.reader.frames[1], 600);
    assert!(bench.segments(0)[0].seconds(48_000) > 1.8);
}

#[test]
fn an_outage_goes_on_in_the_same_epoch_after_a_discontinuity_in_both_tracks() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 7000, 30, 60);
    bench.interrupt();
    let before = bench.packager.next_msn();
    bench.now_ms += 5000;
    bench.configure_both();
    bench.send(0, 5000, 30, 60);
    bench.end();
    assert_eq!(bench.epochs(), 1);
    let resumed = bench.segments(0).into_iter().find(Segment::is_discontinuity).unwrap();
    assert_eq!(resumed.parts[0].id.msn, before);
    // The gap is the outage, on the media clock as on the wall clock.
    assert_eq!(resumed.parts[0].program_date_time.0, START_UNIX_MS + 1000 + 7000 + 5000);
    assert!(resumed.parts[0].dts.abs_diff((10_000 + 12_000) * 90) < 9000);
}

#[test]
fn a_publisher_that_comes_back_without_sound_begins_a_new_epoch() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 5000, 30, 60);
    bench.interrupt();
    bench.configure(Codec::H264, RECORD_720P30);
    for frame in 0..150 {
        bench.video(frame * 1000 / 30, 0, frame % 60 == 0);
    }
    bench.end();
    assert_eq!(bench.epochs(), 2);
    assert_eq!(bench.reader.epochs[1].description.renditions.len(), 1);
    assert!(bench.reader.epochs[1].description.first_msn > Msn(7));
}

#[test]
fn sound_that_comes_late_begins_a_new_epoch_at_a_key_frame() {
    let mut bench = Bench::new(333);
    bench.configure(Codec::H264, RECORD_720P30);
    for frame in 0..150 {
        bench.video(frame * 1000 / 30, 0, frame % 60 == 0);
    }
    assert_eq!(bench.reader.epochs[0].description.renditions.len(), 1);
    bench.configure(Codec::Aac, RECORD_OBS);
    bench.send(5000, 6000, 30, 60);
    bench.end();
    assert_eq!(bench.epochs(), 2);
    assert_eq!(bench.reader.epochs[1].description.renditions.len(), 2);
}

#[test]
fn pictures_that_come_late_begin_a_new_epoch() {
    let mut bench = Bench::new(333);
    bench.configure(Codec::Aac, RECORD_OBS);
    for frame in 0..200_u32 {
        bench.audio(frame * 1024 / 48);
    }
    assert_eq!(bench.epochs(), 1);
    bench.configure(Codec::H264, RECORD_720P30);
    bench.send(200 * 1024 / 48, 5000, 30, 60);
    bench.end();
    assert_eq!(bench.epochs(), 2);
}

#[test]
fn a_new_configuration_is_a_discontinuity_and_the_same_one_again_is_nothing() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 6000, 30, 60);
    bench.configure_both();
    bench.send(6000, 4000, 30, 60);
    assert!(bench.segments(0).iter().all(|s| !s.is_discontinuity()));
    bench.configure(Codec::Aac, RECORD_AAC_OTHER);
    bench.send(10_000, 4000, 30, 60);
    bench.end();
    assert_eq!(bench.epochs(), 1);
    assert_eq!(bench.segments(1).iter().filter(|s| s.is_discontinuity()).count(), 1);
}

#[test]
fn another_sampling_frequency_needs_a_new_epoch() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 6000, 30, 60);
    bench.configure(Codec::Aac, RECORD_AAC_44100);
    bench.send(6000, 6000, 30, 60);
    bench.end();
    assert_eq!(bench.epochs(), 2);
    assert_eq!(bench.reader.epochs[1].description.renditions[1].timescale, 44_100);
}

#[test]
fn pictures_that_come_late_leave_the_sound_to_players_until_there_is_more() {
    let mut bench = Bench::new(333);
    bench.configure(Codec::Aac, RECORD_OBS);
    for frame in 0..200_u32 {
        bench.audio(frame * 1024 / 48);
    }
    bench.configure(Codec::H264, RECORD_720P30);
    bench.send(200 * 1024 / 48, 1900, 30, 60);
    assert!(!bench.reader.epochs[0].ended, "nothing is known of GOPs yet");
    bench.send(200 * 1024 / 48 + 2000, 3000, 30, 60);
    bench.end();
    assert_eq!(bench.epochs(), 2);
}

#[test]
fn pictures_alone_of_which_gops_change_wait_for_no_sound_again() {
    for stated in [None, Some(true)] {
        let mut bench = Bench::new(333);
        bench.push(MediaMessage::Metadata(StreamMetadata {
            has_audio: stated,
            ..StreamMetadata::default()
        }));
        bench.configure(Codec::H264, RECORD_720P30);
        for frame in 0..375 {
            bench.now_ms += 33;
            let gop = if frame < 240 { 60 } else { 120 };
            bench.video(frame * 1000 / 30, 0, frame % gop == 0);
        }
        // The second key frame of the longer ones is the 360th picture.
        assert_eq!(bench.epochs(), 2, "{stated:?}");
        assert!(!bench.segments(0).is_empty(), "{stated:?}");
        bench.end();
    }
}

#[test]
fn gops_that_grow_get_a_new_epoch_that_holds_them() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 6000, 30, 60);
    bench.send(6000, 20_000, 30, 150);
    bench.end();
    assert_eq!(bench.epochs(), 2);
    assert_eq!(bench.reader.epochs[1].description.target_duration_s, 5);
    assert_eq!(bench.packager.health(bench.now()).breaks, 2);
}

#[test]
fn gops_that_leave_sound_no_room_get_a_new_epoch_that_does() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 6000, 30, 60);
    // 2.4 s: a segment of two seconds can be so long, but not with a part of sound behind.
    bench.send(6000, 24_000, 30, 72);
    for (picture, sound) in bench.segments(0).iter().zip(&bench.segments(1)) {
        let (picture, sound) = (picture.parts[0].program_date_time, sound.parts[0].program_date_time);
        assert!(picture.0.abs_diff(sound.0) <= 333);
    }
    bench.end();
    assert_eq!(bench.epochs(), 2);
    assert_eq!(bench.reader.epochs[1].description.target_duration_s, 3);
}

#[test]
fn missing_sound_is_silence_and_the_room_goes_on() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 6000, 30, 60);
    for frame in 0..240 {
        bench.now_ms += 33;
        bench.video(6000 + frame * 1000 / 30, 0, frame % 60 == 0);
    }
    assert!(bench.segments(1).len() >= 5, "sound waits for nothing");
    bench.send(14_000, 4000, 30, 60);
    bench.end();
    assert_eq!(bench.epochs(), 1);
    assert!(
        bench.reader.silent.abs_diff(8000 * 48 / 1024) < 8,
        "{} frames of silence",
        bench.reader.silent
    );
    assert!(bench.segments(1).iter().all(|s| !s.is_discontinuity()));
}

#[test]
fn a_stutter_lengthens_a_frame_and_breaks_nothing() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 6000, 30, 60);
    bench.send(6000, 500, 30, 60);
    bench.now_ms += 1500;
    bench.send(8000, 6000, 30, 60);
    bench.end();
    assert_eq!(bench.epochs(), 1);
    assert!(bench.segments(0).iter().all(|s| !s.is_discontinuity()));
    assert!(
        bench
            .packager
            .health(bench.now())
            .warnings
            .iter()
            .any(|w| w.starts_with("Video stood still for up to 1.5 s"))
    );
}

#[test]
fn a_stream_without_key_frames_is_reported_and_holds_no_memory() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    for frame in 0..3000_u32 {
        bench.video(frame * 33, 0, false);
        bench.audio(frame * 33);
    }
    let health = bench.packager.health(bench.now());
    assert_eq!(health.dropped.before_start_video, 3000);
    assert!(health.warnings[0].starts_with("No key frame comes"));
    bench.end();
    assert_eq!(bench.epochs(), 0);
}

#[test]
fn a_stream_shorter_than_a_gop_is_published_at_its_end() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 3000, 30, 250);
    bench.end();
    assert_eq!((bench.epochs(), bench.reader.frames[0]), (1, 90));
}

#[test]
fn time_is_the_first_frames_wall_clock_carried_by_the_media_clock() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 10_000, 30, 60);
    for (rendition, timescale) in [(0, 90_000), (1, 48_000)] {
        for part in bench.segments(rendition).iter().flat_map(|s| &s.parts) {
            let media_ms = i64::try_from(part.dts * 1000 / timescale).unwrap() - 10_000;
            assert_eq!(part.program_date_time.0, START_UNIX_MS + 1000 + media_ms);
        }
    }
}

#[test]
fn nothing_is_taken_after_the_end() {
    let mut bench = Bench::new(333);
    bench.configure_both();
    bench.send(0, 5000, 30, 60);
    bench.end();
    let refused = bench
        .packager
        .push(bench.now(), MediaMessage::Metadata(StreamMetadata::default()));
    assert_eq!(refused, Err(PackagerError::Ended));
    assert_eq!(
        bench.packager.next_msn(),
        bench.segments(0).last().unwrap().parts[0].id.msn.next()
    );
}
