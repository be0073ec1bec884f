use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    live::{
        Part, PartFlags,
        cursor::{Cursor, Read},
        retention::LISTED_SEGMENTS,
        testing::{AUDIO, FIRST_MSN, Script, VIDEO, description},
    },
    time::UnixMillis,
};

impl LiveWindow {
    pub(crate) fn check_invariants(&self) {
        for rendition in &self.renditions {
            rendition.check_invariants(self.listing());
        }
        if self.ended() {
            assert!(
                self.renditions.iter().all(|rendition| rendition.open().is_none()),
                "nothing is open after the end"
            );
        }
    }
}

fn at(seconds: u64) -> Monotonic {
    Monotonic(Duration::from_secs(seconds))
}

fn played(script: &Script, retention: Retention) -> LiveWindow {
    let mut window = LiveWindow::new(description(), retention);
    for (now, event) in script.events() {
        window.apply(event, now).unwrap();
        window.expire(now);
    }
    window
}

fn part(msn: u64, part: u32) -> Part {
    Part {
        id: PartId {
            rendition: VIDEO,
            msn: Msn(msn),
            part,
        },
        init_id: 0,
        dts: msn * 1000 + u64::from(part),
        duration: 1,
        program_date_time: UnixMillis(0),
        flags: PartFlags {
            independent: part == 0,
            ..PartFlags::default()
        },
        body: Bytes::from_static(b"media"),
    }
}

fn with_init() -> LiveWindow {
    let mut window = LiveWindow::new(description(), Retention::origin());
    let body = Bytes::from_static(b"init");
    window
        .apply(
            LiveEvent::Init {
                rendition: VIDEO,
                init_id: 0,
                body,
            },
            at(0),
        )
        .unwrap();
    window
}

/// Bounded by count alone.
fn thirty_segments() -> Retention {
    Retention {
        listed_for: Duration::from_secs(3600),
        ..Retention::origin()
    }
}

#[test]
fn the_list_holds_thirty_segments_and_gaps_leave_it_first() {
    let window = played(&Script::steady(25), thirty_segments());
    assert_eq!(window.first_listed_gap(VIDEO), Some(Msn(2)));
    assert_eq!(window.segments(VIDEO).count(), 25);
    let window = played(&Script::steady(40), thirty_segments());
    assert_eq!(window.first_listed_gap(VIDEO), None);
    assert_eq!(window.segments(VIDEO).count(), LISTED_SEGMENTS);
    assert_eq!(window.segments(AUDIO).next().unwrap().msn(), Msn(17));
}

/// Segments as OBS makes them by default: a key frame every 250 frames at 30 a second.
fn long_segments(count: u64) -> Vec<LiveEvent> {
    const TICKS: u64 = 90_000 * 25 / 3;
    let init = LiveEvent::Init {
        rendition: VIDEO,
        init_id: 0,
        body: Bytes::from_static(b"init"),
    };
    let segment = |number: u64| {
        let mut part = part(FIRST_MSN.0 + number, 0);
        part.dts = number * TICKS;
        part.duration = u32::try_from(TICKS).unwrap();
        part.flags.last = true;
        LiveEvent::Part(part)
    };
    std::iter::once(init).chain((0..count).map(segment)).collect()
}

fn numbers(window: &LiveWindow) -> Vec<u64> {
    let gaps = window
        .first_listed_gap(VIDEO)
        .map_or(FIRST_MSN.0..FIRST_MSN.0, |gap| gap.0..FIRST_MSN.0);
    gaps.chain(window.segments(VIDEO).map(|segment| segment.msn().0))
        .collect()
}

#[test]
fn long_segments_leave_when_enough_is_listed_without_them() {
    let long = Arc::new(EpochDescription {
        ladder: Vec::new(),
        audio_only: false,
        opens_early: false,
        parent: None,
        target_duration_s: 9,
        ..(*description()).clone()
    });
    let mut window = LiveWindow::new(long.clone(), Retention::origin());
    let mut mirror = LiveWindow::new(long.clone(), Retention::relay());
    let mut before = numbers(&window);
    assert_eq!(before, [0, 1, 2, 3, 4, 5, 6]);
    for event in long_segments(40) {
        window.apply(event.clone(), at(0)).unwrap();
        mirror.apply(event, at(0)).unwrap();
        window.check_invariants();
        let now = numbers(&window);
        assert!(now.is_sorted_by(|a, b| a + 1 == *b), "no holes: {now:?}");
        assert!(now.first() >= before.first(), "nothing comes back: {now:?}");
        assert!(now.len() >= 7);
        assert_eq!(numbers(&mirror), now);
        let late = LiveWindow::from_records(long.clone(), window.records(), Retention::relay(), at(0)).unwrap();
        assert_eq!(numbers(&late), now, "a relay that comes late lists the same");
        before = now;
    }
    assert_eq!(window.segments(VIDEO).count(), 7, "58 s: six target durations are 54 s");
    assert_eq!(
        window.segment(VIDEO, FIRST_MSN),
        SegmentLookup::Here(vec![Bytes::from_static(b"media")])
    );
}

