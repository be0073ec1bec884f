//! A room's ladder: who watches which rung, the tasks that make them, and what the source's packager hands to those.
//!
//! Locks: the room's publication may hold its own while it calls in here; nothing here calls back.

mod health;
mod told;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use common::{
    id::{Epoch, Rung},
    live::{EpochDescription, window::Retention},
    media::video_config::VideoConfig,
    packager::{Offer, Tapped},
};
use node::live::Live;
use tokio::{sync::mpsc, task::JoinHandle};
use tracing::warn;

use super::{RungHold, RungState, Transcoder, encoder::Encoder, hold::Claim, maker::Maker, retry::GivenUp};

/// Tapped events that wait for one rung's task, more than ten seconds of any stream. One that does not fetch them is replaced.
const FEED: usize = 2048;

/// For an `Arc`.
pub(crate) struct Ladder {
    transcoder: Transcoder,
    retention: Retention,
    /// Some rung's task wants to be fed.
    wanted: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// What the room is set to offer.
    asked: Vec<Rung>,
    /// What the source's epoch offers.
    epoch: Option<Epoch>,
    offered: Vec<Rung>,
    /// As the tap said last; none between epochs, and while it is shut.
    current: Option<(Arc<EpochDescription>, VideoConfig)>,
    rungs: BTreeMap<Rung, Entry>,
}

struct Entry {
    live: Arc<Live>,
    watchers: usize,
    feed: Option<mpsc::Sender<Tapped>>,
    /// Of the task that made it last: the next one waits for its end.
    task: Option<JoinHandle<()>>,
    given_up: Option<GivenUp>,
    state: RungState,
    speed: Option<f64>,
    restarts: u32,
    /// Why ffmpeg ended last.
    failure: Option<String>,
    /// An encoder that was left as it failed again and again, and the one that is used in its place.
    stand_in: Option<(Encoder, Encoder)>,
}

impl Ladder {
    pub(crate) fn new(transcoder: Transcoder, retention: Retention) -> Arc<Self> {
        Arc::new(Self {
            transcoder,
            retention,
            wanted: AtomicBool::new(false),
            inner: Mutex::default(),
        })
    }

    /// A claim to a rung, which is made from now on; `None`: the source does not offer it now, or it was given up.
    pub(crate) fn claim(self: &Arc<Self>, rung: Rung) -> Option<RungHold> {
        let mut inner = self.lock();
        if !inner.offered.contains(&rung) || !self.transcoder.may_work() {
            return None;
        }
        let entry = inner.rungs.entry(rung).or_insert_with(|| Entry::new(self.retention));
        entry.forget_crowd(self.transcoder.budget().has_room());
        if entry.given_up.is_some() {
            return None;
        }
        entry.watchers += 1;
        let live = Arc::clone(&entry.live);
        self.revive(&mut inner);
        Some(RungHold {
            live,
            _claim: Claim::new(Arc::clone(self), rung),
        })
    }

    pub(super) fn unclaim(&self, rung: Rung) {
        if let Some(entry) = self.lock().rungs.get_mut(&rung) {
            entry.watchers -= 1;
        }
    }

    /// What of a room's offer can be kept. Called when the offer or the stream is new.
    pub(crate) fn keepable(&self, mut offer: Offer) -> Offer {
        self.lock().asked.clone_from(&offer.ladder);
        if !self.transcoder.may_work() {
            offer.ladder.clear();
        }
        offer
    }

