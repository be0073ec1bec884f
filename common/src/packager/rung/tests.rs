//! A source of 30 frames a second with segments of one second, and an encoder that may fail.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use proptest::prelude::*;

use super::*;
use crate::{
    id::Msn,
    live::{
        BitRate,
        window::{LiveWindow, Retention},
    },
    media::{access_unit::Codec, h264::tests::RECORD_720P30},
    time::{Monotonic, UnixMillis},
};

const FRAMES_A_SEGMENT: i64 = 30;
/// Of the source: so much earlier a frame is decoded than it is shown.
const DELAY_MS: i64 = 66;
const UNIX_MS: i64 = 1_000_000;
const PART_TICKS: u64 = 333 * 90;

fn parent() -> Arc<EpochDescription> {
    let rate = BitRate {
        peak: 1_000_000,
        average: 800_000,
    };
    Arc::new(EpochDescription {
        epoch: Epoch(1),
        target_duration_s: 2,
        part_target_ms: 333,
        first_msn: Msn(7),
        renditions: Vec::new(),
        ladder: vec![RungDescription {
            rung: Rung::P480,
            width: 854,
            height: 480,
            frame_rate_millihertz: 30_000,
            codecs: "avc1.4d401f".to_owned(),
            bit_rate: rate,
        }],
        audio_only: false,
        opens_early: false,
        parent: None,
    })
}

fn config() -> VideoConfig {
    VideoConfig::parse(Codec::H264, &Bytes::from_static(RECORD_720P30)).unwrap()
}

struct Bench {
    packager: RungPackager,
    encoder: bool,
    /// What the encoder was given and has not made yet: when it is shown, and whether it is a key frame.
    inside: VecDeque<(i64, bool)>,
    at_frame: i64,
    segments: u64,
    discontinuity: bool,
    discontinuities: u64,
    /// Of each of the source's segments.
    counts: BTreeMap<u64, u64>,
    window: Option<LiveWindow>,
    ended: bool,
}

impl Bench {
    fn new() -> Self {
        let mut packager = RungPackager::new(Epoch(2), Rung::P480, parent()).unwrap();
        packager.configure(config()).unwrap();
        Self {
            packager,
            encoder: true,
            inside: VecDeque::new(),
            at_frame: 0,
            segments: 0,
            discontinuity: false,
            discontinuities: 3,
            counts: BTreeMap::new(),
            window: None,
            ended: false,
        }
    }

    fn at_ms(frame: i64) -> i64 {
        10_000 + frame * 1000 / 30
    }

    fn tapped(&mut self, tapped: &Tapped) {
        self.packager.source(tapped, self.encoder);
        self.read();
    }

    /// The source's next frames; `encoder`: one is there from the next segment on.
    fn source(&mut self, frames: i64, encoder: bool) {
        for _ in 0..frames {
            let at_ms = Self::at_ms(self.at_frame);
            let sync = self.at_frame % FRAMES_A_SEGMENT == 0 || self.discontinuity;
            if sync {
                self.encoder = encoder;
                let discontinuity = std::mem::take(&mut self.discontinuity);
                self.discontinuities += u64::from(discontinuity);
                self.counts.insert(50 + self.segments, self.discontinuities);
                self.tapped(&Tapped::Segment {
                    msn: Msn(50 + self.segments),
                    at_ms,
                    unix: UnixMillis(UNIX_MS + at_ms),
                    delay_ms: DELAY_MS,
                    discontinuity,
                    discontinuities: self.discontinuities,
                });
                self.segments += 1;
            }
            self.tapped(&Tapped::Frame {
                at_ms,
                composition_ms: i32::try_from(DELAY_MS).unwrap(),
                sync,
                payload: Bytes::from_static(b"source"),
            });
            if self.encoder {
                self.inside.push_back((at_ms + DELAY_MS, sync));
            }
            self.at_frame += 1;
        }
    }

    /// The encoder gives back all but so many frames.
    fn make(&mut self, but: usize) {
        while self.inside.len() > but {
            let (shown_ms, sync) = self.inside.pop_front().unwrap();
            self.packager.made(shown_ms, sync, Bytes::from_static(b"made"));
            self.read();
        }
    }

    /// The encoder is gone with what was in it.
    fn crash(&mut self) {
        self.inside.clear();
        self.encoder = false;
        self.packager.drained();
        self.read();
    }

