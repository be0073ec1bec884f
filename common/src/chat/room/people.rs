//! Who is in the room: sockets, the viewers they belong to, and viewers that were here.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use super::{Entrant, RelayKey, SocketKey};
use crate::{
    auth::Role,
    chat::allowance::Allowance,
    time::{Monotonic, UnixMillis},
    wire::chat::RosterEntry,
};

/// Messages a second of one viewer, and at once; all its sockets together.
pub const SAYS_PER_SECOND: u32 = 2;
/// See [`SAYS_PER_SECOND`].
pub const SAYS_AT_ONCE: u32 = 5;
/// Reactions a second of one viewer, and at once.
pub const REACTS_PER_SECOND: u32 = 5;
/// See [`REACTS_PER_SECOND`].
pub const REACTS_AT_ONCE: u32 = 10;
/// Other acts (deleting, silencing, pinning) a second of one viewer, and at once.
pub const ACTS_PER_SECOND: u32 = 10;
/// See [`ACTS_PER_SECOND`].
pub const ACTS_AT_ONCE: u32 = 50;
/// How often a viewer's token is renewed over its sockets, after the first [`RENEWALS_AT_ONCE`].
pub const RENEWAL_INTERVAL: Duration = Duration::from_secs(10);
/// See [`RENEWAL_INTERVAL`].
pub const RENEWALS_AT_ONCE: u32 = 8;

/// Most sockets of one viewer, on all relays; the oldest gives way.
pub const MAX_SOCKETS_PER_VIEWER: usize = 32;
/// Most sockets of a room, on all relays; further ones are turned away.
pub const MAX_SOCKETS: usize = 50_000;
/// Most viewers that are remembered after they left; the longest gone is forgotten first.
pub const MAX_GONE: usize = 5000;

/// A socket, and what its token says.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) viewer_id: String,
    pub(super) role: Role,
    pub(super) invite_id: Option<String>,
    pub(super) expires_at: UnixMillis,
}

/// A viewer that is here, or was.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) nickname: String,
    /// The highest of its sockets.
    pub(super) role: Role,
    pub(super) invite_id: Option<String>,
    pub(super) address: Option<String>,
    /// Oldest first.
    sockets: Vec<SocketKey>,
    stage: Stage,
    pub(super) says: Allowance,
    pub(super) reacts: Allowance,
    pub(super) acts: Allowance,
    pub(super) renewals: Allowance,
    pub(super) silenced_until: Option<Monotonic>,
    pub(super) last_said: Option<Monotonic>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Here,
    /// Without a socket, and still here until then.
    Leaving(Monotonic),
    Gone(Monotonic),
}

#[derive(Debug, Default)]
pub(super) struct People {
    seats: BTreeMap<SocketKey, Seat>,
    persons: HashMap<String, Person>,
    leaving: BTreeSet<(Monotonic, String)>,
    gone: BTreeSet<(Monotonic, String)>,
}

impl Person {
    fn new(nickname: String, role: Role, gone_since: Monotonic) -> Self {
        Self {
            nickname,
            role,
            invite_id: None,
            address: None,
            sockets: Vec::new(),
            stage: Stage::Gone(gone_since),
            says: Allowance::new(SAYS_PER_SECOND, SAYS_AT_ONCE),
            reacts: Allowance::new(REACTS_PER_SECOND, REACTS_AT_ONCE),
            acts: Allowance::new(ACTS_PER_SECOND, ACTS_AT_ONCE),
            renewals: Allowance::every(RENEWAL_INTERVAL, RENEWALS_AT_ONCE),
            silenced_until: None,
            last_said: None,
        }
    }

    pub(super) fn is_here(&self) -> bool {
        !matches!(self.stage, Stage::Gone(_))
    }

    /// How much longer the viewer may not speak.
    pub(super) fn silenced_for(&self, now: Monotonic) -> Option<Duration> {
        let left = self.silenced_until?.since(now);
        (!left.is_zero()).then_some(left)
    }
}

impl People {
    pub(super) fn seat(&self, at: SocketKey) -> Option<&Seat> {
        self.seats.get(&at)
    }

    pub(super) fn seats(&self) -> impl Iterator<Item = (SocketKey, &Seat)> {
        self.seats.iter().map(|(at, seat)| (*at, seat))
    }

    pub(super) fn seats_of_relay(&self, relay: RelayKey) -> Vec<SocketKey> {
        let socket = |socket| SocketKey { relay, socket };
        self.seats
            .range(socket(0)..=socket(u64::MAX))
            .map(|(at, _)| *at)
            .collect()
    }

    pub(super) fn seats_of_viewer(&self, viewer_id: &str) -> Vec<SocketKey> {
        self.persons
            .get(viewer_id)
            .map_or_else(Vec::new, |person| person.sockets.clone())
    }

    pub(super) fn is_full(&self) -> bool {
        self.seats.len() >= MAX_SOCKETS
    }

    pub(super) fn has_seats(&self) -> bool {
        !self.seats.is_empty()
    }

    pub(super) fn get(&self, viewer_id: &str) -> Option<&Person> {
        self.persons.get(viewer_id)
    }

    pub(super) fn get_mut(&mut self, viewer_id: &str) -> Option<&mut Person> {
        self.persons.get_mut(viewer_id)
    }