    /// Whether the source's tap has to be open.
    pub(crate) fn wants_tap(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// The tap was shut: what was said of the stream counts no more.
    pub(crate) fn tap_shut(&self) {
        self.lock().current = None;
    }

    /// The source began an epoch.
    pub(crate) fn epoch_began(self: &Arc<Self>, description: &EpochDescription) {
        let mut inner = self.lock();
        if inner.epoch != Some(description.epoch) {
            inner.epoch = Some(description.epoch);
            for entry in inner.rungs.values_mut() {
                entry.given_up = None;
                entry.failure = None;
                entry.stand_in = None;
            }
        }
        inner.offered = description.ladder.iter().map(|offered| offered.rung).collect();
        self.revive(&mut inner);
    }

    /// The source's epoch is over.
    pub(crate) fn epoch_ended(&self) {
        let mut inner = self.lock();
        inner.offered.clear();
        inner.epoch = None;
    }

    /// Hands on what came out of the tap.
    pub(crate) fn tapped(self: &Arc<Self>, tapped: &Tapped) {
        let mut inner = self.lock();
        match tapped {
            Tapped::Start { description, config } => inner.current = Some((Arc::clone(description), config.clone())),
            Tapped::Break { .. } | Tapped::End => inner.current = None,
            // A task that was cut off is replaced at a segment's start.
            Tapped::Segment { .. } => self.revive(&mut inner),
            Tapped::Frame { .. } => {}
        }
        for (rung, entry) in &mut inner.rungs {
            if entry
                .feed
                .as_ref()
                .is_some_and(|feed| feed.try_send(tapped.clone()).is_err())
            {
                warn!(%rung, "a rung's task does not take what it is fed");
                entry.feed = None;
            }
        }
        self.note_wanted(&inner);
    }

    /// The stream was cut off by a bug: whatever is made of it ends.
    pub(crate) fn abandon(&self) {
        let mut inner = self.lock();
        inner.current = None;
        inner.offered.clear();
        inner.epoch = None;
        for entry in inner.rungs.values_mut() {
            entry.feed = None;
        }
        self.note_wanted(&inner);
    }

    /// Lets the retention of the rungs' windows happen.
    pub(crate) fn expire(&self) {
        self.lives().iter().for_each(|live| live.expire());
    }

    /// Whether some rung has media, if only the rest of what it had.
    pub(crate) fn has_media(&self) -> bool {
        self.lives()
            .iter()
            .any(|live| live.read(|windows| windows.current().is_some()))
    }

    /// Starts the tasks of all rungs that are watched and have none.
    fn revive(self: &Arc<Self>, inner: &mut Inner) {
        let Inner {
            rungs,
            current,
            offered,
            ..
        } = inner;
        if !self.transcoder.may_work() {
            return;
        }
        for (&rung, entry) in rungs {
            if entry.watchers == 0 || entry.feed.is_some() || entry.given_up.is_some() || !offered.contains(&rung) {
                continue;
            }
            let (feed, inbox) = mpsc::channel(FEED);
            if let Some((description, config)) = current {
                let start = Tapped::Start {
                    description: Arc::clone(description),
                    config: config.clone(),
                };
                // There is room in a new queue.
                let _ = feed.try_send(start);
            }
            entry.feed = Some(feed);
            entry.state = RungState::Starting;
            let before = entry.task.take();
            entry.task = Some(self.spawn(rung, Arc::clone(&entry.live), inbox, before));
        }
        self.note_wanted(inner);
    }

    fn spawn(
        self: &Arc<Self>,
        rung: Rung,
        live: Arc<Live>,
        inbox: mpsc::Receiver<Tapped>,
        before: Option<JoinHandle<()>>,
    ) -> JoinHandle<()> {
        let ladder = Arc::clone(self);
        let stop = self.transcoder.shutdown().token().clone();
        self.transcoder.shutdown().spawn(async move {
            if let Some(before) = before {
                // Windows have one writer. One that panicked writes no more.
                let _ = before.await;
            }
            let ffmpeg = tokio::select! {
                found = ladder.transcoder.found() => found,
                () = stop.cancelled() => None,
            };
            let Some(ffmpeg) = ffmpeg else {
                ladder.left(rung, None);
                return;
            };
            let load = ladder.transcoder.budget().add(rung);
            let maker = Maker {
                rung,
                ffmpeg,
                ladder,
                live,
                inbox,
                load,
            };
            maker.run(stop).await;
        })
    }

    /// Its task may end, as nobody watches; from here on another one is started for who does.
    pub(super) fn release(&self, rung: Rung) -> bool {
        let mut inner = self.lock();
        let released = inner.rungs.get_mut(&rung).is_none_or(|entry| {
            let unwatched = entry.watchers == 0;
            if unwatched {
                entry.feed = None;
                entry.state = RungState::Off;
            }
            unwatched
        });
        self.note_wanted(&inner);
        released
    }

    /// Its task has ended.
    pub(super) fn left(&self, rung: Rung, given_up: Option<GivenUp>) {
        let mut inner = self.lock();
        if let Some(entry) = inner.rungs.get_mut(&rung) {
            // Another task may be there already, and waits for this one.
            if given_up.is_some() {
                // Nobody lost what was left out for want of room after its last watcher.
                entry.given_up = given_up.filter(|&why| why != GivenUp::Crowded || entry.watchers > 0);
                entry.feed = None;
            }
            entry.speed = None;
            entry.stand_in = None;
            if entry.feed.is_none() {
                entry.state = RungState::Off;
            }
        }
        self.note_wanted(&inner);
    }

    fn note_wanted(&self, inner: &Inner) {
        let wants = |entry: &Entry| entry.feed.is_some() || (entry.watchers > 0 && entry.given_up.is_none());
        let wanted = self.transcoder.may_work() && inner.rungs.values().any(wants);
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    fn lives(&self) -> Vec<Arc<Live>> {
        self.lock()
            .rungs
            .values()
            .map(|entry| Arc::clone(&entry.live))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn new(retention: Retention) -> Self {
        Self {
            live: Arc::new(Live::new(retention)),
            watchers: 0,
            feed: None,
            task: None,
            given_up: None,
            state: RungState::Off,
            speed: None,
            restarts: 0,
            failure: None,
            stand_in: None,
        }
    }

    /// Where there is room again it may be asked for again. Without, whoever still asks would start it over and over.
    fn forget_crowd(&mut self, has_room: bool) {
        if has_room && self.given_up == Some(GivenUp::Crowded) {
            self.given_up = None;
        }
    }
}
