use std::{cell::Cell, collections::BTreeSet};

use super::*;
use crate::{
    hls::{directives::Skip, media_playlist, multivariant},
    id::RenditionId,
    live::{
        LiveEvent,
        testing::{AUDIO, Script, VIDEO, description},
        window::{LiveWindow, Retention},
    },
};

const FOLDER: &str = "http://relay/live/cinema/0123456789abcdef/";

fn url(rendition: RenditionId) -> String {
    format!(
        "{FOLDER}{}",
        if rendition == VIDEO { "video.m3u8" } else { "audio.m3u8" }
    )
}

/// A player of each rendition that asks for each part in turn and now and then for a delta update, while `spoil` changes what it
/// gets: step, rendition, text.
fn watch(
    script: &Script,
    retention: Retention,
    spoil: impl Fn(usize, RenditionId, String) -> String,
) -> Vec<Violation> {
    let mut linter = Linter::new();
    let mut window = LiveWindow::new(description(), retention);
    let mut last_answer = [None; 2];
    let mut violations = Vec::new();
    for (step, (now, event)) in script.events().into_iter().enumerate() {
        let of = match &event {
            LiveEvent::Part(part) => vec![part.id],
            LiveEvent::End => [VIDEO, AUDIO]
                .map(|rendition| crate::id::PartId {
                    rendition,
                    msn: crate::id::Msn(7),
                    part: 0,
                })
                .into(),
            _ => Vec::new(),
        };
        window.apply(event, now).unwrap();
        if !media_playlist::ready(&window) {
            continue;
        }
        for id in of {
            let last = &mut last_answer[usize::from(id.rendition.0)];
            let asked_at = last.unwrap_or(now);
            let is_delta = step % 3 == 0 && last.is_some();
            let skip = if is_delta { Skip::Yes } else { Skip::No };
            let query = format!("?token=x&_HLS_msn={}&_HLS_part={}", id.msn, id.part);
            let url = format!(
                "{}{query}{}",
                url(id.rendition),
                if is_delta { "&_HLS_skip=YES" } else { "" }
            );
            let text = spoil(step, id.rendition, media_playlist::render(&window, id.rendition, skip));
            // A break of the publisher is no fault of the server.
            let asked_at = asked_at.max(now - Duration::from_secs(1));
            violations.extend(linter.playlist(&Seen {
                asked_at,
                answered_at: now,
                url: &url,
                text: &text,
            }));
            *last = Some(now);
        }
    }
    violations
}

/// Long enough for GAP segments to leave the list.
fn stream() -> Script {
    Script {
        segments: 27,
        breaks: vec![4, 20],
        ended: true,
    }
}

/// The rules that are broken when `spoil` changes each text.
fn broken(spoil: impl Fn(usize, RenditionId, String) -> String) -> BTreeSet<Rule> {
    watch(&stream(), Retention::origin(), spoil)
        .into_iter()
        .map(|violation| violation.rule)
        .collect()
}

#[track_caller]
fn assert_broken(rule: Rule, spoil: impl Fn(usize, RenditionId, String) -> String) {
    let touched = Cell::new(false);
    let rules = broken(|step, rendition, text| {
        let spoilt = spoil(step, rendition, text.clone());
        touched.set(touched.get() || spoilt != text);
        spoilt
    });
    assert!(touched.get(), "nothing was spoilt");
    assert!(rules.contains(&rule), "{rule} is not among {rules:?}");
}

/// Replaces in each text.
#[track_caller]
fn assert_replacing_breaks(rule: Rule, from: &str, to: &str) {
    assert_broken(rule, |_, _, text| text.replace(from, to));
}

/// Replaces in texts from a moment in the middle on.
#[track_caller]
fn assert_changing_breaks(rule: Rule, from: &str, to: &str) {
    assert_broken(
        rule,
        |step, _, text| if step > 60 { text.replace(from, to) } else { text },
    );
}

