use super::*;
use crate::{
    media::access_unit::{Codec, TrackId},
    packager::health::left_out::Why,
};

/// A stream with nothing wrong.
fn good() -> Signs {
    let even = |usual| Spread {
        lowest: usual,
        usual,
        highest: usual,
        uneven: 0.0,
    };
    Signs {
        on_air: true,
        picture: Some(PictureSigns {
            codec: "avc1.64001f".to_owned(),
            open_gop_ms: Some(1000),
            last_gop_ms: Some(2000),
            reordering: Some(Reordering { ms: 66.0, frames: 2.0 }),
            frame_rate: Some(even(30.0)),
            bit_rate: Some(even(6000.0)),
            ..PictureSigns::default()
        }),
        sounds: vec![SoundSigns {
            codec: "mp4a.40.2".to_owned(),
            ..SoundSigns::default()
        }],
        longest_wait_ms: 400,
        av_offset_ms: Some(-20),
        clock_ppm: Some(80.0),
        ..Signs::default()
    }
}

/// The only warning of a good stream with one thing changed.
fn only(change: impl FnOnce(&mut Signs)) -> String {
    let mut signs = good();
    change(&mut signs);
    let said = warnings(&signs);
    assert_eq!(said.len(), 1, "{said:#?}");
    said.into_iter().next().unwrap()
}

fn picture(change: impl FnOnce(&mut PictureSigns)) -> String {
    only(|signs| change(signs.picture.as_mut().unwrap()))
}

#[test]
fn a_good_stream_has_no_warning() {
    assert_eq!(warnings(&good()), [] as [&str; 0]);
    assert_eq!(warnings(&Signs::default()), [] as [&str; 0], "nothing sent yet");
}

#[test]
fn a_stream_that_was_cut_off_for_its_bit_rate() {
    assert_eq!(
        only(|signs| signs.too_much = true),
        "The stream was cut off for more than 100 Mb per second: lower Settings > Output > Video Bitrate"
    );
}

#[test]
fn a_long_key_frame_interval() {
    assert_eq!(
        picture(|picture| picture.last_gop_ms = Some(8333)),
        "Key frame interval is 8.3 s: set Settings > Output > Keyframe Interval to 2 s"
    );
}

#[test]
fn no_key_frame_at_all() {
    assert!(picture(|picture| picture.open_gop_ms = Some(13_000)).starts_with("No key frame comes"));
    assert!(picture(|picture| picture.waits_for_key = true).ends_with("Keyframe Interval to 2 s"));
}

#[test]
fn many_b_frames() {
    let deep = |ms, frames| Some(Reordering { ms, frames });
    assert!(picture(|picture| picture.reordering = deep(300.0, 9.0)).contains("Output > B-frames to 2"));
    for (ms, frames) in [(400.0, 4.0), (117.0, 7.0)] {
        let mut signs = good();
        signs.picture.as_mut().unwrap().reordering = deep(ms, frames);
        assert!(warnings(&signs).is_empty(), "{frames} frames in {ms} ms");
    }
}

#[test]
fn no_sound_is_sent() {
    assert!(only(|signs| signs.sounds.clear()).starts_with("No sound is sent: check Settings > Audio"));
    let mut signs = good();
    signs.sounds.clear();
    signs.on_air = false;
    assert!(warnings(&signs).is_empty(), "it may still come");
}

#[test]
fn sound_that_is_silent() {
    let silent = |ms, index| {
        only(move |signs| {
            signs.sounds[0].silent_ms = ms;
            signs.sounds[0].index = index;
        })
    };
    assert!(silent(45_000, 0).starts_with("Sound is silent for 45 s: look for a muted source in the Audio Mixer"));
    assert!(silent(30_000, 1).starts_with("Audio track 2 is silent for 30 s"));
    let mut signs = good();
    signs.sounds[0].silent_ms = 29_999;
    assert!(warnings(&signs).is_empty());
}

#[test]
fn sound_that_stopped_coming() {
    assert!(
        only(|signs| signs.sounds[0].gone_ms = 7000).starts_with("Sound stopped coming 7 s ago: check the Audio Mixer")
    );
}

