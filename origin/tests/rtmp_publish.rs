//! The ingest with publishers written by hand: letting in, refusing, ending, time-outs and caps.

mod rtmp_support;

use std::time::{Duration, Instant};

use common::{
    media::access_unit::{AccessUnit, Codec, MediaMessage, StreamMetadata, TrackId},
    rtmp::{
        amf0::{self, Value},
        message::type_id,
        session::{REFUSAL_LINGER, Timeouts},
    },
};
use origin::ingest::{
    admission::{LeaseEnded, PublishEnd},
    limits::IngestLimits,
};
use rtmp_support::{BUSY_KEY, Client, KEY, PANIC_KEY, SLOW_KEY, Seen, Server, message};

const BAD_NAME: &str = "NetStream.Publish.BadName";
const AVCC: [u8; 11] = [1, 0x64, 0, 0x28, 0xff, 0xe1, 0, 1, 0x67, 0, 0];

fn limits() -> IngestLimits {
    IngestLimits::default()
}

/// Time-outs that a test can wait for; `PATIENCE` of the client is much longer.
fn short() -> Timeouts {
    let short = Duration::from_millis(150);
    Timeouts {
        handshake: short,
        publish: short,
        media: short,
    }
}

#[tokio::test]
async fn what_is_published_reaches_the_room_in_order() {
    let mut server = Server::start().await;
    let mut publisher = server.publisher().await;
    let metadata = amf0::encode(&[
        Value::string("@setDataFrame"),
        Value::string("onMetaData"),
        Value::Object(vec![("framerate".to_owned(), Value::Number(30.0))]),
    ]);
    let key_frame = [&[0x17, 1, 0, 0, 66][..], &[9; 40_000]].concat();
    publisher.send(&message(128, 4, type_id::DATA_AMF0, 0, &metadata)).await;
    publisher
        .send(&message(
            128,
            4,
            type_id::VIDEO,
            0,
            &[&[0x17, 0, 0, 0, 0][..], &AVCC].concat(),
        ))
        .await;
    publisher
        .send(&message(128, 4, type_id::VIDEO, 0x0100_0000, &key_frame))
        .await;
    publisher.command("FCUnpublish", 6.0, &[Value::string(KEY)]).await;
    publisher.command("deleteStream", 7.0, &[Value::Number(1.0)]).await;

    let (messages, how) = server.seen_to_the_end().await;
    assert_eq!(how, PublishEnd::Stopped);
    let expected = [
        MediaMessage::Metadata(StreamMetadata {
            frame_rate: Some(30.0),
            ..StreamMetadata::default()
        }),
        MediaMessage::Config {
            track: TrackId::VIDEO,
            codec: Codec::H264,
            record: AVCC.to_vec().into(),
        },
        MediaMessage::AccessUnit(AccessUnit {
            track: TrackId::VIDEO,
            timestamp_ms: 0x0100_0000,
            composition_ms: 66,
            sync: true,
            payload: vec![9; 40_000].into(),
        }),
    ];
    assert_eq!(messages, expected);
}

#[tokio::test]
async fn a_wrong_key_is_told_bad_name_and_its_media_is_not_read() {
    for key in ["sk_wrong", "sk_wrong?token=x", BUSY_KEY] {
        let mut server = Server::start().await;
        let mut client = Client::open(server.address).await;
        client.connect("live").await;
        client.publish(key).await;
        client.send(&message(128, 4, type_id::VIDEO, 0, &[0x17; 2000])).await;
        assert_eq!(client.status().await, BAD_NAME);
        let told = Instant::now();
        client.closed().await;
        // Some of the linger is gone when the client has read the status; closing at once would show nothing of it.
        assert!(told.elapsed() > REFUSAL_LINGER / 2, "{:?}", told.elapsed());
        assert!(server.has_seen_nothing());
    }
}

#[tokio::test]
async fn rooms_that_do_not_answer_refuse() {
    let mut server = Server::start_with(IngestLimits {
        admission: Duration::from_millis(100),
        ..limits()
    })
    .await;
    let mut client = Client::open(server.address).await;
    client.connect("live").await;
    client.publish(SLOW_KEY).await;
    assert_eq!(client.status().await, BAD_NAME);
    client.closed().await;
    assert!(server.has_seen_nothing());
}

#[tokio::test]
async fn another_app_and_play_are_refused() {
    let server = Server::start().await;
    let mut client = Client::open(server.address).await;
    client.connect("vod").await;
    assert_eq!(client.status().await, "NetConnection.Connect.InvalidApp");
    client.closed().await;

    let mut client = Client::open(server.address).await;
    client.connect("live").await;
    client.command("play", 5.0, &[Value::string(KEY)]).await;
    assert_eq!(client.status().await, "NetStream.Play.Failed");
    client.closed().await;
}

#[tokio::test]
async fn a_lost_connection_and_a_broken_protocol_are_losses() {
    let mut server = Server::start().await;
    let publisher = server.publisher().await;
    drop(publisher);
    assert_eq!(server.seen().await, Seen::Finished(PublishEnd::Lost));

    let mut publisher = server.publisher().await;
    publisher.connect("live").await;
    publisher.closed().await;
    assert_eq!(server.seen().await, Seen::Finished(PublishEnd::Lost));
}

#[tokio::test]
async fn a_lease_taken_away_closes_even_a_silent_publisher() {
    let mut server = Server::start().await;
    let mut publisher = server.publisher().await;
    server.end_leases(LeaseEnded::TakenOver);
    publisher.closed().await;
    assert_eq!(server.seen().await, Seen::Finished(PublishEnd::Lost));
}

