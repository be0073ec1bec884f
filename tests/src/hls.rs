//! Finding the resources of a live room the way a player does.

use anyhow::{Context, Result};

use crate::api::Viewer;

/// One resource of each kind, as paths below `/live/{room}/`.
#[derive(Clone, Debug)]
pub struct Resources {
    pub multivariant: String,
    pub playlist: String,
    pub init: String,
    pub segment: String,
    pub part: String,
}

impl Resources {
    /// Of the video rendition, as listed now.
    pub async fn find(viewer: &Viewer) -> Result<Self> {
        let multivariant = "index.m3u8".to_owned();
        let text = viewer.text(&multivariant).await?;
        let playlist = variant(&text).context("a variant")?.to_owned();
        let folder = playlist.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        // A segment is whole once the second one is begun.
        loop {
            let text = viewer.text(&playlist).await?;
            let segment = text
                .lines()
                .rfind(|line| line.ends_with(".m4s") && !line.starts_with('#'));
            let part = text
                .lines()
                .rfind(|line| line.starts_with("#EXT-X-PART:"))
                .and_then(uri);
            let init = text.lines().find(|line| line.starts_with("#EXT-X-MAP:")).and_then(uri);
            if let (Some(segment), Some(part), Some(init)) = (segment, part, init) {
                let below = |file: &str| format!("{folder}/{file}");
                return Ok(Self {
                    multivariant,
                    init: below(init),
                    segment: below(segment),
                    part: below(part),
                    playlist,
                });
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    }

    pub fn all(&self) -> [&str; 5] {
        [
            &self.multivariant,
            &self.playlist,
            &self.init,
            &self.segment,
            &self.part,
        ]
    }

    /// The ones whose bytes never change.
    pub fn immutable(&self) -> [&str; 3] {
        [&self.init, &self.segment, &self.part]
    }

    /// As [`next_playlist`], of this playlist.
    pub async fn next_playlist(&self, viewer: &Viewer) -> Result<String> {
        next_playlist(viewer, &self.playlist).await
    }
}

/// A blocking reload for the part after the newest listed one.
pub async fn next_playlist(viewer: &Viewer, playlist: &str) -> Result<String> {
    let text = viewer.text(playlist).await?;
    hinted(&text, playlist).context("a hint")
}

/// The blocking reload that asks for the hinted part of a playlist's text.
pub fn hinted(text: &str, playlist: &str) -> Option<String> {
    let hint = text
        .lines()
        .find(|line| line.starts_with("#EXT-X-PRELOAD-HINT:"))
        .and_then(uri)?;
    let (msn, part) = part_numbers(hint)?;
    Some(format!("{playlist}?_HLS_msn={msn}&_HLS_part={part}"))
}

/// URI of the first variant of a multivariant playlist.
pub fn variant(text: &str) -> Option<&str> {
    text.lines().find(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Value of a tag's URI attribute.
pub fn uri(line: &str) -> Option<&str> {
    line.split_once("URI=\"")?.1.split_once('"').map(|(uri, _)| uri)
}

/// Media sequence and part number out of a part's name, as in `v-8.1.m4s`.
fn part_numbers(name: &str) -> Option<(u64, u32)> {
    let (_, numbers) = name.strip_suffix(".m4s")?.rsplit_once('-')?;
    let (msn, part) = numbers.split_once('.')?;
    Some((msn.parse().ok()?, part.parse().ok()?))
}

/// Whether a line announces a part that can be had: those of GAP segments cannot.
pub fn is_part(line: &str) -> bool {
    line.starts_with("#EXT-X-PART:") && !line.contains(",GAP=YES")
}
