//! Names by which an encoder in front (nginx-rtmp) pushes a stream on, in place of the stream key: made when its hook lets a publisher in, good
//! for that one publication, from that machine. So a key is in no path, log or statistics page of the encoder's.
//!
//! They are kept in a file ([`file`]), for nginx pushes on under the same name when the origin is back after a restart.

pub(super) mod file;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{id::RoomSlug, time::Monotonic};
use tokio::sync::Notify;

use crate::secrets::KeyHash;

/// Names in force at a time, of all rooms; the one that was used least lately makes room.
const MAX_PASSES: usize = 256;
/// Names of one room that wait to be used; one that is on air is beside them.
const MAX_WAITING: usize = 4;
/// A name that was not used for so long is forgotten, unless it is on air: its `done` was lost.
const PASS_LIFE: Duration = Duration::from_secs(24 * 3600);
/// What all names begin with, so that people see what they are.
const PREFIX: &str = "on-air-";

/// A publisher as an encoder in front tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fronted {
    /// The machine that tells, and that pushes the stream on.
    pub caller: IpAddr,
    /// Its number for the publisher's connection.
    pub client: Option<u64>,
    /// Where the publisher is.
    pub encoder: Option<IpAddr>,
}

/// Which publication is over when a publisher that came with the key is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// The one under this name, which is good no more.
    Named(String),
    /// One that another has taken over from.
    Superseded,
    /// Whichever there is: no names of that machine's connections are known.
    Any,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) room: RoomSlug,
    /// Of the key that it stands in for.
    key_hash: KeyHash,
    /// The machine that may push; where the publisher really is.
    pub(super) of: Fronted,
    number: u64,
    /// The room's publisher was let in by it; one of a room at most.
    on_air: bool,
    touched: Monotonic,
}

#[derive(Default)]
pub(super) struct Passes {
    issued: Mutex<Issued>,
    /// What is kept of them is not what it was.
    changed: Notify,
}

#[derive(Default)]
struct Issued {
    last_number: u64,
    by_name: HashMap<String, Pass>,
}

impl Passes {
    /// A new name for a publication of the room.
    pub(super) fn issue(&self, now: Monotonic, room: RoomSlug, key_hash: KeyHash, of: Fronted) -> String {
        let name = format!("{PREFIX}{:016x}{:016x}", random(), random());
        let mut issued = self.lock();
        issued
            .by_name
            .retain(|_, pass| pass.on_air || now.since(pass.touched) < PASS_LIFE);
        let waiting = issued.by_name.values().filter(|pass| !pass.on_air && pass.room == room);
        if waiting.count() >= MAX_WAITING {
            issued.evict(|pass| pass.room == room);
        } else if issued.by_name.len() >= MAX_PASSES {
            issued.evict(|_| true);
        }
        issued.last_number += 1;
        let pass = Pass {
            room,
            key_hash,
            of: Fronted {
                caller: of.caller.to_canonical(),
                ..of
            },
            number: issued.last_number,
            on_air: false,
            touched: now,
        };
        issued.by_name.insert(name.clone(), pass);
        self.changed.notify_one();
        name
    }

    /// What the name stands for, shown by who comes from `peer`.
    pub(super) fn find(&self, now: Monotonic, name: &str, peer: IpAddr) -> Option<Pass> {
        let mut issued = self.lock();
        let pass = issued.by_name.get_mut(name)?;
        let peer = peer.to_canonical();
        if !(peer.is_loopback() || peer == pass.of.caller) {
            return None;
        }
        pass.touched = now;
        Some(pass.clone())
    }

    /// A publisher of the room was let in, with this name or by the key: names that were made before it must not take the room back.
    pub(super) fn admitted(&self, room: &RoomSlug, name: Option<&str>) {
        let mut issued = self.lock();
        let admitted = name.and_then(|name| issued.by_name.get(name));
        let number = admitted.map_or(issued.last_number + 1, |pass| pass.number);
        issued
            .by_name
            .retain(|_, pass| pass.room != *room || pass.number >= number);
        for pass in issued.by_name.values_mut().filter(|pass| pass.room == *room) {
            pass.on_air = pass.number == number;
        }
        self.changed.notify_one();
    }

