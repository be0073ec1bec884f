use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;
use crate::rtmp::{amf0::Amf0Error, chunk_reader::ChunkError, test_client as client};

const START: Monotonic = Monotonic(Duration::from_secs(1000));
const KEY: &str = "sk_aaaabbbbccccddddeeeeffff22223333";

/// The server's side of a conversation.
struct Server {
    session: Session,
    now: Monotonic,
}

impl Server {
    fn new() -> Self {
        Self {
            session: Session::new(START, Timeouts::default()),
            now: START,
        }
    }

    /// After the handshake.
    fn shaken() -> Self {
        let mut server = Self::new();
        server.say(&handshake());
        server
    }

    fn connected() -> Self {
        let mut server = Self::shaken();
        server.say(&client::connect(128, "live"));
        server
    }

    fn publishing() -> Self {
        let mut server = Self::connected();
        server.say(&client::publish(128, KEY));
        server.session.accept(server.now);
        server.say(&[]);
        server
    }

    /// Says the bytes; all of them have to be taken.
    fn say(&mut self, bytes: &[u8]) -> Vec<Output> {
        let mut input = bytes;
        let outputs = self.say_part(&mut input);
        assert!(input.is_empty() || matches!(self.session.stage, Stage::Asked));
        outputs
    }

    fn say_part(&mut self, input: &mut &[u8]) -> Vec<Output> {
        std::iter::from_fn(|| self.session.poll(self.now, input)).collect()
    }

    /// Lets time go by without a word.
    fn wait(&mut self, duration: Duration) -> Vec<Output> {
        self.now = self.now + duration;
        self.say(&[])
    }
}

/// C0, C1 and C2 of the simple handshake.
fn handshake() -> Vec<u8> {
    let mut bytes = vec![3];
    bytes.extend([0; 8]);
    bytes.extend([0x55; 1528]);
    bytes.extend([0; 1536]);
    bytes
}

/// What the peer reads out of the answers: control messages as (type, number), commands as their values.
#[derive(Debug, PartialEq)]
enum Heard {
    Control(u8, Vec<u8>),
    Command(u32, Vec<Value>),
}

fn heard(outputs: &[Output]) -> Vec<Heard> {
    let mut reader = ChunkReader::new();
    let mut heard = Vec::new();
    for output in outputs {
        let Output::Send(bytes) = output else { continue };
        // Each test hears a part of the conversation, where the chunk size may have been told before.
        let mut input = &client::control(type_id::SET_CHUNK_SIZE, 4096)[..];
        assert!(reader.read(&mut input).unwrap().is_none());
        let mut input = &bytes[..];
        match reader.read(&mut input).unwrap() {
            None => heard.push(Heard::Control(type_id::SET_CHUNK_SIZE, bytes[12..].to_vec())),
            Some(message) if message.type_id == type_id::COMMAND_AMF0 => {
                heard.push(Heard::Command(
                    message.stream_id,
                    amf0::decode(&message.payload).unwrap(),
                ));
            }
            Some(message) => heard.push(Heard::Control(message.type_id, message.payload.to_vec())),
        }
        assert!(input.is_empty());
    }
    heard
}

/// The codes of the `_error`s and `onStatus`es heard.
fn codes(outputs: &[Output]) -> Vec<(String, String)> {
    let commands = heard(outputs).into_iter().filter_map(|heard| match heard {
        Heard::Command(_, values) => Some(values),
        Heard::Control(..) => None,
    });
    commands
        .filter_map(|values| {
            let code = values.get(3)?.property("code")?.as_str()?.to_owned();
            Some((values[0].as_str()?.to_owned(), code))
        })
        .collect()
}

fn closed(outputs: &[Output]) -> Option<CloseReason> {
    match outputs.last() {
        Some(Output::Close(reason)) => Some(*reason),
        _ => None,
    }
}

fn protocol_error(outputs: &[Output]) -> ProtocolError {
    match closed(outputs) {
        Some(CloseReason::Protocol(error)) => error,
        other => panic!("closed with {other:?}"),
    }
}

