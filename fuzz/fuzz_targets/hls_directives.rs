//! Any query against a window: it is refused, answered, or waits for what it will be given.

#![no_main]

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use common::{
    hls::{
        directives::{self, Answer, Directives},
        media_playlist, uri,
    },
    id::{Epoch, Msn, PartId, RenditionId},
    live::{
        BitRate, EpochDescription, LiveEvent, Part, PartFlags, RenditionDescription, RenditionFormat,
        window::{LiveWindow, Retention},
    },
    time::{Monotonic, UnixMillis},
};
use libfuzzer_sys::fuzz_target;

const AUDIO: RenditionId = RenditionId(0);

/// Segments 7 to 9 of four parts each, and two parts of segment 10.
static WINDOW: LazyLock<LiveWindow> = LazyLock::new(|| {
    let description = EpochDescription {
ladder: Vec::new(), audio_only: false, opens_early: false, parent: None,
        epoch: Epoch(1),
        target_duration_s: 2,
        part_target_ms: 500,
        first_msn: Msn(7),
        renditions: vec![RenditionDescription {
            format: RenditionFormat::Audio {
index: 0, name: "main".to_owned(), language: None,
                channels: 2,
                sample_rate: 48_000,
            },
            codecs: "mp4a.40.2".to_owned(),
            timescale: 48_000,
            bit_rate: BitRate { peak: 1, average: 1 },
        }],
    };
    let mut window = LiveWindow::new(Arc::new(description), Retention::origin());
    let now = Monotonic::default();
    let body = Bytes::from_static(b"media");
    let init = LiveEvent::Init {
        rendition: AUDIO,
        init_id: 0,
        body: body.clone(),
    };
    window.apply(init, now).expect("the first init segment");
    for number in 0..14_u32 {
        let flags = PartFlags {
            independent: true,
            last: number % 4 == 3,
            ..PartFlags::default()
        };
        let part = Part {
            id: PartId {
                rendition: AUDIO,
                msn: Msn(7 + u64::from(number / 4)),
                part: number % 4,
            },
            init_id: 0,
            dts: u64::from(number) * 24_000,
            duration: 24_000,
            program_date_time: UnixMillis(0),
            flags,
            body: body.clone(),
        };
        window.apply(LiveEvent::Part(part), now).expect("parts in order");
    }
    window
});

fuzz_target!(|query: &str| {
    if let Some(path) = uri::parse_media(query) {
        assert_eq!(path.to_string(), query, "each file has one name");
    }
    let Ok(asked) = directives::parse(Some(query)) else {
        return;
    };
    match directives::answer(&WINDOW, AUDIO, &asked) {
        Answer::Now(skip) => assert!(media_playlist::render(&WINDOW, AUDIO, skip).starts_with("#EXTM3U\n")),
        Answer::Wait(wait) => {
            let again = Directives {
                position: Some((wait.msn, wait.part)),
                skip: wait.skip,
            };
            assert_eq!(directives::answer(&WINDOW, AUDIO, &again), Answer::Wait(wait));
        }
        Answer::Refuse(_) => {}
    }
});