    /// The publication is over; the room that it was of.
    pub(super) fn take(&self, name: &str) -> Option<RoomSlug> {
        let taken = self.lock().by_name.remove(name)?;
        self.changed.notify_one();
        Some(taken.room)
    }

    /// The room's publisher `of` an encoder in front is gone, which tells of it by the key: nginx says so also where it has another name.
    pub(super) fn gone(&self, room: &RoomSlug, of: &Fronted) -> Gone {
        let caller = of.caller.to_canonical();
        let mut issued = self.lock();
        let known = issued
            .by_name
            .iter()
            .filter(|(_, pass)| pass.room == *room && pass.of.caller == caller && pass.of.client.is_some());
        let known: Vec<_> = known.map(|(name, pass)| (pass.number, pass.of.client, name)).collect();
        if known.is_empty() || of.client.is_none() {
            return Gone::Any;
        }
        // An encoder that was restarted counts its connections anew.
        let named = known.into_iter().filter(|(_, client, _)| *client == of.client).max();
        let Some(name) = named.map(|(.., name)| name.clone()) else {
            return Gone::Superseded;
        };
        issued.by_name.remove(&name);
        self.changed.notify_one();
        Gone::Named(name)
    }

    /// No name of the room is good any more.
    pub(super) fn forget(&self, room: &RoomSlug) {
        self.lock().by_name.retain(|_, pass| pass.room != *room);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Issued> {
        // Nothing that is done under the lock can leave it half done.
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issued {
    /// Forgets the name that was used least lately of those that may go; none that is on air.
    fn evict(&mut self, may_go: impl Fn(&Pass) -> bool) {
        let waiting = self.by_name.iter().filter(|(_, pass)| !pass.on_air && may_go(pass));
        let oldest = waiting.min_by_key(|(_, pass)| (pass.touched, pass.number));
        if let Some(name) = oldest.map(|(name, _)| name.clone()) {
            self.by_name.remove(&name);
        }
    }
}

fn random() -> u64 {
    getrandom::u64().expect("the system has random numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const KEY: KeyHash = [7; 32];

    pub(super) fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    pub(super) fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    pub(super) fn cinema() -> RoomSlug {
        "cinema".parse().unwrap()
    }

    pub(super) fn issue(passes: &Passes, seconds: u64) -> String {
        passes.issue(at(seconds), cinema(), KEY, fronted(None))
    }

    /// On an nginx's connection of that number.
    pub(super) fn fronted(client: Option<u64>) -> Fronted {
        Fronted {
            caller: ip("192.0.2.1"),
            client,
            encoder: Some(ip("198.51.100.7")),
        }
    }

    #[test]
    fn a_name_is_good_for_who_asked_and_for_this_machine() {
        let passes = Passes::default();
        let name = issue(&passes, 0);
        for (peer, is_good) in [
            ("192.0.2.1", true),
            ("::ffff:192.0.2.1", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("198.51.100.7", false),
        ] {
            assert_eq!(passes.find(at(1), &name, ip(peer)).is_some(), is_good, "{peer}");
        }
        assert_eq!(passes.find(at(1), "on-air-0", ip("127.0.0.1")), None);
        assert_eq!(passes.take(&name), Some(cinema()));
        assert_eq!(passes.find(at(1), &name, ip("127.0.0.1")), None);
    }

    #[test]
    fn a_publisher_that_is_let_in_shuts_out_names_of_before_and_none_of_after() {
        let passes = Passes::default();
        let names = [issue(&passes, 0), issue(&passes, 0), issue(&passes, 0)];
        passes.admitted(&cinema(), Some(&names[1]));
        let good = |passes: &Passes| {
            let good = names.each_ref();
            good.map(|name| passes.find(at(1), name, ip("127.0.0.1")).is_some())
        };
        assert_eq!(good(&passes), [false, true, true]);
        passes.admitted(&"other".parse().unwrap(), None);
        assert_eq!(good(&passes), [false, true, true]);
        passes.admitted(&cinema(), None);
        assert_eq!(good(&passes), [false; 3]);
    }

    #[test]
    fn a_publisher_that_is_gone_by_the_key_ends_its_own_publication_and_no_other() {
        let passes = Passes::default();
        let issue = |client| passes.issue(at(0), cinema(), KEY, fronted(client));
        assert_eq!(
            passes.gone(&cinema(), &fronted(Some(5))),
            Gone::Any,
            "no names are known"
        );
        let old = issue(Some(5));
        passes.admitted(&cinema(), Some(&old));
        let new = issue(Some(9));
        passes.admitted(&cinema(), Some(&new));
        assert_eq!(passes.gone(&cinema(), &fronted(Some(5))), Gone::Superseded);
        assert_eq!(passes.gone(&cinema(), &fronted(None)), Gone::Any);
        let elsewhere = Fronted {
            caller: ip("192.0.2.2"),
            ..fronted(Some(9))
        };
        assert_eq!(passes.gone(&cinema(), &elsewhere), Gone::Any);
        assert_eq!(passes.gone(&cinema(), &fronted(Some(9))), Gone::Named(new.clone()));
        assert_eq!(
            passes.find(at(1), &new, ip("127.0.0.1")),
            None,
            "good for one publication"
        );

        // nginx was restarted in between.
        issue(Some(1));
        let newest = issue(Some(1));
        assert_eq!(passes.gone(&cinema(), &fronted(Some(1))), Gone::Named(newest));
    }

    fn issue_for(passes: &Passes, seconds: u64, room: usize) -> String {
        let room = format!("room-{room}").parse().unwrap();
        passes.issue(at(seconds), room, KEY, fronted(None))
    }

    #[test]
    fn names_are_no_more_than_so_many_and_not_for_ever() {
        let passes = Passes::default();
        let first = issue(&passes, 0);
        let second = issue(&passes, 1);
        passes.find(at(2), &first, ip("127.0.0.1")).unwrap();
        for room in 2..=MAX_PASSES {
            issue_for(&passes, 3, room);
        }
        assert_eq!(passes.lock().by_name.len(), MAX_PASSES);
        assert!(passes.find(at(4), &first, ip("127.0.0.1")).is_some(), "used lately");
        assert!(passes.find(at(4), &second, ip("127.0.0.1")).is_none());
        issue(&passes, 5 + PASS_LIFE.as_secs());
        assert_eq!(passes.lock().by_name.len(), 1);
    }

    #[test]
    fn a_room_that_asks_often_takes_no_name_from_others() {
        let passes = Passes::default();
        let other = issue_for(&passes, 0, 1);
        let names: Vec<String> = (1..=MAX_PASSES as u64).map(|seconds| issue(&passes, seconds)).collect();
        assert_eq!(passes.lock().by_name.len(), 1 + MAX_WAITING);
        let local = ip("127.0.0.1");
        assert!(passes.find(at(300), &other, local).is_some());
        assert!(passes.find(at(300), &names[MAX_PASSES - 1], local).is_some());
        assert!(passes.find(at(300), &names[0], local).is_none());
    }

    #[test]
    fn a_name_that_is_on_air_stays_however_long_and_whatever_else_is_asked_for() {
        let passes = Passes::default();
        let on_air = issue(&passes, 0);
        passes.admitted(&cinema(), Some(&on_air));
        for _ in 0..=MAX_WAITING {
            issue(&passes, 1);
        }
        for room in 0..=MAX_PASSES {
            issue_for(&passes, 2, room);
        }
        issue_for(&passes, 3 + PASS_LIFE.as_secs(), 1);
        assert!(
            passes
                .find(at(4 + PASS_LIFE.as_secs()), &on_air, ip("127.0.0.1"))
                .is_some()
        );
    }
}