#[test]
fn the_handshake_is_answered_with_s0_s1_s2() {
    let mut server = Server::new();
    let hello = handshake();
    let Output::Send(first) = &server.say(&hello[..1])[0] else {
        panic!("S0 and S1")
    };
    assert_eq!((first[0], first.len()), (3, 1537));
    let Output::Send(second) = &server.say(&hello[1..1537])[0] else {
        panic!("S2")
    };
    assert_eq!(second[..], hello[1..1537], "S2 of the simple handshake is C1");
    assert!(server.say(&hello[1537..]).is_empty());
}

#[test]
fn what_is_no_rtmp_is_closed_at_its_first_byte() {
    for bytes in [&b"GET / HTTP/1.1\r\n"[..], &[0x16, 3, 1], &[6]] {
        assert_eq!(protocol_error(&Server::new().say(bytes)), ProtocolError::Handshake);
    }
}

/// The conversation that OBS 29 has, in the order and with the bytes recorded from it.
#[test]
fn obs_publishes() {
    let mut server = Server::shaken();
    assert!(server.say(&client::control(type_id::SET_CHUNK_SIZE, 4096)).is_empty());

    let answers = server.say(&client::connect(4096, "live"));
    let answers = heard(&answers);
    assert_eq!(
        answers[0],
        Heard::Control(type_id::WINDOW_ACKNOWLEDGEMENT_SIZE, vec![0, 0x26, 0x25, 0xa0])
    );
    assert_eq!(
        answers[1],
        Heard::Control(type_id::SET_PEER_BANDWIDTH, vec![0, 0x26, 0x25, 0xa0, 2])
    );
    assert_eq!(
        answers[2],
        Heard::Control(type_id::USER_CONTROL, vec![0, 0, 0, 0, 0, 0])
    );
    assert_eq!(answers[3], Heard::Control(type_id::SET_CHUNK_SIZE, vec![0, 0, 0x10, 0]));
    let Heard::Command(0, result) = &answers[4] else {
        panic!("a result on the connection's stream")
    };
    assert_eq!(result[..2], [Value::string("_result"), Value::Number(1.0)]);
    assert_eq!(
        result[3].property("code"),
        Some(&Value::string("NetConnection.Connect.Success"))
    );
    assert_eq!(answers.len(), 5);

    let mut three = client::command(4096, "releaseStream", 2.0, &[Value::string(KEY)]);
    three.extend(client::command(4096, "FCPublish", 3.0, &[Value::string(KEY)]));
    three.extend(client::command(4096, "createStream", 4.0, &[]));
    let answers = server.say(&three);
    let created = vec![
        Value::string("_result"),
        Value::Number(4.0),
        Value::Null,
        Value::Number(1.0),
    ];
    assert_eq!(heard(&answers)[2], Heard::Command(0, created));

    let asked = server.say(&client::publish(4096, &format!("{KEY}?token=abc")));
    let [Output::PublishRequested { key, app }] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!((key.expose(), app.as_str()), (KEY, "live"));
    server.session.accept(server.now);
    let answers = server.say(&[]);
    assert_eq!(
        heard(&answers)[0],
        Heard::Control(type_id::USER_CONTROL, vec![0, 0, 0, 0, 0, 1])
    );
    assert_eq!(
        codes(&answers),
        [("onStatus".to_owned(), "NetStream.Publish.Start".to_owned())]
    );

    let metadata = amf0::encode(&[
        Value::string("@setDataFrame"),
        Value::string("onMetaData"),
        Value::Object(vec![]),
    ]);
    let audio_header = [0xaf, 0, 0x11, 0x90, 0x56, 0xe5, 0x00];
    let key_frame = [&[0x17, 1, 0, 0, 66][..], &[0; 5000]].concat();
    let mut stream = client::message(4096, 4, type_id::DATA_AMF0, 0, &metadata);
    stream.extend(client::message(4096, 4, type_id::AUDIO, 0, &audio_header));
    stream.extend(client::message(4096, 4, type_id::VIDEO, 0, &key_frame));
    let media = server.say(&stream);
    let tags: Vec<&Tag> = media
        .iter()
        .map(|output| match output {
            Output::Media(tag) => tag,
            other => panic!("{other:?} instead of media"),
        })
        .collect();
    assert_eq!(
        tags.iter().map(|tag| tag.kind).collect::<Vec<_>>(),
        [TagKind::Script, TagKind::Audio, TagKind::Video]
    );
    assert_eq!(
        (&tags[1].body[..], &tags[2].body[..]),
        (&audio_header[..], &key_frame[..])
    );

    let mut end = client::command(4096, "FCUnpublish", 6.0, &[Value::string(KEY)]);
    end.extend(client::command(4096, "deleteStream", 7.0, &[Value::Number(1.0)]));
    let outputs = server.say(&end);
    assert!(matches!(outputs[..], [Output::Stopped]), "once: {outputs:?}");
    assert_eq!(closed(&server.wait(STOP_LINGER)), Some(CloseReason::Stopped));
}

