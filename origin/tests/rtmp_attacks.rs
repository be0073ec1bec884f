//! Bytes that brought other RTMP servers down before anyone showed a key: each costs the attacker its connection and no one else
//! anything. The letters are those of the audit of rml_rtmp 0.8.0 that led to the ingest's own reader.

mod rtmp_support;

use std::time::{Duration, Instant};

use common::{
    media::access_unit::MediaMessage,
    rtmp::{
        amf0::{self, Value},
        chunk_reader::{MAX_CHUNK_SIZE, MAX_MEDIA_MESSAGE},
        message::type_id,
    },
};
use rtmp_support::{
    Client, KEY, Seen, Server, connect, full_header,
    house::{House, media},
    message, raw_command, resident_bytes,
};

/// More than an ingest may grow by under any of these attacks, bytes; the tests of this file run at the same time.
const GROWTH: usize = 64 << 20;

/// Runs an attack behind the handshake. The attacker has to be closed, a publisher that was there has to stay, and a new one to come in.
async fn attack(bytes: &[u8]) {
    let mut server = Server::start().await;
    let mut bystander = server.publisher().await;
    let mut attacker = Client::open(server.address).await;
    attacker.send(bytes).await;
    attacker.closed().await;
    server.carries(&mut bystander).await;
    let mut newcomer = server.publisher().await;
    server.carries(&mut newcomer).await;
}

#[tokio::test]
async fn attack_a_nested_arrays_of_29_kib() {
    let mut nested = [0x0a, 0, 0, 0, 1].repeat(6000);
    nested.push(5);
    attack(&raw_command(&nested)).await;
    attack(&raw_command(&nested[..15_000])).await;
}

#[tokio::test]
async fn attack_b_commands_of_one_and_two_values() {
    attack(&raw_command(&amf0::encode(&[Value::string("connect")]))).await;
    let two = amf0::encode(&[Value::string("publish"), Value::Number(5.0)]);
    attack(&[connect("live"), raw_command(&two)].concat()).await;
}

#[tokio::test]
async fn attack_c_set_data_frame_alone() {
    let lone = message(
        128,
        4,
        type_id::DATA_AMF0,
        0,
        &amf0::encode(&[Value::string("@setDataFrame")]),
    );
    // By itself harmless here, so nothing closes the connection before the attacker says more.
    attack(&[&lone[..], &raw_command(&[])].concat()).await;

    let mut server = Server::start().await;
    let mut publisher = server.publisher().await;
    publisher.send(&lone).await;
    let named = amf0::encode(&[Value::string("@setDataFrame"), Value::string("onMetaData")]);
    publisher.send(&message(128, 4, type_id::DATA_AMF0, 0, &named)).await;
    server.carries(&mut publisher).await;
}

#[tokio::test]
async fn attack_d_a_short_message_within_a_long_one() {
    let mut server = Server::start().await;
    let mut publisher = server.publisher().await;
    let long = message(128, 6, type_id::AUDIO, 0, &[b"\xaf\x01", &[7; 298][..]].concat());
    publisher.send(&long[..140]).await;
    server.carries(&mut publisher).await;
    publisher.send(&long[140..]).await;
    assert!(matches!(server.seen().await, Seen::Message(_)), "the long one is whole");
    server.carries(&mut publisher).await;
}

#[tokio::test]
async fn attack_e_an_extended_difference_below_the_mark() {
    let mut server = Server::start().await;
    let mut publisher = server.publisher().await;
    server.carries(&mut publisher).await;
    publisher.send(&[0x84, 0xff, 0xff, 0xff, 0, 0, 0, 5]).await;
    publisher.send(b"\xaf\x01frame").await;
    assert!(matches!(server.seen().await, Seen::Message(_)));
    server.carries(&mut publisher).await;
}

#[tokio::test]
async fn attack_f_megabytes_of_nulls() {
    let before = resident_bytes();
    let mut nulls = message(128, 2, type_id::SET_CHUNK_SIZE, 0, &MAX_CHUNK_SIZE.to_be_bytes());
    nulls.extend(full_header(3, type_id::COMMAND_AMF0, 0, 16_000_000));
    nulls.extend(vec![5; 4 << 20]);
    attack(&nulls).await;
    attack(&raw_command(&[5; 16_000])).await;
    assert!(resident_bytes() < before + GROWTH);
}

#[tokio::test]
async fn attack_g_a_huge_message_that_is_never_finished() {
    let before = resident_bytes();
    let set_chunk_size = |size: u32| message(128, 2, type_id::SET_CHUNK_SIZE, 0, &size.to_be_bytes());
    attack(&set_chunk_size(0x7fff_ffff)).await;
    let huge = full_header(3, type_id::COMMAND_AMF0, 0, 0x00ff_ffff);
    attack(&[set_chunk_size(MAX_CHUNK_SIZE), huge, vec![0; 8 << 20]].concat()).await;
    assert!(resident_bytes() < before + GROWTH);
}

#[tokio::test]
async fn attack_g_a_crowd_of_unfinished_messages_costs_what_it_sent() {
    let before = resident_bytes();
    let mut server = Server::start().await;
    let mut bystander = server.publisher().await;
    let mut crowd = Vec::new();
    for _ in 0..7 {
        let mut client = Client::open(server.address).await;
        for csid in 3..19 {
            let unfinished = message(128, csid, type_id::COMMAND_AMF0, 0, &[0; 16 << 10]);
            client.send(&unfinished[..140]).await;
        }
        crowd.push(client);
    }
    server.carries(&mut bystander).await;
    assert!(resident_bytes() < before + GROWTH);
}

