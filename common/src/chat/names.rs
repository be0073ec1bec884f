//! Names in a room: no two that look the same, and a moderator's stays the moderator's.

use std::{collections::HashMap, time::Duration};

use super::looks::looks;
use crate::{
    auth::{Role, nickname::MAX_NICKNAME_CHARS},
    time::Monotonic,
};

/// How long a viewer's name is kept for the viewer who claimed it, or had it and left. A moderator's is kept for good.
pub const CLAIM_LIFE: Duration = Duration::from_secs(120);

/// Most names that are kept; beyond, those of absent viewers go, the oldest first, then those of absent moderators.
pub const MAX_NAMES: usize = 20_000;

/// Numbers that are tried one by one behind a name before a jump past all that can be taken.
const NEAR_NUMBERS: usize = 20;

/// Who has which name.
#[derive(Debug, Default)]
pub struct NameBook {
    by_key: HashMap<String, Claim>,
    /// Viewer id -> key.
    by_viewer: HashMap<String, String>,
}

#[derive(Debug)]
struct Claim {
    viewer_id: String,
    role: Role,
    /// `None`: the viewer is there.
    away_since: Option<Monotonic>,
}

impl Claim {
    fn is_kept(&self, now: Monotonic) -> bool {
        self.role.may_moderate() || self.away_since.is_none_or(|since| now.since(since) < CLAIM_LIFE)
    }

    /// Whether someone else of this role gets the name: nobody has it any more, or one of the staff comes back as a new viewer.
    fn yields_to(&self, role: Role, now: Monotonic) -> bool {
        !self.is_kept(now) || (self.away_since.is_some() && self.role.may_moderate() && role >= self.role)
    }
}

impl NameBook {
    /// With names of moderators and hosts that were here before, and the ids of their viewers.
    pub fn new(staff: &[(String, String)]) -> Self {
        let mut book = Self::default();
        for (name, viewer_id) in staff.iter().take(MAX_NAMES) {
            book.take(key(name), viewer_id, Role::Moderator, Some(Monotonic::default()));
        }
        book
    }

    /// A name as close to `wanted` as may be, kept for the viewer from now on; it had one before, that one is free.
    pub fn claim(&mut self, now: Monotonic, viewer_id: &str, role: Role, wanted: &str) -> String {
        let (role, away_since) = match self.claim_of(viewer_id) {
            Some(claim) => (role.max(claim.role), claim.away_since.and(Some(now))),
            None => (role, Some(now)),
        };
        let (name, key) = self.nearest_free(now, viewer_id, role, wanted);
        self.release(viewer_id);
        self.make_place(now);
        self.take(key, viewer_id, role, away_since);
        name
    }

    /// The viewer, who claimed a name, is there.
    pub fn came(&mut self, viewer_id: &str) {
        self.set_away(viewer_id, None);
    }

    /// The viewer is not there any more.
    pub fn went(&mut self, now: Monotonic, viewer_id: &str) {
        self.set_away(viewer_id, Some(now));
    }

    /// Whether the viewer is one of those whose names are kept for good.
    pub fn is_staff(&self, viewer_id: &str) -> bool {
        self.claim_of(viewer_id).is_some_and(|claim| claim.role.may_moderate())
    }

    /// Id of the viewer who has this name.
    pub fn owner(&self, name: &str) -> Option<&str> {
        Some(&self.by_key.get(&key(name))?.viewer_id)
    }

    /// How many names are kept.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether no name is kept.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    fn nearest_free(&self, now: Monotonic, viewer_id: &str, role: Role, wanted: &str) -> (String, String) {
        let is_free = |key: &str| {
            self.by_key
                .get(key)
                .is_none_or(|claim| claim.viewer_id == viewer_id || claim.yields_to(role, now))
        };
        let wanted_key = key(wanted);
        if is_free(&wanted_key) {
            return (wanted.to_owned(), wanted_key);
        }
        let far = self.by_key.len() + NEAR_NUMBERS;
        (2..=NEAR_NUMBERS)
            .chain(far..)
            .map(|number| numbered(wanted, number))
            .map(|name| {
                let key = key(&name);
                (name, key)
            })
            .find(|(_, key)| is_free(key))
            .expect("fewer names are taken than there are numbers")
    }

    fn claim_of(&self, viewer_id: &str) -> Option<&Claim> {
        self.by_key.get(self.by_viewer.get(viewer_id)?)
    }

    fn set_away(&mut self, viewer_id: &str, away_since: Option<Monotonic>) {
        if let Some(claim) = self.by_viewer.get(viewer_id).and_then(|key| self.by_key.get_mut(key)) {
            claim.away_since = away_since;
        }
    }

    fn take(&mut self, key: String, viewer_id: &str, role: Role, away_since: Option<Monotonic>) {
        self.release(viewer_id);
        let claim = Claim {
            viewer_id: viewer_id.to_owned(),
            role,
            away_since,
        };
        if let Some(former) = self.by_key.insert(key.clone(), claim) {
            self.by_viewer.remove(&former.viewer_id);
        }
        self.by_viewer.insert(viewer_id.to_owned(), key);
    }

    fn release(&mut self, viewer_id: &str) {
        if let Some(key) = self.by_viewer.remove(viewer_id) {
            self.by_key.remove(&key);
        }
    }

    fn make_place(&mut self, now: Monotonic) {
        if self.by_key.len() < MAX_NAMES {
            return;
        }
        let Self { by_key, by_viewer } = self;
        by_key.retain(|_, claim| {
            let stays = claim.is_kept(now);
            if !stays {
                by_viewer.remove(&claim.viewer_id);
            }
            stays
        });
        while self.by_key.len() >= MAX_NAMES {
            let absent = self
                .by_key
                .values()
                .filter_map(|claim| Some((claim.role, claim.away_since?, &claim.viewer_id)));
            let Some((_, _, viewer_id)) = absent.min() else { return };
            let viewer_id = viewer_id.clone();
            self.release(&viewer_id);
        }
    }
}

