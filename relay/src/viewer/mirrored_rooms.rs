//! The relay's upstream as the viewers' side sees it.

use std::sync::Arc;

use bytes::Bytes;
use common::{
    id::RoomSlug,
    time::UnixMillis,
    wire::{
        control::{Revocation, RoomState, ViewerSeen},
        request::{CallReply, CallRequest, FetchRequest},
    },
};
use futures::future::{BoxFuture, FutureExt};
use node::live::Live;
use tokio::sync::watch;

use super::rooms::{CallFailure, FetchFailure, Rooms};
use crate::upstream::{FetchError, Upstream};

impl Rooms for Upstream {
    fn room(&self, slug: &RoomSlug) -> Option<RoomState> {
        Self::room(self, slug)
    }

    fn watch_room<'a>(&'a self, slug: &'a RoomSlug) -> BoxFuture<'a, Option<Arc<Live>>> {
        Self::watch_room(self, slug).boxed()
    }

    fn viewer_seen(&self, slug: &RoomSlug, viewer: ViewerSeen) {
        Self::viewer_seen(self, slug, viewer);
    }

    fn fetch(&self, request: FetchRequest) -> BoxFuture<'_, Result<Vec<Bytes>, FetchFailure>> {
        let fetched = Self::fetch(self, request).map(|fetched| {
            fetched.map_err(|error| match error {
                FetchError::Gone => FetchFailure::Gone,
                FetchError::Unavailable | FetchError::Overloaded => FetchFailure::Unavailable,
            })
        });
        fetched.boxed()
    }

    fn call(&self, request: CallRequest) -> BoxFuture<'_, Result<CallReply, CallFailure>> {
        let reply = Self::call(self, request).map(|reply| reply.map_err(|_| CallFailure));
        reply.boxed()
    }

    fn keys(&self) -> watch::Receiver<Arc<str>> {
        Self::keys(self)
    }

    fn revocations(&self) -> watch::Receiver<Arc<Vec<Revocation>>> {
        Self::revocations(self)
    }

    fn public_urls(&self) -> watch::Receiver<Arc<Vec<String>>> {
        Self::public_urls(self)
    }

    fn origin_now(&self) -> UnixMillis {
        Self::origin_now(self)
    }

    fn relay_id(&self) -> Option<Arc<str>> {
        Self::relay_id(self)
    }

    fn egress(&self, bytes: u64) {
        Self::egress(self, bytes);
    }
}
