//! The origin put together: settings to listeners, rooms, relays and the API.

mod known;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use common::{id::RoomSlug, live::window::Retention};
use node::{
    config::ExitError,
    http_server::{self, Limits},
    ops,
    pki::Authority,
    shutdown::Shutdown,
    tls::{RELOAD_INTERVAL, Tls},
    web_app::{self, Entry},
};
use relay::{app::ServeOptions, upstream::Upstream};
use tokio::net::TcpListener;

use self::known::{Awaited, awaited_rooms, key_hashes, known_rooms, link_state, stream_settings};
use crate::{
    api::{Api, LinkAddress},
    chat::{Chats, Known},
    config::Config,
    control::Control,
    embedded,
    gate::ChatGate,
    ingest::{Ingest, limits::IngestLimits},
    news,
    opening::{chain, open_control},
    plane::Plane,
    relays::{Relays, RoomsForRelays},
    retention,
    room::{RoomAdmission, Rooms, RoomsConfig, record_figures},
    slate::making::SlateMaker,
    stores::{self, Stores},
    transcode::Transcoder,
};

/// Running answers and goodbyes may take as long when the origin stops.
const DRAIN: Duration = Duration::from_secs(8);
/// For the database to close and files to be written after that; a disk that hangs must not keep the origin from stopping in time.
const CLOSE: Duration = Duration::from_secs(1);
/// Folder of the link's authority in the data folder.
const PKI_FOLDER: &str = "pki";
/// The same of slates as ffmpeg made them.
const SLATES_FOLDER: &str = "slates";
/// File of the names that stand in for stream keys behind nginx, in the same.
const PASSES_FILE: &str = "on-air-names.json";

/// An origin that can start: its addresses are bound, its data folder and database are open.
pub struct Origin {
    config: Config,
    control: Arc<Control>,
    authority: Arc<Authority>,
    http: TcpListener,
    rtmp: TcpListener,
    rtmps: Option<TcpListener>,
    relay_http: Option<TcpListener>,
    metrics: Option<TcpListener>,
    tls: Option<Tls>,
}

impl Origin {
    /// Binds the listeners, opens data folder and database, makes what a first start needs.
    ///
    /// # Errors
    /// The first thing that is taken, missing or refused.
    pub async fn load(config: Config) -> Result<Self, ExitError> {
        let tls = load_tls(&config)?;
        let rtmp = bind("--rtmp", config.rtmp).await?;
        let rtmps = bind_if("--rtmps", config.rtmps).await?;
        let relay_http = bind_if("--relay-http", config.relay_http).await?;
        let metrics = bind_if("--metrics", config.metrics).await?;
        let control = Arc::new(open_control(&config).await?);
        // Last, for whoever finds it listening (`welcome` does) opens the same folder and database, and must not make them too.
        let http = bind("--http", config.http).await?;
        let authority = Authority::open(&config.data_dir.join(PKI_FOLDER))
            .map_err(|cause| ExitError::failed("--data-dir", config.data_dir.display(), cause))?;
        Ok(Self {
            config,
            control,
            authority: Arc::new(authority),
            http,
            rtmp,
            rtmps,
            relay_http,
            metrics,
            tls,
        })
    }

    /// Serves until `shutdown`, then lets running answers finish.
    ///
    /// # Errors
    /// What the settings promise cannot be started.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), ExitError> {
        let metrics = match self.metrics {
            Some(listener) => Some((
                listener,
                ops::record().map_err(|cause| ExitError::failed("--metrics", "", cause))?,
            )),
            None => None,
        };
        let stores = Stores::new(Arc::clone(&self.control));
        let config = &self.config;
        let known = known_rooms(&self.control).await?;
        let awaited = awaited_rooms(&self.control).await?;
        let state = link_state(&self.control, &stores, &known, &awaited).await?;
        let relays = Relays::new(state, Arc::new(stores.clone()));
        let rooms = open_rooms(config, &known, &awaited, &stores, &shutdown);
        let passes = rooms.keep_passes(config.data_dir.join(PASSES_FILE), &key_hashes(&self.control).await?);
        if metrics.is_some() {
            shutdown.spawn(record_figures(rooms.clone(), shutdown.clone()));
        }
        for (room, settings) in stream_settings(&self.control).await? {
            rooms.set_stream_settings(&room, settings);
        }
        let chats = open_chats(known, &stores, &relays, &shutdown);
        let plane = Plane::new(rooms.clone(), relays.clone(), chats.clone(), stores.clone());
        let plane = Arc::new(plane);
        let link = LinkAddress {
            addresses: config.link_advertise.clone(),
            key_sha256: *self.authority.key_sha256(),
        };
        let api = Api::new(Arc::clone(&self.control), plane.clone(), link, stores::api_clock())
            .map_err(|cause| ExitError::config("--link-advertise", config.link_advertise.join(","), cause))?;

