//! A room's ladder: smaller pictures of what its publisher sends, made by ffmpeg while somebody watches them.
//!
//! The source's packager has a tap; what comes out of it goes to one task a rung ([`maker`]), which feeds an ffmpeg ([`child`]) and packages
//! what comes back with the source's numbers and times (`common::packager::RungPackager`). Nothing runs while nobody watches, and the
//! source waits for no rung. Playlists, relays and settings are elsewhere.

mod budget;
mod child;
mod command;
mod encoder;
mod ffmpeg;
mod hold;
mod ladder;
mod maker;
mod pace;
mod retry;

use std::{path::PathBuf, sync::Arc};

use node::shutdown::Shutdown;
use serde::Serialize;
use tokio::sync::watch;
use tracing::warn;

pub(crate) use self::command::spawn as spawn_encoder;
pub(crate) use self::ladder::Ladder;
use self::{budget::Budget, ffmpeg::Ffmpeg};
pub use self::{hold::RungHold, retry::GivenUp};

/// What the machine has to make rungs with. Clones share it.
#[derive(Clone)]
pub struct Transcoder {
    found: watch::Receiver<Found>,
    budget: Budget,
    shutdown: Shutdown,
}

#[derive(Clone)]
enum Found {
    Looking,
    Works(Arc<Ffmpeg>),
    /// In words.
    Fault(String),
}

impl Transcoder {
    /// Looks at this ffmpeg, in the background.
    pub fn start(program: PathBuf, shutdown: &Shutdown) -> Self {
        let (tell, found) = watch::channel(Found::Looking);
        let stop = shutdown.token().clone();
        shutdown.spawn(async move {
            let looked = tokio::select! {
                looked = ffmpeg::find(&program) => looked,
                () = stop.cancelled() => Err("the origin stops".to_owned()),
            };
            tell.send_replace(match looked {
                Ok(ffmpeg) => Found::Works(Arc::new(ffmpeg)),
                Err(reason) => {
                    warn!(reason, "no ffmpeg: rooms have no ladder");
                    Found::Fault(reason)
                }
            });
        });
        Self {
            found,
            budget: Budget::default(),
            shutdown: shutdown.clone(),
        }
    }

    /// With so many encoders at work at once, whatever the computer's cores would allow. Before any room has it.
    #[must_use]
    pub fn with_most_encoders(mut self, most: usize) -> Self {
        self.budget = Budget::new(most);
        self
    }

    /// No encoder may work, so that there is no ladder; none is looked for.
    pub fn none(shutdown: &Shutdown) -> Self {
        let (_, found) = watch::channel(Found::Fault("there is none".to_owned()));
        Self {
            found,
            budget: Budget::new(0),
            shutdown: shutdown.clone(),
        }
    }

    /// It works, or may yet be found to, and is allowed to.
    fn may_work(&self) -> bool {
        !self.is_off() && !matches!(&*self.found.borrow(), Found::Fault(_))
    }

    /// The operator wants no encoder to work.
    fn is_off(&self) -> bool {
        self.budget.is_none()
    }

    fn fault(&self) -> Option<String> {
        match &*self.found.borrow() {
            Found::Fault(reason) => Some(reason.clone()),
            Found::Looking | Found::Works(_) => None,
        }
    }

    /// What it can do is being found out, which takes a while.
    fn is_looking(&self) -> bool {
        !self.is_off() && matches!(&*self.found.borrow(), Found::Looking)
    }

    /// ffmpeg's version, and its encoder that is used first.
    fn works_with(&self) -> Option<(String, String)> {
        match &*self.found.borrow() {
            Found::Works(ffmpeg) => Some((ffmpeg.version.clone(), ffmpeg.encoder(0).name().to_owned())),
            Found::Looking | Found::Fault(_) => None,
        }
    }

    /// Once that is known.
    async fn found(&self) -> Option<Arc<Ffmpeg>> {
        let mut found = self.found.clone();
        let known = found.wait_for(|found| !matches!(found, Found::Looking)).await;
        match known.ok().as_deref() {
            Some(Found::Works(ffmpeg)) => Some(Arc::clone(ffmpeg)),
            _ => None,
        }
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }

    fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }
}

/// How a room's ladder is, for whoever runs the room.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LadderHealth {
    /// Version; `None`: there is no ffmpeg that works or may, and no ladder, or none is found yet.
    pub ffmpeg: Option<String>,
    /// Whether there is one is still being found out.
    pub looking: bool,
    /// As ffmpeg calls it.
    pub encoder: Option<String>,
    /// The largest first.
    pub rungs: Vec<RungHealth>,
    /// In plain words, with what to do.
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RungHealth {
    /// `720p`
    pub rung: &'static str,
    pub state: RungState,
    /// Why it is [`RungState::Dropped`].
    pub reason: Option<GivenUp>,
    /// Relays with viewers of it.
    pub watchers: usize,
    /// Media seconds made a second; `None` until something was made.
    pub speed: Option<f64>,
    /// Of ffmpeg, since the origin started.
    pub restarts: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RungState {
    /// Nobody watches.
    #[default]
    Off,
    /// ffmpeg runs, or waits for the source, and nothing came of it yet.
    Starting,
    Running,
    /// Given up; tried again with the next stream at the latest.
    Dropped,
    /// ffmpeg ended by itself and is started again after a while.
    Failed,
}