#[test]
fn ffmpeg_connects_in_chunks_of_128_bytes_before_it_sets_its_own() {
    let mut server = Server::shaken();
    let mut bytes = client::connect(128, "live");
    assert!(bytes.len() > 140, "more than one chunk");
    bytes.extend(client::control(type_id::SET_CHUNK_SIZE, 60_000));
    bytes.extend(client::command(60_000, "createStream", 2.0, &[]));
    assert_eq!(heard(&server.say(&bytes)).len(), 6);
}

#[test]
fn each_way_of_stopping_is_a_stop() {
    for name in ["FCUnpublish", "deleteStream", "closeStream"] {
        let outputs = Server::publishing().say(&client::command(128, name, 0.0, &[Value::string("1")]));
        assert!(matches!(outputs[..], [Output::Stopped]), "{name}: {outputs:?}");
    }
    let before = Server::connected().say(&client::command(128, "deleteStream", 0.0, &[Value::Number(1.0)]));
    assert!(before.is_empty());
}

#[test]
fn a_refused_publisher_hears_bad_name_and_is_closed_after_the_linger() {
    for refusal in [Refusal::UnknownKey, Refusal::Busy, Refusal::Unavailable] {
        let mut server = Server::connected();
        server.say(&client::publish(128, KEY));
        server.session.refuse(server.now, refusal);
        let outputs = server.say(&[]);
        assert_eq!(
            codes(&outputs),
            [("onStatus".to_owned(), "NetStream.Publish.BadName".to_owned())]
        );
        assert_eq!(closed(&outputs), None);
        // What OBS still says is not even looked at.
        assert!(
            server
                .say(&client::message(128, 4, type_id::VIDEO, 0, b"media"))
                .is_empty()
        );
        assert!(REFUSAL_LINGER >= Duration::from_millis(200));
        assert_eq!(server.session.deadline(), Some(server.now + REFUSAL_LINGER));
        assert_eq!(
            closed(&server.wait(REFUSAL_LINGER)),
            Some(CloseReason::Refused(refusal))
        );
        assert!(
            server.wait(Duration::from_secs(100)).is_empty(),
            "nothing follows a close"
        );
    }
}

#[test]
fn media_behind_publish_is_not_read_before_the_answer() {
    let mut server = Server::connected();
    let mut bytes = client::publish(128, KEY);
    let media = client::message(128, 4, type_id::VIDEO, 0, b"media");
    bytes.extend(&media);
    let mut input = &bytes[..];
    assert!(matches!(
        server.say_part(&mut input)[..],
        [Output::PublishRequested { .. }]
    ));
    assert_eq!(input, media);
    assert_eq!(server.session.deadline(), None);
    server.session.accept(server.now);
    let outputs = server.say_part(&mut input);
    assert!(matches!(&outputs[..], [.., Output::Media(tag)] if tag.body == "media"));
}

#[test]
fn a_name_that_can_be_no_key_is_refused_without_asking() {
    for name in ["", "?token=x", &"k".repeat(200)] {
        let mut server = Server::connected();
        let outputs = server.say(&client::publish(128, name));
        assert_eq!(
            codes(&outputs),
            [("onStatus".to_owned(), "NetStream.Publish.BadName".to_owned())]
        );
        assert_eq!(
            closed(&server.wait(REFUSAL_LINGER)),
            Some(CloseReason::Refused(Refusal::UnknownKey))
        );
    }
}

#[test]
fn an_app_other_than_live_does_not_exist() {
    for app in ["live", "live/", "live?a=b", "/live"] {
        assert_eq!(
            codes(&Server::shaken().say(&client::connect(128, app)))[0].0,
            "_result",
            "{app}"
        );
    }
    for app in ["vod", "", "live/x", "alive"] {
        let mut server = Server::shaken();
        let answers = codes(&server.say(&client::connect(128, app)));
        let invalid = "NetConnection.Connect.InvalidApp";
        assert_eq!(
            answers,
            [
                ("_error".to_owned(), invalid.to_owned()),
                ("onStatus".to_owned(), invalid.to_owned())
            ]
        );
        assert_eq!(closed(&server.wait(REFUSAL_LINGER)), Some(CloseReason::InvalidApp));
    }
    let without_app = client::command(128, "connect", 1.0, &[]);
    assert_eq!(codes(&Server::shaken().say(&without_app))[0].0, "_error");
}

