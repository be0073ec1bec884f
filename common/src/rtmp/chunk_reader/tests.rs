use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::rtmp::test_client::{control, full_header, message};

fn reader_with_media() -> ChunkReader {
    let mut reader = ChunkReader::new();
    reader.accept_media();
    reader
}

fn read_all(reader: &mut ChunkReader, mut input: &[u8]) -> Result<Vec<Message>, ChunkError> {
    let mut messages = Vec::new();
    while let Some(message) = reader.read(&mut input)? {
        messages.push(message);
    }
    assert!(input.is_empty(), "all input is taken before `None`");
    Ok(messages)
}

fn read(bytes: &[u8]) -> Result<Vec<Message>, ChunkError> {
    read_all(&mut reader_with_media(), bytes)
}

fn times(messages: &[Message]) -> Vec<u32> {
    messages.iter().map(|message| message.timestamp_ms).collect()
}

#[test]
fn a_message_of_many_chunks_comes_as_one() {
    let payload: Vec<u8> = (0..=255).cycle().take(1000).collect();
    let messages = read(&message(128, 4, type_id::VIDEO, 7, &payload)).unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].payload, payload);
    assert_eq!(
        (messages[0].type_id, messages[0].stream_id, messages[0].timestamp_ms),
        (9, 1, 7)
    );
}

#[test]
fn header_types_one_to_three_take_what_they_leave_out_from_the_last() {
    let mut bytes = message(128, 4, type_id::AUDIO, 100, b"aa");
    bytes.extend([0x44, 0, 0, 20, 0, 0, 3, type_id::VIDEO, b'b', b'b', b'b']);
    bytes.extend([0x84, 0, 0, 30, b'c', b'c', b'c']);
    bytes.extend([0xc4, b'd', b'd', b'd']);
    let messages = read(&bytes).unwrap();
    assert_eq!(times(&messages), [100, 120, 150, 180]);
    assert_eq!(messages[3].payload, "ddd");
    assert_eq!(messages[3].type_id, type_id::VIDEO);
    assert_eq!(messages[3].stream_id, 1);
}

#[test]
fn a_type_three_message_after_type_zero_adds_that_time_again() {
    let mut bytes = message(128, 4, type_id::AUDIO, 23, b"a");
    bytes.extend([0xc4, b'b']);
    assert_eq!(times(&read(&bytes).unwrap()), [23, 46]);
}

#[test]
fn interleaved_chunk_streams_do_not_mix() {
    let video = message(128, 6, type_id::VIDEO, 0, &[b'v'; 300]);
    let audio = message(128, 4, type_id::AUDIO, 0, &[b'a'; 200]);
    let (video_chunks, audio_chunks) = ([0..140, 140..269, 269..314], [0..140, 140..213]);
    let mut bytes = Vec::new();
    bytes.extend(&video[video_chunks[0].clone()]);
    bytes.extend(&audio[audio_chunks[0].clone()]);
    bytes.extend(control(type_id::ACKNOWLEDGEMENT, 5));
    bytes.extend(&video[video_chunks[1].clone()]);
    bytes.extend(&audio[audio_chunks[1].clone()]);
    bytes.extend(&video[video_chunks[2].clone()]);
    let messages = read(&bytes).unwrap();
    let kinds: Vec<u8> = messages.iter().map(|message| message.type_id).collect();
    assert_eq!(kinds, [type_id::ACKNOWLEDGEMENT, type_id::AUDIO, type_id::VIDEO]);
    assert_eq!(messages[1].payload, vec![b'a'; 200]);
    assert_eq!(messages[2].payload, vec![b'v'; 300]);
}

#[test]
fn attack_d_a_shorter_message_within_another_is_read() {
    let mut bytes = message(128, 3, type_id::DATA_AMF0, 0, &[1; 300])[..140].to_vec();
    bytes.extend(message(128, 4, type_id::DATA_AMF0, 0, &[2; 10]));
    let messages = read_all(&mut ChunkReader::new(), &bytes).unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].payload, vec![2; 10]);
}

#[test]
fn attack_e_an_extended_difference_below_the_mark_is_taken_as_it_is() {
    let mut bytes = message(128, 4, type_id::AUDIO, 100, b"a");
    bytes.extend([0x84, 0xff, 0xff, 0xff, 0, 0, 0, 5, b'b']);
    assert_eq!(times(&read(&bytes).unwrap()), [100, 105]);
}

