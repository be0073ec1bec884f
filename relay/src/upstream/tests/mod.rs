//! The upstream session over real QUIC on loopback.

mod chat;
mod origin;

use std::{sync::atomic::Ordering, time::Duration};

use common::{
    id::Msn,
    live::window::{LiveWindow, SegmentLookup},
};

use self::origin::{AHEAD_MS, EPOCH, Origin, RUNG_EPOCH, VIDEO};
use super::*;

/// Long enough for a busy machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);

struct Relay {
    upstream: Upstream,
    shutdown: Shutdown,
}

impl Relay {
    fn start(origin: &Origin) -> Self {
        let shutdown = Shutdown::new();
        let config = UpstreamConfig {
            connector: origin.connector(),
            name: "relay".to_owned(),
            public_url: "http://relay.test".to_owned(),
            retention: Retention::relay(),
            cache_bytes: 1 << 20,
        };
        Self {
            upstream: Upstream::start(config, &shutdown),
            shutdown,
        }
    }

    /// A relay whose link stands.
    async fn joined(origin: &Origin) -> Self {
        let relay = Self::start(origin);
        let mut keys = relay.upstream.keys();
        patiently(keys.wait_for(|keys| !keys.is_empty())).await.unwrap();
        eventually(|| relay.upstream.is_up()).await;
        relay
    }

    async fn watch(&self, origin: &Origin) -> Arc<Live> {
        patiently(self.upstream.watch_room(&origin.room))
            .await
            .expect("the room is live")
    }
}

async fn patiently<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it should have happened by now")
}

