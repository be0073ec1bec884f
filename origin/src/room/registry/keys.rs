//! The keys by which publishers came into rooms that are open, so that one that drops while the database is away may return.
//!
//! Not here: which key opens which room. The database says that, and what is remembered counts only while it cannot.

use common::id::RoomSlug;
use subtle::ConstantTimeEq as _;

use super::{Room, Rooms, lock};
use crate::secrets::KeyHash;

/// What a room remembers of its key.
#[derive(Default)]
pub(super) struct RememberedKey {
    /// Of the publisher that was let in by it last.
    hash: Option<KeyHash>,
    /// How often the key was changed since the origin started.
    changes: u64,
}

/// What a room's key was when the database was asked for it.
#[derive(Clone, Copy)]
pub(in crate::room) struct KeyChanges(u64);

impl RememberedKey {
    /// The key is no longer good.
    pub(super) fn forget(&mut self) {
        self.hash = None;
        self.changes += 1;
    }

    fn is(&self, hash: &KeyHash) -> bool {
        self.hash.is_some_and(|own| own.ct_eq(hash).into())
    }
}

impl Rooms {
    /// To be asked for before the database is asked whether a key still opens the room.
    pub(in crate::room) fn key_changes(&self, slug: &RoomSlug) -> Option<KeyChanges> {
        Some(KeyChanges(lock(&self.room(slug)?.key).changes))
    }

    /// A publisher was let in by this key, which was the room's after `changes`; nothing, if it was changed since.
    pub(in crate::room) fn remember_key(&self, slug: &RoomSlug, hash: KeyHash, changes: KeyChanges) {
        if let Some(room) = self.room(slug) {
            let mut key = lock(&room.key);
            if key.changes == changes.0 {
                key.hash = Some(hash);
            }
        }
    }

    /// The room with an open stream, on air or waiting, whose publisher came by this key.
    pub(in crate::room) fn open_by_key(&self, hash: &KeyHash) -> Option<RoomSlug> {
        // All are compared, so that the time tells nothing of which one it is.
        let is_it = |room: &Room| lock(&room.key).is(hash) & room.publication.is_open();
        let rooms = self.rooms();
        let found = rooms.iter().filter(|(_, room)| is_it(room)).map(|(slug, _)| slug);
        found.last().cloned()
    }
}
