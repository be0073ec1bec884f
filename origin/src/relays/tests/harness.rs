//! An origin with a store and rooms in memory, and relays that join it.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Extension, Router, routing::get};
use bytes::Bytes;
use common::{
    auth::join_token::{JoinSecret, JoinToken},
    id::{ChannelId, Epoch, Msn, PartId, RenditionId, RoomSlug, Rung},
    live::{
        BitRate, EpochDescription, LiveEvent, Part, PartFlags, RenditionDescription, RenditionFormat,
        retention::Retention,
    },
    time::UnixMillis,
    wire::{
        LINK_VERSION,
        control::{DownstreamFrame, RoomReport, UpstreamFrame},
    },
};
use futures::{FutureExt, future::BoxFuture};
use node::{
    enrol::{EnrolError, enrol},
    link_driver::{Closed, ConnectError, Connector, FrameError, LinkConnection},
    live::Live,
    pki::{Authority, Identity},
    shutdown::Shutdown,
};
use sha2::{Digest, Sha256};

use crate::{
    chat::tests::House,
    relays::{
        AllowedRelay, Followed, LinkState, RelaySeen, RelayStore, Relays, RoomsForRelays, StoreUnavailable, ViaRelay,
        ViewerPeer,
    },
};

/// Long enough for a busy machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
pub(super) struct MemoryStore {
    pub(super) relays: Mutex<BTreeMap<String, AllowedRelay>>,
    secrets: Mutex<BTreeMap<[u8; 32], String>>,
    pub(super) is_down: Mutex<bool>,
    pub(super) seen: Mutex<Vec<(String, RelaySeen)>>,
}

impl MemoryStore {
    fn look(&self) -> Result<(), StoreUnavailable> {
        if *self.is_down.lock().unwrap() {
            return Err(StoreUnavailable("pulled out".to_owned()));
        }
        Ok(())
    }
}

impl RelayStore for MemoryStore {
    fn allowed<'a>(&'a self, relay_id: &'a str) -> BoxFuture<'a, Result<Option<AllowedRelay>, StoreUnavailable>> {
        async move {
            self.look()?;
            Ok(self.relays.lock().unwrap().get(relay_id).cloned())
        }
        .boxed()
    }

    fn redeem<'a>(
        &'a self,
        secret_sha256: &'a [u8; 32],
        _: UnixMillis,
    ) -> BoxFuture<'a, Result<Option<AllowedRelay>, StoreUnavailable>> {
        async move {
            self.look()?;
            let redeemed = self.secrets.lock().unwrap().remove(secret_sha256);
            Ok(redeemed.and_then(|id| self.relays.lock().unwrap().get(&id).cloned()))
        }
        .boxed()
    }

    fn seen<'a>(&'a self, relay_id: &'a str, seen: RelaySeen) -> BoxFuture<'a, Result<(), StoreUnavailable>> {
        self.seen.lock().unwrap().push((relay_id.to_owned(), seen));
        async { Ok(()) }.boxed()
    }
}

#[derive(Default)]
pub(super) struct MemoryRooms {
    pub(super) live: Mutex<BTreeMap<ChannelId, Arc<Live>>>,
    /// One more for each rung that is followed.
    pub(super) held: Arc<()>,
    pub(super) reports: Mutex<Vec<(String, Vec<RoomReport>)>>,
}

impl RoomsForRelays for MemoryRooms {
    fn live(&self, channel: &ChannelId) -> Option<Followed> {
        let live = self.live.lock().unwrap().get(channel).cloned()?;
        let hold = channel.rung.map(|_| Box::new(Arc::clone(&self.held)) as Box<_>);
        Some(Followed { live, hold })
    }

    fn viewers_seen(&self, relay_id: &str, reports: Vec<RoomReport>) {
        self.reports.lock().unwrap().push((relay_id.to_owned(), reports));
    }
}

pub(super) struct Origin {
    pub(super) authority: Arc<Authority>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) rooms: Arc<MemoryRooms>,
    pub(super) relays: Relays,
    /// The chats, with one room, `cinema`.
    pub(super) house: House,
    pub(super) address: SocketAddr,
    pub(super) shutdown: Shutdown,
}

impl Origin {
    pub(super) fn start() -> Self {
        let authority = Arc::new(Authority::generate().unwrap());
        let store = Arc::new(MemoryStore::default());
        let rooms = Arc::new(MemoryRooms::default());
        let state = LinkState {
            keys: "{\"keys\":[]}".to_owned(),
            public_urls: vec!["https://watch.example".to_owned()],
            ..LinkState::default()
        };
        let relays = Relays::new(state, store.clone());
        let shutdown = Shutdown::new();
        let who = |Extension(ViewerPeer(peer)): Extension<ViewerPeer>, Extension(via): Extension<ViaRelay>| async move {
            format!("{peer} via {}", via.name)
        };
        let stops = shutdown.clone();
        let last = move || async move {
            stops.trigger();
            tokio::time::sleep(Duration::from_millis(200)).await;
            "the last answer"
        };
        let calls = Router::new().route("/api/who", get(who)).route("/api/last", get(last));
        let house = House::open();
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        let address = relays
            .listen(
                address,
                authority.clone(),
                rooms.clone(),
                house.chats.clone(),
                calls,
                &shutdown,
            )
            .unwrap();
        Self {
            authority,
            store,
            rooms,
            relays,
            house,
            address,
            shutdown,
        }
    }

