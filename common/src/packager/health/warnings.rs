//! What a streamer should change, in plain words and with the setting of OBS to change.
//!
//! A warning is for something that viewers notice, and that somebody can do something about; what is over is spoken of for five minutes.

mod codecs;

use self::codecs::{left_out, picture_codec, sound_codec};
use super::{
    left_out::LeftOut,
    pace::{Reordering, Spread},
};
use crate::{media::access_unit::TrackKind, packager::budget::MOST_MEGABITS};

/// A GOP longer than this makes joining slow, in milliseconds.
const LONG_GOP_MS: i64 = 2_600;

/// Without a key frame for so long something is wrong, in milliseconds.
const NO_KEY_MS: i64 = 12_500;

/// Presentation later than decoding by more frames than this is from more B-frames in a row than any preset has,
const DEEP_REORDERING: f64 = 6.0;
/// and from here on it is noticed, in milliseconds.
const DEEP_REORDERING_MS: f64 = 200.0;

/// Nothing at all for so long is more than a hiccup, in milliseconds.
const LONG_WAIT_MS: i64 = 2_000;

/// Nothing to be heard for so long, in milliseconds.
const SILENCE_MS: i64 = 30_000;

/// Nothing of a track for so long while others go on, or of any, in milliseconds: encoders of screens send no picture for a second or so
/// while nothing moves.
const GONE_MS: i64 = 5_000;

/// Sound and picture farther apart are seen to be, in milliseconds.
const AV_OFFSET_MS: i64 = 100;

/// A worse clock, in parts in a million, makes seconds of an evening; good ones keep within 100.
const CLOCK_PPM: f64 = 500.0;

/// Beyond it, in parts in a million, it is no clock any more.
const REAL_TIME_PPM: f64 = 10_000.0;

/// A bit rate that peaks at so many times the usual overruns what was measured to fit, where it is high enough to matter, kb/s.
const SWING: f64 = 2.5;
const SWING_KBPS: f64 = 1_500.0;

/// So much of a minute has to be off the usual frame rate for it to be variable.
const VARIABLE: f64 = 0.3;

/// What was seen of a stream, as far as it may need a word.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    /// There is something to play.
    pub(super) on_air: bool,
    /// Nothing at all came for so long.
    pub(super) nothing_ms: i64,
    pub(super) picture: Option<PictureSigns>,
    pub(super) sounds: Vec<SoundSigns>,
    pub(super) longest_wait_ms: i64,
    /// Frames of silence put in, and sound left out for it came too late.
    pub(super) silent: u64,
    pub(super) late: u64,
    /// It was cut off for its bit rate.
    pub(super) too_much: bool,
    /// How far the picture is ahead of the sound.
    pub(super) av_offset_ms: Option<i64>,
    /// How fast the encoder's clock runs.
    pub(super) clock_ppm: Option<f64>,
    /// Tracks that are not carried.
    pub(super) left_out: Vec<LeftOut>,
    /// The publisher says that it has a picture.
    pub(super) is_picture_due: bool,
    /// Sound came for so long before any frame of a picture.
    pub(super) without_picture_ms: i64,
}

