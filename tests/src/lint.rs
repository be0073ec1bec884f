//! Our playlist linter at the end of a real wire: follows a room as a player does, and feeds it every answer.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use common::{
    cmaf::inspect,
    hls::lint::{Linter, MediaFacts, Seen, Violation},
    time::Monotonic,
};

use crate::{api::Viewer, hls};

/// Every so many reloads the whole playlist is asked for without directives, and every so many as a delta.
const PLAIN_EVERY: usize = 10;
const DELTA_EVERY: usize = 7;

/// What was looked at, and what was wrong with it.
#[derive(Debug, Default)]
pub struct Report {
    pub playlists: usize,
    pub parts: usize,
    pub violations: Vec<Violation>,
}

/// Follows all renditions of the viewer's room for `span`.
pub async fn follow(viewer: &Viewer, span: Duration) -> Result<Report> {
    let watch = Arc::new(Watch {
        start: Instant::now(),
        state: Mutex::default(),
    });
    let multivariant = watch.playlist(viewer, "index.m3u8").await?;
    let mut playlists: Vec<&str> = multivariant
        .lines()
        .filter(|line| line.starts_with("#EXT-X-MEDIA:"))
        .filter_map(hls::uri)
        .collect();
    playlists.extend(hls::variant(&multivariant));
    playlists.dedup();
    let followed = playlists
        .into_iter()
        .map(|playlist| rendition(Arc::clone(&watch), viewer, playlist, span));
    futures::future::try_join_all(followed).await?;
    let mut state = watch.state.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut state.report))
}

struct Watch {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    linter: Linter,
    report: Report,
}

impl Watch {
    fn now(&self) -> Monotonic {
        Monotonic(self.start.elapsed())
    }

    async fn playlist(&self, viewer: &Viewer, file: &str) -> Result<String> {
        let asked_at = self.now();
        let text = viewer.text(file).await?;
        let seen = Seen {
            asked_at,
            answered_at: self.now(),
            url: file,
            text: &text,
        };
        self.judge(|state| {
            state.report.playlists += 1;
            state.linter.playlist(&seen)
        });
        Ok(text)
    }

    async fn part(&self, viewer: &Viewer, file: &str, init: &inspect::Init) -> Result<()> {
        let answer = viewer.get(file).await?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await?;
        let mut digest = DefaultHasher::new();
        body.hash(&mut digest);
        let fragments = inspect::read_fragments(&body)?;
        let ticks: u64 = fragments.iter().map(inspect::Fragment::duration).sum();
        let first = fragments.first().and_then(|fragment| fragment.samples.first());
        let facts = MediaFacts {
            at: self.now(),
            url: file,
            status,
            digest: Some(digest.finish()),
            duration: Some(Duration::from_secs_f64(ticks as f64 / f64::from(init.timescale))),
            starts_independent: first.map(inspect::Sample::is_sync),
        };
        self.judge(|state| {
            state.report.parts += 1;
            state.linter.media(&facts)
        });
        Ok(())
    }

    fn judge(&self, look: impl FnOnce(&mut State) -> Vec<Violation>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let found = look(&mut state);
        state.report.violations.extend(found);
    }
}

async fn rendition(watch: Arc<Watch>, viewer: &Viewer, playlist: &str, span: Duration) -> Result<()> {
    let folder = playlist.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut text = watch.playlist(viewer, playlist).await?;
    let map = text
        .lines()
        .find(|line| line.starts_with("#EXT-X-MAP:"))
        .and_then(hls::uri)
        .context("an init segment")?;
    let init = viewer.get(&format!("{folder}/{map}")).await?.bytes().await?;
    let init = inspect::read_init(&init)?;
    let mut newest = String::new();
    for reload in 1.. {
        let parts: Vec<&str> = text
            .lines()
            .filter(|line| hls::is_part(line))
            .filter_map(hls::uri)
            .collect();
        let fresh = parts.iter().rposition(|part| *part == newest).map_or(0, |at| at + 1);
        for part in &parts[fresh..] {
            watch.part(viewer, &format!("{folder}/{part}"), &init).await?;
        }
        if let Some(last) = parts.last() {
            (*last).clone_into(&mut newest);
        }
        if watch.start.elapsed() >= span {
            return Ok(());
        }
        let next = hls::hinted(&text, playlist).with_context(|| format!("a hint in {text}"))?;
        text = if reload % PLAIN_EVERY == 0 {
            watch.playlist(viewer, playlist).await?
        } else if reload % DELTA_EVERY == 0 {
            watch.playlist(viewer, &format!("{next}&_HLS_skip=YES")).await?
        } else {
            watch.playlist(viewer, &next).await?
        };
    }
    Ok(())
}
