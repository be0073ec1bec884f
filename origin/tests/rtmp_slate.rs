//! Rooms with a real encoder that is killed, and what stands in for it.

#![allow(clippy::unwrap_used, reason = "only tests use it")]

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use common::{
    cmaf::inspect::{SampleEntry, read_init},
    id::{Epoch, Msn, RenditionId, RoomSlug},
    live::window::{LiveWindow, Retention},
    packager::Offer,
};
use node::{live::Live, shutdown::Shutdown};
use origin::{
    ingest::{Ingest, admission::StreamKey, limits::IngestLimits},
    room::{KeyLookup, MsnStore, RoomAdmission, Rooms, RoomsConfig, Slate, SlateHealth, StreamSettings},
    slate::making::SlateMaker,
};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};

const PATIENCE: Duration = Duration::from_secs(30);
const VIDEO: RenditionId = RenditionId(0);
const AUDIO: RenditionId = RenditionId(1);

type Answer<'a, T> = Pin<Box<dyn Future<Output = anyhow::Result<T>> + Send + 'a>>;

/// Any key is the cinema's, and nothing is kept.
struct Stored;

impl KeyLookup for Stored {
    fn room<'a>(&'a self, _: &'a StreamKey) -> Answer<'a, Option<RoomSlug>> {
        Box::pin(async { Ok(Some(cinema())) })
    }
}

impl MsnStore for Stored {
    fn reserved<'a>(&'a self, _: &'a RoomSlug) -> Answer<'a, Msn> {
        Box::pin(async { Ok(Msn(0)) })
    }

    fn reserve<'a>(&'a self, _: &'a RoomSlug, _: Msn) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

fn cinema() -> RoomSlug {
    "cinema".parse().unwrap()
}

struct House {
    rooms: Rooms,
    live: Arc<Live>,
    ingest: SocketAddr,
    _folder: tempfile::TempDir,
    _shutdown: Shutdown,
}

impl House {
    async fn open(ffmpeg: &str, slate: Slate) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shutdown = Shutdown::new();
        let config = RoomsConfig {
            part_target_ms: 333,
            retention: Retention::origin(),
            slates: Some(Arc::new(SlateMaker::new(ffmpeg.into(), folder.path().join("slates")))),
            memories: None,
        };
        let rooms = Rooms::new(config, Arc::new(Stored), shutdown.clone());
        rooms.open(&cinema());
        let settings = StreamSettings {
            offer: Offer::default(),
            slate,
        };
        rooms.set_stream_settings(&cinema(), settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ingest = listener.local_addr().unwrap();
        let admission = Arc::new(RoomAdmission::new(rooms.clone(), Arc::new(Stored)));
        let running = Ingest::new(admission, IngestLimits::default(), shutdown.clone());
        shutdown.spawn(running.serve(listener, None));
        Self {
            live: rooms.live(&cinema()).unwrap(),
            rooms,
            ingest,
            _folder: folder,
            _shutdown: shutdown,
        }
    }

    /// A publisher with pictures of this size.
    fn publisher(&self, size: &str) -> Child {
        let mut encoder = Command::new("ffmpeg");
        encoder
            .args(["-loglevel", "error", "-nostdin", "-re"])
            .args(["-f", "lavfi", "-i", &format!("testsrc2=size={size}:rate=30")])
            .args(["-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", "120"])
            .args([
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-pix_fmt",
                "yuv420p",
                "-g",
                "30",
            ])
            .args(["-c:a", "aac", "-f", "flv", &format!("rtmp://{}/live/sk_a", self.ingest)])
            .stderr(Stdio::null());
        encoder.kill_on_drop(true).spawn().expect("ffmpeg is installed")
    }

