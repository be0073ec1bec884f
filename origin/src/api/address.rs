//! Who is at the other end of a request.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr},
};

use axum::extract::FromRequestParts;
use http::{Extensions, request::Parts};
use node::http_server::{Peer, Secure};

use super::ApiState;
use crate::{
    network,
    relays::{ViaRelay, ViewerPeer},
};

/// The caller's address, and how it got here.
pub(super) struct Caller {
    /// Where the caller is, as far as anybody can tell.
    pub(super) address: IpAddr,
    /// The network of the caller's address: what rates and bans count by.
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
        let known = address.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |address| address.to_canonical());
        Ok(Self {
            address: known,
            rate_key: network::of(known),
            is_local: extensions.get::<ViewerPeer>().is_none()
                && !is_proxied
                && address.is_some_and(|address| address.to_canonical().is_loopback()),
            is_secure: is_secure(extensions, state),
        })
    }
}

fn address(extensions: &Extensions) -> Option<IpAddr> {
    match extensions.get::<ViewerPeer>() {
        Some(ViewerPeer(text)) => network::read(text),
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
