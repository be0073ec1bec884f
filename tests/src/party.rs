//! The usual scene of chat: an origin, separate relays whose links can be cut, and a room; no film.

use anyhow::{Context, Result};
use serde_json::json;

use crate::{
    api::{Invite, Room},
    chatter::Chatter,
    daemon::{Origin, Relay},
    guest::{Guest, Pass},
    link_path::LinkPath,
};

/// Everything is ended when it is dropped, the relays first.
#[derive(Debug)]
pub struct Party {
    pub relays: Vec<Relay>,
    /// Of each relay.
    pub paths: Vec<LinkPath>,
    pub room: Room,
    pub origin: Origin,
}

/// A guest in the room, with an invite of its own.
#[derive(Debug)]
pub struct Friend {
    pub guest: Guest,
    pub pass: Pass,
    pub invite: Invite,
    pub chat: Chatter,
}

impl Party {
    pub async fn start(relays: usize) -> Result<Self> {
        Self::with_origin(Origin::start().await?, relays).await
    }

    pub async fn with_origin(origin: Origin, relays: usize) -> Result<Self> {
        let room = origin.admin.create_room("premiere").await?;
        let mut party = Self {
            relays: Vec::new(),
            paths: Vec::new(),
            room,
            origin,
        };
        for name in ["lyon", "nantes", "lille"].iter().take(relays) {
            let path = LinkPath::to(party.origin.link).await?;
            party.relays.push(Relay::join_over(&party.origin, name, &path).await?);
            party.paths.push(path);
        }
        Ok(party)
    }

    /// URL of a relay: 0 is the embedded one, the separate ones count from 1.
    pub fn url(&self, at: usize) -> &str {
        match at.checked_sub(1) {
            None => &self.origin.relay_url,
            Some(index) => &self.relays[index].url,
        }
    }

    pub fn slug(&self) -> &str {
        &self.room.slug
    }

    pub async fn invite(&self, role: &str) -> Result<Invite> {
        self.origin.admin.invite(self.slug(), json!({ "role": role })).await
    }

    /// Somebody with this role comes in at a relay (see [`Party::url`]) with an invite of its own.
    pub async fn friend(&self, at: usize, nickname: &str, role: &str) -> Result<Friend> {
        let invite = self.invite(role).await?;
        self.friend_with(at, nickname, Guest::new()?, invite).await
    }

    pub async fn friend_with(&self, at: usize, nickname: &str, guest: Guest, invite: Invite) -> Result<Friend> {
        let pass = guest
            .join(self.url(at), self.slug(), nickname, Some(&invite.token))
            .await?;
        let chat = Chatter::enter_from(self.url(at), self.slug(), &pass, guest.address)
            .await
            .with_context(|| format!("the socket of {nickname}"))?;
        Ok(Friend {
            guest,
            pass,
            invite,
            chat,
        })
    }
}
