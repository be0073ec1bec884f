//! The accept loop of every HTTP listener: time-outs, caps on connections, TLS, HTTP/2 by ALPN, and an orderly end.
//!
//! `axum::serve` has no time-out for a request's head and no caps, hence this one. What is answered is the router's matter; it finds
//! [`Peer`] and [`Secure`] in each request's extensions. A router whose answers may wait (blocking reloads) watches the same
//! [`Shutdown`] itself, so that a drain does not wait for them.
//!
//! Plaintext listeners speak HTTP/1.1 alone: telling HTTP/2 with prior knowledge from HTTP/1 means to read first bytes that may
//! never come, and browsers do not speak it.

mod activity;
mod slots;

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

pub use self::slots::address_holder;
use self::{
    activity::{Activity, GuardedIo, TrackedBody},
    slots::{Slot, Slots},
};
use crate::{shutdown::Shutdown, tls::Tls};

/// Largest head of a request: tokens travel in paths and cookies.
const MAX_HEAD_LEN: usize = 64 * 1024;
/// The same for HTTP/2, where names and values count with an overhead of 32 bytes each.
const MAX_HEADER_LIST_LEN: u32 = 16 * 1024;
/// A player has two blocked playlists and some parts under way; a browser shares one connection between its tabs.
const MAX_H2_STREAMS: u32 = 128;
const H2_PING_INTERVAL: Duration = Duration::from_secs(20);
const H2_PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection without a request under way may take to close once it was told to.
const CLOSE_GRACE: Duration = Duration::from_millis(500);
/// Wait after the first failed accept; doubled up to [`MAX_ACCEPT_PAUSE`]. Such errors (no file descriptor left) last for a while.
const FIRST_ACCEPT_PAUSE: Duration = Duration::from_millis(20);
const MAX_ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The address that a request came from, in its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Whether a request came over TLS, in its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secure(pub bool);

/// What a listener bears.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For a request's head. On HTTP/1.1 it runs from the end of the answer before, so it bounds idleness too.
    pub header_timeout: Duration,
    /// For the TLS handshake.
    pub handshake_timeout: Duration,
    /// For a connection (HTTP/2 above all) without any request under way.
    pub idle_timeout: Duration,
    /// For a peer that takes nothing of what is sent to it.
    pub write_timeout: Duration,
    /// At the same time; more are closed at once.
    pub max_connections: usize,
    /// Of one IPv4 address, or one /64 of IPv6 addresses.
    pub max_per_address: usize,
    /// Whether loopback addresses fall under `max_per_address`: a reverse proxy on this machine carries all viewers on one.
    pub loopback_is_capped: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            max_connections: 4096,
            max_per_address: 256,
            loopback_is_capped: false,
        }
    }
}

/// Serves `app` on `listener` until `shutdown`, over TLS when there is a configuration for it.
///
/// Returns when the listener is closed; its connections are tasks of `shutdown`, which its `drain` waits for.
pub async fn serve(listener: TcpListener, app: Router, tls: Option<Tls>, limits: Limits, shutdown: Shutdown) {
    let app = app.layer(CatchPanicLayer::custom(panic_answer));
    let slots = Slots::new(
        limits.max_connections,
        limits.max_per_address,
        limits.loopback_is_capped,
    );
    let limits = Arc::new(limits);
    let stop = shutdown.token();
    let mut pause = FIRST_ACCEPT_PAUSE;
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                let _ = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
                pause = (pause * 2).min(MAX_ACCEPT_PAUSE);
                continue;
            }
        };
        pause = FIRST_ACCEPT_PAUSE;
        let Some(slot) = slots.take(peer.ip()) else {
            metrics::counter!("streamcircle_http_connections_refused_total").increment(1);
            continue;
        };
        let connection = Connection {
            app: app.clone(),
            peer,
            limits: limits.clone(),
            stop: stop.clone(),
        };
        let tls = tls.as_ref().map(|tls| TlsAcceptor::from(tls.config()));
        shutdown.spawn(connection.run(socket, tls, slot));
    }
}

struct Connection {
    app: Router,
    peer: SocketAddr,
    limits: Arc<Limits>,
    stop: CancellationToken,
}