#[test]
fn times_go_past_the_24_bits_and_wrap_at_32() {
    for time in [
        0x00ff_fffe,
        0x00ff_ffff,
        0x0100_0000,
        0x7fff_ffff,
        0x8000_0000,
        u32::MAX,
    ] {
        let messages = read(&message(128, 4, type_id::VIDEO, time, &[9; 500])).unwrap();
        assert_eq!(times(&messages), [time]);
        assert_eq!(messages[0].payload, vec![9; 500]);
    }
    let mut bytes = message(128, 4, type_id::AUDIO, u32::MAX - 9, b"a");
    bytes.extend([0x84, 0, 0, 20, b'b']);
    assert_eq!(times(&read(&bytes).unwrap()), [u32::MAX - 9, 10]);
}

/// Payload as it goes after the first chunk, from encoders that do not repeat the extended timestamp.
fn without_repetition(time: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = full_header(4, type_id::VIDEO, time, payload.len());
    for (index, chunk) in payload.chunks(128).enumerate() {
        if index > 0 {
            bytes.push(0xc4);
        }
        bytes.extend(chunk);
    }
    bytes
}

#[test]
fn an_extended_timestamp_that_is_not_repeated_is_payload() {
    for payload in [vec![9; 500], vec![1; 130], vec![1; 129]] {
        let time = 0x0102_0304;
        let mut bytes = without_repetition(time, &payload);
        // The next message ends the doubt about the last bytes of this one.
        bytes.extend(message(128, 5, type_id::AUDIO, 0, b"next"));
        let messages = read(&bytes).unwrap();
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[0].payload, payload);
        assert_eq!(messages[1].payload, "next");
    }
}

#[test]
fn bytes_that_only_begin_like_the_timestamp_are_payload() {
    let mut payload = vec![0; 128];
    payload.extend([1, 2, 3, 9, 9]);
    let messages = read(&without_repetition(0x0102_0304, &payload)).unwrap();
    assert_eq!(messages[0].payload, payload);
}

#[test]
fn an_absolute_time_repeated_after_a_difference_is_no_payload() {
    let start = 0x0200_0000;
    let mut bytes = message(128, 4, type_id::AUDIO, start, b"a");
    bytes.extend([0x44, 0xff, 0xff, 0xff, 0, 0, 200, type_id::VIDEO]);
    bytes.extend(0x0100_0000_u32.to_be_bytes());
    bytes.extend([7; 128]);
    bytes.push(0xc4);
    bytes.extend(0x0300_0000_u32.to_be_bytes());
    bytes.extend([7; 72]);
    let messages = read(&bytes).unwrap();
    assert_eq!(times(&messages), [start, 0x0300_0000]);
    assert_eq!(messages[1].payload, vec![7; 200]);
}

#[test]
fn chunk_stream_ids_of_two_and_three_bytes_are_read() {
    let header = full_header(0, type_id::AUDIO, 0, 1);
    let mut bytes = vec![0x00, 10];
    bytes.extend(&header[1..]);
    bytes.push(b'x');
    bytes.extend([0x01, 1, 2]);
    bytes.extend(&header[1..]);
    bytes.push(b'y');
    bytes.extend([0xc0, 10, b'z']);
    let messages = read(&bytes).unwrap();
    assert_eq!(
        messages.iter().map(|message| message.payload[0]).collect::<Vec<_>>(),
        b"xyz"
    );
}

#[test]
fn abort_drops_the_unfinished_message() {
    let mut bytes = message(128, 4, type_id::VIDEO, 0, &[1; 300])[..140].to_vec();
    bytes.extend(control(type_id::ABORT, 4));
    bytes.extend(message(128, 4, type_id::VIDEO, 9, b"new"));
    bytes.extend(control(type_id::ABORT, 77));
    let mut reader = reader_with_media();
    let messages = read_all(&mut reader, &bytes).unwrap();
    assert_eq!(times(&messages), [9]);
    assert_eq!(reader.unfinished, 0);
}