#[test]
fn play_is_refused() {
    for name in ["play", "play2"] {
        let mut server = Server::connected();
        let outputs = server.say(&client::command(128, name, 5.0, &[Value::string(KEY)]));
        assert_eq!(codes(&outputs)[0].1, "NetStream.Play.Failed");
        assert_eq!(closed(&server.wait(REFUSAL_LINGER)), Some(CloseReason::PlayRefused));
    }
}

#[test]
fn a_second_connect_or_publish_and_commands_before_connect_close() {
    let connect = client::connect(128, "live");
    assert_eq!(
        protocol_error(&Server::connected().say(&connect)),
        ProtocolError::SecondConnect
    );
    assert_eq!(
        protocol_error(&Server::publishing().say(&connect)),
        ProtocolError::SecondConnect
    );
    let publish = client::publish(128, KEY);
    assert_eq!(
        protocol_error(&Server::publishing().say(&publish)),
        ProtocolError::SecondPublish
    );
    assert_eq!(
        protocol_error(&Server::shaken().say(&publish)),
        ProtocolError::NotConnected
    );
    let create = client::command(128, "createStream", 1.0, &[]);
    assert_eq!(
        protocol_error(&Server::shaken().say(&create)),
        ProtocolError::NotConnected
    );
}

#[test]
fn each_stage_has_its_time_out() {
    let mut server = Server::new();
    server.say(&handshake()[..2000]);
    assert!(server.wait(HANDSHAKE_TIMEOUT - Duration::from_millis(1)).is_empty());
    assert_eq!(
        closed(&server.wait(Duration::from_millis(1))),
        Some(CloseReason::HandshakeTimeout)
    );

    let mut server = Server::shaken();
    assert!(server.wait(PUBLISH_TIMEOUT - Duration::from_millis(1)).is_empty());
    // Going on talking does not help.
    assert_eq!(heard(&server.say(&client::connect(128, "live"))).len(), 5);
    assert_eq!(
        closed(&server.wait(Duration::from_millis(1))),
        Some(CloseReason::PublishTimeout)
    );

    let mut server = Server::publishing();
    assert!(server.wait(MEDIA_TIMEOUT - Duration::from_millis(1)).is_empty());
    server.say(&client::message(128, 4, type_id::AUDIO, 0, b""));
    assert!(server.wait(MEDIA_TIMEOUT - Duration::from_millis(1)).is_empty());
    server.say(&client::control(type_id::WINDOW_ACKNOWLEDGEMENT_SIZE, 1_000_000));
    assert_eq!(
        closed(&server.wait(Duration::from_millis(1))),
        Some(CloseReason::MediaTimeout)
    );
}

#[test]
fn acknowledgements_carry_the_running_total() {
    let mut server = Server::publishing();
    server.say(&client::control(type_id::WINDOW_ACKNOWLEDGEMENT_SIZE, 10_000));
    let mut totals = Vec::new();
    let frame = client::message(128, 4, type_id::VIDEO, 0, &[7; 4000]);
    for _ in 0..12 {
        for heard in heard(&server.say(&frame)) {
            let Heard::Control(type_id::ACKNOWLEDGEMENT, number) = heard else {
                panic!("{heard:?}")
            };
            totals.push(u64::from(u32::from_be_bytes(number.try_into().unwrap())));
        }
    }
    assert!(totals.len() >= 4, "{totals:?}");
    assert!(
        totals.is_sorted_by(|a, b| b - a >= 10_000 && b - a < 10_000 + frame.len() as u64),
        "{totals:?}"
    );
    assert_eq!(server.session.acknowledged, totals[totals.len() - 1]);
}

#[test]
fn a_tiny_window_gets_one_acknowledgement_for_each_read() {
    let mut server = Server::publishing();
    server.say(&client::control(type_id::WINDOW_ACKNOWLEDGEMENT_SIZE, 1));
    let frames = client::message(128, 4, type_id::AUDIO, 0, b"x").repeat(50);
    assert_eq!(heard(&server.say(&frames)).len(), 1);
}