#[test]
fn seven_segments_of_the_longest_kind_stay() {
    let longest = Arc::new(EpochDescription {
        ladder: Vec::new(),
        audio_only: false,
        opens_early: false,
        parent: None,
        target_duration_s: 12,
        ..(*description()).clone()
    });
    let retention = Retention {
        listed_for: Duration::ZERO,
        ..Retention::origin()
    };
    let mut window = LiveWindow::new(longest, retention);
    for event in long_segments(40) {
        window.apply(event, at(0)).unwrap();
    }
    assert_eq!(
        window.segments(VIDEO).count(),
        9,
        "six target durations of segments that are shorter"
    );
    let retention = Retention {
        listed_for: Duration::ZERO,
        ..Retention::origin()
    };
    let mut window = LiveWindow::new(description(), retention);
    for event in long_segments(40) {
        window.apply(event, at(0)).unwrap();
    }
    assert_eq!(window.segments(VIDEO).count(), 7);
}

#[test]
fn the_edge_names_the_part_that_comes_next() {
    let mut window = with_init();
    assert_eq!(
        window.edge(VIDEO),
        Some(Edge {
            last_complete: None,
            open: Msn(7),
            open_parts: 0
        })
    );
    window.apply(LiveEvent::Part(part(7, 0)), at(0)).unwrap();
    assert_eq!(
        window.edge(VIDEO),
        Some(Edge {
            last_complete: None,
            open: Msn(7),
            open_parts: 1
        })
    );
    window
        .apply(
            LiveEvent::SegmentEnd {
                rendition: VIDEO,
                msn: Msn(7),
            },
            at(0),
        )
        .unwrap();
    assert_eq!(
        window.edge(VIDEO),
        Some(Edge {
            last_complete: Some(Msn(7)),
            open: Msn(8),
            open_parts: 0
        })
    );
    window.apply(LiveEvent::Part(part(8, 0)), at(0)).unwrap();
    assert_eq!(window.next(VIDEO), (Msn(8), 1));
    assert_eq!(window.edge(RenditionId(9)), None);
}

#[test]
fn what_does_not_follow_is_refused() {
    let mut window = with_init();
    let due = (Msn(7), 0);
    let got = part(7, 1).id;
    let refused = window.apply(LiveEvent::Part(part(7, 1)), at(0));
    assert_eq!(refused, Err(WindowError::OutOfOrder { got, due }));
    let mut unknown_init = part(7, 0);
    unknown_init.init_id = 1;
    let rule = PartRule::UnknownInit;
    let id = unknown_init.id;
    assert_eq!(
        window.apply(LiveEvent::Part(unknown_init), at(0)),
        Err(WindowError::BadPart { id, rule })
    );
    window.apply(LiveEvent::Part(part(7, 0)), at(0)).unwrap();
    let again = window.apply(LiveEvent::Part(part(7, 0)), at(0));
    assert!(matches!(again, Err(WindowError::OutOfOrder { due: (Msn(7), 1), .. })));
    let msn = Msn(8);
    let refused = window.apply(LiveEvent::SegmentEnd { rendition: VIDEO, msn }, at(0));
    assert_eq!(refused, Err(WindowError::SegmentNotOpen { rendition: VIDEO, msn }));
    let refused = window.apply(LiveEvent::End, at(0));
    assert_eq!(
        refused,
        Err(WindowError::EndInsideSegment {
            rendition: VIDEO,
            msn: Msn(7)
        })
    );
}

