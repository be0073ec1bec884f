use std::time::Duration;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    id::{Msn, PartId, RenditionId, Rung},
    live::{
        BitRate, EpochDescription, LiveEvent, PartFlags, RenditionDescription, RenditionFormat,
        window::{PartRecord, Retention, SegmentRecord, WindowRecords},
    },
    time::UnixMillis,
    wire::{control::UpstreamFrame, media::PartOutline},
};

const EPOCH: Epoch = Epoch(5);
const VIDEO: RenditionId = RenditionId(0);
const TICKS: u64 = 45_000;

fn channel() -> ChannelId {
    ChannelId::source("cinema".parse().unwrap())
}

fn rung() -> ChannelId {
    ChannelId {
        rung: Some(Rung::P480),
        ..channel()
    }
}

fn at(millis: u64) -> Monotonic {
    Monotonic(Duration::from_millis(millis))
}

fn subscriber() -> Subscriber {
    Subscriber::new(SubscriberConfig {
        name: "relay".to_owned(),
        public_url: "http://relay.test".to_owned(),
        software: "test".to_owned(),
        retention: Retention::relay(),
        seed: 1,
    })
}

fn outputs(subscriber: &mut Subscriber) -> Vec<Output> {
    std::iter::from_fn(|| subscriber.poll()).collect()
}

fn welcome() -> Input {
    Input::Frame(UpstreamFrame::Welcome {
        relay_id: "r1".to_owned(),
        keys: String::new(),
        revocations: Vec::new(),
        rooms: Vec::new(),
        public_urls: Vec::new(),
    })
}

/// A subscriber whose link is up and which follows the channel.
fn following() -> Subscriber {
    let mut subscriber = subscriber();
    for input in [Input::Connected, welcome(), Input::Interest(channel())] {
        subscriber.handle(at(0), input);
    }
    outputs(&mut subscriber);
    subscriber
}

fn description() -> EpochDescription {
    EpochDescription {
        ladder: Vec::new(),
        audio_only: false,
        opens_early: false,
        parent: None,
        epoch: EPOCH,
        target_duration_s: 2,
        part_target_ms: 500,
        first_msn: Msn(7),
        renditions: vec![RenditionDescription {
            format: RenditionFormat::Video {
                range: Default::default(),
                captions: crate::media::captions::Captions::default(),
                width: 16,
                height: 16,
                frame_rate_millihertz: 30_000,
            },
            codecs: "avc1".to_owned(),
            timescale: 90_000,
            bit_rate: BitRate { peak: 1, average: 1 },
        }],
    }
}

fn record(number: u64) -> PartRecord {
    PartRecord {
        dts: number * TICKS,
        duration: TICKS as u32,
        program_date_time: UnixMillis(number as i64 * 500),
        flags: PartFlags {
            independent: number == 0,
            ..PartFlags::default()
        },
        size: 10,
    }
}

/// A window with one open segment of `parts` parts.
fn window(parts: u64) -> Input {
    let segment = (parts > 0).then(|| SegmentRecord {
        msn: Msn(7),
        init_id: 0,
        discontinuity_number: 0,
        complete: false,
        parts: (0..parts).map(record).collect(),
    });
    let records = WindowRecords {
        renditions: vec![segment.into_iter().collect()],
    };
    Input::Frame(UpstreamFrame::Window {
        channel: channel(),
        description: description(),
        records,
    })
}

fn init() -> Input {
    let body = Bytes::from_static(b"init");
    Input::Frame(UpstreamFrame::Init {
        channel: channel(),
        epoch: EPOCH,
        rendition: VIDEO,
        init_id: 0,
        body,
    })
}

fn part_of(msn: u64, part: u32, len: usize) -> Input {
    let record = record((msn - 7) * 4 + u64::from(part));
    let header = PartHeader {
        channel: channel(),
        epoch: EPOCH,
        id: PartId {
            rendition: VIDEO,
            msn: Msn(msn),
            part,
        },
        init_id: 0,
        dts: record.dts,
        duration: record.duration,
        program_date_time: record.program_date_time,
        flags: record.flags,
        body_len: len as u32,
    };
    Input::Part {
        header,
        body: Bytes::from(vec![1; len]),
    }
}

fn part(number: u32) -> Input {
    part_of(7, number, 10)
}

/// Numbers of the parts that were applied, and whether each is a gap.
fn applied(outputs: &[Output]) -> Vec<(u32, bool)> {
    let part = |output: &Output| match output {
        Output::Apply {
            event: LiveEvent::Part(part),
            ..
        } => Some((part.id.part, part.flags.gap)),
        _ => None,
    };
    outputs.iter().filter_map(part).collect()
}

