//! What an address counts as: the smallest network that is one household's or one person's.
//!
//! Rates, and bans of people on a shared link, go by it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The address itself, or the first 64 bits of an IPv6 address, which are one household's.
pub fn of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

/// The address that a relay tells of a viewer, with or without a port.
pub fn read(text: &str) -> Option<IpAddr> {
    let with_port = text.parse::<SocketAddr>().map(|address| address.ip());
    with_port.or_else(|_| text.parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> IpAddr {
        of(read(text).unwrap())
    }

    #[test]
    fn one_household_is_one_address() {
        assert_eq!(network("2001:db8:1:2:3::4"), network("[2001:db8:1:2:ffff::1]:443"));
        assert_ne!(network("2001:db8:1:2::4"), network("2001:db8:1:3::4"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7:5000"));
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
        assert_eq!(read("nowhere"), None);
    }
}
