use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::{
    id::{ChannelId, Epoch, Msn, PartId, RenditionId, RoomSlug, Rung},
    live::{PartFlags, window::PartRecord, window::SegmentRecord, window::WindowRecords},
    time::UnixMillis,
    wire::{
        control::{DownstreamFrame, ResumePoint, RoomReport, RoomState, UpstreamFrame, ViewerSeen},
        request::{CallRequest, FetchRequest},
    },
};

fn payload_of(frame: &Bytes) -> &[u8] {
    let (prefix, payload) = frame.split_first_chunk().unwrap();
    assert_eq!(frame_len(*prefix).unwrap(), payload.len());
    payload
}

fn head_payload_of<T: Head>(head: &Bytes) -> &[u8] {
    let (prefix, payload) = head.split_first_chunk().unwrap();
    assert_eq!(head_len::<T>(*prefix).unwrap(), payload.len());
    payload
}

fn slug() -> impl Strategy<Value = RoomSlug> {
    "[a-z0-9]{1,64}".prop_map(|text| text.parse().unwrap())
}

fn channel() -> impl Strategy<Value = ChannelId> {
    (slug(), option::of(prop::sample::select(Rung::ALL.to_vec()))).prop_map(|(room, rung)| ChannelId { room, rung })
}

fn flags() -> impl Strategy<Value = PartFlags> {
    any::<[bool; 4]>().prop_map(|[independent, last, discontinuity, gap]| PartFlags {
        independent,
        last,
        discontinuity,
        gap,
    })
}

fn part_header() -> impl Strategy<Value = PartHeader> {
    let numbers = (
        any::<u64>(),
        any::<u8>(),
        any::<u64>(),
        any::<u32>(),
        any::<u32>(),
        any::<u64>(),
        any::<u32>(),
    );
    (channel(), numbers, any::<i64>(), flags(), 0..=MAX_PART as u32).prop_map(
        |(channel, (epoch, rendition, msn, part, init_id, dts, duration), at, flags, body_len)| PartHeader {
            channel,
            epoch: Epoch(epoch),
            id: PartId {
                rendition: RenditionId(rendition),
                msn: Msn(msn),
                part,
            },
            init_id,
            dts,
            duration,
            program_date_time: UnixMillis(at),
            flags,
            body_len,
        },
    )
}

fn downstream_frame() -> impl Strategy<Value = DownstreamFrame> {
    let viewer = (".{0,20}", option::of(".{0,20}"));
    prop_oneof![
        (any::<u16>(), ".{0,30}", ".{0,30}", ".{0,30}").prop_map(|(version, name, public_url, software)| {
            DownstreamFrame::Hello {
                version,
                name,
                public_url,
                software,
            }
        }),
        (
            channel(),
            option::of((any::<u64>(), vec((any::<u64>(), any::<u32>()), 0..4)))
        )
            .prop_map(|(channel, resume)| {
                let resume = resume.map(|(epoch, next)| ResumePoint {
                    epoch: Epoch(epoch),
                    next: next.into_iter().map(|(msn, part)| (Msn(msn), part)).collect(),
                });
                DownstreamFrame::Subscribe { channel, resume }
            }),
        (vec((slug(), vec(viewer, 0..3)), 0..3), any::<u64>()).prop_map(|(rooms, egress_bytes)| {
            let rooms = rooms
                .into_iter()
                .map(|(room, viewers)| RoomReport {
                    room,
                    viewers: viewers
                        .into_iter()
                        .map(|(viewer_id, invite_id)| ViewerSeen { viewer_id, invite_id })
                        .collect(),
                })
                .collect();
            DownstreamFrame::Report { rooms, egress_bytes }
        }),
        any::<u64>().prop_map(|t0| DownstreamFrame::Ping { t0 }),
    ]
}

proptest! {
    #[test]
    fn a_frame_is_read_as_it_was_written(frame in downstream_frame()) {
        let bytes = encode_frame(&frame).unwrap();
        prop_assert_eq!(decode_frame::<DownstreamFrame>(payload_of(&bytes)).unwrap(), Some(frame));
    }

    #[test]
    fn a_part_header_is_read_as_it_was_written(header in part_header()) {
        let bytes = encode_head(&header).unwrap();
        prop_assert_eq!(decode_head::<PartHeader>(head_payload_of::<PartHeader>(&bytes)).unwrap(), header);
    }

    #[test]
    fn frames_survive_any_cut_of_the_stream(
        frames in vec(downstream_frame(), 1..8),
        cuts in vec(1usize..40, 1..60),
    ) {
        let stream: Vec<u8> = frames.iter().flat_map(|frame| encode_frame(frame).unwrap()).collect();
        let mut reader = FrameReader::new();
        let mut read = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            rest = later;
            reader.push(now);
            while let Some(frame) = reader.next_frame::<DownstreamFrame>().unwrap() {
                read.push(frame);
            }
        }
        prop_assert_eq!(read, frames);
        prop_assert!(reader.is_between_frames());
    }

    #[test]
    fn no_bytes_of_a_peer_can_panic(bytes in vec(any::<u8>(), 0..400)) {
        let mut reader = FrameReader::new();
        reader.push(&bytes);
        while let Ok(Some(_)) = reader.next_frame::<UpstreamFrame>() {}
        let _ = decode_frame::<UpstreamFrame>(&bytes);
        let _ = decode_frame::<DownstreamFrame>(&bytes);
        let _ = decode_head::<PartHeader>(&bytes);
        let _ = decode_head::<Request>(&bytes);
        let _ = decode_head::<FetchReply>(&bytes);
        let _ = decode_head::<CallReply>(&bytes);
    }

    #[test]
    fn a_damaged_frame_never_panics(frame in downstream_frame(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut payload = payload_of(&encode_frame(&frame).unwrap()).to_vec();
        let at = at.index(payload.len());
        payload[at] = byte;
        let _ = decode_frame::<DownstreamFrame>(&payload);
        payload.truncate(at);
        let _ = decode_frame::<DownstreamFrame>(&payload);
    }
}

