//! What viewers say, and how they react.

use std::time::Duration;

use super::{ChatRoom, Now, Output, SocketKey, people::Seat};
use crate::{
    chat::{
        emoji::{emote_name, unicode_emoji},
        mentions::mentions,
        permissions::{Right, may},
        record::Record,
        repeats::{MAX_CLIENT_ID_LEN, Said, is_client_id},
        text::{TextError, normalise},
    },
    time::UnixMillis,
    wire::chat::{ChatEvent, ChatMessage, RefusalCode, SocketEvent},
};

/// A message as the viewer sent it.
pub(super) struct Saying {
    pub(super) text: String,
    pub(super) client_id: String,
    pub(super) media_time: Option<UnixMillis>,
    pub(super) reply_to: Option<i64>,
}

/// What the sender of a refused message is told.
type Refusal = (RefusalCode, String);

impl ChatRoom {
    pub(super) fn say(&mut self, now: Now, at: SocketKey, seat: &Seat, saying: Saying) {
        if !is_client_id(&saying.client_id) {
            let detail = format!("clientId has to be 1 to {MAX_CLIENT_ID_LEN} bytes of printable text");
            return self.refuse(at, RefusalCode::Malformed, &detail, None);
        }
        if let Some(said) = self.repeats.find(now.wall, &seat.viewer_id, &saying.client_id) {
            return self.say_again(at, seat, saying, said);
        }
        let client_id = saying.client_id.clone();
        match self.hear(now, seat, saying) {
            Ok(message) => {
                let said = Said {
                    id: message.id,
                    at: message.sent_at,
                };
                self.repeats.remember(&seat.viewer_id, &client_id, said);
                self.history.push(message.clone());
                self.outputs.push_back(Output::Keep(Record::Message(message.clone())));
                self.all(ChatEvent::Message(message));
                self.reserve_ids();
            }
            Err((code, detail)) => self.refuse(at, code, &detail, Some(client_id)),
        }
    }

    fn say_again(&mut self, at: SocketKey, seat: &Seat, saying: Saying, said: Said) {
        if self.history.was_deleted(said.id) {
            let detail = "the message was deleted";
            return self.refuse(at, RefusalCode::Forbidden, detail, Some(saying.client_id));
        }
        let message = self.history.get(said.id).cloned().unwrap_or_else(|| ChatMessage {
            id: said.id,
            viewer_id: seat.viewer_id.clone(),
            nickname: self.nickname_of(&seat.viewer_id),
            role: seat.role,
            // It fell out of the history; the text that is said again is the same.
            text: normalise(&saying.text).unwrap_or_default(),
            sent_at: said.at,
            media_time: saying.media_time,
            reply_to: saying.reply_to,
            mentions: Vec::new(),
            client_id: saying.client_id,
        });
        self.socket(at, SocketEvent::Again(message));
    }

    /// The message that everybody gets. What costs nothing to check comes first, and only what is said counts for the rates.
    fn hear(&mut self, now: Now, seat: &Seat, saying: Saying) -> Result<ChatMessage, Refusal> {
        let is_free = may(seat.role.into(), Right::SpeakFreely, seat.role.into());
        self.may_be_heard(now, seat)?;
        let text = normalise(&saying.text).map_err(|error| (code_of(error), error.to_string()))?;
        if !is_free {
            let checked = self.policy.check(&text);
            checked.map_err(|error| (RefusalCode::Forbidden, error.to_string()))?;
        }
        let slow = Duration::from_secs(self.settings.slow_mode_seconds.into());
        let person = self.people.get_mut(&seat.viewer_id).ok_or_else(gone)?;
        if let Some(last) = person.last_said.filter(|_| !is_free) {
            let wait = slow.saturating_sub(now.monotonic.since(last));
            if !wait.is_zero() {
                return Err((RefusalCode::SlowMode, format!("slow mode: wait {} s", seconds(wait))));
            }
        }
        let rates = person
            .says
            .peek(now.monotonic)
            .and_then(|()| self.says.peek(now.monotonic));
        if let Err(wait) = rates {
            return Err((RefusalCode::RateLimited, format!("wait {} s", seconds(wait))));
        }
        // Both have one, or none is taken.
        let _ = (person.says.take(now.monotonic), self.says.take(now.monotonic));
        person.last_said = Some(now.monotonic);
        let id = self.next_id;
        self.next_id += 1;
        let mut named = mentions(&text, &self.names);
        named.retain(|viewer_id| *viewer_id != seat.viewer_id && self.people.is_here(viewer_id));
        let reply_to = saying
            .reply_to
            .filter(|to| (1..id).contains(to) && !self.history.was_deleted(*to));
        Ok(ChatMessage {
            id,
            viewer_id: seat.viewer_id.clone(),
            nickname: self.nickname_of(&seat.viewer_id),
            role: seat.role,
            text,
            sent_at: now.wall,
            media_time: saying.media_time,
            reply_to,
            mentions: named,
            client_id: saying.client_id,
        })
    }

