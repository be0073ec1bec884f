//! The live side of the origin as the API and the relays see it: rooms, chats and relays behind their traits.

use std::collections::HashSet;

use common::{
    auth::Role,
    chat::{
        record::{AuditEntry, Doer},
        room::{NotDone, Settings},
    },
    id::{ChannelId, RoomSlug},
    time::UnixMillis,
    wire::{
        chat::{ChatAct, EmoteRef},
        control::{Revocation, RoomReport},
    },
};
use futures::future::{BoxFuture, FutureExt};

use crate::{
    api::{ChatStorage, LivePlane, RoomLive},
    chat::Chats,
    db::{ChatRow, Room},
    ingest::admission::PublishEnd,
    relays::{Followed, RelayStatus, Relays, RoomsForRelays},
    room::{Fronted, Rooms, StreamSettings},
    secrets::KeyHash,
    stores::Stores,
};

/// Rooms, chats and relays as they run.
#[derive(Clone)]
pub struct Plane {
    rooms: Rooms,
    relays: Relays,
    chats: Chats,
    stores: Stores,
}

impl Plane {
    pub fn new(rooms: Rooms, relays: Relays, chats: Chats, stores: Stores) -> Self {
        Self {
            rooms,
            relays,
            chats,
            stores,
        }
    }
}

impl LivePlane for Plane {
    fn room_live(&self, room: &RoomSlug) -> RoomLive {
        let status = self.rooms.status(room);
        RoomLive {
            is_live: status.is_live,
            interrupted: status.interrupted,
            started_at: status.started_at,
            viewer_count: u32::try_from(self.rooms.viewer_count(room)).unwrap_or(u32::MAX),
        }
    }

    fn health(&self, room: &RoomSlug) -> serde_json::Value {
        let health = self.rooms.health(room).unwrap_or_default();
        let mut health = serde_json::to_value(health).expect("health is plain data");
        health["ladder"] = serde_json::to_value(self.rooms.ladder_health(room)).expect("health is plain data");
        let slate = self.rooms.slate_health(room);
        health["slate"] = serde_json::to_value(slate).expect("a state and a text");
        health
    }

    fn viewers_of_invite(&self, invite_id: &str) -> HashSet<String> {
        self.rooms.viewers_of_invite(invite_id)
    }

    fn relays(&self) -> Vec<RelayStatus> {
        self.relays.statuses()
    }

    fn room_created(&self, room: &Room) {
        self.rooms.open(&room.slug);
        self.chats.created(&room.slug, ChatRow::default().settings(room));
    }

    /// What may change (name, access, lock) is asked of the database at each join.
    fn room_changed(&self, _room: &Room) {}

    fn stream_settings_changed(&self, room: &RoomSlug, settings: StreamSettings) {
        self.rooms.set_stream_settings(room, settings);
    }

    fn room_deleted(&self, room: &RoomSlug) {
        self.rooms.remove(room);
        self.chats.remove(room);
    }

    fn cut_publisher(&self, room: &RoomSlug) {
        self.rooms.cut_publisher(room);
    }

    fn publisher_done(&self, room: &RoomSlug, of: &Fronted, how: PublishEnd) {
        self.rooms.publisher_done(room, of, how);
    }

    fn pass_done(&self, name: &str, how: PublishEnd) -> bool {
        self.rooms.pass_done(name, how)
    }

    fn issue_pass(&self, room: &RoomSlug, key_hash: KeyHash, of: Fronted) -> BoxFuture<'_, Option<String>> {
        let room = room.clone();
        async move { self.rooms.issue_pass(&room, key_hash, of).await }.boxed()
    }

    fn revoke(&self, revocation: Revocation) {
        self.chats.revoked(&revocation);
        self.relays.push_revocation(revocation);
    }

    fn cut_relay(&self, relay_id: &str) {
        self.relays.cut(relay_id);
        self.stores.relay_removed();
    }

    fn is_locked(&self, room: &RoomSlug) -> Option<bool> {
        self.chats.is_locked(room)
    }

    fn claim_name(&self, room: &RoomSlug, viewer_id: &str, role: Role, wanted: &str) -> String {
        self.chats.claim_name(room, viewer_id, role, wanted)
    }

    fn chat_settings_changed(&self, room: &RoomSlug, settings: Settings) {
        self.chats.settings_changed(room, settings);
    }

    fn moderate(&self, room: &RoomSlug, by: Doer, act: ChatAct) -> BoxFuture<'_, Result<(), NotDone>> {
        let room = room.clone();
        async move { self.chats.moderate(&room, &by, act).await }.boxed()
    }

    fn emotes_changed(&self, room: &RoomSlug, emotes: Vec<EmoteRef>) {
        self.chats.emotes_changed(room, emotes);
    }

    fn audit(&self, room: &RoomSlug, entry: AuditEntry) {
        self.chats.audit(room, entry);
    }

    fn forget_messages(&self, room: &RoomSlug, before: UnixMillis) {
        self.chats.forget_messages(room, before);
    }

    fn chat_storage(&self) -> ChatStorage {
        self.chats.storage()
    }
}

impl RoomsForRelays for Plane {
    fn live(&self, channel: &ChannelId) -> Option<Followed> {
        let Some(rung) = channel.rung else {
            let live = self.rooms.live(&channel.room)?;
            return Some(Followed { live, hold: None });
        };
        let hold = self.rooms.rung(&channel.room, rung)?;
        Some(Followed {
            live: hold.live().clone(),
            hold: Some(Box::new(hold)),
        })
    }

    fn viewers_seen(&self, _relay_id: &str, reports: Vec<RoomReport>) {
        self.rooms.viewers_seen(reports);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use common::live::window::Retention;
    use node::shutdown::Shutdown;

    use crate::{
        control::{Addresses, Control, ControlConfig},
        gate::ChatGate,
        relays::LinkState,
        room::RoomsConfig,
        secrets::admin_token,
    };

    use super::*;

    #[tokio::test]
    async fn the_public_urls_are_told_anew_when_a_relay_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let config = ControlConfig {
            data_dir: folder.path().to_owned(),
            database_url: None,
            admin_token: admin_token::Source::DataDir,
            addresses: Addresses::new(
                "http://watch.example",
                "http://house.example",
                "rtmp://house.example/live",
            ),
        };
        let control = Control::open(config, UnixMillis(1_795_341_600_000)).await.unwrap();
        let stores = Stores::new(Arc::new(control));
        let settings = RoomsConfig {
            part_target_ms: 333,
            retention: Retention::origin(),
            slates: None,
            memories: None,
        };
        let rooms = Rooms::new(settings, Arc::new(stores.clone()), Shutdown::new());
        let relays = Relays::new(LinkState::default(), Arc::new(stores.clone()));
        let gate = ChatGate::new(Arc::clone(stores.control()), relays.clone());
        let chats = Chats::new(Arc::new(stores.clone()), Arc::new(gate), &Shutdown::new());
        Plane::new(rooms, relays, chats, stores.clone()).cut_relay("r1");
        let told = tokio::time::timeout(Duration::from_secs(20), stores.public_urls_changed()).await;
        told.unwrap();
    }
}
