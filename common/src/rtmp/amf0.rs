//! AMF0 (Adobe "Action Message Format -- AMF 0", 2007): the values of commands and metadata, decoded within fixed bounds.
//!
//! Ours rather than `rml_amf0` behind a guard: a guard has to walk every value anyway, and this walk also takes the types which
//! that crate gives up at (date, long string, XML, typed object, reference), so an encoder that sends a date in its metadata
//! keeps its session. AMF3 is not here; RTMP peers that announce it still send AMF0 in their commands.

use std::borrow::Cow;

/// Deepest nesting of objects and arrays; a value of a message that is no container has depth 0.
pub const MAX_DEPTH: usize = 8;
/// Most values in one message, the nested ones counted.
pub const MAX_VALUES: usize = 512;
/// Most elements of one array, or properties of one object.
pub const MAX_ELEMENTS: usize = 256;

/// One AMF0 value. Objects keep the order of their properties; ECMA arrays and typed objects are objects too.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Number(f64),
    Boolean(bool),
    /// Also long strings and XML. Bytes that are no UTF-8 come as U+FFFD.
    String(String),
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    /// Milliseconds since the Unix epoch.
    Date(f64),
    Null,
    /// Also references, which are not followed (they would let a short message grow), and the type "unsupported".
    Undefined,
}

impl Value {
    /// A string value.
    pub fn string(text: &str) -> Self {
        Self::String(text.to_owned())
    }

    /// The text, when this is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The number, when this is one.
    pub fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// The first property of that name, when this is an object that has it.
    pub fn property(&self, name: &str) -> Option<&Self> {
        let Self::Object(properties) = self else { return None };
        properties.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// Why bytes are no AMF0 that we take. `offset` is where in the message the value or field begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Amf0Error {
    #[error("AMF0 ends too early, at offset {offset}")]
    Truncated { offset: usize },
    #[error("AMF0 type {marker:#04x} at offset {offset} is not accepted")]
    Marker { marker: u8, offset: usize },
    #[error("AMF0 is nested deeper than {MAX_DEPTH}, at offset {offset}")]
    TooDeep { offset: usize },
    #[error("AMF0 has more than {MAX_VALUES} values, at offset {offset}")]
    TooManyValues { offset: usize },
    #[error("an AMF0 object or array has more than {MAX_ELEMENTS} elements, at offset {offset}")]
    TooManyElements { offset: usize },
}

const NUMBER: u8 = 0x00;
const BOOLEAN: u8 = 0x01;
const STRING: u8 = 0x02;
const OBJECT: u8 = 0x03;
const NULL: u8 = 0x05;
const UNDEFINED: u8 = 0x06;
const REFERENCE: u8 = 0x07;
const ECMA_ARRAY: u8 = 0x08;
const OBJECT_END: u8 = 0x09;
const STRICT_ARRAY: u8 = 0x0a;
const DATE: u8 = 0x0b;
const LONG_STRING: u8 = 0x0c;
const UNSUPPORTED: u8 = 0x0d;
const XML: u8 = 0x0f;
const TYPED_OBJECT: u8 = 0x10;

/// Decodes a message body: values one after the other to the end of `bytes`.
///
/// # Errors
/// The bytes end within a value, hold a type that is none of ours (AMF3, movie clip, record set), or pass one of the bounds above.
pub fn decode(bytes: &[u8]) -> Result<Vec<Value>, Amf0Error> {
    let mut decoder = Decoder {
        bytes,
        at: 0,
        values: 0,
    };
    let mut values = Vec::new();
    while decoder.at < bytes.len() {
        values.push(decoder.value(0)?);
    }
    Ok(values)
}

/// The AMF0 in a message typed AMF3: all encoders known put a zero byte in front and then AMF0. The zero is also the marker of a
/// number, with which no command or data message begins, so this can be asked of any message.
pub fn behind_amf3_marker(payload: &[u8]) -> &[u8] {
    payload.strip_prefix(&[0]).unwrap_or(payload)
}

struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    values: usize,
}

