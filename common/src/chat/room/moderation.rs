//! What moderators, hosts and the operator do. Whatever one of them does to others is put on record.

use std::time::Duration;

use super::{ChatRoom, NotDone, Now, Output};
use crate::{
    auth::Role,
    chat::{
        permissions::{Rank, Right, may},
        record::{AuditAction, AuditEntry, BanOrder, Doer, Record, Target},
    },
    wire::chat::{ChatAct, ChatEvent, ChatMessage, KickReason, Notice},
};

/// Longest that a viewer may be silenced, in seconds.
pub const MAX_TIMEOUT_SECONDS: u32 = 14 * 24 * 3600;
/// Longest slow mode, in seconds.
pub const MAX_SLOW_MODE_SECONDS: u32 = 3600;
/// Longest reason that is kept, in characters; the rest is cut.
pub const MAX_REASON_CHARS: usize = 200;
/// `by` of what the operator did, who has no viewer id.
pub const OPERATOR_ID: &str = "operator";

/// A viewer that something is done to.
struct Found {
    target: Target,
    role: Role,
    invite_id: Option<String>,
    address: Option<String>,
}

impl ChatRoom {
    /// The operator or a host acts over the API.
    ///
    /// # Errors
    /// May not, or there is no such message or viewer.
    pub fn act_as(&mut self, now: Now, by: &Doer, act: ChatAct) -> Result<(), NotDone> {
        match act {
            // They speak through a socket, like all others.
            ChatAct::Say { .. } | ChatAct::React { .. } => Err(NotDone::NotAllowed),
            ChatAct::Delete { message_id, reason } => self.delete(now, by, message_id, reason),
            ChatAct::Timeout {
                viewer_id,
                seconds,
                reason,
            } => self.time_out(now, by, &viewer_id, seconds, reason),
            ChatAct::Ban { viewer_id, reason } => self.ban(now, by, &viewer_id, reason),
            ChatAct::Unban { viewer_id } => self.unban(now, by, &viewer_id),
            ChatAct::Pin { message_id } => self.pin(now, by, message_id),
            ChatAct::SlowMode { seconds } => self.set_slow_mode(now, by, seconds),
            ChatAct::Lock { locked } => self.set_locked(now, by, locked),
        }
    }

    fn delete(&mut self, now: Now, by: &Doer, id: i64, reason: Option<String>) -> Result<(), NotDone> {
        let Some(message) = self.message(id) else {
            return self.delete_unseen(now, by, id, reason);
        };
        let is_own = by.viewer_id.as_ref() == Some(&message.viewer_id);
        let right = if is_own { Right::DeleteOwn } else { Right::Delete };
        let author = message.role.max(self.role_of(&message.viewer_id));
        allow(by, right, author.into())?;
        let (target, text) = (target_of(message), message.text.clone());
        if self.history.delete(id).is_none() {
            self.history.note_deleted(id);
        }
        self.tell_deleted(by, id);
        if !is_own {
            self.audit(now, by, AuditAction::Delete, Some(target), Some(text), reason);
        }
        Ok(())
    }

    /// A message that is in the database alone: who wrote it is not known here, so only who may delete any message may do it.
    fn delete_unseen(&mut self, now: Now, by: &Doer, id: i64, reason: Option<String>) -> Result<(), NotDone> {
        if self.history.was_deleted(id) {
            return Ok(());
        }
        allow(by, Right::Delete, Rank::Viewer)?;
        let is_older = id >= 1 && id < self.history.oldest().unwrap_or(self.next_id);
        if !is_older || rank(by) < Rank::Host {
            return Err(NotDone::NoSuchMessage);
        }
        self.history.note_deleted(id);
        self.tell_deleted(by, id);
        self.audit(now, by, AuditAction::Delete, None, Some(format!("#{id}")), reason);
        Ok(())
    }

    fn tell_deleted(&mut self, by: &Doer, id: i64) {
        self.outputs.push_back(Output::Keep(Record::Deleted { message_id: id }));
        let by = by.viewer_id.clone().unwrap_or_else(|| OPERATOR_ID.to_owned());
        self.all(ChatEvent::Deleted { message_id: id, by });
        if self.pinned.as_ref().is_some_and(|pinned| pinned.id == id) {
            self.unpin();
        }
    }