async fn eventually(mut is_so: impl FnMut() -> bool) {
    patiently(async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Waits until the relay's window ends where the origin's does.
async fn caught_up(live: &Live, origin: &Origin) -> LiveWindow {
    let mut changes = live.watch();
    patiently(async {
        loop {
            changes.borrow_and_update();
            let window = live.read(|windows| windows.current().cloned());
            if let Some(window) = window
                && window.next(VIDEO) == origin.window().next(VIDEO)
                && window.ended() == origin.window().ended()
            {
                return window;
            }
            changes.changed().await.unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn a_watched_room_is_mirrored_as_it_is_born() {
    let origin = Origin::start();
    origin.go_live();
    origin.bear(6);
    let relay = Relay::joined(&origin).await;
    let live = relay.watch(&origin).await;
    caught_up(&live, &origin).await;
    for _ in 0..10 {
        origin.bear(1);
        let window = caught_up(&live, &origin).await;
        assert_eq!(window.records(), origin.window().records());
    }
    let window = caught_up(&live, &origin).await;
    // What was born since, and the newest segments before: all bodies are here, and the same.
    for segment in window.segments(VIDEO) {
        if segment.is_complete() {
            eventually(|| {
                let here = live.read(|windows| windows.current().unwrap().segment(VIDEO, segment.msn()));
                matches!(here, SegmentLookup::Here(_))
            })
            .await;
            let ours = live.read(|windows| windows.current().unwrap().segment(VIDEO, segment.msn()));
            assert_eq!(ours, origin.window().segment(VIDEO, segment.msn()));
        }
    }
    assert_eq!(origin.fetches.load(Ordering::SeqCst), 0);
    origin.live.apply(common::live::LiveEvent::End).unwrap();
    caught_up(&live, &origin).await;
    relay.shutdown.trigger();
    assert_eq!(relay.shutdown.drain(PATIENCE).await, 0);
}

#[tokio::test]
async fn a_broken_link_is_made_anew_and_resumed() {
    let origin = Origin::start();
    origin.go_live();
    origin.bear(5);
    let relay = Relay::joined(&origin).await;
    let live = relay.watch(&origin).await;
    caught_up(&live, &origin).await;
    for _ in 0..2 {
        origin.break_link();
        origin.bear(7);
        let window = caught_up(&live, &origin).await;
        assert_eq!(window.records(), origin.window().records());
    }
    assert_eq!(origin.log.lock().unwrap().subscribed, [false, true, true]);
}

#[tokio::test]
async fn a_mirror_is_served_while_the_link_is_away() {
    let origin = Origin::start();
    origin.go_live();
    origin.bear(5);
    let relay = Relay::joined(&origin).await;
    let live = relay.watch(&origin).await;
    caught_up(&live, &origin).await;
    origin.break_link();
    eventually(|| !relay.upstream.is_up()).await;
    let again = relay.watch(&origin).await;
    assert!(Arc::ptr_eq(&live, &again));
}

#[tokio::test]
async fn parts_whose_streams_fail_are_fetched() {
    let origin = Origin::start();
    origin.go_live();
    let relay = Relay::joined(&origin).await;
    let live = relay.watch(&origin).await;
    origin.bear(1);
    caught_up(&live, &origin).await;
    origin.loses_parts.store(true, Ordering::SeqCst);
    origin.bear(1);
    eventually(|| origin.lost.load(Ordering::SeqCst) == 1).await;
    origin.loses_parts.store(false, Ordering::SeqCst);
    origin.bear(4);
    let window = caught_up(&live, &origin).await;
    assert_eq!(window.records(), origin.window().records());
    assert!(origin.fetches.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn the_past_is_fetched_once_for_all_who_ask() {
    let origin = Origin::start();
    origin.go_live();
    origin.bear(40);
    let relay = Relay::joined(&origin).await;
    let live = relay.watch(&origin).await;
    let window = caught_up(&live, &origin).await;
    let old = Msn(7);
    assert_eq!(window.segment(VIDEO, old), SegmentLookup::Absent);
    let request = |msn, part| FetchRequest {
        channel: ChannelId::source(origin.room.clone()),
        epoch: EPOCH,
        rendition: VIDEO,
        msn,
        part,
    };
    let all = futures::future::join_all((0..20).map(|_| relay.upstream.fetch(request(old, None))));
    let SegmentLookup::Here(rope) = origin.window().segment(VIDEO, old) else {
        panic!("the origin has it")
    };
    for fetched in patiently(all).await {
        assert_eq!(fetched.unwrap().concat(), rope.concat());
    }
    assert_eq!(origin.fetches.load(Ordering::SeqCst), 1);
    let part = relay.upstream.fetch(request(Msn(8), Some(2))).await.unwrap();
    assert_eq!(part.concat(), [6; 20_000]);
    assert_eq!(
        relay.upstream.fetch(request(Msn(999), None)).await,
        Err(FetchError::Gone)
    );
}

#[tokio::test]
async fn viewers_are_reported_calls_are_carried_and_the_origins_clock_is_known() {
    let origin = Origin::start();
    origin.go_live();
    let relay = Relay::joined(&origin).await;
    let viewer = ViewerSeen {
        viewer_id: "v1".to_owned(),
        invite_id: None,
    };
    relay.upstream.viewer_seen(&origin.room, viewer.clone());
    relay.upstream.egress(77);
    let reported = |(rooms, egress): &(Vec<common::wire::control::RoomReport>, u64)| {
        *egress == 77 && rooms.iter().any(|room| room.viewers.contains(&viewer))
    };
    eventually(|| origin.log.lock().unwrap().reports.iter().any(reported)).await;
    // A sign of a viewer is enough to follow the room.
    assert_eq!(origin.log.lock().unwrap().subscribed, [false]);
    let call = CallRequest {
        method: "GET".to_owned(),
        path: "/api/rooms".to_owned(),
        headers: Vec::new(),
        peer: "192.0.2.1:1".to_owned(),
        body: Bytes::new(),
    };
    assert_eq!(relay.upstream.call(call).await.unwrap().body, "/api/rooms");
    eventually(|| (relay.upstream.origin_now().0 - clock::unix_millis().0 - AHEAD_MS).abs() < 1000).await;
    assert_eq!(relay.upstream.relay_id().as_deref(), Some("r1"));
    assert_eq!(**relay.upstream.public_urls().borrow(), ["https://watch.example"]);
}

#[tokio::test]
async fn a_room_that_is_live_again_is_waited_for() {
    let origin = Origin::start();
    origin.go_live();
    origin.bear(5);
    let relay = Relay::joined(&origin).await;
    let mirrors = &relay.upstream.shared.mirrors;
    let source = ChannelId::source(origin.room.clone());
    mirrors.open(&source);
    mirrors.set_offline(&source, true);
    relay.watch(&origin).await;
}

#[tokio::test]
async fn a_call_under_way_is_answered_when_the_relay_stops() {
    let origin = Origin::start();
    let relay = Relay::joined(&origin).await;
    let call = CallRequest {
        method: "GET".to_owned(),
        path: "/api/slow".to_owned(),
        headers: Vec::new(),
        peer: "192.0.2.1:1".to_owned(),
        body: Bytes::new(),
    };
    let stop = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        relay.shutdown.trigger();
    };
    let (reply, ()) = tokio::join!(relay.upstream.call(call), stop);
    assert_eq!(reply.unwrap().body, "/api/slow");
    assert_eq!(relay.shutdown.drain(PATIENCE).await, 0);
}

#[tokio::test]
async fn rooms_that_are_not_there_are_not_waited_for() {
    let origin = Origin::start();
    let relay = Relay::joined(&origin).await;
    let quickly = |room: &'static str| {
        let upstream = relay.upstream.clone();
        async move {
            timeout(WINDOW_WAIT / 2, upstream.watch_room(&room.parse().unwrap()))
                .await
                .unwrap()
        }
    };
    assert!(quickly("nowhere").await.is_none());
    assert!(quickly("dark").await.is_none());
    assert!(quickly("cinema").await.is_none());
    assert!(origin.log.lock().unwrap().subscribed.is_empty());
}

#[tokio::test]
async fn a_rung_is_mirrored_beside_its_source_once_someone_asks_for_it() {
    let origin = Origin::start();
    origin.go_live();
    origin.bear(2);
    let relay = Relay::joined(&origin).await;
    let live = relay.watch(&origin).await;
    let rung = origin.rung_id();
    let mirrored = relay.upstream.watch_rung(&rung);
    assert_eq!(
        relay.upstream.rung_with(&origin.room, RUNG_EPOCH).map(|(id, _)| id),
        None
    );
    let mut changes = mirrored.live.watch();
    origin.start_rung();
    patiently(changes.changed()).await.unwrap();
    let records = |live: &Live| live.read(|windows| windows.current().map(LiveWindow::records));
    // As the source began before it, it goes on alone.
    origin.rung.apply(origin.part(0)).unwrap();
    origin.rung.apply(origin.part(1)).unwrap();
    origin.bear(5);
    caught_up(&live, &origin).await;
    eventually(|| records(&mirrored.live) == records(&origin.rung)).await;
    let (found, of_epoch) = relay.upstream.rung_with(&origin.room, RUNG_EPOCH).unwrap();
    assert!(found == rung && Arc::ptr_eq(&of_epoch, &mirrored.live));
    let request = FetchRequest {
        channel: rung,
        epoch: RUNG_EPOCH,
        rendition: VIDEO,
        msn: Msn(7),
        part: Some(3),
    };
    assert_eq!(relay.upstream.fetch(request).await.unwrap().concat(), [3; 20_000]);
    origin.rung.abandon();
    eventually(|| mirrored.live.read(|windows| windows.current().unwrap().ended())).await;
    assert!(!live.read(|windows| windows.current().unwrap().ended()));
    assert_eq!(relay.upstream.shared.mirrors.held().rungs, 1);
}
