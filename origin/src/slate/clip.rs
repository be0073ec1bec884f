//! A slate as it is pushed: the access units of each track, played over and over in step with a clock.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use common::media::access_unit::{AccessUnit, Codec, MediaMessage, TrackId};

/// Most units given out for one look at the clock; a clock that jumped does not make a flood.
const MAX_DUE: usize = 2048;

/// A track's access units, to be repeated.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackLoop {
    pub track: TrackId,
    pub codec: Codec,
    pub record: Bytes,
    /// The first can be decoded by itself, and what follows the last is the first again.
    pub units: Vec<LoopUnit>,
    /// All units last so long, each as long as another; nanoseconds.
    pub nanos: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LoopUnit {
    pub sync: bool,
    pub payload: Bytes,
}

/// A whole slate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clip {
    pub tracks: Vec<TrackLoop>,
}

/// A clip that is played. Its clock starts at zero.
#[derive(Debug)]
pub struct Playing {
    clip: Arc<Clip>,
    /// Units given out, by track.
    given: Vec<u64>,
}

impl Playing {
    pub fn new(clip: Arc<Clip>) -> Self {
        Self {
            given: vec![0; clip.tracks.len()],
            clip,
        }
    }

    /// The configurations of all tracks, which go first.
    pub fn configurations(&self) -> Vec<MediaMessage> {
        let config = |track: &TrackLoop| MediaMessage::Config {
            track: track.track,
            codec: track.codec,
            record: track.record.clone(),
        };
        self.clip.tracks.iter().map(config).collect()
    }

    /// What is due when so much time has gone by, in order.
    pub fn due(&mut self, elapsed: Duration) -> Vec<MediaMessage> {
        let mut due = Vec::new();
        while due.len() < MAX_DUE {
            let times = self.clip.tracks.iter().zip(&self.given);
            let times = times
                .enumerate()
                .map(|(index, (track, given))| (track.time(*given), index));
            let Some((at, index)) = times.min().filter(|(at, _)| *at <= elapsed) else {
                break;
            };
            let track = &self.clip.tracks[index];
            let unit = &track.units[(self.given[index] % track.units.len() as u64) as usize];
            self.given[index] += 1;
            due.push(MediaMessage::AccessUnit(AccessUnit {
                track: track.track,
                // Wraps as a publisher's clock does.
                timestamp_ms: at.as_millis() as u32,
                composition_ms: 0,
                sync: unit.sync,
                payload: unit.payload.clone(),
            }));
        }
        due
    }
}

impl TrackLoop {
    /// When the unit of this number begins, counted over all rounds.
    fn time(&self, number: u64) -> Duration {
        let count = self.units.len() as u64;
        let (rounds, place) = (number / count, number % count);
        Duration::from_nanos(rounds * self.nanos + place * self.nanos / count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(track: TrackId, codec: Codec, units: u8, nanos: u64) -> TrackLoop {
        let unit = |number| LoopUnit {
            sync: number == 0 || track.kind == codec.kind() && codec == Codec::Aac,
            payload: Bytes::from(vec![number]),
        };
        TrackLoop {
            track,
            codec,
            record: Bytes::from_static(b"record"),
            units: (0..units).map(unit).collect(),
            nanos,
        }
    }

    fn playing() -> Playing {
        let video = track(TrackId::VIDEO, Codec::H264, 4, 160_000_000);
        let audio = track(TrackId::AUDIO, Codec::Aac, 3, 64_000_000);
        Playing::new(Arc::new(Clip {
            tracks: vec![video, audio],
        }))
    }

    fn told(messages: &[MediaMessage]) -> Vec<(TrackId, u32, bool, u8)> {
        let units = messages.iter().map(|message| match message {
            MediaMessage::AccessUnit(unit) => (unit.track, unit.timestamp_ms, unit.sync, unit.payload[0]),
            other => panic!("{other:?}"),
        });
        units.collect()
    }

    #[test]
    fn tracks_are_given_out_in_step_and_go_on_over_their_end() {
        let mut playing = playing();
        let first = playing.due(Duration::from_millis(45));
        let (video, audio) = (TrackId::VIDEO, TrackId::AUDIO);
        assert_eq!(
            told(&first),
            [
                (video, 0, true, 0),
                (audio, 0, true, 0),
                (audio, 21, true, 1),
                (video, 40, false, 1),
                (audio, 42, true, 2)
            ]
        );
        assert_eq!(playing.due(Duration::from_millis(45)), []);
        let on = told(&playing.due(Duration::from_millis(170)));
        assert!(
            on.contains(&(video, 160, true, 0)),
            "the second round begins with a key frame: {on:?}"
        );
        assert!(on.is_sorted_by_key(|(_, at, ..)| *at));
    }

    #[test]
    fn hours_of_rounds_do_not_drift() {
        let mut clip = playing();
        clip.given = vec![3600 * 25, 3600 * 125 * 3 / 8];
        let next = told(&clip.due(Duration::from_secs(3600)));
        assert_eq!(
            next[..2].iter().map(|(_, at, ..)| *at).collect::<Vec<_>>(),
            [3_600_000; 2]
        );
    }

    #[test]
    fn a_clock_that_jumps_makes_no_flood() {
        assert_eq!(playing().due(Duration::from_secs(100_000)).len(), MAX_DUE);
    }
}