#[test]
fn a_chunk_size_is_in_force_at_once_and_within_its_range() {
    let mut bytes = control(type_id::SET_CHUNK_SIZE, 4096);
    bytes.extend(message(4096, 4, type_id::VIDEO, 0, &[1; 5000]));
    assert_eq!(read(&bytes).unwrap()[0].payload.len(), 5000);
    for size in [MIN_CHUNK_SIZE, MAX_CHUNK_SIZE] {
        assert_eq!(read(&control(type_id::SET_CHUNK_SIZE, size)), Ok(vec![]));
    }
    for size in [0, 1, MIN_CHUNK_SIZE - 1, MAX_CHUNK_SIZE + 1, 0x7fff_ffff, u32::MAX] {
        assert_eq!(
            read(&control(type_id::SET_CHUNK_SIZE, size)),
            Err(ChunkError::ChunkSize { size })
        );
    }
    let short = message(128, 2, type_id::SET_CHUNK_SIZE, 0, &[1, 2, 3]);
    assert_eq!(read(&short), Err(ChunkError::ShortControl { type_id: 1, length: 3 }));
}

#[test]
fn message_lengths_are_capped_at_their_header() {
    let cases = [
        (false, type_id::COMMAND_AMF0, MAX_MESSAGE_BEFORE_PUBLISH),
        (true, type_id::DATA_AMF0, MAX_AMF_MESSAGE),
        (true, type_id::AUDIO, MAX_MEDIA_MESSAGE),
        (true, type_id::VIDEO, MAX_MEDIA_MESSAGE),
    ];
    for (accepts_media, type_id, limit) in cases {
        for (length, fits) in [(limit, true), (limit + 1, false)] {
            let mut reader = ChunkReader::new();
            if accepts_media {
                reader.accept_media();
            }
            let result = read_all(&mut reader, &full_header(4, type_id, 0, length as usize));
            let expected = if fits {
                Ok(vec![])
            } else {
                Err(ChunkError::TooLong { type_id, length, limit })
            };
            assert_eq!(result, expected);
        }
    }
}

#[test]
fn media_before_its_acceptance_is_refused_at_its_header() {
    for type_id in [type_id::AUDIO, type_id::VIDEO, type_id::AGGREGATE] {
        let result = read_all(&mut ChunkReader::new(), &full_header(4, type_id, 0, 10));
        assert_eq!(result, Err(ChunkError::MediaBeforePublish));
    }
}

#[test]
fn attack_g_a_long_message_takes_no_memory_before_it_comes() {
    let mut reader = reader_with_media();
    read_all(&mut reader, &control(type_id::SET_CHUNK_SIZE, MAX_CHUNK_SIZE)).unwrap();
    read_all(
        &mut reader,
        &full_header(4, type_id::VIDEO, 0, MAX_MEDIA_MESSAGE as usize),
    )
    .unwrap();
    assert_eq!(reader.streams[1].payload.capacity(), 0);
    let mut arrived = 0;
    for _ in 0..100 {
        read_all(&mut reader, &[0; 1000]).unwrap();
        arrived += 1000;
        assert!(reader.streams[1].payload.capacity() <= 2 * arrived + FIRST_ALLOCATION);
    }
}

#[test]
fn a_message_ends_in_an_allocation_of_its_own_length() {
    let mut reader = reader_with_media();
    read_all(&mut reader, &message(128, 4, type_id::VIDEO, 0, &[1; 5000])[..5000]).unwrap();
    assert!(reader.streams[0].payload.capacity() <= 5000);
}