#[test]
fn a_window_and_a_welcome_are_read_as_they_were_written() {
    let record = PartRecord {
        dts: 1,
        duration: 2,
        program_date_time: UnixMillis(3),
        flags: PartFlags {
            independent: true,
            ..PartFlags::default()
        },
        size: 4,
    };
    let segment = SegmentRecord {
        msn: Msn(7),
        init_id: 0,
        discontinuity_number: 1,
        complete: false,
        parts: vec![record; 3],
    };
    let room: RoomSlug = "cinema".parse().unwrap();
    let rung = ChannelId {
        room: room.clone(),
        rung: Some(Rung::P480),
    };
    let starting = UpstreamFrame::Starting { channel: rung.clone() };
    let window = UpstreamFrame::Window {
        channel: rung,
        description: crate::live::EpochDescription {
            ladder: Vec::new(),
            audio_only: false,
            opens_early: false,
            parent: None,
            epoch: Epoch(9),
            target_duration_s: 2,
            part_target_ms: 333,
            first_msn: Msn(7),
            renditions: Vec::new(),
        },
        records: WindowRecords {
            renditions: vec![vec![segment]],
        },
    };
    let welcome = UpstreamFrame::Welcome {
        relay_id: "r1".to_owned(),
        keys: "{}".to_owned(),
        revocations: Vec::new(),
        rooms: vec![RoomState {
            slug: room,
            is_live: true,
            interrupted: false,
        }],
        public_urls: vec!["https://watch.example".to_owned()],
    };
    for frame in [starting, window, welcome] {
        let bytes = encode_frame(&frame).unwrap();
        assert_eq!(decode_frame(payload_of(&bytes)).unwrap(), Some(frame));
    }
}

#[test]
fn requests_and_replies_are_read_as_they_were_written() {
    let fetch = Request::Fetch(FetchRequest {
        channel: ChannelId::source("cinema".parse().unwrap()),
        epoch: Epoch(1),
        rendition: RenditionId(0),
        msn: Msn(3),
        part: None,
    });
    let call = Request::Call(CallRequest {
        method: "POST".to_owned(),
        path: "/api/rooms/cinema/join".to_owned(),
        headers: vec![("cookie".to_owned(), "a=b".to_owned())],
        peer: "127.0.0.1:9".to_owned(),
        body: Bytes::from_static(b"{}"),
    });
    for request in [fetch, call] {
        let bytes = encode_head(&request).unwrap();
        assert_eq!(
            decode_head::<Request>(head_payload_of::<Request>(&bytes)).unwrap(),
            request
        );
    }
    let bytes = encode_head(&FetchReply::Found {
        body_len: 77,
        part: None,
    })
    .unwrap();
    let reply: FetchReply = decode_head(head_payload_of::<FetchReply>(&bytes)).unwrap();
    assert_eq!(reply.body_len(), 77);
}

#[test]
fn a_frame_of_an_unknown_kind_is_skipped() {
    let mut reader = FrameReader::new();
    reader.push(&[0, 0, 0, 3, 0x7f, 1, 2]);
    let ping = DownstreamFrame::Ping { t0: 5 };
    reader.push(&encode_frame(&ping).unwrap());
    assert_eq!(reader.next_frame().unwrap(), Some(ping));
    assert_eq!(reader.next_frame::<DownstreamFrame>().unwrap(), None);
}

#[test]
fn fields_of_a_newer_peer_behind_the_known_ones_are_skipped() {
    let mut payload = payload_of(&encode_frame(&DownstreamFrame::Ping { t0: 5 }).unwrap()).to_vec();
    payload.extend([9, 9]);
    assert_eq!(decode_frame(&payload).unwrap(), Some(DownstreamFrame::Ping { t0: 5 }));
}

#[test]
fn a_malformed_frame_says_where() {
    let unsubscribe = payload_of(&encode_frame(&DownstreamFrame::Ping { t0: u64::MAX }).unwrap()).to_vec();
    let error = decode_frame::<DownstreamFrame>(&unsubscribe[..4]).unwrap_err();
    assert_eq!(
        error,
        WireError::Malformed {
            what: "frame",
            offset: 4
        }
    );
}

#[test]
fn lengths_beyond_their_caps_are_refused_before_anything_is_read() {
    let mut reader = FrameReader::new();
    reader.push(&(MAX_FRAME as u32 + 1).to_be_bytes());
    assert!(matches!(reader.next_payload(), Err(WireError::TooLong { .. })));
    assert!(matches!(
        head_len::<PartHeader>([HEAD_VERSION, 0, 0, 4, 1]),
        Err(WireError::TooLong { .. })
    ));
    assert_eq!(
        head_len::<PartHeader>([2, 0, 0, 0, 1]),
        Err(WireError::Version { found: 2 })
    );
    let announced = postcard::to_stdvec(&FetchReply::Found {
        body_len: MAX_PART as u32 + 1,
        part: None,
    })
    .unwrap();
    assert!(matches!(
        decode_head::<FetchReply>(&announced),
        Err(WireError::TooLong { .. })
    ));
    let keys = UpstreamFrame::Keys {
        keys: "k".repeat(MAX_FRAME),
    };
    assert!(matches!(encode_frame(&keys), Err(WireError::TooLong { .. })));
}
