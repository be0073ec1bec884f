//! How many sockets a relay bears, in all and of one address. Whoever gets none is told so before the upgrade.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use node::http_server::address_holder;

/// In all.
pub(super) const MAX_SOCKETS: usize = 10_000;
/// Of one IPv4 address, or one /64 of IPv6 addresses. Loopback is not counted: a reverse proxy on this machine carries all.
pub(super) const MAX_SOCKETS_OF_ADDRESS: usize = 256;

/// There is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    Relay,
    Address,
}

#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    total: usize,
    /// An address without a socket is removed.
    by_address: HashMap<IpAddr, usize>,
}

/// One socket's place, free again when dropped.
pub struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    pub(super) fn take(&self, address: IpAddr) -> Result<Place, Full> {
        let address = address_holder(address);
        let mut taken = self.lock();
        if taken.total >= MAX_SOCKETS {
            return Err(Full::Relay);
        }
        let of_address = taken.by_address.entry(address).or_default();
        if *of_address >= MAX_SOCKETS_OF_ADDRESS && !address.is_loopback() {
            return Err(Full::Address);
        }
        *of_address += 1;
        taken.total += 1;
        metrics::gauge!("streamcircle_relay_chat_sockets").increment(1.0);
        Ok(Place {
            places: self.clone(),
            address,
        })
    }

    /// Only whole changes are made under the lock.
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.total -= 1;
        if let Some(of_address) = taken.by_address.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                taken.by_address.remove(&self.address);
            }
        }
        metrics::gauge!("streamcircle_relay_chat_sockets").decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_gets_its_share_and_a_closed_socket_frees_its_place() {
        let places = Places::default();
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let mut held: Vec<Place> = (0..MAX_SOCKETS_OF_ADDRESS).map(|_| places.take(one).unwrap()).collect();
        assert_eq!(places.take(one).err(), Some(Full::Address));
        held.pop();
        held.push(places.take(one).unwrap());
        drop(held);
        assert!(places.lock().by_address.is_empty());
    }

    #[test]
    fn many_addresses_of_one_ipv6_network_count_as_one_and_loopback_is_not_counted() {
        let places = Places::default();
        let of_network = |n: usize| -> IpAddr { format!("2001:db8:0:1::{n:x}").parse().unwrap() };
        let held: Vec<Place> = (0..MAX_SOCKETS_OF_ADDRESS)
            .map(|n| places.take(of_network(n)).unwrap())
            .collect();
        assert_eq!(places.take(of_network(9999)).err(), Some(Full::Address));
        let local: Vec<Place> = (0..1000)
            .map(|_| places.take("127.0.0.1".parse().unwrap()).unwrap())
            .collect();
        assert_eq!(held.len() + local.len(), places.lock().total);
    }

    #[test]
    fn a_full_relay_takes_nobody() {
        let places = Places::default();
        let held: Vec<Place> = (0..MAX_SOCKETS)
            .map(|_| places.take("127.0.0.1".parse().unwrap()).unwrap())
            .collect();
        assert_eq!(places.take("192.0.2.1".parse().unwrap()).err(), Some(Full::Relay));
        drop(held);
    }
}