    fn time_out(
        &mut self,
        now: Now,
        by: &Doer,
        viewer_id: &str,
        seconds: u32,
        reason: Option<String>,
    ) -> Result<(), NotDone> {
        let Found { target, role, .. } = self.target(by, Right::Timeout, viewer_id)?;
        if seconds > MAX_TIMEOUT_SECONDS {
            return Err(NotDone::TooLong {
                max: MAX_TIMEOUT_SECONDS,
            });
        }
        let person = self.people.remember(now.monotonic, viewer_id, &target.nickname, role);
        let until = now.monotonic + Duration::from_secs(seconds.into());
        person.silenced_until = (seconds > 0).then_some(until);
        self.silenced.remove(viewer_id);
        let notice = Notice::TimedOut {
            viewer_id: viewer_id.to_owned(),
            nickname: target.nickname.clone(),
            seconds,
            by: by.nickname.clone(),
        };
        self.audit(
            now,
            by,
            AuditAction::Timeout,
            Some(target),
            Some(seconds.to_string()),
            reason,
        );
        self.notify(Role::Moderator, notice);
        Ok(())
    }

    fn ban(&mut self, now: Now, by: &Doer, viewer_id: &str, reason: Option<String>) -> Result<(), NotDone> {
        let found = self.target(by, Right::Ban, viewer_id)?;
        // Also of one that is banned: the database may not have it any more. It keeps a ban once.
        self.outputs.push_back(Output::Ban(BanOrder {
            room: self.room.clone(),
            at: now.wall,
            viewer_id: viewer_id.to_owned(),
            nickname: found.target.nickname.clone(),
            invite_id: found.invite_id,
            address: found.address,
            by: by.clone(),
            reason: cut(reason.clone()),
        }));
        if !self.banned.contains_key(viewer_id) {
            self.audit(now, by, AuditAction::Ban, Some(found.target), None, reason);
        }
        self.shut_out(now, viewer_id, KickReason::Banned);
        Ok(())
    }

    fn unban(&mut self, now: Now, by: &Doer, viewer_id: &str) -> Result<(), NotDone> {
        allow(by, Right::Unban, Rank::Viewer)?;
        if !self.banned.contains_key(viewer_id) {
            return Err(NotDone::NoSuchViewer);
        }
        // Long gone, perhaps: then nothing but the id is known.
        let target = match self.find(viewer_id) {
            Some(found) => found.target,
            None => Target {
                viewer_id: viewer_id.to_owned(),
                nickname: String::new(),
            },
        };
        allow(by, Right::Unban, self.known_role_of(viewer_id).into())?;
        self.banned.remove(viewer_id);
        self.outputs.push_back(Output::Unban {
            viewer_id: viewer_id.to_owned(),
        });
        self.audit(now, by, AuditAction::Unban, Some(target), None, None);
        Ok(())
    }

    fn pin(&mut self, now: Now, by: &Doer, id: Option<i64>) -> Result<(), NotDone> {
        allow(by, Right::Pin, Rank::Viewer)?;
        let before = self.pinned.as_ref().map(|message| message.id);
        if before == id {
            return Ok(());
        }
        let Some(id) = id else {
            let was = self
                .pinned
                .as_ref()
                .map(|message| (target_of(message), message.text.clone()))
                .unzip();
            self.unpin();
            self.audit(now, by, AuditAction::Unpin, was.0, was.1, None);
            return Ok(());
        };
        let message = self.history.get(id).ok_or(NotDone::NoSuchMessage)?.clone();
        let (target, text) = (target_of(&message), message.text.clone());
        self.pinned = Some(message);
        self.was_pin_set = true;
        self.outputs
            .push_back(Output::Keep(Record::Pinned { message_id: Some(id) }));
        self.all(ChatEvent::State(self.state()));
        self.audit(now, by, AuditAction::Pin, Some(target), Some(text), None);
        Ok(())
    }

    /// Nothing is pinned any more.
    pub(super) fn unpin(&mut self) {
        self.pinned = None;
        self.was_pin_set = true;
        self.outputs
            .push_back(Output::Keep(Record::Pinned { message_id: None }));
        self.all(ChatEvent::State(self.state()));
    }

