//! The relays' table as the link asks it.

use common::time::UnixMillis;
use futures::{FutureExt, future::BoxFuture};

use super::{Database, DbError, Relay};
use crate::relays::{AllowedRelay, RelaySeen, RelayStore, StoreUnavailable};

impl From<Relay> for AllowedRelay {
    fn from(relay: Relay) -> Self {
        Self {
            id: relay.id,
            name: relay.name,
        }
    }
}

impl From<DbError> for StoreUnavailable {
    fn from(error: DbError) -> Self {
        Self(error.to_string())
    }
}

impl RelayStore for Database {
    fn allowed<'a>(&'a self, relay_id: &'a str) -> BoxFuture<'a, Result<Option<AllowedRelay>, StoreUnavailable>> {
        async move { Ok(self.enrolled_relay(relay_id).await?.map(AllowedRelay::from)) }.boxed()
    }

    fn redeem<'a>(
        &'a self,
        secret_sha256: &'a [u8; 32],
        at: UnixMillis,
    ) -> BoxFuture<'a, Result<Option<AllowedRelay>, StoreUnavailable>> {
        async move {
            Ok(self
                .redeem_relay_secret(secret_sha256, at)
                .await?
                .map(AllowedRelay::from))
        }
        .boxed()
    }

    fn seen<'a>(&'a self, relay_id: &'a str, seen: RelaySeen) -> BoxFuture<'a, Result<(), StoreUnavailable>> {
        async move { Ok(self.relay_seen(relay_id, seen.at, &seen.version, &seen.url).await?) }.boxed()
    }
}
