//! A link's connection, the same value at both ends: frames on the control stream, parts on streams of their own, questions.
//!
//! Every read here has a cap and a time-out, and all calls may be dropped half-way (as in `select!`) without losing anything.
//! What to say when is not here: that is `common::link`. Who may connect is not here either.

mod closing;
mod connector;
mod control;
mod heads;
mod parts;
mod requests;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use common::link::priority;
use tokio::sync::Mutex;

pub(crate) use self::connector::dial;
pub use self::{
    closing::{CloseCode, Closed},
    connector::{ConnectError, Connector},
    control::FrameError,
    heads::{HeadError, read_head, write_head},
    parts::{PartError, SendError},
    requests::{AskError, IncomingRequest, Responder},
};
use self::{control::Control, parts::PartsIn, requests::RequestsIn};
use crate::quic;

/// How long the accepting end waits for the dialer's control stream.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(5);

/// Clones share the connection. It is closed when the last one is dropped.
#[derive(Clone)]
pub struct LinkConnection {
    shared: Arc<Shared>,
}

struct Shared {
    connection: quinn::Connection,
    peer_relay_id: Option<Arc<str>>,
    control: Control,
    parts_in: Mutex<PartsIn>,
    requests_in: Mutex<RequestsIn>,
}

impl LinkConnection {
    /// The dialer's end: opens the control stream. The peer learns of it with the first frame.
    async fn dialed(connection: quinn::Connection) -> Result<Self, Closed> {
        let (send, receive) = connection.open_bi().await?;
        Ok(Self::new(connection, send, receive))
    }

    /// The accepting end: waits for the control stream of a connection whose protocol is the link's.
    ///
    /// # Errors
    /// The connection was lost, or the peer opened no control stream in time.
    pub async fn accept(connection: quinn::Connection) -> Result<Self, Closed> {
        match tokio::time::timeout(CONTROL_TIMEOUT, connection.accept_bi()).await {
            Ok(streams) => {
                let (send, receive) = streams?;
                Ok(Self::new(connection, send, receive))
            }
            Err(_) => {
                let reason = "no control stream";
                closing::close(&connection, CloseCode::Protocol, reason);
                Err(Closed::here(CloseCode::Protocol, reason))
            }
        }
    }

    fn new(connection: quinn::Connection, send: quinn::SendStream, receive: quinn::RecvStream) -> Self {
        // Fails only on a closed stream, which shows at the first write.
        let _ = send.set_priority(priority::CONTROL);
        let shared = Shared {
            peer_relay_id: quic::peer_relay_id(&connection).map(Arc::from),
            control: Control::new(send, receive),
            parts_in: Mutex::default(),
            requests_in: Mutex::default(),
            connection,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The relay id in the peer's client certificate; `None` at the dialer's end.
    pub fn peer_relay_id(&self) -> Option<&Arc<str>> {
        self.shared.peer_relay_id.as_ref()
    }

    /// Where the peer is now; it may move.
    pub fn peer_address(&self) -> SocketAddr {
        self.shared.connection.remote_address()
    }

    /// Round trip as measured by now.
    pub fn rtt(&self) -> Duration {
        self.shared.connection.rtt()
    }

    /// Bytes of UDP payload sent so far, retransmissions included.
    pub fn bytes_sent(&self) -> u64 {
        self.shared.connection.stats().udp_tx.bytes
    }

    /// Ends the connection at once; what was not delivered yet is dropped. The peer reads `reason` (at most 255 bytes of it).
    pub fn close(&self, code: CloseCode, reason: &str) {
        closing::close(&self.shared.connection, code, reason);
    }

    /// Waits until the connection is over, and says why.
    pub async fn closed(&self) -> Closed {
        self.shared.connection.closed().await.into()
    }
}

impl std::fmt::Debug for LinkConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkConnection")
            .field("peer", &self.peer_address())
            .field("relay", &self.shared.peer_relay_id)
            .finish_non_exhaustive()
    }
}
