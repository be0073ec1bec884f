//! How a rung's ffmpeg gets on, each second, and what follows from it.

use std::time::Duration;

use node::clock;
use tokio::time::Instant;
use tracing::warn;

use super::{Done, Maker, Work};
use crate::transcode::{
    RungState,
    budget::{Admission, Standing},
    retry::{Failure, GivenUp},
};

/// A rung goes on for so long after the last one who watched it.
const LINGER: Duration = Duration::from_secs(10);

impl Work {
    pub(super) async fn each_second(&mut self) {
        let now = clock::monotonic();
        let Maker { rung, ladder, .. } = &self.maker;
        ladder.speed(*rung, self.pace.speed(now));
        if ladder.watchers(*rung) > 0 {
            self.unwatched_since = None;
        } else if self.unwatched_since.get_or_insert_with(Instant::now).elapsed() >= LINGER && ladder.release(*rung) {
            self.done = Some(Done::Unwatched);
            return;
        }
        if self.child.is_some() && self.pace.is_mute(now) {
            self.failed(Failure::Ended, "it gives nothing back").await;
        }
        self.tell(match &self.child {
            None => Standing::Idle,
            Some(_) if self.pace.is_behind(now) => Standing::Behind,
            Some(_) => Standing::InStep,
        });
    }

    /// Tells the budget how it goes, and does as it says.
    pub(super) fn tell(&mut self, standing: Standing) {
        let Maker { rung, ladder, load, .. } = &self.maker;
        if let Some(why) = load.report(clock::monotonic(), ladder.watchers(*rung), standing) {
            self.give_up(why);
        }
    }

    /// Whether one more encoder may work.
    pub(super) fn is_admitted(&mut self) -> bool {
        let Maker { rung, ladder, load, .. } = &self.maker;
        match load.admit(ladder.watchers(*rung)) {
            Admission::Granted => true,
            Admission::Later => false,
            Admission::Refused(why) => {
                self.give_up(why);
                false
            }
        }
    }

    pub(super) fn give_up(&mut self, why: GivenUp) {
        warn!(rung = %self.maker.rung, ?why, "a rung is given up");
        self.done.get_or_insert(Done::GivenUp(why));
    }

    pub(super) fn show(&mut self, state: RungState) {
        self.state = state;
        self.maker.ladder.show(self.maker.rung, state);
    }
}