#[test]
fn a_ping_is_answered_with_its_time() {
    let ping = client::message(128, 2, type_id::USER_CONTROL, 0, &[0, 6, 1, 2, 3, 4]);
    let answers = heard(&Server::publishing().say(&ping));
    assert_eq!(answers, [Heard::Control(type_id::USER_CONTROL, vec![0, 7, 1, 2, 3, 4])]);
    for other in [&[0, 3, 0, 0, 0, 1, 0, 0, 1, 0][..], &[0, 6], &[9], &[0, 99, 1, 2, 3, 4]] {
        let message = client::message(128, 2, type_id::USER_CONTROL, 0, other);
        assert!(Server::publishing().say(&message).is_empty());
    }
}

#[test]
fn commands_of_amf3_type_are_amf0_behind_a_zero() {
    let values = amf0::encode(&[Value::string("createStream"), Value::Number(2.0), Value::Null]);
    let body = [&[0][..], &values].concat();
    let outputs = Server::connected().say(&client::message(128, 3, type_id::COMMAND_AMF3, 0, &body));
    assert_eq!(heard(&outputs).len(), 1);
}

#[test]
fn a_date_in_the_metadata_does_not_end_the_session() {
    let values = [
        Value::string("@setDataFrame"),
        Value::string("onMetaData"),
        Value::Date(0.0),
    ];
    let message = client::message(128, 4, type_id::DATA_AMF0, 0, &amf0::encode(&values));
    assert!(matches!(Server::publishing().say(&message)[..], [Output::Media(_)]));
}

#[test]
fn the_features_announced_are_those_we_have() {
    let answers = heard(&Server::shaken().say(&client::connect(128, "live")));
    let Heard::Command(_, result) = &answers[4] else {
        panic!("{answers:?}")
    };
    let Some(Value::Array(fourccs)) = result[3].property("fourCcList") else {
        panic!("{result:?}")
    };
    let fourccs: Vec<_> = fourccs.iter().filter_map(Value::as_str).collect();
    assert_eq!(
        fourccs,
        ["avc1", "hvc1", "av01", "vp09", "mp4a", "Opus", "fLaC", "ac-3", "ec-3"]
    );
    let can = |map: &str, fourcc: &str| result[3].property(map)?.property(fourcc)?.as_number();
    assert_eq!(can("videoFourCcInfoMap", "hvc1"), Some(4.0));
    assert_eq!(can("audioFourCcInfoMap", "Opus"), Some(4.0));
    assert_eq!(can("audioFourCcInfoMap", "hvc1"), None);
    assert_eq!(result[3].property("capsEx"), Some(&Value::Number(6.0)));
}

fn raw_command(payload: &[u8]) -> Vec<u8> {
    client::message(128, 3, type_id::COMMAND_AMF0, 0, payload)
}

#[test]
fn attack_a_nested_arrays_in_a_command_close_the_session() {
    let nested = [0x0a, 0, 0, 0, 1].repeat(3000);
    let error = protocol_error(&Server::shaken().say(&raw_command(&nested)));
    assert!(matches!(error, ProtocolError::Amf0(Amf0Error::TooDeep { .. })));
    let twenty_nine_kib = client::full_header(3, type_id::COMMAND_AMF0, 0, 30_000);
    let error = protocol_error(&Server::shaken().say(&twenty_nine_kib));
    assert!(matches!(
        error,
        ProtocolError::Chunk(ChunkError::TooLong { length: 30_000, .. })
    ));
}

#[test]
fn attack_b_short_commands_close_the_session() {
    for values in [
        vec![],
        vec![Value::string("connect")],
        vec![Value::Number(1.0), Value::Null],
    ] {
        // An empty message is no command either.
        let outputs = Server::shaken().say(&raw_command(&amf0::encode(&values)));
        assert_eq!(protocol_error(&outputs), ProtocolError::MalformedCommand);
    }
    let publish = client::command(128, "publish", 5.0, &[]);
    assert_eq!(
        protocol_error(&Server::connected().say(&publish)),
        ProtocolError::NoStreamName
    );
    let without_object = amf0::encode(&[Value::string("publish"), Value::Number(5.0)]);
    assert_eq!(
        protocol_error(&Server::connected().say(&raw_command(&without_object))),
        ProtocolError::NoStreamName
    );
}

