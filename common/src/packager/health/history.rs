//! The last five minutes as they arrived: what a chart shows, and what a warning may still speak of.

use std::{collections::VecDeque, time::Duration};

use serde::Serialize;

use crate::{
    packager::PackagerNow,
    time::{Monotonic, UnixMillis},
};

/// Each point is of so long a time.
const STEP: Duration = Duration::from_secs(2);

/// Points kept: five minutes.
const POINTS: usize = 150;

/// What arrived in two seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryPoint {
    /// The end of the two seconds, RFC 3339.
    pub at: String,
    pub video_kbps: f64,
    /// Of all sounds.
    pub audio_kbps: f64,
    pub fps: f64,
}

/// What happened in one step.
#[derive(Clone, Copy, Debug, Default)]
struct Point {
    ended: UnixMillis,
    video_bytes: u64,
    audio_bytes: u64,
    frames: u32,
    events: Events,
}

/// What may need a word for as long as it is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Events {
    /// The longest time for which the picture had no frame, milliseconds of the publisher's.
    pub(super) longest_hole_ms: i64,
    /// The longest wait for media of any kind, milliseconds.
    pub(super) longest_wait_ms: i64,
    /// Frames of silence put in.
    pub(super) silent: u64,
    /// Sound left out for it came too late.
    pub(super) late: u64,
    /// The publisher was cut off for a bit rate that is not carried.
    pub(super) too_much: bool,
}

impl Events {
    fn add(&mut self, other: Self) {
        self.longest_hole_ms = self.longest_hole_ms.max(other.longest_hole_ms);
        self.longest_wait_ms = self.longest_wait_ms.max(other.longest_wait_ms);
        self.silent += other.silent;
        self.late += other.late;
        self.too_much |= other.too_much;
    }
}

#[derive(Default)]
pub(super) struct History {
    points: VecDeque<Point>,
    open: Point,
    opened: Option<Monotonic>,
}

impl History {
    /// Time has gone by.
    pub(super) fn advance(&mut self, now: PackagerNow) {
        let opened = *self.opened.get_or_insert(now.monotonic);
        let gone = now.monotonic.since(opened);
        if gone >= STEP * (POINTS as u32 + 1) {
            // Nobody asked for so long that nothing of it is left.
            *self = Self {
                opened: Some(now.monotonic),
                ..Self::default()
            };
            return;
        }
        let mut opened = opened;
        while now.monotonic.since(opened) >= STEP {
            opened = opened + STEP;
            let since = i64::try_from(now.monotonic.since(opened).as_millis()).unwrap_or(0);
            let mut point = std::mem::take(&mut self.open);
            point.ended = UnixMillis(now.unix.0.saturating_sub(since));
            if self.points.len() == POINTS {
                self.points.pop_front();
            }
            self.points.push_back(point);
        }
        self.opened = Some(opened);
    }

    pub(super) fn video(&mut self, bytes: usize) {
        self.open.video_bytes += bytes as u64;
        self.open.frames += 1;
    }

    pub(super) fn audio(&mut self, bytes: usize) {
        self.open.audio_bytes += bytes as u64;
    }

    pub(super) fn happened(&mut self, events: Events) {
        self.open.events.add(events);
    }

    /// All that happened in the last five minutes.
    pub(super) fn events(&self) -> Events {
        let mut all = self.open.events;
        for point in &self.points {
            all.add(point.events);
        }
        all
    }

    pub(super) fn report(&self) -> Vec<HistoryPoint> {
        let seconds = STEP.as_secs_f64();
        let kbps = |bytes: u64| super::round(bytes as f64 * 8.0 / 1000.0 / seconds);
        self.points
            .iter()
            .map(|point| HistoryPoint {
                at: point.ended.to_rfc3339(),
                video_kbps: kbps(point.video_bytes),
                audio_kbps: kbps(point.audio_bytes),
                fps: super::round(f64::from(point.frames) / seconds),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> PackagerNow {
        PackagerNow {
            monotonic: Monotonic(Duration::from_millis(ms)),
            unix: UnixMillis(1_700_000_000_000 + ms.cast_signed()),
        }
    }

    #[test]
    fn two_seconds_are_a_point_and_an_outage_is_zero() {
        let mut history = History::default();
        for frame in 0..60 {
            history.advance(at(frame * 33));
            history.video(2500);
            history.audio(500);
        }
        history.advance(at(6100));
        let points = history.report();
        assert_eq!(points.len(), 3);
        assert_eq!(
            (points[0].video_kbps, points[0].audio_kbps, points[0].fps),
            (600.0, 120.0, 30.0)
        );
        assert_eq!(points[0].at, "2023-11-14T22:13:22.000Z");
        assert_eq!((points[2].video_kbps, points[2].fps), (0.0, 0.0));
    }

    #[test]
    fn what_happened_is_forgotten_after_five_minutes() {
        let mut history = History::default();
        history.advance(at(0));
        history.happened(Events {
            silent: 3,
            longest_wait_ms: 2500,
            ..Events::default()
        });
        history.advance(at(290_000));
        assert_eq!((history.events().silent, history.events().longest_wait_ms), (3, 2500));
        assert_eq!(history.report().len(), 145);
        history.advance(at(302_100));
        assert_eq!(history.events(), Events::default());
        assert_eq!(history.report().len(), 150);
        history.advance(at(9_000_000));
        assert_eq!(history.report().len(), 0);
    }
}