fn connects_after(subscriber: &mut Subscriber) -> Duration {
    match outputs(subscriber).last() {
        Some(Output::Connect { after }) => *after,
        other => panic!("a dial was expected, not {other:?}"),
    }
}

#[test]
fn rooms_are_subscribed_when_upstream_has_greeted() {
    let mut subscriber = subscriber();
    assert!(matches!(
        outputs(&mut subscriber)[..],
        [Output::Connect { after: Duration::ZERO }]
    ));
    subscriber.handle(at(0), Input::Interest(channel()));
    subscriber.handle(at(0), Input::Connected);
    assert!(matches!(
        outputs(&mut subscriber)[..],
        [Output::Frame(DownstreamFrame::Hello { .. })]
    ));
    subscriber.handle(at(0), welcome());
    assert!(matches!(
        outputs(&mut subscriber)[..],
        [Output::Frame(DownstreamFrame::Subscribe { resume: None, .. })]
    ));
}

#[test]
fn a_relay_that_is_not_wanted_waits_a_minute() {
    let mut subscriber = following();
    subscriber.handle(at(0), Input::Disconnected { may_return: false });
    assert_eq!(connects_after(&mut subscriber), UNWANTED_WAIT);
    subscriber.handle(at(0), Input::Connected);
    subscriber.handle(
        at(0),
        Input::Frame(UpstreamFrame::GoAway {
            reason: "removed".to_owned(),
        }),
    );
    assert!(matches!(outputs(&mut subscriber).last(), Some(Output::Close { .. })));
    subscriber.handle(at(0), Input::Disconnected { may_return: true });
    assert_eq!(connects_after(&mut subscriber), UNWANTED_WAIT);
    subscriber.handle(at(0), Input::Disconnected { may_return: true });
    assert!(connects_after(&mut subscriber) < Duration::from_secs(1));
}

#[test]
fn parts_that_come_before_their_window_wait_for_it_a_second() {
    for (wait, expected) in [(999, vec![(0, false), (1, false)]), (1000, vec![])] {
        let mut subscriber = following();
        subscriber.handle(at(0), part(1));
        subscriber.handle(at(0), part(0));
        subscriber.handle(at(wait), Input::Tick);
        subscriber.handle(at(wait), window(0));
        subscriber.handle(at(wait), init());
        assert_eq!(applied(&outputs(&mut subscriber)), expected);
    }
}

#[test]
fn a_part_of_the_past_fills_its_place() {
    let mut subscriber = following();
    subscriber.handle(at(0), window(3));
    subscriber.handle(at(0), part(2));
    let outputs = outputs(&mut subscriber);
    assert!(matches!(
        outputs[..],
        [
            Output::PutWindow { .. },
            Output::Fill {
                id: PartId { part: 2, .. },
                ..
            }
        ]
    ));
}

#[test]
fn a_part_that_was_skipped_is_fetched_at_once_and_a_gap_as_soon_as_it_is_gone() {
    let mut subscriber = following();
    for input in [window(1), init(), part(2)] {
        subscriber.handle(at(0), input);
    }
    outputs(&mut subscriber);
    let id = PartId {
        rendition: VIDEO,
        msn: Msn(7),
        part: 1,
    };
    let outline = PartOutline {
        init_id: 0,
        record: record(1),
    };
    subscriber.handle(
        at(10),
        Input::Frame(UpstreamFrame::Skipped {
            channel: channel(),
            epoch: EPOCH,
            id,
            outline,
        }),
    );
    assert!(matches!(outputs(&mut subscriber)[..], [Output::Fetch { id: asked, .. }] if asked == id));
    let outcome = FetchOutcome::Gone;
    subscriber.handle(
        at(20),
        Input::Fetched {
            channel: channel(),
            epoch: EPOCH,
            id,
            outcome,
        },
    );
    assert_eq!(applied(&outputs(&mut subscriber)), [(1, true), (2, false)]);
}

#[test]
fn a_gap_stays_a_gap_in_a_new_window_of_the_epoch() {
    let mut subscriber = following();
    for input in [window(1), init(), part(2)] {
        subscriber.handle(at(0), input);
    }
    subscriber.handle(at(6000), Input::Tick);
    assert_eq!(applied(&outputs(&mut subscriber)), [(1, true), (2, false)]);
    subscriber.handle(at(6001), window(4));
    let outputs = outputs(&mut subscriber);
    let Some(Output::PutWindow { window, .. }) = outputs.first() else {
        panic!("a window was expected")
    };
    let segment = window.kept_segment(VIDEO, Msn(7)).unwrap();
    let gaps: Vec<bool> = segment.parts().iter().map(|part| part.record.flags.gap).collect();
    assert_eq!(gaps, [false, true, false, false]);
}

