//! How an operator gets in: the one-time link, the session, and what `welcome` shows on a fresh machine.

use std::time::Duration;

use common::{auth::Role, time::UnixMillis};

use super::{Control, ControlError, DEFAULT_INVITE_LIFE, InviteOrder, after};
use crate::secrets::{SecretText, random_text, sha256};

/// Life of a one-time sign-in link.
pub const SIGN_IN_LINK_LIFE: Duration = Duration::from_secs(15 * 60);

/// Life of the session of an operator's browser.
pub const SESSION_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a new operator needs to stream and to invite. Holds secrets: for the operator's eyes.
pub struct Welcome {
    /// Signs in once.
    pub dashboard_link: String,
    pub obs_server: String,
    pub stream_key: SecretText,
    pub room_name: String,
    pub invite_link: String,
}

impl Control {
    /// A link to the dashboard that signs in once, for 15 minutes.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn make_sign_in_link(&self, now: UnixMillis) -> Result<String, ControlError> {
        let token = random_text("sl_")?;
        let expires_at = after(now, SIGN_IN_LINK_LIFE);
        self.db.add_sign_in_link(&token.sha256(), expires_at, now).await?;
        Ok(self.addresses.sign_in_link(token.expose()))
    }

    /// Trades a sign-in token, or the admin token, for a session; `None` when it is neither.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn sign_in(
        &self,
        token: &str,
        now: UnixMillis,
    ) -> Result<Option<(SecretText, UnixMillis)>, ControlError> {
        let is_operator =
            self.secrets.admin_token().matches(token) || self.db.use_sign_in_link(&sha256(token), now).await?;
        if !is_operator {
            return Ok(None);
        }
        let session = random_text("ss_")?;
        let expires_at = after(now, SESSION_LIFE);
        self.db.add_session(&session.sha256(), expires_at, now).await?;
        Ok(Some((session, expires_at)))
    }

    /// Where an encoder publishes to, server and key in one, for the oldest room; `None` when there is no room.
    ///
    /// # Errors
    /// When the database cannot answer, or the stream key cannot be decrypted.
    pub async fn publish_url(&self) -> Result<Option<SecretText>, ControlError> {
        let Some(room) = self.db.rooms().await?.into_iter().next() else {
            return Ok(None);
        };
        let key = self.stream_key(&room)?;
        let url = format!("{}/{}", self.addresses.ingest_url, key.expose());
        Ok(Some(SecretText::new(url)))
    }

    /// What `welcome` shows: the oldest room's OBS settings, a new invite for it and a new sign-in link. `None` when
    /// there is no room.
    ///
    /// # Errors
    /// When the database cannot answer, or the stream key cannot be decrypted.
    pub async fn welcome(&self, now: UnixMillis) -> Result<Option<Welcome>, ControlError> {
        let Some(room) = self.db.rooms().await?.into_iter().next() else {
            return Ok(None);
        };
        let order = InviteOrder {
            label: Some("welcome".to_owned()),
            role: Role::Viewer,
            not_before: None,
            expires_at: after(now, DEFAULT_INVITE_LIFE),
            max_seats: None,
            relays: None,
        };
        let Some((_, token)) = self.create_invite(&room.slug, order, now).await? else {
            return Ok(None);
        };
        Ok(Some(Welcome {
            dashboard_link: self.make_sign_in_link(now).await?,
            obs_server: self.addresses.ingest_url.clone(),
            stream_key: self.stream_key(&room)?,
            invite_link: self.addresses.invite_url(&room.slug, token.expose()),
            room_name: room.name,
        }))
    }
}
