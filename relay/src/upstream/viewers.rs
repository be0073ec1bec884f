//! The upstream as the viewers' side wants it.

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
use futures::{FutureExt, TryFutureExt, future::BoxFuture};
use node::live::Live;
use tokio::sync::watch;

use super::{FetchError, Upstream};
use crate::{
    cache::mirror::Mirrored,
    viewer::rooms::{CallFailure, FetchFailure, Rooms},
};

impl Rooms for Upstream {
    fn room(&self, slug: &RoomSlug) -> Option<RoomState> {
        Self::room(self, slug)
    }

    fn watch_room<'a>(&'a self, slug: &'a RoomSlug) -> BoxFuture<'a, Option<Arc<Live>>> {
        Self::watch_room(self, slug).boxed()
    }

    fn watch_rung(&self, channel: &ChannelId) -> Mirrored {
        Self::watch_rung(self, channel)
    }

    fn rung_with(&self, slug: &RoomSlug, epoch: Epoch) -> Option<(ChannelId, Arc<Live>)> {
        Self::rung_with(self, slug, epoch)
    }

    fn viewer_seen(&self, slug: &RoomSlug, viewer: ViewerSeen) {
        Self::viewer_seen(self, slug, viewer);
    }

    fn fetch(&self, request: FetchRequest) -> BoxFuture<'_, Result<Vec<Bytes>, FetchFailure>> {
        let failure = |error| match error {
            FetchError::Gone => FetchFailure::Gone,
            FetchError::Unavailable | FetchError::Overloaded => FetchFailure::Unavailable,
        };
        Self::fetch(self, request).map_err(failure).boxed()
    }

    fn call(&self, request: CallRequest) -> BoxFuture<'_, Result<CallReply, CallFailure>> {
        Self::call(self, request).map_err(|_| CallFailure).boxed()
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
