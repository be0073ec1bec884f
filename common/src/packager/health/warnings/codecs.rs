//! What is to be said of codecs: those that are not carried, those that cannot be read, and those that not every viewer can play.

use super::{SoundSigns, name};
use crate::{
    media::access_unit::{Codec, MAX_AUDIO_TRACKS, TrackId, TrackKind},
    packager::health::left_out::{LeftOut, Why},
};

pub(super) fn left_out(LeftOut { track, why }: &LeftOut) -> String {
    match why {
        Why::Unsupported(codec) => unsupported(*track, codec),
        Why::Unreadable(codec) => unreadable(*track, *codec),
        Why::Outdated(codec) => outdated(*track, *codec),
        Why::Unconfigured => match track.kind {
            TrackKind::Video => "The picture comes without a description that can be read, and is left out: set Settings > Output > Video \
                 Encoder to H.264, and start the stream again"
                .to_owned(),
            TrackKind::Audio => format!(
                "{} comes without a description that can be read, and is left out: set Settings > Output > Audio Encoder to AAC, and start \
                 the stream again",
                name(track.index)
            ),
        },
    }
}

fn unsupported(track: TrackId, codec: &str) -> String {
    match track.kind {
        TrackKind::Video if track.index > 0 => {
            "A second picture is not carried: turn off multitrack video in Settings > Stream".to_owned()
        }
        TrackKind::Audio if track.index >= MAX_AUDIO_TRACKS => format!(
            "{} is not carried, at most {MAX_AUDIO_TRACKS} are: choose fewer in Settings > Output > Audio Track",
            name(track.index)
        ),
        TrackKind::Video => {
            format!(
                "The picture is in {codec}, which cannot be carried: set Settings > Output > Video Encoder to H.264"
            )
        }
        TrackKind::Audio => format!(
            "{} is in {codec}, which cannot be carried: set Settings > Output > Audio Encoder to AAC",
            name(track.index)
        ),
    }
}

fn unreadable(track: TrackId, codec: Codec) -> String {
    match (track.kind, codec) {
        (TrackKind::Video, Codec::H264) => {
            "This kind of H.264 cannot be read, and the picture is left out: choose another H.264 encoder in Settings > Output > Video \
             Encoder, x264 for one"
                .to_owned()
        }
        (TrackKind::Video, _) => format!(
            "This kind of {} cannot be read, and the picture is left out: set Settings > Output > Video Encoder to H.264",
            codec.name()
        ),
        (TrackKind::Audio, Codec::Aac) => format!(
            "{} is in a kind of AAC that cannot be carried: set Settings > Output > Audio Encoder to FFmpeg AAC, which is AAC-LC",
            name(track.index)
        ),
        (TrackKind::Audio, _) => format!(
            "{} is in a kind of {} that cannot be read: set Settings > Output > Audio Encoder to AAC",
            name(track.index),
            codec.name()
        ),
    }
}

fn outdated(track: TrackId, codec: Codec) -> String {
    let what = match track.kind {
        TrackKind::Video => "The picture".to_owned(),
        TrackKind::Audio => name(track.index),
    };
    format!(
        "{what} changed into a kind of {} that cannot be read, and viewers get it as if it had not: if they see or hear it badly, start \
         the stream again",
        codec.name()
    )
}

pub(super) fn picture_codec(codec: &str) -> Option<String> {
    let (family, detail) = codec.split_once('.').unwrap_or((codec, ""));
    let profile = detail.get(..2).unwrap_or_default().to_ascii_lowercase();
    match (family, profile.as_str()) {
        ("hvc1" | "hev1", _) => Some(
            "HEVC does not play in many browsers, Firefox and older Chrome among them: set Settings > Output > Video Encoder to H.264"
                .to_owned(),
        ),
        ("av01", _) => Some(
            "AV1 does not play on most Apple devices: set Settings > Output > Video Encoder to H.264 if somebody has no picture".to_owned(),
        ),
        ("vp09", _) => Some(
            "VP9 does not play on many iPhones and iPads: set Settings > Output > Video Encoder to H.264 if somebody has no picture"
                .to_owned(),
        ),
        ("avc1" | "avc3", "6e" | "7a" | "f4") => Some(
            "This H.264 has more than 8 bits or 4:2:0 colours, which browsers do not play: set Settings > Advanced > Color Format to NV12"
                .to_owned(),
        ),
        _ => None,
    }
}

pub(super) fn sound_codec(sound: &SoundSigns) -> Option<String> {
    let name = name(sound.index);
    let (codec, where_not, if_need_be) = match sound.codec.as_str() {
        "ac-3" => ("AC-3", "does not play in most browsers", ""),
        "ec-3" => ("E-AC-3", "does not play in most browsers", ""),
        "fLaC" => ("FLAC", "does not play in every browser", ""),
        "opus" => (
            "Opus",
            "does not play in older Safari, on iPhones and Macs before 2023",
            " if somebody hears nothing",
        ),
        "mp4a.40.1" => ("AAC Main", "does not play in every browser", ""),
        "mp4a.40.4" => ("AAC-LTP", "does not play in every browser", ""),
        _ => return None,
    };
    Some(format!(
        "{name} is in {codec}, which {where_not}: set Settings > Output > Audio Encoder to AAC{if_need_be}"
    ))
}
