//! Any operations on a window, and any bytes as the window that an upstream sends: refused events change nothing, a mirror that
//! follows holds the same, and what is taken can be rendered.

#![no_main]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use common::{
    hls::{directives::Skip, media_playlist},
    id::{Epoch, Msn, PartId, RenditionId},
    live::{
        BitRate, EpochDescription, LiveEvent, Part, PartFlags, RenditionDescription, RenditionFormat,
        cursor::Read,
        window::{LiveWindow, Retention},
    },
    time::{Monotonic, UnixMillis},
    wire::{codec::decode_frame, control::UpstreamFrame},
};
use libfuzzer_sys::fuzz_target;

const FIRST_MSN: Msn = Msn(7);

fn description() -> Arc<EpochDescription> {
    let rendition = |format, codecs: &str, timescale| RenditionDescription {
        format,
        codecs: codecs.to_owned(),
        timescale,
        bit_rate: BitRate { peak: 1, average: 1 },
    };
    let video = RenditionFormat::Video {
range: Default::default(), captions: Default::default(),
        width: 1,
        height: 1,
        frame_rate_millihertz: 1,
    };
    let audio = RenditionFormat::Audio {
index: 0, name: "main".to_owned(), language: None,
        channels: 1,
        sample_rate: 1,
    };
    Arc::new(EpochDescription {
ladder: Vec::new(), audio_only: false, opens_early: false, parent: None,
        epoch: Epoch(1),
        target_duration_s: 2,
        part_target_ms: 500,
        first_msn: FIRST_MSN,
        renditions: vec![
            rendition(video, "avc1.640028", 90_000),
            rendition(audio, "mp4a.40.2", 48_000),
        ],
    })
}

/// One operation of four bytes: what, on which rendition, and two numbers.
fn event(window: &LiveWindow, what: u8, rendition: u8, a: u8, b: u8, dts: u64) -> Option<LiveEvent> {
    let rendition = RenditionId(rendition % 3);
    let (msn, next_part) = window.next(rendition);
    Some(match what % 16 {
        0 => LiveEvent::End,
        1 => LiveEvent::SegmentEnd {
            rendition,
            msn: Msn(msn.0.saturating_sub(u64::from(a % 2))),
        },
        2 => LiveEvent::Init {
            rendition,
            init_id: u32::from(a),
            body: Bytes::copy_from_slice(&[b; 2]),
        },
        3 => LiveEvent::BitRate {
            rendition,
            bit_rate: BitRate {
                peak: u32::from(a),
                average: u32::from(b),
            },
        },
        4 => return None,
        stray => {
            let (msn, part) = if stray == 5 {
                (Msn(u64::from(a)), u32::from(b))
            } else {
                (msn, next_part)
            };
            let flags = PartFlags {
                independent: a & 1 != 0,
                last: a & 2 != 0,
                discontinuity: a & 4 != 0,
                gap: a & 8 != 0,
            };
            LiveEvent::Part(Part {
                id: PartId { rendition, msn, part },
                init_id: u32::from(b % 4),
                dts,
                duration: u32::from(b),
                program_date_time: UnixMillis(0),
                flags,
                body: if flags.gap {
                    Bytes::new()
                } else {
                    Bytes::from_static(b"media")
                },
            })
        }
    })
}

fn follow(operations: &[u8]) {
    let retention = Retention {
        listed_segments: 3,
        ..Retention::origin()
    };
    let mut window = LiveWindow::new(description(), retention);
    let mut mirror = window.clone();
    let mut cursor = window.cursor_at(&[(FIRST_MSN, 0), (FIRST_MSN, 0)]);
    let mut now = Monotonic::default();
    for (dts, operation) in (0..).zip(operations.as_chunks::<4>().0) {
        let &[what, rendition, a, b] = operation;
        let before = (window.records(), window.held_bytes(), window.ended());
        match event(&window, what, rendition, a, b, dts) {
            Some(event) => {
                if window.apply(event, now).is_err() {
                    assert_eq!(before, (window.records(), window.held_bytes(), window.ended()));
                }
            }
            None => {
                now = now + Duration::from_secs(u64::from(a));
                window.expire(now);
                mirror.expire(now);
            }
        }
        loop {
            let Read::Events(events) = window.read(&mut cursor, 3) else {
                panic!("a reader that reads on lags")
            };
            if events.is_empty() {
                break;
            }
            for event in events {
                mirror.apply(event, now).expect("what a cursor gives can be taken");
            }
        }
        assert_eq!((window.records(), window.ended()), (mirror.records(), mirror.ended()));
    }
    let late = LiveWindow::from_records(window.description().clone(), window.records(), retention, now);
    let late = late.expect("records of a window");
    for rendition in [RenditionId(0), RenditionId(1)] {
        let ours = media_playlist::render(&mirror, rendition, Skip::Yes);
        assert_eq!(ours, media_playlist::render(&window, rendition, Skip::Yes));
        assert!(window.ended() || ours == media_playlist::render(&late, rendition, Skip::Yes));
    }
}

fuzz_target!(|bytes: &[u8]| {
    follow(bytes);
    if let Ok(Some(UpstreamFrame::Window {
        description, records, ..
    })) = decode_frame(bytes)
    {
        let now = Monotonic::default();
        if let Ok(window) = LiveWindow::from_records(Arc::new(description), records, Retention::relay(), now) {
            for rendition in window.description().rendition_ids() {
                media_playlist::render(&window, rendition, Skip::No);
                media_playlist::render(&window, rendition, Skip::Yes);
                assert!(!media_playlist::ready(&window), "no init segment is here");
            }
        }
    }
});
