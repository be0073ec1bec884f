//! The answers to a publisher's commands, in the words that OBS, ffmpeg and FMLE-like encoders wait for.
//!
//! A refusal is an `onStatus` with a code that OBS knows: at an `_error` to `publish` OBS goes on waiting, at these codes it tells
//! the streamer that the key is wrong.

use super::amf0::Value;

/// The message stream id that every `createStream` gets: a connection has one stream.
pub const STREAM_ID: u32 = 1;
/// What is carried, by the names of Enhanced RTMP v2.
const VIDEO_FOURCCS: [&str; 4] = ["avc1", "hvc1", "av01", "vp09"];
const AUDIO_FOURCCS: [&str; 5] = ["mp4a", "Opus", "fLaC", "ac-3", "ec-3"];
/// `capsEx` bits of Enhanced RTMP v2: several tracks are taken, packets with ModEx prefixes are understood.
const CAPS_MULTITRACK: u8 = 2;
const CAPS_MOD_EX: u8 = 4;
/// FourCC info map bit of Enhanced RTMP v2: forwarded as it is.
const CAN_FORWARD: f64 = 4.0;

/// Why a publication is refused. The encoder gets the same code for all, [`Refusal::description`] tells them apart in its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No room has this key.
    #[error("unknown stream key")]
    UnknownKey,
    /// Another publisher holds the room.
    #[error("another publisher is live")]
    Busy,
    /// Nobody can tell at the moment: the database is away, or the origin is stopping.
    #[error("not available")]
    Unavailable,
}

impl Refusal {
    /// For the encoder's log.
    pub fn description(self) -> &'static str {
        match self {
            Self::UnknownKey => "Stream key is not valid.",
            Self::Busy => "Another publisher is live in this room.",
            Self::Unavailable => "The server cannot take a stream now, try again.",
        }
    }
}

/// `_result` to `connect`, with what of Enhanced RTMP is true here. Said to all: OBS asks for nothing and sends what it likes.
pub fn connect_accepted(transaction: f64) -> Vec<Value> {
    let forwards = |fourccs: &[&str]| {
        let forwards = fourccs
            .iter()
            .map(|fourcc| ((*fourcc).to_owned(), Value::Number(CAN_FORWARD)));
        Value::Object(forwards.collect())
    };
    let fourccs = VIDEO_FOURCCS.iter().chain(&AUDIO_FOURCCS);
    let properties = object([
        ("fmsVer", Value::string("FMS/3,5,3,888")),
        ("capabilities", Value::Number(127.0)),
        ("mode", Value::Number(1.0)),
    ]);
    let information = object([
        ("level", Value::string("status")),
        ("code", Value::string("NetConnection.Connect.Success")),
        ("description", Value::string("Connection succeeded.")),
        ("objectEncoding", Value::Number(0.0)),
        (
            "fourCcList",
            Value::Array(fourccs.map(|fourcc| Value::string(fourcc)).collect()),
        ),
        ("videoFourCcInfoMap", forwards(&VIDEO_FOURCCS)),
        ("audioFourCcInfoMap", forwards(&AUDIO_FOURCCS)),
        ("capsEx", Value::Number(f64::from(CAPS_MULTITRACK | CAPS_MOD_EX))),
    ]);
    vec![
        Value::string("_result"),
        Value::Number(transaction),
        properties,
        information,
    ]
}

/// Answers to a `connect` to an app that is not ours: the `_error` of the specification, which ffmpeg reports, and an `onStatus`,
/// at which OBS gives up instead of waiting.
pub fn connect_invalid_app(transaction: f64) -> [Vec<Value>; 2] {
    let (code, description) = (
        "NetConnection.Connect.InvalidApp",
        "No such application: publish to /live.",
    );
    [
        vec![
            Value::string("_error"),
            Value::Number(transaction),
            Value::Null,
            information("error", code, description),
        ],
        on_status("error", code, description),
    ]
}

/// `_result` to `createStream`.
pub fn stream_created(transaction: f64) -> Vec<Value> {
    vec![
        Value::string("_result"),
        Value::Number(transaction),
        Value::Null,
        Value::Number(STREAM_ID.into()),
    ]
}

/// `_result` to `releaseStream` and `FCPublish`: nothing to say, but some hardware encoders wait for it.
pub fn done(transaction: f64) -> Vec<Value> {
    vec![
        Value::string("_result"),
        Value::Number(transaction),
        Value::Null,
        Value::Undefined,
    ]
}

/// The publication is accepted: media may come.
pub fn publish_started() -> Vec<Value> {
    on_status("status", "NetStream.Publish.Start", "Publishing.")
}

/// The publication is refused.
pub fn publish_refused(refusal: Refusal) -> Vec<Value> {
    on_status("error", "NetStream.Publish.BadName", refusal.description())
}

/// Viewers do not watch by RTMP.
pub fn play_refused() -> Vec<Value> {
    on_status("error", "NetStream.Play.Failed", "Playing by RTMP is not offered.")
}

fn on_status(level: &str, code: &str, description: &str) -> Vec<Value> {
    vec![
        Value::string("onStatus"),
        Value::Number(0.0),
        Value::Null,
        information(level, code, description),
    ]
}

fn information(level: &str, code: &str, description: &str) -> Value {
    object([
        ("level", Value::string(level)),
        ("code", Value::string(code)),
        ("description", Value::string(description)),
    ])
}

fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    Value::Object(
        properties
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}
