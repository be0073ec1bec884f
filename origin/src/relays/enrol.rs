//! The origin's side of enrolment: a one-time secret against a client certificate.

use std::time::Duration;

use common::wire::{
    LINK_VERSION,
    enrol::{EnrolReply, EnrolRequest},
};
use metrics::counter;
use node::{
    clock,
    link_driver::{CloseCode, Closed, HeadError, read_head, write_head},
    pki::{Authority, PkiError},
};
use sha2::{Digest, Sha256};

use super::{RelayStore, StoreUnavailable};

/// For the question to come, and for the answer to be taken.
const TIMEOUT: Duration = Duration::from_secs(5);
/// For the database.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
enum EnrolFailure {
    #[error(transparent)]
    Stream(#[from] HeadError),
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
    #[error(transparent)]
    Certificate(#[from] PkiError),
}

/// Serves one connection that wants to enrol, and closes it.
pub(super) async fn serve(connection: &quinn::Connection, authority: &Authority, store: &dyn RelayStore) {
    let peer = connection.remote_address();
    let (code, reason) = match exchange(connection, authority, store).await {
        Ok(()) => (CloseCode::Done, "".to_owned()),
        Err(EnrolFailure::Stream(HeadError::Closed(_))) => return,
        Err(EnrolFailure::Stream(error)) => (CloseCode::Protocol, error.to_string()),
        // What is wrong here is not the relay's business.
        Err(error @ (EnrolFailure::Store(_) | EnrolFailure::Certificate(_))) => {
            tracing::error!(%peer, %error, "a relay could not be enrolled");
            (CloseCode::Unavailable, "the origin cannot enrol relays now".to_owned())
        }
    };
    connection.close(code.into(), reason.as_bytes());
}

async fn exchange(
    connection: &quinn::Connection,
    authority: &Authority,
    store: &dyn RelayStore,
) -> Result<(), EnrolFailure> {
    let opened = tokio::time::timeout(TIMEOUT, connection.accept_bi()).await;
    let opened = opened.map_err(|_| HeadError::TimedOut(TIMEOUT))?;
    let (mut send, mut receive) = opened.map_err(|error| HeadError::from(Closed::from(error)))?;
    let request: EnrolRequest = read_head(&mut receive, TIMEOUT).await?;
    let reply = decide(&request, authority, store).await?;
    match &reply {
        EnrolReply::Granted { relay_id, name, .. } => {
            counter!("streamcircle_link_enrolments_total", "outcome" => "granted").increment(1);
            let (peer, called, url) = (connection.remote_address(), &request.name, &request.public_url);
            tracing::info!(relay = relay_id, name, ?called, ?url, %peer, "a relay was enrolled");
        }
        EnrolReply::Refused { reason } => {
            counter!("streamcircle_link_enrolments_total", "outcome" => "refused").increment(1);
            tracing::warn!(reason, peer = %connection.remote_address(), "a relay was not enrolled");
        }
    }
    write_head(&mut send, &reply, TIMEOUT).await?;
    // Closing drops what is on its way: the relay closes when it has read.
    let _ = tokio::time::timeout(TIMEOUT, connection.closed()).await;
    Ok(())
}

async fn decide(
    request: &EnrolRequest,
    authority: &Authority,
    store: &dyn RelayStore,
) -> Result<EnrolReply, EnrolFailure> {
    if request.version != LINK_VERSION {
        let spoken = request.version;
        return Ok(EnrolReply::Refused {
            reason: format!("the relay speaks link version {spoken}, this origin speaks version {LINK_VERSION}"),
        });
    }
    let secret_sha256 = Sha256::digest(request.secret.expose()).into();
    let redeemed = tokio::time::timeout(STORE_TIMEOUT, store.redeem(&secret_sha256, clock::unix_millis())).await;
    let redeemed = redeemed.map_err(|_| StoreUnavailable("time is up".to_owned()))??;
    let Some(relay) = redeemed else {
        return Ok(EnrolReply::Refused {
            reason: "it was used before, its time is over, or the relay was removed".to_owned(),
        });
    };
    let chain = authority.sign_relay(&relay.id, request.public_key)?;
    Ok(EnrolReply::Granted {
        relay_id: relay.id,
        name: relay.name,
        chain: chain.iter().map(|certificate| certificate.to_vec()).collect(),
    })
}
