//! Any bytes as the body of a command: decoded within the bounds or refused, and what was decoded survives encoding.

#![no_main]

use common::rtmp::amf0::{self, MAX_VALUES};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(values) = amf0::decode(bytes) {
        assert!(values.len() <= MAX_VALUES);
        let encoded = amf0::encode(&values);
        // Compared as bytes: a number that is no number does not equal itself.
        let again = amf0::decode(&encoded).map(|values| amf0::encode(&values));
        assert_eq!(again, Ok(encoded));
    }
});
