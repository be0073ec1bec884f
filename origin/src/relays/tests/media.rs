//! What a relay that got in is told, and what it gets when it asks.

use std::sync::Arc;

use bytes::Bytes;
use common::{
    id::{ChannelId, Epoch, Msn, RenditionId},
    live::{LiveEvent, Part, window::Retention},
    time::UnixMillis,
    wire::{
        control::{DownstreamFrame, Revocation, RevokedSubject, RoomReport, RoomState, UpstreamFrame, ViewerSeen},
        request::{CallRequest, FetchReply, FetchRequest},
    },
};
use node::{link_driver::LinkConnection, live::Live};

use super::harness::{Origin, cinema, eventually, live_room, part, read, rung, source, start};

async fn subscribe(link: &LinkConnection) {
    subscribe_to(link, source()).await;
}

async fn subscribe_to(link: &LinkConnection, channel: ChannelId) {
    let subscribe = DownstreamFrame::Subscribe { channel, resume: None };
    link.write_frame(&subscribe).await.unwrap();
}

/// `count` parts as they came, in their order in the stream.
async fn parts(link: &LinkConnection, count: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    while parts.len() < count {
        let (header, body) = link.accept_part().await.unwrap();
        assert_eq!((header.channel, header.epoch), (source(), Epoch(5)));
        parts.push(Part {
            id: header.id,
            init_id: header.init_id,
            dts: header.dts,
            duration: header.duration,
            program_date_time: header.program_date_time,
            flags: header.flags,
            body,
        });
    }
    parts.sort_by_key(|part| part.id);
    parts
}

