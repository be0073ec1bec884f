//! How many connections a listener bears, in all and of one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The counts of one listener.
#[derive(Clone)]
pub(super) struct Slots(Arc<Shared>);

struct Shared {
    max_total: usize,
    max_per_address: usize,
    loopback_is_capped: bool,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    /// Bounded by `total`: an address without a connection is removed.
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place, free again when dropped.
pub(super) struct Slot {
    slots: Slots,
    address: IpAddr,
}

impl Slots {
    pub(super) fn new(max_total: usize, max_per_address: usize, loopback_is_capped: bool) -> Self {
        Self(Arc::new(Shared {
            max_total,
            max_per_address,
            loopback_is_capped,
            taken: Mutex::default(),
        }))
    }

    /// A place for one more connection from `address`, if there is one.
    pub(super) fn take(&self, address: IpAddr) -> Option<Slot> {
        let address = address_holder(address);
        let is_capped = self.0.loopback_is_capped || !address.is_loopback();
        let mut taken = self.taken();
        if taken.total >= self.0.max_total {
            return None;
        }
        let of_address = taken.by_address.entry(address).or_default();
        if is_capped && *of_address >= self.0.max_per_address {
            return None;
        }
        *of_address += 1;
        taken.total += 1;
        metrics::gauge!("streamcircle_http_connections").increment(1.0);
        Some(Slot {
            slots: self.clone(),
            address,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        taken.total -= 1;
        if let Some(of_address) = taken.by_address.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                taken.by_address.remove(&self.address);
            }
        }
        metrics::gauge!("streamcircle_http_connections").decrement(1.0);
    }
}

/// What one holder of addresses counts as: an IPv4 address, or the /64 that is the smallest network of IPv6.
pub fn address_holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let slots = Slots::new(3, 2, false);
        let first = slots.take(ip("192.0.2.1")).unwrap();
        let _second = slots.take(ip("::ffff:192.0.2.1")).unwrap();
        assert!(slots.take(ip("192.0.2.1")).is_none());
        let _other = slots.take(ip("192.0.2.2")).unwrap();
        assert!(slots.take(ip("192.0.2.3")).is_none(), "the listener is full");
        drop(first);
        assert!(slots.take(ip("192.0.2.1")).is_some());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_and_loopback_may_go_free() {
        let slots = Slots::new(9, 1, false);
        let _one = slots.take(ip("2001:db8::1")).unwrap();
        assert!(slots.take(ip("2001:db8::2")).is_none());
        assert!(slots.take(ip("2001:db8:0:1::2")).is_some());
        let _loop = slots.take(ip("::1")).unwrap();
        assert!(slots.take(ip("::1")).is_some());
    }

    #[test]
    fn nothing_is_remembered_of_those_who_left() {
        let slots = Slots::new(9, 1, true);
        drop(slots.take(ip("127.0.0.1")));
        assert!(slots.taken().by_address.is_empty());
    }
}
