//! An upstream for tests: the real publisher over the real driver, one room and a rung of it, with a part whenever the test says so.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use common::{
    id::{ChannelId, Epoch, Msn, PartId, RenditionId, RoomSlug, Rung},
    link::{
        fetch,
        publisher::{ChannelView, Input, Output, Publisher, SendId},
    },
    live::{
        BitRate, EpochDescription, LiveEvent, Parent, Part, PartFlags, RenditionDescription, RenditionFormat,
        window::{LiveWindow, Retention},
    },
    time::UnixMillis,
    wire::{
        chat::ChatUp,
        control::{DownstreamFrame, RoomReport, RoomState, UpstreamFrame},
        request::{CallReply, FetchReply},
    },
};
use node::{
    clock,
    link_driver::{CloseCode, Connector, IncomingRequest, LinkConnection},
    live::Live,
    pki::{Authority, Identity, RelayKey},
    quic,
};
use tokio::{sync::watch, task::JoinSet};

pub(super) const VIDEO: RenditionId = RenditionId(0);
pub(super) const EPOCH: Epoch = Epoch(3);
pub(super) const RUNG_EPOCH: Epoch = Epoch(4);
const FIRST_MSN: u64 = 7;
const PARTS_PER_SEGMENT: u64 = 4;
const TICKS: u64 = 18_000;
/// How far the origin's clock is ahead of the relay's.
pub(super) const AHEAD_MS: i64 = 3_600_000;

pub(super) struct Origin {
    pub(super) room: RoomSlug,
    pub(super) live: Arc<Live>,
    pub(super) rung: Arc<Live>,
    authority: Authority,
    address: SocketAddr,
    born: AtomicUsize,
    /// Parts are not sent, as if their streams had failed.
    pub(super) loses_parts: AtomicBool,
    pub(super) lost: AtomicUsize,
    pub(super) fetches: AtomicUsize,
    pub(super) log: Mutex<Log>,
    link: Mutex<Option<LinkConnection>>,
}

#[derive(Default)]
pub(super) struct Log {
    /// Whether each subscription was a resumption.
    pub(super) subscribed: Vec<bool>,
    pub(super) reports: Vec<(Vec<RoomReport>, u64)>,
    pub(super) chat: Vec<ChatUp>,
}

