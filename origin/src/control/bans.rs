//! Keeping people out of rooms, and letting who may stay have newer tokens.

use common::{
    auth::{Role, ViewerClaims, revocations::revoke, token::viewer_expiry},
    chat::record::BanOrder,
    id::RoomSlug,
    time::UnixMillis,
    wire::control::{Revocation, RevokedSubject},
};

use super::Control;
use crate::{
    db::{Access, BanOutcome, DbError, Invite},
    network,
    secrets::SecretText,
};

impl Control {
    /// Revokes the viewer's tokens in memory, at once, without the database. The viewer counts as banned until
    /// [`Control::ban`] has kept its ban, or [`Control::unban`] takes it back.
    pub fn shut_out(&self, viewer_id: &str, now: UnixMillis) -> Revocation {
        self.lock_unkept_bans().insert(viewer_id.to_owned());
        let revocation = revoke(RevokedSubject::Viewer(viewer_id.to_owned()), now);
        self.lock_revocations().extend([revocation.clone()], now);
        revocation
    }

    /// Keeps the ban, and revokes the viewer's invite if nobody else uses it. Safe to call again with the same order until it
    /// succeeds.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn ban(&self, order: &BanOrder, now: UnixMillis) -> Result<BanOutcome, DbError> {
        let address = order.address.as_deref().and_then(network::read);
        let address = address.map(|address| network::of(address).to_string());
        let outcome = self.db.ban(order, address, now).await?;
        self.lock_revocations().extend(outcome.revocations.clone(), now);
        self.lock_unkept_bans().remove(&order.viewer_id);
        Ok(outcome)
    }

    /// Takes a ban back; false when there is none. Tokens that it revoked stay so for what was left of their life: the viewer
    /// gets a new id when it joins again.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn unban(&self, room: &RoomSlug, viewer_id: &str) -> Result<bool, DbError> {
        let was_kept = self.db.unban(room, viewer_id).await?;
        let was_unkept = self.lock_unkept_bans().remove(viewer_id);
        Ok(was_kept || was_unkept)
    }

    /// Whether the viewer is banned from the room, kept already or not.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn is_banned(&self, room: &RoomSlug, viewer_id: &str) -> Result<bool, DbError> {
        // Memory first: what is not there any more is in the database by now.
        let is_unkept = self.lock_unkept_bans().contains(viewer_id);
        Ok(is_unkept || self.db.is_banned(room, viewer_id).await?)
    }

    /// Whether tokens with this viewer id are revoked, whatever invite they came of.
    pub fn is_viewer_revoked(&self, viewer_id: &str, now: UnixMillis) -> bool {
        self.lock_revocations().is_viewer_revoked(viewer_id, now)
    }

    /// A newer token for who holds these claims, and when it ends. `None`: the invite ended or was revoked, the door was closed, or
    /// the viewer is banned.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn renew_viewer(
        &self,
        claims: &ViewerClaims,
        now: UnixMillis,
    ) -> Result<Option<(SecretText, UnixMillis)>, DbError> {
        if self.is_revoked(claims, now) || self.is_banned(&claims.room, &claims.viewer_id).await? {
            return Ok(None);
        }
        let invite = match &claims.invite_id {
            Some(id) => {
                let invite = self.db.invite(id).await?;
                let Some(invite) = invite.filter(|invite| invite.room == claims.room && invite.is_in_force(now)) else {
                    return Ok(None);
                };
                Some(invite)
            }
            None => {
                let room = self.db.room(&claims.room).await?;
                if room.is_none_or(|room| room.access != Access::Open) {
                    return Ok(None);
                }
                None
            }
        };
        let claims = admitted(claims.clone(), invite, now);
        let token = SecretText::new(self.secrets.signing().signer().sign_viewer(&claims));
        Ok(Some((token, claims.expires_at)))
    }
}

/// What the invite, or the open door, allows from now on.
fn admitted(claims: ViewerClaims, invite: Option<Invite>, now: UnixMillis) -> ViewerClaims {
    ViewerClaims {
        role: invite.as_ref().map_or(Role::Viewer, |invite| invite.role),
        issued_at: now,
        expires_at: viewer_expiry(now, invite.as_ref().map(|invite| invite.expires_at)),
        relays: invite.and_then(|invite| invite.relays),
        ..claims
    }
}
