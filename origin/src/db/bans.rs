//! Bans. A ban is on a person, as far as one can be told: by viewer id, and by the invite or, where that is shared, by invite and
//! address.

use common::{
    auth::{Role, revocations::revoke},
    chat::record::BanOrder,
    id::RoomSlug,
    time::UnixMillis,
    wire::control::{Revocation, RevokedSubject},
};

use super::{Database, DbError, reading, revocations::INSERT_REVOCATION, visits::IN_USE, writing};

/// Most bans that are listed or remembered by a running room; the newest.
const MAX_BANS: i64 = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    pub viewer_id: String,
    pub nickname: String,
    /// As it last came.
    pub role: Role,
    pub banned_at: UnixMillis,
    /// Nickname of who did it.
    pub banned_by: String,
    pub reason: Option<String>,
}

/// What a ban did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BanOutcome {
    /// To be told to all relays.
    pub revocations: Vec<Revocation>,
    pub link: BannedLink,
}

/// What became of the invite of who was banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BannedLink {
    /// There is none.
    None,
    /// Nobody else uses it: it is revoked.
    Revoked,
    /// So many others use it, so it still stands.
    Shared { others: u32 },
}

#[derive(sqlx::FromRow)]
struct BanRow {
    viewer_id: String,
    nickname: String,
    role: Option<String>,
    banned_at: i64,
    banned_by: String,
    reason: Option<String>,
}

impl From<BanRow> for Ban {
    fn from(row: BanRow) -> Self {
        Self {
            viewer_id: row.viewer_id,
            nickname: row.nickname,
            // Visits of viewers are not kept for ever.
            role: row.role.and_then(|role| role.parse().ok()).unwrap_or_default(),
            banned_at: UnixMillis(row.banned_at),
            banned_by: row.banned_by,
            reason: row.reason,
        }
    }
}

const SELECT_VISIT: &str = "SELECT invite_id, address FROM visits WHERE room = $1 AND viewer_id = $2";
const INSERT: &str = "INSERT INTO bans (room, viewer_id, banned_at, nickname, invite_id, address, banned_by, reason) \
     SELECT slug, $2, $3, $4, $5, $6, $7, $8 FROM rooms WHERE slug = $1 ON CONFLICT (room, viewer_id) DO NOTHING";
const COUNT_OTHERS: &str = "SELECT COUNT(*) FROM visits WHERE invite_id = $1 AND room = $2 AND viewer_id <> $3 AND last_at >= $4 \
     AND address <> COALESCE($5, '') AND address <> COALESCE($6, '') \
     AND NOT EXISTS (SELECT 1 FROM bans WHERE bans.room = visits.room AND bans.viewer_id = visits.viewer_id)";
const REVOKE_INVITE: &str = "UPDATE invites SET revoked_at = COALESCE(revoked_at, $3) WHERE id = $1 AND room = $2";
const DELETE: &str = "DELETE FROM bans WHERE room = $1 AND viewer_id = $2";
const SELECT_ONE: &str = "SELECT banned_at FROM bans WHERE room = $1 AND viewer_id = $2";
const SELECT_REFUSAL: &str = "SELECT banned_at FROM bans WHERE room = $1 AND address = $2 \
     AND (invite_id = $3 OR CAST($3 AS TEXT) IS NULL) LIMIT 1";
const SELECT_BAN: &str = "SELECT bans.viewer_id, bans.nickname, visits.role, banned_at, banned_by, reason FROM bans \
     LEFT JOIN visits ON visits.room = bans.room AND visits.viewer_id = bans.viewer_id \
     WHERE bans.room = $1 AND bans.viewer_id = $2";
const SELECT_ALL: &str = "SELECT bans.viewer_id, bans.nickname, visits.role, banned_at, banned_by, reason FROM bans \
     LEFT JOIN visits ON visits.room = bans.room AND visits.viewer_id = bans.viewer_id WHERE bans.room = $1 \
     ORDER BY banned_at DESC, bans.viewer_id LIMIT $2";