impl Origin {
    pub(super) fn start() -> Arc<Self> {
        let authority = Authority::generate().unwrap();
        let endpoint = quic::listen(&authority, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let origin = Arc::new(Self {
            room: "cinema".parse().unwrap(),
            live: Arc::new(Live::new(Retention::origin())),
            rung: Arc::new(Live::new(Retention::origin())),
            authority,
            address: endpoint.local_addr().unwrap(),
            born: AtomicUsize::new(0),
            loses_parts: AtomicBool::new(false),
            lost: AtomicUsize::new(0),
            fetches: AtomicUsize::new(0),
            log: Mutex::default(),
            link: Mutex::default(),
        });
        let accepting = Arc::clone(&origin);
        tokio::spawn(async move {
            while let Some(incoming) = endpoint.accept().await {
                let Ok(connection) = quic::take_up(incoming, 0).unwrap().await else {
                    continue;
                };
                let link = LinkConnection::accept(connection).await.unwrap();
                *accepting.link.lock().unwrap() = Some(link.clone());
                tokio::spawn(Arc::clone(&accepting).drive(link));
            }
        });
        origin
    }

    pub(super) fn connector(&self) -> Connector {
        let key = RelayKey::generate().unwrap();
        Connector::new(Arc::new(Identity {
            relay_id: "r1".to_owned(),
            name: "relay".to_owned(),
            upstreams: vec![self.address.to_string()],
            authority_sha256: *self.authority.key_sha256(),
            chain: self.authority.sign_relay("r1", key.public_key()).unwrap(),
            key: key.into_private(),
        }))
    }

    pub(super) fn rung_id(&self) -> ChannelId {
        ChannelId {
            room: self.room.clone(),
            rung: Some(Rung::P480),
        }
    }

    /// A new epoch starts with its init segment.
    pub(super) fn go_live(&self) {
        start(&self.live, EPOCH, None);
    }

    /// The rung is begun; parts that are born from now on are born to it, too.
    pub(super) fn start_rung(&self) {
        let parent = Parent {
            epoch: EPOCH,
            discontinuities: 0,
        };
        start(&self.rung, RUNG_EPOCH, Some(parent));
    }

    pub(super) fn bear(&self, parts: usize) {
        for _ in 0..parts {
            let born = self.born.fetch_add(1, Ordering::SeqCst) as u64;
            let part = self.part(born);
            let is_rung_made = self.rung.read(|windows| windows.current().is_some());
            if is_rung_made {
                self.rung.apply(part.clone()).unwrap();
            }
            self.live.apply(part).unwrap();
        }
    }

    /// The part that is born after `born` others.
    pub(super) fn part(&self, born: u64) -> LiveEvent {
        let part = born % PARTS_PER_SEGMENT;
        LiveEvent::Part(Part {
            id: PartId {
                rendition: VIDEO,
                msn: Msn(FIRST_MSN + born / PARTS_PER_SEGMENT),
                part: part as u32,
            },
            init_id: 0,
            dts: born * TICKS,
            duration: TICKS as u32,
            program_date_time: UnixMillis(born as i64 * 200),
            flags: PartFlags {
                independent: part == 0,
                last: part + 1 == PARTS_PER_SEGMENT,
                ..PartFlags::default()
            },
            body: vec![born as u8; 20_000].into(),
        })
    }

    pub(super) async fn send(&self, frame: &UpstreamFrame) {
        let link = self.link.lock().unwrap().clone();
        link.unwrap().write_frame(frame).await.unwrap();
    }

    /// The link breaks; the relay may come back.
    pub(super) fn break_link(&self) {
        let link = self.link.lock().unwrap().take();
        link.unwrap().close(CloseCode::GoingAway, "test");
    }

    async fn drive(self: Arc<Self>, link: LinkConnection) {
        let mut publisher = Publisher::new();
        let mut changes: BTreeMap<ChannelId, watch::Receiver<u64>> = BTreeMap::new();
        let mut sends: JoinSet<SendId> = JoinSet::new();
        loop {
            while let Some(output) = publisher.poll() {
                match output {
                    Output::Hello { .. } => link.write_frame(&self.welcome()).await.unwrap(),
                    Output::Frame(frame) => {
                        let _ = link.write_frame(&frame).await;
                    }
                    Output::Pong { t0 } => {
                        let now = (clock::unix_millis().0 + AHEAD_MS) * 1000;
                        let _ = link.write_frame(&UpstreamFrame::Pong { t0, t1: now, t2: now }).await;
                    }
                    Output::Watch { channel } => {
                        changes.insert(channel.clone(), self.live_of(&channel).watch());
                        self.show(&mut publisher, &channel);
                    }
                    Output::Unwatch { channel } => {
                        changes.remove(&channel);
                    }
                    Output::SendPart {
                        id,
                        header,
                        body,
                        priority,
                    } => {
                        let (link, is_lost) = (link.clone(), self.loses_parts.load(Ordering::SeqCst));
                        self.lost.fetch_add(usize::from(is_lost), Ordering::SeqCst);
                        sends.spawn(async move {
                            if !is_lost {
                                let _ = link.send_part(&header, body, priority).await;
                            }
                            id
                        });
                    }
                    Output::ResetPart { .. } => {}
                    Output::Report { rooms, egress_bytes } => {
                        self.log.lock().unwrap().reports.push((rooms, egress_bytes));
                    }
                    Output::Chat { items } => {
                        self.log.lock().unwrap().chat.extend(items);
                    }
                    Output::Close { reason, .. } => panic!("the publisher closes: {reason}"),
                }
            }
            tokio::select! {
                frame = link.read_frame() => {
                    let Ok(Some(frame)) = frame else { return };
                    if let DownstreamFrame::Subscribe { resume, channel } = &frame && channel.rung.is_none() {
                        self.log.lock().unwrap().subscribed.push(resume.is_some());
                    }
                    publisher.handle(clock::monotonic(), Input::Frame(frame));
                }
                request = link.accept_request() => {
                    let Ok(request) = request else { return };
                    self.answer(request).await;
                }
                channel = changed(&mut changes) => self.show(&mut publisher, &channel),
                Some(id) = sends.join_next() => publisher.handle(clock::monotonic(), Input::Sent(id.unwrap())),
            }
        }
    }

    fn live_of(&self, channel: &ChannelId) -> &Live {
        match channel.rung {
            None => &self.live,
            Some(_) => &self.rung,
        }
    }

    fn show(&self, publisher: &mut Publisher, channel: &ChannelId) {
        self.live_of(channel).read(|windows| {
            let followed = publisher.epoch_of(channel).and_then(|epoch| windows.get(epoch));
            let view = ChannelView {
                is_made: channel.rung.is_some(),
                current: windows.current(),
                followed,
            };
            publisher.handle(clock::monotonic(), Input::Channel { channel, view });
        });
    }

    async fn answer(&self, request: IncomingRequest) {
        match request {
            IncomingRequest::Fetch(request, responder) => {
                self.fetches.fetch_add(1, Ordering::SeqCst);
                let (reply, rope) = self
                    .live_of(&request.channel)
                    .read(|windows| windows.get(request.epoch).map(|window| fetch::answer(window, &request)))
                    .unwrap_or((FetchReply::Gone, Vec::new()));
                responder.answer(&reply, rope).await.unwrap();
            }
            IncomingRequest::Call(request, responder) => {
                if request.path == "/api/slow" {
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
                let body = request.path.into_bytes().into();
                responder
                    .reply(&CallReply {
                        status: 200,
                        headers: Vec::new(),
                        body,
                    })
                    .await
                    .unwrap();
            }
        }
    }

    fn welcome(&self) -> UpstreamFrame {
        let is_live = self
            .live
            .read(|windows| windows.current().is_some_and(|window| !window.ended()));
        UpstreamFrame::Welcome {
            relay_id: "r1".to_owned(),
            keys: "{\"keys\":[]}".to_owned(),
            revocations: Vec::new(),
            rooms: vec![
                RoomState {
                    slug: self.room.clone(),
                    is_live,
                    interrupted: false,
                },
                RoomState {
                    slug: "dark".parse().unwrap(),
                    is_live: false,
                    interrupted: false,
                },
            ],
            public_urls: vec!["https://watch.example".to_owned()],
        }
    }

    pub(super) fn window(&self) -> LiveWindow {
        self.live.read(|windows| windows.current().unwrap().clone())
    }
}

async fn changed(changes: &mut BTreeMap<ChannelId, watch::Receiver<u64>>) -> ChannelId {
    if changes.is_empty() {
        return std::future::pending().await;
    }
    let each = changes.iter_mut().map(|(channel, changes)| {
        Box::pin(async {
            changes.changed().await.unwrap();
            channel.clone()
        })
    });
    futures::future::select_all(each).await.0
}

fn start(live: &Live, epoch: Epoch, parent: Option<Parent>) {
    let description = EpochDescription {
        ladder: Vec::new(),
        audio_only: false,
        opens_early: false,
        parent,
        epoch,
        target_duration_s: 2,
        part_target_ms: 200,
        first_msn: Msn(FIRST_MSN),
        renditions: vec![RenditionDescription {
            format: RenditionFormat::Video {
                range: Default::default(),
                captions: common::media::captions::Captions::default(),
                width: 16,
                height: 16,
                frame_rate_millihertz: 30_000,
            },
            codecs: "avc1.640028".to_owned(),
            timescale: 90_000,
            bit_rate: BitRate {
                peak: 1000,
                average: 1000,
            },
        }],
    };
    live.apply(LiveEvent::Start(Arc::new(description))).unwrap();
    let body = Bytes::from_static(b"init");
    live.apply(LiveEvent::Init {
        rendition: VIDEO,
        init_id: 0,
        body,
    })
    .unwrap();
}
