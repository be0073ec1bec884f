//! Invites as the origin remembers them. The tokens are not here: they are signed, handed out once and not kept.

use common::{
    auth::{Role, revocations::revoke},
    id::RoomSlug,
    time::UnixMillis,
    wire::control::{Revocation, RevokedSubject},
};

use super::{Database, DbError, reading, revocations::INSERT_REVOCATION, writing};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    pub id: String,
    pub room: RoomSlug,
    pub label: Option<String>,
    pub role: Role,
    pub created_at: UnixMillis,
    pub not_before: Option<UnixMillis>,
    pub expires_at: UnixMillis,
    /// Most viewers at once; `None`: no bound.
    pub max_seats: Option<u32>,
    /// Ids of the relays that may serve its viewers; `None`: all.
    pub relays: Option<Vec<String>>,
    pub revoked_at: Option<UnixMillis>,
}

impl Invite {
    /// Whether it lets anyone in at `now`.
    pub fn is_in_force(&self, now: UnixMillis) -> bool {
        self.revoked_at.is_none() && self.not_before.is_none_or(|start| start <= now) && now < self.expires_at
    }
}

/// An invite to be made.
#[derive(Clone, Debug)]
pub struct NewInvite {
    pub id: String,
    pub room: RoomSlug,
    pub label: Option<String>,
    pub role: Role,
    pub not_before: Option<UnixMillis>,
    pub expires_at: UnixMillis,
    pub max_seats: Option<u32>,
    pub relays: Option<Vec<String>>,
}

#[derive(sqlx::FromRow)]
struct InviteRow {
    id: String,
    room: String,
    label: Option<String>,
    role: String,
    created_at: i64,
    not_before: Option<i64>,
    expires_at: i64,
    max_seats: Option<i64>,
    relays: Option<String>,
    revoked_at: Option<i64>,
}

impl TryFrom<InviteRow> for Invite {
    type Error = DbError;

    fn try_from(row: InviteRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt("invite");
        let relays = row.relays.map(|json| serde_json::from_str(&json));
        Ok(Self {
            id: row.id,
            room: row.room.parse().map_err(|_| corrupt())?,
            label: row.label,
            role: row.role.parse().map_err(|_| corrupt())?,
            created_at: UnixMillis(row.created_at),
            not_before: row.not_before.map(UnixMillis),
            expires_at: UnixMillis(row.expires_at),
            max_seats: row.max_seats.map(u32::try_from).transpose().map_err(|_| corrupt())?,
            relays: relays.transpose().map_err(|_| corrupt())?,
            revoked_at: row.revoked_at.map(UnixMillis),
        })
    }
}

macro_rules! invite_columns {
    () => {
        "id, room, label, role, created_at, not_before, expires_at, max_seats, relays, revoked_at"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO invites (id, room, label, role, created_at, not_before, expires_at, max_seats, relays) ",
    "SELECT $1, slug, $3, $4, $5, $6, $7, $8, $9 FROM rooms WHERE slug = $2 RETURNING ",
    invite_columns!()
);
const SELECT_OF_ROOM: &str = concat!(
    "SELECT ",
    invite_columns!(),
    " FROM invites WHERE room = $1 ORDER BY created_at, id"
);
const SELECT_ONE: &str = concat!("SELECT ", invite_columns!(), " FROM invites WHERE id = $1");
const REVOKE: &str = concat!(
    "UPDATE invites SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1 RETURNING ",
    invite_columns!()
);

impl Database {
    /// Makes an invite; `None` when there is no such room.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn create_invite(&self, invite: &NewInvite, now: UnixMillis) -> Result<Option<Invite>, DbError> {
        let relays = invite
            .relays
            .as_ref()
            .map(|ids| serde_json::to_string(ids).expect("a list of texts"));
        let row: Option<InviteRow> = writing!(self, |connection| {
            sqlx::query_as(INSERT)
                .bind(&invite.id)
                .bind(invite.room.as_str())
                .bind(invite.label.as_deref())
                .bind(invite.role.as_str())
                .bind(now.0)
                .bind(invite.not_before.map(|at| at.0))
                .bind(invite.expires_at.0)
                .bind(invite.max_seats.map(i64::from))
                .bind(relays.as_deref())
                .fetch_optional(connection)
                .await?
        });
        row.map(Invite::try_from).transpose()
    }

    /// The invites of a room, oldest first, those that are over too.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn invites(&self, room: &RoomSlug) -> Result<Vec<Invite>, DbError> {
        let rows: Vec<InviteRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_OF_ROOM)
                .bind(room.as_str())
                .fetch_all(connection)
                .await?
        });
        rows.into_iter().map(Invite::try_from).collect()
    }

    /// The invite, if there is one.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn invite(&self, id: &str) -> Result<Option<Invite>, DbError> {
        let row: Option<InviteRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ONE).bind(id).fetch_optional(connection).await?
        });
        row.map(Invite::try_from).transpose()
    }

    /// Revokes an invite and the viewer tokens that came of it; again is no error. `None` when there is none.
    ///
    /// # Errors
    /// When the database cannot answer; nothing is revoked then.
    pub async fn revoke_invite(&self, id: &str, now: UnixMillis) -> Result<Option<Revocation>, DbError> {
        let revocation = revoke(RevokedSubject::Invite(id.to_owned()), now);
        let row: Option<InviteRow> = writing!(self, |connection| {
            let row = sqlx::query_as(REVOKE)
                .bind(id)
                .bind(now.0)
                .fetch_optional(&mut *connection)
                .await?;
            if row.is_some() {
                sqlx::query(INSERT_REVOCATION)
                    .bind("invite")
                    .bind(id)
                    .bind(revocation.until.0)
                    .execute(&mut *connection)
                    .await?;
            }
            row
        });
        Ok(row.map(|_| revocation))
    }
}