impl Database {
    /// Keeps a ban, revokes the viewer's tokens, and its invite if nobody else uses that; who came from the same network counts as
    /// the same person with another browser. `address`: of the viewer's network; that of the last visit when it is not known. The
    /// same order again does the same.
    ///
    /// # Errors
    /// When the database cannot answer; nothing is kept then.
    pub async fn ban(&self, order: &BanOrder, address: Option<String>, now: UnixMillis) -> Result<BanOutcome, DbError> {
        let viewer = revoke(RevokedSubject::Viewer(order.viewer_id.clone()), now);
        let used_since = now.0.saturating_sub(IN_USE.as_millis() as i64);
        let (link, invite_id) = writing!(self, |connection| {
            let visit: Option<(Option<String>, String)> = sqlx::query_as(SELECT_VISIT)
                .bind(order.room.as_str())
                .bind(&order.viewer_id)
                .fetch_optional(&mut *connection)
                .await?;
            let (came_with, came_from) = visit.map_or((None, None), |(invite, from)| (invite, Some(from)));
            let invite_id = order.invite_id.clone().or(came_with);
            sqlx::query(INSERT)
                .bind(order.room.as_str())
                .bind(&order.viewer_id)
                .bind(order.at.0)
                .bind(&order.nickname)
                .bind(invite_id.as_deref())
                .bind(address.as_ref().or(came_from.as_ref()))
                .bind(&order.by.nickname)
                .bind(order.reason.as_deref())
                .execute(&mut *connection)
                .await?;
            sqlx::query(INSERT_REVOCATION)
                .bind("viewer")
                .bind(&order.viewer_id)
                .bind(viewer.until.0)
                .execute(&mut *connection)
                .await?;
            let mut link = BannedLink::None;
            if let Some(invite) = &invite_id {
                let (others,): (i64,) = sqlx::query_as(COUNT_OTHERS)
                    .bind(invite)
                    .bind(order.room.as_str())
                    .bind(&order.viewer_id)
                    .bind(used_since)
                    .bind(telling(address.as_deref()))
                    .bind(telling(came_from.as_deref()))
                    .fetch_one(&mut *connection)
                    .await?;
                link = BannedLink::Shared {
                    others: u32::try_from(others).unwrap_or(u32::MAX),
                };
                if others == 0 {
                    let revoked = sqlx::query(REVOKE_INVITE)
                        .bind(invite)
                        .bind(order.room.as_str())
                        .bind(now.0)
                        .execute(&mut *connection)
                        .await?;
                    link = BannedLink::None;
                    if revoked.rows_affected() > 0 {
                        link = BannedLink::Revoked;
                        sqlx::query(INSERT_REVOCATION)
                            .bind("invite")
                            .bind(invite)
                            .bind(viewer.until.0)
                            .execute(&mut *connection)
                            .await?;
                    }
                }
            }
            (link, invite_id)
        });
        let invite = invite_id.filter(|_| link == BannedLink::Revoked);
        let invite = invite.map(|id| revoke(RevokedSubject::Invite(id), now));
        Ok(BanOutcome {
            revocations: std::iter::once(viewer).chain(invite).collect(),
            link,
        })
    }

    /// Takes a ban back; false when there is none. Tokens and invites that it revoked stay so.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn unban(&self, room: &RoomSlug, viewer_id: &str) -> Result<bool, DbError> {
        let deleted = writing!(self, |connection| {
            sqlx::query(DELETE)
                .bind(room.as_str())
                .bind(viewer_id)
                .execute(connection)
                .await?
                .rows_affected()
        });
        Ok(deleted > 0)
    }

    /// Whether the viewer is banned from the room.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn is_banned(&self, room: &RoomSlug, viewer_id: &str) -> Result<bool, DbError> {
        let ban: Option<(i64,)> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ONE)
                .bind(room.as_str())
                .bind(viewer_id)
                .fetch_optional(connection)
                .await?
        });
        Ok(ban.is_some())
    }

    /// Whether who is not known here, and comes from `address` with the invite, may be somebody who is banned: one was at that
    /// address with that invite. Whoever comes by the open door (`None`) may be anybody banned at that address.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn may_be_banned(
        &self,
        room: &RoomSlug,
        invite_id: Option<&str>,
        address: &str,
    ) -> Result<bool, DbError> {
        let ban: Option<(i64,)> = reading!(self, |connection| {
            sqlx::query_as(SELECT_REFUSAL)
                .bind(room.as_str())
                .bind(address)
                .bind(invite_id)
                .fetch_optional(connection)
                .await?
        });
        Ok(ban.is_some())
    }

    /// The ban of a viewer from the room.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn ban_of(&self, room: &RoomSlug, viewer_id: &str) -> Result<Option<Ban>, DbError> {
        let row: Option<BanRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_BAN)
                .bind(room.as_str())
                .bind(viewer_id)
                .fetch_optional(connection)
                .await?
        });
        Ok(row.map(Ban::from))
    }

    /// The room's bans, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn bans(&self, room: &RoomSlug) -> Result<Vec<Ban>, DbError> {
        let rows: Vec<BanRow> = reading!(self, |connection| {
            sqlx::query_as(SELECT_ALL)
                .bind(room.as_str())
                .bind(MAX_BANS)
                .fetch_all(connection)
                .await?
        });
        Ok(rows.into_iter().map(Ban::from).collect())
    }

    /// Ids of the viewers banned from the room, with the roles they had.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn banned_viewers(&self, room: &RoomSlug) -> Result<Vec<(String, Role)>, DbError> {
        let bans = self.bans(room).await?.into_iter();
        Ok(bans.map(|ban| (ban.viewer_id, ban.role)).collect())
    }
}

/// Networks of nobody: 127.0.0.1, that of `::1`, and where the address is not known. A proxy on this machine that does not tell of
/// its clients has all of them come from there.
const OF_NOBODY: [&str; 2] = ["127.0.0.1", "::"];

fn telling(address: Option<&str>) -> Option<&str> {
    address.filter(|address| !OF_NOBODY.contains(address))
}