        let listening = relays
            .listen(
                config.link,
                Arc::clone(&self.authority),
                Arc::clone(&plane) as Arc<dyn RoomsForRelays>,
                chats.clone(),
                api.viewer_router(),
                &shutdown,
            )
            .map_err(|cause| ExitError::failed("--link", config.link, cause))?;
        shutdown.spawn(news::tell_rooms(rooms.clone(), relays.clone(), chats, shutdown.clone()));
        shutdown.spawn(retention::run(
            Arc::clone(&self.control),
            plane.clone(),
            stores::api_clock(),
            shutdown.clone(),
        ));
        shutdown.spawn(news::tell_public_urls(stores.clone(), relays, shutdown.clone()));
        let admission = Arc::new(RoomAdmission::new(rooms, Arc::new(stores)));
        let ingest = Ingest::new(admission, IngestLimits::default(), shutdown.clone());
        if let Some(listener) = self.rtmps {
            shutdown.spawn(ingest.clone().serve(listener, self.tls.clone()));
        }
        shutdown.spawn(ingest.serve(self.rtmp, None));
        if let Some(tls) = &self.tls {
            tls.watch_files(RELOAD_INTERVAL, &shutdown);
        }
        let dashboard = api.admin_router().fallback_service(web_app::router(Entry::Dashboard));
        let served = http_server::serve(
            self.http,
            dashboard,
            self.tls.clone(),
            Limits::default(),
            shutdown.clone(),
        );
        shutdown.spawn(served);
        let embedded = match self.relay_http {
            Some(listener) => {
                let key = *self.authority.key_sha256();
                Some(start_embedded(&self.control, config, listening, key, listener, self.tls, &shutdown).await?)
            }
            None => None,
        };
        if let Some((listener, recorder)) = metrics {
            let ready = Arc::new(move || embedded.as_ref().is_none_or(Upstream::is_up));
            shutdown.spawn(ops::serve(listener, recorder, ready, shutdown.clone()));
        }
        tracing::info!(
            http = %config.http,
            rtmp = %config.rtmp,
            link = %listening,
            public_url = %config.public_url,
            "origin started"
        );
        shutdown.token().cancelled().await;
        tracing::info!("origin stops: running answers are finished");
        let cut_off = shutdown.drain(DRAIN).await;
        if cut_off > 0 {
            tracing::warn!(cut_off, "not all tasks ended in time");
        }
        let close = async { tokio::join!(self.control.db().close(), passes.write_last()) };
        if tokio::time::timeout(CLOSE, close).await.is_err() {
            tracing::warn!("the database did not close, or a file was not written, in time");
        }
        Ok(())
    }
}

/// The TLS files of the settings, if they name any.
///
/// # Errors
/// The files cannot be used.
pub fn load_tls(config: &Config) -> Result<Option<Tls>, ExitError> {
    let Some(files) = &config.tls else { return Ok(None) };
    let loaded = Tls::load(&files.certificate, &files.key);
    loaded
        .map(Some)
        .map_err(|cause| ExitError::config("--tls-cert", files.certificate.display(), cause))
}

fn open_rooms(
    config: &Config,
    known: &[(RoomSlug, Known)],
    awaited: &Awaited,
    stores: &Stores,
    shutdown: &Shutdown,
) -> Rooms {
    let settings = RoomsConfig {
        part_target_ms: config.part_target_ms,
        retention: Retention::origin(),
        slates: Some(Arc::new(SlateMaker::new(
            config.ffmpeg.clone(),
            config.data_dir.join(SLATES_FOLDER),
        ))),
        memories: Some(Arc::new(stores.clone())),
    };
    let start = || Transcoder::start(config.ffmpeg.clone(), shutdown);
    let transcoder = match config.max_encoders {
        None => start(),
        Some(0) => Transcoder::none(shutdown),
        Some(most) => start().with_most_encoders(most),
    };
    let rooms = Rooms::with_transcoder(settings, Arc::new(stores.clone()), transcoder, shutdown.clone());
    for (slug, _) in known {
        rooms.open_awaiting(slug, awaited.get(slug).copied());
    }
    rooms
}

fn open_chats(known: Vec<(RoomSlug, Known)>, stores: &Stores, relays: &Relays, shutdown: &Shutdown) -> Chats {
    let gate = ChatGate::new(Arc::clone(stores.control()), relays.clone());
    let chats = Chats::new(Arc::new(stores.clone()), Arc::new(gate), shutdown);
    for (slug, known) in known {
        chats.open(&slug, known);
    }
    chats
}

async fn start_embedded(
    control: &Control,
    config: &Config,
    link: SocketAddr,
    authority: [u8; 32],
    listener: TcpListener,
    tls: Option<Tls>,
    shutdown: &Shutdown,
) -> Result<Upstream, ExitError> {
    let upstream = embedded::start(
        control,
        &config.data_dir,
        link,
        authority,
        config.public_url.as_str(),
        shutdown,
    )
    .await
    .map_err(|cause| {
        ExitError::failed(
            "--relay-http",
            config.relay_http.map_or_else(String::new, |at| at.to_string()),
            chain(cause.as_ref()),
        )
    })?;
    let options = ServeOptions {
        tls,
        ..ServeOptions::default()
    };
    shutdown.spawn(relay::app::serve(listener, upstream.clone(), options, shutdown.clone()));
    Ok(upstream)
}

async fn bind_if(setting: &str, address: Option<SocketAddr>) -> Result<Option<TcpListener>, ExitError> {
    match address {
        Some(address) => bind(setting, address).await.map(Some),
        None => Ok(None),
    }
}

async fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener, ExitError> {
    TcpListener::bind(address)
        .await
        .map_err(|cause| ExitError::failed(setting, address, cause))
}

/// Fails when nothing listens for the API: then there is no origin to speak of.
///
/// # Errors
/// See above.
pub async fn ensure_running(config: &Config) -> Result<(), ExitError> {
    let address = embedded::local(config.http);
    let connected = tokio::net::TcpStream::connect(address)
        .await
        .context("no origin is running there");
    connected
        .map(|_| ())
        .map_err(|cause| ExitError::failed("--http", address, chain(cause.as_ref())))
}
