//! How much a publisher may send for each second of its film, so that what a room holds is bounded in bytes and not in time alone.
//!
//! A window lists and keeps media by their timestamps, which are the publisher's word: pictures of one time would be kept for ever. So bytes
//! are paid for with progress of the session clock, which stands still where timestamps do and goes on by the wall clock over breaks. Who
//! runs ahead of the wall clock is slowed where its socket is read ([`crate::rtmp::pace`]). With both, a room of the usual two-second
//! segments, which lists 50 s and keeps for a minute what left the list, holds 1.7 GB at the very most, and one of twelve-second segments,
//! which lists 100 s, 3.2 GB. An honest stream of 6 Mb a second holds a twentieth of that.

/// The most that is carried on and on, megabits a second.
pub(super) const MOST_MEGABITS: u64 = 100;
const BYTES_PER_MS: u64 = MOST_MEGABITS * 1_000_000 / 8 / 1000;

/// So much may be sent at once, in bytes: key frames are large, and a bit rate has peaks.
const BURST: u64 = 64 << 20;

/// What an access unit costs at least, in bytes: it takes memory and time beside its payload.
const LEAST: u64 = 1 << 10;

#[derive(Default)]
pub(super) struct Budget {
    /// What was sent less what time has paid for.
    spent: u64,
    latest_ms: i64,
}

impl Budget {
    /// Pays for an access unit of a session time. False: it cannot be paid for, and is not to be kept.
    pub(super) fn pays(&mut self, at_ms: i64, bytes: usize) -> bool {
        let progress = u64::try_from(at_ms - self.latest_ms).unwrap_or(0);
        self.latest_ms = self.latest_ms.max(at_ms);
        self.spent = self.spent.saturating_sub(progress.saturating_mul(BYTES_PER_MS));
        let cost = LEAST.max(bytes as u64);
        let is_paid = self.spent + cost <= BURST;
        if is_paid {
            self.spent += cost;
        }
        is_paid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends for a minute of film; the milliseconds of the first unit that is not paid for.
    fn refused(units_a_second: i64, bytes: usize) -> Option<i64> {
        let mut budget = Budget::default();
        let units = (0..60 * units_a_second).map(|unit| 10_000 + unit * 1000 / units_a_second);
        units.into_iter().find(|&at_ms| !budget.pays(at_ms, bytes))
    }

    #[test]
    fn a_hundred_megabits_a_second_are_carried_and_half_as_much_again_are_not() {
        assert_eq!(refused(50, 250_000), None);
        let refused = refused(50, 375_000).unwrap();
        assert!((19_000..22_000).contains(&refused), "{refused}");
    }

    #[test]
    fn time_that_stands_still_pays_for_nothing() {
        let mut budget = Budget::default();
        let taken = (0..1_000).filter(|_| budget.pays(10_000, 8 << 20)).count();
        assert_eq!(taken, 8);
        assert!(!budget.pays(9_000, 8 << 20), "nor does time that goes back");
        assert!(budget.pays(10_700, 8 << 20));
        assert!(!budget.pays(10_700, 8 << 20));
    }

    #[test]
    fn empty_frames_are_counted_too() {
        let mut budget = Budget::default();
        assert_eq!((0..1_000_000).filter(|_| budget.pays(10_000, 1)).count(), 65_536);
    }

    #[test]
    fn an_hour_of_silence_pays_for_no_more_than_a_burst() {
        let mut budget = Budget::default();
        assert!(budget.pays(10_000, 1));
        let taken = (0..100).filter(|_| budget.pays(3_600_000, 8 << 20)).count();
        assert_eq!(taken, 8);
    }
}
