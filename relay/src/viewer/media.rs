//! Init segments, segments and parts: bytes that never change under their name.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use common::{
    hls::uri::MediaPath,
    id::{ChannelId, Epoch, PartId, RoomSlug},
    live::window::{LiveWindow, Lookup, SegmentLookup},
    media::access_unit::TrackKind,
    wire::request::FetchRequest,
};
use node::{live::Live, representation};

use super::{
    body::{self, RopeBody},
    error::Problem,
    headers::{CACHE_MEDIA, Wanted, wanted},
    hold::{Look, until_found},
    rooms::FetchFailure,
    state::Viewers,
};

/// Where a file's bytes are.
enum Place {
    Here(Vec<Bytes>),
    Upstream(FetchRequest),
}

/// Looks for `file`. Of those that are not here yet, only the next part is waited for: it is the one that playlists hint.
fn find(window: &LiveWindow, channel: &ChannelId, file: MediaPath) -> Result<Look<(Place, &'static str)>, Problem> {
    let (MediaPath::Init { track, .. } | MediaPath::Segment { track, .. } | MediaPath::Part { track, .. }) = file
    else {
        return Err(Problem::NoSuchMedia);
    };
    let rendition = window.description().rendition_of(track).ok_or(Problem::NoSuchMedia)?;
    let upstream = |msn, part| {
        Place::Upstream(FetchRequest {
            channel: channel.clone(),
            epoch: window.epoch(),
            rendition,
            msn,
            part,
        })
    };
    let place = match file {
        MediaPath::Init { init_id, .. } => {
            let init = window.init(rendition, init_id).ok_or(Problem::NoSuchMedia)?;
            Place::Here(vec![init.clone()])
        }
        MediaPath::Segment { msn, .. } => match window.segment(rendition, msn) {
            SegmentLookup::Here(pieces) => Place::Here(pieces),
            SegmentLookup::Absent => upstream(msn, None),
            SegmentLookup::Open | SegmentLookup::NotYet | SegmentLookup::Unknown => return Err(Problem::NoSuchMedia),
        },
        MediaPath::Part { msn, part, .. } => match window.part(PartId { rendition, msn, part }) {
            Lookup::Here(piece) => Place::Here(vec![piece]),
            Lookup::Absent => upstream(msn, Some(part)),
            Lookup::NotYet if window.next(rendition) == (msn, part) => return Ok(Look::NotYet),
            Lookup::NotYet | Lookup::Unknown => return Err(Problem::NoSuchMedia),
        },
        MediaPath::Playlist(_) | MediaPath::RungPlaylist(_) | MediaPath::Gap => return Err(Problem::NoSuchMedia),
    };
    let content_type = match track.kind {
        TrackKind::Video => "video/mp4",
        TrackKind::Audio => "audio/mp4",
    };
    Ok(Look::Found((place, content_type)))
}

/// A media file, whole or the range that was asked for.
///
/// # Errors
/// It is not here and cannot be fetched, or the range lies beyond it.
pub(super) async fn answer(
    viewers: &Viewers,
    source: Arc<Live>,
    room: &RoomSlug,
    epoch: Epoch,
    file: MediaPath,
    request: &HeaderMap,
) -> Result<Response, Problem> {
    let (channel, live) = channel_of(viewers, source, room, epoch).ok_or(Problem::NoSuchMedia)?;
    let look = |window: &LiveWindow| find(window, &channel, file);
    let (place, content_type) = until_found(viewers, &live, epoch, Problem::NoSuchMedia, look).await?;
    let pieces = match place {
        Place::Here(pieces) => pieces,
        Place::Upstream(request) => fetch(viewers, request).await?,
    };
    // Names never change their bytes, so a name is as good as a hash.
    let etag = HeaderValue::try_from(format!("\"{epoch}/{file}\"")).expect("names of media are plain text");
    respond(viewers, pieces, etag, content_type, request)
}

/// Where the epoch is: most requests are for the source's.
fn channel_of(viewers: &Viewers, source: Arc<Live>, room: &RoomSlug, epoch: Epoch) -> Option<(ChannelId, Arc<Live>)> {
    if source.read(|windows| windows.get(epoch).is_some()) {
        return Some((ChannelId::source(room.clone()), source));
    }
    viewers.rooms.rung_with(room, epoch)
}

async fn fetch(viewers: &Viewers, request: FetchRequest) -> Result<Vec<Bytes>, Problem> {
    viewers.rooms.fetch(request).await.map_err(|failure| match failure {
        FetchFailure::Gone => Problem::NoSuchMedia,
        FetchFailure::Unavailable => Problem::NoOrigin,
    })
}

fn respond(
    viewers: &Viewers,
    pieces: Vec<Bytes>,
    etag: HeaderValue,
    content_type: &'static str,
    request: &HeaderMap,
) -> Result<Response, Problem> {
    let length = body::length(&pieces);
    let range = wanted(request, &etag, length);
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_MEDIA));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let is_known = representation::is_known(request, &etag);
    headers.insert(header::ETAG, etag);
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let (status, range) = match range {
        Wanted::Whole => (StatusCode::OK, 0..length),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Beyond => {
            let content_range = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            return Ok((content_range, Problem::BadRange).into_response());
        }
    };
    if status == StatusCode::PARTIAL_CONTENT {
        let text = format!("bytes {}-{}/{length}", range.start, range.end - 1);
        headers.insert(
            header::CONTENT_RANGE,
            HeaderValue::try_from(text).expect("numbers are header text"),
        );
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    let pieces = body::slice(pieces, &range);
    Ok((status, headers, Body::new(RopeBody::new(pieces, viewers.rooms.clone()))).into_response())
}
