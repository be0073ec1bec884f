//! Reactions of a room: told one by one up to a rate, all of them counted by the second.

use std::{collections::BTreeMap, time::Duration};

use super::allowance::Allowance;
use crate::time::Monotonic;

/// Reactions a second that are told one by one.
pub const TOLD_PER_SECOND: u32 = 20;

/// How long reactions are counted before the counts are told.
pub const COUNTED_FOR: Duration = Duration::from_secs(1);

/// Most different emoji in one second's counts: the most frequent.
pub const MAX_COUNTED: usize = 100;

/// The running second.
#[derive(Debug)]
pub struct Reactions {
    told: Allowance,
    counts: BTreeMap<String, u32>,
    ends_at: Option<Monotonic>,
}

impl Default for Reactions {
    fn default() -> Self {
        Self {
            told: Allowance::new(TOLD_PER_SECOND, TOLD_PER_SECOND),
            counts: BTreeMap::new(),
            ends_at: None,
        }
    }
}

impl Reactions {
    /// Counts one. Whether it is to be told by itself, too.
    pub fn count(&mut self, now: Monotonic, emoji: &str) -> bool {
        self.ends_at.get_or_insert(now + COUNTED_FOR);
        match self.counts.get_mut(emoji) {
            Some(count) => *count = count.saturating_add(1),
            None => {
                self.counts.insert(emoji.to_owned(), 1);
            }
        }
        self.told.take(now).is_ok()
    }

    /// When the counts are due.
    pub fn deadline(&self) -> Option<Monotonic> {
        self.ends_at
    }

    /// The counts of a second that is over, most frequent first.
    pub fn poll(&mut self, now: Monotonic) -> Option<Vec<(String, u32)>> {
        self.ends_at.take_if(|ends_at| *ends_at <= now)?;
        let mut counts: Vec<_> = std::mem::take(&mut self.counts).into_iter().collect();
        // Stable, so that equals stay in the order of their text.
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.truncate(MAX_COUNTED);
        Some(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic(Duration::from_millis(ms))
    }

    #[test]
    fn a_storm_is_told_in_part_and_counted_whole() {
        let mut reactions = Reactions::default();
        let told = (0..100)
            .filter(|n| reactions.count(at(5000), if n % 4 == 0 { "🎉" } else { "👍" }))
            .count();
        assert_eq!(told, TOLD_PER_SECOND as usize);
        assert_eq!(reactions.deadline(), Some(at(6000)));
        assert_eq!(reactions.poll(at(5999)), None);
        let counts = [("👍".to_owned(), 75), ("🎉".to_owned(), 25)];
        assert_eq!(reactions.poll(at(6000)), Some(counts.to_vec()));
        assert_eq!((reactions.deadline(), reactions.poll(at(9000))), (None, None));
    }
}
