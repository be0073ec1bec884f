//! A picture that stays: encoders of screens send none while nothing moves, and sound goes on meanwhile.
//!
//! How long a picture lasts is not known before the next one comes, and until then it cannot be published. When sound tells that the next
//! one is overdue, it is published as if it ended now, and the next one is decoded from there on: decode times have no hole, and what is
//! shown when stays what it is.
//!
//! Sound may always be ahead of the pictures that it arrives with. So its clock counts less the lead that it has when pictures come.

/// A picture is overdue so long after a part's length, in milliseconds: as much as sound and picture may be out of step beyond their habit.
/// Players with three parts in hand last for that long.
const MARGIN_MS: i64 = 150;

/// So many pictures tell by how much sound is ahead of them.
const TELLING_PICTURES: u32 = 8;

/// A lead that does not come again is forgotten within so many times its length.
const LEAD_MEMORY: i64 = 16;

/// Sound that goes on by more at once, in milliseconds, says nothing of pictures: both were held up.
const LEAP_MS: i64 = 200;

/// Tells from what arrives when the newest picture is overdue to be followed by another. Times are session times in milliseconds.
pub(super) struct Still {
    /// A picture lasts for so long by right.
    part_ms: i64,
    pictures: u32,
    picture_ms: i64,
    sound_ms: Option<i64>,
    /// Of sound over pictures, the most of late, in 1/[`LEAD_MEMORY`] ms.
    lead: i64,
    /// Nothing is to be said before the next picture.
    waits: bool,
}

impl Still {
    pub(super) fn new(part_target_ms: u32) -> Self {
        Self {
            part_ms: part_target_ms.into(),
            pictures: 0,
            picture_ms: 0,
            sound_ms: None,
            lead: 0,
            waits: false,
        }
    }

    /// A picture came.
    pub(super) fn picture(&mut self, at_ms: i64) {
        let lead = self.sound_ms.map_or(0, |sound| (sound - at_ms) * LEAD_MEMORY);
        let elapsed = if self.pictures == 0 { 0 } else { at_ms - self.picture_ms };
        // Sound that comes late is never ahead.
        self.lead = lead.max(self.lead - elapsed.max(0)).max(0);
        self.picture_ms = at_ms;
        self.pictures = self.pictures.saturating_add(1);
        self.waits = false;
    }

    /// Sound came. Until when the newest picture lasts at least, if it is overdue; that is said once.
    pub(super) fn sound(&mut self, at_ms: i64) -> Option<i64> {
        let before = self.sound_ms;
        let now = before.map_or(at_ms, |before| before.max(at_ms));
        self.sound_ms = Some(now);
        self.waits |= before.is_none_or(|before| now - before > LEAP_MS);
        let until = now - self.lead / LEAD_MEMORY;
        let is_overdue = until - self.picture_ms > self.part_ms + MARGIN_MS;
        if self.waits || self.pictures < TELLING_PICTURES || !is_overdue {
            return None;
        }
        self.waits = true;
        Some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures at these times and sound each 20 ms, which arrives so much too early; when which pictures were overdue.
    fn overdue(pictures: &[i64], lead_ms: impl Fn(i64) -> i64, until_ms: i64) -> Vec<i64> {
        let mut still = Still::new(333);
        let mut overdue = Vec::new();
        let mut sound = 0;
        for now in 0..until_ms {
            while sound <= now + lead_ms(now) {
                overdue.extend(still.sound(sound));
                sound += 20;
            }
            if pictures.contains(&now) {
                still.picture(now);
            }
        }
        overdue
    }

    /// 25 a second, without those in between.
    fn without(hole: std::ops::Range<i64>) -> Vec<i64> {
        (0..250)
            .map(|frame| frame * 40)
            .filter(|at| !hole.contains(at))
            .collect()
    }

    #[test]
    fn a_second_without_pictures_is_told_by_sound_half_a_second_on() {
        // The newest one is of 3960 ms.
        assert_eq!(overdue(&without(4000..5000), |_| 0, 10_000), [4460]);
    }

    #[test]
    fn sound_that_is_always_ahead_tells_no_sooner() {
        let told = overdue(&without(4000..5000), |_| 900, 10_000);
        assert!((4443..=4480).contains(&told[0]) && told.len() == 1, "{told:?}");
        assert!(overdue(&without(0..0), |_| 900, 10_000).is_empty());
    }

    #[test]
    fn sound_ahead_by_fits_and_starts_tells_nothing() {
        let jitter = |now: i64| now * 7919 % 400;
        assert!(overdue(&without(0..0), jitter, 10_000).is_empty());
    }

    #[test]
    fn a_lead_that_is_over_is_forgotten() {
        let ahead_at_first = |now: i64| if now < 1000 { 600 } else { 0 };
        let pictures: Vec<i64> = (0..500)
            .map(|frame| frame * 40)
            .filter(|at| !(15_000..16_000).contains(at))
            .collect();
        assert_eq!(overdue(&pictures, ahead_at_first, 20_000).len(), 1);
    }

    #[test]
    fn a_publisher_that_sends_nothing_for_a_while_has_held_up_both() {
        let mut still = Still::new(333);
        for at in 0..50 {
            still.picture(at * 40);
            assert_eq!(still.sound(at * 40), None);
        }
        for at in [3000, 3020, 3040] {
            assert_eq!(still.sound(at), None);
        }
        still.picture(3000);
        assert_eq!(still.sound(3060), None);
    }
}