fn without_lines(text: &str, start: &str) -> String {
    text.lines()
        .filter(|line| !line.starts_with(start))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn a_clean_stream_breaks_nothing() {
    let script = Script {
        segments: 90,
        ..stream()
    };
    let violations = watch(&script, Retention::origin(), |_, _, text| text);
    assert!(
        violations.is_empty(),
        "{}",
        violations.iter().map(|v| format!("{v}\n")).collect::<String>()
    );
}

#[test]
fn malformed_text_is_found() {
    assert_replacing_breaks(Rule::Syntax, "#EXT-X-PART-INF", "#EXT-X-VERSION:9\n#EXT-X-PART-INF");
    assert_replacing_breaks(Rule::Syntax, "#EXTM3U\n", "");
    assert_replacing_breaks(Rule::Syntax, ",INDEPENDENT=YES", ",INDEPENDENT");
    assert_replacing_breaks(Rule::Syntax, "#EXTINF:2.00000,", "#EXTINF:2s,");
    assert_replacing_breaks(Rule::Version, "#EXT-X-VERSION:9\n", "");
    assert_replacing_breaks(Rule::Version, "VERSION:9", "VERSION:8");
}

#[test]
fn durations_out_of_bounds_are_found() {
    assert_replacing_breaks(Rule::ExtinfRounding, "#EXTINF:2.00000", "#EXTINF:2.50000");
    assert_replacing_breaks(Rule::PartTooLong, "PART-TARGET=0.500", "PART-TARGET=0.490");
    let part = "DURATION=0.50000,URI=\"v-9.1.m4s";
    assert_replacing_breaks(Rule::PartTooShort, part, "DURATION=0.42000,URI=\"v-9.1.m4s");
    assert_replacing_breaks(Rule::PartsSum, part, "DURATION=0.42000,URI=\"v-9.1.m4s");
}

#[test]
fn a_header_out_of_bounds_or_changing_is_found() {
    assert_replacing_breaks(Rule::TargetDuration, "#EXT-X-TARGETDURATION:2\n", "");
    assert_changing_breaks(Rule::TargetDuration, "TARGETDURATION:2", "TARGETDURATION:3");
    assert_changing_breaks(Rule::PartTarget, "PART-TARGET=0.500", "PART-TARGET=0.501");
    assert_replacing_breaks(Rule::PartTarget, "#EXT-X-PART-INF:PART-TARGET=0.500\n", "");
    for spoilt in ["PART-HOLD-BACK=1.400,HOLD-BACK=6", "PART-HOLD-BACK=1.500,HOLD-BACK=5"] {
        assert_replacing_breaks(Rule::ServerControl, "PART-HOLD-BACK=1.500,HOLD-BACK=6", spoilt);
    }
    assert_replacing_breaks(Rule::ServerControl, "CAN-SKIP-UNTIL=12", "CAN-SKIP-UNTIL=11");
    assert_changing_breaks(Rule::ServerControl, "CAN-SKIP-UNTIL=12", "CAN-SKIP-UNTIL=13");
    assert_broken(Rule::ServerControl, |_, _, text| {
        without_lines(&text, "#EXT-X-SERVER-CONTROL")
    });
}

#[test]
fn untrue_independence_and_a_missing_map_are_found() {
    assert_replacing_breaks(Rule::Independence, ",INDEPENDENT=YES", "");
    assert_broken(Rule::Map, |_, _, text| without_lines(&text, "#EXT-X-MAP"));
    assert_replacing_breaks(Rule::Gap, "URI=\"v-9.1.m4s\"", "URI=\"v-9.1.m4s\",GAP=YES");
}

#[test]
fn what_changes_or_goes_too_early_is_found() {
    assert_changing_breaks(Rule::SegmentChanged, "v-12.m4s", "v-12x.m4s");
    assert_changing_breaks(Rule::SegmentChanged, "v-init-1.mp4", "v-init-9.mp4");
    assert_broken(Rule::PartChanged, |step, _, text| {
        if step % 4 < 2 {
            text.replace("v-20.0.m4s", "v-20.x.m4s")
        } else {
            text
        }
    });
    assert_broken(Rule::PartChanged, |step, _, text| {
        if step % 4 < 2 {
            text.replace("#EXT-X-PART:DURATION=0.50000,URI=\"v-20.1.m4s\"\n", "")
        } else {
            text
        }
    });
    assert_broken(Rule::PartsListed, |step, _, text| {
        if step == 61 || step == 62 {
            without_lines(&text, "#EXT-X-PART:")
        } else {
            text
        }
    });
    assert_replacing_breaks(
        Rule::PartsListed,
        "#EXTINF:2.00000,\nv-9.m4s",
        "#EXT-X-PART:DURATION=2.00000,URI=\"v-9.0.m4s\"\n#EXTINF:2.00000,\nv-9.m4s",
    );
    let retention = Retention {
        listed_segments: 1,
        ..Retention::origin()
    };
    let violations = watch(&stream(), retention, |_, _, text| text);
    assert!(
        violations
            .iter()
            .any(|violation| violation.rule == Rule::RemovalTooEarly)
    );
}

#[test]
fn a_playlist_that_goes_back_is_found() {
    let first = Cell::new(None);
    assert_broken(Rule::Removal, |step, rendition, text| {
        let old = first.take();
        if step == 100 || rendition == AUDIO {
            first.set(old);
            return text;
        }
        let old = old.unwrap_or_else(|| text.clone());
        first.set(Some(old.clone()));
        if step > 200 { old } else { text }
    });
}

#[test]
fn wrong_breaks_and_times_are_found() {
    assert_changing_breaks(
        Rule::Discontinuity,
        "DISCONTINUITY-SEQUENCE:0",
        "DISCONTINUITY-SEQUENCE:1",
    );
    assert_broken(Rule::Discontinuity, |_, rendition, text| {
        if rendition == VIDEO {
            without_lines(&text, "#EXT-X-DISCONTINUITY\n".trim_end())
        } else {
            text
        }
    });
    assert_replacing_breaks(
        Rule::Discontinuity,
        "#EXT-X-MAP:URI=\"v-init-0.mp4\"\n#EXTINF",
        "#EXT-X-DISCONTINUITY\n#EXTINF",
    );
    assert_replacing_breaks(Rule::ProgramDateTime, "T10:00:14.000Z", "T10:00:14.003Z");
    assert_broken(Rule::ProgramDateTime, |_, _, text| {
        without_lines(&text, "#EXT-X-PROGRAM-DATE-TIME")
    });
    assert_broken(Rule::Alignment, |_, rendition, text| {
        if rendition == AUDIO {
            text.replace("T10:0", "T11:0")
        } else {
            text
        }
    });
    assert_broken(Rule::Alignment, |_, rendition, text| {
        if rendition == AUDIO {
            text.replace("TARGETDURATION:2", "TARGETDURATION:3")
        } else {
            text
        }
    });
}

#[test]
fn clocks_that_drift_slowly_are_found() {
    // 1 ms a segment is within the tolerance between neighbours.
    assert_broken(Rule::ProgramDateTime, |_, rendition, text| {
        let late = |line: &str| {
            let time = line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:").and_then(line::date_time);
            time.filter(|_| rendition == VIDEO).map_or_else(
                || format!("{line}\n"),
                |at| {
                    let since = at.0 - 1_795_341_610_000;
                    let late = crate::time::UnixMillis(at.0 + since / 2000);
                    format!("#EXT-X-PROGRAM-DATE-TIME:{}\n", late.to_rfc3339())
                },
            )
        };
        text.lines().map(late).collect()
    });
}

#[test]
fn wrong_hints_and_reports_are_found() {
    assert_broken(Rule::PreloadHint, |_, _, text| {
        without_lines(&text, "#EXT-X-PRELOAD-HINT")
    });
    assert_replacing_breaks(Rule::PreloadHint, "TYPE=PART,URI=\"v-", "TYPE=PART,URI=\"x-");
    assert_replacing_breaks(
        Rule::PreloadHint,
        "#EXT-X-ENDLIST",
        "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"x\"\n#EXT-X-ENDLIST",
    );
    assert_broken(Rule::RenditionReport, |_, _, text| {
        without_lines(&text, "#EXT-X-RENDITION-REPORT")
    });
    assert_replacing_breaks(Rule::RenditionReport, "LAST-MSN=1", "LAST-MSN=");
    assert_replacing_breaks(Rule::RenditionReport, "LAST-MSN=1", "LAST-MSN=2");
}

#[test]
fn a_delta_update_that_nobody_asked_for_or_that_leaves_out_too_much_is_found() {
    assert_broken(Rule::DeltaUpdate, |_, _, text| {
        let cut = |text: &str| {
            let (head, rest) = text.split_once("#EXT-X-MAP")?;
            let (_, rest) = rest.split_once("v-12.m4s\n")?;
            Some(format!("{head}#EXT-X-SKIP:SKIPPED-SEGMENTS=12\n{rest}"))
        };
        if text.contains("SKIP:") || !text.contains("MEDIA-SEQUENCE:1\n") {
            text
        } else {
            cut(&text).unwrap_or(text)
        }
    });
    assert_replacing_breaks(Rule::DeltaUpdate, "CAN-SKIP-UNTIL=12", "CAN-SKIP-UNTIL=30");
}

#[test]
fn a_text_that_changes_after_its_end_is_found() {
    let ended = |tail: &str| format!("#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n{tail}#EXT-X-ENDLIST\n");
    let mut linter = Linter::new();
    let mut rules = |text: &str| {
        let at = Monotonic::default();
        let seen = Seen {
            asked_at: at,
            answered_at: at,
            url: "http://relay/live/x/video.m3u8",
            text,
        };
        linter
            .playlist(&seen)
            .into_iter()
            .map(|violation| violation.rule)
            .collect::<Vec<_>>()
    };
    rules(&ended(""));
    assert!(!rules(&ended("")).contains(&Rule::EndList));
    assert!(rules(&ended("#EXTINF:2.0,\nx.m4s\n")).contains(&Rule::EndList));
}

#[test]
fn an_answer_without_what_was_asked_for_is_found() {
    let mut window = LiveWindow::new(description(), Retention::origin());
    for (now, event) in Script::steady(3).events() {
        window.apply(event, now).unwrap();
    }
    let text = media_playlist::render(&window, VIDEO, Skip::No);
    let rules = |query: &str, held: u64| {
        let url = format!("{}?{query}", url(VIDEO));
        let answered_at = Monotonic(Duration::from_secs(held));
        let seen = Seen {
            asked_at: Monotonic::default(),
            answered_at,
            url: &url,
            text: &text,
        };
        Linter::new()
            .playlist(&seen)
            .into_iter()
            .any(|violation| violation.rule == Rule::BlockedResponse)
    };
    for query in [
        "_HLS_msn=9",
        "_HLS_msn=9&_HLS_part=3",
        "_HLS_msn=2",
        "_HLS_msn=8&_HLS_part=9",
    ] {
        assert!(!rules(query, 1), "{query}");
    }
    for query in ["_HLS_msn=10", "_HLS_msn=10&_HLS_part=0", "_HLS_msn=9&_HLS_part=4"] {
        assert!(rules(query, 1), "{query}");
    }
    assert!(rules("_HLS_msn=9", 8), "held for too long");
}

#[test]
fn a_rung_of_a_ladder_reports_on_nothing_and_is_held_to_the_sources_numbers() {
    let mut window = LiveWindow::new(description(), Retention::origin());
    for (now, event) in Script::steady(3).events() {
        window.apply(event, now).unwrap();
    }
    let source = media_playlist::render(&window, VIDEO, Skip::No);
    let reports = |line: &&str| !line.starts_with("#EXT-X-RENDITION-REPORT");
    let rung: String = source.lines().filter(reports).flat_map(|line| [line, "\n"]).collect();
    let rung = rung.replace("\nv-", "\n../2/v-").replace("URI=\"v-", "URI=\"../2/v-");
    let rules = |rung: &str| {
        let mut linter = Linter::new();
        let mut rules = BTreeSet::new();
        for (name, text) in [("video", &*source), ("720p", rung), ("video", &*source)] {
            let at = Monotonic(Duration::from_secs(100));
            let seen = Seen {
                asked_at: at,
                answered_at: at,
                url: &format!("http://relay/live/cinema/1/{name}.m3u8"),
                text,
            };
            rules.extend(linter.playlist(&seen).into_iter().map(|violation| violation.rule));
        }
        rules
    };
    assert!(rules(&rung).is_empty());
    let other = rung.replace("DISCONTINUITY-SEQUENCE:0", "DISCONTINUITY-SEQUENCE:1");
    assert!(rules(&other).contains(&Rule::Discontinuity));
    assert_eq!(
        resolve("http://relay/live/cinema/1/720p.m3u8", "../2/v-7.0.m4s"),
        "http://relay/live/cinema/2/v-7.0.m4s"
    );
}

#[test]
fn a_poor_multivariant_playlist_is_found() {
    let clean = multivariant::render(&description());
    let rules = |texts: &[&str]| {
        let mut linter = Linter::new();
        let mut rules = BTreeSet::new();
        for text in texts {
            let at = Monotonic::default();
            let seen = Seen {
                asked_at: at,
                answered_at: at,
                url: "http://relay/live/cinema/index.m3u8",
                text,
            };
            rules.extend(linter.playlist(&seen).into_iter().map(|violation| violation.rule));
        }
        rules
    };
    assert!(rules(&[&clean, &clean]).is_empty());
    for (from, to) in [
        ("CODECS=\"avc1.640028,mp4a.40.2\",", ""),
        (",RESOLUTION=1920x1080", ""),
        (",FRAME-RATE=60.000", ""),
        ("AVERAGE-BANDWIDTH=6060000", "AVERAGE-BANDWIDTH=7060000"),
        (",AUDIO=\"a\"", ",AUDIO=\"b\""),
        (",AUDIO=\"a\"", ",AUDIO=\"a\",CLOSED-CAPTIONS=\"a\""),
        (",AUDIO=\"a\"", ",AUDIO=\"a\",VIDEO-RANGE=HDR"),
        ("AUTOSELECT=YES", "AUTOSELECT=NO"),
    ] {
        assert!(
            rules(&[&clean.replace(from, to)]).contains(&Rule::Multivariant),
            "{from}"
        );
    }
    let media = clean.lines().find(|line| line.starts_with("#EXT-X-MEDIA")).unwrap();
    for (name, default) in [("main", "NO"), ("other", "YES")] {
        let twice = media
            .replace("NAME=\"main\"", &format!("NAME=\"{name}\""))
            .replace("DEFAULT=YES", &format!("DEFAULT={default}"));
        let text = clean.replace(media, &format!("{media}\n{twice}"));
        assert!(rules(&[&text]).contains(&Rule::Multivariant), "{twice}");
    }
    let lower = clean.replace("BANDWIDTH=6500000", "BANDWIDTH=6400000");
    assert!(rules(&[&clean, &lower]).contains(&Rule::Multivariant));
    assert!(rules(&[&clean.replace("NAME=\"main\"", "NAME=\"main")]).contains(&Rule::Syntax));
}

#[test]
fn media_that_is_not_what_was_listed_is_found() {
    let mut window = LiveWindow::new(description(), Retention::origin());
    for (now, event) in Script::steady(3).events() {
        window.apply(event, now).unwrap();
    }
    let mut linter = Linter::new();
    let text = media_playlist::render(&window, VIDEO, Skip::No);
    let at = Monotonic(Duration::from_secs(20));
    linter.playlist(&Seen {
        asked_at: at,
        answered_at: at,
        url: &url(VIDEO),
        text: &text,
    });
    let mut rules = |name: &str, change: &dyn Fn(&mut MediaFacts<'_>)| {
        let url = format!("{FOLDER}{name}?token=x");
        let mut facts = MediaFacts {
            at,
            url: &url,
            status: 200,
            digest: Some(1),
            duration: None,
            starts_independent: None,
        };
        change(&mut facts);
        linter
            .media(&facts)
            .into_iter()
            .map(|violation| violation.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        rules("v-8.1.m4s", &|facts| facts.duration = Some(Duration::from_millis(500))),
        []
    );
    assert_eq!(
        rules("v-8.1.m4s", &|facts| facts.digest = Some(2)),
        [Rule::MediaChanged]
    );
    assert_eq!(
        rules("v-8.1.m4s", &|facts| facts.starts_independent = Some(true)),
        [Rule::Independence]
    );
    assert_eq!(
        rules("v-8.m4s", &|facts| facts.duration = Some(Duration::from_millis(1990))),
        [Rule::MediaDuration]
    );
    assert_eq!(rules("v-8.1.m4s", &|facts| facts.status = 404), [Rule::MediaMissing]);
    assert_eq!(rules("v-init-0.mp4", &|facts| facts.status = 404), [Rule::MediaMissing]);
    assert_eq!(rules("v-10.0.m4s", &|facts| facts.status = 404), [], "only hinted");
    let later = |facts: &mut MediaFacts<'_>, seconds| {
        facts.at = at + Duration::from_secs(seconds);
        facts.status = 404;
    };
    assert_eq!(
        rules("v-8.1.m4s", &|facts| later(facts, 5)),
        [Rule::MediaMissing],
        "three target durations more"
    );
    assert_eq!(rules("v-8.1.m4s", &|facts| later(facts, 7)), []);
    assert_eq!(rules("v-8.m4s", &|facts| later(facts, 20)), [Rule::MediaMissing]);
}

#[test]
fn addresses_in_another_epochs_folder_are_resolved() {
    let playlist = "http://relay.test/live/cinema/aa/720p.m3u8?_HLS_msn=3";
    assert_eq!(
        resolve(playlist, "../bb/v-7.m4s?token=x"),
        "http://relay.test/live/cinema/bb/v-7.m4s"
    );
    assert_eq!(resolve(playlist, "v-7.m4s"), "http://relay.test/live/cinema/aa/v-7.m4s");
}