    async fn until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !is_so(self) {
            assert!(started.elapsed() < PATIENCE, "not in time: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn slate(&self) -> SlateHealth {
        self.rooms.slate_health(&cinema())
    }

    fn interrupted(&self) -> bool {
        self.rooms.status(&cinema()).interrupted
    }

    fn window<R>(&self, look: impl FnOnce(&LiveWindow) -> R) -> Option<R> {
        self.live.read(|windows| windows.current().map(look))
    }

    fn epoch(&self) -> Option<Epoch> {
        self.window(LiveWindow::epoch)
    }

    /// Segments begun, by rendition.
    fn begun(&self, rendition: RenditionId) -> u64 {
        self.window(|window| window.next(rendition).0.0).unwrap_or(0)
    }

    /// Numbers of segments in front of which the timeline is broken.
    fn breaks(&self, rendition: RenditionId) -> Vec<Msn> {
        let broken = |window: &LiveWindow| {
            let segments = window.segments(rendition);
            let broken = segments.filter(|segment| {
                segment
                    .parts()
                    .first()
                    .is_some_and(|part| part.record.flags.discontinuity)
            });
            broken.map(|segment| segment.msn()).collect()
        };
        self.window(broken).unwrap_or_default()
    }

    /// The picture's sizes, by init segment.
    fn sizes(&self) -> Vec<(u16, u16)> {
        let inits = |window: &LiveWindow| window.inits(VIDEO).map(|(_, body)| body.clone()).collect::<Vec<_>>();
        let sizes = self.window(inits).unwrap_or_default().into_iter().map(|init| {
            let SampleEntry::Video { width, height, .. } = read_init(&init).unwrap().entry else {
                panic!("the first rendition is the picture");
            };
            (width, height)
        });
        sizes.collect()
    }
}

#[tokio::test]
async fn a_slate_stands_in_for_a_lost_publisher_until_one_is_back() {
    let house = House::open("ffmpeg", Slate::Card).await;
    let mut first = house.publisher("320x180");
    house
        .until("a slate is ready", |house| house.slate() == SlateHealth::Ready)
        .await;
    let epoch = house.epoch();
    first.kill().await.unwrap();
    house.until("the loss is told", House::interrupted).await;
    let begun = house.begun(VIDEO);
    house
        .until("the slate goes on in both tracks", |house| {
            house.begun(VIDEO) > begun + 2 && house.begun(AUDIO) > begun + 2
        })
        .await;
    assert_eq!(house.slate(), SlateHealth::Showing);
    assert!(house.interrupted(), "a slate is no publisher");
    assert_eq!(house.epoch(), epoch, "players need not load anything anew");
    assert_eq!(house.breaks(VIDEO).len(), 1);
    assert_eq!(house.breaks(VIDEO), house.breaks(AUDIO));

    let _second = house.publisher("640x360");
    house.until("the publisher is back", |house| !house.interrupted()).await;
    house
        .until("its picture is there", |house| house.sizes().contains(&(640, 360)))
        .await;
    assert_eq!(house.sizes(), [(320, 180), (320, 180), (640, 360)]);
    assert_eq!(house.epoch(), epoch);
    let both = |house: &House| house.breaks(VIDEO).len() == 2 && house.breaks(AUDIO).len() == 2;
    house.until("it goes on in both tracks", both).await;
    assert_eq!(house.breaks(VIDEO), house.breaks(AUDIO));
    assert_eq!(house.slate(), SlateHealth::Ready);
}

#[tokio::test]
async fn without_ffmpeg_there_is_no_slate_and_it_is_said() {
    let house = House::open("/nowhere/ffmpeg", Slate::Card).await;
    let mut first = house.publisher("320x180");
    let unavailable =
        |house: &House| matches!(house.slate(), SlateHealth::Unavailable { reason } if reason.contains("ffmpeg"));
    house.until("it is said", unavailable).await;
    first.kill().await.unwrap();
    house.until("the loss is told", House::interrupted).await;
    assert!(house.epoch().is_some(), "the room waits all the same");
}

#[tokio::test]
async fn a_slate_that_is_switched_off_stands_in_no_more() {
    let house = House::open("ffmpeg", Slate::Card).await;
    let mut first = house.publisher("320x180");
    house
        .until("a slate is ready", |house| house.slate() == SlateHealth::Ready)
        .await;
    first.kill().await.unwrap();
    house
        .until("it is shown", |house| house.slate() == SlateHealth::Showing)
        .await;
    house.rooms.set_stream_settings(&cinema(), StreamSettings::default());
    house
        .until("it is off", |house| house.slate() == SlateHealth::Off)
        .await;
    assert!(house.interrupted());
}
