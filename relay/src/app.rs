//! A relay put together: settings to listeners, identity, upstream and viewers.
//!
//! [`Relay`] is the program of its own. An origin that embeds a relay starts an [`Upstream`] with an identity it made itself and
//! calls [`serve`].

use std::{path::Path, sync::Arc, time::Duration};

use common::{auth::join_token::JoinToken, live::window::Retention};
use node::{
    config::ExitError,
    enrol::{self, EnrolError},
    http_server::{self, Limits},
    link_driver::Connector,
    ops,
    pki::Identity,
    shutdown::Shutdown,
    tls::{RELOAD_INTERVAL, Tls},
};
use tokio::net::TcpListener;

use crate::{
    chat::link,
    config::Config,
    metrics,
    upstream::{Upstream, UpstreamConfig},
    viewer::{self, Viewers},
};

/// Answers under way and goodbyes to the upstream may take as long when the relay stops.
const DRAIN: Duration = Duration::from_secs(9);
/// An origin that is being started at the same time is waited for.
const ENROL_TRIES: u32 = 10;
const ENROL_PAUSE: Duration = Duration::from_secs(1);

/// How viewers are served.
pub struct ServeOptions {
    /// Over TLS when given.
    pub tls: Option<Tls>,
    pub limits: Limits,
}

impl Default for ServeOptions {
    /// More connections than other listeners have: each viewer's chat is one, besides those that its player makes.
    fn default() -> Self {
        Self {
            tls: None,
            limits: Limits {
                max_connections: 16_384,
                max_per_address: 512,
                ..Limits::default()
            },
        }
    }
}

/// Serves viewers on `listener` from what `upstream` mirrors, until `shutdown`.
///
/// Returns when nobody new is taken; connections are tasks of `shutdown`.
pub async fn serve(listener: TcpListener, upstream: Upstream, options: ServeOptions, shutdown: Shutdown) {
    if let Some(tls) = &options.tls {
        tls.watch_files(RELOAD_INTERVAL, &shutdown);
    }
    // Served a second time, it would be without chat.
    let chat = upstream.take_chat().unwrap_or_else(|| link::pair().0);
    let viewers = Viewers::new(Arc::new(upstream), chat, &shutdown);
    http_server::serve(listener, viewer::router(viewers), options.tls, options.limits, shutdown).await;
}

/// A relay that can start: its addresses are bound and it has an identity.
pub struct Relay {
    config: Config,
    listener: TcpListener,
    metrics: Option<TcpListener>,
    tls: Option<Tls>,
    identity: Identity,
}

impl Relay {
    /// Binds the listeners and, at the first start, trades the join token for an identity.
    ///
    /// What can fail without the origin is tried first: the token serves once.
    ///
    /// # Errors
    /// The first thing that is missing, taken or refused.
    pub async fn load(config: Config) -> Result<Self, ExitError> {
        let tls = load_tls(&config)?;
        let listener = bind("--http", config.http).await?;
        let metrics = match config.metrics {
            Some(address) => Some(bind("--metrics", address).await?),
            None => None,
        };
        let folder = config.data_dir.display();
        check_writable(&config.data_dir).map_err(|cause| ExitError::failed("--data-dir", &folder, cause))?;
        let stored = Identity::load(&config.data_dir);
        let identity = match stored.map_err(|cause| ExitError::failed("--data-dir", &folder, cause))? {
            Some(identity) => identity,
            None => join(&config).await?,
        };
        Ok(Self {
            config,
            listener,
            metrics,
            tls,
            identity,
        })
    }

    /// Serves until `shutdown`, then lets running answers finish.
    ///
    /// # Errors
    /// Metrics cannot be recorded.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), ExitError> {
        let recorder = match &self.metrics {
            Some(_) => Some(ops::record().map_err(|cause| ExitError::failed("--metrics", "", cause))?),
            None => None,
        };
        metrics::describe();
        tracing::info!(
            http = %self.config.http,
            public_url = %self.config.public_url,
            name = %self.identity.name,
            relay_id = %self.identity.relay_id,
            tls = self.tls.is_some(),
            "relay started"
        );
        let config = UpstreamConfig {
            connector: Connector::new(Arc::new(self.identity)),
            name: self.config.name,
            public_url: self.config.public_url.to_string(),
            retention: Retention::relay(),
            cache_bytes: self.config.cache_bytes,
        };
        let upstream = Upstream::start(config, &shutdown);
        if let (Some(listener), Some(recorder)) = (self.metrics, recorder) {
            let upstream = upstream.clone();
            let ready = Arc::new(move || upstream.is_up());
            tokio::spawn(ops::serve(listener, recorder, ready, shutdown.clone()));
        }
        let options = ServeOptions {
            tls: self.tls,
            ..ServeOptions::default()
        };
        serve(self.listener, upstream, options, shutdown.clone()).await;
        tracing::info!("relay stops: running answers are finished");
        let cut_off = shutdown.drain(DRAIN).await;
        if cut_off > 0 {
            tracing::warn!(cut_off, "not all tasks ended in time");
        }
        Ok(())
    }
}

/// The TLS files of the settings, if they name any.
///
/// # Errors
/// The files cannot be used.
pub fn load_tls(config: &Config) -> Result<Option<Tls>, ExitError> {
    let Some(files) = &config.tls else {
        return Ok(None);
    };
    let loaded = Tls::load(&files.certificate, &files.key);
    let named = files.certificate.display();
    loaded
        .map(Some)
        .map_err(|cause| ExitError::config("--tls-cert", named, cause))
}

async fn bind(setting: &str, address: std::net::SocketAddr) -> Result<TcpListener, ExitError> {
    TcpListener::bind(address)
        .await
        .map_err(|cause| ExitError::failed(setting, address, cause))
}

/// Makes the folder if need be, and tries a file in it.
fn check_writable(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let probe = folder.join(".writable");
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(&probe)
}

async fn join(config: &Config) -> Result<Identity, ExitError> {
    let folder = config.data_dir.display();
    let Some(token) = &config.join else {
        let cause = format_args!("needed at the first start, as {folder} holds no identity yet");
        return Err(ExitError::config("--join", "(not set)", cause));
    };
    let identity = enrol_patiently(token, config).await;
    let identity = identity.map_err(|cause| ExitError::failed("--join", "(not shown)", cause))?;
    identity
        .save(&config.data_dir)
        .map_err(|cause| ExitError::failed("--data-dir", folder, cause))?;
    tracing::info!(relay_id = %identity.relay_id, "joined");
    Ok(identity)
}

async fn enrol_patiently(token: &JoinToken, config: &Config) -> Result<Identity, EnrolError> {
    let mut tries = 1;
    loop {
        match enrol::enrol(token, &config.name, config.public_url.as_str()).await {
            Err(EnrolError::Connect(error)) if error.may_retry() && tries < ENROL_TRIES => {
                tracing::warn!(%error, "cannot join yet, trying again");
                tries += 1;
                tokio::time::sleep(ENROL_PAUSE).await;
            }
            ended => return ended,
        }
    }
}
