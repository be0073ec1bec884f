//! Names by which an encoder in front (nginx-rtmp) pushes a stream on, in place of the stream key: made when its hook lets a publisher in, good
//! for that one publication, from that machine. So a key is in no path, log or statistics page of the encoder's.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{id::RoomSlug, time::Monotonic};

/// Names in force at a time, of all rooms; the one that was used least lately makes room.
const MAX_PASSES: usize = 256;
/// A name that was not used for so long is forgotten: its `done` was lost.
const PASS_LIFE: Duration = Duration::from_secs(24 * 3600);
/// What all names begin with, so that people see what they are.
const PREFIX: &str = "on-air-";

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) room: RoomSlug,
    /// Where the publisher really is, if the hook said so.
    pub(super) encoder: Option<IpAddr>,
    /// The machine that asked, and may push.
    caller: IpAddr,
    number: u64,
    touched: Monotonic,
}

#[derive(Default)]
pub(super) struct Passes(Mutex<Issued>);

#[derive(Default)]
struct Issued {
    last_number: u64,
    by_name: HashMap<String, Pass>,
}

impl Passes {
    /// A new name for a publication of the room.
    pub(super) fn issue(&self, now: Monotonic, room: RoomSlug, caller: IpAddr, encoder: Option<IpAddr>) -> String {
        let name = format!("{PREFIX}{:016x}{:016x}", random(), random());
        let mut issued = self.lock();
        issued.by_name.retain(|_, pass| now.since(pass.touched) < PASS_LIFE);
        if issued.by_name.len() >= MAX_PASSES {
            let oldest = issued.by_name.iter().min_by_key(|(_, pass)| pass.touched);
            let oldest = oldest.map(|(name, _)| name.clone());
            oldest.map(|name| issued.by_name.remove(&name));
        }
        issued.last_number += 1;
        let pass = Pass {
            room,
            encoder,
            caller: caller.to_canonical(),
            number: issued.last_number,
            touched: now,
        };
        issued.by_name.insert(name.clone(), pass);
        name
    }

    /// What the name stands for, shown by who comes from `peer`.
    pub(super) fn find(&self, now: Monotonic, name: &str, peer: IpAddr) -> Option<Pass> {
        let mut issued = self.lock();
        let pass = issued.by_name.get_mut(name)?;
        let peer = peer.to_canonical();
        if !(peer.is_loopback() || peer == pass.caller) {
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
    }

    /// The publication is over; the room that it was of.
    pub(super) fn take(&self, name: &str) -> Option<RoomSlug> {
        self.lock().by_name.remove(name).map(|pass| pass.room)
    }

    /// No name of the room is good any more.
    pub(super) fn forget(&self, room: &RoomSlug) {
        self.lock().by_name.retain(|_, pass| pass.room != *room);
    }

    fn lock(&self) -> MutexGuard<'_, Issued> {
        // Nothing that is done under the lock can leave it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random() -> u64 {
    getrandom::u64().expect("the system has random numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    fn cinema() -> RoomSlug {
        "cinema".parse().unwrap()
    }

    fn issue(passes: &Passes, seconds: u64) -> String {
        passes.issue(at(seconds), cinema(), ip("192.0.2.1"), Some(ip("198.51.100.7")))
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
    fn names_are_no_more_than_so_many_and_not_for_ever() {
        let passes = Passes::default();
        let first = issue(&passes, 0);
        let second = issue(&passes, 1);
        passes.find(at(2), &first, ip("127.0.0.1")).unwrap();
        for _ in 2..=MAX_PASSES {
            issue(&passes, 3);
        }
        assert_eq!(passes.lock().by_name.len(), MAX_PASSES);
        assert!(passes.find(at(4), &first, ip("127.0.0.1")).is_some(), "used lately");
        assert!(passes.find(at(4), &second, ip("127.0.0.1")).is_none());
        issue(&passes, 5 + PASS_LIFE.as_secs());
        assert_eq!(passes.lock().by_name.len(), 1);
    }
}
