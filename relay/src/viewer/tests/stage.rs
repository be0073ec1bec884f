//! A relay without a link: one room, `cinema`, whose media the test makes part by part, and a rung of it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use axum::Router;
use bytes::Bytes;
use common::{
    auth::{Role, Signer, ViewerClaims, keys},
    id::{ChannelId, Epoch, Msn, PartId, RenditionId, RoomSlug, Rung},
    live::{
        BitRate, EpochDescription, LiveEvent, Parent, Part, PartFlags, RenditionDescription, RenditionFormat,
        RungDescription, window::Retention,
    },
    time::UnixMillis,
    wire::{
        control::{Revocation, RoomState, ViewerSeen},
        request::{CallReply, CallRequest, FetchRequest},
    },
};
use futures::{FutureExt, future::BoxFuture};
use node::{
    http_server::{self, Limits},
    live::Live,
    shutdown::Shutdown,
};
use tokio::{net::TcpListener, sync::watch};

use super::super::{
    Viewers,
    rooms::{CallFailure, FetchFailure, Rooms},
    router,
};
use crate::{
    cache::mirror::{Mirrored, Mirrors},
    chat::link::{self, LinkEnd},
};

pub(super) const NOW: UnixMillis = UnixMillis(1_795_341_600_000);
pub(super) const EPOCH: Epoch = Epoch(0xc1);
pub(super) const RUNG_EPOCH: Epoch = Epoch(0xd1);
pub(super) const VIDEO: RenditionId = RenditionId(0);
pub(super) const AUDIO: RenditionId = RenditionId(1);
/// Number of the first segment.
pub(super) const FIRST: u64 = 7;
/// Each part is half a second, each segment two.
pub(super) const PARTS: u32 = 4;

pub(super) fn cinema() -> RoomSlug {
    "cinema".parse().unwrap()
}

/// The one rung that is offered.
pub(super) fn rung() -> ChannelId {
    ChannelId {
        room: cinema(),
        rung: Some(Rung::P480),
    }
}

pub(super) struct Stage {
    pub(super) rooms: Arc<FakeRooms>,
    pub(super) live: Arc<Live>,
    pub(super) router: Router,
    pub(super) shutdown: Shutdown,
    /// The origin's end of chat, until a test takes it.
    pub(super) link: Option<LinkEnd>,
    signer: Signer,
}

impl Stage {
    /// The room is there and live, but nothing is in its window.
    pub(super) fn new() -> Self {
        let live = Arc::new(Live::new(Retention::relay()));
        let signer = signer(1);
        let rooms = Arc::new(FakeRooms::new(&signer, live.clone()));
        let shutdown = Shutdown::new();
        let (chat, link) = link::pair();
        let viewers = Viewers::new(rooms.clone(), chat, &shutdown);
        Self {
            rooms,
            live,
            router: router(viewers),
            shutdown,
            link: Some(link),
            signer,
        }
    }

    /// As [`Stage::new`], with `segments` whole segments.
    pub(super) fn playing(segments: u64) -> Self {
        let stage = Self::new();
        stage.start();
        (FIRST..FIRST + segments).for_each(|msn| stage.segment(msn));
        stage
    }