#[test]
fn a_picture_that_stopped_coming() {
    assert!(
        picture(|picture| picture.gone_ms = 12_000)
            .starts_with("The picture stopped coming 12 s ago: look at the preview and at View > Stats")
    );
    let mut signs = good();
    signs.picture.as_mut().unwrap().gone_ms = 4_999;
    assert!(warnings(&signs).is_empty(), "it may rightly stay");
}

#[test]
fn nothing_that_comes_at_all_is_said_once() {
    let said = only(|signs| {
        signs.nothing_ms = 9_000;
        signs.sounds[0].gone_ms = 9_000;
        signs.picture.as_mut().unwrap().gone_ms = 9_000;
    });
    assert!(
        said.starts_with("Nothing has arrived for 9 s: check the network"),
        "{said}"
    );
}

#[test]
fn sound_that_is_missing_or_late() {
    assert!(only(|signs| signs.silent = 12).starts_with("Sound was missing for 12 frames"));
    assert!(only(|signs| signs.late = 3).starts_with("3 sound frames came too late"));
}

#[test]
fn a_picture_that_stood_still() {
    assert_eq!(
        picture(|picture| picture.longest_hole_ms = 1533),
        "Video stood still for up to 1.5 s: lower Settings > Output > Video Bitrate, or use a better connection"
    );
}

#[test]
fn a_connection_that_stood_still() {
    assert!(
        only(|signs| signs.longest_wait_ms = 3200)
            .starts_with("Nothing arrived for up to 3.2 s: lower Settings > Output > Video Bitrate")
    );
}

#[test]
fn a_frame_rate_that_varies_is_said_instead_of_its_holes() {
    let said = picture(|picture| {
        picture.longest_hole_ms = 900;
        picture.frame_rate = Some(Spread {
            lowest: 4.0,
            usual: 30.0,
            highest: 60.0,
            uneven: 0.4,
        });
    });
    assert!(
        said.starts_with("The frame rate varies between 4 and 60 a second: set Settings > Video > Common FPS Values")
    );
}

#[test]
fn a_bit_rate_that_swings() {
    let rate = |usual, highest| Spread {
        lowest: 100.0,
        usual,
        highest,
        uneven: 0.2,
    };
    assert_eq!(
        picture(|picture| picture.bit_rate = Some(rate(2000.0, 9000.0))),
        "The bit rate is 2000 kb/s as a rule and 9000 at times: set Settings > Output > Rate Control to CBR"
    );
    let mut signs = good();
    signs.picture.as_mut().unwrap().bit_rate = Some(rate(100.0, 1400.0));
    assert!(warnings(&signs).is_empty(), "too little to matter");
}

#[test]
fn codecs_that_browsers_do_not_play() {
    for (codec, says) in [
        ("hvc1.1.6.L93.B0", "HEVC does not play"),
        ("av01.0.08M.08", "AV1 does not play"),
        // Apple's own player of HLS, which is what older iPhones have, knows no VP9.
        ("vp09.00.40.08", "VP9 does not play on many iPhones"),
        ("avc1.6E0028", "set Settings > Advanced > Color Format to NV12"),
        ("avc1.f4001f", "set Settings > Advanced > Color Format to NV12"),
    ] {
        let said = picture(|picture| picture.codec = codec.to_owned());
        assert!(said.contains(says), "{said}");
    }
    for codec in ["ac-3", "ec-3", "fLaC", "mp4a.40.1", "mp4a.40.4"] {
        let said = only(|signs| signs.sounds[0].codec = codec.to_owned());
        assert!(said.ends_with("set Settings > Output > Audio Encoder to AAC"), "{said}");
    }
    let opus = only(|signs| signs.sounds[0].codec = "opus".to_owned());
    assert!(
        opus.starts_with("Sound is in Opus, which does not play in older Safari"),
        "{opus}"
    );
    assert!(
        opus.ends_with("Audio Encoder to AAC if somebody hears nothing"),
        "{opus}"
    );
    assert_eq!(picture_codec("avc1"), None);
    assert_eq!(picture_codec("avc1.\u{e4}\u{e4}"), None);
}

