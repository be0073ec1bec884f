//! A room's slate: made when a stream begins, shown when its publisher is lost, gone when one is back.
//!
//! Held by the room's actor, which calls [`StandIn::follow`] as the stream goes on and drives [`StandIn::settle`].

use std::{pin::Pin, sync::Arc, time::Duration};

use common::{
    id::Epoch, live::EpochDescription, media::access_unit::MediaMessage, packager::IngestHealth, time::Monotonic,
};
use serde::Serialize;
use tokio::sync::watch;
use tracing::{info, warn};

use super::settings::Slate;
use crate::slate::{
    clip::{Clip, Playing},
    format,
    making::SlateMaker,
};

/// A publisher that is back so soon is not stood in for.
pub(super) const SLATE_DELAY: Duration = Duration::from_secs(1);
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
    /// There will be none.
    Unavailable {
        reason: String,
    },
}

type Made = Result<Clip, String>;

enum Making {
    Nothing,
    /// Driven by [`StandIn::settle`]; dropped, ffmpeg ends.
    Going(Pin<Box<dyn Future<Output = Made> + Send>>),
    Ready(Arc<Clip>),
    Failed(String),
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

    /// Completes when the slate is made, or cannot be, or another is wanted; may be dropped and called again.
    pub(super) async fn settle(&mut self) {
        let wanted = &mut self.wanted;
        let Making::Going(going) = &mut self.making else {
            // Without a sender nothing is ever wanted.
            if wanted.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            wanted.mark_changed();
            return;
        };
        match going.await {
            Ok(clip) => self.making = Making::Ready(Arc::new(clip)),
            Err(reason) => {
                warn!(%reason, "there is no slate");
                self.making = Making::Failed(reason);
            }
        }
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
            Making::Going(_) => SlateHealth::Making,
            Making::Ready(_) => SlateHealth::Ready,
            Making::Failed(reason) => SlateHealth::Unavailable { reason: reason.clone() },
        };
        self.health.send_replace(health);
    }
}

/// How the stream is while the slate stands in: what is known of media is not the publisher's.
pub(super) fn away(health: IngestHealth) -> IngestHealth {
    IngestHealth {
        video: None,
        audio: None,
        audio_tracks: Vec::new(),
        av_offset_milliseconds: None,
        clock_drift_ppm: None,
        warnings: vec!["The publisher is away, the slate is shown".to_owned()],
        ..health
    }
}

fn begin(maker: &Arc<SlateMaker>, description: &EpochDescription, wanted: Slate) -> Making {
    let tracks = match format::of(description) {
        Ok(tracks) => tracks,
        Err(reason) => return Making::Failed(reason.to_string()),
    };
    let maker = Arc::clone(maker);
    let picture = match wanted {
        Slate::Off | Slate::Card => None,
        Slate::Picture(picture) => Some(picture),
    };
    Making::Going(Box::pin(async move {
        let made = maker.make(&tracks, picture).await;
        made.map_err(|error| error.to_string())
    }))
}
