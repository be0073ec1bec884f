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
    id::{Epoch, Msn, PartId, RenditionId, RoomSlug},
    live::{
        RenditionFormat,
        window::{LiveWindow, Lookup, SegmentLookup},
    },
    wire::request::FetchRequest,
};
use node::{live::Live, web_app};

use super::{
    body::{self, RopeBody},
    error::Problem,
    headers::{CACHE_MEDIA, Wanted, wanted},
    hold::{Look, until_found},
    rooms::FetchFailure,
    state::Viewers,
};

/// Which file of an epoch, of those that are media.
#[derive(Clone, Copy, Debug)]
pub enum MediaFile {
    Init(RenditionId, u32),
    Segment(RenditionId, Msn),
    Part(PartId),
}

/// Where a file's bytes are.
enum Place {
    Here(Vec<Bytes>),
    Upstream,
}

impl MediaFile {
    fn rendition(self) -> RenditionId {
        match self {
            Self::Init(rendition, _) | Self::Segment(rendition, _) => rendition,
            Self::Part(id) => id.rendition,
        }
    }

    /// Looks for the file. Of those that are not here yet, only the next part is waited for: it is the one that playlists hint.
    fn find(self, window: &LiveWindow) -> Result<Look<Place>, Problem> {
        let found = match self {
            Self::Init(rendition, id) => {
                let init = window.init(rendition, id).ok_or(Problem::NoSuchMedia)?;
                Place::Here(vec![init.clone()])
            }
            Self::Segment(rendition, msn) => match window.segment(rendition, msn) {
                SegmentLookup::Here(pieces) => Place::Here(pieces),
                SegmentLookup::Absent => Place::Upstream,
                SegmentLookup::Open | SegmentLookup::NotYet | SegmentLookup::Unknown => return Err(Problem::NoSuchMedia),
            },
            Self::Part(id) => match window.part(id) {
                Lookup::Here(piece) => Place::Here(vec![piece]),
                Lookup::Absent => Place::Upstream,
                Lookup::NotYet if window.next(id.rendition) == (id.msn, id.part) => return Ok(Look::NotYet),
                Lookup::NotYet | Lookup::Unknown => return Err(Problem::NoSuchMedia),
            },
        };
        Ok(Look::Found(found))
    }

    fn fetch_request(self, room: &RoomSlug, epoch: Epoch) -> Option<FetchRequest> {
        let (msn, part) = match self {
            Self::Init(..) => return None,
            Self::Segment(_, msn) => (msn, None),
            Self::Part(id) => (id.msn, Some(id.part)),
        };
        Some(FetchRequest {
            room: room.clone(),
            epoch,
            rendition: self.rendition(),
            msn,
            part,
        })
    }
}

/// A media file, whole or the range that was asked for.
///
/// # Errors
/// It is not here and cannot be fetched, or the range lies beyond it.
pub async fn answer(
    viewers: &Viewers,
    live: &Arc<Live>,
    room: &RoomSlug,
    epoch: Epoch,
    (name, file): (&str, MediaFile),
    request: &HeaderMap,
) -> Result<Response, Problem> {
    let found = until_found(viewers, live, epoch, Problem::NoSuchMedia, |window| {
        let format = window.description().rendition(file.rendition()).ok_or(Problem::NoSuchMedia)?;
        let content_type = match format.format {
            RenditionFormat::Video { .. } => "video/mp4",
            RenditionFormat::Audio { .. } => "audio/mp4",
        };
        Ok(match file.find(window)? {
            Look::Found(place) => Look::Found((place, content_type)),
            Look::NotYet => Look::NotYet,
        })
    });
    let (place, content_type) = found.await?;
    let pieces = match place {
        Place::Here(pieces) => pieces,
        Place::Upstream => fetch(viewers, file.fetch_request(room, epoch)).await?,
    };
    // The name is of our own making by now: it was parsed, and parsing takes one spelling only.
    let etag = HeaderValue::try_from(format!("\"{epoch}/{name}\"")).map_err(|_| Problem::NoSuchMedia)?;
    respond(viewers, pieces, etag, content_type, request)
}

async fn fetch(viewers: &Viewers, request: Option<FetchRequest>) -> Result<Vec<Bytes>, Problem> {
    let request = request.ok_or(Problem::NoSuchMedia)?;
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
    let is_known = web_app::is_known(request, &etag);
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
        headers.insert(header::CONTENT_RANGE, HeaderValue::try_from(text).expect("numbers are header text"));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    let pieces = body::slice(pieces, &range);
    Ok((status, headers, Body::new(RopeBody::new(pieces, viewers.rooms.clone()))).into_response())
}
