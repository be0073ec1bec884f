//! Who is at the other end of a request.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use axum::extract::FromRequestParts;
use http::{Extensions, request::Parts};
use node::http_server::{Peer, Secure};

use super::ApiState;
use crate::relays::{ViaRelay, ViewerPeer};

/// The caller's address, and how it got here.
pub(super) struct Caller {
    /// What rates count by: the address, or the first 64 bits of an IPv6 address, which are one household's.
    pub(super) rate_key: IpAddr,
    /// The caller is a program on this machine.
    pub(super) is_local: bool,
    /// The caller's last mile is TLS, so that cookies can be kept to TLS.
    pub(super) is_secure: bool,
}

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Infallible> {
        let extensions = &parts.extensions;
        let address = address(extensions);
        let is_proxied = parts.headers.contains_key("forwarded") || parts.headers.contains_key("x-forwarded-for");
        Ok(Self {
            rate_key: rate_key(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED))),
            is_local: extensions.get::<ViewerPeer>().is_none()
                && !is_proxied
                && address.is_some_and(|address| address.to_canonical().is_loopback()),
            is_secure: is_secure(extensions, state),
        })
    }
}

fn address(extensions: &Extensions) -> Option<IpAddr> {
    match extensions.get::<ViewerPeer>() {
        Some(ViewerPeer(text)) => {
            let with_port = text.parse::<SocketAddr>().map(|address| address.ip());
            with_port.or_else(|_| text.parse()).ok()
        }
        None => extensions.get::<Peer>().map(|peer| peer.0.ip()),
    }
}

fn is_secure(extensions: &Extensions, state: &ApiState) -> bool {
    match extensions.get::<ViaRelay>() {
        Some(via) => {
            let relays = state.plane.relays();
            let relay = relays.iter().find(|relay| relay.id == via.id);
            relay.is_some_and(|relay| relay.url.starts_with("https://"))
        }
        None => extensions.get::<Secure>().is_some_and(|secure| secure.0),
    }
}

fn rate_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> IpAddr {
        rate_key(text.parse().unwrap())
    }

    #[test]
    fn one_household_is_one_address() {
        assert_eq!(key("2001:db8:1:2:3::4"), key("2001:db8:1:2:ffff::1"));
        assert_ne!(key("2001:db8:1:2::4"), key("2001:db8:1:3::4"));
        assert_eq!(key("::ffff:192.0.2.7"), key("192.0.2.7"));
        assert_ne!(key("192.0.2.7"), key("192.0.2.8"));
    }
}
