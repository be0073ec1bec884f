//! Reading a window from a place on, in an order that another strict window can take.
//!
//! The window never waits for a reader and knows none. A reader that falls behind what is kept is told so ([`Read::Lagged`]); it then
//! starts again from records and [`LiveWindow::cursor_live`].

use std::cmp::Ordering;

use crate::{
    id::{Epoch, Msn, PartId, RenditionId},
    live::{BitRate, LiveEvent, Part, segment::Segment, window::LiveWindow},
};

/// A reader's place in a window.
#[derive(Clone, Debug)]
pub struct Cursor {
    epoch: Epoch,
    renditions: Vec<Place>,
    end_told: bool,
}

/// A reader's place in one rendition.
#[derive(Clone, Debug)]
struct Place {
    /// First part that the reader does not have.
    msn: Msn,
    part: u32,
    /// Newest init segment that the reader was given here.
    init_told: Option<u32>,
    bit_rate_told: Option<BitRate>,
}

/// What a cursor gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// In order; none when the reader has all there is.
    Events(Vec<LiveEvent>),
    /// What comes next for the reader is not kept (any more), or was never in this window.
    Lagged,
}

/// What comes next at a place.
enum Step<'a> {
    Nothing,
    Lagged,
    Init { init_id: u32, segment: &'a Segment },
    Part(&'a Segment),
    SegmentEnd(&'a Segment),
}

impl LiveWindow {
    /// A cursor for a reader that has all before `next`, by rendition. The first read says if that is not in this window.
    pub fn cursor_at(&self, next: &[(Msn, u32)]) -> Cursor {
        let place = |&(msn, part): &(Msn, u32)| Place {
            msn,
            part,
            init_told: None,
            bit_rate_told: None,
        };
        Cursor {
            epoch: self.epoch(),
            renditions: next.iter().map(place).collect(),
            end_told: false,
        }
    }

    /// A cursor for what is born from now on: for a reader that was given the description, [`LiveWindow::records`] and
    /// [`LiveWindow::inits`] as they stand.
    pub fn cursor_live(&self) -> Cursor {
        let description = self.description();
        let places = description
            .rendition_ids()
            .zip(&description.renditions)
            .map(|(id, rendition)| {
                let (msn, part) = self.next(id);
                let init_told = self.inits(id).last().map(|(init_id, _)| init_id);
                Place {
                    msn,
                    part,
                    init_told,
                    bit_rate_told: Some(rendition.bit_rate),
                }
            });
        Cursor {
            epoch: self.epoch(),
            renditions: places.collect(),
            end_told: false,
        }
    }

    /// What follows the cursor, at most `max` events (at least one if there is any): renditions by decode time, so that audio and
    /// video advance together; an init segment right before the first part that needs it. The cursor moves behind them.
    pub fn read(&self, cursor: &mut Cursor, max: usize) -> Read {
        if cursor.epoch != self.epoch() || cursor.renditions.len() != self.description().renditions.len() {
            return Read::Lagged;
        }
        let max = max.max(1);
        let mut events = Vec::new();
        while events.len() < max {
            match self.read_next(cursor) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                // The events before it are good; the next read says the same at once.
                Err(Lagged) if events.is_empty() => return Read::Lagged,
                Err(Lagged) => break,
            }
        }
        Read::Events(events)
    }

    /// A bit rate that the reader was not told. Media goes before it.
    fn read_bit_rate(&self, cursor: &mut Cursor) -> Option<LiveEvent> {
        let described = self.description().rendition_ids().zip(&self.description().renditions);
        for ((rendition, described), place) in described.zip(&mut cursor.renditions) {
            let bit_rate = described.bit_rate;
            // After the end no window takes it.
            if place.bit_rate_told != Some(bit_rate) && !cursor.end_told {
                place.bit_rate_told = Some(bit_rate);
                return Some(LiveEvent::BitRate { rendition, bit_rate });
            }
        }
        None
    }

    fn read_next(&self, cursor: &mut Cursor) -> Result<Option<LiveEvent>, Lagged> {
        let mut first: Option<(RenditionId, (u64, u32), Step<'_>)> = None;
        for (id, place) in self.description().rendition_ids().zip(&mut cursor.renditions) {
            let step = self.step(id, place);
            let time = match &step {
                Step::Nothing => continue,
                Step::Lagged => return Err(Lagged),
                Step::Init { segment, .. } | Step::Part(segment) | Step::SegmentEnd(segment) => {
                    self.decode_time(id, segment, place.part)
                }
            };
            if first
                .as_ref()
                .is_none_or(|(_, earliest, _)| compare_times(time, *earliest) == Ordering::Less)
            {
                first = Some((id, time, step));
            }
        }
        let Some((id, _, step)) = first else {
            if let Some(event) = self.read_bit_rate(cursor) {
                return Ok(Some(event));
            }
            let ends = self.ended() && !cursor.end_told;
            cursor.end_told |= ends;
            return Ok(ends.then_some(LiveEvent::End));
        };
        let place = cursor.renditions.get_mut(usize::from(id.0)).ok_or(Lagged)?;
        self.take(id, place, &step).map(Some)
    }

    fn step(&self, id: RenditionId, place: &mut Place) -> Step<'_> {
        let next = self.next(id);
        if (place.msn, place.part) == next {
            return Step::Nothing;
        }
        let Some(segment) = self.kept_segment(id, place.msn) else {
            return Step::Lagged;
        };
        let in_segment = place.part as usize;
        if in_segment == segment.parts().len() && segment.is_complete() {
            if segment.needs_segment_end() {
                return Step::SegmentEnd(segment);
            }
            *place = Place {
                msn: place.msn.next(),
                part: 0,
                ..place.clone()
            };
            return self.step(id, place);
        }
        let Some(part) = segment.parts().get(in_segment) else {
            return Step::Lagged;
        };
        if part.body.is_none() && !part.record.flags.gap {
            return Step::Lagged;
        }
        let init_id = segment.init_id();
        if place.init_told.is_none_or(|told| told < init_id) {
            return Step::Init { init_id, segment };
        }
        Step::Part(segment)
    }

    /// Of the part at `part`, or of the segment's end: ticks, and ticks a second.
    fn decode_time(&self, id: RenditionId, segment: &Segment, part: u32) -> (u64, u32) {
        let timescale = self
            .description()
            .rendition(id)
            .map_or(1, |rendition| rendition.timescale);
        let ticks = segment
            .parts()
            .get(part as usize)
            .map_or_else(|| segment.dts() + segment.duration(), |part| part.record.dts);
        (ticks, timescale)
    }

    fn take(&self, rendition: RenditionId, place: &mut Place, step: &Step<'_>) -> Result<LiveEvent, Lagged> {
        match *step {
            Step::Nothing | Step::Lagged => Err(Lagged),
            Step::Init { init_id, .. } => {
                let body = self.init(rendition, init_id).ok_or(Lagged)?.clone();
                place.init_told = Some(init_id);
                Ok(LiveEvent::Init {
                    rendition,
                    init_id,
                    body,
                })
            }
            Step::Part(segment) => {
                let part = segment.parts().get(place.part as usize).ok_or(Lagged)?;
                let id = PartId {
                    rendition,
                    msn: place.msn,
                    part: place.part,
                };
                place.part += 1;
                let record = part.record;
                Ok(LiveEvent::Part(Part {
                    id,
                    init_id: segment.init_id(),
                    dts: record.dts,
                    duration: record.duration,
                    program_date_time: record.program_date_time,
                    flags: record.flags,
                    body: part.body.clone().unwrap_or_default(),
                }))
            }
            Step::SegmentEnd(segment) => {
                let msn = segment.msn();
                *place = Place {
                    msn: msn.next(),
                    part: 0,
                    ..place.clone()
                };
                Ok(LiveEvent::SegmentEnd { rendition, msn })
            }
        }
    }
}

/// The reader's place is not in the window.
struct Lagged;

/// Compares two times of different timescales.
fn compare_times((a, a_scale): (u64, u32), (b, b_scale): (u64, u32)) -> Ordering {
    (u128::from(a) * u128::from(b_scale)).cmp(&(u128::from(b) * u128::from(a_scale)))
}

impl Cursor {
    /// For each rendition, the first part that the reader does not have.
    pub fn next(&self) -> Vec<(Msn, u32)> {
        self.renditions.iter().map(|place| (place.msn, place.part)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        live::{
            testing::{AUDIO, FIRST_MSN, Script, VIDEO, description},
            window::Retention,
        },
        time::Monotonic,
    };

    fn played(script: &Script) -> LiveWindow {
        let mut window = LiveWindow::new(description(), Retention::origin());
        for (now, event) in script.events() {
            window.apply(event, now).unwrap();
        }
        window
    }

    fn all(window: &LiveWindow, cursor: &mut Cursor) -> Vec<LiveEvent> {
        match window.read(cursor, usize::MAX) {
            Read::Events(events) => events,
            Read::Lagged => panic!("lagged"),
        }
    }

    #[test]
    fn audio_and_video_advance_together() {
        let window = played(&Script {
            breaks: vec![2],
            ..Script::steady(6)
        });
        let events = all(&window, &mut window.cursor_at(&[(FIRST_MSN, 0); 2]));
        let times: Vec<f64> = events
            .iter()
            .filter_map(|event| match event {
                LiveEvent::Part(part) if part.id.rendition == VIDEO => Some(part.dts as f64 / 90_000.0),
                LiveEvent::Part(part) => Some(part.dts as f64 / 48_000.0),
                _ => None,
            })
            .collect();
        assert!(times.is_sorted(), "{times:?}");
        let inits = events
            .iter()
            .filter(|event| matches!(event, LiveEvent::Init { .. }))
            .count();
        assert_eq!(inits, 4, "each once, although two segments use it");
    }

    #[test]
    fn a_live_cursor_gives_what_is_born_after_it() {
        let mut window = LiveWindow::new(description(), Retention::origin());
        let events = Script {
            ended: true,
            ..Script::steady(2)
        }
        .events();
        let mut cursor = None;
        let mut rest = Vec::new();
        for (count, (now, event)) in events.into_iter().enumerate() {
            window.apply(event.clone(), now).unwrap();
            if cursor.is_some() {
                rest.push(event);
            } else if count == 6 {
                cursor = Some(window.cursor_live());
            }
        }
        let mut cursor = cursor.unwrap();
        assert_eq!(all(&window, &mut cursor).len(), rest.len());
        assert!(all(&window, &mut cursor).is_empty(), "the end is told once");
        assert_eq!(cursor.next(), [window.next(VIDEO), window.next(AUDIO)]);
    }

    #[test]
    fn a_reader_that_fell_behind_is_told_so() {
        let mut window = played(&Script::steady(33));
        window.expire(Monotonic(Duration::from_secs(1000)));
        assert_eq!(
            window.read(&mut window.cursor_at(&[(FIRST_MSN, 0); 2]), 10),
            Read::Lagged
        );
        let kept = Msn(16);
        assert!(matches!(
            window.read(&mut window.cursor_at(&[(kept, 0); 2]), 10),
            Read::Events(_)
        ));
        let ahead = Msn(1000);
        assert_eq!(
            window.read(&mut window.cursor_at(&[(ahead, 0); 2]), 10),
            Read::Lagged,
            "never was here"
        );
        let inside = (kept, 99);
        assert_eq!(window.read(&mut window.cursor_at(&[inside; 2]), 10), Read::Lagged);
        assert_eq!(
            window.read(&mut window.cursor_at(&[(kept, 0)]), 10),
            Read::Lagged,
            "one rendition of two"
        );
    }

    #[test]
    fn a_reader_with_all_parts_of_a_closed_segment_still_gets_its_end() {
        let mut window = LiveWindow::new(description(), Retention::origin());
        let events = Script::steady(1).events();
        for (now, event) in events.into_iter().take(4) {
            window.apply(event, now).unwrap();
        }
        let next = [window.next(VIDEO), window.next(AUDIO)];
        let end = LiveEvent::SegmentEnd {
            rendition: VIDEO,
            msn: FIRST_MSN,
        };
        window.apply(end.clone(), Monotonic::default()).unwrap();
        assert_eq!(all(&window, &mut window.cursor_at(&next)).first(), Some(&end));
    }
}
