//! From the packager into the window, and what becomes of a room when one of them fails.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::MutexGuard,
};

use common::{live::LiveEvent, packager::Packager};
use node::clock;
use tracing::{error, info};

use super::{Inner, Publication};

impl Publication {
    pub(super) fn deliver(&self, packager: &mut Packager) {
        let mut started = false;
        while let Some(event) = packager.poll() {
            if event == LiveEvent::End {
                self.ladder.epoch_ended();
            }
            if let LiveEvent::Start(description) = &event {
                started = true;
                self.ladder.epoch_began(description);
                info!(
                    epoch = %description.epoch,
                    target_duration_s = description.target_duration_s,
                    part_target_ms = description.part_target_ms,
                    renditions = description.renditions.len(),
                    "epoch"
                );
            }
            if let Err(reason) = self.live.apply(event) {
                // A bug; from here on every event would be refused.
                error!(%reason, "the packager and the window disagree: this epoch is over, what comes is of another");
                packager.abandon_epoch();
                self.live.abandon();
                self.ladder.epoch_ended();
            }
        }
        while let Some(tapped) = packager.poll_tapped() {
            self.ladder.tapped(&tapped);
        }
        let next_msn = packager.next_msn();
        self.progress.send_if_modified(|progress| {
            let before = *progress;
            progress.next_msn = next_msn;
            if started && progress.started_at.is_none() {
                progress.started_at = Some(clock::unix_millis());
            }
            *progress != before
        });
    }

    /// Does what the room's control asks for: its task outlives a bug in packaging, as the publisher's need not.
    pub(super) fn outlive(&self, act: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(act)).is_err() {
            drop(self.lock());
        }
    }

    /// A packager that panicked is in no state to go on: its stream ends as it stands, and the next publisher starts a new one.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| {
            error!("packaging failed by a bug: the stream is over");
            let mut inner = poisoned.into_inner();
            *inner = Inner {
                offer: std::mem::take(&mut inner.offer),
                ..Inner::default()
            };
            self.inner.clear_poison();
            self.live.abandon();
            self.ladder.abandon();
            self.progress.send_modify(|progress| progress.started_at = None);
            inner
        })
    }
}
