//! The operator's side of the origin, whoever asks for it: HTTP API, `welcome`, or the start of the daemon itself.
//!
//! It joins database and secrets, so that no caller handles a stream key's hash or signs a token by hand. It knows
//! nothing of live media: telling the rooms and relays what changed is the caller's.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{
    auth::{InviteClaims, Revocations, Role, ViewerClaims},
    id::RoomSlug,
    time::UnixMillis,
    wire::control::Revocation,
};
use uuid::Uuid;

use crate::{
    db::{Access, Database, DbError, Invite, NewInvite, NewRoom, Room},
    secrets::{KeyHash, SecretText, Secrets, SecretsError, admin_token, sha256},
};

mod addresses;
mod bans;
mod relays;
mod sign_in;
mod streams;

pub use self::{
    addresses::Addresses,
    relays::{EMBEDDED_RELAY, JOIN_SECRET_LIFE},
    sign_in::{SESSION_LIFE, SIGN_IN_LINK_LIFE, Welcome},
};

pub use crate::db::{BanOutcome, BannedLink};

/// Life of an invite when nobody says otherwise.
pub const DEFAULT_INVITE_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// The room that is there on the first start, so that a stream can begin at once.
const FIRST_ROOM: (&str, &str) = ("cinema", "Cinema");

/// How many numbers are tried behind a slug made from a name that others have too.
const MAX_SLUG_TRIES: u32 = 100;

#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

/// What the operator's side is opened with.
#[derive(Clone, Debug)]
pub struct ControlConfig {
    pub data_dir: PathBuf,
    /// `None`: a file in the data folder.
    pub database_url: Option<String>,
    pub admin_token: admin_token::Source,
    pub addresses: Addresses,
}

/// A room somebody asks for.
#[derive(Clone, Debug)]
pub struct RoomOrder {
    pub name: String,
    /// `None`: made from the name.
    pub slug: Option<RoomSlug>,
    pub access: Access,
    pub listed: bool,
}

/// An invite somebody asks for.
#[derive(Clone, Debug)]
pub struct InviteOrder {
    pub label: Option<String>,
    pub role: Role,
    pub not_before: Option<UnixMillis>,
    pub expires_at: UnixMillis,
    pub max_seats: Option<u32>,
    /// Ids; `None`: all relays.
    pub relays: Option<Vec<String>>,
}

pub struct Control {
    db: Database,
    secrets: Secrets,
    addresses: Addresses,
    /// A copy of the database's, asked at each call that shows a viewer token. Never held across an await.
    revocations: Mutex<Revocations>,
    /// Viewers who are banned, though the database does not have it yet.
    unkept_bans: Mutex<HashSet<String>>,
}

impl Control {
    /// Opens data folder and database and makes what is missing; on the very first start also the first room.
    ///
    /// # Errors
    /// When the folder or the database cannot be used.
    pub async fn open(config: ControlConfig, now: UnixMillis) -> Result<Self, ControlError> {
        let secrets = Secrets::open(&config.data_dir, config.admin_token)?;
        let url = config
            .database_url
            .unwrap_or_else(|| default_database_url(&config.data_dir));
        let db = Database::open(&url).await?;
        let revocations = Mutex::new(db.revocations(now).await?);
        let control = Self {
            db,
            secrets,
            addresses: config.addresses,
            revocations,
            unkept_bans: Mutex::default(),
        };
        if control.db.is_first_start(now).await? {
            control.make_first_room(now).await?;
        }
        Ok(control)
    }

    async fn make_first_room(&self, now: UnixMillis) -> Result<(), ControlError> {
        let (slug, name) = FIRST_ROOM;
        let order = RoomOrder {
            name: name.to_owned(),
            slug: Some(slug.parse().expect("a constant")),
            access: Access::Invite,
            listed: true,
        };
        match self.create_room(order, now).await {
            Err(ControlError::Db(DbError::Taken)) => Ok(()),
            outcome => outcome.map(|_| ()),
        }
    }

    pub fn db(&self) -> &Database {
        &self.db
    }

    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The room that a stream key opens; anything after a `?` in it does not count.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn room_by_stream_key(&self, key: &str) -> Result<Option<RoomSlug>, DbError> {
        self.db.room_by_key_hash(&Self::key_hash(key)).await
    }

    /// Tells stream keys apart, without what stands after a `?` in them.
    pub fn key_hash(key: &str) -> KeyHash {
        sha256(key.split_once('?').map_or(key, |(key, _)| key))
    }

