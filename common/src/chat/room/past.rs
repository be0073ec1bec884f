//! What a chat that had to open without the database learns when that is back.

use super::{ChatRoom, Now, Opening, RelayKey};
use crate::{
    auth::Role,
    chat::history::History,
    wire::chat::{ChatMessage, KickReason},
};

impl ChatRoom {
    /// Takes in what the database had when the chat opened. What happened here since stands, and so do the settings. All relays get
    /// a new snapshot.
    pub fn catch_up(&mut self, now: Now, past: Opening) {
        self.tick(now);
        self.put_before(past.history);
        for (viewer_id, until) in past.silenced {
            self.silenced.entry(viewer_id).or_insert(until);
        }
        for (name, viewer_id) in past.staff_names {
            self.claim_name(now, &viewer_id, Role::Moderator, &name);
        }
        for (viewer_id, role) in past.banned {
            self.shut_out(now, &viewer_id, KickReason::Banned);
            let known = self.banned.entry(viewer_id).or_default();
            *known = role.max(*known);
        }
        self.set_emotes(now, past.emotes);
        if !self.was_pin_set {
            let is_there = |message: &ChatMessage| !self.history.was_deleted(message.id);
            self.pinned = past.pinned.filter(is_there);
        }
        let followers: Vec<RelayKey> = self.followers.iter().copied().collect();
        for relay in followers {
            self.follow(now, relay, None);
        }
    }

    /// Messages of earlier runs stand before those of this one.
    fn put_before(&mut self, mut messages: Vec<ChatMessage>) {
        messages.retain(|message| message.id < self.first_id && !self.history.was_deleted(message.id));
        messages.extend(self.history.after(None).cloned());
        let mut history = History::new(messages);
        self.history.deleted(i64::MAX).for_each(|id| history.note_deleted(id));
        self.history = history;
    }
}
