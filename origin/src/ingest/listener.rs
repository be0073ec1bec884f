//! Accepting publishers, in clear and over TLS.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use node::{shutdown::Shutdown, tls::Tls};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tracing::Instrument as _;

use super::{
    admission::{Admission, PublishRequest, Refusal},
    connection,
    limits::{IngestLimits, Place, Places},
};

/// Pause after a failed accept: out of descriptors, the listener would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// First TCP keep-alive probe on an idle connection, and the time between probes.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What all listeners of publishers share: the limits count for them together.
pub struct Ingest<A> {
    admission: Arc<A>,
    limits: IngestLimits,
    places: Places,
    shutdown: Shutdown,
}

impl<A> Clone for Ingest<A> {
    fn clone(&self) -> Self {
        Self {
            admission: Arc::clone(&self.admission),
            limits: self.limits,
            places: self.places.clone(),
            shutdown: self.shutdown.clone(),
        }
    }
}

impl<A: Admission> Ingest<A> {
    pub fn new(admission: Arc<A>, limits: IngestLimits, shutdown: Shutdown) -> Self {
        Self {
            admission,
            places: Places::new(&limits),
            limits,
            shutdown,
        }
    }

    /// Takes publishers until the shutdown, each on a task of its own that the shutdown waits for; with `tls`, RTMPS. A connection over
    /// the limits is closed at once, or closes another.
    pub async fn serve(self, listener: TcpListener, tls: Option<Tls>) {
        let stop = self.shutdown.token().clone();
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a publisher");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
            let Some(place) = self.places.take(peer.ip()) else {
                metrics::counter!("streamcircle_ingest_connections_refused_total").increment(1);
                tracing::debug!(%peer, "too many publishers, connection closed");
                continue;
            };
            metrics::counter!("streamcircle_ingest_connections_total").increment(1);
            prepare(&stream, peer);
            let acceptor = tls.as_ref().map(|tls| TlsAcceptor::from(tls.config_without_alpn()));
            let ingest = self.clone();
            let span = tracing::info_span!("publisher", %peer);
            self.shutdown.spawn(
                async move {
                    let displaced = place.displaced().clone();
                    // Dropped where it stands: it publishes nothing, and must not hold up the one that came.
                    let served = displaced.run_until_cancelled(ingest.connection(stream, peer, acceptor, place));
                    if served.await.is_none() {
                        metrics::counter!("streamcircle_ingest_connections_displaced_total").increment(1);
                        tracing::debug!("too many connections, this one published nothing and was closed");
                    }
                }
                .instrument(span),
            );
        }
    }

    /// The place is given back however this ends, in a panic too.
    async fn connection(self, stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, place: Place) {
        let Self {
            admission,
            limits,
            shutdown,
            ..
        } = self;
        let admission = Arc::new(Placed { admission, place });
        let stop = shutdown.token().clone();
        let Some(tls) = tls else {
            return connection::serve(stream, peer, admission, limits, stop).await;
        };
        let handshake = tokio::time::timeout(limits.timeouts.handshake, tls.accept(stream));
        match stop.run_until_cancelled(handshake).await {
            Some(Ok(Ok(stream))) => connection::serve(stream, peer, admission, limits, stop).await,
            Some(Ok(Err(error))) => tracing::debug!(%error, "TLS handshake failed"),
            Some(Err(_)) => tracing::debug!("TLS handshake timed out"),
            None => {}
        }
    }
}

/// The rooms' door for one connection, which keeps its place once it is let in.
struct Placed<A> {
    admission: Arc<A>,
    place: Place,
}

impl<A: Admission> Admission for Placed<A> {
    type Lease = A::Lease;

    async fn admit(&self, request: PublishRequest) -> Result<A::Lease, Refusal> {
        let lease = self.admission.admit(request).await?;
        if self.place.publishes() {
            Ok(lease)
        } else {
            Err(Refusal::Unavailable)
        }
    }
}

/// Socket options that help but that a connection can do without.
fn prepare(stream: &TcpStream, peer: SocketAddr) {
    let keep_alive = socket2::TcpKeepalive::new()
        .with_time(KEEP_ALIVE)
        .with_interval(KEEP_ALIVE);
    let set = stream
        .set_nodelay(true)
        .and_then(|()| socket2::SockRef::from(stream).set_tcp_keepalive(&keep_alive));
    if let Err(error) = set {
        tracing::debug!(%peer, %error, "socket options not set");
    }
}
