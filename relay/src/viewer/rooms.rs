//! What the viewers' side needs of the relay's upstream: the rooms' media and keys, and a way to ask the origin.
//!
//! A trait, so that everything here runs in tests on windows filled by hand, without a link.

use std::sync::Arc;

use bytes::Bytes;
use common::{
    id::{ChannelId, Epoch, RoomSlug},
    time::UnixMillis,
    wire::{
        control::{Revocation, RoomState, ViewerSeen},
        request::{CallReply, CallRequest, FetchRequest},
    },
};
use futures::future::BoxFuture;
use node::live::Live;
use tokio::sync::watch;

use crate::cache::mirror::Mirrored;

/// Why media could not be fetched from the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    #[error("the upstream does not have it any more")]
    Gone,
    #[error("the upstream cannot be reached")]
    Unavailable,
}

/// The origin could not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the origin cannot be reached")]
pub struct CallFailure;

/// The rooms as this relay knows them.
pub trait Rooms: Send + Sync + 'static {
    /// `None`: there is no such room, as far as this relay was told.
    fn room(&self, slug: &RoomSlug) -> Option<RoomState>;

    /// The room's media, once it is here; waits a bounded time. `None`: offline, or it did not come.
    fn watch_room<'a>(&'a self, slug: &'a RoomSlug) -> BoxFuture<'a, Option<Arc<Live>>>;

    /// A rung's mirror, which may be empty for as long as the rung is not made; to be called for each request, so that it is made.
    fn watch_rung(&self, channel: &ChannelId) -> Mirrored;

    /// The rung of the room that has this epoch, and its media.
    fn rung_with(&self, slug: &RoomSlug, epoch: Epoch) -> Option<(ChannelId, Arc<Live>)>;

    /// An authenticated viewer asked for something of the room.
    fn viewer_seen(&self, slug: &RoomSlug, viewer: ViewerSeen);

    /// Media whose bodies are not here any more.
    fn fetch(&self, request: FetchRequest) -> BoxFuture<'_, Result<Vec<Bytes>, FetchFailure>>;

    /// Carries a viewer's API call to the origin.
    fn call(&self, request: CallRequest) -> BoxFuture<'_, Result<CallReply, CallFailure>>;

    /// JWK set of the keys that verify viewer tokens; empty before the first connection.
    fn keys(&self) -> watch::Receiver<Arc<str>>;

    /// All revocations in force.
    fn revocations(&self) -> watch::Receiver<Arc<Vec<Revocation>>>;

    /// Public URLs of this StreamCircle.
    fn public_urls(&self) -> watch::Receiver<Arc<Vec<String>>>;

    /// The origin's time, which tokens are made by.
    fn origin_now(&self) -> UnixMillis;

    /// The name that tokens may be bound to; `None` before the first connection.
    fn relay_id(&self) -> Option<Arc<str>>;

    /// Bytes of media and playlists that went to viewers.
    fn egress(&self, bytes: u64);
}
