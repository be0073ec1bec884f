//! The last messages of a room, and which of them were deleted.

use std::collections::VecDeque;

use crate::{time::UnixMillis, wire::chat::ChatMessage};

/// Most messages that are held; an older one is in the database alone.
pub const MAX_MESSAGES: usize = 1000;

/// Most ids of deleted messages that are held, for relays that missed the deletion.
pub const MAX_DELETED: usize = 1000;

/// A ring of messages, ids growing.
#[derive(Debug, Default)]
pub struct History {
    messages: VecDeque<ChatMessage>,
    deleted: VecDeque<i64>,
    /// Messages up to this id fell out, or may never have been here.
    floor: i64,
}

impl History {
    /// The newest of `messages`, which come oldest first; what is out of order is left out. Where they are as many as are held,
    /// there may be older ones.
    pub fn new(messages: Vec<ChatMessage>) -> Self {
        let mut history = Self::default();
        if let Some(first) = messages.first().filter(|_| messages.len() >= MAX_MESSAGES) {
            history.floor = first.id.saturating_sub(1);
        }
        for message in messages {
            if history.newest().is_none_or(|newest| newest < message.id) {
                history.push(message);
            }
        }
        history
    }

    /// Takes the newest message; the oldest falls out when there are too many.
    pub fn push(&mut self, message: ChatMessage) {
        if self.messages.len() == MAX_MESSAGES
            && let Some(oldest) = self.messages.pop_front()
        {
            self.floor = oldest.id;
        }
        self.messages.push_back(message);
    }

    /// The message, if it is held and not deleted.
    pub fn get(&self, id: i64) -> Option<&ChatMessage> {
        self.messages.get(self.position(id)?)
    }

    /// Takes a message out.
    pub fn delete(&mut self, id: i64) -> Option<ChatMessage> {
        let message = self.messages.remove(self.position(id)?)?;
        self.note_deleted(id);
        Some(message)
    }

    /// A message that is not held here any more was deleted.
    pub fn note_deleted(&mut self, id: i64) {
        if self.deleted.len() == MAX_DELETED {
            self.deleted.pop_front();
        }
        self.deleted.push_back(id);
    }

    /// Whether the message was deleted lately.
    pub fn was_deleted(&self, id: i64) -> bool {
        self.deleted.contains(&id)
    }

    /// Ids of messages deleted lately, of those up to `upto`.
    pub fn deleted(&self, upto: i64) -> impl Iterator<Item = i64> + '_ {
        self.deleted.iter().copied().filter(move |id| *id <= upto)
    }

    /// Messages newer than `id`, oldest first; all when `None`.
    pub fn after(&self, id: Option<i64>) -> impl Iterator<Item = &ChatMessage> + '_ {
        let from = id.map_or(0, |id| self.messages.partition_point(|message| message.id <= id));
        self.messages.range(from..)
    }

    /// Takes out all that were sent before, and gives their ids.
    pub fn forget(&mut self, before: UnixMillis) -> Vec<i64> {
        let mut forgotten = Vec::new();
        self.messages.retain(|message| {
            let stays = message.sent_at >= before;
            if !stays {
                forgotten.push(message.id);
            }
            stays
        });
        forgotten
    }

    /// The newest message from `viewer_id` that is held.
    pub fn last_of(&self, viewer_id: &str) -> Option<&ChatMessage> {
        self.messages
            .iter()
            .rev()
            .find(|message| message.viewer_id == viewer_id)
    }

    /// All messages with larger ids are held, but for those that were deleted.
    pub fn floor(&self) -> i64 {
        self.floor
    }

    /// Id of the oldest message that is held.
    pub fn oldest(&self) -> Option<i64> {
        self.messages.front().map(|message| message.id)
    }

    fn newest(&self) -> Option<i64> {
        self.messages.back().map(|message| message.id)
    }

    fn position(&self, id: i64) -> Option<usize> {
        self.messages.binary_search_by_key(&id, |message| message.id).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Role;

    fn message(id: i64) -> ChatMessage {
        ChatMessage {
            id,
            viewer_id: format!("v{}", id % 2),
            nickname: "Ann".to_owned(),
            role: Role::Viewer,
            text: "hi".to_owned(),
            sent_at: UnixMillis(id * 1000),
            media_time: None,
            reply_to: None,
            mentions: Vec::new(),
            client_id: String::new(),
        }
    }

    fn ids<'a>(messages: impl Iterator<Item = &'a ChatMessage>) -> Vec<i64> {
        messages.map(|message| message.id).collect()
    }

    #[test]
    fn the_oldest_message_falls_out() {
        let mut history = History::new((1..=MAX_MESSAGES as i64).map(message).collect());
        history.push(message(5000));
        assert_eq!(history.oldest(), Some(2));
        assert_eq!(history.after(None).count(), MAX_MESSAGES);
        assert_eq!(ids(history.after(Some(999))), [1000, 5000]);
        assert_eq!(ids(history.after(Some(6000))), [0; 0]);
    }

    #[test]
    fn what_fell_out_is_told_from_what_was_deleted() {
        let mut history = History::new((5..100).map(message).collect());
        history.delete(5);
        assert_eq!(history.floor(), 0);
        let mut history = History::new((5..5 + MAX_MESSAGES as i64).map(message).collect());
        assert_eq!(history.floor(), 4);
        history.push(message(5000));
        assert_eq!(history.floor(), 5);
    }

    #[test]
    fn a_deleted_message_is_gone_and_known_as_deleted() {
        let mut history = History::new((1..=5).map(message).collect());
        assert_eq!(history.delete(3).map(|message| message.id), Some(3));
        assert!(history.delete(3).is_none() && history.get(3).is_none() && history.was_deleted(3));
        assert_eq!(ids(history.after(Some(1))), [2, 4, 5]);
        assert_eq!(history.deleted(2).count(), 0);
        assert_eq!(history.deleted(4).collect::<Vec<_>>(), [3]);
        assert_eq!(history.last_of("v1").map(|message| message.id), Some(5));
    }

    #[test]
    fn what_is_too_old_is_forgotten() {
        let mut history = History::new((1..=5).map(message).collect());
        assert_eq!(history.forget(UnixMillis(3000)), [1, 2]);
        assert_eq!(ids(history.after(None)), [3, 4, 5]);
    }

    #[test]
    fn a_history_out_of_order_is_put_right() {
        let history = History::new([4, 2, 4, 6].map(message).to_vec());
        assert_eq!(ids(history.after(None)), [4, 6]);
    }
}
