//! A room's slate: made when a stream begins, shown when its publisher is lost, gone when one is back.
//!
//! Held by the room's actor, which calls [`StandIn::follow`] as the stream goes on and drives [`StandIn::settle`].

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use common::{id::Epoch, live::EpochDescription, media::access_unit::MediaMessage, time::Monotonic};
use serde::Serialize;
use tokio::{sync::watch, time::Instant};
use tracing::{info, warn};

use super::settings::Slate;
use crate::slate::{
    clip::{Clip, Playing},
    format::{self, TrackFormat},
    making::SlateMaker,
};

/// A publisher that is back so soon is not stood in for.
pub(super) const SLATE_DELAY: Duration = Duration::from_secs(1);
/// Wait before a slate that could not be made is tried again: what was in the way (a full disk, a busy machine) may be gone. Twice as long
/// each time,
const TRY_AGAIN: Duration = Duration::from_secs(60);
/// but no longer than this.
const TRY_AGAIN_AT_MOST: Duration = Duration::from_secs(32 * 60);
/// How often frames of a slate are pushed.
pub(super) const SLATE_TICK: Duration = Duration::from_millis(40);

/// How a room's slate is, for whoever runs the room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum SlateHealth {
    /// Switched off, or there is no stream to stand in for.
    #[default]
    Off,
    Making,
    Ready,
    Showing,
    /// There is none. If that may change, it is tried again.
    Unavailable {
        reason: String,
    },
}

type Made = Result<Clip, String>;

/// What a slate is made of.
#[derive(Clone)]
struct Job {
    maker: Arc<SlateMaker>,
    tracks: Vec<TrackFormat>,
    picture: Option<Bytes>,
    /// Before it is tried again.
    wait: Duration,
}

enum Making {
    Nothing,
    /// Driven by [`StandIn::settle`]; dropped, ffmpeg ends.
    Going(Job, Pin<Box<dyn Future<Output = Made> + Send>>),
    Ready(Arc<Clip>),
    Failed {
        reason: String,
        /// `None`: no slate can be made for such a stream.
        again: Option<(Instant, Job)>,
    },
}

pub(super) struct StandIn {
    maker: Option<Arc<SlateMaker>>,
    wanted: watch::Receiver<Slate>,
    /// What the slate at hand is for.
    epoch: Option<Epoch>,
    making: Making,
    /// Since when it has to be shown.
    due: Option<Monotonic>,
    /// With when it began.
    playing: Option<(Playing, Monotonic)>,
    health: watch::Sender<SlateHealth>,
}

impl StandIn {
    pub(super) fn new(
        maker: Option<Arc<SlateMaker>>,
        wanted: watch::Receiver<Slate>,
        health: watch::Sender<SlateHealth>,
    ) -> Self {
        Self {
            maker,
            wanted,
            epoch: None,
            making: Making::Nothing,
            due: None,
            playing: None,
            health,
        }
    }

    /// The stream goes on in this epoch; `None`: there is none.
    pub(super) fn follow(&mut self, description: Option<&EpochDescription>) {
        let epoch = description.map(|description| description.epoch);
        let is_new = self.wanted.has_changed().unwrap_or(false);
        if epoch == self.epoch && !is_new {
            return;
        }
        // A slate that is shown begins no other: what it goes on in was begun by the publisher.
        if self.playing.is_some() && !is_new && epoch.is_some() {
            self.epoch = epoch;
            return;
        }
        let wanted = self.wanted.borrow_and_update().clone();
        self.epoch = epoch;
        self.playing = None;
        self.making = match (description, &self.maker) {
            (Some(description), Some(maker)) if wanted != Slate::Off => begin(maker, description, wanted),
            _ => Making::Nothing,
        };
        self.tell();
    }

    /// Completes when the slate is made, or cannot be, or is tried again, or another is wanted; may be dropped and called again.
    pub(super) async fn settle(&mut self) {
        let wanted = &mut self.wanted;
        self.making = match &mut self.making {
            Making::Going(job, going) => {
                let made = tokio::select! {
                    made = going => made,
                    () = changed(wanted) => return,
                };
                match made {
                    Ok(clip) => Making::Ready(Arc::new(clip)),
                    Err(reason) => {
                        warn!(%reason, "there is no slate");
                        let wait = (job.wait * 2).min(TRY_AGAIN_AT_MOST);
                        let again = Some((Instant::now() + job.wait, Job { wait, ..job.clone() }));
                        Making::Failed { reason, again }
                    }
                }
            }
            Making::Failed {
                again: Some((at, job)), ..
            } => {
                tokio::select! {
                    () = tokio::time::sleep_until(*at) => job.clone().begin(),
                    () = changed(wanted) => return,
                }
            }
            _ => return changed(wanted).await,
        };
        self.tell();
    }

    /// The publisher was lost: the slate is shown in a moment.
    pub(super) fn lost(&mut self, now: Monotonic) {
        self.due.get_or_insert(now + SLATE_DELAY);
    }

    /// Nobody is to be stood in for any more.
    pub(super) fn done(&mut self) {
        self.due = None;
        if self.playing.take().is_some() {
            self.tell();
        }
    }

    /// Whether [`Self::next`] has something to do soon.
    pub(super) fn is_due(&self) -> bool {
        self.due.is_some() && matches!(self.making, Making::Ready(_))
    }

    /// What is to be pushed now.
    pub(super) fn next(&mut self, now: Monotonic) -> Vec<MediaMessage> {
        let (Some(due), Making::Ready(clip)) = (self.due, &self.making) else {
            return Vec::new();
        };
        if now < due {
            return Vec::new();
        }
        let is_first = self.playing.is_none();
        let (playing, since) = self
            .playing
            .get_or_insert_with(|| (Playing::new(Arc::clone(clip)), now));
        let mut messages = if is_first { playing.configurations() } else { Vec::new() };
        messages.extend(playing.due(now.since(*since)));
        if is_first {
            info!("the slate is shown");
            self.tell();
        }
        messages
    }