#[test]
fn lookups_tell_what_is_here_what_comes_and_what_never_was() {
    let window = played(&Script::steady(3), Retention::origin());
    let id = |msn, part| PartId {
        rendition: VIDEO,
        msn: Msn(msn),
        part,
    };
    assert_eq!(window.part(id(8, 3)), Lookup::Here(Bytes::from_static(b"0/8.3")));
    assert_eq!(
        window.part(id(8, 4)),
        Lookup::Unknown,
        "the segment ended before the hinted part"
    );
    assert_eq!(window.part(id(10, 0)), Lookup::NotYet);
    assert_eq!(window.part(id(11, 2)), Lookup::NotYet);
    assert_eq!(window.part(id(10, NOT_YET_PARTS)), Lookup::Unknown);
    assert_eq!(window.part(id(3, 0)), Lookup::Unknown, "a gap has no media");
    assert!(matches!(window.segment(VIDEO, Msn(9)), SegmentLookup::Here(rope) if rope.len() == 4));
    assert_eq!(window.segment(VIDEO, Msn(10)), SegmentLookup::NotYet);
    assert_eq!(window.segment(VIDEO, Msn(11)), SegmentLookup::Unknown);
}

#[test]
fn a_lost_part_is_a_gap_in_its_segment() {
    let mut window = with_init();
    window.apply(LiveEvent::Part(part(7, 0)), at(0)).unwrap();
    let mut lost = part(7, 1);
    lost.flags = PartFlags {
        gap: true,
        last: true,
        ..PartFlags::default()
    };
    assert!(
        window.apply(LiveEvent::Part(lost.clone()), at(0)).is_err(),
        "a gap has no body"
    );
    lost.body = Bytes::new();
    window.apply(LiveEvent::Part(lost.clone()), at(0)).unwrap();
    assert_eq!(window.part(lost.id), Lookup::Unknown);
    assert!(window.segments(VIDEO).next().unwrap().has_gap());
}

#[test]
fn the_origin_keeps_what_left_the_list_for_the_length_of_the_list() {
    let mut window = played(&Script::steady(31), thirty_segments());
    let first = PartId {
        rendition: VIDEO,
        msn: FIRST_MSN,
        part: 0,
    };
    // Segment 7 left when the last one closed, at 10 + 31 * 2 s.
    window.expire(at(72 + 61));
    assert!(matches!(window.part(first), Lookup::Here(_)));
    assert!(matches!(window.segment(VIDEO, FIRST_MSN), SegmentLookup::Here(_)));
    let held = window.held_bytes();
    window.expire(at(72 + 65));
    assert_eq!(window.part(first), Lookup::Unknown);
    assert!(window.held_bytes() < held);
    assert_eq!(window.segments(VIDEO).count(), LISTED_SEGMENTS);
}

#[test]
fn a_relay_drops_bodies_early_and_knows_that_they_can_be_fetched() {
    let mut window = played(&Script::steady(31), Retention::relay());
    window.expire(at(80));
    let first = PartId {
        rendition: VIDEO,
        msn: FIRST_MSN,
        part: 0,
    };
    assert_eq!(window.part(first), Lookup::Absent);
    assert_eq!(window.segment(VIDEO, FIRST_MSN), SegmentLookup::Absent);
    assert_eq!(
        window.fill(first, Bytes::from_static(b"0/7.0")),
        Ok(false),
        "not wanted any more"
    );
    window.expire(at(72 + 65));
    assert_eq!(window.part(first), Lookup::Unknown);
}

#[test]
fn init_segments_stay_while_anything_needs_them() {
    let script = Script {
        breaks: vec![3],
        ..Script::steady(50)
    };
    let mut window = played(&Script { segments: 20, ..script }, Retention::origin());
    assert!(window.init(VIDEO, 0).is_some() && window.init(VIDEO, 1).is_some());
    let script = Script {
        breaks: vec![3],
        ..Script::steady(50)
    };
    window = played(&script, Retention::origin());
    window.expire(at(500));
    assert!(window.init(VIDEO, 0).is_none() && window.init(VIDEO, 1).is_some());
    let older = LiveEvent::Init {
        rendition: VIDEO,
        init_id: 0,
        body: Bytes::from_static(b"x"),
    };
    assert!(matches!(window.apply(older, at(500)), Err(WindowError::BadInit { .. })));
}

