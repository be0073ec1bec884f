//! The channels that one relay is subscribed to, and waiting for what changes there.

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
};

use common::id::{ChannelId, RoomSlug};
use node::live::{Live, LiveWindows};
use tokio::task::{AbortHandle, JoinSet};

use super::{Followed, RoomsForRelays};

/// How often a rung that is not offered any more may be found unfinished before it is let go: with its source it ends a moment later,
/// when its encoder has given back the last pictures.
const UNFINISHED: u8 = 3;

#[derive(Default)]
pub(super) struct Watched {
    channels: BTreeMap<ChannelId, Channel>,
    /// One task for each channel with media, which ends at the next change.
    changes: JoinSet<ChannelId>,
}

#[derive(Default)]
struct Channel {
    /// As long as it is here, a rung is made.
    followed: Option<Followed>,
    found_unfinished: u8,
    waiting: Option<AbortHandle>,
}

impl Watched {
    /// Asks for the channel's media, also of one that is watched: what is there may be another by now.
    pub(super) fn follow(&mut self, id: &ChannelId, rooms: &dyn RoomsForRelays) {
        self.channels
            .entry(id.clone())
            .or_default()
            .take(id.rung.is_some(), rooms.live(id));
    }

    /// The channel's media, for a look at it. The next change after this call will be told.
    pub(super) fn look(&mut self, id: &ChannelId) -> Option<Arc<Live>> {
        let channel = self.channels.get_mut(id)?;
        channel.stop_waiting();
        let live = Arc::clone(&channel.followed.as_ref()?.live);
        // Subscribed before the caller looks.
        let mut changes = live.watch();
        let id = id.clone();
        channel.waiting = Some(self.changes.spawn(async move {
            // Fails when the media is gone, which is a change, too.
            let _ = changes.changed().await;
            id
        }));
        Some(live)
    }

    /// The channel's media as it was found last.
    pub(super) fn media(&self, id: &ChannelId) -> Option<&Arc<Live>> {
        Some(&self.channels.get(id)?.followed.as_ref()?.live)
    }

    pub(super) fn forget(&mut self, id: &ChannelId) {
        if let btree_map::Entry::Occupied(channel) = self.channels.entry(id.clone()) {
            channel.remove().stop_waiting();
        }
    }

    /// Those of the room.
    pub(super) fn of_room(&self, room: &RoomSlug) -> Vec<ChannelId> {
        self.channels.keys().filter(|id| id.room == *room).cloned().collect()
    }

    /// Asks for the media of all channels, and tells whose is not what it was: begun, made anew, or given up.
    pub(super) fn replaced(&mut self, rooms: &dyn RoomsForRelays) -> Vec<ChannelId> {
        let mut replaced = Vec::new();
        for (id, channel) in &mut self.channels {
            if channel.take(id.rung.is_some(), rooms.live(id)) {
                replaced.push(id.clone());
            }
        }
        replaced
    }

    /// The next channel that changed; `None` when none has media.
    pub(super) async fn changed(&mut self) -> Option<ChannelId> {
        loop {
            if let Ok(id) = self.changes.join_next().await?
                && self.channels.contains_key(&id)
            {
                return Some(id);
            }
        }
    }
}

impl Channel {
    /// Takes what the channel's media is now; a claim to a rung goes after the new one came. `true`: it is not what it was.
    fn take(&mut self, is_rung: bool, now: Option<Followed>) -> bool {
        if let (true, None, Some(before)) = (is_rung, &now, &mut self.followed) {
            before.hold = None;
            let is_unfinished = |windows: &LiveWindows| windows.current().is_some_and(|window| !window.ended());
            if self.found_unfinished < UNFINISHED && before.live.read(is_unfinished) {
                self.found_unfinished += 1;
                return false;
            }
        }
        self.found_unfinished = 0;
        let before = std::mem::replace(&mut self.followed, now);
        match (&self.followed, &before) {
            (Some(now), Some(before)) => !Arc::ptr_eq(&now.live, &before.live),
            (None, None) => false,
            _ => true,
        }
    }

    fn stop_waiting(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            waiting.abort();
        }
    }
}
