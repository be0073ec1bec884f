//! Playlists of rungs, which stand in the folder of the source's epoch. While nobody watches a rung nothing makes it, so the first
//! who asks waits for its first part.

use std::{sync::Arc, time::Duration};

use axum::{
    http::{HeaderMap, HeaderValue},
    response::Response,
};
use common::{
    hls::{
        directives::{self, Answer, Directives},
        media_playlist::{self, RUNG_PICTURE},
    },
    id::{ChannelId, Epoch, RoomSlug, Rung},
    live::window::LiveWindow,
};
use node::live::{Live, LiveWindows};
use tokio::time::{Instant, sleep_until};

use super::{
    error::Problem,
    hold::Held,
    playlist::{Rendered, cache_control},
    state::Viewers,
};

/// So long upstream may take to say that a rung is made again of which it said before that it is not: where an epoch begins, what is
/// known of the rung is of the epoch before.
const OFFLINE_STANDS_AFTER: Duration = Duration::from_secs(2);

/// A rung's playlist, and how long it may be kept.
type Found = (Arc<Rendered>, HeaderValue);

/// What one look at a rung gave.
enum Look {
    Found(Found),
    /// It is being made, and what was asked for comes.
    NotYet,
    /// Nothing of it is being made, as far as this relay knows.
    Cold,
}

/// The source's epoch that the playlist stands in.
struct Source<'a> {
    live: &'a Live,
    epoch: Epoch,
}

impl Source<'_> {
    /// The epoch's target duration, if it is here and has the rung in its ladder.
    fn offers(&self, rung: Rung) -> Option<u32> {
        self.live.read(|windows| {
            let description = windows.get(self.epoch)?.description();
            let is_offered = description.ladder.iter().any(|offered| offered.rung == rung);
            is_offered.then_some(description.target_duration_s)
        })
    }

    fn has_ended(&self) -> bool {
        self.live
            .read(|windows| windows.get(self.epoch).is_none_or(LiveWindow::ended))
    }
}

/// A rung's media playlist, held back as its delivery directives ask, and until there is something of it.
///
/// # Errors
/// The rung is not offered or was given up, the directives make no sense, or what they ask for does not come in time.
pub(super) async fn answer(
    viewers: &Viewers,
    source: (&Live, Epoch),
    room: &RoomSlug,
    rung: Rung,
    query: Option<&str>,
    request: &HeaderMap,
) -> Result<Response, Problem> {
    let directives = directives::parse(query)?;
    let (live, epoch) = source;
    let source = Source { live, epoch };
    let target_duration_s = source.offers(rung).ok_or(Problem::NoSuchPlaylist)?;
    let channel = ChannelId {
        room: room.clone(),
        rung: Some(rung),
    };
    let offline_stands_at = Instant::now() + OFFLINE_STANDS_AFTER;
    let mut source_changes = live.watch();
    let mut held: Option<Held> = None;
    let (rendered, cache_control) = 'found: loop {
        let mut mirror = viewers.rooms.watch_rung(&channel);
        let mut changes = mirror.live.watch();
        loop {
            changes.borrow_and_update();
            source_changes.borrow_and_update();
            let has_ended = source.has_ended();
            let is_offline = *mirror.is_offline.borrow_and_update();
            let offline_stands = Instant::now() >= offline_stands_at;
            match mirror
                .live
                .read(|windows| look(viewers, windows, &source, has_ended, &directives))?
            {
                Look::Found(found) => break 'found found,
                Look::Cold if has_ended || (is_offline && offline_stands) => {
                    return Err(Problem::NoSuchPlaylist);
                }
                Look::NotYet | Look::Cold => {}
            }
            let held = held.get_or_insert_with(|| Held::new(target_duration_s));
            tokio::select! {
                _ = changes.changed() => {}
                // Its end is the end of waiting for a rung.
                _ = source_changes.changed() => {}
                () = sleep_until(offline_stands_at), if is_offline && !offline_stands => {}
                changed = mirror.is_offline.changed() => if changed.is_err() {
                    // The relay let go of the rung meanwhile.
                    break;
                },
                () = sleep_until(held.until) => return Err(Problem::HeldTooLong),
                () = viewers.stop.cancelled() => return Err(Problem::Stopping),
            }
        }
    };
    Ok(rendered.answer(request, cache_control, viewers.rooms.clone()))
}

fn look(
    viewers: &Viewers,
    windows: &LiveWindows,
    source: &Source<'_>,
    source_has_ended: bool,
    directives: &Directives,
) -> Result<Look, Problem> {
    // One that ended before its source was given up, or will be begun anew; its end is not the stream's.
    let goes_on = |window: &&LiveWindow| source_has_ended || !window.ended();
    let Some(window) = windows.newest_of(source.epoch).filter(goes_on) else {
        return Ok(Look::Cold);
    };
    if !media_playlist::rung_ready(window) {
        return Ok(if window.ended() { Look::Cold } else { Look::NotYet });
    }
    match directives::answer(window, RUNG_PICTURE, directives) {
        Answer::Now(skip) => Ok(Look::Found((
            viewers.renderings.get(window, RUNG_PICTURE, skip),
            cache_control(window, RUNG_PICTURE, directives),
        ))),
        Answer::Wait(_) => Ok(Look::NotYet),
        Answer::Refuse(reason) => Err(reason.into()),
    }
}
