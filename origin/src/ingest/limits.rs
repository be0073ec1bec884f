//! How many connections the ingest holds, in all and for one address, and how long each may take.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::rtmp::session::Timeouts;
use tokio_util::sync::CancellationToken;

/// The ingest's limits; the defaults are those of the contract.
#[derive(Clone, Copy, Debug)]
pub struct IngestLimits {
    /// Most connections at a time. When they are taken, a new one has the place of the oldest that publishes nothing: whoever comes
    /// with a key gets in, however many come without.
    pub connections: usize,
    /// Most connections at a time from one address, or from one /64 of IPv6, which is the least that one customer has. Loopback has no such
    /// cap: another server of this machine pushes all its streams from there.
    pub connections_per_address: usize,
    /// The same from one /56 of IPv6, which is what one home often has.
    pub connections_per_site: usize,
    /// How long a publisher may take to the next step.
    pub timeouts: Timeouts,
    /// How long the rooms may take to answer. OBS waits for 30 s, but its user does not.
    pub admission: Duration,
    /// How long a write may take. Our answers are short, so a peer that long does not read.
    pub write: Duration,
}

impl Default for IngestLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            connections_per_address: 8,
            connections_per_site: 32,
            timeouts: Timeouts::default(),
            admission: Duration::from_secs(4),
            write: Duration::from_secs(5),
        }
    }
}

/// Of an IPv6 address.
const CUSTOMER_BITS: u32 = 64;
const SITE_BITS: u32 = 56;

/// Counts the connections.
#[derive(Clone, Debug)]
pub(super) struct Places {
    limits: IngestLimits,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    next_id: u64,
    /// By number: the oldest first.
    connections: BTreeMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    address: IpAddr,
    publishes: bool,
    displaced: CancellationToken,
}

impl Places {
    pub(super) fn new(limits: &IngestLimits) -> Self {
        Self {
            limits: *limits,
            taken: Arc::default(),
        }
    }

    /// A place for a connection from there, until the value is dropped; `None` when there is none.
    pub(super) fn take(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let mut taken = lock(&self.taken);
        if !address.is_loopback() {
            let from = |bits: u32| {
                let network = network(address, bits);
                let connections = taken.connections.values();
                let same = connections.filter(|other| self::network(other.address, bits) == network);
                same.count()
            };
            let is_full_site = address.is_ipv6() && from(SITE_BITS) >= self.limits.connections_per_site;
            if is_full_site || from(CUSTOMER_BITS) >= self.limits.connections_per_address {
                return None;
            }
        }
        if taken.connections.len() >= self.limits.connections {
            taken.displace_oldest()?;
        }
        let id = taken.next_id;
        taken.next_id += 1;
        let displaced = CancellationToken::new();
        let connection = Connection {
            address,
            publishes: false,
            displaced: displaced.clone(),
        };
        taken.connections.insert(id, connection);
        Some(Place {
            id,
            displaced,
            taken: Arc::clone(&self.taken),
        })
    }
}

impl Taken {
    /// Gives up the place of the oldest that does not publish; `None`: all publish.
    fn displace_oldest(&mut self) -> Option<()> {
        let mut idle = self.connections.iter().filter(|(_, connection)| !connection.publishes);
        let id = idle.next().map(|(id, _)| *id)?;
        self.connections.remove(&id)?.displaced.cancel();
        Some(())
    }
}

/// One connection's place.
#[derive(Debug)]
pub(super) struct Place {
    id: u64,
    displaced: CancellationToken,
    taken: Arc<Mutex<Taken>>,
}

impl Place {
    /// Cancelled when the place is another connection's: this one has to be closed.
    pub(super) fn displaced(&self) -> &CancellationToken {
        &self.displaced
    }

    /// Its connection publishes, and keeps the place from now on; `false`: it was displaced before.
    pub(super) fn publishes(&self) -> bool {
        let mut taken = lock(&self.taken);
        let connection = taken.connections.get_mut(&self.id);
        connection.map(|connection| connection.publishes = true).is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.taken).connections.remove(&self.id);
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first bits of an address of IPv6; one of IPv4 as it is.
fn network(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) >> (128 - bits) << (128 - bits)).into(),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections: usize, connections_per_address: usize) -> Places {
        Places::new(&IngestLimits {
            connections,
            connections_per_address,
            ..IngestLimits::default()
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_gets_its_share_and_a_place_given_back_is_free() {
        let places = places(9, 2);
        let first = places.take(ip("192.0.2.1")).unwrap();
        let _second = places.take(ip("192.0.2.1")).unwrap();
        assert!(places.take(ip("192.0.2.1")).is_none(), "no third for one address");
        assert!(!first.displaced().is_cancelled(), "nor in another's place");
        let _other = places.take(ip("192.0.2.2")).unwrap();
        drop(first);
        assert!(places.take(ip("192.0.2.1")).is_some());
    }

    #[test]
    fn who_comes_last_has_the_place_of_the_oldest_that_publishes_nothing() {
        let places = places(3, 1);
        let [a, b, c, d, e, f] = [1, 2, 3, 4, 5, 6].map(|last| IpAddr::from([192, 0, 2, last]));
        let publisher = places.take(a).unwrap();
        assert!(publisher.publishes());
        let [older, newer] = [b, c].map(|address| places.take(address).unwrap());
        let returning = places.take(d).unwrap();
        assert!(older.displaced().is_cancelled() && !newer.displaced().is_cancelled());
        assert!(!older.publishes(), "it came too late");
        assert!(places.take(b).is_some_and(|_| newer.displaced().is_cancelled()));
        assert!(returning.publishes());
        drop([older, newer]);
        let last = places.take(e).unwrap();
        assert_eq!(lock(&places.taken).connections.len(), 3, "no place is given back twice");
        assert!(last.publishes());
        assert!(places.take(f).is_none(), "all publish");
        assert!(!publisher.displaced().is_cancelled() && !returning.displaced().is_cancelled());
    }

    #[test]
    fn a_home_has_no_more_places_for_having_many_networks() {
        let places = places(256, 8);
        let of_home = |network: u16, host: u16| {
            let network = 0x00ff & network;
            places.take(Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, host).into())
        };
        let held: Vec<Place> = (0..256)
            .flat_map(|network| (0..8).map(move |host| (network, host)))
            .map_while(|(network, host)| of_home(network, host))
            .collect();
        assert_eq!(held.len(), 32);
        assert!(of_home(200, 0).is_none(), "in none of its networks");
        assert!(places.take(ip("2001:db8:0:100::1")).is_some(), "the neighbours'");
    }

    #[test]
    fn a_server_of_this_machine_pushes_more_streams_than_one_address_may() {
        for loopback in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let places = places(9, 1);
            let address = loopback.parse().unwrap();
            let publisher = || places.take(address).filter(Place::publishes);
            let taken: Vec<_> = std::iter::from_fn(publisher).collect();
            assert_eq!(taken.len(), 9, "{loopback}: only the total counts");
        }
    }

    #[test]
    fn one_network_of_ipv6_and_a_mapped_ipv4_are_one_address() {
        let places = places(9, 1);
        let _place = places.take("2001:db8::1".parse().unwrap()).unwrap();
        assert!(places.take("2001:db8::2".parse().unwrap()).is_none());
        assert!(places.take("2001:db8:0:1::1".parse().unwrap()).is_some());
        let _place = places.take("192.0.2.1".parse().unwrap()).unwrap();
        assert!(places.take("::ffff:192.0.2.1".parse().unwrap()).is_none());
    }
}