#[test]
fn a_late_part_is_asked_for_after_one_and_a_half_part_targets() {
    let mut subscriber = following();
    for input in [window(1), init(), part(2)] {
        subscriber.handle(at(0), input);
    }
    outputs(&mut subscriber);
    assert_eq!(subscriber.next_timeout(), Some(at(750)));
    subscriber.handle(at(749), Input::Tick);
    assert!(outputs(&mut subscriber).is_empty());
    subscriber.handle(at(750), Input::Tick);
    assert!(matches!(outputs(&mut subscriber)[..], [Output::Fetch { .. }]));
}

#[test]
fn a_part_that_is_gone_upstream_is_lost_at_once() {
    for (missing, becomes_gap) in [(1, true), (0, false)] {
        let mut subscriber = following();
        let known = u64::from(missing);
        for input in [window(known), init(), part(missing + 1)] {
            subscriber.handle(at(0), input);
        }
        subscriber.handle(at(750), Input::Tick);
        outputs(&mut subscriber);
        let id = PartId {
            rendition: VIDEO,
            msn: Msn(7),
            part: missing,
        };
        subscriber.handle(
            at(800),
            Input::Fetched {
                channel: channel(),
                epoch: EPOCH,
                id,
                outcome: FetchOutcome::Gone,
            },
        );
        subscriber.handle(at(800), Input::Tick);
        let outputs = outputs(&mut subscriber);
        if becomes_gap {
            assert_eq!(applied(&outputs), [(1, true), (2, false)]);
        } else {
            // What stood before it in the timeline only a new window tells.
            assert!(
                matches!(outputs[..], [Output::Frame(DownstreamFrame::Subscribe { .. })]),
                "{outputs:?}"
            );
        }
    }
}

fn offline() -> Input {
    Input::Frame(UpstreamFrame::Offline { channel: channel() })
}

/// Ticks as its driver does, with a viewer all the time, and gives what came out last.
fn run(subscriber: &mut Subscriber, seconds: std::ops::Range<u64>) -> Vec<Output> {
    let mut last = Vec::new();
    for second in seconds {
        subscriber.handle(at(second * 1000), Input::Interest(channel()));
        subscriber.handle(at(second * 1000), Input::Tick);
        last.extend(outputs(subscriber));
    }
    last
}

#[test]
fn an_epoch_stays_open_while_a_restarted_origin_waits_for_its_publisher() {
    let mut subscriber = following();
    for input in [window(2), init(), offline()] {
        subscriber.handle(at(0), input);
    }
    outputs(&mut subscriber);
    let nothing = run(&mut subscriber, 1..60);
    assert!(nothing.is_empty(), "{nothing:?}");
    subscriber.handle(at(60_000), offline());
    let description = EpochDescription {
        ladder: Vec::new(),
        audio_only: false,
        opens_early: false,
        parent: None,
        epoch: Epoch(6),
        first_msn: Msn(1007),
        ..description()
    };
    subscriber.handle(
        at(60_000),
        Input::Frame(UpstreamFrame::Window {
            channel: channel(),
            description,
            records: WindowRecords {
                renditions: vec![Vec::new()],
            },
        }),
    );
    assert!(matches!(
        outputs(&mut subscriber)[..],
        [
            Output::Apply {
                event: LiveEvent::SegmentEnd { .. },
                ..
            },
            Output::Apply {
                event: LiveEvent::End,
                ..
            },
            Output::PutWindow { .. }
        ]
    ));
    assert!(run(&mut subscriber, 61..300).is_empty(), "nothing is left to end");
}

#[test]
fn a_link_that_comes_and_goes_does_not_keep_a_dead_epoch_open() {
    let mut subscriber = following();
    for input in [window(2), init(), offline()] {
        subscriber.handle(at(0), input);
    }
    assert!(run(&mut subscriber, 1..80).len() <= 2);
    subscriber.handle(at(80_000), Input::Disconnected { may_return: true });
    outputs(&mut subscriber);
    let nothing = run(&mut subscriber, 80..100);
    assert!(nothing.is_empty(), "{nothing:?}");
    for input in [Input::Connected, welcome(), offline(), Input::Tick] {
        subscriber.handle(at(100_000), input);
    }
    assert!(matches!(outputs(&mut subscriber).last(), Some(Output::Offline { .. })));
}

