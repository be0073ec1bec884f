//! A room's chat as a relay knows it: enough to greet a browser without asking the origin.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use crate::{
    chat::json::{Access, Emote, Message, OnAir, Person, RoomChange, ServerMessage},
    id::RoomSlug,
    wire::chat::{ChatMessage, ChatState, RosterEntry},
};

/// Newest messages that are kept; the oldest goes for a new one.
pub const MAX_MESSAGES: usize = 1000;
/// Ids of deleted messages that are kept; the one that was deleted first goes for a new one, as at the origin.
const MAX_DELETED: usize = 1000;
/// Viewers that are kept; of more, only their number is known.
const MAX_ROSTER: usize = 10_000;
/// Viewers that a browser is told of when it comes.
const MAX_GREETED_ROSTER: usize = 1000;
/// Messages that a browser gets which comes for the first time.
const FIRST_MESSAGES: usize = 50;

/// Messages, roster and state.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    messages: VecDeque<ChatMessage>,
    /// Lately, also of messages that were never here: browsers may hold them.
    deleted: BTreeSet<i64>,
    /// The same, in the order they were deleted.
    deletions: VecDeque<i64>,
    /// All messages with larger ids are here, but for the deleted; `None`: all there ever were.
    floor: Option<i64>,
    newest: Option<i64>,
    roster: BTreeMap<String, RosterEntry>,
    state: Option<ChatState>,
}

/// What a browser that comes is told of the messages.
#[derive(Debug, PartialEq)]
pub(super) struct History {
    pub(super) messages: Vec<Message>,
    pub(super) truncated: bool,
    pub(super) deleted: Vec<i64>,
}

impl Mirror {
    /// The largest id that was seen.
    pub(super) fn newest(&self) -> Option<i64> {
        self.newest
    }

    pub(super) fn state(&self) -> Option<&ChatState> {
        self.state.as_ref()
    }

    /// Nothing is known yet, and messages up to `floor` will not be.
    pub(super) fn above(floor: i64) -> Self {
        Self {
            floor: Some(floor),
            ..Self::default()
        }
    }

    /// Whether messages are missing between the newest one here and what a room holds that lost those up to `floor`.
    pub(super) fn is_below(&self, floor: i64) -> bool {
        floor > self.newest.unwrap_or(0).max(self.floor.unwrap_or(0))
    }

    /// Takes in what the origin did not have when this relay began to follow: messages, oldest first, that stand before the newest
    /// one here. Browsers that are here are not told; they may ask for them as for all older ones.
    pub(super) fn fill(&mut self, messages: &[ChatMessage]) {
        let Some(newest) = self.newest else { return };
        for message in messages.iter().filter(|message| message.id < newest) {
            let place = self.messages.binary_search_by_key(&message.id, |message| message.id);
            if let (Err(at), false) = (place, self.deleted.contains(&message.id)) {
                self.messages.insert(at, message.clone());
            }
        }
        while self.messages.len() > MAX_MESSAGES
            && let Some(oldest) = self.messages.pop_front()
        {
            self.floor = Some(oldest.id);
        }
    }

    /// Whether the message is new here.
    pub(super) fn add(&mut self, message: &ChatMessage) -> bool {
        if self.newest.is_some_and(|newest| message.id <= newest) {
            return false;
        }
        self.newest = Some(message.id);
        self.messages.push_back(message.clone());
        if self.messages.len() > MAX_MESSAGES
            && let Some(oldest) = self.messages.pop_front()
        {
            self.floor = Some(oldest.id);
        }
        true
    }

    /// Whether that is news. Also of a message that is not here: browsers may hold it.
    pub(super) fn delete(&mut self, id: i64) -> bool {
        let found = self.messages.binary_search_by_key(&id, |message| message.id);
        if let Ok(at) = found {
            self.messages.remove(at);
        }
        let is_news = self.deleted.insert(id);
        if is_news {
            self.deletions.push_back(id);
        }
        if self.deletions.len() > MAX_DELETED
            && let Some(first) = self.deletions.pop_front()
        {
            self.deleted.remove(&first);
        }
        is_news
    }

