//! What the chats need of the rest of the origin: the database, and who may come in.

use common::{
    auth::{Role, ViewerClaims},
    chat::record::BanOrder,
    id::RoomSlug,
    time::UnixMillis,
    wire::{
        chat::{ChatMessage, EmoteRef, KickReason},
        control::Revocation,
    },
};
use futures::future::BoxFuture;

use crate::db::{BanOutcome, Kept};

/// What the database has of a room's chat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Oldest first.
    pub history: Vec<ChatMessage>,
    /// 0 when nothing was ever said.
    pub newest_id: i64,
    pub pinned: Option<ChatMessage>,
    pub emotes: Vec<EmoteRef>,
    /// Viewer ids, with the roles they had.
    pub banned: Vec<(String, Role)>,
    /// Viewer ids of those who may not speak yet, and until when.
    pub silenced: Vec<(String, UnixMillis)>,
    /// Names of moderators and hosts that were here before, with their viewer ids.
    pub staff_names: Vec<(String, String)>,
}

/// The database did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It may, later.
    #[error("{0}")]
    Away(String),
    /// It never will: it does not take what it was given.
    #[error("{0}")]
    Refused(String),
}

/// The database, as chats ask it. Calls may take long, and may be dropped half-way.
pub trait ChatStore: Send + Sync + 'static {
    /// `None`: there is no such room.
    fn load<'a>(&'a self, room: &'a RoomSlug) -> BoxFuture<'a, Result<Option<Loaded>, StoreError>>;

    /// Keeps all or nothing. The same batch may come again after an error.
    fn keep<'a>(&'a self, batch: &'a [Kept]) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Keeps a ban. The same order may come again after an error.
    fn ban<'a>(&'a self, order: &'a BanOrder) -> BoxFuture<'a, Result<BanOutcome, StoreError>>;

    fn unban<'a>(&'a self, room: &'a RoomSlug, viewer_id: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;

    /// A newer token for who holds these claims. `None`: the viewer may not stay.
    fn renew<'a>(&'a self, claims: &'a ViewerClaims)
    -> BoxFuture<'a, Result<Option<(String, UnixMillis)>, StoreError>>;
}

/// Who may come in. Nothing here waits.
pub trait Gate: Send + Sync + 'static {
    /// The claims of a viewer token that counts now, in this room, on this relay; or what to tell its bearer.
    fn check(&self, token: &str, room: &RoomSlug, relay_id: &str) -> Result<ViewerClaims, KickReason>;

    /// The viewer's tokens count no more, here and on all relays.
    fn shut_out(&self, viewer_id: &str);

    /// Tells all relays of what was revoked here.
    fn push(&self, revocation: Revocation);
}
