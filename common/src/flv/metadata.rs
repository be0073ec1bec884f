//! `onMetaData`: what the publisher says of its stream.

use crate::{
    live::description::is_language,
    media::access_unit::{AudioTrackLabel, MAX_AUDIO_TRACKS, StreamMetadata},
    rtmp::amf0::{self, Value},
};

/// Longest encoder name that is kept, characters.
const MAX_ENCODER_LEN: usize = 128;

/// Longest name of an audio track that is kept, characters: as long as a description may have it.
const MAX_LABEL_LEN: usize = 64;

/// Reads a script tag, with `@setDataFrame` before the name or without. `None` when it is something else or cannot be read: metadata
/// is a hint, and a stream does not fail for want of it.
pub(super) fn parse(body: &[u8]) -> Option<StreamMetadata> {
    let values = amf0::decode(body).ok()?;
    let values = match &values[..] {
        [first, rest @ ..] if first.as_str() == Some("@setDataFrame") => rest,
        values => values,
    };
    let [name, properties @ Value::Object(_), ..] = values else {
        return None;
    };
    if name.as_str() != Some("onMetaData") {
        return None;
    }
    let number = |name| {
        properties
            .property(name)?
            .as_number()
            .filter(|number| number.is_finite() && *number >= 0.0)
    };
    // No picture has the number 0. Servers write it where there is none, and nginx-rtmp also for a codec that it does not know the number of.
    let has_size = ["width", "height"].iter().any(|side| number(side) > Some(0.0));
    let video = properties
        .property("videocodecid")
        .filter(|id| has_size || id.as_number() != Some(0.0));
    let audio = properties.property("audiocodecid");
    // One codec alone says that the other track is missing; none at all says nothing.
    let names_codecs = video.is_some() || audio.is_some();
    Some(StreamMetadata {
        encoder: properties
            .property("encoder")
            .and_then(Value::as_str)
            .and_then(|name| plain(name, MAX_ENCODER_LEN)),
        frame_rate: number("framerate"),
        video_kbps: number("videodatarate"),
        audio_kbps: number("audiodatarate"),
        has_video: names_codecs.then_some(video.is_some()),
        has_audio: names_codecs.then_some(audio.is_some()),
        audio_tracks: audio_tracks(properties),
    })
}

/// Names and languages. The track object of Enhanced RTMP is open to any property, and these are the ones in use; the first track
/// is described by the metadata itself.
fn audio_tracks(properties: &Value) -> Vec<AudioTrackLabel> {
    let tracks = properties.property("audioTrackIdInfoMap");
    let label = |index: u8| {
        let own = tracks.and_then(|tracks| tracks.property(&index.to_string()));
        let of_track = |names: &[&str]| names.iter().find_map(|name| own?.property(name)?.as_str());
        let of_stream = |name: &str| (index == 0).then(|| properties.property(name)?.as_str()).flatten();
        let name = of_track(&["name", "title", "label", "trackName"]).and_then(|name| plain(name, MAX_LABEL_LEN));
        let language = of_track(&["language", "lang"]).or_else(|| of_stream("audioLanguage"));
        let language = language.map(str::to_owned).filter(|tag| is_language(tag));
        let label = AudioTrackLabel { index, name, language };
        (label.name.is_some() || label.language.is_some()).then_some(label)
    };
    (0..MAX_AUDIO_TRACKS).filter_map(label).collect()
}

/// A name that can be shown on a dashboard and in a log.
fn plain(text: &str, most: usize) -> Option<String> {
    let shown = |c: &char| !c.is_control() && *c != '"';
    let name: String = text.trim().chars().filter(shown).take(most).collect();
    (!name.is_empty()).then_some(name)
}
