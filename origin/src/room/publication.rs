//! A room's media plane: what its publisher sends goes through the packager into the live window, at once and in one place.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use common::{
    id::Msn,
    live::LiveEvent,
    media::access_unit::MediaMessage,
    packager::{IngestHealth, Offer, Packager, PackagerConfig, PackagerNow},
    time::{Monotonic, UnixMillis},
};
use node::{clock, live::Live};
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::state::PublisherId;
use crate::transcode::Ladder;

/// What the room's actor and everybody who shows the room follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Since when there is something to play; `None`: nothing is.
    pub(super) started_at: Option<UnixMillis>,
    /// First media sequence number that is not used yet.
    pub(super) next_msn: Msn,
}

pub(super) struct Publication {
    live: Arc<Live>,
    part_target_ms: u32,
    ladder: Arc<Ladder>,
    inner: Mutex<Inner>,
    progress: watch::Sender<Progress>,
}

#[derive(Default)]
struct Inner {
    packager: Option<Packager>,
    /// Outlives the packager.
    offer: Offer,
    /// The packager's tap is open.
    tapped: bool,
    publisher: Option<PublisherId>,
    last_media: Monotonic,
}

/// The publisher is not the room's any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotThePublisher;

fn now() -> PackagerNow {
    PackagerNow {
        monotonic: clock::monotonic(),
        unix: clock::unix_millis(),
    }
}

impl Publication {
    pub(super) fn new(live: Arc<Live>, part_target_ms: u32, ladder: Arc<Ladder>) -> Self {
        Self {
            live,
            part_target_ms,
            ladder,
            inner: Mutex::default(),
            progress: watch::Sender::default(),
        }
    }

    pub(super) fn live(&self) -> &Arc<Live> {
        &self.live
    }

    pub(super) fn ladder(&self) -> &Arc<Ladder> {
        &self.ladder
    }

    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Media from `publisher` is taken from now on. `first_msn` counts when no stream is open; `seed` makes its epochs.
    pub(super) fn accept(&self, publisher: PublisherId, first_msn: Msn, seed: u64) {
        let mut inner = self.lock();
        inner.publisher = Some(publisher);
        inner.last_media = clock::monotonic();
        if inner.packager.is_none() {
            let mut packager = Packager::new(PackagerConfig {
                part_target_ms: self.part_target_ms,
                seed,
                first_msn,
            });
            packager.set_offer(self.ladder.keepable(inner.offer.clone()));
            inner.packager = Some(packager);
            inner.tapped = false;
        }
    }

    /// What epochs that start from now on offer beside the source.
    pub(super) fn set_offer(&self, offer: Offer) {
        let mut inner = self.lock();
        if let Some(packager) = &mut inner.packager {
            packager.set_offer(self.ladder.keepable(offer.clone()));
        }
        inner.offer = offer;
    }

    /// Whether a stream is open, with or without a publisher.
    pub(super) fn is_open(&self) -> bool {
        self.lock().packager.is_some()
    }

    /// Whether there is something to play, if only what is left of a stream that is over.
    pub(super) fn has_media(&self) -> bool {
        self.live.read(|windows| windows.current().is_some()) || self.ladder.has_media()
    }

    /// Packages one message. Bad media is counted and left out: the stream goes on.
    pub(super) fn push(&self, publisher: PublisherId, message: MediaMessage) -> Result<(), NotThePublisher> {
        let now = now();
        let mut inner = self.lock();
        if inner.publisher != Some(publisher) {
            return Err(NotThePublisher);
        }
        inner.last_media = now.monotonic;
        self.turn_tap(&mut inner);
        if let Some(packager) = &mut inner.packager {
            if let Err(reason) = packager.push(now, message) {
                warn!(%reason, "media left out");
            }
            self.deliver(packager);
        }
        Ok(())
    }

    /// How long the publisher has sent nothing.
    pub(super) fn silent_for(&self) -> Duration {
        clock::monotonic().since(self.lock().last_media)
    }

