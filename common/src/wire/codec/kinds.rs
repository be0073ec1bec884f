//! Which kinds a frame type knows, asked of its `Deserialize` so that no list has to be kept beside it.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeOwned, Visitor},
    forward_to_deserialize_any,
};

/// Whether the payload's kind is one of the enum `T`. A payload too short to have a kind counts as known: reading it tells what
/// is wrong with it. So does any `T` that is not an enum.
pub(super) fn is_known<T: DeserializeOwned>(payload: &[u8]) -> bool {
    let Ok((kind, _)) = postcard::take_from_bytes::<u32>(payload) else {
        return true;
    };
    match T::deserialize(Probe) {
        Err(Answer { kinds: Some(kinds) }) => (kind as usize) < kinds,
        _ => true,
    }
}

/// A format without a value: it only looks at what it is asked for.
struct Probe;

/// How many kinds there are, carried as the "error" of [`Probe`].
#[derive(Debug)]
struct Answer {
    kinds: Option<usize>,
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Answer;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Answer> {
        Err(Answer { kinds: None })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Answer> {
        Err(Answer {
            kinds: Some(variants.len()),
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl serde::de::Error for Answer {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self { kinds: None }
    }
}

impl std::error::Error for Answer {}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no value to read")
    }
}
