//! What is said of a room's ladder to whoever runs the room.

use common::id::Rung;

use super::{Entry, Inner, Ladder};
use crate::transcode::{LadderHealth, RungHealth, RungState, retry::GivenUp};

impl Ladder {
    /// How each rung is that the room is set to offer, or that was made.
    pub(crate) fn health(&self) -> LadderHealth {
        let inner = self.lock();
        let asked = |rung: &Rung| inner.asked.contains(rung) || inner.rungs.contains_key(rung);
        let rungs = Rung::ALL.into_iter().filter(asked).map(|rung| {
            let entry = inner.rungs.get(&rung);
            RungHealth {
                rung: rung.as_str(),
                state: entry.map_or(RungState::Off, Entry::shown),
                watchers: entry.map_or(0, |entry| entry.watchers),
                speed: entry.and_then(|entry| entry.speed),
                restarts: entry.map_or(0, |entry| entry.restarts),
            }
        });
        let (ffmpeg, encoder) = self.transcoder.works_with().unzip();
        LadderHealth {
            ffmpeg,
            encoder,
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