    /// Makes a room with a stream key of its own.
    ///
    /// # Errors
    /// [`DbError::Taken`] when the slug asked for is.
    pub async fn create_room(&self, order: RoomOrder, now: UnixMillis) -> Result<Room, ControlError> {
        if let Some(slug) = order.slug.clone() {
            return self.create_room_at(slug, &order, now).await;
        }
        let base = RoomSlug::from_name(&order.name).map_or_else(|| "room".to_owned(), |slug| slug.to_string());
        for number in 1..MAX_SLUG_TRIES {
            let text = if number == 1 {
                base.clone()
            } else {
                format!("{base}-{number}")
            };
            let slug = text.parse().expect("a slug from a name leaves place for a number");
            match self.create_room_at(slug, &order, now).await {
                Err(ControlError::Db(DbError::Taken)) => {}
                outcome => return outcome,
            }
        }
        Err(DbError::Taken.into())
    }

    async fn create_room_at(&self, slug: RoomSlug, order: &RoomOrder, now: UnixMillis) -> Result<Room, ControlError> {
        let (_, key) = self.secrets.make_stream_key(slug.as_str())?;
        let room = NewRoom {
            slug,
            name: order.name.clone(),
            access: order.access,
            listed: order.listed,
            key,
        };
        Ok(self.db.create_room(&room, now).await?)
    }

    /// Gives a room another stream key; `None` when there is no such room.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn rotate_stream_key(&self, slug: &RoomSlug) -> Result<Option<Room>, ControlError> {
        let (_, key) = self.secrets.make_stream_key(slug.as_str())?;
        Ok(self.db.replace_stream_key(slug, &key).await?)
    }

    /// A room's stream key in clear.
    ///
    /// # Errors
    /// When it was stored with the key of another data folder.
    pub fn stream_key(&self, room: &Room) -> Result<SecretText, SecretsError> {
        self.secrets.unseal_stream_key(room.slug.as_str(), &room.sealed_key)
    }

    /// Deletes a room with all that is of it; `None` when there is no such room.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_room(&self, slug: &RoomSlug, now: UnixMillis) -> Result<Option<Revocation>, DbError> {
        Ok(self.put_in_force(self.db.delete_room(slug, now).await?, now))
    }

    /// Makes an invite, and its token, which is kept nowhere; `None` when there is no such room.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn create_invite(
        &self,
        room: &RoomSlug,
        order: InviteOrder,
        now: UnixMillis,
    ) -> Result<Option<(Invite, SecretText)>, DbError> {
        let new = NewInvite {
            id: Uuid::now_v7().to_string(),
            room: room.clone(),
            label: order.label,
            role: order.role,
            // A token's times are whole seconds; what is stored has to say the same.
            not_before: order.not_before.map(|at| UnixMillis(at.as_secs() * 1000)),
            expires_at: UnixMillis(order.expires_at.as_secs() * 1000),
            max_seats: order.max_seats,
            relays: order.relays,
        };
        let invite = self.db.create_invite(&new, now).await?;
        Ok(invite.map(|invite| {
            let token = self.sign_invite(&invite);
            (invite, token)
        }))
    }

    fn sign_invite(&self, invite: &Invite) -> SecretText {
        let not_before = invite.not_before.unwrap_or(invite.created_at);
        let claims = InviteClaims {
            id: invite.id.clone(),
            room: invite.room.clone(),
            role: invite.role,
            seats: invite.max_seats,
            relays: invite.relays.clone(),
            not_before: UnixMillis(not_before.as_secs() * 1000),
            expires_at: invite.expires_at,
        };
        SecretText::new(self.secrets.signing().signer().sign_invite(&claims))
    }

    /// Revokes an invite and its viewers' tokens; `None` when there is no such invite.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn revoke_invite(&self, id: &str, now: UnixMillis) -> Result<Option<Revocation>, DbError> {
        Ok(self.put_in_force(self.db.revoke_invite(id, now).await?, now))
    }

    fn put_in_force(&self, revocation: Option<Revocation>, now: UnixMillis) -> Option<Revocation> {
        self.lock_revocations().extend(revocation.clone(), now);
        revocation
    }

    /// Whether the bearer of `claims` was shut out.
    pub fn is_revoked(&self, claims: &ViewerClaims, now: UnixMillis) -> bool {
        self.lock_revocations().is_revoked(claims, now)
    }

    /// All revocations in force: what a relay that connects is told.
    pub fn revocations(&self) -> Vec<Revocation> {
        self.lock_revocations().entries().collect()
    }

    fn lock_revocations(&self) -> MutexGuard<'_, Revocations> {
        // Nothing that is done under the lock can leave it half done.
        self.revocations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_unkept_bans(&self) -> MutexGuard<'_, HashSet<String>> {
        self.unkept_bans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the database is when nobody says otherwise.
pub fn default_database_url(data_dir: &Path) -> String {
    format!("sqlite://{}", data_dir.join("streamcircle.db").display())
}

/// The time `life` after `now`.
pub fn after(now: UnixMillis, life: Duration) -> UnixMillis {
    UnixMillis(
        now.0
            .saturating_add(i64::try_from(life.as_millis()).unwrap_or(i64::MAX)),
    )
}

#[cfg(test)]
mod tests;