    fn set_slow_mode(&mut self, now: Now, by: &Doer, seconds: u32) -> Result<(), NotDone> {
        allow(by, Right::SlowMode, Rank::Viewer)?;
        if seconds > MAX_SLOW_MODE_SECONDS {
            return Err(NotDone::TooLong {
                max: MAX_SLOW_MODE_SECONDS,
            });
        }
        if self.settings.slow_mode_seconds != seconds {
            self.settings.slow_mode_seconds = seconds;
            self.outputs.push_back(Output::Keep(Record::SlowMode { seconds }));
            self.all(ChatEvent::State(self.state()));
            self.audit(now, by, AuditAction::SlowMode, None, Some(seconds.to_string()), None);
        }
        Ok(())
    }

    fn set_locked(&mut self, now: Now, by: &Doer, locked: bool) -> Result<(), NotDone> {
        allow(by, Right::Lock, Rank::Viewer)?;
        if self.settings.locked != locked {
            self.settings.locked = locked;
            self.outputs.push_back(Output::Keep(Record::Locked { locked }));
            self.all(ChatEvent::State(self.state()));
            let action = if locked { AuditAction::Lock } else { AuditAction::Unlock };
            self.audit(now, by, action, None, None, None);
        }
        Ok(())
    }

    /// The viewer, if it is known and this may be done to it.
    fn target(&self, by: &Doer, right: Right, viewer_id: &str) -> Result<Found, NotDone> {
        // Who may do it to nobody is not told who is here.
        allow(by, right, Rank::Viewer)?;
        let found = self.find(viewer_id).ok_or(NotDone::NoSuchViewer)?;
        allow(by, right, found.role.into())?;
        Ok(found)
    }

    fn find(&self, viewer_id: &str) -> Option<Found> {
        let role = self.role_of(viewer_id);
        let target = |nickname: &str| Target {
            viewer_id: viewer_id.to_owned(),
            nickname: nickname.to_owned(),
        };
        if let Some(person) = self.people.get(viewer_id) {
            return Some(Found {
                target: target(&person.nickname),
                role,
                invite_id: person.invite_id.clone(),
                address: person.address.clone(),
            });
        }
        let message = self.history.last_of(viewer_id)?;
        Some(Found {
            target: target(&message.nickname),
            role: role.max(message.role),
            invite_id: None,
            address: None,
        })
    }

    /// The viewer's role, as far as it is known.
    fn role_of(&self, viewer_id: &str) -> Role {
        let kept = if self.names.is_staff(viewer_id) {
            Role::Moderator
        } else {
            Role::Viewer
        };
        self.people.get(viewer_id).map_or(kept, |person| person.role.max(kept))
    }

    /// The same, where it may be long gone: what its messages and its ban tell counts too.
    pub(super) fn known_role_of(&self, viewer_id: &str) -> Role {
        let found = self.find(viewer_id).map_or(Role::Viewer, |found| found.role);
        found
            .max(self.role_of(viewer_id))
            .max(self.banned.get(viewer_id).copied().unwrap_or_default())
    }

    fn message(&self, id: i64) -> Option<&ChatMessage> {
        self.history
            .get(id)
            .or_else(|| self.pinned.as_ref().filter(|pinned| pinned.id == id))
    }

    fn audit(
        &mut self,
        now: Now,
        by: &Doer,
        action: AuditAction,
        target: Option<Target>,
        detail: Option<String>,
        reason: Option<String>,
    ) {
        self.outputs.push_back(Output::Keep(Record::Audit(AuditEntry {
            at: now.wall,
            by: by.clone(),
            action,
            target,
            detail,
            reason: cut(reason),
        })));
    }
}

fn rank(by: &Doer) -> Rank {
    match by.viewer_id {
        Some(_) => by.role.into(),
        None => Rank::Operator,
    }
}

fn allow(by: &Doer, right: Right, target: Rank) -> Result<(), NotDone> {
    if may(rank(by), right, target) {
        Ok(())
    } else {
        Err(NotDone::NotAllowed)
    }
}

fn target_of(message: &ChatMessage) -> Target {
    Target {
        viewer_id: message.viewer_id.clone(),
        nickname: message.nickname.clone(),
    }
}

/// A reason as it is kept: one line, not too long.
fn cut(reason: Option<String>) -> Option<String> {
    let reason: String = reason?
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_REASON_CHARS)
        .collect();
    let reason = reason.trim();
    (!reason.is_empty()).then(|| reason.to_owned())
}
