//! What the API asks of the live side of the origin, and tells it.
//!
//! The calls return at once: what takes longer (closing a publisher, telling relays) goes on behind them, within the
//! two seconds that a revocation may take.

use std::collections::HashSet;

use common::{
    auth::Role,
    chat::{
        record::{AuditEntry, Doer},
        room::{NotDone, Settings},
    },
    id::RoomSlug,
    time::UnixMillis,
    wire::{
        chat::{ChatAct, EmoteRef},
        control::Revocation,
    },
};
use futures::future::BoxFuture;
use serde::Serialize;

use crate::{
    db::Room,
    ingest::admission::PublishEnd,
    relays::RelayStatus,
    room::{Fronted, StreamSettings},
    secrets::KeyHash,
};

/// How a room stands on air.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomLive {
    pub is_live: bool,
    /// The publisher was lost and may come back.
    pub interrupted: bool,
    pub started_at: Option<UnixMillis>,
    /// Viewers seen in the last minute, on all relays.
    pub viewer_count: u32,
}

/// How the keeping of what is said does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatStorage {
    /// Records that are not in the database yet.
    pub waiting: u64,
    /// Records lost since the database failed.
    pub dropped: u64,
    pub is_failing: bool,
}

/// The rooms and relays as they run.
pub trait LivePlane: Send + Sync + 'static {
    fn room_live(&self, room: &RoomSlug) -> RoomLive;

    /// What is known of the ingest: codec, size, frame rate, bit rate, key frame interval, drift, warnings. An object.
    fn health(&self, room: &RoomSlug) -> serde_json::Value;

    /// Ids of the viewers who came with the invite and were seen in the last 60 s.
    fn viewers_of_invite(&self, invite_id: &str) -> HashSet<String>;

    /// Relays that connected since the start.
    fn relays(&self) -> Vec<RelayStatus>;

    fn room_created(&self, room: &Room);

    /// Name, access, listing, lock or slow mode changed.
    fn room_changed(&self, room: &Room);

    /// What is offered of the room's stream, or what stands in for it, changed.
    fn stream_settings_changed(&self, room: &RoomSlug, settings: StreamSettings);

    /// Ends the stream and forgets the room.
    fn room_deleted(&self, room: &RoomSlug);

    /// Closes the publisher's connection: its key opens the room no more.
    fn cut_publisher(&self, room: &RoomSlug);

    /// The publisher is gone, as an encoder in front says; [`PublishEnd::Lost`] if that cannot tell how.
    fn publisher_done(&self, room: &RoomSlug, of: &Fronted, how: PublishEnd);

    /// The same of the one publisher that was let in by this name; false when it is no name of ours.
    fn pass_done(&self, name: &str, how: PublishEnd) -> bool;

    /// A name under which an encoder in front may push one publication on, in place of the key that has this hash; `None` when another publishes.
    fn issue_pass(&self, room: &RoomSlug, key_hash: KeyHash, of: Fronted) -> BoxFuture<'_, Option<String>>;

    /// To be in force on every relay within 2 s.
    fn revoke(&self, revocation: Revocation);

    /// Closes the relay's link; it may not come back.
    fn cut_relay(&self, relay_id: &str);

    /// Whether the running chat has the room locked: the database hears of that later. `None`: no chat of it runs here.
    fn is_locked(&self, room: &RoomSlug) -> Option<bool>;

    /// A name that nobody else in the room has, as close to `wanted` as may be; the viewer's from now on.
    fn claim_name(&self, room: &RoomSlug, viewer_id: &str, role: Role, wanted: &str) -> String;

    /// The room's name, access, listing, link policy or blocked words changed; lock and slow mode come by
    /// [`LivePlane::moderate`].
    fn chat_settings_changed(&self, room: &RoomSlug, settings: Settings);

    /// The room's emotes are these from now on.
    fn emotes_changed(&self, room: &RoomSlug, emotes: Vec<EmoteRef>);

    /// The operator or a host acts; done, told to all and audited when it completes.
    fn moderate(&self, room: &RoomSlug, by: Doer, act: ChatAct) -> BoxFuture<'_, Result<(), NotDone>>;

    /// Keeps an entry of what the API did by itself.
    fn audit(&self, room: &RoomSlug, entry: AuditEntry);

    /// Messages sent before are no longer in the database.
    fn forget_messages(&self, room: &RoomSlug, before: UnixMillis);

    fn chat_storage(&self) -> ChatStorage;
}
