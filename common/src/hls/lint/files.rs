//! What can be said of media files, by what playlists said of them.

use std::{collections::HashMap, time::Duration};

use crate::{
    hls::lint::{
        MediaFacts,
        playlist::{ListedSegment, MediaPlaylist},
        resolve,
        rule::{Findings, Rule},
        text_rules::TIME_TOLERANCE,
    },
    time::Monotonic,
};

/// All files that were listed or fetched, by address without query.
#[derive(Debug, Default)]
pub(super) struct Files {
    listed: HashMap<String, Listed>,
    digests: HashMap<String, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Listed {
    last: Monotonic,
    /// How long it has to stay after it left the list.
    kept: Duration,
    /// Microseconds; `None` for an init segment.
    duration: Option<u64>,
    is_independent: Option<bool>,
}

impl Files {
    /// Notes what a text lists. `longest` is the duration of the playlist's longest text.
    pub(super) fn list<'a>(
        &mut self,
        playlist: &MediaPlaylist,
        segments: impl Iterator<Item = &'a ListedSegment>,
        url: &str,
        at: Monotonic,
        longest: u64,
    ) {
        let parts_kept = Duration::from_micros(playlist.target_duration.unwrap_or(0) * 3);
        for segment in segments {
            if let Some(map) = segment.map.as_ref().filter(|_| !segment.is_gap) {
                let listed = Listed {
                    last: at,
                    kept: Duration::ZERO,
                    duration: None,
                    is_independent: None,
                };
                self.listed.insert(resolve(url, map), listed);
            }
            for part in segment.parts.iter().filter(|part| !part.is_gap) {
                let listed = Listed {
                    last: at,
                    kept: parts_kept,
                    duration: Some(part.duration),
                    is_independent: Some(part.is_independent),
                };
                self.listed.insert(resolve(url, &part.uri), listed);
            }
            if let Some((duration, uri)) = segment.complete.as_ref().filter(|_| !segment.is_gap) {
                let kept = Duration::from_micros(duration.saturating_add(longest));
                let is_independent = playlist.claims_independent_segments.then_some(true);
                let listed = Listed {
                    last: at,
                    kept,
                    duration: Some(*duration),
                    is_independent,
                };
                self.listed.insert(resolve(url, uri), listed);
            }
        }
    }

    pub(super) fn see(&mut self, url: &str, facts: &MediaFacts<'_>, findings: &mut Findings) {
        let listed = self.listed.get(url).copied();
        if !matches!(facts.status, 200 | 206) {
            let is_due = listed.is_some_and(|listed| facts.at <= listed.last + listed.kept);
            findings.check(!is_due, Rule::MediaMissing, || format!("status {}", facts.status));
            return;
        }
        if let Some(digest) = facts.digest {
            let before = *self.digests.entry(url.to_owned()).or_insert(digest);
            findings.check(before == digest, Rule::MediaChanged, || {
                "other bytes than before".to_owned()
            });
        }
        let Some(listed) = listed else { return };
        if let (Some(said), Some(is)) = (listed.duration, facts.duration) {
            let is = u64::try_from(is.as_micros()).unwrap_or(u64::MAX);
            findings.check(said.abs_diff(is) <= TIME_TOLERANCE, Rule::MediaDuration, || {
                format!("{is} us, the playlist says {said} us")
            });
        }
        if let (Some(said), Some(is)) = (listed.is_independent, facts.starts_independent) {
            findings.check(said == is, Rule::Independence, || {
                format!("starts independent: {is}, the playlist says {said}")
            });
        }
    }
}