#[tokio::test]
async fn a_subscriber_gets_the_window_then_all_that_is_born() {
    let origin = Origin::start();
    let live = live_room();
    for number in 0..6 {
        live.apply(LiveEvent::Part(part(number))).unwrap();
    }
    origin.rooms.live.lock().unwrap().insert(source(), live.clone());
    let link = origin.join("r1").await;
    subscribe(&link).await;

    let UpstreamFrame::Window {
        description, records, ..
    } = read(&link).await
    else {
        panic!("a window comes first")
    };
    assert_eq!((description.epoch, description.first_msn), (Epoch(5), Msn(7)));
    let told: Vec<_> = records.renditions[0]
        .iter()
        .map(|segment| (segment.msn, segment.parts.len(), segment.complete))
        .collect();
    assert_eq!(told, [(Msn(7), 4, true), (Msn(8), 2, false)]);
    let UpstreamFrame::Init { init_id: 0, body, .. } = read(&link).await else {
        panic!("init segments follow")
    };
    assert_eq!(body, Bytes::from_static(b"init"));
    // The newest of the past comes unasked.
    assert_eq!(parts(&link, 6).await, (0..6).map(part).collect::<Vec<_>>());

    for number in 6..20 {
        live.apply(LiveEvent::Part(part(number))).unwrap();
    }
    live.apply(LiveEvent::End).unwrap();
    assert_eq!(parts(&link, 14).await, (6..20).map(part).collect::<Vec<_>>());
    let mut ended = Vec::new();
    loop {
        match read(&link).await {
            UpstreamFrame::SegmentEnd { msn, parts: 4, .. } => ended.push(msn),
            UpstreamFrame::End { epoch: Epoch(5), .. } => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ended, [Msn(8), Msn(9), Msn(10), Msn(11)]);
    assert_eq!(origin.relays.statuses()[0].rooms, 1);
}

#[tokio::test]
async fn a_room_that_goes_live_later_reaches_its_subscriber() {
    let origin = Origin::start();
    let link = origin.join("r1").await;
    subscribe(&link).await;
    assert_eq!(read(&link).await, UpstreamFrame::Offline { channel: source() });
    origin.rooms.live.lock().unwrap().insert(source(), live_room());
    let state = RoomState {
        slug: cinema(),
        is_live: true,
        interrupted: false,
    };
    origin.relays.push_room(state.clone());
    // At the push, or at the next look a moment before it.
    let frames = [read(&link).await, read(&link).await, read(&link).await];
    assert!(frames.contains(&UpstreamFrame::Room { state }));
    assert!(frames.iter().any(|frame| matches!(frame, UpstreamFrame::Window { .. })));
}

#[tokio::test]
async fn a_rung_is_held_while_it_is_followed_and_a_fetch_alone_does_not_begin_it() {
    let origin = Origin::start();
    let media = Arc::new(Live::new(Retention::origin()));
    let others = Arc::strong_count(&origin.rooms.held);
    let holds = || Arc::strong_count(&origin.rooms.held) - others;
    let link = origin.join("r1").await;
    subscribe_to(&link, rung()).await;
    assert_eq!(read(&link).await, UpstreamFrame::Offline { channel: rung() });
    origin.rooms.live.lock().unwrap().insert(rung(), media.clone());
    assert_eq!(read(&link).await, UpstreamFrame::Starting { channel: rung() });
    let request = FetchRequest {
        channel: rung(),
        epoch: Epoch(5),
        rendition: RenditionId(0),
        msn: Msn(7),
        part: Some(0),
    };
    assert_eq!(link.fetch(request.clone()).await.unwrap().0, FetchReply::Gone);
    start(&media);
    assert!(matches!(read(&link).await, UpstreamFrame::Window { channel, .. } if channel == rung()));
    assert!(matches!(read(&link).await, UpstreamFrame::Init { channel, .. } if channel == rung()));
    media.apply(LiveEvent::Part(part(0))).unwrap();
    let (header, body) = link.accept_part().await.unwrap();
    assert_eq!((header.channel, body), (rung(), part(0).body));
    assert_eq!(link.fetch(request.clone()).await.unwrap().1, part(0).body);
    assert_eq!(holds(), 1);
    assert_eq!(origin.relays.statuses()[0].rooms, 0, "a rung is no room");

    link.write_frame(&DownstreamFrame::Unsubscribe { channel: rung() })
        .await
        .unwrap();
    eventually(|| holds() == 0).await;
    assert_eq!(link.fetch(request).await.unwrap().0, FetchReply::Gone);
    assert_eq!(holds(), 0);
    subscribe_to(&link, rung()).await;
    eventually(|| holds() == 1).await;
    drop(link);
    eventually(|| holds() == 0).await;
}

#[tokio::test]
async fn a_rung_that_is_given_up_is_told_and_let_go() {
    let origin = Origin::start();
    let media = live_room();
    origin.rooms.live.lock().unwrap().insert(rung(), media.clone());
    let others = Arc::strong_count(&origin.rooms.held);
    let link = origin.join("r1").await;
    subscribe_to(&link, rung()).await;
    assert!(matches!(read(&link).await, UpstreamFrame::Window { .. }));
    assert!(matches!(read(&link).await, UpstreamFrame::Init { .. }));
    origin.rooms.live.lock().unwrap().remove(&rung());
    eventually(|| Arc::strong_count(&origin.rooms.held) == others).await;
    // What its encoder still gives back is not lost.
    media.apply(LiveEvent::Part(part(0))).unwrap();
    assert_eq!(link.accept_part().await.unwrap().0.channel, rung());
    media.abandon();
    assert!(matches!(read(&link).await, UpstreamFrame::SegmentEnd { .. }));
    assert!(matches!(read(&link).await, UpstreamFrame::End { .. }));
    assert_eq!(read(&link).await, UpstreamFrame::Offline { channel: rung() });
}

#[tokio::test]
async fn the_past_is_fetched_whole_or_in_parts_until_it_is_gone() {
    let origin = Origin::start();
    let live = live_room();
    for number in 0..6 {
        live.apply(LiveEvent::Part(part(number))).unwrap();
    }
    origin.rooms.live.lock().unwrap().insert(source(), live);
    let link = origin.join("r1").await;
    let request = |epoch, msn, part| FetchRequest {
        channel: source(),
        epoch: Epoch(epoch),
        rendition: RenditionId(0),
        msn: Msn(msn),
        part,
    };
    let (reply, body) = link.fetch(request(5, 7, None)).await.unwrap();
    let segment: Vec<u8> = (0..4).flat_map(|number| part(number).body).collect();
    assert!(matches!(reply, FetchReply::Found { part: None, .. }));
    assert_eq!(body, segment);
    let (reply, body) = link.fetch(request(5, 8, Some(1))).await.unwrap();
    assert!(matches!(reply, FetchReply::Found { part: Some(_), .. }));
    assert_eq!(body, part(5).body);
    for gone in [request(5, 8, None), request(5, 8, Some(2)), request(6, 7, None)] {
        assert_eq!(link.fetch(gone).await.unwrap().0, FetchReply::Gone);
    }
}

#[tokio::test]
async fn a_viewers_call_reaches_the_api_with_who_it_is_from() {
    let origin = Origin::start();
    let link = origin.join("r1").await;
    let call = CallRequest {
        method: "GET".to_owned(),
        path: "/api/who".to_owned(),
        headers: vec![],
        peer: "192.0.2.7".to_owned(),
        body: Bytes::new(),
    };
    let reply = link.call(call).await.unwrap();
    assert_eq!((reply.status, &*reply.body), (200, &b"192.0.2.7 via name of r1"[..]));
}

#[tokio::test]
async fn a_call_under_way_is_answered_when_the_origin_stops() {
    let origin = Origin::start();
    let link = origin.join("r1").await;
    let call = CallRequest {
        method: "GET".to_owned(),
        path: "/api/last".to_owned(),
        headers: vec![],
        peer: "192.0.2.7".to_owned(),
        body: Bytes::new(),
    };
    assert_eq!(link.call(call).await.unwrap().body, "the last answer");
}

#[tokio::test]
async fn changes_reach_every_relay_and_the_next_one_is_welcomed_with_them() {
    let origin = Origin::start();
    let links = [origin.join("r1").await, origin.join("r2").await];
    let revocation = Revocation {
        subject: RevokedSubject::Viewer("v1".to_owned()),
        until: UnixMillis(i64::MAX),
    };
    let state = RoomState {
        slug: cinema(),
        is_live: false,
        interrupted: false,
    };
    origin.relays.push_keys("{}".to_owned());
    origin.relays.push_revocation(revocation.clone());
    origin.relays.push_room(state.clone());
    origin.relays.push_public_urls(vec![]);
    for link in &links {
        assert_eq!(read(link).await, UpstreamFrame::Keys { keys: "{}".to_owned() });
        let revocations = vec![revocation.clone()];
        assert_eq!(read(link).await, UpstreamFrame::Revoke { revocations });
        assert_eq!(read(link).await, UpstreamFrame::Room { state: state.clone() });
        assert_eq!(read(link).await, UpstreamFrame::PublicUrls { public_urls: vec![] });
    }
    let link = origin.enrol("r3").await.connect().await.unwrap();
    link.write_frame(&super::harness::hello()).await.unwrap();
    let welcome = UpstreamFrame::Welcome {
        relay_id: "r3".to_owned(),
        keys: "{}".to_owned(),
        revocations: vec![revocation],
        rooms: vec![state],
        public_urls: vec![],
    };
    assert_eq!(read(&link).await, welcome);
    origin.relays.push_room_gone(cinema());
    assert_eq!(read(&link).await, UpstreamFrame::RoomGone { room: cinema() });
}

#[tokio::test]
async fn a_report_is_passed_on_and_shows_in_the_status() {
    let origin = Origin::start();
    let link = origin.join("r1").await;
    let viewer = |id: &str| ViewerSeen {
        viewer_id: id.to_owned(),
        invite_id: None,
    };
    let rooms = vec![RoomReport {
        room: cinema(),
        viewers: vec![viewer("v1"), viewer("v2"), viewer("v1")],
    }];
    let report = DownstreamFrame::Report {
        rooms: rooms.clone(),
        egress_bytes: 77,
    };
    link.write_frame(&report).await.unwrap();
    link.write_frame(&DownstreamFrame::Ping { t0: 0 }).await.unwrap();
    let UpstreamFrame::Pong { t1, t2, .. } = read(&link).await else {
        panic!("a pong answers a ping")
    };
    assert!(t1 > 0 && t2 >= t1);
    assert_eq!(*origin.rooms.reports.lock().unwrap(), [("r1".to_owned(), rooms)]);
    let status = &origin.relays.statuses()[0];
    assert_eq!((status.viewers, status.egress_bytes), (2, 77));
    assert_eq!(status.url, "https://r.example");
    assert!(status.rtt_ms.is_some() && status.last_seen.is_some());
    assert_eq!(origin.store.seen.lock().unwrap()[0].0, "r1");
}
