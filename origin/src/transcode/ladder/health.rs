//! What is said of a room's ladder to whoever runs the room.

use common::id::Rung;

use super::{Entry, Inner, Ladder};
use crate::transcode::{LadderHealth, RungHealth, RungState, retry::GivenUp};

impl Ladder {
    /// How each rung is that the room is set to offer, or that was made.
    pub(crate) fn health(&self) -> LadderHealth {
        let mut inner = self.lock();
        let has_room = self.transcoder.budget().has_room();
        for entry in inner.rungs.values_mut() {
            entry.forget_crowd(has_room);
        }
        let asked = |rung: &Rung| inner.asked.contains(rung) || inner.rungs.contains_key(rung);
        let rungs = Rung::ALL.into_iter().filter(asked).map(|rung| {
            let entry = inner.rungs.get(&rung);
            RungHealth {
                rung: rung.as_str(),
                state: entry.map_or(RungState::Off, Entry::shown),
                reason: entry.and_then(|entry| entry.given_up),
                watchers: entry.map_or(0, |entry| entry.watchers),
                speed: entry.and_then(|entry| entry.speed),
                restarts: entry.map_or(0, |entry| entry.restarts),
            }
        });
        let (ffmpeg, encoder) = self.transcoder.works_with().unzip();
        LadderHealth {
            ffmpeg,
            encoder,
            looking: self.transcoder.is_looking(),
            rungs: rungs.collect(),
            warnings: self.warnings(&inner),
        }
    }

    fn warnings(&self, inner: &Inner) -> Vec<String> {
        let mut warnings = Vec::new();
        let is_missed = !inner.asked.is_empty();
        if is_missed && self.transcoder.is_off() {
            warnings.push("Viewers get your stream in no other quality than you send it, as the server is set to make none (--max-encoders 0).".to_owned());
        } else if is_missed && let Some(reason) = self.transcoder.fault() {
            warnings.push(format!(
                "Viewers get your stream in no other quality than you send it, as ffmpeg does not work on the server: {reason}. Install ffmpeg there, or name it with --ffmpeg."
            ));
        }
        for (rung, entry) in &inner.rungs {
            let failure = entry.failure.as_deref().unwrap_or("it says nothing");
            match (entry.given_up, entry.state) {
                (Some(GivenUp::Busy), _) => warnings.push(format!(
                    "The server cannot keep up, and {rung} was given up until your next stream. Offer fewer or smaller qualities."
                )),
                (Some(GivenUp::Fruitless), _) => warnings.push(format!(
                    "ffmpeg made nothing of your stream, and {rung} was given up until your next one ({failure}). Look at your encoder's settings."
                )),
                (Some(GivenUp::Crowded), _) => warnings.push(format!(
                    "The server makes as many qualities at once as it may, and {rung} was left out until there is room. Offer fewer qualities, or allow more on the server with --max-encoders."
                )),
                (None, RungState::Failed) => warnings.push(format!("{rung}: ffmpeg failed and is started again ({failure}).")),
                (None, _) => {}
            }
            if let Some((left, used)) = entry.stand_in {
                let (left, used) = (left.name(), used.name());
                warnings.push(format!(
                    "{rung}: {left} failed again and again, and {used} is used in its place until your next stream ({failure}). Look at the server's graphics device: it may be gone, or take only so many streams at once."
                ));
            }
        }
        warnings
    }
}

impl Entry {
    fn shown(&self) -> RungState {
        if self.given_up.is_some() {
            RungState::Dropped
        } else {
            self.state
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use common::{
        id::{Epoch, Msn},
        live::{EpochDescription, window::Retention},
    };
    use node::shutdown::Shutdown;
    use tokio::sync::watch;

    use super::*;
    use crate::transcode::{Found, Transcoder, budget::Budget, child::tests};

    /// Of one rung that is offered and asked for, where one encoder may work.
    fn ladder() -> (Arc<Ladder>, watch::Sender<Found>, Budget) {
        let (tell, found) = watch::channel(Found::Looking);
        let budget = Budget::new(1);
        let transcoder = Transcoder {
            found,
            budget: budget.clone(),
            shutdown: Shutdown::new(),
        };
        let ladder = Ladder::new(transcoder, Retention::origin());
        ladder.epoch_began(&EpochDescription {
            epoch: Epoch(1),
            target_duration_s: 2,
            part_target_ms: 333,
            first_msn: Msn(1),
            renditions: Vec::new(),
            ladder: vec![tests::rung()],
            audio_only: false,
            opens_early: false,
            parent: None,
        });
        (ladder, tell, budget)
    }

    #[tokio::test]
    async fn a_rung_that_was_dropped_says_why() {
        for why in [GivenUp::Busy, GivenUp::Fruitless] {
            let (ladder, ..) = ladder();
            let rung = tests::rung().rung;
            let _watched = ladder.claim(rung).unwrap();
            ladder.left(rung, Some(why));
            let health = ladder.health();
            assert_eq!(
                (health.rungs[0].state, health.rungs[0].reason),
                (RungState::Dropped, Some(why))
            );
        }
    }

    #[tokio::test]
    async fn a_rung_for_which_there_was_no_room_is_not_told_of_once_there_is() {
        let (ladder, _tell, budget) = ladder();
        let rung = tests::rung().rung;
        let other = budget.add(rung);
        other.admit(1);
        let watched = ladder.claim(rung).unwrap();
        ladder.left(rung, Some(GivenUp::Crowded));
        drop(watched);
        let health = ladder.health();
        assert_eq!(health.rungs[0].reason, Some(GivenUp::Crowded));
        assert_eq!(health.warnings.len(), 1);
        drop(other);
        let health = ladder.health();
        assert_eq!((health.rungs[0].state, health.rungs[0].reason), (RungState::Off, None));
        assert_eq!(health.warnings, Vec::<String>::new());
    }

    #[tokio::test]
    async fn while_ffmpeg_is_looked_for_nobody_says_that_there_is_none() {
        let (ladder, tell, _budget) = ladder();
        assert!(ladder.health().looking);
        tell.send_replace(Found::Fault("it is not there".to_owned()));
        assert!(!ladder.health().looking);
        let off = Ladder::new(Transcoder::none(&Shutdown::new()), Retention::origin());
        assert!(!off.health().looking);
    }
}
