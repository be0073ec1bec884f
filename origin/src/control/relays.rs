//! Taking relays in.

use std::time::Duration;

use common::{auth::join_token::JoinSecret, time::UnixMillis};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Control, ControlError, after};
use crate::{
    db::{NewRelay, Relay},
    secrets::random,
};

/// Life of the one-time secret of a relay's join token.
pub const JOIN_SECRET_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Name of the relay that runs inside the origin.
pub const EMBEDDED_RELAY: &str = "embedded";

impl Control {
    /// Makes a relay, and the secret that lets it enrol once.
    ///
    /// # Errors
    /// [`DbError::Taken`] when the name is.
    pub async fn create_relay(
        &self,
        name: String,
        region: Option<String>,
        now: UnixMillis,
    ) -> Result<(Relay, JoinSecret), ControlError> {
        let secret = JoinSecret::new(random()?);
        let new = NewRelay {
            id: Uuid::now_v7().to_string(),
            name,
            region,
            secret_hash: Sha256::digest(secret.expose()).into(),
            secret_expires_at: after(now, JOIN_SECRET_LIFE),
        };
        let relay = self.db.create_relay(&new, now).await?;
        Ok((relay, secret))
    }

    /// A fresh row and secret for the relay inside this origin, in place of the one it had: its identity is gone.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn create_embedded_relay(&self, now: UnixMillis) -> Result<(Relay, JoinSecret), ControlError> {
        let relays = self.db.relays().await?;
        if let Some(before) = relays.iter().find(|relay| relay.name == EMBEDDED_RELAY) {
            self.db.delete_relay(&before.id).await?;
        }
        self.create_relay(EMBEDDED_RELAY.to_owned(), None, now).await
    }
}
