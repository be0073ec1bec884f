//! How many connections the ingest holds, in all and for one address, and how long each may take.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use common::rtmp::session::Timeouts;

/// The ingest's limits; the defaults are those of the contract.
#[derive(Clone, Copy, Debug)]
pub struct IngestLimits {
    /// Most connections at a time.
    pub connections: usize,
    /// Most connections at a time from one address, or from one /64 of IPv6, which is what one customer has. Loopback has no such cap:
    /// another server of this machine pushes all its streams from there.
    pub connections_per_address: usize,
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
            timeouts: Timeouts::default(),
            admission: Duration::from_secs(4),
            write: Duration::from_secs(5),
        }
    }
}

/// Counts the connections.
#[derive(Clone, Debug)]
pub(super) struct Places {
    total: usize,
    per_address: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    /// Only addresses that hold a place, so never more entries than places.
    by_address: HashMap<IpAddr, usize>,
}

impl Places {
    pub(super) fn new(limits: &IngestLimits) -> Self {
        Self {
            total: limits.connections,
            per_address: limits.connections_per_address,
            taken: Arc::default(),
        }
    }

    /// A place for a connection from there, until the value is dropped; `None` when there is none.
    pub(super) fn take(&self, address: IpAddr) -> Option<Place> {
        let address = customer(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let here = taken.by_address.get(&address).copied().unwrap_or_default();
        let is_full_here = here >= self.per_address && !address.is_loopback();
        if taken.total >= self.total || is_full_here {
            return None;
        }
        taken.total += 1;
        taken.by_address.insert(address, here + 1);
        Some(Place {
            address,
            taken: self.taken.clone(),
        })
    }
}

/// One connection's place.
#[derive(Debug)]
pub(super) struct Place {
    address: IpAddr,
    taken: Arc<Mutex<Taken>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.total -= 1;
        if let Some(here) = taken.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX)).into(),
        other => other,
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

    #[test]
    fn an_address_gets_its_share_and_a_place_given_back_is_free() {
        let places = places(3, 2);
        let [a, b, c]: [IpAddr; 3] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|text| text.parse().unwrap());
        let first = places.take(a).unwrap();
        let _second = places.take(a).unwrap();
        assert!(places.take(a).is_none(), "no third for one address");
        let _third = places.take(b).unwrap();
        assert!(places.take(c).is_none(), "no fourth in all");
        drop(first);
        assert!(places.take(c).is_some());
        assert_eq!(
            places.taken.lock().unwrap().by_address.len(),
            2,
            "addresses without a place are forgotten"
        );
    }

    #[test]
    fn a_server_of_this_machine_pushes_more_streams_than_one_address_may() {
        for loopback in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let places = places(9, 1);
            let address = loopback.parse().unwrap();
            let taken: Vec<_> = std::iter::from_fn(|| places.take(address)).collect();
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