#[tokio::test]
async fn h264_with_short_nal_lengths_is_for_the_room_to_refuse_and_cuts_nobody() {
    let mut server = Server::start().await;
    let mut publisher = server.publisher().await;
    let mut record = AVCC;
    record[4] = 0xfd;
    publisher
        .send(&message(
            128,
            4,
            type_id::VIDEO,
            0,
            &[&[0x17, 0, 0, 0, 0][..], &record].concat(),
        ))
        .await;
    let Seen::Message(MediaMessage::Config { record: handed_on, .. }) = server.seen().await else {
        panic!("a configuration was sent");
    };
    assert_eq!(handed_on, record[..]);
    server.carries(&mut publisher).await;
}

#[tokio::test]
async fn a_broken_tag_and_an_unknown_codec_cost_only_themselves() {
    let mut server = Server::start().await;
    let mut publisher = server.publisher().await;
    publisher.send(&message(128, 4, type_id::VIDEO, 0, &[0x17])).await;
    publisher
        .send(&message(128, 4, type_id::VIDEO, 0, b"\x90vvc1record"))
        .await;
    let seen = server.seen().await;
    assert!(
        matches!(seen, Seen::Message(MediaMessage::Unsupported { .. })),
        "{seen:?}"
    );
    server.carries(&mut publisher).await;
}

#[tokio::test]
async fn a_panic_on_one_connection_stays_there() {
    let mut server = Server::start().await;
    let mut bystander = server.publisher().await;
    let mut unlucky = Client::open(server.address).await;
    unlucky.connect("live").await;
    unlucky.publish(PANIC_KEY).await;
    assert_eq!(unlucky.status().await, "NetStream.Publish.Start");
    assert_eq!(server.seen().await, Seen::Admitted);
    unlucky
        .send(&message(128, 4, type_id::AUDIO, 0, b"\xaf\x01frame"))
        .await;
    unlucky.closed().await;
    assert_eq!(
        server.seen().await,
        Seen::Finished(PublishEnd::Lost),
        "the lease is given back"
    );
    server.carries(&mut bystander).await;
}

#[tokio::test]
async fn each_stage_has_its_time_out() {
    let mut server = Server::start_with(IngestLimits {
        timeouts: short(),
        ..limits()
    })
    .await;
    Client::open_silent(server.address).await.closed().await;
    Client::open(server.address).await.closed().await;
    let mut connected = Client::open(server.address).await;
    connected.connect("live").await;
    connected.closed().await;
    server.publisher().await.closed().await;
    assert_eq!(server.seen().await, Seen::Finished(PublishEnd::Lost));
}

#[tokio::test]
async fn connections_over_the_caps_are_closed_at_once() {
    let mut server = Server::start_with(IngestLimits {
        connections: 2,
        ..limits()
    })
    .await;
    let mut first = server.publisher().await;
    let second = server.publisher().await;
    Client::open_silent(server.address).await.closed().await;
    server.carries(&mut first).await;

    // The place of one that left is free again, as soon as the ingest has noticed.
    drop(second);
    let mut tries = 0;
    loop {
        let mut third = Client::open_silent(server.address).await;
        third.send(&[3]).await;
        third.send(&[0; 1536]).await;
        let mut byte = [0];
        if third.read(&mut byte).await == 1 {
            break;
        }
        tries += 1;
        assert!(tries < 1000, "the place never came free");
    }
}

#[tokio::test]
async fn a_publisher_gets_in_past_connections_that_show_no_key_and_none_that_publishes_has_to_go() {
    let mut server = Server::start_with(IngestLimits {
        connections: 3,
        ..limits()
    })
    .await;
    let mut first = server.publisher().await;
    let mut silent = Client::open_silent(server.address).await;
    let mut idle = Client::open(server.address).await;
    let mut second = server.publisher().await;
    silent.closed().await;
    let mut third = server.publisher().await;
    idle.closed().await;
    for publisher in [&mut first, &mut second, &mut third] {
        server.carries(publisher).await;
    }
}

#[tokio::test]
async fn stopping_the_origin_closes_all_and_takes_no_more() {
    let mut server = Server::start().await;
    let mut publisher = server.publisher().await;
    server.shutdown.trigger();
    publisher.closed().await;
    assert_eq!(server.seen().await, Seen::Finished(PublishEnd::Lost));
    assert_eq!(server.shutdown.drain(Duration::from_secs(10)).await, 0);
}

#[tokio::test]
async fn acknowledgements_and_pongs_come_while_publishing() {
    let mut server = Server::start().await;
    let mut publisher = server.publisher().await;
    publisher
        .send(&message(128, 2, type_id::USER_CONTROL, 0, &[0, 6, 0, 0, 0, 9]))
        .await;
    let pong = publisher.message().await.unwrap();
    assert_eq!(
        (pong.type_id, &pong.payload[..]),
        (type_id::USER_CONTROL, &[0, 7, 0, 0, 0, 9][..])
    );
    publisher
        .send(&message(
            128,
            2,
            type_id::WINDOW_ACKNOWLEDGEMENT_SIZE,
            0,
            &5000_u32.to_be_bytes(),
        ))
        .await;
    publisher
        .send(&message(
            128,
            4,
            type_id::AUDIO,
            0,
            &[b"\xaf\x01", &[0; 6000][..]].concat(),
        ))
        .await;
    let acknowledgement = publisher.message().await.unwrap();
    assert_eq!(acknowledgement.type_id, type_id::ACKNOWLEDGEMENT);
    assert!(u32::from_be_bytes(acknowledgement.payload[..].try_into().unwrap()) >= 5000);
}
