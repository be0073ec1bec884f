//! Accepting publishers.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use node::shutdown::Shutdown;
use tokio::net::{TcpListener, TcpStream};
use tracing::Instrument as _;

use super::{
    admission::Admission,
    connection,
    limits::{IngestLimits, Places},
};

/// Pause after a failed accept: out of descriptors, the listener would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// First TCP keep-alive probe on an idle connection, and the time between probes.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Takes publishers until `shutdown`, each on a task of its own that `shutdown` waits for. A connection over the limits is
/// closed at once.
pub async fn run<A: Admission>(listener: TcpListener, admission: Arc<A>, limits: IngestLimits, shutdown: Shutdown) {
    let places = Places::new(&limits);
    loop {
        let accepted = tokio::select! {
            () = shutdown.token().cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a publisher");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let Some(place) = places.take(peer.ip()) else {
            metrics::counter!("streamcircle_ingest_connections_refused_total").increment(1);
            tracing::debug!(%peer, "too many publishers, connection closed");
            continue;
        };
        metrics::counter!("streamcircle_ingest_connections_total").increment(1);
        prepare(&stream, peer);
        let connection = connection::serve(stream, peer, admission.clone(), limits, shutdown.token().clone());
        let span = tracing::info_span!("publisher", %peer);
        shutdown.spawn(
            async move {
                // Given back however the task ends, a panic included.
                let _place = place;
                connection.await;
            }
            .instrument(span),
        );
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
