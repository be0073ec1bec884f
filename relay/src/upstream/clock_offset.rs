//! The origin's clock as seen from here: the exchange with the shortest round trip tells it best.

use std::{collections::VecDeque, time::Duration};

use common::time::{Monotonic, UnixMillis};

/// Exchanges that are compared; at one every 2 s, about half a minute, in which clocks do not drift apart by much.
const SAMPLES: usize = 16;
/// An exchange that took longer says too little.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(10);

/// One exchange.
#[derive(Clone, Copy, Debug)]
struct Sample {
    round_trip_micros: i64,
    /// Microseconds since the Unix epoch at the origin when the clock here read zero.
    offset_micros: i64,
}

/// Estimates the origin's clock from pings.
#[derive(Debug, Default)]
pub struct ClockOffset {
    samples: VecDeque<Sample>,
    /// The samples are of an earlier connection.
    is_stale: bool,
}

impl ClockOffset {
    /// Takes an answered ping: sent at `sent`, answered at once `now`; `t1` and `t2` are the origin's microseconds since the Unix
    /// epoch when it came there and when the answer left.
    pub fn take(&mut self, sent: Monotonic, now: Monotonic, t1: i64, t2: i64) {
        let (sent, received) = (micros(sent), micros(now));
        let stay = t2.saturating_sub(t1);
        let round_trip_micros = received.saturating_sub(sent).saturating_sub(stay);
        let is_sound = stay >= 0 && (0..=MAX_ROUND_TRIP.as_micros() as i64).contains(&round_trip_micros);
        if !is_sound {
            return;
        }
        let offset_micros = (i128::from(t1) + i128::from(t2) - i128::from(sent) - i128::from(received)) / 2;
        let Ok(offset_micros) = i64::try_from(offset_micros) else {
            return;
        };
        if std::mem::take(&mut self.is_stale) {
            self.samples.clear();
        }
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample {
            round_trip_micros,
            offset_micros,
        });
    }

    /// Another connection, perhaps to another machine: what was learned counts until its first answer.
    pub fn restart(&mut self) {
        self.is_stale = true;
    }

    /// Milliseconds since the Unix epoch at the origin; `None` before the first answer.
    pub fn origin_time(&self, now: Monotonic) -> Option<UnixMillis> {
        let offset = self.best()?.offset_micros;
        Some(UnixMillis(offset.saturating_add(micros(now)).div_euclid(1000)))
    }

    /// The shortest round trip of late.
    pub fn round_trip(&self) -> Option<Duration> {
        let micros = self.best()?.round_trip_micros;
        u64::try_from(micros).ok().map(Duration::from_micros)
    }

    fn best(&self) -> Option<&Sample> {
        self.samples.iter().min_by_key(|sample| sample.round_trip_micros)
    }
}

fn micros(at: Monotonic) -> i64 {
    i64::try_from(at.0.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_341_600_000_000;

    fn at(millis: u64) -> Monotonic {
        Monotonic(Duration::from_millis(millis))
    }

    #[test]
    fn the_exchange_with_the_shortest_round_trip_counts() {
        let mut clock = ClockOffset::default();
        assert_eq!(clock.origin_time(at(0)), None);
        // Noon at the origin is zero here. The first answer is held up on its way back by 80 ms.
        clock.take(at(1000), at(1100), NOON + 1_010_000, NOON + 1_010_000);
        assert_eq!(clock.origin_time(at(2000)), Some(UnixMillis((NOON + 1_960_000) / 1000)));
        clock.take(at(2000), at(2020), NOON + 2_010_000, NOON + 2_010_000);
        assert_eq!(clock.origin_time(at(3000)), Some(UnixMillis((NOON + 3_000_000) / 1000)));
        clock.take(at(3000), at(3400), NOON + 3_010_000, NOON + 3_010_000);
        assert_eq!(clock.origin_time(at(4000)), Some(UnixMillis((NOON + 4_000_000) / 1000)));
        assert_eq!(clock.round_trip(), Some(Duration::from_millis(20)));
    }

    #[test]
    fn an_old_sample_gives_way_to_a_drifting_clock() {
        let mut clock = ClockOffset::default();
        clock.take(at(0), at(1), NOON, NOON);
        for ping in 1..=SAMPLES as u64 {
            let sent = ping * 2000;
            let there = NOON + sent as i64 * 1000 + 50_000;
            clock.take(at(sent), at(sent + 10), there + 5000, there + 5000);
        }
        assert_eq!(clock.origin_time(at(0)), Some(UnixMillis((NOON + 50_000) / 1000)));
    }

    #[test]
    fn another_connection_starts_anew_with_its_first_answer() {
        let mut clock = ClockOffset::default();
        clock.take(at(0), at(2), NOON, NOON);
        clock.restart();
        assert!(clock.origin_time(at(0)).is_some());
        clock.take(at(10), at(510), 260_000, 260_000);
        assert_eq!(clock.origin_time(at(0)), Some(UnixMillis(0)));
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_dropped() {
        let mut clock = ClockOffset::default();
        clock.take(at(10), at(5), NOON, NOON);
        clock.take(at(0), at(20), NOON, NOON + 30_000);
        clock.take(at(0), at(20), NOON, NOON - 1);
        clock.take(at(0), at(20), i64::MIN, i64::MAX);
        clock.take(at(0), at(60_000), NOON, NOON);
        assert_eq!(clock.origin_time(at(0)), None);
    }
}