    /// A join token for a new relay.
    pub(super) fn invite_relay(&self, id: &str) -> JoinToken {
        let secret: [u8; 32] = Sha256::digest(id).into();
        let relay = AllowedRelay {
            id: id.to_owned(),
            name: format!("name of {id}"),
        };
        self.store.relays.lock().unwrap().insert(id.to_owned(), relay);
        let hash = Sha256::digest(secret).into();
        self.store.secrets.lock().unwrap().insert(hash, id.to_owned());
        JoinToken::new(
            vec![self.address.to_string()],
            *self.authority.key_sha256(),
            JoinSecret::new(secret),
        )
        .unwrap()
    }

    pub(super) async fn enrol(&self, id: &str) -> Connector {
        let identity = enrol_as(&self.invite_relay(id), id).await.unwrap();
        Connector::new(Arc::new(identity))
    }

    /// A relay that enrolled, connected, and was welcomed.
    pub(super) async fn join(&self, id: &str) -> LinkConnection {
        greet(&self.enrol(id).await).await.unwrap()
    }
}

pub(super) async fn enrol_as(token: &JoinToken, name: &str) -> Result<Identity, EnrolError> {
    enrol(token, name, "https://r.example").await
}

pub(super) fn hello() -> DownstreamFrame {
    DownstreamFrame::Hello {
        version: LINK_VERSION,
        name: "what it calls itself".to_owned(),
        public_url: "https://r.example".to_owned(),
        software: "streamcircle-relay/0.1.0".to_owned(),
    }
}

/// Connects, and reads the welcome.
pub(super) async fn greet(connector: &Connector) -> Result<LinkConnection, Closed> {
    let link = match connector.connect().await {
        Ok(link) => link,
        Err(ConnectError::Refused { closed, .. }) => return Err(closed),
        Err(other) => panic!("{other}"),
    };
    let greeted = async {
        link.write_frame(&hello()).await?;
        link.read_frame().await
    };
    match greeted.await {
        Ok(Some(UpstreamFrame::Welcome { .. })) => Ok(link),
        Ok(other) => panic!("no welcome: {other:?}"),
        Err(FrameError::Closed(closed)) => Err(closed),
        Err(other) => panic!("{other}"),
    }
}

pub(super) async fn read(link: &LinkConnection) -> UpstreamFrame {
    let read = tokio::time::timeout(PATIENCE, link.read_frame()).await;
    read.expect("a frame comes").unwrap().expect("the stream goes on")
}

pub(super) async fn closed(link: &LinkConnection) -> Closed {
    tokio::time::timeout(PATIENCE, link.closed())
        .await
        .expect("it is closed")
}

pub(super) async fn eventually(mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("it should have happened by now");
}

pub(super) fn cinema() -> RoomSlug {
    "cinema".parse().unwrap()
}

pub(super) fn source() -> ChannelId {
    ChannelId::source(cinema())
}

pub(super) fn rung() -> ChannelId {
    ChannelId {
        rung: Some(Rung::P480),
        ..source()
    }
}

/// A room's media with the start of an epoch of sound: half-second parts, four to a segment.
pub(super) fn live_room() -> Arc<Live> {
    let live = Arc::new(Live::new(Retention::origin()));
    start(&live);
    live
}

pub(super) fn start(live: &Live) {
    let description = EpochDescription {
        ladder: Vec::new(),
        audio_only: false,
        opens_early: false,
        parent: None,
        epoch: Epoch(5),
        target_duration_s: 2,
        part_target_ms: 500,
        first_msn: Msn(7),
        renditions: vec![RenditionDescription {
            format: RenditionFormat::Audio {
                index: 0,
                name: "main".to_owned(),
                language: None,
                channels: 2,
                sample_rate: 48_000,
            },
            codecs: "mp4a.40.2".to_owned(),
            timescale: 48_000,
            bit_rate: BitRate {
                peak: 128_000,
                average: 128_000,
            },
        }],
    };
    live.apply(LiveEvent::Start(Arc::new(description))).unwrap();
    let init = LiveEvent::Init {
        rendition: RenditionId(0),
        init_id: 0,
        body: Bytes::from_static(b"init"),
    };
    live.apply(init).unwrap();
}

/// The `number`th part of the stream.
pub(super) fn part(number: u32) -> Part {
    Part {
        id: PartId {
            rendition: RenditionId(0),
            msn: Msn(7 + u64::from(number / 4)),
            part: number % 4,
        },
        init_id: 0,
        dts: 480_000 + 24_000 * u64::from(number),
        duration: 24_000,
        program_date_time: UnixMillis(1_795_341_600_000 + 500 * i64::from(number)),
        flags: PartFlags {
            independent: true,
            last: number % 4 == 3,
            ..PartFlags::default()
        },
        body: vec![number as u8; 10_000 + number as usize].into(),
    }
}
