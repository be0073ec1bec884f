//! The link's UDP port: lets connections in by the protocol they speak and the certificate they show.
//!
//! Handshakes and sessions are counted, and each runs in a task of its own: what one peer does wrong ends that peer's
//! connection.

use std::{sync::Arc, time::Duration};

use axum::Router;
use common::wire::{ALPN_ENROL, ALPN_LINK};
use metrics::counter;
use node::{
    link_driver::{CloseCode, LinkConnection},
    pki::Authority,
    quic::{self, Protocol},
};
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::chat::Chats;

use super::{
    AllowedRelay, RelayStore, RoomsForRelays, StoreUnavailable, enrol,
    roster::{NoSeat, Roster},
    session,
};

/// Connections that are served at a time: the relays, twice for those that just came anew, and enrolments.
const MAX_CONNECTIONS: usize = 1100;
/// Enrolments that run at a time.
const MAX_ENROLMENTS: usize = 8;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// For the database to say whether a relay is allowed.
const STORE_TIMEOUT: Duration = Duration::from_secs(3);
/// For the last packets when the origin stops.
const CLOSING: Duration = Duration::from_secs(2);

/// What the tasks of the link share.
pub(super) struct Context {
    pub(super) roster: Arc<Roster>,
    pub(super) store: Arc<dyn RelayStore>,
    pub(super) authority: Arc<Authority>,
    pub(super) rooms: Arc<dyn RoomsForRelays>,
    pub(super) chats: Chats,
    pub(super) calls: Router,
}

/// A connection that is not served, and what its peer is told.
struct Refusal {
    code: CloseCode,
    reason: String,
}

/// Runs until `stop` is cancelled and all sessions said goodbye.
pub(super) async fn run(endpoint: quinn::Endpoint, context: Arc<Context>, stop: CancellationToken) {
    let enrolments = Arc::new(Semaphore::new(MAX_ENROLMENTS));
    let mut handshakes = JoinSet::new();
    let mut served = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            incoming = endpoint.accept() => {
                // Only a closed endpoint gives none.
                let Some(incoming) = incoming else { break };
                if let Some(connecting) = quic::take_up(incoming, handshakes.len()) {
                    handshakes.spawn(tokio::time::timeout(HANDSHAKE_TIMEOUT, connecting));
                }
            }
            Some(connection) = handshakes.join_next() => {
                if let Ok(Ok(Ok(connection))) = connection {
                    if served.len() >= MAX_CONNECTIONS {
                        connection.close(CloseCode::Limit.into(), b"too many connections");
                        continue;
                    }
                    served.spawn(serve(connection, Arc::clone(&context), Arc::clone(&enrolments), stop.clone()));
                } else {
                    counter!("streamcircle_link_handshakes_failed_total").increment(1);
                }
            }
            // What it panicked of, if it did, was logged by the panic hook.
            Some(_) = served.join_next() => {}
        }
    }
    handshakes.abort_all();
    endpoint.set_server_config(None);
    while served.join_next().await.is_some() {}
    endpoint.close(CloseCode::GoingAway.into(), b"the origin stops");
    let _ = tokio::time::timeout(CLOSING, endpoint.wait_idle()).await;
}

async fn serve(
    connection: quinn::Connection,
    context: Arc<Context>,
    enrolments: Arc<Semaphore>,
    stop: CancellationToken,
) {
    let refusal = match quic::protocol(&connection) {
        Protocol::Link => link(connection.clone(), context, stop).await.err(),
        Protocol::Enrol => match enrolments.try_acquire() {
            Ok(_slot) => {
                tokio::select! {
                    () = enrol::serve(&connection, &context.authority, &*context.store) => {}
                    () = stop.cancelled() => {}
                }
                None
            }
            Err(_) => Some(Refusal::new(
                CloseCode::Unavailable,
                "too many relays enrol now; try again",
            )),
        },
        Protocol::Unknown(name) => {
            let (link, enrol) = (String::from_utf8_lossy(ALPN_LINK), String::from_utf8_lossy(ALPN_ENROL));
            let reason = format!("protocol '{name}' is not spoken here, only {link} and {enrol}");
            Some(Refusal::new(CloseCode::Version, reason))
        }
    };
    if let Some(Refusal { code, reason }) = refusal {
        counter!("streamcircle_link_refused_total").increment(1);
        tracing::warn!(peer = %connection.remote_address(), reason, "a link was refused");
        connection.close(code.into(), reason.as_bytes());
    }
}

/// Serves a connection of the link to its end.
async fn link(connection: quinn::Connection, context: Arc<Context>, stop: CancellationToken) -> Result<(), Refusal> {
    let Some(relay_id) = quic::peer_relay_id(&connection) else {
        return Err(Refusal::new(
            CloseCode::NotAllowed,
            "the link needs a relay's client certificate",
        ));
    };
    let relay = allowed(&relay_id, &context).await?;
    let Ok(link) = LinkConnection::accept(connection).await else {
        return Ok(());
    };
    let (seat, leave) = context
        .roster
        .enter(relay, link.clone())
        .map_err(|no_seat| match no_seat {
            NoSeat::Full => Refusal::new(CloseCode::Limit, "too many relays"),
            NoSeat::Removed => Refusal::removed(),
        })?;
    session::run(link, seat, leave, context, stop).await;
    Ok(())
}

async fn allowed(relay_id: &str, context: &Context) -> Result<AllowedRelay, Refusal> {
    let answer = tokio::time::timeout(STORE_TIMEOUT, context.store.allowed(relay_id)).await;
    match answer.unwrap_or_else(|_| Err(StoreUnavailable("time is up".to_owned()))) {
        Ok(Some(relay)) => Ok(relay),
        Ok(None) => Err(Refusal::removed()),
        // Losing the database does not stop live rooms: relays that were here before may come back.
        Err(error) => context.roster.known(relay_id).ok_or_else(|| {
            tracing::error!(relay = relay_id, %error, "cannot tell whether a relay is allowed");
            Refusal::new(
                CloseCode::Unavailable,
                "the origin cannot look the relay up now; come back",
            )
        }),
    }
}

impl Refusal {
    fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    fn removed() -> Self {
        Self::new(CloseCode::NotAllowed, "this relay was removed")
    }
}