    pub(super) fn react(&mut self, now: Now, at: SocketKey, seat: &Seat, emoji: &str, media_time: Option<UnixMillis>) {
        match self.see(now, seat, emoji) {
            Ok(emoji) => {
                if self.reactions.count(now.monotonic, &emoji) {
                    let viewer_id = seat.viewer_id.clone();
                    self.all(ChatEvent::Reaction {
                        viewer_id,
                        emoji,
                        media_time,
                    });
                }
            }
            Err((code, detail)) => self.refuse(at, code, &detail, None),
        }
    }

    fn see(&mut self, now: Now, seat: &Seat, emoji: &str) -> Result<String, Refusal> {
        self.may_be_heard(now, seat)?;
        let is_emote = emote_name(emoji).is_some_and(|name| self.emotes.iter().any(|emote| emote.name == name));
        let emoji = if is_emote { Some(emoji) } else { unicode_emoji(emoji) };
        let emoji = emoji.ok_or_else(|| {
            let detail = "a reaction is one emoji, or the :name: of an emote of this room";
            (RefusalCode::Malformed, detail.to_owned())
        })?;
        let person = self.people.get_mut(&seat.viewer_id).ok_or_else(gone)?;
        match person.reacts.take(now.monotonic) {
            Ok(()) => Ok(emoji.to_owned()),
            Err(wait) => Err((RefusalCode::RateLimited, format!("wait {} s", seconds(wait)))),
        }
    }

    /// Whether the viewer may make itself heard at all now.
    fn may_be_heard(&self, now: Now, seat: &Seat) -> Result<(), Refusal> {
        let person = self.people.get(&seat.viewer_id).ok_or_else(gone)?;
        let before = self.silenced.get(&seat.viewer_id).and_then(|until| left(*until, now));
        if let Some(wait) = person.silenced_for(now.monotonic).or(before) {
            let detail = format!("a moderator silenced you for another {} s", seconds(wait));
            return Err((RefusalCode::TimedOut, detail));
        }
        if self.settings.locked && !may(seat.role.into(), Right::SpeakFreely, seat.role.into()) {
            let detail = "the room is locked: only moderators speak";
            return Err((RefusalCode::Locked, detail.to_owned()));
        }
        Ok(())
    }

    fn nickname_of(&self, viewer_id: &str) -> String {
        self.people
            .get(viewer_id)
            .map_or_else(String::new, |person| person.nickname.clone())
    }
}

fn code_of(error: TextError) -> RefusalCode {
    match error {
        TextError::Control => RefusalCode::Malformed,
        TextError::Empty => RefusalCode::Empty,
        TextError::TooLong => RefusalCode::TooLong,
    }
}

fn gone() -> Refusal {
    (RefusalCode::Unavailable, "this socket is not in the room".to_owned())
}

/// The time until then, if it is not over.
fn left(until: UnixMillis, now: Now) -> Option<Duration> {
    let left = u64::try_from(until.0.saturating_sub(now.wall.0)).ok()?;
    (left > 0).then(|| Duration::from_millis(left))
}

/// Whole seconds, rounded up: after so many it will be let through.
fn seconds(wait: Duration) -> u128 {
    wait.as_millis().div_ceil(1000)
}
