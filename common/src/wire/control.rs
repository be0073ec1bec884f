//! Frames of the control stream. A kind that a peer does not know is skipped by its length.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    id::{ChannelId, Epoch, Msn, PartId, RenditionId, RoomSlug},
    live::{BitRate, EpochDescription, window::WindowRecords},
    time::UnixMillis,
    wire::{
        chat::{ChatDown, ChatUp},
        media::PartOutline,
    },
};

/// From a relay to its upstream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DownstreamFrame {
    /// First frame of a connection.
    Hello {
        version: u16,
        name: String,
        public_url: String,
        software: String,
    },
    /// Someone here watches the channel. Answered by `Window`, `Starting` or `Offline`, then by all that is born there.
    Subscribe {
        channel: ChannelId,
        resume: Option<ResumePoint>,
    },
    Unsubscribe {
        channel: ChannelId,
    },
    /// What goes on here; every 2 s.
    Report {
        rooms: Vec<RoomReport>,
        egress_bytes: u64,
    },
    /// Microseconds of the sender's monotonic clock.
    Ping {
        t0: u64,
    },
    /// What viewers' sockets do, in order.
    Chat {
        items: Vec<ChatUp>,
    },
}

/// From an upstream to a relay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum UpstreamFrame {
    /// Answer to `Hello`: all that a relay needs to serve, whole.
    Welcome {
        relay_id: String,
        /// JWK set, JSON: the public keys that verify viewer tokens.
        keys: String,
        revocations: Vec<Revocation>,
        rooms: Vec<RoomState>,
        /// Public URLs of this StreamCircle, allowed as cross-site callers of the API.
        public_urls: Vec<String>,
    },
    Keys {
        keys: String,
    },
    Revoke {
        revocations: Vec<Revocation>,
    },
    PublicUrls {
        public_urls: Vec<String>,
    },
    /// A room that is new or changed.
    Room {
        state: RoomState,
    },
    RoomGone {
        room: RoomSlug,
    },
    /// The channel's current epoch as it stands; parts with larger numbers follow. Replaces whatever the relay held of the channel.
    Window {
        channel: ChannelId,
        description: EpochDescription,
        records: WindowRecords,
    },
    /// Subscribed, but nothing is live there: of a rung, that it is not offered, or was given up.
    Offline {
        channel: ChannelId,
    },
    Init {
        channel: ChannelId,
        epoch: Epoch,
        rendition: RenditionId,
        init_id: u32,
        body: Bytes,
    },
    /// The segment has `parts` parts and is closed. Sent for every segment, also when its last part says so: that part may be late.
    SegmentEnd {
        channel: ChannelId,
        epoch: Epoch,
        rendition: RenditionId,
        msn: Msn,
        parts: u32,
    },
    /// A part that will not come by push; it may still be fetched.
    Skipped {
        channel: ChannelId,
        epoch: Epoch,
        id: PartId,
        outline: PartOutline,
    },
    BitRate {
        channel: ChannelId,
        epoch: Epoch,
        rendition: RenditionId,
        bit_rate: BitRate,
    },
    /// Nothing follows in this epoch.
    End {
        channel: ChannelId,
        epoch: Epoch,
    },
    /// Answer to `Ping`: its `t0`, and microseconds since the Unix epoch at the origin when it came and when this left.
    Pong {
        t0: u64,
        t1: i64,
        t2: i64,
    },
    /// Close, and come back in a minute at the earliest: removed, or replaced by a newer connection of the same relay.
    GoAway {
        reason: String,
    },
    /// What happens in a room's chat, in order.
    Chat {
        room: RoomSlug,
        items: Vec<ChatDown>,
    },
    /// Subscribed, and being made from now on: a window follows, unless that fails.
    Starting {
        channel: ChannelId,
    },
}

/// What a relay that had the channel before still holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResumePoint {
    pub epoch: Epoch,
    /// For each rendition, the first part that is not here.
    pub next: Vec<(Msn, u32)>,
}

/// What a relay must know of a room to answer a viewer without asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomState {
    pub slug: RoomSlug,
    pub is_live: bool,
    pub interrupted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomReport {
    pub room: RoomSlug,
    /// Viewers seen since the last report.
    pub viewers: Vec<ViewerSeen>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ViewerSeen {
    pub viewer_id: String,
    /// `inv` of the viewer's token.
    pub invite_id: Option<String>,
}

/// Something signed that no longer counts, until nothing signed for it can be valid any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Revocation {
    pub subject: RevokedSubject,
    pub until: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RevokedSubject {
    /// `jti` of an invite: the invite and all viewer tokens whose `inv` it is.
    Invite(String),
    /// `sub` of viewer tokens.
    Viewer(String),
    /// All viewer tokens of a room issued before `until` less their longest life; used when a room is deleted.
    Room(RoomSlug),
}
