//! The listener for those who run the daemon: Prometheus text at `/metrics`, `/healthz` and `/readyz`.
//!
//! It is off unless asked for and carries no authentication: it belongs on a private address.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use crate::{
    http_server::{self, Limits},
    shutdown::Shutdown,
};

/// How often the recorder drops what it no longer needs.
const UPKEEP: Duration = Duration::from_secs(5);

/// Connections at the same time; there are few who scrape.
const MAX_CONNECTIONS: usize = 32;

/// Whether the daemon can take work: its listeners stand and what it depends on is there.
pub type Readiness = Arc<dyn Fn() -> bool + Send + Sync>;

/// The metrics of this process cannot be recorded.
#[derive(Debug, thiserror::Error)]
#[error("metrics are recorded elsewhere in this process already")]
pub struct RecorderTaken;

/// Records the metrics of this process from now on; call it once, before the parts that count are made.
///
/// # Errors
/// Another recorder is installed.
pub fn record() -> Result<PrometheusHandle, RecorderTaken> {
    PrometheusBuilder::new().install_recorder().map_err(|_| RecorderTaken)
}

/// Answers on `listener` until `shutdown`.
pub async fn serve(listener: TcpListener, metrics: PrometheusHandle, ready: Readiness, shutdown: Shutdown) {
    let upkeep = metrics.clone();
    let stop = shutdown.token().clone();
    shutdown.spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            upkeep.run_upkeep();
        }
    });
    let limits = Limits {
        max_connections: MAX_CONNECTIONS,
        ..Limits::default()
    };
    http_server::serve(listener, router(metrics, ready), None, limits, shutdown).await;
}

fn router(metrics: PrometheusHandle, ready: Readiness) -> Router {
    Router::new()
        .route(
            "/metrics",
            get(move || async move {
                let text = metrics.render();
                ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
            }),
        )
        .route("/healthz", get(|| async { "ok\n" }))
        .route(
            "/readyz",
            get(move || async move {
                if ready() {
                    (StatusCode::OK, "ready\n").into_response()
                } else {
                    (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
                }
            }),
        )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn readiness_and_metrics_are_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let is_ready = Arc::new(AtomicBool::new(false));
        let ready: Readiness = Arc::new({
            let is_ready = is_ready.clone();
            move || is_ready.load(Ordering::Relaxed)
        });
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let shutdown = Shutdown::new();
        let server = tokio::spawn(serve(listener, metrics, ready, shutdown.clone()));

        let status = |path: &str| {
            let url = format!("{base}{path}");
            async move { reqwest::get(url).await.unwrap().status().as_u16() }
        };
        assert_eq!(status("/readyz").await, 503);
        is_ready.store(true, Ordering::Relaxed);
        assert_eq!(status("/readyz").await, 200);
        assert_eq!(status("/healthz").await, 200);
        assert_eq!(status("/metrics").await, 200);

        shutdown.trigger();
        assert_eq!(shutdown.drain(Duration::from_secs(5)).await, 0);
        server.await.unwrap();
    }
}
