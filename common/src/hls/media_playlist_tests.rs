use std::{sync::Arc, time::Duration};

use proptest::prelude::*;
use quick_m3u8::{
    HlsLine, Reader,
    config::ParsingOptionsBuilder,
    tag::{KnownTag, hls},
};

use super::*;
use crate::{
    hls::lint::{Linter, Seen},
    id::Epoch,
    live::{
        LiveEvent, Parent,
        testing::{AUDIO, FIRST_MSN, Script, VIDEO, description},
        window::Retention,
    },
    time::Monotonic,
};

/// A rung that was begun with the script's segment `first`, shown after each event.
fn watch_rung(script: &Script, first: u64, mut see: impl FnMut(&LiveWindow, Monotonic, &LiveEvent)) -> LiveWindow {
    let mut own = Arc::unwrap_or_clone(description());
    own.renditions.truncate(1);
    own.parent = Some(Parent {
        epoch: own.epoch,
        discontinuities: script.breaks.iter().filter(|&&segment| segment <= first).count() as u64,
    });
    own.epoch = Epoch(0xf00d);
    own.first_msn = Msn(FIRST_MSN.0 + first);
    let first_msn = own.first_msn;
    let mut window = LiveWindow::new(Arc::new(own), Retention::origin());
    for (now, event) in script.events() {
        let is_its = match &event {
            LiveEvent::Part(part) => part.id.rendition == VIDEO && part.id.msn >= first_msn,
            LiveEvent::Init { rendition, .. } => *rendition == VIDEO,
            event => *event == LiveEvent::End,
        };
        if is_its {
            window.apply(event.clone(), now).unwrap();
            see(&window, now, &event);
        }
    }
    window
}

fn rung_of(script: &Script, first: u64) -> LiveWindow {
    watch_rung(script, first, |_, _, _| {})
}

#[test]
fn a_rungs_playlist_breaks_no_rule_from_its_first_part_on() {
    let script = Script {
        segments: 32,
        breaks: vec![3, 20],
        ended: true,
    };
    let (mut linter, mut violations, mut last) = (Linter::new(), Vec::new(), None);
    watch_rung(&script, 5, |window, now, event| {
        let asked_for = match event {
            LiveEvent::Part(part) => format!("?_HLS_msn={}&_HLS_part={}", part.id.msn, part.id.part),
            LiveEvent::End => String::new(),
            _ => return,
        };
        assert!(rung_ready(window));
        let url = format!("http://relay/live/cinema/0123456789abcdef/480p.m3u8{asked_for}");
        let text = render_rung(window, Skip::No);
        // A break of the publisher is no fault of the server.
        let asked_at = last.replace(now).unwrap_or(now).max(now - Duration::from_secs(1));
        violations.extend(linter.playlist(&Seen {
            asked_at,
            answered_at: now,
            url: &url,
            text: &text,
        }));
    });
    let texts: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert_eq!(texts, [""; 0]);
}

#[test]
fn a_rungs_playlist_leads_to_its_own_folder_and_counts_breaks_as_the_source_does() {
    let script = Script {
        segments: 9,
        breaks: vec![2, 8],
        ended: false,
    };
    let rung = rung_of(&script, 6);
    assert!(rung_ready(&rung) && !ready(&rung_of(&script, 9)) && !rung_ready(&rung_of(&script, 9)));
    let text = render_rung(&rung, Skip::No);
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("EXT-X-PART")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    #EXTM3U
    #EXT-X-VERSION:9
    #EXT-X-TARGETDURATION:2
    #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.500,HOLD-BACK=6,CAN-SKIP-UNTIL=12
    #EXT-X-MEDIA-SEQUENCE:6
    #EXT-X-DISCONTINUITY-SEQUENCE:1
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MAP:URI="../000000000000f00d/v-init-1.mp4"
    #EXTINF:2.00000,
    #EXT-X-GAP
    ../000000000000f00d/gap.mp4
    #EXTINF:2.00000,
    #EXT-X-GAP
    ../000000000000f00d/gap.mp4
    #EXTINF:2.00000,
    #EXT-X-GAP
    ../000000000000f00d/gap.mp4
    #EXTINF:2.00000,
    #EXT-X-GAP
    ../000000000000f00d/gap.mp4
    #EXTINF:2.00000,
    #EXT-X-GAP
    ../000000000000f00d/gap.mp4
    #EXTINF:2.00000,
    #EXT-X-GAP
    ../000000000000f00d/gap.mp4
    #EXTINF:2.00000,
    #EXT-X-GAP
    ../000000000000f00d/gap.mp4
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:25.000Z
    #EXTINF:2.00000,
    ../000000000000f00d/v-13.m4s
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:27.000Z
    #EXTINF:2.00000,
    ../000000000000f00d/v-14.m4s
    #EXT-X-DISCONTINUITY
    #EXT-X-MAP:URI="../000000000000f00d/v-init-2.mp4"
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:32.000Z
    #EXTINF:2.00000,
    ../000000000000f00d/v-15.m4s
    #EXT-X-PRELOAD-HINT:TYPE=PART,URI="../000000000000f00d/v-16.0.m4s"
    "#);
}

