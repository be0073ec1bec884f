//! Dialling an upstream.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use super::{Closed, LinkConnection};
use crate::{
    pki::{Identity, SERVER_NAME},
    quic::{self, Purpose, QuicError},
};

/// Most addresses that a name is followed to.
const MAX_RESOLVED: usize = 4;
/// For name resolution, and for each handshake.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// No connection came about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Setup(#[from] QuicError),
    #[error("{address} cannot be resolved: {cause}")]
    Resolve { address: String, cause: String },
    #[error("{address} cannot be dialled: {cause}")]
    Dial { address: SocketAddr, cause: String },
    #[error("{address} did not answer in {} s", DIAL_TIMEOUT.as_secs())]
    TimedOut { address: SocketAddr },
    #[error("{address}: {closed}")]
    Refused { address: SocketAddr, closed: Closed },
    #[error("no address of an upstream is known")]
    NoAddress,
}

impl ConnectError {
    /// Whether trying again later can help.
    pub fn may_retry(&self) -> bool {
        match self {
            Self::Setup(_) | Self::NoAddress => false,
            Self::Refused { closed, .. } => closed.may_return(),
            Self::Resolve { .. } | Self::Dial { .. } | Self::TimedOut { .. } => true,
        }
    }
}

/// Dials the upstream of an enrolled relay.
pub struct Connector {
    identity: Arc<Identity>,
}

impl Connector {
    pub fn new(identity: Arc<Identity>) -> Self {
        Self { identity }
    }

    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// Tries each address once, in order.
    ///
    /// # Errors
    /// The last address's error; one that says not to come back ends it at once.
    pub async fn connect(&self) -> Result<LinkConnection, ConnectError> {
        let config = quic::client_config(&self.identity.authority_sha256, Purpose::Link(&self.identity))?;
        let (connection, address) = dial(&self.identity.upstreams, &config).await?;
        LinkConnection::dialed(connection)
            .await
            .map_err(|closed| ConnectError::Refused { address, closed })
    }
}

/// A connection to the first of `addresses` that takes one.
pub(crate) async fn dial(
    addresses: &[String],
    config: &quinn::ClientConfig,
) -> Result<(quinn::Connection, SocketAddr), ConnectError> {
    let mut last = ConnectError::NoAddress;
    for address in addresses {
        let resolved = match resolve(address).await {
            Ok(resolved) => resolved,
            Err(error) => {
                last = error;
                continue;
            }
        };
        for address in resolved {
            match dial_one(address, config).await {
                Ok(connection) => return Ok((connection, address)),
                Err(error) => last = error,
            }
        }
    }
    Err(last)
}

async fn resolve(address: &str) -> Result<Vec<SocketAddr>, ConnectError> {
    let error = |cause: String| ConnectError::Resolve {
        address: address.to_owned(),
        cause,
    };
    let found = tokio::time::timeout(DIAL_TIMEOUT, tokio::net::lookup_host(address))
        .await
        .map_err(|_| error("time is up".to_owned()))?
        .map_err(|cause| error(cause.to_string()))?;
    let mut found: Vec<SocketAddr> = found.collect();
    found.dedup();
    found.truncate(MAX_RESOLVED);
    Ok(found)
}

async fn dial_one(address: SocketAddr, config: &quinn::ClientConfig) -> Result<quinn::Connection, ConnectError> {
    let dial_error = |cause: String| ConnectError::Dial { address, cause };
    let any_port = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    // A socket of its own for each connection: a network that went away under the old one does not matter to the next.
    let endpoint = quinn::Endpoint::client(any_port).map_err(|error| dial_error(error.to_string()))?;
    let connecting = endpoint
        .connect_with(config.clone(), address, SERVER_NAME)
        .map_err(|error| dial_error(error.to_string()))?;
    match tokio::time::timeout(DIAL_TIMEOUT, connecting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(ConnectError::Refused {
            address,
            closed: error.into(),
        }),
        Err(_) => Err(ConnectError::TimedOut { address }),
    }
}
