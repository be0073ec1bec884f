//! Playlists: rendered once for all viewers who get the same text, and held back until what was asked for is there.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue},
    response::Response,
};
use common::{
    hls::{
        directives::{self, Answer, Directives, Skip},
        media_playlist, multivariant,
    },
    id::{Epoch, Msn, RenditionId},
    live::{EpochDescription, window::LiveWindow},
    media::access_unit::TrackId,
};
use node::{live::Live, representation::Representation};

use super::{
    body::RopeBody,
    error::Problem,
    headers::{CACHE_MULTIVARIANT, CACHE_PLAYLIST, PLAYLIST_TYPE, cache_of_blocking_reload},
    hold::{Look, until_found},
    rooms::Rooms,
    state::Viewers,
};

/// Most renditions whose newest texts are kept; all are dropped when there is one more, and made anew when asked for.
const MAX_KEPT: usize = 1024;

/// A playlist's text.
pub(super) struct Rendered(Representation);

impl Rendered {
    fn new(text: String) -> Self {
        Self(Representation::new(PLAYLIST_TYPE, text.into()))
    }

    pub(super) fn answer(&self, request: &HeaderMap, cache_control: HeaderValue, rooms: Arc<dyn Rooms>) -> Response {
        self.0
            .answer(request, cache_control, |bytes| Body::new(RopeBody::new([bytes], rooms)))
    }
}

/// The newest text of each playlist. Its locks are taken while a window is looked at, never the other way round.
#[derive(Default)]
pub(super) struct Renderings(Mutex<HashMap<Key, Arc<Mutex<Option<Kept>>>>>);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    epoch: Epoch,
    rendition: RenditionId,
    skip: Skip,
}

/// A text and what it was made from. A window that replaces another of the same epoch has a description of its own, so their
/// versions cannot be mixed up.
struct Kept {
    description: Arc<EpochDescription>,
    version: u64,
    next: (Msn, u32),
    rendered: Arc<Rendered>,
}

impl Renderings {
    /// The playlist as the window stands; whoever asks for the same one meanwhile waits for it.
    pub(super) fn get(&self, window: &LiveWindow, rendition: RenditionId, skip: Skip) -> Arc<Rendered> {
        let key = Key {
            epoch: window.epoch(),
            rendition,
            skip,
        };
        let place = {
            let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if places.len() >= MAX_KEPT && !places.contains_key(&key) {
                places.clear();
            }
            places.entry(key).or_default().clone()
        };
        let mut kept = place.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, next) = (window.version(rendition), window.next(rendition));
        if let Some(kept) = &*kept
            && (kept.version, kept.next) == (version, next)
            && Arc::ptr_eq(&kept.description, window.description())
        {
            return kept.rendered.clone();
        }
        metrics::counter!("streamcircle_relay_playlists_rendered_total").increment(1);
        let text = match window.description().parent {
            None => media_playlist::render(window, rendition, skip),
            Some(_) => media_playlist::render_rung(window, skip),
        };
        let rendered = Arc::new(Rendered::new(text));
        *kept = Some(Kept {
            description: window.description().clone(),
            version,
            next,
            rendered: rendered.clone(),
        });
        rendered
    }
}

/// Which of a room's multivariant playlists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Multivariant {
    Whole,
    AudioOnly,
}

impl Multivariant {
    fn render(self, description: &EpochDescription) -> Result<String, Problem> {
        match self {
            Self::Whole => Ok(multivariant::render(description)),
            Self::AudioOnly => multivariant::render_audio_only(description).ok_or(Problem::NoSuchPlaylist),
        }
    }
}

/// A multivariant playlist of the room's current epoch.
///
/// # Errors
/// Nothing is live, or there is no variant of sound alone.
pub(super) async fn answer_multivariant(
    viewers: &Viewers,
    live: &Arc<Live>,
    which: Multivariant,
    request: &HeaderMap,
) -> Result<Response, Problem> {
    let epoch = live
        .read(|windows| windows.current().map(LiveWindow::epoch))
        .ok_or(Problem::Offline)?;
    let text = until_found(viewers, live, epoch, Problem::Offline, |window| {
        Ok(if is_playable(window) {
            Look::Found(which.render(window.description())?)
        } else {
            Look::NotYet
        })
    });
    let text = text.await.map_err(|problem| match problem {
        Problem::HeldTooLong => Problem::Offline,
        other => other,
    })?;
    let rendered = Rendered::new(text);
    Ok(rendered.answer(
        request,
        HeaderValue::from_static(CACHE_MULTIVARIANT),
        viewers.rooms.clone(),
    ))
}

/// A media playlist, held back as its delivery directives ask.
///
/// # Errors
/// The directives make no sense, the epoch or rendition is not here, or what they ask for does not come.
pub(super) async fn answer_media(
    viewers: &Viewers,
    live: &Arc<Live>,
    epoch: Epoch,
    track: TrackId,
    query: Option<&str>,
    request: &HeaderMap,
) -> Result<Response, Problem> {
    let directives = directives::parse(query)?;
    let found = until_found(viewers, live, epoch, Problem::NoSuchPlaylist, |window| {
        look(&viewers.renderings, window, track, &directives)
    });
    let (rendered, cache_control) = found.await.map_err(|problem| match problem {
        // Only a request that asked to be held may be answered 503.
        Problem::HeldTooLong if directives.position.is_none() => Problem::Offline,
        other => other,
    })?;
    Ok(rendered.answer(request, cache_control, viewers.rooms.clone()))
}

fn look(
    renderings: &Renderings,
    window: &LiveWindow,
    track: TrackId,
    directives: &Directives,
) -> Result<Look<(Arc<Rendered>, HeaderValue)>, Problem> {
    let description = window.description();
    let rendition = description.rendition_of(track).ok_or(Problem::NoSuchPlaylist)?;
    let skip = match directives::answer(window, rendition, directives) {
        Answer::Now(skip) => skip,
        Answer::Wait(_) => return Ok(Look::NotYet),
        Answer::Refuse(reason) => return Err(reason.into()),
    };
    if !is_playable(window) {
        return Ok(Look::NotYet);
    }
    let cache_control = cache_control(window, rendition, directives);
    Ok(Look::Found((renderings.get(window, rendition, skip), cache_control)))
}

/// How long the answer to a request may be kept.
pub(super) fn cache_control(window: &LiveWindow, rendition: RenditionId, directives: &Directives) -> HeaderValue {
    if is_final(window, rendition, directives) {
        cache_of_blocking_reload(window.description().target_duration_s)
    } else {
        HeaderValue::from_static(CACHE_PLAYLIST)
    }
}

/// The answer belongs to its URL for good: a reload that asked for what has just come.
fn is_final(window: &LiveWindow, rendition: RenditionId, directives: &Directives) -> bool {
    let last_complete = window.edge(rendition).and_then(|edge| edge.last_complete);
    !window.ended()
        && directives
            .position
            .is_some_and(|(msn, _)| last_complete.is_none_or(|last| msn >= last))
}

/// A player that gets the playlist now can start: enough is listed, and the init segments are here. Or nothing more will come.
fn is_playable(window: &LiveWindow) -> bool {
    let has_init = |rendition| {
        let newest = window.segments(rendition).next_back();
        newest.is_some_and(|segment| window.init(rendition, segment.init_id()).is_some())
    };
    window.ended() || (media_playlist::ready(window) && window.description().rendition_ids().all(has_init))
}