impl Signs {
    fn leaves_out(&self, kind: TrackKind) -> bool {
        self.left_out.iter().any(|left_out| left_out.track.kind == kind)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct PictureSigns {
    /// RFC 6381.
    pub(super) codec: String,
    /// Frames come, and none that a viewer could start with.
    pub(super) waits_for_key: bool,
    /// No frame of it came for so long, though sound went on.
    pub(super) gone_ms: i64,
    /// Since the newest key frame.
    pub(super) open_gop_ms: Option<i64>,
    pub(super) last_gop_ms: Option<i64>,
    pub(super) reordering: Option<Reordering>,
    pub(super) longest_hole_ms: i64,
    pub(super) frame_rate: Option<Spread>,
    pub(super) bit_rate: Option<Spread>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct SoundSigns {
    pub(super) index: u8,
    /// RFC 6381.
    pub(super) codec: String,
    pub(super) silent_ms: i64,
    /// No frame of it came for so long, though others did.
    pub(super) gone_ms: i64,
}

/// What the publisher was cut off for.
pub(super) fn cut_off(signs: &Signs) -> Option<String> {
    signs.too_much.then(|| {
        format!("The stream was cut off for more than {MOST_MEGABITS} Mb per second: lower Settings > Output > Video Bitrate")
    })
}

/// All that is to be said, the worst first.
pub(super) fn warnings(signs: &Signs) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(gone(signs));
    said.extend(cut_off(signs));
    said.extend(signs.left_out.iter().map(left_out));
    if signs.is_picture_due && signs.without_picture_ms >= GONE_MS && !signs.leaves_out(TrackKind::Video) {
        said.push(
            "No picture arrives, though the encoder says that it sends one: look for an encoder error in OBS, and choose another Settings > \
             Output > Video Encoder"
                .to_owned(),
        );
    }
    if let Some(picture) = &signs.picture {
        said.extend(key_frames(picture));
        said.extend(picture_codec(&picture.codec));
    }
    sound(signs, &mut said);
    said.extend(connection(signs));
    if let Some(picture) = &signs.picture {
        evenness(picture, &mut said);
    }
    said.extend(timing(signs));
    said
}

/// What viewers see stand still at this moment.
fn gone(signs: &Signs) -> Option<String> {
    if signs.nothing_ms >= GONE_MS {
        return Some(format!(
            "Nothing has arrived for {:.0} s: check the network of the computer that streams, and whether OBS still streams",
            seconds(signs.nothing_ms)
        ));
    }
    let picture = signs.picture.as_ref().filter(|picture| picture.gone_ms >= GONE_MS)?;
    Some(format!(
        "The picture stopped coming {:.0} s ago: look at the preview and at View > Stats in OBS, start the stream again, and choose another \
         Settings > Output > Video Encoder if it stops once more",
        seconds(picture.gone_ms)
    ))
}

fn key_frames(picture: &PictureSigns) -> Option<String> {
    if picture.open_gop_ms.is_some_and(|open| open > NO_KEY_MS) || picture.waits_for_key {
        return Some(
            "No key frame comes, so viewers cannot start: set Settings > Output > Keyframe Interval to 2 s".to_owned(),
        );
    }
    let length = picture.last_gop_ms.filter(|&length| length > LONG_GOP_MS)?;
    Some(format!(
        "Key frame interval is {:.1} s: set Settings > Output > Keyframe Interval to 2 s",
        seconds(length)
    ))
}

fn sound(signs: &Signs, said: &mut Vec<String>) {
    if signs.on_air && signs.picture.is_some() && signs.sounds.is_empty() && !signs.leaves_out(TrackKind::Audio) {
        said.push("No sound is sent: check Settings > Audio and the Audio Mixer".to_owned());
    }
    for sound in &signs.sounds {
        let name = name(sound.index);
        said.extend(sound_codec(sound));
        if sound.gone_ms >= GONE_MS && signs.nothing_ms < GONE_MS {
            said.push(format!(
                "{name} stopped coming {:.0} s ago: check the Audio Mixer, and Settings > Output > Audio Track",
                seconds(sound.gone_ms)
            ));
        } else if sound.silent_ms >= SILENCE_MS {
            said.push(format!(
                "{name} is silent for {:.0} s: look for a muted source in the Audio Mixer, and check the devices in Settings > Audio",
                seconds(sound.silent_ms)
            ));
        }
    }
    if signs.silent > 0 {
        said.push(format!(
            "Sound was missing for {} frames, and silence was put in: check the audio sources and the connection",
            signs.silent
        ));
    }
    if signs.late > 0 {
        said.push(format!(
            "{} sound frames came too late and were left out: set Sync Offset in Advanced Audio Properties to 0, and check the encoder's load",
            signs.late
        ));
    }
}

fn connection(signs: &Signs) -> Option<String> {
    (signs.longest_wait_ms > LONG_WAIT_MS).then(|| {
        format!(
            "Nothing arrived for up to {:.1} s: lower Settings > Output > Video Bitrate, or use a cable instead of Wi-Fi",
            seconds(signs.longest_wait_ms)
        )
    })
}

fn evenness(picture: &PictureSigns, said: &mut Vec<String>) {
    let variable = picture.frame_rate.filter(|rate| rate.uneven >= VARIABLE);
    if let Some(rate) = variable {
        said.push(format!(
            "The frame rate varies between {:.0} and {:.0} a second: set Settings > Video > Common FPS Values to one rate, and turn off \
             variable frame rate in the encoder",
            rate.lowest, rate.highest
        ));
    } else if picture.longest_hole_ms > 0 {
        said.push(format!(
            "Video stood still for up to {:.1} s: lower Settings > Output > Video Bitrate, or use a better connection",
            seconds(picture.longest_hole_ms)
        ));
    }
    if let Some(rate) = picture
        .bit_rate
        .filter(|rate| rate.highest >= SWING_KBPS && rate.highest > rate.usual * SWING)
    {
        said.push(format!(
            "The bit rate is {:.0} kb/s as a rule and {:.0} at times: set Settings > Output > Rate Control to CBR",
            rate.usual, rate.highest
        ));
    }
    let is_deep = |by: &Reordering| by.frames > DEEP_REORDERING && by.ms > DEEP_REORDERING_MS;
    if picture.reordering.as_ref().is_some_and(is_deep) {
        said.push("Many B-frames add delay: set Settings > Output > B-frames to 2 or less".to_owned());
    }
}

fn timing(signs: &Signs) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(offset) = signs.av_offset_ms.filter(|offset| offset.abs() > AV_OFFSET_MS) {
        let (late, early) = if offset > 0 {
            ("Sound", "picture")
        } else {
            ("The picture", "sound")
        };
        said.push(format!(
            "{late} comes {} ms after the {early}: set Sync Offset in Edit > Advanced Audio Properties to 0, and check the encoder's load",
            offset.abs()
        ));
    }
    let Some(ppm) = signs.clock_ppm else { return said };
    let speed = 1.0 + ppm / 1_000_000.0;
    if ppm < -REAL_TIME_PPM {
        said.push(format!(
            "Only {speed:.2} s of stream arrive each second, so it falls behind: lower Settings > Output > Video Bitrate, or choose a faster \
             CPU Usage Preset"
        ));
    } else if ppm > REAL_TIME_PPM {
        said.push(format!(
            "{speed:.2} s of stream arrive each second: send it in real time (with ffmpeg, -re before -i)"
        ));
    } else if ppm.abs() > CLOCK_PPM {
        let way = if ppm > 0.0 { "fast" } else { "slow" };
        said.push(format!(
            "The encoder's clock is {:.1} s an hour {way}: set Settings > Audio > Sample Rate to the rate of the sound device, and let the \
             computer set its clock by the network",
            ppm.abs() * 3600.0 / 1_000_000.0
        ));
    }
    said
}

/// How a sound is called: the first is the sound.
fn name(index: u8) -> String {
    match index {
        0 => "Sound".to_owned(),
        _ => format!("Audio track {}", u16::from(index) + 1),
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests;
