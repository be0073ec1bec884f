//! A time as a JWT writes it: seconds since the Unix epoch, a fraction allowed (RFC 7519 section 2, NumericDate).
//!
//! Whole seconds are written without a fraction, so that `exp` and `nbf` are integers for everyone who reads them.

use serde::{Deserialize, Deserializer, Serializer, de::Error};

use crate::time::UnixMillis;

/// Seconds of 9999-12-31T23:59:59Z: no token of ours means a later time.
const MAX_SECONDS: i64 = 253_402_300_799;

#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Whole(i64),
    Fraction(f64),
}

pub(super) fn serialize<S: Serializer>(at: &UnixMillis, serializer: S) -> Result<S::Ok, S::Error> {
    if at.0 % 1000 == 0 {
        serializer.serialize_i64(at.as_secs())
    } else {
        // Exact to the millisecond: the calendar's milliseconds fit into 48 bits.
        serializer.serialize_f64(at.0 as f64 / 1000.0)
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixMillis, D::Error> {
    match Seconds::deserialize(deserializer)? {
        Seconds::Whole(seconds) if (0..=MAX_SECONDS).contains(&seconds) => Ok(UnixMillis(seconds * 1000)),
        Seconds::Fraction(seconds) if (0.0..=MAX_SECONDS as f64).contains(&seconds) => {
            Ok(UnixMillis((seconds * 1000.0).round() as i64))
        }
        _ => Err(D::Error::custom("no time between 1970 and 9999")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Claim(#[serde(with = "super")] UnixMillis);

    proptest! {
        #[test]
        fn a_time_reads_back_to_the_millisecond(ms in 0_i64..=MAX_SECONDS * 1000) {
            let text = serde_json::to_string(&Claim(UnixMillis(ms))).unwrap();
            prop_assert_eq!(serde_json::from_str::<Claim>(&text).unwrap(), Claim(UnixMillis(ms)));
        }
    }

    #[test]
    fn whole_seconds_are_written_as_an_integer() {
        assert_eq!(
            serde_json::to_string(&Claim(UnixMillis(1_795_341_600_000))).unwrap(),
            "1795341600"
        );
    }

    #[test]
    fn a_time_out_of_the_calendar_is_refused() {
        for text in ["-1", "1e300", "9223372036854775807", "253402300800", "\"5\"", "null"] {
            assert!(serde_json::from_str::<Claim>(text).is_err(), "{text}");
        }
    }
}