    pub(super) fn is_here(&self, viewer_id: &str) -> bool {
        self.get(viewer_id).is_some_and(Person::is_here)
    }

    /// How many viewers are here.
    pub(super) fn count(&self) -> usize {
        self.persons.len() - self.gone.len()
    }

    /// How many viewers are here or remembered.
    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.persons.len()
    }

    /// The viewer's place in the roster, while it is here.
    pub(super) fn entry(&self, viewer_id: &str) -> Option<RosterEntry> {
        let person = self.get(viewer_id).filter(|person| person.is_here())?;
        Some(RosterEntry {
            viewer_id: viewer_id.to_owned(),
            nickname: person.nickname.clone(),
            role: person.role,
        })
    }

    /// The viewer has this socket from now on. Gives the socket that gives way to it, if it has too many.
    pub(super) fn sit(
        &mut self,
        now: Monotonic,
        at: SocketKey,
        entrant: Entrant,
        nickname: String,
    ) -> Option<SocketKey> {
        let id = entrant.viewer_id.clone();
        let mut person = self
            .take(&id)
            .unwrap_or_else(|| Person::new(nickname.clone(), entrant.role, now));
        person.nickname = nickname;
        person.stage = Stage::Here;
        person.address = Some(entrant.address.clone());
        person.invite_id = entrant.invite_id.clone().or(person.invite_id);
        person.sockets.retain(|socket| *socket != at);
        person.sockets.push(at);
        let surplus = person.sockets.len() > MAX_SOCKETS_PER_VIEWER;
        let oldest = person.sockets.first().copied().filter(|_| surplus);
        self.persons.insert(id.clone(), person);
        self.reseat(at, entrant);
        oldest
    }

    /// What the token of a socket says from now on.
    pub(super) fn reseat(&mut self, at: SocketKey, entrant: Entrant) {
        let id = entrant.viewer_id.clone();
        let seat = Seat {
            viewer_id: entrant.viewer_id,
            role: entrant.role,
            invite_id: entrant.invite_id,
            expires_at: entrant.expires_at,
        };
        self.seats.insert(at, seat);
        let Self { seats, persons, .. } = self;
        if let Some(person) = persons.get_mut(&id) {
            let roles = person.sockets.iter().filter_map(|socket| Some(seats.get(socket)?.role));
            person.role = roles.max().unwrap_or(person.role);
        }
    }

    /// The socket is gone; a viewer without any leaves at `leaves_at`.
    pub(super) fn rise(&mut self, at: SocketKey, leaves_at: Monotonic) -> Option<Seat> {
        let seat = self.seats.remove(&at)?;
        if let Some(person) = self.persons.get_mut(&seat.viewer_id) {
            person.sockets.retain(|socket| *socket != at);
            if person.sockets.is_empty() {
                person.stage = Stage::Leaving(leaves_at);
                self.leaving.insert((leaves_at, seat.viewer_id.clone()));
            }
        }
        Some(seat)
    }

    /// When the next viewer without a socket leaves.
    pub(super) fn next_leave(&self) -> Option<Monotonic> {
        self.leaving.first().map(|(at, _)| *at)
    }

    /// Takes the next viewer whose grace is over; it is to depart.
    pub(super) fn due_to_leave(&mut self, now: Monotonic) -> Option<String> {
        self.next_leave().filter(|at| *at <= now)?;
        self.leaving.pop_first().map(|(_, viewer_id)| viewer_id)
    }

    /// The viewer, who has no socket, is gone.
    pub(super) fn depart(&mut self, now: Monotonic, viewer_id: &str) {
        if let Some(mut person) = self.take(viewer_id) {
            person.stage = Stage::Gone(now);
            self.put_gone(now, viewer_id, person);
        }
    }

    /// Remembers a viewer that was not seen here as one that is gone.
    pub(super) fn remember(&mut self, now: Monotonic, viewer_id: &str, nickname: &str, role: Role) -> &mut Person {
        if !self.persons.contains_key(viewer_id) {
            self.put_gone(now, viewer_id, Person::new(nickname.to_owned(), role, now));
        }
        self.persons.get_mut(viewer_id).expect("it was put there")
    }

    fn put_gone(&mut self, now: Monotonic, viewer_id: &str, person: Person) {
        if self.gone.len() >= MAX_GONE {
            let is_free = |(_, id): &&(Monotonic, String)| self.get(id).is_none_or(|p| p.silenced_for(now).is_none());
            let forgotten = self.gone.iter().find(is_free).or(self.gone.first()).cloned();
            if let Some(key) = forgotten {
                self.gone.remove(&key);
                self.persons.remove(&key.1);
            }
        }
        self.gone.insert((now, viewer_id.to_owned()));
        self.persons.insert(viewer_id.to_owned(), person);
    }

    /// Takes a person out of all lists but that of the seats.
    fn take(&mut self, viewer_id: &str) -> Option<Person> {
        let person = self.persons.remove(viewer_id)?;
        match person.stage {
            Stage::Here => false,
            Stage::Leaving(at) => self.leaving.remove(&(at, viewer_id.to_owned())),
            Stage::Gone(at) => self.gone.remove(&(at, viewer_id.to_owned())),
        };
        Some(person)
    }
}
