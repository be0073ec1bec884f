//! The usual scene: an origin, a separate relay, a room with an invite, and a publisher.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::{
    api::{Invite, Room, Viewer},
    daemon::{Origin, Relay},
    process::{Process, wait_for},
    publisher::{self, Settings},
};

/// Everything is ended when it is dropped, the publisher first.
#[derive(Debug)]
pub struct Evening {
    pub publisher: Process,
    pub room: Room,
    pub invite: Invite,
    pub relay: Relay,
    pub origin: Origin,
}

impl Evening {
    /// Starts all of it and waits until the room is live.
    pub async fn start(settings: Settings) -> Result<Self> {
        let origin = Origin::start().await?;
        let relay = Relay::join(&origin, "lyon").await?;
        let room = origin.admin.create_room("premiere").await?;
        let invite = origin.admin.invite(&room.slug, json!({})).await?;
        let publisher = publisher::test_picture(&origin.publish_url(&room), settings, origin.folder())?;
        let evening = Self {
            publisher,
            room,
            invite,
            relay,
            origin,
        };
        evening.wait_until_live().await?;
        Ok(evening)
    }

    pub async fn wait_until_live(&self) -> Result<()> {
        let Self { origin, room, .. } = self;
        wait_for("the live flag", Duration::from_secs(30), async || {
            origin.admin.is_live(&room.slug).await.then_some(())
        })
        .await
    }

    /// Another publisher on the same key.
    pub fn publish_again(&mut self) -> Result<()> {
        let url = self.origin.publish_url(&self.room);
        self.publisher = publisher::test_picture(&url, Settings::default(), self.origin.folder())?;
        Ok(())
    }

    /// The invite link as it would be at the separate relay.
    pub fn invite_at_relay(&self) -> String {
        format!("{}/r/{}#invite={}", self.relay.url, self.room.slug, self.invite.token)
    }

    /// Joins at the separate relay, without a browser.
    pub async fn friend(&self, nickname: &str) -> Result<Viewer> {
        Viewer::join(&self.relay.url, &self.room.slug, nickname, Some(&self.invite.token)).await
    }
}