#[test]
fn attack_c_set_data_frame_alone_is_nothing() {
    let lone = client::message(
        128,
        4,
        type_id::DATA_AMF0,
        0,
        &amf0::encode(&[Value::string("@setDataFrame")]),
    );
    assert!(Server::shaken().say(&lone).is_empty());
    assert!(matches!(Server::publishing().say(&lone)[..], [Output::Media(_)]));
}

#[test]
fn attack_f_a_message_of_nulls_closes_the_session() {
    let error = protocol_error(&Server::shaken().say(&raw_command(&[5; 10_000])));
    assert!(matches!(error, ProtocolError::Amf0(Amf0Error::TooManyValues { .. })));
}

proptest! {
    #[test]
    fn any_bytes_after_the_handshake_are_answered_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        Server::shaken().say(&bytes);
        Server::publishing().say(&bytes);
    }

    #[test]
    fn any_first_bytes_are_answered_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        Server::new().say(&bytes);
    }

    #[test]
    fn any_commands_are_answered_or_refused(
        names in prop::collection::vec(
            prop_oneof![
                Just("connect"), Just("createStream"), Just("publish"), Just("play"), Just("FCUnpublish"),
                Just("deleteStream"), Just("_checkbw"),
            ],
            0..12,
        ),
        accepted in any::<bool>(),
    ) {
        let mut server = Server::shaken();
        let mut closes = 0;
        for name in names {
            let bytes = match name {
                "connect" => client::connect(128, "live"),
                "publish" => client::publish(128, KEY),
                name => client::command(128, name, 9.0, &[]),
            };
            let outputs = server.say(&bytes);
            if matches!(outputs.last(), Some(Output::PublishRequested { .. })) {
                if accepted {
                    server.session.accept(server.now);
                } else {
                    server.session.refuse(server.now, Refusal::Busy);
                }
            }
            closes += usize::from(closed(&outputs).is_some());
        }
        closes += usize::from(closed(&server.wait(Duration::from_secs(60))).is_some());
        prop_assert_eq!(closes, 1, "every session comes to one end");
    }
}

/// Replays a transcript of both sides; the answers have to be the same to the byte.
#[test]
fn the_transcript_of_obs_is_answered_to_the_byte() {
    let mut server = Server::shaken();
    let mut said = Vec::new();
    let mut outputs = VecDeque::new();
    let mut answers = String::new();
    for line in include_str!("obs_29.txt").lines() {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        if kind != "C" && !said.is_empty() && kind != "#" {
            outputs.extend(server.say(&std::mem::take(&mut said)));
        }
        match kind {
            "#" => {}
            "C" => said.extend(HEXLOWER.decode(rest.as_bytes()).unwrap()),
            "S" => {
                if answers.is_empty() {
                    while let Some(Output::Send(bytes)) = outputs.front() {
                        answers.push_str(&HEXLOWER.encode(bytes));
                        outputs.pop_front();
                    }
                }
                let (start, after) = answers.split_at(rest.len().min(answers.len()));
                assert_eq!(start, rest);
                answers = after.to_owned();
            }
            "PUBLISH" => {
                let Some(Output::PublishRequested { key, .. }) = outputs.pop_front() else {
                    panic!("asked for the key")
                };
                assert_eq!(key.expose(), rest);
                server.session.accept(server.now);
                outputs.extend(server.say(&[]));
            }
            "MEDIA" => {
                let Some(Output::Media(tag)) = outputs.pop_front() else {
                    panic!("media at {rest}")
                };
                let kind = format!("{:?}", tag.kind).to_lowercase();
                let body = if tag.kind == TagKind::Script {
                    String::new()
                } else {
                    format!(" {}", HEXLOWER.encode(&tag.body))
                };
                assert_eq!(format!("{kind} {}{body}", tag.timestamp_ms), rest);
            }
            "STOPPED" => assert!(matches!(outputs.pop_front(), Some(Output::Stopped))),
            other => panic!("{other} in a transcript"),
        }
        assert!(
            matches!(kind, "S" | "#") || answers.is_empty(),
            "an answer more than in the transcript: {answers}"
        );
    }
    assert!(outputs.is_empty(), "{outputs:?}");
}