/// What two names share that readers take for the same. `I`, `l` and `1` are one letter to them.
fn key(name: &str) -> String {
    looks(name).replace('i', "l")
}

fn numbered(name: &str, number: usize) -> String {
    let suffix = format!(" {number}");
    let room = MAX_NICKNAME_CHARS.saturating_sub(suffix.len());
    let cut: String = name.chars().take(room).collect();
    format!("{}{suffix}", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Monotonic {
        Monotonic(Duration::from_secs(secs))
    }

    fn viewer(book: &mut NameBook, id: &str, wanted: &str) -> String {
        book.claim(at(0), id, Role::Viewer, wanted)
    }

    #[test]
    fn the_second_ann_is_ann_2() {
        let mut book = NameBook::default();
        assert_eq!(viewer(&mut book, "a", "Ann"), "Ann");
        assert_eq!(viewer(&mut book, "b", "Ann"), "Ann 2");
        assert_eq!(viewer(&mut book, "c", "ANN"), "ANN 3");
        assert_eq!(viewer(&mut book, "a", "Ann"), "Ann");
        assert_eq!(viewer(&mut book, "b", "Ann 2"), "Ann 2");
    }

    #[test]
    fn look_alikes_are_the_same_name() {
        let mut book = NameBook::default();
        assert_eq!(viewer(&mut book, "a", "Alice"), "Alice");
        for (id, name) in [
            ("b", "AIice"),
            ("c", "A1ice"),
            ("d", "Аlice"),
            ("e", "Al\u{200B}ice"),
            ("f", " alice "),
        ] {
            assert_ne!(viewer(&mut book, id, name), name);
        }
    }

    #[test]
    fn a_name_is_free_some_time_after_its_viewer_left() {
        let mut book = NameBook::default();
        viewer(&mut book, "a", "Ann");
        book.came("a");
        assert_eq!(book.claim(at(9999), "b", Role::Viewer, "Ann"), "Ann 2");
        book.went(at(10_000), "a");
        assert_eq!(book.claim(at(10_100), "c", Role::Viewer, "Ann"), "Ann 3");
        assert_eq!(book.claim(at(10_200), "d", Role::Viewer, "Ann"), "Ann");
        assert_eq!(book.claim(at(10_201), "a", Role::Viewer, "Ann"), "Ann 2");
    }

    #[test]
    fn nobody_takes_the_name_of_a_moderator_who_is_away() {
        let mut book = NameBook::new(&[("Mod".to_owned(), "m".to_owned())]);
        assert_eq!(book.claim(at(1_000_000), "a", Role::Viewer, "M0d"), "M0d 2");
        assert_eq!(book.claim(at(1_000_000), "m", Role::Moderator, "Mod"), "Mod");
        assert_eq!(book.owner("mod"), Some("m"));
    }

    #[test]
    fn staff_with_a_new_browser_has_its_name_back_when_the_old_one_is_away() {
        let mut book = NameBook::default();
        assert_eq!(book.claim(at(0), "h", Role::Host, "Hal"), "Hal");
        book.came("h");
        assert_eq!(book.claim(at(1), "h2", Role::Host, "Hal"), "Hal 2");
        book.went(at(2), "h");
        assert_eq!(book.claim(at(3), "m", Role::Moderator, "Hal"), "Hal 3");
        assert_eq!(book.claim(at(3), "h2", Role::Host, "Hal"), "Hal");
        assert!(!book.is_staff("h") && book.is_staff("h2"));
    }

    #[test]
    fn a_new_name_frees_the_old_one() {
        let mut book = NameBook::default();
        viewer(&mut book, "a", "Ann");
        viewer(&mut book, "a", "Bob");
        assert_eq!(viewer(&mut book, "b", "Ann"), "Ann");
        assert_eq!(book.len(), 2);
    }

    #[test]
    fn a_long_name_is_cut_for_its_number() {
        let mut book = NameBook::default();
        let long = "é".repeat(MAX_NICKNAME_CHARS);
        viewer(&mut book, "a", &long);
        let second = viewer(&mut book, "b", &long);
        assert!(
            second.ends_with("é 2") && second.chars().count() == MAX_NICKNAME_CHARS,
            "{second}"
        );
    }

    #[test]
    fn many_of_one_name_all_get_their_own() {
        let mut book = NameBook::default();
        let names: std::collections::HashSet<_> = (0..500).map(|n| viewer(&mut book, &n.to_string(), "Ann")).collect();
        assert_eq!(names.len(), 500);
    }

    #[test]
    fn the_book_stays_bounded_and_keeps_staff_longest() {
        let mut book = NameBook::new(&[("Mod".to_owned(), "m".to_owned())]);
        for n in 0..MAX_NAMES as u64 + 5 {
            book.claim(at(n / 1000), &n.to_string(), Role::Viewer, &format!("{n:x}"));
        }
        assert!(book.len() <= MAX_NAMES);
        assert_eq!(book.owner("Mod"), Some("m"));
        assert_eq!(book.owner("0"), None);
    }
}