    fn tell(&self) {
        let health = match &self.making {
            _ if self.playing.is_some() => SlateHealth::Showing,
            Making::Nothing => SlateHealth::Off,
            Making::Going(..) => SlateHealth::Making,
            Making::Ready(_) => SlateHealth::Ready,
            Making::Failed { reason, .. } => SlateHealth::Unavailable { reason: reason.clone() },
        };
        self.health.send_replace(health);
    }
}

fn begin(maker: &Arc<SlateMaker>, description: &EpochDescription, wanted: Slate) -> Making {
    let tracks = match format::of(description) {
        Ok(tracks) => tracks,
        Err(reason) => {
            let reason = reason.to_string();
            return Making::Failed { reason, again: None };
        }
    };
    let picture = match wanted {
        Slate::Off | Slate::Card => None,
        Slate::Picture(picture) => Some(picture),
    };
    let maker = Arc::clone(maker);
    let job = Job {
        maker,
        tracks,
        picture,
        wait: TRY_AGAIN,
    };
    job.begin()
}

impl Job {
    fn begin(self) -> Making {
        let job = self.clone();
        Making::Going(
            self,
            Box::pin(async move {
                let made = job.maker.make(&job.tracks, job.picture).await;
                made.map_err(|error| error.to_string())
            }),
        )
    }
}

/// Completes when another slate is wanted, and leaves it to be seen.
async fn changed(wanted: &mut watch::Receiver<Slate>) {
    // Without a sender nothing is ever wanted.
    if wanted.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
    wanted.mark_changed();
}

#[cfg(test)]
mod tests {
    use common::{
        id::Msn,
        live::{BitRate, RenditionDescription, RenditionFormat},
    };

    use super::*;

    /// A stream of sound.
    fn stream() -> EpochDescription {
        let sound = RenditionDescription {
            format: RenditionFormat::Audio {
                index: 0,
                channels: 2,
                sample_rate: 48_000,
                name: "Main".to_owned(),
                language: None,
            },
            codecs: "mp4a.40.2".to_owned(),
            timescale: 48_000,
            bit_rate: BitRate {
                peak: 128_000,
                average: 128_000,
            },
        };
        EpochDescription {
            epoch: Epoch(1),
            target_duration_s: 2,
            part_target_ms: 333,
            first_msn: Msn(0),
            renditions: vec![sound],
            ladder: Vec::new(),
            audio_only: false,
            opens_early: false,
            parent: None,
        }
    }

    /// A slate that failed because something is in the place of its folder; and the folder as it would be.
    struct Failed {
        stand_in: StandIn,
        wish: watch::Sender<Slate>,
        health: watch::Receiver<SlateHealth>,
        folder: tempfile::TempDir,
    }

    impl Failed {
        /// Stops the clock.
        async fn make() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let tracks = format::of(&stream()).unwrap();
            let elsewhere = SlateMaker::new("ffmpeg".into(), folder.path().join("made"));
            elsewhere.make(&tracks, None).await.unwrap();
            std::fs::write(folder.path().join("slates"), "in the way").unwrap();

            tokio::time::pause();
            let maker = SlateMaker::new("/nowhere/ffmpeg".into(), folder.path().join("slates"));
            let (wish, wanted) = watch::channel(Slate::Card);
            let (shown, health) = watch::channel(SlateHealth::default());
            let mut stand_in = StandIn::new(Some(Arc::new(maker)), wanted, shown);
            stand_in.follow(Some(&stream()));
            stand_in.settle().await;
            assert!(matches!(&*health.borrow(), SlateHealth::Unavailable { .. }));
            Self {
                stand_in,
                wish,
                health,
                folder,
            }
        }
    }

    #[tokio::test]
    async fn a_slate_that_could_not_be_made_is_tried_again_a_minute_later() {
        let mut failed = Failed::make().await;
        let slates = failed.folder.path().join("slates");
        std::fs::remove_file(&slates).unwrap();
        std::fs::rename(failed.folder.path().join("made"), &slates).unwrap();

        let since = Instant::now();
        failed.stand_in.settle().await;
        assert_eq!(since.elapsed().as_secs(), TRY_AGAIN.as_secs());
        assert_eq!(*failed.health.borrow(), SlateHealth::Making);
        failed.stand_in.settle().await;
        assert_eq!(*failed.health.borrow(), SlateHealth::Ready);
    }

    #[tokio::test]
    async fn a_slate_that_keeps_failing_is_told_of_as_before_and_tried_less_and_less_often() {
        let mut failed = Failed::make().await;
        let mut waits = Vec::new();
        for _ in 0..7 {
            let since = Instant::now();
            failed.stand_in.settle().await;
            waits.push(since.elapsed().as_secs() / 60);
            failed.stand_in.settle().await;
            assert!(matches!(&*failed.health.borrow(), SlateHealth::Unavailable { .. }));
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 32]);
    }

    #[tokio::test]
    async fn a_slate_that_is_not_wanted_any_more_is_not_tried_again() {
        let mut failed = Failed::make().await;
        failed.wish.send_replace(Slate::Off);
        failed.stand_in.settle().await;
        failed.stand_in.follow(Some(&stream()));
        assert_eq!(*failed.health.borrow(), SlateHealth::Off);
        let tried = tokio::time::timeout(2 * TRY_AGAIN, failed.stand_in.settle()).await;
        assert!(tried.is_err());
    }
}