fn left_out(track: TrackId, why: Why) -> String {
    only(|signs| signs.left_out = vec![LeftOut { track, why }])
}

#[test]
fn configurations_that_cannot_be_read() {
    for (track, codec, says) in [
        (TrackId::VIDEO, Codec::H264, "choose another H.264 encoder"),
        (TrackId::VIDEO, Codec::Av1, "Video Encoder to H.264"),
        (TrackId::audio(1), Codec::Aac, "Audio track 2 is in a kind of AAC"),
        (TrackId::AUDIO, Codec::Flac, "Audio Encoder to AAC"),
    ] {
        let said = left_out(track, Why::Unreadable(codec));
        assert!(said.contains(says), "{said}");
    }
    assert!(
        left_out(TrackId::VIDEO, Why::Outdated(Codec::Hevc)).starts_with("The picture changed into a kind of HEVC")
    );
    assert!(left_out(TrackId::VIDEO, Why::Unconfigured).contains("Video Encoder to H.264"));
    assert!(left_out(TrackId::AUDIO, Why::Unconfigured).starts_with("Sound comes without a description"));
}

#[test]
fn a_picture_that_is_announced_and_does_not_come() {
    let mut signs = good();
    signs.picture = None;
    signs.without_picture_ms = 6_000;
    assert!(warnings(&signs).is_empty(), "sound may be all there is");
    signs.is_picture_due = true;
    let said = warnings(&signs);
    assert!(
        said.len() == 1 && said[0].starts_with("No picture arrives, though"),
        "{said:?}"
    );
    signs.left_out = vec![LeftOut {
        track: TrackId::VIDEO,
        why: Why::Unsupported("VP8".to_owned()),
    }];
    let said = warnings(&signs);
    assert!(
        said.len() == 1 && said[0].starts_with("The picture is in VP8"),
        "{said:?}"
    );
}

#[test]
fn codecs_that_are_not_carried() {
    let of = |track, codec: &str| left_out(track, Why::Unsupported(codec.to_owned()));
    assert!(
        of(TrackId::VIDEO, "VP8")
            .starts_with("The picture is in VP8, which cannot be carried: set Settings > Output > Video Encoder")
    );
    assert_eq!(
        of(TrackId::audio(1), "MP3"),
        "Audio track 2 is in MP3, which cannot be carried: set Settings > Output > Audio Encoder to AAC"
    );
}

#[test]
fn more_tracks_than_are_carried() {
    let of = |track| left_out(track, Why::Unsupported("AAC".to_owned()));
    assert!(of(TrackId::audio(4)).starts_with("Audio track 5 is not carried, at most 4 are"));
    let second = TrackId {
        kind: TrackKind::Video,
        index: 1,
    };
    assert!(of(second).contains("turn off multitrack video"));
}

#[test]
fn sound_and_picture_apart() {
    assert!(
        only(|signs| signs.av_offset_ms = Some(180))
            .starts_with("Sound comes 180 ms after the picture: set Sync Offset")
    );
    assert!(only(|signs| signs.av_offset_ms = Some(-101)).starts_with("The picture comes 101 ms after the sound"));
}

#[test]
fn a_clock_that_drifts() {
    assert!(
        only(|signs| signs.clock_ppm = Some(1000.0))
            .starts_with("The encoder's clock is 3.6 s an hour fast: set Settings > Audio")
    );
    assert!(only(|signs| signs.clock_ppm = Some(-600.0)).contains("2.2 s an hour slow"));
}

#[test]
fn a_stream_that_is_not_in_real_time() {
    assert!(only(|signs| signs.clock_ppm = Some(-50_000.0)).starts_with("Only 0.95 s of stream arrive each second"));
    assert!(only(|signs| signs.clock_ppm = Some(1_300_000.0)).starts_with("2.30 s of stream arrive each second"));
}