impl Connection {
    async fn run(self, socket: TcpStream, tls: Option<TlsAcceptor>, slot: Slot) {
        // Small playlists and messages must not wait for more to send.
        let _ = socket.set_nodelay(true);
        let Some(acceptor) = tls else {
            return self.http1(socket, slot, false).await;
        };
        let handshake = tokio::time::timeout(self.limits.handshake_timeout, acceptor.accept(socket));
        match self.stop.run_until_cancelled(handshake).await {
            Some(Ok(Ok(socket))) if socket.get_ref().1.alpn_protocol() == Some(b"h2") => self.http2(socket, slot).await,
            Some(Ok(Ok(socket))) => self.http1(socket, slot, true).await,
            Some(Ok(Err(error))) => tracing::debug!(peer = %self.peer, %error, "TLS handshake failed"),
            Some(Err(_)) => tracing::debug!(peer = %self.peer, "TLS handshake timed out"),
            None => {}
        }
    }

    async fn http1<I>(&self, socket: I, slot: Slot, secure: bool)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Activity::new();
        let io = GuardedIo::new(socket, activity.clone(), self.limits.write_timeout, slot);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_buf_size(MAX_HEAD_LEN)
            .serve_connection(TokioIo::new(io), self.service(secure, activity.clone()))
            .with_upgrades();
        self.drive(connection, http1::UpgradeableConnection::graceful_shutdown, &activity)
            .await;
    }

    async fn http2<I>(&self, socket: I, slot: Slot)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Activity::new();
        let io = GuardedIo::new(socket, activity.clone(), self.limits.write_timeout, slot);
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_H2_STREAMS)
            .max_header_list_size(MAX_HEADER_LIST_LEN)
            .keep_alive_interval(H2_PING_INTERVAL)
            .keep_alive_timeout(H2_PING_TIMEOUT)
            .serve_connection(TokioIo::new(io), self.service(true, activity.clone()));
        self.drive(connection, http2::Connection::graceful_shutdown, &activity)
            .await;
    }

    fn service(
        &self,
        secure: bool,
        activity: Arc<Activity>,
    ) -> impl Service<
        Request<Incoming>,
        Response = Response<TrackedBody>,
        Error = Infallible,
        Future = impl Future<Output = Result<Response<TrackedBody>, Infallible>> + Send + use<>,
    > + Send
    + use<> {
        let (app, peer) = (self.app.clone(), self.peer);
        service_fn(move |request: Request<Incoming>| {
            let under_way = activity.begin();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            request.extensions_mut().insert(Secure(secure));
            let answer = app.clone().oneshot(request);
            async move { Ok(answer.await?.map(|body| TrackedBody::new(body, under_way))) }
        })
    }

    /// Runs a connection to its end: the peer's, an idle time-out, or the daemon's, which lets running answers finish.
    ///
    /// `close` tells it to take no more requests.
    async fn drive<C>(&self, connection: C, close: impl Fn(Pin<&mut C>), activity: &Activity)
    where
        C: Future<Output = hyper::Result<()>>,
    {
        let mut connection = pin!(connection);
        let finished = tokio::select! {
            finished = connection.as_mut() => Some(finished),
            () = self.stop.cancelled() => None,
            () = activity.idle_for(self.limits.idle_timeout) => None,
        };
        let finished = match finished {
            Some(finished) => finished,
            None => {
                close(connection.as_mut());
                tokio::select! {
                    finished = connection.as_mut() => finished,
                    // A peer that never asked anything, or does not close its side.
                    () = activity.idle_for(CLOSE_GRACE) => Ok(()),
                }
            }
        };
        if let Err(error) = finished {
            tracing::debug!(peer = %self.peer, %error, "connection ended");
        }
    }
}

/// A panic ends one request, and its text, which may hold anything, stays here: the panic hook has written it to standard error.
fn panic_answer(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request's handler panicked");
    metrics::counter!("streamcircle_http_panics_total").increment(1);
    const BODY: &str = r#"{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"This is a fault of the server."}"#;
    let headers = [(header::CONTENT_TYPE, "application/problem+json")];
    (StatusCode::INTERNAL_SERVER_ERROR, headers, BODY).into_response()
}

#[cfg(test)]
mod tests;