#[test]
fn an_epoch_whose_end_was_told_is_not_held_open() {
    let mut subscriber = following();
    let end = Input::Frame(UpstreamFrame::End {
        channel: channel(),
        epoch: EPOCH,
    });
    for input in [window(2), init(), end, offline()] {
        subscriber.handle(at(0), input);
    }
    assert!(matches!(outputs(&mut subscriber).last(), Some(Output::Offline { .. })));
}

#[test]
fn an_epoch_that_nobody_goes_on_with_ends() {
    let mut subscriber = following();
    for input in [window(2), init()] {
        subscriber.handle(at(0), input);
    }
    outputs(&mut subscriber);
    subscriber.handle(at(0), offline());
    assert!(run(&mut subscriber, 0..90).is_empty());
    assert_eq!(subscriber.next_timeout(), Some(at(90_000)));
    let outputs = run(&mut subscriber, 90..91);
    let [
        Output::Apply { event: first, .. },
        Output::Apply { event: second, .. },
        Output::Offline { .. },
    ] = &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!(
        *first,
        LiveEvent::SegmentEnd {
            rendition: VIDEO,
            msn: Msn(7)
        }
    );
    assert_eq!(*second, LiveEvent::End);
}

#[test]
fn a_window_that_is_none_is_asked_for_again_with_pauses() {
    let mut subscriber = following();
    let bad = || {
        let description = EpochDescription {
            ladder: Vec::new(),
            audio_only: false,
            opens_early: false,
            parent: None,
            renditions: Vec::new(),
            ..description()
        };
        Input::Frame(UpstreamFrame::Window {
            channel: channel(),
            description,
            records: WindowRecords::default(),
        })
    };
    let mut asked = 0;
    for millis in (0..10_000).step_by(100) {
        subscriber.handle(at(millis), bad());
        subscriber.handle(at(millis), Input::Tick);
        let subscribes = |output: &Output| matches!(output, Output::Frame(DownstreamFrame::Subscribe { .. }));
        asked += outputs(&mut subscriber)
            .iter()
            .filter(|output| subscribes(output))
            .count();
    }
    assert_eq!(asked, 5);
}

#[test]
fn what_waits_is_bounded_before_and_behind_the_window() {
    let mut subscriber = following();
    for number in 0..20 {
        subscriber.handle(at(0), part_of(7, number, 1 << 20));
    }
    assert_eq!(subscriber.held_bytes(), MAX_ORPHAN_BYTES);
    subscriber.handle(at(0), window(0));
    for number in 1..40 {
        subscriber.handle(at(0), part_of(8, number, 1 << 20));
    }
    assert_eq!(subscriber.held_bytes(), MAX_HELD_BYTES);
    subscriber.handle(at(0), Input::Disconnected { may_return: true });
    assert_eq!(subscriber.held_bytes(), 0);
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..40, Just(u64::MAX), Just(u64::MAX - 1), any::<u64>()]
}

fn any_input() -> impl Strategy<Value = Input> {
    let small = prop_oneof![0u32..8, Just(u32::MAX), Just(511)];
    prop_oneof![
        (number(), small.clone(), number(), any::<[bool; 4]>()).prop_map(|(msn, part, dts, flags)| {
            let [independent, last, discontinuity, gap] = flags;
            let header = PartHeader {
                channel: channel(),
                epoch: EPOCH,
                id: PartId {
                    rendition: VIDEO,
                    msn: Msn(msn),
                    part,
                },
                init_id: 0,
                dts,
                duration: part,
                program_date_time: UnixMillis(i64::MAX),
                flags: PartFlags {
                    independent,
                    last,
                    discontinuity,
                    gap,
                },
                body_len: 3,
            };
            Input::Part {
                header,
                body: Bytes::from_static(b"abc"),
            }
        }),
        (number(), small.clone()).prop_map(|(msn, parts)| {
            let (channel, rendition, msn) = (channel(), VIDEO, Msn(msn));
            Input::Frame(UpstreamFrame::SegmentEnd {
                channel,
                epoch: EPOCH,
                rendition,
                msn,
                parts,
            })
        }),
        (number(), small, number()).prop_map(|(msn, part, dts)| {
            let id = PartId {
                rendition: VIDEO,
                msn: Msn(msn),
                part,
            };
            let outline = PartOutline {
                init_id: 0,
                record: PartRecord { dts, ..record(1) },
            };
            Input::Frame(UpstreamFrame::Skipped {
                channel: channel(),
                epoch: EPOCH,
                id,
                outline,
            })
        }),
        Just(Input::Frame(UpstreamFrame::End {
            channel: channel(),
            epoch: EPOCH
        })),
        Just(window(2)),
        Just(init()),
        Just(Input::Tick),
        Just(Input::Refused(channel())),
        Just(Input::Disconnected { may_return: true }),
        Just(Input::Connected),
        Just(welcome()),
    ]
    .boxed()
}