    /// The publisher is gone for now.
    pub(super) fn interrupt(&self) {
        self.outlive(|| {
            let mut inner = self.lock();
            inner.publisher = None;
            if let Some(packager) = &mut inner.packager {
                packager.interrupted(now());
                self.deliver(packager);
            }
        });
    }

    /// The stream is over.
    pub(super) fn end(&self) {
        self.outlive(|| {
            let mut inner = self.lock();
            inner.publisher = None;
            if let Some(mut packager) = inner.packager.take() {
                packager.end(now());
                self.deliver(&mut packager);
            }
        });
        self.progress.send_modify(|progress| progress.started_at = None);
    }

    /// Lets time-outs of the packager and the retention of the window happen.
    pub(super) fn tick(&self) {
        self.outlive(|| {
            let mut inner = self.lock();
            if let Some(packager) = &mut inner.packager {
                packager.tick(now());
                self.deliver(packager);
            }
        });
        self.live.expire();
        self.ladder.expire();
    }

    pub(super) fn health(&self) -> Option<IngestHealth> {
        self.lock().packager.as_ref().map(Packager::health)
    }

    /// Opens the tap while somebody watches a rung.
    fn turn_tap(&self, inner: &mut Inner) {
        let wanted = self.ladder.wants_tap();
        if let Some(packager) = inner.packager.as_mut().filter(|_| inner.tapped != wanted) {
            packager.set_tap(wanted);
            inner.tapped = wanted;
            if !wanted {
                self.ladder.tap_shut();
            }
        }
    }

    fn deliver(&self, packager: &mut Packager) {
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
                error!(%reason, "the packager and the window disagree");
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
    fn outlive(&self, act: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(act)).is_err() {
            drop(self.lock());
        }
    }

    /// A packager that panicked is in no state to go on: its stream ends as it stands, and the next publisher starts a new one.
    fn lock(&self) -> MutexGuard<'_, Inner> {
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

#[cfg(test)]
mod tests {
    use common::{
        live::{
            BitRate, EpochDescription, RenditionDescription, RenditionFormat,
            window::{LiveWindow, Retention},
        },
        media::access_unit::StreamMetadata,
    };

    use node::shutdown::Shutdown;

    use super::*;
    use crate::transcode::Transcoder;

    fn on_air() -> Publication {
        let ladder = Ladder::new(Transcoder::none(&Shutdown::new()), Retention::origin());
        let publication = Publication::new(Arc::new(Live::new(Retention::origin())), 500, ladder);
        publication.accept(PublisherId(1), Msn(7), 1);
        let description = EpochDescription {
            ladder: Vec::new(),
            audio_only: false,
            parent: None,
            epoch: common::id::Epoch(1),
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
        };
        publication.live.apply(LiveEvent::Start(Arc::new(description))).unwrap();
        publication.progress.send_modify(|progress| {
            progress.started_at = Some(clock::unix_millis());
        });
        publication
    }

    #[test]
    fn a_bug_in_packaging_ends_the_stream_and_not_the_room() {
        let publication = on_air();
        publication.outlive(|| {
            let _inner = publication.lock();
            panic!("a bug");
        });
        assert!(!publication.is_open());
        assert_eq!(publication.progress().borrow().started_at, None);
        let ended = |live: &Live| live.read(|windows| windows.current().is_some_and(LiveWindow::ended));
        assert!(ended(&publication.live));
        let message = MediaMessage::Metadata(StreamMetadata::default());
        assert_eq!(publication.push(PublisherId(1), message), Err(NotThePublisher));
        publication.accept(PublisherId(2), Msn(8), 2);
        assert!(publication.is_open());
    }

    #[test]
    fn what_is_left_of_a_stream_is_media() {
        let publication = on_air();
        publication.live.apply(LiveEvent::End).unwrap();
        publication.end();
        assert!(!publication.is_open() && publication.has_media());
    }
}
