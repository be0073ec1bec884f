//! One room's media, shared by its one writer and all its readers: windows behind a lock that is held for microseconds, and a
//! counter to wait on. What is in a window, and in which order, is `common::live`'s business.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use common::{
    id::{Epoch, PartId},
    live::{
        LiveEvent,
        window::{LiveWindow, Retention, WindowError},
    },
    time::Monotonic,
};
use tokio::sync::watch;

use crate::clock;

/// Most epochs of a room that answer at a time; the oldest goes when there is one more.
pub const MAX_EPOCHS: usize = 4;

/// A room's media, for an `Arc`.
///
/// The writer never waits for readers: they look under the lock, briefly, and wait on [`Live::watch`] without it.
#[derive(Debug)]
pub struct Live {
    retention: Retention,
    windows: Mutex<LiveWindows>,
    changes: watch::Sender<u64>,
}

/// The room's epochs that still answer: the current one, and those that ended less than a minute ago.
#[derive(Debug, Default)]
pub struct LiveWindows {
    /// Oldest first.
    epochs: VecDeque<LiveWindow>,
}

impl Live {
    pub fn new(retention: Retention) -> Self {
        Self {
            retention,
            windows: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    /// Takes the next event of the current epoch, or the start of a new one. A refused event changes nothing.
    pub fn apply(&self, event: LiveEvent) -> Result<(), WindowError> {
        self.apply_at(event, clock::monotonic())
    }

    fn apply_at(&self, event: LiveEvent, now: Monotonic) -> Result<(), WindowError> {
        {
            let mut windows = self.lock();
            if let LiveEvent::Start(description) = event {
                description.validate()?;
                if windows.get(description.epoch).is_some() {
                    return Err(WindowError::EpochTwice(description.epoch));
                }
                windows.put(LiveWindow::new(description, self.retention), now);
            } else {
                windows
                    .epochs
                    .back_mut()
                    .ok_or(WindowError::NotStarted)?
                    .apply(event, now)?;
            }
        }
        self.changed();
        Ok(())
    }

    /// Makes `window` the current one: in place of the same epoch's, whose bodies it takes over, or after another epoch, which ends
    /// thereby.
    pub fn put(&self, window: LiveWindow) {
        self.lock().put(window, clock::monotonic());
        self.changed();
    }

    /// Ends the current epoch as it stands: its writer is gone, and will not end it.
    pub fn abandon(&self) {
        if let Some(window) = self.lock().epochs.back_mut() {
            window.abandon(clock::monotonic());
        }
        self.changed();
    }

    /// Stores a body that was fetched, if its record is here without one.
    pub fn fill(&self, epoch: Epoch, part: PartId, body: Bytes) -> Result<bool, WindowError> {
        let mut windows = self.lock();
        let window = windows.epochs.iter_mut().find(|window| window.epoch() == epoch);
        window.ok_or(WindowError::UnknownEpoch(epoch))?.fill(part, body)
    }

    /// Looks at the windows. `look` holds the writer up, so it takes what it needs and waits for nothing.
    pub fn read<R>(&self, look: impl FnOnce(&LiveWindows) -> R) -> R {
        look(&self.lock())
    }

    /// Counts changes: look ([`Live::read`]) after `borrow_and_update`, then wait for `changed`, and nothing is missed.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Drops what need not be kept any more; to be called every second or so.
    pub fn expire(&self) {
        self.expire_at(clock::monotonic());
    }

    fn expire_at(&self, now: Monotonic) {
        let any_over = {
            let mut windows = self.lock();
            let before = windows.epochs.len();
            windows.epochs.retain(|window| !window.is_over(now));
            for window in &mut windows.epochs {
                window.expire(now);
            }
            windows.epochs.len() != before
        };
        if any_over {
            self.changed();
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// A reader's panic leaves the windows whole: only `apply`, `put`, `fill` and `expire` write, and they check first.
    fn lock(&self) -> MutexGuard<'_, LiveWindows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LiveWindows {
    /// The newest epoch; for a minute after its end, too.
    pub fn current(&self) -> Option<&LiveWindow> {
        self.epochs.back()
    }

    /// The epoch, if it is the current one or ended less than a minute ago.
    pub fn get(&self, epoch: Epoch) -> Option<&LiveWindow> {
        self.epochs.iter().find(|window| window.epoch() == epoch)
    }

    /// The newest epoch of a rung that was made of the source's epoch `parent`.
    pub fn newest_of(&self, parent: Epoch) -> Option<&LiveWindow> {
        let is_its = |window: &&LiveWindow| window.description().parent.is_some_and(|its| its.epoch == parent);
        self.epochs.iter().rev().find(is_its)
    }

    /// Bytes of media that are here.
    pub fn held_bytes(&self) -> usize {
        self.epochs.iter().map(LiveWindow::held_bytes).sum()
    }

    fn put(&mut self, mut window: LiveWindow, now: Monotonic) {
        if let Some(old) = self.get(window.epoch()) {
            window.adopt(old);
        }
        self.epochs.retain(|old| old.epoch() != window.epoch());
        if let Some(before) = self.epochs.back_mut() {
            before.abandon(now);
        }
        if self.epochs.len() == MAX_EPOCHS {
            self.epochs.pop_front();
        }
        self.epochs.push_back(window);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use common::{
        id::{Msn, RenditionId},
        live::{BitRate, EpochDescription, RenditionDescription, RenditionFormat, retention::ENDED_EPOCH_KEPT},
    };

    use super::*;

    fn start(epoch: u64) -> LiveEvent {
        LiveEvent::Start(Arc::new(EpochDescription {
            ladder: Vec::new(),
            audio_only: false,
            opens_early: false,
            parent: None,
            epoch: Epoch(epoch),
            target_duration_s: 2,
            part_target_ms: 500,
            first_msn: Msn(7),
            renditions: vec![RenditionDescription {
                format: RenditionFormat::Audio {
                    index: 0,
                    name: "main".to_owned(),
                    language: None,
                    channels: 2,
                    sample_rate: 48_000,
                },
                codecs: "mp4a.40.2".to_owned(),
                timescale: 48_000,
                bit_rate: BitRate {
                    peak: 128_000,
                    average: 128_000,
                },
            }],
        }))
    }

    fn init() -> LiveEvent {
        LiveEvent::Init {
            rendition: RenditionId(0),
            init_id: 0,
            body: Bytes::from_static(b"init"),
        }
    }

    #[test]
    fn an_event_before_any_start_is_refused() {
        assert_eq!(
            Live::new(Retention::origin()).apply(init()),
            Err(WindowError::NotStarted)
        );
    }

    #[test]
    fn an_ended_epoch_answers_for_a_minute() {
        let live = Live::new(Retention::origin());
        let at = |seconds| Monotonic(Duration::from_secs(seconds));
        live.apply_at(start(1), at(0)).unwrap();
        live.apply_at(LiveEvent::End, at(10)).unwrap();
        live.apply_at(start(2), at(11)).unwrap();
        assert_eq!(
            live.read(|windows| windows.current().map(LiveWindow::epoch)),
            Some(Epoch(2))
        );
        live.expire_at(at(69));
        assert!(live.read(|windows| windows.get(Epoch(1)).is_some_and(LiveWindow::ended)));
        live.expire_at(at(10) + ENDED_EPOCH_KEPT);
        assert!(live.read(|windows| windows.get(Epoch(1)).is_none() && windows.get(Epoch(2)).is_some()));
    }

    #[test]
    fn a_new_epoch_ends_the_one_that_was_cut_off() {
        let live = Live::new(Retention::origin());
        live.apply(start(1)).unwrap();
        live.apply(start(2)).unwrap();
        assert!(live.read(|windows| windows.get(Epoch(1)).is_some_and(LiveWindow::ended)));
        for epoch in 3..10 {
            live.apply(start(epoch)).unwrap();
        }
        assert_eq!(live.read(|windows| windows.epochs.len()), MAX_EPOCHS);
    }

    #[tokio::test]
    async fn a_waiter_is_woken_by_each_change_and_not_by_a_refusal() {
        let live = Live::new(Retention::origin());
        let mut changes = live.watch();
        live.apply(start(1)).unwrap();
        changes.changed().await.unwrap();
        assert_eq!(live.apply(start(1)), Err(WindowError::EpochTwice(Epoch(1))));
        live.apply(LiveEvent::SegmentEnd {
            rendition: RenditionId(0),
            msn: Msn(7),
        })
        .unwrap_err();
        assert!(!changes.has_changed().unwrap());
    }
}