#[test]
fn a_late_relay_starts_from_records_and_fills_bodies_in() {
    let origin = played(
        &Script {
            breaks: vec![20],
            ..Script::steady(40)
        },
        Retention::origin(),
    );
    let records = origin.records();
    let mut relay = LiveWindow::from_records(
        origin.description().clone(),
        records.clone(),
        Retention::relay(),
        at(90),
    )
    .unwrap();
    assert_eq!(relay.records(), records);
    assert_eq!(relay.next(VIDEO), origin.next(VIDEO));
    let id = PartId {
        rendition: VIDEO,
        msn: Msn(30),
        part: 2,
    };
    assert_eq!(relay.part(id), Lookup::Absent);
    let too_long = relay.fill(PartId { part: 3, ..id }, Bytes::from_static(b"much too long"));
    assert_eq!(too_long, Err(WindowError::BodySize { expected: 6, got: 13 }));
    assert_eq!(relay.fill(id, Bytes::from_static(b"0/30.2")), Ok(true));
    assert!(matches!(relay.part(id), Lookup::Here(_)));
    assert_eq!(
        relay.fill(id, Bytes::from_static(b"other.")),
        Ok(false),
        "a body that is here never changes"
    );
}

#[test]
fn records_that_are_not_those_of_a_window_are_refused() {
    let origin = played(
        &Script {
            breaks: vec![2],
            ..Script::steady(4)
        },
        Retention::origin(),
    );
    let refused = |spoil: &dyn Fn(&mut Vec<SegmentRecord>)| {
        let mut records = origin.records();
        spoil(&mut records.renditions[0]);
        let window = LiveWindow::from_records(origin.description().clone(), records, Retention::relay(), at(0));
        match window {
            Err(WindowError::BadRecords { rule, .. }) => rule,
            other => panic!("taken: {other:?}"),
        }
    };
    assert_eq!(refused(&|s| drop(s.remove(1))), RecordRule::Numbers);
    assert_eq!(refused(&|s| s[0].msn = Msn(u64::MAX)), RecordRule::Numbers);
    assert_eq!(refused(&|s| s[1].parts.clear()), RecordRule::NoParts);
    assert_eq!(refused(&|s| s[3].discontinuity_number = 5), RecordRule::Discontinuity);
    assert_eq!(refused(&|s| s[1].parts[0].flags.last = true), RecordRule::LastFlag);
    assert_eq!(
        refused(&|s| s[1].parts[0].duration = 0),
        RecordRule::Part(PartRule::NoDuration)
    );
    assert_eq!(
        refused(&|s| s[1].parts[3].size = u32::MAX),
        RecordRule::Part(PartRule::TooLong)
    );
    let mut empty = origin.records();
    empty.renditions.pop();
    let window = LiveWindow::from_records(origin.description().clone(), empty, Retention::relay(), at(0));
    assert!(matches!(
        window,
        Err(WindowError::BadRecords {
            rule: RecordRule::RenditionCount,
            ..
        })
    ));
}

#[test]
fn the_same_epoch_given_anew_takes_over_the_bodies() {
    let before = played(&Script::steady(5), Retention::relay());
    let after = played(&Script::steady(8), Retention::origin());
    let mut window =
        LiveWindow::from_records(after.description().clone(), after.records(), Retention::relay(), at(90)).unwrap();
    window.adopt(&before);
    let id = |msn| PartId {
        rendition: AUDIO,
        msn: Msn(msn),
        part: 1,
    };
    assert!(matches!(window.part(id(11)), Lookup::Here(_)));
    assert_eq!(window.part(id(12)), Lookup::Absent);
    assert!(window.init(AUDIO, 0).is_some());
    window.check_invariants();
}

#[derive(Clone, Debug)]
enum Op {
    Part {
        rendition: u8,
        flags: PartFlags,
        init_id: u32,
    },
    Stray {
        rendition: u8,
        msn: u64,
        part: u32,
    },
    SegmentEnd {
        rendition: u8,
        msn_back: u64,
    },
    Init {
        rendition: u8,
        init_id: u32,
    },
    BitRate {
        rendition: u8,
        peak: u32,
    },
    Fill {
        rendition: u8,
        msn: u64,
        part: u32,
    },
    Wait {
        seconds: u64,
    },
    End,
}

fn op() -> impl Strategy<Value = Op> {
    let flags = (
        any::<bool>(),
        prop::bool::weighted(0.4),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(independent, last, discontinuity, gap)| PartFlags {
            independent,
            last,
            discontinuity,
            gap,
        });
    prop_oneof![
        20 => (0..3u8, flags, 0..3u32).prop_map(|(rendition, flags, init_id)| Op::Part { rendition, flags, init_id }),
        2 => (0..3u8, 0..20u64, 0..5u32).prop_map(|(rendition, msn, part)| Op::Stray { rendition, msn, part }),
        4 => (0..3u8, 0..2u64).prop_map(|(rendition, msn_back)| Op::SegmentEnd { rendition, msn_back }),
        4 => (0..3u8, 0..3u32).prop_map(|(rendition, init_id)| Op::Init { rendition, init_id }),
        1 => (0..3u8, 6_000_000..7_000_000u32).prop_map(|(rendition, peak)| Op::BitRate { rendition, peak }),
        1 => (0..3u8, 0..20u64, 0..5u32).prop_map(|(rendition, msn, part)| Op::Fill { rendition, msn, part }),
        3 => (0..90u64).prop_map(|seconds| Op::Wait { seconds }),
        1 => Just(Op::End),
    ]
}