impl<'a> Decoder<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Amf0Error> {
        let taken = self.bytes[self.at..]
            .get(..count)
            .ok_or(Amf0Error::Truncated { offset: self.at })?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Amf0Error> {
        Ok(self.take(N)?.try_into().expect("`take` returned exactly N bytes"))
    }

    fn short_text(&mut self) -> Result<Cow<'a, str>, Amf0Error> {
        let length = u16::from_be_bytes(self.array()?);
        Ok(String::from_utf8_lossy(self.take(usize::from(length))?))
    }

    fn long_text(&mut self) -> Result<Cow<'a, str>, Amf0Error> {
        let length = u32::from_be_bytes(self.array()?) as usize;
        Ok(String::from_utf8_lossy(self.take(length)?))
    }

    fn value(&mut self, depth: usize) -> Result<Value, Amf0Error> {
        let offset = self.at;
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(Amf0Error::TooManyValues { offset });
        }
        let [marker] = self.array()?;
        if matches!(marker, OBJECT | ECMA_ARRAY | STRICT_ARRAY | TYPED_OBJECT) && depth >= MAX_DEPTH {
            return Err(Amf0Error::TooDeep { offset });
        }
        Ok(match marker {
            NUMBER => Value::Number(f64::from_be_bytes(self.array()?)),
            BOOLEAN => Value::Boolean(self.array::<1>()? != [0]),
            STRING => Value::String(self.short_text()?.into_owned()),
            LONG_STRING | XML => Value::String(self.long_text()?.into_owned()),
            DATE => {
                let milliseconds = f64::from_be_bytes(self.array()?);
                self.take(2)?; // A time zone, reserved: to be ignored.
                Value::Date(milliseconds)
            }
            NULL => Value::Null,
            UNDEFINED | UNSUPPORTED => Value::Undefined,
            REFERENCE => {
                self.take(2)?;
                Value::Undefined
            }
            OBJECT => Value::Object(self.properties(depth)?),
            ECMA_ARRAY => {
                self.take(4)?; // A count, which encoders get wrong: the end marker counts.
                Value::Object(self.properties(depth)?)
            }
            TYPED_OBJECT => {
                self.short_text()?;
                Value::Object(self.properties(depth)?)
            }
            STRICT_ARRAY => {
                let count = u32::from_be_bytes(self.array()?) as usize;
                if count > MAX_ELEMENTS {
                    return Err(Amf0Error::TooManyElements { offset });
                }
                let mut elements = Vec::new();
                for _ in 0..count {
                    elements.push(self.value(depth + 1)?);
                }
                Value::Array(elements)
            }
            marker => return Err(Amf0Error::Marker { marker, offset }),
        })
    }

    fn properties(&mut self, depth: usize) -> Result<Vec<(String, Value)>, Amf0Error> {
        let offset = self.at;
        let mut properties = Vec::new();
        loop {
            let name = self.short_text()?;
            if name.is_empty() && self.bytes.get(self.at) == Some(&OBJECT_END) {
                self.at += 1;
                return Ok(properties);
            }
            if properties.len() == MAX_ELEMENTS {
                return Err(Amf0Error::TooManyElements { offset });
            }
            let value = self.value(depth + 1)?;
            properties.push((name.into_owned(), value));
        }
    }
}

/// Encodes the values one after the other. Names longer than 65,535 bytes are cut; text that long is written as a long string.
pub fn encode(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        encode_value(&mut out, value);
    }
    out
}

fn encode_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Number(number) => {
            out.push(NUMBER);
            out.extend(number.to_be_bytes());
        }
        Value::Boolean(truth) => out.extend([BOOLEAN, u8::from(*truth)]),
        Value::String(text) => match u16::try_from(text.len()) {
            Ok(length) => {
                out.push(STRING);
                out.extend(length.to_be_bytes());
                out.extend(text.as_bytes());
            }
            Err(_) => {
                out.push(LONG_STRING);
                out.extend(wire_count(text.len()));
                out.extend(text.as_bytes());
            }
        },
        Value::Object(properties) => {
            out.push(OBJECT);
            for (name, value) in properties {
                let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
                out.extend(length.to_be_bytes());
                out.extend(&name.as_bytes()[..usize::from(length)]);
                encode_value(out, value);
            }
            out.extend([0, 0, OBJECT_END]);
        }
        Value::Array(elements) => {
            out.push(STRICT_ARRAY);
            out.extend(wire_count(elements.len()));
            for element in elements {
                encode_value(out, element);
            }
        }
        Value::Date(milliseconds) => {
            out.push(DATE);
            out.extend(milliseconds.to_be_bytes());
            out.extend([0, 0]);
        }
        Value::Null => out.push(NULL),
        Value::Undefined => out.push(UNDEFINED),
    }
}

fn wire_count(count: usize) -> [u8; 4] {
    u32::try_from(count)
        .expect("what we send is far below 4 GiB")
        .to_be_bytes()
}

#[cfg(test)]
mod tests;