fn played(script: &Script) -> LiveWindow {
    played_until(script, Duration::MAX)
}

fn played_until(script: &Script, end: Duration) -> LiveWindow {
    let mut window = LiveWindow::new(description(), Retention::origin());
    for (now, event) in script.events().into_iter().take_while(|&(now, _)| now.0 <= end) {
        window.apply(event, now).unwrap();
    }
    window
}

#[test]
fn the_first_playlist_has_gaps_in_front_and_parts() {
    let window = played_until(&Script::steady(2), Duration::from_millis(12_600));
    insta::assert_snapshot!(render(&window, VIDEO, Skip::No), @r#"
    #EXTM3U
    #EXT-X-VERSION:9
    #EXT-X-TARGETDURATION:2
    #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.500,HOLD-BACK=6,CAN-SKIP-UNTIL=12
    #EXT-X-PART-INF:PART-TARGET=0.500
    #EXT-X-MEDIA-SEQUENCE:0
    #EXT-X-DISCONTINUITY-SEQUENCE:0
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MAP:URI="v-init-0.mp4"
    #EXTINF:2.00000,
    #EXT-X-GAP
    gap.mp4
    #EXTINF:2.00000,
    #EXT-X-GAP
    gap.mp4
    #EXTINF:2.00000,
    #EXT-X-GAP
    gap.mp4
    #EXTINF:2.00000,
    #EXT-X-GAP
    gap.mp4
    #EXTINF:2.00000,
    #EXT-X-GAP
    gap.mp4
    #EXTINF:2.00000,
    #EXT-X-GAP
    gap.mp4
    #EXTINF:2.00000,
    #EXT-X-GAP
    gap.mp4
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:10.000Z
    #EXT-X-PART:DURATION=0.50000,URI="v-7.0.m4s",INDEPENDENT=YES
    #EXT-X-PART:DURATION=0.50000,URI="v-7.1.m4s"
    #EXT-X-PART:DURATION=0.50000,URI="v-7.2.m4s"
    #EXT-X-PART:DURATION=0.50000,URI="v-7.3.m4s"
    #EXTINF:2.00000,
    v-7.m4s
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:12.000Z
    #EXT-X-PART:DURATION=0.50000,URI="v-8.0.m4s",INDEPENDENT=YES
    #EXT-X-PRELOAD-HINT:TYPE=PART,URI="v-8.1.m4s"
    #EXT-X-RENDITION-REPORT:URI="audio.m3u8",LAST-MSN=8,LAST-PART=0
    "#);
}

#[test]
fn an_epoch_that_opens_early_has_parts_in_its_last_gap_and_breaks_no_rule() {
    let mut early = Arc::unwrap_or_clone(description());
    early.opens_early = true;
    let mut window = LiveWindow::new(Arc::new(early), Retention::origin());
    let (mut linter, mut violations, mut texts) = (Linter::new(), Vec::new(), Vec::new());
    for (now, event) in Script::steady(12).events() {
        window.apply(event, now).unwrap();
        if ready(&window) {
            let text = render(&window, VIDEO, Skip::No);
            violations.extend(linter.playlist(&Seen {
                asked_at: now,
                answered_at: now,
                url: "http://relay/live/cinema/0123456789abcdef/video.m3u8",
                text: &text,
            }));
            texts.push(text);
        }
    }
    let violations: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert_eq!(violations, [""; 0]);
    let text = &texts[0];
    let gap = "#EXTINF:2.00000,\n#EXT-X-GAP\ngap.mp4\n";
    let (_, from_last_gap) = text.split_once(&gap.repeat(6)).unwrap();
    insta::assert_snapshot!(from_last_gap, @r#"
    #EXT-X-PART:DURATION=0.50000,URI="gap.mp4",GAP=YES
    #EXT-X-PART:DURATION=0.50000,URI="gap.mp4",GAP=YES
    #EXT-X-PART:DURATION=0.50000,URI="gap.mp4",GAP=YES
    #EXT-X-PART:DURATION=0.50000,URI="gap.mp4",GAP=YES
    #EXTINF:2.00000,
    #EXT-X-GAP
    gap.mp4
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:10.000Z
    #EXT-X-PART:DURATION=0.50000,URI="v-7.0.m4s",INDEPENDENT=YES
    #EXT-X-PART:DURATION=0.50000,URI="v-7.1.m4s"
    #EXT-X-PART:DURATION=0.50000,URI="v-7.2.m4s"
    #EXT-X-PART:DURATION=0.50000,URI="v-7.3.m4s"
    #EXTINF:2.00000,
    v-7.m4s
    #EXT-X-PRELOAD-HINT:TYPE=PART,URI="v-8.0.m4s"
    #EXT-X-RENDITION-REPORT:URI="audio.m3u8",LAST-MSN=8,LAST-PART=0
    "#);
}

#[test]
fn a_return_of_the_publisher_is_a_discontinuity_with_a_new_map() {
    let window = played_until(
        &Script {
            breaks: vec![10],
            ..Script::steady(12)
        },
        Duration::from_millis(34_500),
    );
    let text = render(&window, AUDIO, Skip::Yes);
    insta::assert_snapshot!(text, @r#"
    #EXTM3U
    #EXT-X-VERSION:9
    #EXT-X-TARGETDURATION:2
    #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.500,HOLD-BACK=6,CAN-SKIP-UNTIL=12
    #EXT-X-PART-INF:PART-TARGET=0.500
    #EXT-X-MEDIA-SEQUENCE:0
    #EXT-X-DISCONTINUITY-SEQUENCE:0
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-SKIP:SKIPPED-SEGMENTS=11
    #EXT-X-MAP:URI="a-init-0.mp4"
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:17.850Z
    #EXTINF:1.96266,
    a-11.m4s
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:19.813Z
    #EXTINF:1.96266,
    a-12.m4s
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:21.776Z
    #EXTINF:2.45333,
    a-13.m4s
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:24.229Z
    #EXTINF:1.96266,
    a-14.m4s
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:26.192Z
    #EXT-X-PART:DURATION=0.49066,URI="a-15.0.m4s",INDEPENDENT=YES
    #EXT-X-PART:DURATION=0.49066,URI="a-15.1.m4s",INDEPENDENT=YES
    #EXT-X-PART:DURATION=0.49066,URI="a-15.2.m4s",INDEPENDENT=YES
    #EXT-X-PART:DURATION=0.49066,URI="a-15.3.m4s",INDEPENDENT=YES
    #EXTINF:1.96266,
    a-15.m4s
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:28.154Z
    #EXT-X-PART:DURATION=0.49066,URI="a-16.0.m4s",INDEPENDENT=YES
    #EXT-X-PART:DURATION=0.49066,URI="a-16.1.m4s",INDEPENDENT=YES
    #EXT-X-PART:DURATION=0.49066,URI="a-16.2.m4s",INDEPENDENT=YES
    #EXT-X-PART:DURATION=0.49066,URI="a-16.3.m4s",INDEPENDENT=YES
    #EXTINF:1.96266,
    a-16.m4s
    #EXT-X-DISCONTINUITY
    #EXT-X-MAP:URI="a-init-1.mp4"
    #EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:33.117Z
    #EXT-X-PART:DURATION=0.49066,URI="a-17.0.m4s",INDEPENDENT=YES
    #EXT-X-PART:DURATION=0.49066,URI="a-17.1.m4s",INDEPENDENT=YES
    #EXT-X-PRELOAD-HINT:TYPE=PART,URI="a-17.2.m4s"
    #EXT-X-RENDITION-REPORT:URI="video.m3u8",LAST-MSN=17,LAST-PART=2
    "#);
}

#[test]
fn an_ended_playlist_has_no_hint() {
    let window = played(&Script {
        ended: true,
        ..Script::steady(40)
    });
    let text = render(&window, VIDEO, Skip::Yes);
    assert!(text.ends_with("v-46.m4s\n#EXT-X-ENDLIST\n"), "{text}");
    assert!(!text.contains("PRELOAD-HINT") && !text.contains("SKIP:"));
    assert!(text.contains("#EXT-X-MEDIA-SEQUENCE:23\n"));
}

#[test]
fn a_mark_on_the_first_listed_segment_is_only_counted() {
    let window = played(&Script {
        breaks: vec![11],
        ..Script::steady(35)
    });
    let text = render(&window, VIDEO, Skip::No);
    assert!(
        text.contains("#EXT-X-MEDIA-SEQUENCE:18\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"),
        "{text}"
    );
    assert!(!text.contains("#EXT-X-DISCONTINUITY\n"));
    assert!(text.contains("#EXT-X-MAP:URI=\"v-init-1.mp4\"\n"));
}

#[test]
fn nothing_is_left_out_of_a_playlist_that_is_short() {
    let window = played(&Script::steady(1));
    assert!(
        render(&window, VIDEO, Skip::Yes).contains("SKIPPED-SEGMENTS=1\n"),
        "the first gap ends 14 s before the end"
    );
    let mut window = LiveWindow::new(
        description(),
        Retention {
            listed_segments: 5,
            ..Retention::origin()
        },
    );
    for (now, event) in Script::steady(9).events() {
        window.apply(event, now).unwrap();
    }
    assert_eq!(render(&window, VIDEO, Skip::Yes), render(&window, VIDEO, Skip::No));
}

#[test]
fn lost_media_is_a_gap_in_part_and_segment() {
    let mut window = LiveWindow::new(description(), Retention::origin());
    for (now, mut event) in Script::steady(1).events() {
        if let LiveEvent::Part(part) = &mut event
            && part.id.part == 2
        {
            part.flags.gap = true;
            part.body = bytes::Bytes::new();
        }
        window.apply(event, now).unwrap();
    }
    let text = render(&window, VIDEO, Skip::No);
    assert!(
        text.contains("#EXT-X-PART:DURATION=0.50000,URI=\"v-7.2.m4s\",GAP=YES\n"),
        "{text}"
    );
    assert!(text.contains("#EXTINF:2.00000,\n#EXT-X-GAP\nv-7.m4s\n"), "{text}");
}

#[test]
fn independent_segments_are_claimed_only_if_they_are() {
    let mut window = LiveWindow::new(description(), Retention::origin());
    for (now, mut event) in Script::steady(2).events() {
        if let LiveEvent::Part(part) = &mut event
            && part.id.rendition == VIDEO
            && part.id.msn > FIRST_MSN
        {
            part.flags.independent = false;
        }
        window.apply(event, now).unwrap();
    }
    assert!(!render(&window, VIDEO, Skip::No).contains("INDEPENDENT-SEGMENTS"));
    assert!(render(&window, AUDIO, Skip::No).contains("INDEPENDENT-SEGMENTS"));
}

#[test]
fn an_epoch_is_ready_with_part_hold_back_and_one_part_in_all_renditions() {
    let early = played_until(&Script::steady(2), Duration::from_millis(11_900));
    assert!(!ready(&early));
    let enough = played_until(&Script::steady(2), Duration::from_millis(12_500));
    assert!(ready(&enough));
    let late = LiveWindow::from_records(
        description(),
        enough.records(),
        Retention::relay(),
        Monotonic::default(),
    )
    .unwrap();
    assert!(!ready(&late), "init segments are missing");
    assert!(!ready(&LiveWindow::new(description(), Retention::origin())));
}

#[test]
fn a_relay_that_comes_late_gives_the_same_text() {
    for segments in [2, 25, 40] {
        let origin = played(&Script {
            breaks: vec![1, 20],
            ..Script::steady(segments)
        });
        let records = origin.records();
        let now = Monotonic::default();
        let relay = LiveWindow::from_records(description(), records, Retention::relay(), now).unwrap();
        for (rendition, skip) in [(VIDEO, Skip::No), (AUDIO, Skip::No), (VIDEO, Skip::Yes)] {
            assert_eq!(render(&origin, rendition, skip), render(&relay, rendition, skip));
        }
    }
}

/// What a foreign parser finds in a playlist.
#[derive(Default)]
struct Found {
    target_duration: u64,
    part_target: f64,
    segments: u64,
    extinf_sum: f64,
    parts: Vec<f64>,
    trailing_parts: f64,
    skipped: u64,
    hints: Vec<String>,
    part_uris: Vec<String>,
    is_ended: bool,
}

fn read_back(text: &str) -> Found {
    let options = ParsingOptionsBuilder::new().with_parsing_for_all_tags().build();
    let mut reader = Reader::from_str(text, options);
    let mut found = Found::default();
    while let Some(line) = reader.read_line().unwrap() {
        match line {
            HlsLine::KnownTag(KnownTag::Hls(tag)) => match tag {
                hls::Tag::Targetduration(tag) => found.target_duration = tag.target_duration(),
                hls::Tag::PartInf(tag) => found.part_target = tag.part_target(),
                hls::Tag::Inf(tag) => {
                    found.extinf_sum += tag.duration();
                    found.trailing_parts = 0.0;
                    assert!(tag.duration().round() as u64 <= found.target_duration);
                }
                hls::Tag::Part(tag) => {
                    found.parts.push(tag.duration());
                    found.trailing_parts += tag.duration();
                    found.part_uris.push(tag.uri().to_owned());
                }
                hls::Tag::Skip(tag) => found.skipped = tag.skipped_segments(),
                hls::Tag::PreloadHint(tag) => found.hints.push(tag.uri().to_owned()),
                hls::Tag::Endlist(_) => found.is_ended = true,
                _ => {}
            },
            HlsLine::UnknownTag(tag) => panic!("unknown tag {tag:?}"),
            HlsLine::Uri(_) => found.segments += 1,
            _ => {}
        }
    }
    found
}

proptest! {
    #[test]
    fn a_playlist_of_any_moment_parses_and_obeys(
        segments in 1..45_u64,
        breaks in prop::collection::vec(0..45_u64, 0..4),
        ended in any::<bool>(),
        events in 0..400_usize,
        skip in prop_oneof![Just(Skip::No), Just(Skip::Yes)],
    ) {
        let mut window = LiveWindow::new(description(), Retention::origin());
        for (now, event) in (Script { segments, breaks, ended }).events().into_iter().take(events) {
            window.apply(event, now).unwrap();
        }
        for rendition in [VIDEO, AUDIO] {
            let found = read_back(&render(&window, rendition, skip));
            prop_assert_eq!(found.target_duration, 2);
            prop_assert!(found.parts.iter().all(|&duration| duration > 0.0 && duration <= found.part_target));
            let complete = window.segments(rendition).filter(|segment| segment.is_complete()).count() as u64;
            let gaps = window.first_listed_gap(rendition).map_or(0, |gap| FIRST_MSN.0 - gap.0);
            prop_assert_eq!(found.segments + found.skipped, complete + gaps);
            prop_assert!(found.segments + found.skipped <= 31);
            prop_assert_eq!(found.hints.len(), usize::from(!window.ended()));
            prop_assert!(found.hints.iter().all(|hint| !found.part_uris.contains(hint)));
            prop_assert_eq!(found.is_ended, window.ended());
            if found.skipped > 0 {
                let kept = found.extinf_sum + found.trailing_parts;
                prop_assert!(kept + 0.01 >= 12.0, "{} s are left", kept);
            }
        }
    }
}