#[tokio::test]
async fn attack_h_two_thousand_connects() {
    let before = resident_bytes();
    attack(&connect("live").repeat(2000)).await;
    attack(&connect(&"x".repeat(15_000)).repeat(2000)).await;
    assert!(resident_bytes() < before + GROWTH);
}

#[tokio::test]
async fn attack_i_a_chunk_stream_for_every_number() {
    let before = resident_bytes();
    let mut streams = Vec::new();
    for number in 0..65_536_u32 {
        let [_, _, high, low] = number.to_be_bytes();
        streams.extend([0x01, low, high]);
        streams.extend(&full_header(0, type_id::COMMAND_AMF0, 0, 10)[1..]);
    }
    attack(&streams).await;
    assert!(resident_bytes() < before + GROWTH);
}

#[tokio::test]
async fn media_without_a_key() {
    attack(&message(128, 4, type_id::VIDEO, 0, &[0x17; 1000])).await;
    attack(&[connect("live"), message(128, 4, type_id::AUDIO, 0, b"\xaf\x01frame")].concat()).await;
}

#[tokio::test]
async fn what_is_no_rtmp_at_all() {
    let mut server = Server::start().await;
    for bytes in [
        &b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        &[0x16, 3, 1, 2, 0, 1, 0, 1],
    ] {
        let mut client = Client::open_silent(server.address).await;
        client.send(bytes).await;
        client.closed().await;
    }
    let mut publisher = server.publisher().await;
    server.carries(&mut publisher).await;
}

#[tokio::test]
async fn a_second_publish_costs_the_connection() {
    let mut server = Server::start().await;
    let mut publisher = server.publisher().await;
    publisher.publish(KEY).await;
    publisher.closed().await;
}

/// `AVCDecoderConfigurationRecord` of x264 at 1280x720, behind its header.
const PICTURE_720P: &[u8] = &[
    0x17, 0, 0, 0, 0, 0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60, 0x01,
    0x00, 0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
];

#[tokio::test]
async fn a_flood_of_pictures_of_one_time_ends_its_connection_and_no_other_room_notices() {
    let house = House::open(&["cinema", "games"]).await;
    let mut bystander = house.publisher("games").await;
    house.carries("games", &mut bystander, 0).await;
    let before = resident_bytes();
    let mut attacker = house.publisher("cinema").await;
    attacker.send(&media(type_id::VIDEO, 0, PICTURE_720P)).await;
    let mut picture = vec![0xff; MAX_MEDIA_MESSAGE as usize];
    picture[..5].copy_from_slice(&[0x17, 1, 0, 0, 0]);
    let picture = media(type_id::VIDEO, 40, &picture);
    for _ in 0..40 {
        attacker.send(&picture).await;
    }
    attacker.closed().await;
    assert!(
        resident_bytes() < before + 3 * GROWTH,
        "what a burst takes, and its buffers"
    );
    house.carries("games", &mut bystander, 30).await;
    // Nor is the room lost.
    let mut successor = house.publisher("cinema").await;
    house.carries("cinema", &mut successor, 0).await;
}

#[tokio::test]
async fn a_configuration_of_a_million_parameter_sets_hangs_nobody() {
    let house = House::open(&["cinema"]).await;
    let mut attacker = house.publisher("cinema").await;
    let sets = (MAX_MEDIA_MESSAGE as usize - 100) / 65_536 / 3;
    let mut record = [&[0x90][..], b"hvc1", &[1; 21], &[3, sets as u8]].concat();
    record[5 + 21] = 0xff;
    for _ in 0..sets {
        record.extend([0x20 | 1, 0xff, 0xff]);
        record.extend([0, 1, 7].repeat(0xffff));
    }
    attacker.send(&media(type_id::VIDEO, 0, &record)).await;
    let frame = [&[0x93][..], b"hvc1", &[0, 0, 0, 1, 9].repeat(1 << 20)].concat();
    attacker.send(&media(type_id::VIDEO, 0, &frame)).await;
    house.carries("cinema", &mut attacker, 0).await;
}

#[tokio::test]
async fn who_sends_faster_than_any_film_is_read_more_slowly_and_loses_nothing() {
    let mut server = Server::start().await;
    let mut publisher = server.publisher().await;
    let started = Instant::now();
    let whole_chunks = message(128, 2, type_id::SET_CHUNK_SIZE, 0, &MAX_CHUNK_SIZE.to_be_bytes());
    publisher.send(&whole_chunks).await;
    let length = 4 << 20;
    let sound = media(type_id::AUDIO, 0, &[&[0xaf, 1][..], &vec![7; length - 2]].concat());
    for _ in 0..24 {
        publisher.send(&sound).await;
        let Seen::Message(MediaMessage::AccessUnit(unit)) = server.seen().await else {
            panic!("a frame was sent");
        };
        assert_eq!(unit.payload.len(), length - 2);
    }
    // 96 MiB, of which 64 are free, at 15 MB a second.
    assert!(started.elapsed() > Duration::from_secs(2), "{:?}", started.elapsed());
    server.carries(&mut publisher).await;
}
