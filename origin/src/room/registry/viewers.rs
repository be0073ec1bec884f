//! Who was seen watching, of one room or of all.

use std::{collections::HashSet, sync::Arc};

use common::{id::RoomSlug, wire::control::RoomReport};
use node::clock;

use super::{Room, Rooms, lock};

impl Rooms {
    pub fn viewer_count(&self, slug: &RoomSlug) -> usize {
        self.room(slug)
            .map_or(0, |room| lock(&room.audience).count(clock::monotonic()))
    }

    /// Ids of the viewers of `invite_id` that were seen in the last 60 s.
    pub fn viewers_of_invite(&self, invite_id: &str) -> HashSet<String> {
        let now = clock::monotonic();
        let rooms: Vec<Arc<Room>> = self.rooms().values().cloned().collect();
        let mut viewers = HashSet::new();
        for room in rooms {
            viewers.extend(lock(&room.audience).of_invite(now, invite_id).map(str::to_owned));
        }
        viewers
    }

    pub fn viewers_seen(&self, reports: Vec<RoomReport>) {
        for RoomReport { room, viewers } in reports {
            if let Some(room) = self.room(&room) {
                lock(&room.audience).seen(clock::monotonic(), viewers);
            }
        }
    }
}