    /// The source breaks off, the encoder gives back all it has, and the source comes back after a second.
    fn interruption(&mut self) {
        let end_ms = Self::at_ms(self.at_frame);
        self.tapped(&Tapped::Break { end_ms });
        self.make(0);
        self.crash();
        self.at_frame += 30 - self.at_frame % 7;
        self.discontinuity = true;
    }

    fn read(&mut self) {
        while let Some(event) = self.packager.poll() {
            assert!(!self.ended, "{event:?} after the end");
            if let LiveEvent::Start(description) = &event {
                description.validate().unwrap();
                let retention = Retention {
                    listed_segments: 100,
                    ..Retention::origin()
                };
                assert!(self.window.is_none());
                self.window = Some(LiveWindow::new(Arc::clone(description), retention));
                continue;
            }
            self.ended = event == LiveEvent::End;
            let window = self.window.as_mut().expect("a start comes first");
            window.apply(event, Monotonic(Duration::ZERO)).unwrap();
        }
    }

    /// Of each segment: number, start in milliseconds, duration in milliseconds, discontinuities, and whether frames are in it and gaps.
    fn segments(&self) -> Vec<(u64, u64, u64, u64, bool, bool)> {
        let segments = self.window.as_ref().unwrap().segments(RenditionId(0));
        segments
            .map(|segment| {
                let gaps = segment.parts().iter().filter(|part| part.record.flags.gap).count();
                assert!(
                    segment
                        .parts()
                        .iter()
                        .all(|part| u64::from(part.record.duration) <= PART_TICKS + 90)
                );
                let pdt = segment.program_date_time().0 - UNIX_MS;
                assert!((pdt - i64::try_from(segment.dts() / 90).unwrap()).abs() <= 1);
                (
                    segment.msn().0,
                    segment.dts() / 90,
                    segment.duration() / 90,
                    segment.discontinuity_number(),
                    gaps < segment.parts().len(),
                    gaps > 0,
                )
            })
            .collect()
    }
}

#[test]
fn segments_have_the_sources_numbers_times_and_breaks() {
    let mut bench = Bench::new();
    bench.source(45, true);
    bench.make(2);
    bench.source(60, true);
    bench.make(2);
    assert_eq!(
        bench.segments()[..3],
        [
            (50, 10_000, 1000, 3, true, false),
            (51, 11_000, 1000, 3, true, false),
            (52, 12_000, 1000, 3, true, false),
        ]
    );
    let window = bench.window.as_ref().unwrap();
    assert_eq!(window.description().first_msn, Msn(50));
    let parent = window.description().parent.unwrap();
    assert_eq!((parent.epoch, parent.discontinuities), (Epoch(1), 3));
    let segment = window.segments(RenditionId(0)).next().unwrap();
    let body = segment.parts()[0].body.as_ref().unwrap();
    let fragments = crate::cmaf::inspect::read_fragments(body).unwrap();
    let offset = i32::try_from(DELAY_MS * 90).unwrap();
    assert!(
        fragments[0]
            .samples
            .iter()
            .all(|sample| sample.composition_offset == offset)
    );
}

#[test]
fn an_epoch_that_its_player_gave_up_is_over_without_another_word() {
    let mut bench = Bench::new();
    bench.source(45, true);
    bench.make(2);
    bench.packager.made(13_000, false, Bytes::from_static(b"made"));
    bench.packager.abandon();
    assert!(bench.packager.is_over() && bench.packager.poll().is_none());
    bench.source(60, true);
    bench.make(0);
    bench.packager.end();
    assert_eq!(bench.packager.poll(), None);
}

#[test]
fn nothing_begins_before_the_encoder_made_something() {
    let mut bench = Bench::new();
    bench.source(60, false);
    bench.source(30, true);
    bench.crash();
    assert!(bench.window.is_none() && !bench.packager.has_begun());
    bench.source(60, true);
    bench.make(0);
    assert_eq!(bench.segments()[0].0, 53);
}

#[test]
fn what_a_dead_encoder_did_not_make_is_gaps_and_no_break() {
    let mut bench = Bench::new();
    bench.source(40, true);
    bench.make(3);
    bench.crash();
    bench.source(40, false);
    // The gap is told while it lasts.
    assert_eq!(bench.segments().len(), 3);
    bench.source(40, true);
    bench.make(0);
    bench.source(30, true);
    bench.make(0);
    assert_eq!(
        bench.segments()[..4],
        [
            (50, 10_000, 1000, 3, true, false),
            (51, 11_000, 1000, 3, true, true),
            (52, 12_000, 1000, 3, false, true),
            (53, 13_000, 1000, 3, true, false),
        ]
    );
}

