//! The rooms that one relay is subscribed to, and waiting for what changes there.

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
};

use common::id::RoomSlug;
use node::live::Live;
use tokio::task::{AbortHandle, JoinSet};

use super::RoomsForRelays;

#[derive(Default)]
pub(super) struct Watched {
    rooms: BTreeMap<RoomSlug, Room>,
    /// One task for each room with media, which ends at the next change.
    changes: JoinSet<RoomSlug>,
}

#[derive(Default)]
struct Room {
    live: Option<Arc<Live>>,
    waiting: Option<AbortHandle>,
}

impl Watched {
    /// The room's media as it is now, for a look at it. The next change after this call will be told.
    pub(super) fn watch(&mut self, slug: &RoomSlug, rooms: &dyn RoomsForRelays) -> Option<Arc<Live>> {
        let room = self.rooms.entry(slug.clone()).or_default();
        room.stop_waiting();
        room.live = rooms.live(slug);
        if let Some(live) = &room.live {
            // Subscribed before the caller looks.
            let mut changes = live.watch();
            let slug = slug.clone();
            room.waiting = Some(self.changes.spawn(async move {
                // Fails when the media is gone, which is a change, too.
                let _ = changes.changed().await;
                slug
            }));
        }
        room.live.clone()
    }

    pub(super) fn forget(&mut self, slug: &RoomSlug) {
        if let btree_map::Entry::Occupied(room) = self.rooms.entry(slug.clone()) {
            room.remove().stop_waiting();
        }
    }

    pub(super) fn contains(&self, slug: &RoomSlug) -> bool {
        self.rooms.contains_key(slug)
    }

    /// Rooms whose media is not what it was: begun, or made anew.
    pub(super) fn replaced(&self, rooms: &dyn RoomsForRelays) -> Vec<RoomSlug> {
        let is_same = |slug: &RoomSlug, room: &Room| match (rooms.live(slug), &room.live) {
            (Some(now), Some(held)) => Arc::ptr_eq(&now, held),
            (None, None) => true,
            _ => false,
        };
        let replaced = self.rooms.iter().filter(|(slug, room)| !is_same(slug, room));
        replaced.map(|(slug, _)| slug.clone()).collect()
    }

    /// The next room that changed; `None` when no room has media.
    pub(super) async fn changed(&mut self) -> Option<RoomSlug> {
        loop {
            if let Ok(slug) = self.changes.join_next().await?
                && self.rooms.contains_key(&slug)
            {
                return Some(slug);
            }
        }
    }
}

impl Room {
    fn stop_waiting(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            waiting.abort();
        }
    }
}