#[test]
fn unfinished_messages_are_capped_over_all_chunk_streams() {
    let mut reader = reader_with_media();
    read_all(&mut reader, &control(type_id::SET_CHUNK_SIZE, MAX_CHUNK_SIZE)).unwrap();
    let chunk = vec![0; MAX_CHUNK_SIZE as usize];
    let mut sent = 0;
    let error = loop {
        let csid = 4 + u8::try_from(sent % 10).unwrap();
        let header = if sent < 10 {
            full_header(csid, type_id::VIDEO, 0, MAX_MEDIA_MESSAGE as usize)
        } else {
            vec![0xc0 | csid]
        };
        match read_all(&mut reader, &header).and_then(|_| read_all(&mut reader, &chunk)) {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, ChunkError::TooMuchUnfinished);
    assert_eq!(sent, 12);
}

#[test]
fn attack_i_a_seventeenth_chunk_stream_is_refused() {
    let mut reader = reader_with_media();
    for csid in 3..19 {
        read_all(&mut reader, &message(128, csid, type_id::AUDIO, 0, b"x")).unwrap();
    }
    let result = read_all(&mut reader, &message(128, 19, type_id::AUDIO, 0, b"x"));
    assert_eq!(result, Err(ChunkError::TooManyChunkStreams));
}

#[test]
fn a_new_message_within_a_message_is_refused() {
    let mut bytes = message(128, 4, type_id::VIDEO, 0, &[1; 300])[..140].to_vec();
    bytes.extend(message(128, 4, type_id::VIDEO, 0, b"x"));
    assert_eq!(read(&bytes), Err(ChunkError::MessageInterrupted { csid: 4 }));
}

#[test]
fn a_first_header_may_be_of_type_one_and_not_of_two_or_three() {
    let librtmp_pong = [0x42, 0, 0, 0, 0, 0, 6, type_id::USER_CONTROL, 0, 7, 0, 0, 0, 1];
    assert_eq!(read(&librtmp_pong).unwrap().len(), 1);
    for header in [&[0x84, 0, 0, 1][..], &[0xc4]] {
        assert_eq!(read(header), Err(ChunkError::NoEarlierHeader { csid: 4 }));
    }
}

#[test]
fn a_message_without_payload_is_whole_at_its_header() {
    let messages = read(&full_header(4, type_id::AUDIO, 3, 0)).unwrap();
    assert_eq!(times(&messages), [3]);
    assert!(messages[0].payload.is_empty());
}

#[test]
fn debug_does_not_show_a_payload() {
    let message = Message {
        type_id: 20,
        stream_id: 1,
        timestamp_ms: 0,
        payload: Bytes::from_static(b"sk_secret"),
    };
    assert!(!format!("{message:?}").contains("secret"));
    assert!(format!("{message:?}").contains("payload_len: 9"));
}

fn any_message() -> impl Strategy<Value = (u8, u32, Vec<u8>)> {
    let time = prop_oneof![0..1000_u32, 0x00ff_fff0..0x0100_0010_u32, any::<u32>()];
    (4_u8..8, time, prop::collection::vec(any::<u8>(), 0..700))
}

proptest! {
    #[test]
    fn any_split_gives_the_same_messages(
        messages in prop::collection::vec(any_message(), 1..6),
        cuts in prop::collection::vec(1_usize..200, 1..40),
    ) {
        let bytes: Vec<u8> = messages.iter().flat_map(|(csid, time, payload)| message(128, *csid, 9, *time, payload)).collect();
        let mut reader = reader_with_media();
        let mut read = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            read.extend(read_all(&mut reader, piece).unwrap());
            rest = after;
        }
        let read: Vec<_> = read.into_iter().map(|message| (message.timestamp_ms, message.payload.to_vec())).collect();
        let sent: Vec<_> = messages.into_iter().map(|(_, time, payload)| (time, payload)).collect();
        prop_assert_eq!(read, sent);
        prop_assert_eq!(reader.unfinished, 0);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let _ = read_all(&mut reader_with_media(), &bytes);
        let _ = read_all(&mut ChunkReader::new(), &bytes);
    }

    #[test]
    fn any_headers_are_read_or_refused(
        pieces in prop::collection::vec((any::<u8>(), 0_u8..2, 0_u8..24, 0_u8..4), 0..200),
    ) {
        let bytes: Vec<u8> = pieces
            .iter()
            .flat_map(|(first, time, type_id, length)| [first & 0xc7, 0xff, 0xff, 0xff - time, 0, 0, *length, *type_id])
            .collect();
        let _ = read_all(&mut reader_with_media(), &bytes);
    }

    #[test]
    fn another_writer_is_understood(
        messages in prop::collection::vec((1_u32..2_000_000_000, prop::collection::vec(any::<u8>(), 1..600)), 1..6),
    ) {
        let mut serializer = rml_rtmp::chunk_io::ChunkSerializer::new();
        let mut messages = messages;
        messages.sort_by_key(|(time, _)| *time);
        let mut bytes = Vec::new();
        for (time, payload) in &messages {
            let payload = rml_rtmp::messages::MessagePayload {
                timestamp: rml_rtmp::time::RtmpTimestamp::new(*time),
                type_id: type_id::VIDEO,
                message_stream_id: 1,
                data: payload.clone().into(),
            };
            bytes.extend(serializer.serialize(&payload, false, false).unwrap().bytes);
        }
        let read: Vec<_> =
            read(&bytes).unwrap().into_iter().map(|message| (message.timestamp_ms, message.payload.to_vec())).collect();
        prop_assert_eq!(read, messages);
    }
}
