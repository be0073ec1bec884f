//! Chat while its database is slow or gone: the room goes on, the host is told, and the counts are true.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{
    chatter::is,
    daemon::Origin,
    database::{Postgres, SqliteLock, message_ids},
    party::{Friend, Party},
    process::wait_for,
};
use serde_json::Value;

/// Told after 2 s of failure; a statement may have waited 5 s for the lock before it failed.
const TOLD_WITHIN: Duration = Duration::from_secs(12);
/// From the database's return to the last record.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(30);
/// How long the database stays away after the host was told.
const LONGER: Duration = Duration::from_secs(30);

struct Scene {
    party: Party,
    marthe: Friend,
    ann: Friend,
    bob: Friend,
    said: Vec<i64>,
}

impl Scene {
    async fn start(origin: Origin) -> Result<Self> {
        let party = Party::with_origin(origin, 1).await?;
        let mut scene = Self {
            marthe: party.friend(1, "Marthe", "host").await?,
            ann: party.friend(0, "Ann", "viewer").await?,
            bob: party.friend(1, "Bob", "viewer").await?,
            party,
            said: Vec::new(),
        };
        scene.talk("before").await?;
        Ok(scene)
    }

    /// Ann speaks, Bob on the other relay hears it at once.
    async fn talk(&mut self, when: &str) -> Result<()> {
        for number in 0..4 {
            let text = format!("{when} {number}");
            self.said.push(self.ann.chat.tell(&text).await?.id);
            self.bob.chat.hear(&text).await?;
        }
        Ok(())
    }

    /// Talks until the host was told, and some time longer.
    async fn talk_through_it(&mut self) -> Result<()> {
        self.talk("while it is away").await?;
        let is_down = |event: &Value| is(event, "notice") && event["code"] == "storageDown";
        let notice = self
            .marthe
            .chat
            .wait_long_for("word that the database is away", TOLD_WITHIN, is_down)
            .await?;
        let waiting = notice["waiting"].as_u64().context("waiting")?;
        ensure!(waiting > 0 && notice["dropped"] == 0, "{notice}");
        ensure!(!self.ann.chat.has(is_down), "a viewer was told");
        self.talk("and still away").await?;
        tokio::time::sleep(LONGER).await;
        self.talk("for long").await
    }

    /// When it is back: everything is in it, once, and the host is told so.
    async fn ensure_caught_up(&mut self, url: &str) -> Result<()> {
        let notice = self
            .marthe
            .chat
            .wait_long_for("word that the database is back", CAUGHT_UP_WITHIN, |event| {
                is(event, "notice") && event["code"] == "storageBack"
            })
            .await?;
        self.talk("after").await?;
        ensure!(notice["dropped"] == 0, "{notice}");
        // Some of the first ones may have been on their way when the database went.
        let away = 12;
        let kept = notice["kept"].as_u64().context("kept")?;
        ensure!(kept >= away, "{kept} kept of {away} said meanwhile");
        let (room, said) = (self.party.slug().to_owned(), self.said.clone());
        wait_for(
            "all that was said, in the database",
            Duration::from_secs(5),
            async || {
                let ids = message_ids(url, &room).await.ok()?;
                (ids == said).then_some(())
            },
        )
        .await
        .with_context(|| format!("said {said:?}"))
    }
}

#[tokio::test]
async fn a_locked_sqlite_database_stops_nobody_and_gets_it_all_in_the_end() -> Result<()> {
    let mut scene = Scene::start(Origin::start().await?).await?;
    let file = scene.party.origin.database_file();
    let lock = SqliteLock::take(&file).await?;
    scene.talk_through_it().await?;
    lock.release().await?;
    scene.ensure_caught_up(&format!("sqlite://{}", file.display())).await
}

#[tokio::test]
async fn a_killed_postgresql_stops_nobody_and_gets_it_all_in_the_end() -> Result<()> {
    let postgres = Postgres::start()?;
    let url = postgres.url();
    let mut scene = Scene::start(Origin::start_with(&["--database-url", &url]).await?).await?;
    postgres.kill()?;
    scene.talk_through_it().await?;
    postgres.start_again()?;
    scene.ensure_caught_up(&url).await
}
