//! The clocks of a running daemon; the rules in `common` get their readings.

use std::{
    sync::LazyLock,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use common::time::{Monotonic, UnixMillis};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Time since the first call in this process.
pub fn monotonic() -> Monotonic {
    Monotonic(START.elapsed())
}

/// The machine's wall clock; a clock set before 1970 reads as 1970.
pub fn unix_millis() -> UnixMillis {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
