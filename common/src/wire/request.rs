//! A relay's questions, one bidirectional stream each: media of the past, and calls of viewers to the origin's API.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::media::PartOutline;
use crate::id::{ChannelId, Epoch, Msn, RenditionId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    Fetch(FetchRequest),
    Call(CallRequest),
}

/// A whole segment, or one of its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FetchRequest {
    pub channel: ChannelId,
    pub epoch: Epoch,
    pub rendition: RenditionId,
    pub msn: Msn,
    /// `None`: the whole segment.
    pub part: Option<u32>,
}

/// Head of the answer to a fetch; `body_len` bytes follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FetchReply {
    Found {
        body_len: u32,
        /// What stood in the part's header; `None` with a whole segment.
        part: Option<PartOutline>,
    },
    /// Not here, or not here any more.
    Gone,
}

/// A viewer's API call as it came to a relay. The origin answers only the calls that are open to viewers.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRequest {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: String,
    /// Path and query, as in `/api/rooms/cinema/join`.
    pub path: String,
    /// `authorization`, `cookie`, `content-type`, `accept-language` where the viewer sent them.
    pub headers: Vec<(String, String)>,
    /// Address of the viewer as the relay saw it.
    pub peer: String,
    pub body: Bytes,
}

/// Headers and body may hold secrets: only the route is shown.
impl std::fmt::Debug for CallRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallRequest")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// The origin's answer, to be passed on as it is.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct CallReply {
    pub status: u16,
    /// `content-type`, `content-disposition`, `set-cookie`, `retry-after`, `cache-control` where the origin set them.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}
