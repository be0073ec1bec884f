//! A publisher's side for the tests: chunks and commands written by hand, so that they can be wrong.

use super::amf0::{self, Value};
use super::message::type_id;

/// One message as chunks of `chunk_size`: a type 0 header, then type 3 ones, the extended timestamp repeated if there is one.
pub(super) fn message(chunk_size: usize, csid: u8, type_id: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = full_header(csid, type_id, timestamp, payload.len());
    let mut chunks = payload.chunks(chunk_size);
    bytes.extend(chunks.next().unwrap_or_default());
    for chunk in chunks {
        bytes.push(0xc0 | csid);
        if timestamp >= 0x00ff_ffff {
            bytes.extend(timestamp.to_be_bytes());
        }
        bytes.extend(chunk);
    }
    bytes
}

/// A type 0 header on message stream 1 (media and data) or 0.
pub(super) fn full_header(csid: u8, type_id: u8, timestamp: u32, length: usize) -> Vec<u8> {
    let mut bytes = vec![csid];
    bytes.extend(&timestamp.min(0x00ff_ffff).to_be_bytes()[1..]);
    bytes.extend(&u32::try_from(length).unwrap().to_be_bytes()[1..]);
    bytes.push(type_id);
    bytes.extend(u32::from(matches!(type_id, 8 | 9 | 18)).to_le_bytes());
    if timestamp >= 0x00ff_ffff {
        bytes.extend(timestamp.to_be_bytes());
    }
    bytes
}

/// A protocol control message of one number.
pub(super) fn control(type_id: u8, number: u32) -> Vec<u8> {
    message(128, 2, type_id, 0, &number.to_be_bytes())
}

/// A command with a null command object.
pub(super) fn command(chunk_size: usize, name: &str, transaction: f64, arguments: &[Value]) -> Vec<u8> {
    let mut values = vec![Value::string(name), Value::Number(transaction), Value::Null];
    values.extend_from_slice(arguments);
    message(chunk_size, 3, type_id::COMMAND_AMF0, 0, &amf0::encode(&values))
}

/// `connect` to `app`, with the properties that OBS 29 sends.
pub(super) fn connect(chunk_size: usize, app: &str) -> Vec<u8> {
    let properties = [
        ("app", Value::string(app)),
        ("type", Value::string("nonprivate")),
        ("supportsGoAway", Value::Boolean(true)),
        ("flashVer", Value::string("FMLE/3.0 (compatible; FMSc/1.0)")),
        ("swfUrl", Value::string("rtmp://127.0.0.1/live")),
        ("tcUrl", Value::string("rtmp://127.0.0.1/live")),
    ];
    let object = Value::Object(
        properties
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    );
    let values = [Value::string("connect"), Value::Number(1.0), object];
    message(chunk_size, 3, type_id::COMMAND_AMF0, 0, &amf0::encode(&values))
}

/// `publish` of a key on message stream 1, where encoders send it.
pub(super) fn publish(chunk_size: usize, name: &str) -> Vec<u8> {
    command(
        chunk_size,
        "publish",
        5.0,
        &[Value::string(name), Value::string("live")],
    )
}
