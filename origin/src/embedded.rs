//! The relay inside the origin: enrolled by the origin itself, then joined over loopback like any other.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result};
use common::auth::join_token::JoinToken;
use common::live::window::Retention;
use node::{clock, enrol, link_driver::Connector, pki::Identity, shutdown::Shutdown};
use relay::upstream::{Upstream, UpstreamConfig};

use crate::control::{Control, EMBEDDED_RELAY};

/// Folder of its identity in the origin's data folder.
const FOLDER: &str = "embedded-relay";
/// Memory for media of the past. Small, for the origin it fetches from is in the same process.
const CACHE_BYTES: u64 = 32 << 20;

/// Joins the link at `link`; `authority` is the SHA-256 of the key that it vouches with.
///
/// # Errors
/// The identity can be neither read nor made.
pub async fn start(
    control: &Control,
    data_dir: &Path,
    link: SocketAddr,
    authority: [u8; 32],
    public_url: &str,
    shutdown: &Shutdown,
) -> Result<Upstream> {
    let upstreams = vec![local(link).to_string()];
    let folder = data_dir.join(FOLDER);
    let identity = match known(control, &folder, authority).await? {
        // The port may be another one than at the time of enrolment.
        Some(identity) => Identity { upstreams, ..identity },
        None => join(control, &folder, upstreams, authority, public_url).await?,
    };
    let config = UpstreamConfig {
        connector: Connector::new(Arc::new(identity)),
        name: EMBEDDED_RELAY.to_owned(),
        public_url: public_url.to_owned(),
        retention: Retention::relay(),
        cache_bytes: CACHE_BYTES,
    };
    Ok(Upstream::start(config, shutdown))
}

/// The identity of an earlier start, if authority and database still know it.
async fn known(control: &Control, folder: &Path, authority: [u8; 32]) -> Result<Option<Identity>> {
    let Some(identity) = Identity::load(folder)? else {
        return Ok(None);
    };
    let enrolled = control.db().enrolled_relay(&identity.relay_id).await?.is_some();
    Ok((enrolled && identity.authority_sha256 == authority).then_some(identity))
}

async fn join(
    control: &Control,
    folder: &Path,
    upstreams: Vec<String>,
    authority: [u8; 32],
    public_url: &str,
) -> Result<Identity> {
    let (_, secret) = control.create_embedded_relay(clock::unix_millis()).await?;
    let token = JoinToken::new(upstreams, authority, secret)?;
    let identity = enrol::enrol(&token, EMBEDDED_RELAY, public_url)
        .await
        .context("the embedded relay cannot join")?;
    identity.save(folder)?;
    Ok(identity)
}

/// An address to dial for one that was listened on.
pub fn local(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}
