//! The database behind the traits by which ingest, rooms and link ask for it.

use std::sync::Arc;

use anyhow::Context;
use common::{
    id::{Msn, RoomSlug},
    time::UnixMillis,
};
use futures::future::{BoxFuture, FutureExt};
use node::clock;
use tokio::sync::Notify;

use crate::{
    control::Control,
    db::{DbError, Relay},
    ingest::admission::StreamKey,
    relays::{AllowedRelay, RelaySeen, RelayStore, StoreUnavailable},
    room::{KeyLookup, MsnStore},
};

/// [`KeyLookup`], [`MsnStore`] and [`RelayStore`] over the database. Clones share it.
#[derive(Clone)]
pub struct Stores {
    control: Arc<Control>,
    public_urls_changed: Arc<Notify>,
}

impl Stores {
    pub fn new(control: Arc<Control>) -> Self {
        Self {
            control,
            public_urls_changed: Arc::default(),
        }
    }

    /// Completes after a relay said where it is reached, or was removed.
    pub async fn public_urls_changed(&self) {
        self.public_urls_changed.notified().await;
    }

    /// A relay is no longer in the database: nobody has to trust its URL from now on.
    pub fn relay_removed(&self) {
        self.public_urls_changed.notify_one();
    }

    /// Where viewers may come from: the public URL, and those of all enrolled relays.
    ///
    /// # Errors
    /// The database cannot answer.
    pub async fn public_urls(&self) -> Result<Vec<String>, DbError> {
        let relays = self.control.db().relays().await?;
        let mut urls = vec![self.control.addresses().public_url.clone()];
        urls.extend(
            relays
                .into_iter()
                .filter(|relay| relay.enrolled_at.is_some())
                .filter_map(|relay| relay.url),
        );
        urls.sort();
        urls.dedup();
        Ok(urls)
    }
}

impl KeyLookup for Stores {
    fn room<'a>(&'a self, key: &'a StreamKey) -> BoxFuture<'a, anyhow::Result<Option<RoomSlug>>> {
        async { Ok(self.control.room_by_stream_key(key.expose()).await?) }.boxed()
    }
}

impl MsnStore for Stores {
    fn reserved<'a>(&'a self, room: &'a RoomSlug) -> BoxFuture<'a, anyhow::Result<Msn>> {
        async { self.control.db().reserved_msn(room).await?.context("the room is gone") }.boxed()
    }

    fn reserve<'a>(&'a self, room: &'a RoomSlug, upto: Msn) -> BoxFuture<'a, anyhow::Result<()>> {
        async move {
            self.control
                .db()
                .reserve_msn(room, upto)
                .await?
                .context("the room is gone")
                .map(|_| ())
        }
        .boxed()
    }
}

impl RelayStore for Stores {
    fn allowed<'a>(&'a self, relay_id: &'a str) -> BoxFuture<'a, Result<Option<AllowedRelay>, StoreUnavailable>> {
        async { allowed(self.control.db().enrolled_relay(relay_id).await) }.boxed()
    }

    fn redeem<'a>(
        &'a self,
        secret_sha256: &'a [u8; 32],
        at: UnixMillis,
    ) -> BoxFuture<'a, Result<Option<AllowedRelay>, StoreUnavailable>> {
        async move { allowed(self.control.db().redeem_relay_secret(secret_sha256, at).await) }.boxed()
    }

    fn seen<'a>(&'a self, relay_id: &'a str, seen: RelaySeen) -> BoxFuture<'a, Result<(), StoreUnavailable>> {
        async move {
            let RelaySeen { at, version, url } = seen;
            self.control
                .db()
                .relay_seen(relay_id, at, &version, &url)
                .await
                .map_err(|error| unavailable(&error))?;
            self.public_urls_changed.notify_one();
            Ok(())
        }
        .boxed()
    }
}

fn allowed(found: Result<Option<Relay>, DbError>) -> Result<Option<AllowedRelay>, StoreUnavailable> {
    Ok(found.map_err(|error| unavailable(&error))?.map(|relay| AllowedRelay {
        id: relay.id,
        name: relay.name,
    }))
}

fn unavailable(error: &DbError) -> StoreUnavailable {
    StoreUnavailable(error.to_string())
}

/// The wall clock, as the API takes it.
pub fn api_clock() -> crate::api::Clock {
    Arc::new(clock::unix_millis)
}
