//! A room's ladder: smaller pictures of what its publisher sends, made by ffmpeg while somebody watches them.

use std::sync::Arc;

use node::live::Live;
use serde::Serialize;

/// One watcher's claim to a rung: it is made as long as anybody holds one, and a little longer.
pub struct RungHold {
    live: Arc<Live>,
}

impl RungHold {
    /// The rung's windows. They fill once the source's next segment begins; an epoch whose `parent` is not the source's is of before.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }
}

/// How a room's ladder is, for whoever runs the room.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LadderHealth {
    /// Version; `None`: there is no ffmpeg that works, and no ladder.
    pub ffmpeg: Option<String>,
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
    /// Given up, as the computer cannot keep up; tried again with the next stream.
    Dropped,
    /// ffmpeg stopped by itself and is started again after a while.
    Failed,
}
