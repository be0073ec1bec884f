//! `onMetaData`: what the publisher says of its stream.

use crate::{
    media::access_unit::StreamMetadata,
    rtmp::amf0::{self, Value},
};

/// Longest encoder name that is kept, characters.
const MAX_ENCODER_LEN: usize = 128;

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
    let (video, audio) = (properties.property("videocodecid"), properties.property("audiocodecid"));
    // One codec alone says that the other track is missing; none at all says nothing.
    let names_codecs = video.is_some() || audio.is_some();
    Some(StreamMetadata {
        encoder: properties
            .property("encoder")
            .and_then(Value::as_str)
            .and_then(printable),
        frame_rate: number("framerate"),
        video_kbps: number("videodatarate"),
        audio_kbps: number("audiodatarate"),
        has_video: names_codecs.then_some(video.is_some()),
        has_audio: names_codecs.then_some(audio.is_some()),
        audio_tracks: Vec::new(),
    })
}

/// A name that can be shown on a dashboard and in a log.
fn printable(text: &str) -> Option<String> {
    let name: String = text.chars().filter(|c| !c.is_control()).take(MAX_ENCODER_LEN).collect();
    (!name.is_empty()).then_some(name)
}