    /// Serves it on a port of its own; the answer is `http://ADDRESS`.
    pub(super) async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let (router, shutdown) = (self.router.clone(), self.shutdown.clone());
        tokio::spawn(http_server::serve(listener, router, None, Limits::default(), shutdown));
        format!("http://{address}")
    }

    pub(super) fn start(&self) {
        let rendition = |format, codecs: &str, timescale| RenditionDescription {
            format,
            codecs: codecs.into(),
            timescale,
            bit_rate: BitRate {
                peak: 2_000_000,
                average: 1_500_000,
            },
        };
        let video = RenditionFormat::Video {
            range: Default::default(),
            captions: common::media::captions::Captions::default(),
            width: 1280,
            height: 720,
            frame_rate_millihertz: 30_000,
        };
        let audio = RenditionFormat::Audio {
            index: 0,
            name: "main".to_owned(),
            language: None,
            channels: 2,
            sample_rate: 48_000,
        };
        self.apply(LiveEvent::Start(Arc::new(EpochDescription {
            ladder: vec![RungDescription {
                rung: Rung::P480,
                width: 854,
                height: 480,
                frame_rate_millihertz: 30_000,
                codecs: "avc1.4d401e".into(),
                bit_rate: BitRate {
                    peak: 1_200_000,
                    average: 1_000_000,
                },
            }],
            audio_only: true,
            parent: None,
            epoch: EPOCH,
            target_duration_s: 2,
            opens_early: false,
            part_target_ms: 500,
            first_msn: Msn(FIRST),
            renditions: vec![
                rendition(video, "avc1.64001f", 90_000),
                rendition(audio, "mp4a.40.2", 48_000),
            ],
        })));
        for rendition in [VIDEO, AUDIO] {
            self.apply(LiveEvent::Init {
                rendition,
                init_id: 0,
                body: Bytes::from(format!("init of {}", rendition.0)),
            });
        }
    }

    pub(super) fn segment(&self, msn: u64) {
        (0..PARTS).for_each(|part| self.part(msn, part));
    }

    /// One part of both renditions.
    pub(super) fn part(&self, msn: u64, part: u32) {
        self.part_of(VIDEO, msn, part);
        self.part_of(AUDIO, msn, part);
    }

    pub(super) fn part_of(&self, rendition: RenditionId, msn: u64, part: u32) {
        self.apply(LiveEvent::Part(the_part(rendition, msn, part)));
    }

    /// The rung is begun with segment `first`, by another run of the encoder than any before.
    pub(super) fn start_rung(&self, epoch: Epoch, first: u64) {
        let source = self
            .live
            .read(|windows| windows.current().unwrap().description().clone());
        let live = self.rooms.mirrors.open(&rung()).live;
        live.apply(LiveEvent::Start(Arc::new(EpochDescription {
            ladder: Vec::new(),
            audio_only: false,
            opens_early: false,
            parent: Some(Parent {
                epoch: EPOCH,
                discontinuities: 0,
            }),
            epoch,
            first_msn: Msn(first),
            renditions: vec![source.renditions[0].clone()],
            ..(*source).clone()
        })))
        .unwrap();
        live.apply(LiveEvent::Init {
            rendition: VIDEO,
            init_id: 0,
            body: Bytes::from_static(b"init of the rung"),
        })
        .unwrap();
    }

    pub(super) fn rung_part(&self, msn: u64, part: u32) {
        let body = rung_body(msn, part);
        self.rung_event(LiveEvent::Part(Part {
            body,
            ..the_part(VIDEO, msn, part)
        }));
    }

    pub(super) fn rung_event(&self, event: LiveEvent) {
        self.rooms.mirrors.open(&rung()).live.apply(event).unwrap();
    }

    pub(super) fn apply(&self, event: LiveEvent) {
        self.live.apply(event).unwrap();
    }

    /// A good token for `cinema`.
    pub(super) fn token(&self) -> String {
        self.sign(&claims())
    }

    pub(super) fn sign(&self, claims: &ViewerClaims) -> String {
        self.signer.sign_viewer(claims)
    }
}

fn the_part(rendition: RenditionId, msn: u64, part: u32) -> Part {
    let duration = if rendition == VIDEO { 45_000 } else { 24_000 };
    let index = (msn - FIRST) * u64::from(PARTS) + u64::from(part);
    Part {
        id: PartId {
            rendition,
            msn: Msn(msn),
            part,
        },
        init_id: 0,
        dts: index * u64::from(duration),
        duration,
        program_date_time: UnixMillis(NOW.0 + i64::try_from(index).unwrap() * 500),
        flags: PartFlags {
            independent: part == 0 || rendition == AUDIO,
            last: part + 1 == PARTS,
            ..PartFlags::default()
        },
        body: part_body(rendition, msn, part),
    }
}

pub(super) fn rung_body(msn: u64, part: u32) -> Bytes {
    Bytes::from(format!("media of the rung {msn}.{part}"))
}

/// Long enough to be cut into ranges.
pub(super) fn part_body(rendition: RenditionId, msn: u64, part: u32) -> Bytes {
    Bytes::from(format!("media {}-{msn}.{part} ", rendition.0).repeat(20))
}

pub(super) fn signer(seed: u8) -> Signer {
    Signer::from_pkcs8_pem(&keys::pkcs8_pem(&[seed; keys::SEED_LEN])).unwrap()
}

pub(super) fn claims() -> ViewerClaims {
    ViewerClaims {
        viewer_id: "viewer-1".into(),
        invite_id: Some("invite-1".into()),
        room: cinema(),
        role: Role::Viewer,
        nickname: "Zoë".into(),
        relays: None,
        issued_at: NOW,
        expires_at: UnixMillis(NOW.0 + 600_000),
    }
}

