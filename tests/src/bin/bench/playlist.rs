//! Our linter over what a player sees of a live stream for five minutes: violations of the playlist rules, which are to be none.

use std::time::Duration;

use anyhow::Result;
use e2e::{
    api::Viewer,
    daemon::{Origin, Relay},
    lint,
    process::wait_for,
    publisher::{self, Settings},
};
use serde_json::json;

use crate::results::{Results, say};

const MEASURE: Duration = Duration::from_secs(300);

pub(crate) async fn run(results: &mut Results) -> Result<()> {
    let usual = Settings::default();
    let streams = [
        ("audio and video", usual),
        ("audio only", Settings { video: false, ..usual }),
        ("video only", Settings { audio: false, ..usual }),
        (
            "OBS default key interval",
            Settings {
                key_interval: 250,
                ..usual
            },
        ),
    ];
    say(&format!(
        "playlist rules over four streams at once: {} s",
        MEASURE.as_secs()
    ));
    let origin = Origin::start().await?;
    let relay = Relay::join(&origin, "bench").await?;
    let mut running = Vec::new();
    for (number, (name, settings)) in streams.into_iter().enumerate() {
        let room = origin.admin.create_room(&format!("bench-{number}")).await?;
        let invite = origin.admin.invite(&room.slug, json!({})).await?;
        let folder = tempfile::tempdir()?;
        let publisher = publisher::test_picture(&origin.publish_url(&room), settings, folder.path())?;
        wait_for("the live flag", Duration::from_secs(30), async || {
            origin.admin.is_live(&room.slug).await.then_some(())
        })
        .await?;
        let viewer = Viewer::join(&relay.url, &room.slug, "Ann", Some(&invite.token)).await?;
        running.push((
            name,
            tokio::spawn(async move { lint::follow(&viewer, MEASURE).await }),
            publisher,
            folder,
        ));
    }
    for (name, task, _publisher, _folder) in running {
        let report = task.await??;
        for violation in &report.violations {
            say(&format!("  {name}: {violation}"));
        }
        results.add(
            &format!("playlist rule violations, {name}"),
            "count",
            report.violations.len() as f64,
            report.playlists,
        );
    }
    Ok(())
}
