//! The two times that are handed to the rules.

use std::{
    fmt::Write as _,
    ops::{Add, Sub},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// A reading of a monotonic clock: time since some start of the caller's. For time-outs, never shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Monotonic(pub Duration);

impl Monotonic {
    /// Time gone by since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Monotonic {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }
}

impl Sub<Duration> for Monotonic {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration))
    }
}

/// Milliseconds since the Unix epoch, UTC: what people, tokens and PROGRAM-DATE-TIME see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// Whole seconds, rounded down: the unit of a JWT's `exp` and `nbf`.
    pub fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// RFC 3339 UTC with milliseconds, as in `2026-11-22T10:00:00.000Z`; a time out of the calendar's range is clamped.
    pub fn to_rfc3339(self) -> String {
        let mut text = String::with_capacity(24);
        self.write_rfc3339(&mut text);
        text
    }

    /// Appends what [`UnixMillis::to_rfc3339`] gives.
    pub fn write_rfc3339(self, text: &mut String) {
        let clamped = self.0.clamp(0, MAX_UNIX_MILLIS);
        let at = time::OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(clamped);
        // Writing to a `String` cannot fail.
        let _ = write!(
            text,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        );
    }
}

/// 9999-12-31T23:59:59.999Z.
const MAX_UNIX_MILLIS: i64 = 253_402_300_799_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_milliseconds_and_z() {
        assert_eq!(UnixMillis(1_795_341_600_007).to_rfc3339(), "2026-11-22T10:00:00.007Z");
    }
}
