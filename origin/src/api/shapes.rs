//! The JSON of the API. Times are RFC 3339 texts in UTC with milliseconds.

use common::{auth::Role, time::UnixMillis};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiState, plane::RoomLive, room_settings::Links, stream_settings::RoomStream};
use crate::{
    db::{Access, ChatRow, Invite, Message, Relay, Room, StreamRow},
    relays::RelayStatus,
};

/// A room. `links` to `hasSlatePicture` are for its hosts and operators, what follows for operators alone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Room)]
pub(super) struct RoomShape {
    slug: String,
    name: String,
    access: Access,
    listed: bool,
    /// Nobody new gets in.
    locked: bool,
    is_live: bool,
    /// The publisher was lost and may come back; the stream is still on.
    interrupted: bool,
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// Viewers seen in the last minute.
    viewer_count: u32,
    /// Least seconds between two messages of one viewer; 0: none.
    slow_mode_seconds: u32,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    for_hosts: Option<RoomChat>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    stream: Option<RoomStream>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    for_operators: Option<RoomSecrets>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoomChat {
    links: Links,
    /// Words that only moderators may write.
    blocked_words: Vec<String>,
    /// Messages are kept so many days; `null`: as long as the room.
    retention_days: Option<u32>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoomSecrets {
    /// `null` when it was stored with the key of another data folder; rotate it then.
    stream_key: Option<String>,
    /// What OBS takes as server.
    ingest_url: String,
    /// The same over TLS; `null` when it is not served.
    secure_ingest_url: Option<String>,
    watch_url: String,
    playlist_url: String,
}

impl RoomShape {
    /// As viewers may see it.
    pub(super) fn public(room: &Room, state: &ApiState) -> Self {
        let live: RoomLive = state.plane.room_live(&room.slug);
        Self {
            slug: room.slug.to_string(),
            name: room.name.clone(),
            access: room.access,
            listed: room.listed,
            locked: room.locked,
            is_live: live.is_live,
            interrupted: live.interrupted,
            started_at: live.started_at.map(UnixMillis::to_rfc3339),
            viewer_count: live.viewer_count,
            slow_mode_seconds: room.slow_mode_seconds,
            for_hosts: None,
            stream: None,
            for_operators: None,
        }
    }

    /// With what chat and stream are set to.
    pub(super) fn for_hosts(room: &Room, chat: &ChatRow, stream: &StreamRow, state: &ApiState) -> Self {
        Self {
            for_hosts: Some(RoomChat {
                links: chat.links.into(),
                blocked_words: chat.blocked_words.clone(),
                retention_days: chat.retention_days,
            }),
            stream: Some(stream.into()),
            ..Self::public(room, state)
        }
    }

    /// With that, and the stream key.
    pub(super) fn for_operators(room: &Room, chat: &ChatRow, stream: &StreamRow, state: &ApiState) -> Self {
        let addresses = state.control.addresses();
        let stream_key = state.control.stream_key(room);
        if stream_key.is_err() {
            tracing::warn!(room = %room.slug, "the stream key cannot be decrypted: the data folder is not the one it was stored with");
        }
        Self {
            for_operators: Some(RoomSecrets {
                stream_key: stream_key.ok().map(|key| key.expose().to_owned()),
                ingest_url: addresses.ingest_url.clone(),
                secure_ingest_url: addresses.secure_ingest_url.clone(),
                watch_url: addresses.watch_url(&room.slug),
                playlist_url: addresses.playlist_url(&room.slug),
            }),
            ..Self::for_hosts(room, chat, stream, state)
        }
    }
}

/// An invite. `token` and `url` stand only in the answer that made it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Invite)]
pub(super) struct InviteShape {
    id: String,
    room: String,
    label: Option<String>,
    #[schema(value_type = String, example = "viewer")]
    role: Role,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    not_before: Option<String>,
    #[schema(format = DateTime)]
    expires_at: String,
    max_seats: Option<u32>,
    /// Its viewers seen in the last minute.
    seats_used: usize,
    /// Names of the only relays that serve its viewers; `null`: all.
    relays: Option<Vec<String>>,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl InviteShape {
    /// `relays` are all relays there are: what the invite's ids are named by.
    pub(super) fn new(invite: Invite, relays: &[Relay], state: &ApiState) -> Self {
        let seen = state.plane.viewers_of_invite(&invite.id);
        let names = |ids: Vec<String>| {
            let named = relays.iter().filter(|relay| ids.contains(&relay.id));
            named.map(|relay| relay.name.clone()).collect()
        };
        Self {
            seats_used: state.seats.used(&invite.id, &seen, node::clock::monotonic()),
            id: invite.id,
            room: invite.room.to_string(),
            label: invite.label,
            role: invite.role,
            created_at: invite.created_at.to_rfc3339(),
            not_before: invite.not_before.map(UnixMillis::to_rfc3339),
            expires_at: invite.expires_at.to_rfc3339(),
            max_seats: invite.max_seats,
            relays: invite.relays.map(names),
            revoked_at: invite.revoked_at.map(UnixMillis::to_rfc3339),
            token: None,
            url: None,
        }
    }

    /// With what is shown once.
    pub(super) fn with_token(self, token: &str, url: String) -> Self {
        Self {
            token: Some(token.to_owned()),
            url: Some(url),
            ..self
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RelayState {
    /// Its join token was not used yet.
    Pending,
    Online,
    Offline,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Relay)]
pub(super) struct RelayShape {
    id: String,
    name: String,
    region: Option<String>,
    url: Option<String>,
    state: RelayState,
    rooms: u32,
    viewers: u32,
    /// Bytes sent to viewers since it started.
    egress_bytes: u64,
    /// Round trip of its link, milliseconds; `null` while offline.
    rtt_ms: Option<f64>,
    #[schema(format = DateTime)]
    last_seen_at: Option<String>,
    version: Option<String>,
}

impl RelayShape {
    /// `status`: what the link knows of it since the start.
    pub(super) fn new(relay: Relay, status: Option<&RelayStatus>) -> Self {
        let online = status.filter(|status| status.online);
        let state = match (relay.enrolled_at, online) {
            (_, Some(_)) => RelayState::Online,
            (Some(_), None) => RelayState::Offline,
            (None, None) => RelayState::Pending,
        };
        let last_seen = status.and_then(|status| status.last_seen).max(relay.last_seen_at);
        Self {
            id: relay.id,
            name: relay.name,
            region: relay.region,
            url: online.map(|status| status.url.clone()).or(relay.url),
            state,
            rooms: online.map_or(0, |status| status.rooms),
            viewers: online.map_or(0, |status| status.viewers),
            egress_bytes: status.map_or(0, |status| status.egress_bytes),
            rtt_ms: online.and_then(|status| status.rtt_ms),
            last_seen_at: last_seen.map(UnixMillis::to_rfc3339),
            version: online.map(|status| status.version.clone()).or(relay.version),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Message)]
pub(super) struct MessageShape {
    /// Grows with each message of the room.
    id: i64,
    viewer_id: String,
    nickname: String,
    #[schema(value_type = String, example = "viewer")]
    role: Role,
    text: String,
    #[schema(format = DateTime)]
    sent_at: String,
    /// The moment of the film that the sender saw.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    media_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<i64>,
}

impl From<Message> for MessageShape {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            viewer_id: message.viewer_id,
            nickname: message.nickname,
            role: message.role,
            text: message.text,
            sent_at: message.sent_at.to_rfc3339(),
            media_time: message.media_time.map(UnixMillis::to_rfc3339),
            reply_to: message.reply_to,
        }
    }
}