proptest! {
    /// Whatever upstream sends: no panic, parts in order, each place once.
    #[test]
    fn no_upstream_can_break_the_order(inputs in vec((any_input(), 0u64..3000), 0..60)) {
        let mut subscriber = following();
        let (mut now, mut next) = (0, None);
        for (input, wait) in inputs {
            now += wait;
            subscriber.handle(at(now), input);
            subscriber.handle(at(now), Input::Interest(channel()));
            for output in outputs(&mut subscriber) {
                match output {
                    Output::PutWindow { window, .. } => next = Some(window.next(VIDEO)),
                    Output::Apply { event: LiveEvent::Part(part), .. } => {
                        prop_assert_eq!(next, Some((part.id.msn, part.id.part)));
                        next = Some(if part.flags.last {
                            (part.id.msn.next(), 0)
                        } else {
                            (part.id.msn, part.id.part + 1)
                        });
                    }
                    Output::Apply { event: LiveEvent::SegmentEnd { msn, .. }, .. } => {
                        prop_assert_eq!(next.map(|next| next.0), Some(msn));
                        next = Some((msn.next(), 0));
                    }
                    _ => {}
                }
            }
        }
    }
}

/// What comes of the frames for a subscriber that watches the rung, too.
fn told(frames: Vec<UpstreamFrame>) -> (Subscriber, Vec<Output>) {
    let mut subscriber = following();
    subscriber.handle(at(0), Input::Interest(rung()));
    for frame in frames {
        subscriber.handle(at(0), Input::Frame(frame));
    }
    let outputs = outputs(&mut subscriber);
    (subscriber, outputs)
}

fn rung_window(parts: u64) -> UpstreamFrame {
    let Input::Frame(UpstreamFrame::Window {
        description, records, ..
    }) = window(parts)
    else {
        unreachable!("it is one")
    };
    UpstreamFrame::Window {
        channel: rung(),
        description,
        records,
    }
}

fn ends(outputs: &[Output], of: &ChannelId) -> bool {
    let is_end =
        |output: &Output| matches!(output, Output::Apply { channel, event: LiveEvent::End, .. } if channel == of);
    outputs.iter().any(is_end)
}

#[test]
fn a_rung_is_left_sooner_than_its_source() {
    let (mut subscriber, _) = told(vec![rung_window(1)]);
    subscriber.handle(at(0), Input::Interest(channel()));
    let mut left = Vec::new();
    while let Some(wake_at) = subscriber.next_timeout().filter(|_| left.len() < 2) {
        subscriber.handle(wake_at, Input::Tick);
        left.extend(outputs(&mut subscriber).into_iter().filter_map(|output| match output {
            Output::Forget { channel } => Some((channel, wake_at.0)),
            _ => None,
        }));
    }
    assert_eq!(left, [(rung(), RUNG_LINGER), (channel(), LINGER)]);
}

#[test]
fn a_rung_that_is_given_up_ends_at_once_and_one_that_starts_anew_too() {
    let (_, outputs) = told(vec![rung_window(1), UpstreamFrame::Offline { channel: rung() }]);
    assert!(ends(&outputs, &rung()));
    assert!(matches!(outputs.last(), Some(Output::Offline { channel }) if *channel == rung()));
    let (_, outputs) = told(vec![rung_window(1), UpstreamFrame::Starting { channel: rung() }]);
    assert!(ends(&outputs, &rung()));
    assert!(matches!(outputs.last(), Some(Output::Starting { channel }) if *channel == rung()));
}

#[test]
fn a_rung_that_ended_gets_its_last_parts_though_it_is_not_offered_any_more() {
    let end = UpstreamFrame::End {
        channel: rung(),
        epoch: EPOCH,
    };
    let offline = UpstreamFrame::Offline { channel: rung() };
    let (_, outputs) = told(vec![rung_window(1), end, offline]);
    assert!(!ends(&outputs, &rung()), "its segment is open");
    assert!(matches!(outputs.last(), Some(Output::Offline { .. })));
}

#[test]
fn a_room_that_is_gone_takes_its_rungs_along() {
    let gone = UpstreamFrame::RoomGone { room: channel().room };
    let (subscriber, outputs) = told(vec![rung_window(1), gone]);
    let forgotten = outputs.iter().filter(|output| matches!(output, Output::Forget { .. }));
    assert_eq!(forgotten.count(), 2);
    assert_eq!(subscriber.next_timeout(), None);
}