pub(super) struct FakeRooms {
    rooms: Mutex<HashMap<RoomSlug, Option<Arc<Live>>>>,
    /// Of rungs.
    pub(super) mirrors: Mirrors,
    /// How often rungs were asked for.
    pub(super) rungs_watched: AtomicU64,
    pub(super) keys: watch::Sender<Arc<str>>,
    pub(super) revocations: watch::Sender<Arc<Vec<Revocation>>>,
    public_urls: watch::Sender<Arc<Vec<String>>>,
    pub(super) now: AtomicI64,
    pub(super) link_is_up: AtomicBool,
    pub(super) egress: AtomicU64,
    pub(super) seen: Mutex<Vec<ViewerSeen>>,
    pub(super) calls: Mutex<Vec<CallRequest>>,
    pub(super) fetches: Mutex<Vec<FetchRequest>>,
}

impl FakeRooms {
    fn new(signer: &Signer, live: Arc<Live>) -> Self {
        let rooms = [(cinema(), Some(live)), ("dark".parse().unwrap(), None)];
        Self {
            rooms: Mutex::new(rooms.into()),
            mirrors: Mirrors::new(Retention::relay()),
            rungs_watched: AtomicU64::new(0),
            keys: watch::Sender::new(keys::jwk_set([signer]).into()),
            revocations: watch::Sender::default(),
            public_urls: watch::Sender::new(Arc::new(vec!["https://watch.example.org".into()])),
            now: AtomicI64::new(NOW.0),
            link_is_up: AtomicBool::new(true),
            egress: AtomicU64::new(0),
            seen: Mutex::default(),
            calls: Mutex::default(),
            fetches: Mutex::default(),
        }
    }
}

impl Rooms for FakeRooms {
    fn room(&self, slug: &RoomSlug) -> Option<RoomState> {
        let is_live = self.rooms.lock().unwrap().get(slug)?.is_some();
        Some(RoomState {
            slug: slug.clone(),
            is_live,
            interrupted: false,
        })
    }

    fn watch_room<'a>(&'a self, slug: &'a RoomSlug) -> BoxFuture<'a, Option<Arc<Live>>> {
        let live = self.rooms.lock().unwrap().get(slug).cloned().flatten();
        std::future::ready(live).boxed()
    }

    fn watch_rung(&self, channel: &ChannelId) -> Mirrored {
        self.rungs_watched.fetch_add(1, Ordering::Relaxed);
        self.mirrors.open(channel)
    }

    fn rung_with(&self, slug: &RoomSlug, epoch: Epoch) -> Option<(ChannelId, Arc<Live>)> {
        self.mirrors.rung_with(slug, epoch)
    }

    fn viewer_seen(&self, _: &RoomSlug, viewer: ViewerSeen) {
        self.seen.lock().unwrap().push(viewer);
    }

    /// Whatever is asked for, the upstream has it in two pieces.
    fn fetch(&self, request: FetchRequest) -> BoxFuture<'_, Result<Vec<Bytes>, FetchFailure>> {
        self.fetches.lock().unwrap().push(request);
        let found = if self.link_is_up.load(Ordering::Relaxed) {
            Ok(vec![Bytes::from_static(b"from "), Bytes::from_static(b"upstream")])
        } else {
            Err(FetchFailure::Unavailable)
        };
        std::future::ready(found).boxed()
    }

    fn call(&self, request: CallRequest) -> BoxFuture<'_, Result<CallReply, CallFailure>> {
        let request_is_for_a_picture = request
            .path
            .ends_with("/emotes/files/0123456789abcdef0123456789abcdef.gif");
        let is_for_a_missing_one = request.path.contains("/emotes/files/") && !request_is_for_a_picture;
        self.calls.lock().unwrap().push(request);
        let picture = request_is_for_a_picture.then(|| CallReply {
            status: 200,
            headers: Vec::new(),
            body: Bytes::from_static(b"picture"),
        });
        let reply = picture.unwrap_or(CallReply {
            status: if is_for_a_missing_one { 404 } else { 409 },
            headers: vec![("content-type".into(), "application/problem+json".into())],
            body: Bytes::from_static(br#"{"status":409}"#),
        });
        let is_up = self.link_is_up.load(Ordering::Relaxed);
        std::future::ready(if is_up { Ok(reply) } else { Err(CallFailure) }).boxed()
    }

    fn keys(&self) -> watch::Receiver<Arc<str>> {
        self.keys.subscribe()
    }

    fn revocations(&self) -> watch::Receiver<Arc<Vec<Revocation>>> {
        self.revocations.subscribe()
    }

    fn public_urls(&self) -> watch::Receiver<Arc<Vec<String>>> {
        self.public_urls.subscribe()
    }

    fn origin_now(&self) -> UnixMillis {
        UnixMillis(self.now.load(Ordering::Relaxed))
    }

    fn relay_id(&self) -> Option<Arc<str>> {
        Some("relay-1".into())
    }

    fn egress(&self, bytes: u64) {
        self.egress.fetch_add(bytes, Ordering::Relaxed);
    }
}