#[test]
fn a_break_of_the_source_is_one_of_the_rung() {
    let mut bench = Bench::new();
    bench.source(40, true);
    bench.make(3);
    bench.interruption();
    bench.source(60, true);
    bench.make(0);
    bench.packager.end();
    bench.read();
    let segments = bench.segments();
    let (second, third) = (segments[1], segments[2]);
    assert_eq!((second.0, second.1, second.2, second.3), (51, 11_000, 333, 3));
    assert_eq!((third.0, third.3, third.4), (52, 4, true));
    assert_eq!(third.1, u64::try_from(Bench::at_ms(65)).unwrap());
    assert!(bench.ended && segments.iter().all(|segment| !segment.5));
}

#[test]
fn a_segment_without_its_key_frame_is_lost_and_the_next_one_is_not() {
    let mut bench = Bench::new();
    bench.source(90, true);
    bench
        .inside
        .retain(|&(shown_ms, sync)| !sync || shown_ms != 11_000 + DELAY_MS);
    bench.make(0);
    let made: Vec<bool> = bench.segments().iter().map(|segment| segment.4).collect();
    assert_eq!(made, [true, false, true]);
}

#[test]
fn numbers_that_do_not_follow_end_the_epoch() {
    let mut bench = Bench::new();
    bench.source(40, true);
    bench.make(0);
    bench.segments += 1;
    bench.source(30, true);
    bench.make(0);
    assert!(bench.ended && bench.packager.is_over());
}

/// As another encoder says it: of another level.
fn other_config() -> VideoConfig {
    let mut record = RECORD_720P30.to_vec();
    record[3] = 0x20;
    record[11] = 0x20;
    VideoConfig::parse(Codec::H264, &record.into()).unwrap()
}

#[test]
fn another_configuration_where_the_source_has_no_break_ends_the_epoch_at_the_segments_end() {
    let mut bench = Bench::new();
    bench.source(40, true);
    bench.make(3);
    bench.crash();
    bench.packager.configure(other_config()).unwrap();
    bench.source(50, true);
    bench.make(0);
    assert!(bench.ended && bench.packager.is_over());
    assert_eq!(
        bench.segments(),
        [(50, 10_000, 1000, 3, true, false), (51, 11_000, 1000, 3, true, true)]
    );
}

#[test]
fn another_configuration_after_a_break_of_the_source_is_that_break() {
    let mut bench = Bench::new();
    bench.source(40, true);
    bench.make(3);
    bench.interruption();
    bench.packager.configure(other_config()).unwrap();
    bench.source(60, true);
    bench.make(0);
    assert!(!bench.ended);
    let marks: Vec<u64> = bench.segments().iter().map(|segment| segment.3).collect();
    assert_eq!(marks, [3, 3, 4, 4]);
}

#[test]
fn a_rung_that_is_not_offered_is_not_made() {
    assert!(RungPackager::new(Epoch(2), Rung::P720, parent()).is_none());
}

proptest! {
    #[test]
    fn whatever_happens_the_window_takes_it_and_numbers_follow(steps in prop::collection::vec((0..7u8, 1..50i64), 1..40)) {
        let mut bench = Bench::new();
        for (step, amount) in steps {
            match step {
                0 | 1 => bench.source(amount, true),
                2 => bench.source(amount, false),
                3 => bench.make(usize::try_from(amount).unwrap() / 8),
                4 => bench.crash(),
                5 => bench.packager.configure(if amount % 2 == 0 { config() } else { other_config() }).unwrap(),
                _ => bench.interruption(),
            }
        }
        bench.make(0);
        bench.packager.end();
        bench.read();
        if bench.window.is_some() {
            let segments = bench.segments();
            for segment in &segments {
                prop_assert_eq!(Some(&segment.3), bench.counts.get(&segment.0));
            }
            for (before, after) in segments.iter().zip(&segments[1..]) {
                prop_assert_eq!(before.0 + 1, after.0);
                if before.3 == after.3 {
                    prop_assert!((before.1 + before.2).abs_diff(after.1) <= 1, "{:?} {:?}", before, after);
                }
            }
        }
    }
}