fn event_of(op: &Op, window: &LiveWindow, dts: u64) -> Option<LiveEvent> {
    Some(match *op {
        Op::Part {
            rendition,
            flags,
            init_id,
        } => {
            let (msn, number) = window.next(RenditionId(rendition));
            let body = if flags.gap {
                Bytes::new()
            } else {
                Bytes::from_static(b"media")
            };
            let id = PartId {
                rendition: RenditionId(rendition),
                msn,
                part: number,
            };
            LiveEvent::Part(Part {
                id,
                init_id,
                dts,
                flags,
                body,
                ..part(0, 0)
            })
        }
        Op::Stray {
            rendition,
            msn,
            part: number,
        } => {
            let id = PartId {
                rendition: RenditionId(rendition),
                msn: Msn(msn),
                part: number,
            };
            LiveEvent::Part(Part { id, dts, ..part(0, 0) })
        }
        Op::SegmentEnd { rendition, msn_back } => {
            let rendition = RenditionId(rendition);
            LiveEvent::SegmentEnd {
                rendition,
                msn: Msn(window.next(rendition).0.0 - msn_back),
            }
        }
        Op::Init { rendition, init_id } => LiveEvent::Init {
            rendition: RenditionId(rendition),
            init_id,
            body: Bytes::from(format!("init{init_id}")),
        },
        Op::BitRate { rendition, peak } => LiveEvent::BitRate {
            rendition: RenditionId(rendition),
            bit_rate: BitRate { peak, average: peak },
        },
        Op::End => LiveEvent::End,
        Op::Fill { .. } | Op::Wait { .. } => return None,
    })
}

/// Lets `mirror` take what `cursor` gives, in bites of `max`.
fn follow(window: &LiveWindow, cursor: &mut Cursor, max: usize, mirror: &mut LiveWindow, now: Monotonic) {
    loop {
        let Read::Events(events) = window.read(cursor, max) else {
            panic!("nothing was dropped yet")
        };
        assert!(events.len() <= max);
        if events.is_empty() {
            return;
        }
        for event in events {
            mirror.apply(event, now).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn any_operations_leave_a_whole_window_that_a_mirror_can_follow(
        ops in prop::collection::vec(op(), 0..200),
        listed_segments in 1..6usize,
        max in 1..5usize,
    ) {
        let retention = Retention { listed_segments, ..Retention::origin() };
        let mut window = LiveWindow::new(description(), retention);
        let mut mirror = window.clone();
        let mut cursor = window.cursor_at(&[(FIRST_MSN, 0), (FIRST_MSN, 0)]);
        let mut now = Monotonic::default();
        for (dts, op) in (0u64..).zip(&ops) {
            let before = (window.records(), window.held_bytes(), window.version(VIDEO), window.ended());
            if let Some(event) = event_of(op, &window, dts) {
                if window.apply(event, now).is_err() {
                    let after = (window.records(), window.held_bytes(), window.version(VIDEO), window.ended());
                    prop_assert_eq!(before, after);
                }
            } else if let Op::Fill { rendition, msn, part } = *op {
                let id = PartId { rendition: RenditionId(rendition), msn: Msn(msn), part };
                let filled = window.fill(id, Bytes::from_static(b"media"));
                prop_assert!(!matches!(filled, Ok(true)), "all bodies are here");
            } else if let Op::Wait { seconds } = *op {
                now = now + Duration::from_secs(seconds);
                window.expire(now);
                mirror.expire(now);
            }
            window.check_invariants();
            follow(&window, &mut cursor, max, &mut mirror, now);
            mirror.check_invariants();
            prop_assert_eq!(window.records(), mirror.records());
            prop_assert_eq!(window.ended(), mirror.ended());
            prop_assert_eq!(window.description(), mirror.description());
        }
        let late = LiveWindow::from_records(window.description().clone(), window.records(), retention, now).unwrap();
        late.check_invariants();
        prop_assert_eq!(late.records(), window.records());
    }
}