    pub(super) fn message(&self, id: i64) -> Option<&ChatMessage> {
        let at = self.messages.binary_search_by_key(&id, |message| message.id).ok()?;
        self.messages.get(at)
    }

    /// For a browser of `viewer_id` whose newest message is `after`.
    pub(super) fn history(&self, after: Option<i64>, viewer_id: &str) -> History {
        let first = match after {
            Some(after) => self.messages.partition_point(|message| message.id <= after),
            None => self.messages.len().saturating_sub(FIRST_MESSAGES),
        };
        let messages = self.messages.range(first..);
        History {
            messages: messages
                .map(|message| Message::for_viewer(message, viewer_id))
                .collect(),
            truncated: after.is_some_and(|after| self.floor.is_some_and(|floor| after < floor)),
            deleted: after.map_or_else(Vec::new, |after| self.deleted.range(..=after).copied().collect()),
        }
    }

    /// Moderators and hosts first.
    pub(super) fn people(&self) -> Vec<Person> {
        let mut entries: Vec<&RosterEntry> = self.roster.values().collect();
        entries.sort_by_key(|entry| Reverse(entry.role));
        entries.truncate(MAX_GREETED_ROSTER);
        entries.into_iter().map(Person::from).collect()
    }

    /// Viewers came and went.
    pub(super) fn presence(&mut self, joined: &[RosterEntry], left: &[String], count: u32) {
        for viewer_id in left {
            self.roster.remove(viewer_id);
        }
        for entry in joined {
            if self.roster.len() < MAX_ROSTER || self.roster.contains_key(&entry.viewer_id) {
                self.roster.insert(entry.viewer_id.clone(), entry.clone());
            }
        }
        if let Some(state) = &mut self.state {
            state.viewer_count = count;
        }
    }

    /// The roster as it is now: what is different from the one before. `None`: nothing.
    pub(super) fn set_roster(&mut self, entries: Vec<RosterEntry>, count: u32) -> Option<ServerMessage> {
        let now: BTreeMap<String, RosterEntry> = entries
            .into_iter()
            .take(MAX_ROSTER)
            .map(|entry| (entry.viewer_id.clone(), entry))
            .collect();
        let before = std::mem::replace(&mut self.roster, now);
        let is_new = |(id, entry): &(&String, &RosterEntry)| before.get(*id) != Some(*entry);
        let joined: Vec<Person> = self
            .roster
            .iter()
            .filter(is_new)
            .map(|(_, entry)| entry.into())
            .collect();
        let left: Vec<String> = before.into_keys().filter(|id| !self.roster.contains_key(id)).collect();
        let same_count = self.state.as_ref().is_some_and(|state| state.viewer_count == count);
        (!(joined.is_empty() && left.is_empty() && same_count)).then_some(ServerMessage::Presence {
            joined,
            left,
            count,
        })
    }

    /// The state as it is now: what is different from the one before.
    pub(super) fn set_state(&mut self, room: &RoomSlug, state: ChatState) -> Vec<ServerMessage> {
        let mut told = Vec::new();
        if let Some(before) = &self.state {
            if OnAir::of(before) != OnAir::of(&state) {
                told.push(ServerMessage::OnAir(OnAir::of(&state)));
            }
            let change = change(room, before, &state);
            if change != RoomChange::default() {
                told.push(ServerMessage::Room(change));
            }
        }
        self.state = Some(state);
        told
    }
}

fn change(room: &RoomSlug, before: &ChatState, now: &ChatState) -> RoomChange {
    let pinned = || now.pinned.as_ref().map(Message::for_others);
    RoomChange {
        name: (before.name != now.name).then(|| now.name.clone()),
        access: (before.is_open != now.is_open).then(|| Access::of(now)),
        listed: (before.listed != now.listed).then_some(now.listed),
        locked: (before.locked != now.locked).then_some(now.locked),
        slow_mode_seconds: (before.slow_mode_seconds != now.slow_mode_seconds).then_some(now.slow_mode_seconds),
        pinned: (before.pinned != now.pinned).then(pinned),
        emotes: (before.emotes != now.emotes).then(|| Emote::all_of(room, now)),
    }
}
