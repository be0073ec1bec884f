//! What the link asks of the database, behind a trait: who may connect, and which one-time secrets are still good.

use common::time::UnixMillis;
use futures::future::BoxFuture;

/// A relay's row as the link needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedRelay {
    pub id: String,
    /// The name that invites refer to. A relay's own `Hello` does not decide it.
    pub name: String,
}

/// What a relay said of itself when it connected, for its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaySeen {
    pub at: UnixMillis,
    /// The software and its version.
    pub version: String,
    /// Where viewers reach it.
    pub url: String,
}

/// The store could not answer; says nothing about the relay that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the relay store cannot answer: {0}")]
pub struct StoreUnavailable(pub String);

/// Relays as the database has them. Answers are wanted within a second or two: a connection waits for them.
pub trait RelayStore: Send + Sync + 'static {
    /// The relay, unless it was removed or never enrolled.
    fn allowed<'a>(&'a self, relay_id: &'a str) -> BoxFuture<'a, Result<Option<AllowedRelay>, StoreUnavailable>>;

    /// Uses up the one-time secret with this SHA-256 and says whose it was; `None` when there is no such secret, it was
    /// used before, or its time is over. Of two callers at once one gets the relay. Looking up the hash and not the
    /// secret keeps timing from telling anything of use.
    fn redeem<'a>(
        &'a self,
        secret_sha256: &'a [u8; 32],
        at: UnixMillis,
    ) -> BoxFuture<'a, Result<Option<AllowedRelay>, StoreUnavailable>>;

    /// The relay is connected.
    fn seen<'a>(&'a self, relay_id: &'a str, seen: RelaySeen) -> BoxFuture<'a, Result<(), StoreUnavailable>>;
}
