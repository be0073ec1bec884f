//! What was signed and no longer counts. The origin decides and pushes; whoever checks tokens asks here.
//!
//! An entry is needed only while a token it strikes could still be taken, so the set stays as small as what
//! was revoked within one token's life.

use std::collections::HashMap;

use super::token::{VIEWER_TOKEN_LEEWAY, VIEWER_TOKEN_LIFE, ViewerClaims};
use crate::{
    time::UnixMillis,
    wire::control::{Revocation, RevokedSubject},
};

/// The revocations in force.
#[derive(Clone, Debug, Default)]
pub struct Revocations {
    until: HashMap<RevokedSubject, UnixMillis>,
}

/// The revocation of `subject` made at `now`: it stands as long as a viewer token issued until now may live.
pub fn revoke(subject: RevokedSubject, now: UnixMillis) -> Revocation {
    Revocation {
        subject,
        until: UnixMillis(now.0.saturating_add(VIEWER_TOKEN_LIFE.as_millis() as i64)),
    }
}

impl Revocations {
    /// A set of `entries`, those that are over at `now` left out.
    pub fn new(entries: impl IntoIterator<Item = Revocation>, now: UnixMillis) -> Self {
        let mut set = Self::default();
        set.extend(entries, now);
        set
    }

    /// Adds `entries` and forgets those that are over at `now`. A subject revoked twice stays so until the later time.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = Revocation>, now: UnixMillis) {
        for Revocation { subject, until } in entries {
            let known = self.until.entry(subject).or_insert(until);
            *known = (*known).max(until);
        }
        self.until.retain(|_, until| in_force(*until, now));
    }

    /// Whether the bearer of `claims` was shut out: by its own id, by its invite, or with its room.
    pub fn is_revoked(&self, claims: &ViewerClaims, now: UnixMillis) -> bool {
        if self.until.is_empty() {
            return false;
        }
        let invite = claims.invite_id.clone().map(RevokedSubject::Invite);
        let own = [Some(RevokedSubject::Viewer(claims.viewer_id.clone())), invite];
        let shut_out = own.into_iter().flatten().any(|subject| self.holds(&subject, now));
        shut_out || self.room_was_deleted_after(claims, now)
    }

    /// Whether the invite was revoked lately; that it is not here does not mean that it counts.
    pub fn is_invite_revoked(&self, invite_id: &str, now: UnixMillis) -> bool {
        self.holds(&RevokedSubject::Invite(invite_id.into()), now)
    }

    /// Whether all tokens with this viewer id were revoked lately.
    pub fn is_viewer_revoked(&self, viewer_id: &str, now: UnixMillis) -> bool {
        self.holds(&RevokedSubject::Viewer(viewer_id.into()), now)
    }

    /// All entries, in no order.
    pub fn entries(&self) -> impl Iterator<Item = Revocation> + '_ {
        self.until.iter().map(|(subject, until)| Revocation {
            subject: subject.clone(),
            until: *until,
        })
    }

    fn holds(&self, subject: &RevokedSubject, now: UnixMillis) -> bool {
        self.until.get(subject).is_some_and(|until| in_force(*until, now))
    }

    fn room_was_deleted_after(&self, claims: &ViewerClaims, now: UnixMillis) -> bool {
        let Some(until) = self.until.get(&RevokedSubject::Room(claims.room.clone())) else {
            return false;
        };
        let deleted_at = until.0.saturating_sub(VIEWER_TOKEN_LIFE.as_millis() as i64);
        in_force(*until, now) && claims.issued_at.0 <= deleted_at
    }
}

/// Whether a revocation that stands until `until` still strikes a token at `now`: those are taken a little beyond their end, so
/// whoever keeps revocations may forget one only by this.
pub fn in_force(until: UnixMillis, now: UnixMillis) -> bool {
    now.0 <= until.0.saturating_add(VIEWER_TOKEN_LEEWAY.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Role;

    const NOW: UnixMillis = UnixMillis(1_795_341_600_000);

    fn later(ms: i64) -> UnixMillis {
        UnixMillis(NOW.0 + ms)
    }

    fn viewer() -> ViewerClaims {
        ViewerClaims {
            viewer_id: "v1".into(),
            invite_id: Some("i1".into()),
            room: "cinema".parse().unwrap(),
            role: Role::Viewer,
            nickname: "Ada".into(),
            relays: None,
            issued_at: NOW,
            expires_at: later(600_000),
        }
    }

    fn set(subject: RevokedSubject) -> Revocations {
        Revocations::new([revoke(subject, NOW)], NOW)
    }

    #[test]
    fn a_viewer_is_shut_out_by_its_id_and_by_its_invite_alone() {
        assert!(set(RevokedSubject::Viewer("v1".into())).is_revoked(&viewer(), NOW));
        assert!(set(RevokedSubject::Invite("i1".into())).is_revoked(&viewer(), NOW));
        assert!(!set(RevokedSubject::Viewer("i1".into())).is_revoked(&viewer(), NOW));
        assert!(!set(RevokedSubject::Invite("i2".into())).is_revoked(&viewer(), NOW));
        assert!(!Revocations::default().is_revoked(&viewer(), NOW));
    }

    #[test]
    fn a_revocation_stands_until_the_last_token_is_past_its_leeway() {
        let set = set(RevokedSubject::Viewer("v1".into()));
        assert!(set.is_revoked(&viewer(), later(601_000)));
        assert!(!set.is_revoked(&viewer(), later(601_001)));
    }

    #[test]
    fn a_deleted_room_shuts_out_only_tokens_made_before() {
        let set = set(RevokedSubject::Room("cinema".parse().unwrap()));
        let anew = ViewerClaims {
            issued_at: later(1),
            ..viewer()
        };
        assert!(set.is_revoked(&viewer(), NOW));
        assert!(!set.is_revoked(&anew, later(1)));
    }

    #[test]
    fn what_is_over_is_forgotten_and_the_later_end_counts() {
        let subject = RevokedSubject::Viewer("v1".into());
        let mut set = set(subject.clone());
        set.extend([revoke(subject.clone(), later(60_000)), revoke(subject, NOW)], NOW);
        assert!(set.is_revoked(&viewer(), later(661_000)));
        set.extend([], later(661_001));
        assert_eq!(set.entries().count(), 0);
    }
}
