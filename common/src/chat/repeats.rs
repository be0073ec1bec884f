//! Messages that are said again for want of an answer: known by who says them and under which id of its own.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use crate::time::UnixMillis;

/// How long a message said again is known.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(300);

/// Most messages that are remembered: as many as a room takes in that time, about. The oldest go first.
pub const MAX_REMEMBERED: usize = 32_768;

/// Longest id that a client may give a message, in bytes.
pub const MAX_CLIENT_ID_LEN: usize = 64;

/// What was said, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    pub id: i64,
    pub at: UnixMillis,
}

/// (viewer id, client id) of what was said lately.
#[derive(Debug, Default)]
pub struct Repeats {
    said: HashMap<Key, Said>,
    oldest_first: VecDeque<(UnixMillis, Key)>,
}

type Key = (String, String);

impl Repeats {
    /// What the viewer said under this id already.
    pub fn find(&mut self, now: UnixMillis, viewer_id: &str, client_id: &str) -> Option<Said> {
        self.expire(now);
        self.said.get(&(viewer_id.to_owned(), client_id.to_owned())).copied()
    }

    /// Remembers what was said.
    pub fn remember(&mut self, viewer_id: &str, client_id: &str, said: Said) {
        if self.oldest_first.len() >= MAX_REMEMBERED {
            self.drop_oldest();
        }
        let key = (viewer_id.to_owned(), client_id.to_owned());
        self.oldest_first.push_back((said.at, key.clone()));
        self.said.insert(key, said);
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.oldest_first.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.oldest_first.is_empty()
    }

    fn expire(&mut self, now: UnixMillis) {
        let life = REMEMBERED_FOR.as_millis() as i64;
        while self
            .oldest_first
            .front()
            .is_some_and(|(at, _)| now.0.saturating_sub(at.0) > life)
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((at, key)) = self.oldest_first.pop_front()
            && self.said.get(&key).is_some_and(|said| said.at == at)
        {
            self.said.remove(&key);
        }
    }
}

/// Whether a client may give a message this id.
pub fn is_client_id(text: &str) -> bool {
    (1..=MAX_CLIENT_ID_LEN).contains(&text.len()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_said_again_is_known_for_five_minutes() {
        let mut repeats = Repeats::default();
        let said = Said {
            id: 7,
            at: UnixMillis(1000),
        };
        repeats.remember("ann", "c1", said);
        assert_eq!(repeats.find(UnixMillis(301_000), "ann", "c1"), Some(said));
        assert_eq!(repeats.find(UnixMillis(2000), "bob", "c1"), None);
        assert_eq!(repeats.find(UnixMillis(301_001), "ann", "c1"), None);
        assert!(repeats.is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut repeats = Repeats::default();
        for n in 0..MAX_REMEMBERED as i64 + 10 {
            repeats.remember(
                "ann",
                &n.to_string(),
                Said {
                    id: n,
                    at: UnixMillis(n),
                },
            );
        }
        assert_eq!((repeats.len(), repeats.said.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
        assert_eq!(repeats.find(UnixMillis(0), "ann", "9"), None);
        assert!(repeats.find(UnixMillis(0), "ann", "10").is_some());
    }

    #[test]
    fn a_client_id_is_short_and_printable() {
        assert!(is_client_id("0190-ab") && is_client_id("é"));
        for text in ["", "a\nb", &"x".repeat(MAX_CLIENT_ID_LEN + 1)] {
            assert!(!is_client_id(text), "{text:?}");
        }
    }
}
