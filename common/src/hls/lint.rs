//! A linter for playlists as a client sees them over time. It shares no code with the renderer: it reads texts by the letter.
//!
//! Feed it each answer in the order in which they came, from one server, never with two requests of one playlist under way at a
//! time. Each violation names its rule and where that is written. What it cannot judge: whether a playlist is late because the
//! publisher is away, and headers of the answers.

mod files;
mod history;
mod line;
mod multivariant;
mod playlist;
mod rule;
mod text_rules;

use std::{collections::BTreeMap, fmt, time::Duration};

pub use rule::Rule;

use crate::time::Monotonic;
use files::Files;
use history::History;
use line::integer;
use multivariant::{Multivariant, is_multivariant};
use playlist::MediaPlaylist;
use rule::Findings;

/// Beyond the three target durations in which a blocked request is to be answered: network and scheduling of the client.
const BLOCK_SLACK: Duration = Duration::from_secs(1);
/// How many answers of a playlist are remembered to judge reports on it.
const REMEMBERED_ANSWERS: usize = 1024;

/// A playlist as it was answered with status 200.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub asked_at: Monotonic,
    pub answered_at: Monotonic,
    /// With its query.
    pub url: &'a str,
    pub text: &'a str,
}

/// A fetched init segment, segment or part. What was not looked at is `None`.
#[derive(Clone, Copy, Debug)]
pub struct MediaFacts<'a> {
    pub at: Monotonic,
    pub url: &'a str,
    /// HTTP status.
    pub status: u16,
    /// Any digest of the body.
    pub digest: Option<u64>,
    /// Sum of its samples' durations.
    pub duration: Option<Duration>,
    /// Its first sample is a sync sample.
    pub starts_independent: Option<bool>,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub at: Monotonic,
    /// Without its query, which may hold a token.
    pub url: String,
    pub rule: Rule,
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.3} s {}: {}: {}",
            self.at.0.as_secs_f64(),
            self.url,
            self.rule,
            self.detail
        )
    }
}

/// All that was seen.
#[derive(Debug, Default)]
pub struct Linter {
    /// By address without query.
    playlists: BTreeMap<String, Track>,
    multivariants: BTreeMap<String, Multivariant>,
    files: Files,
}

/// One media playlist.
#[derive(Debug, Default)]
struct Track {
    history: History,
    last: Option<MediaPlaylist>,
    /// When an answer came, and the newest part in it.
    answers: Vec<(Monotonic, (u64, u64))>,
    /// Newest part that another playlist reported of this one, and when.
    reported: Option<(Monotonic, (u64, u64))>,
}

impl Linter {
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges a playlist of either kind.
    pub fn playlist(&mut self, seen: &Seen<'_>) -> Vec<Violation> {
        let url = without_query(seen.url);
        let mut findings = Findings::default();
        if is_multivariant(seen.text) {
            self.multivariants
                .entry(url.to_owned())
                .or_default()
                .see(seen.text, &mut findings);
        } else {
            self.media_playlist(seen, url, &mut findings);
        }
        violations(findings, seen.answered_at, url)
    }

    /// Judges a fetched file.
    pub fn media(&mut self, facts: &MediaFacts<'_>) -> Vec<Violation> {
        let url = without_query(facts.url);
        let mut findings = Findings::default();
        self.files.see(url, facts, &mut findings);
        violations(findings, facts.at, url)
    }

    fn media_playlist(&mut self, seen: &Seen<'_>, url: &str, findings: &mut Findings) {
        let asked = Asked::read(seen.url);
        let mut playlist = playlist::parse(seen.text, findings);
        text_rules::check(seen.text, &playlist, findings);
        let track = self.playlists.entry(url.to_owned()).or_default();
        track.history.see(seen.text, &mut playlist, asked.skip, findings);
        check_blocked(&asked, seen, &playlist, findings);
        let newest = playlist.newest_part();
        if let Some(newest) = newest {
            if track.answers.len() == REMEMBERED_ANSWERS {
                track.answers.remove(0);
            }
            track.answers.push((seen.answered_at, newest));
        }
        if let (Some((at, reported)), Some(newest)) = (track.reported, newest) {
            findings.check(at > seen.asked_at || reported <= newest, Rule::RenditionReport, || {
                format!("{reported:?} was reported before it was there: {newest:?}")
            });
        }
        let segments = playlist.segments.iter().chain(track.history.left_out(&playlist));
        self.files
            .list(&playlist, segments, url, seen.answered_at, track.history.longest);
        self.check_siblings(seen, url, &playlist, findings);
        if let Some(track) = self.playlists.get_mut(url) {
            track.last = Some(playlist);
        }
    }

    /// Playlists in the same folder are renditions of the same stream. They report on each other if their media is in one folder too: a rung
    /// of a ladder is made, and followed by relays, apart from the source.
    fn check_siblings(&mut self, seen: &Seen<'_>, url: &str, playlist: &MediaPlaylist, findings: &mut Findings) {
        let folder = folder(url);
        let siblings = self.playlists.iter_mut();
        for (sibling_url, sibling) in siblings.filter(|(other, _)| *other != url && self::folder(other) == folder) {
            check_alignment(playlist, sibling, findings);
            let apart = |other: &MediaPlaylist| media_folder(sibling_url, other) != media_folder(url, playlist);
            if sibling.last.as_ref().is_some_and(apart) {
                continue;
            }
            let report = playlist
                .reports
                .iter()
                .find(|report| resolve(url, &report.uri) == *sibling_url);
            if let Some((msn, Some(part))) = report.map(|report| (report.last_msn, report.last_part)) {
                sibling.reported = sibling.reported.max(Some((seen.answered_at, (msn, part))));
            }
            let known = sibling
                .answers
                .iter()
                .rev()
                .find(|&&(at, _)| at <= seen.asked_at)
                .map(|&(_, newest)| newest);
            let Some(known) = known.filter(|_| !playlist.is_ended) else {
                continue;
            };
            let Some(report) = report else {
                findings.add(Rule::RenditionReport, format!("none on {sibling_url}"));
                continue;
            };
            let reported = (report.last_msn, report.last_part.unwrap_or(u64::MAX));
            findings.check(reported >= known, Rule::RenditionReport, || {
                format!("{reported:?} is older than {known:?}, which {sibling_url} had listed")
            });
        }
    }
}

fn check_alignment(playlist: &MediaPlaylist, sibling: &Track, findings: &mut Findings) {
    if let Some(other) = &sibling.last {
        findings.check(
            playlist.target_duration == other.target_duration,
            Rule::Alignment,
            || "renditions have different target durations".to_owned(),
        );
    }
    let apart_at_most = playlist.part_target.unwrap_or(0);
    for segment in &playlist.segments {
        let Some(other) = sibling.history.segment(segment.msn) else {
            continue;
        };
        let msn = segment.msn;
        let (here, there) = (segment.discontinuity_number, other.discontinuity_number);
        findings.check(here == there, Rule::Discontinuity, || {
            format!("segment {msn} is behind {here} discontinuities, in another rendition behind {there}")
        });
        let (Some(here), Some(there)) = (segment.program_date_time, other.program_date_time) else {
            continue;
        };
        let apart = here.0.abs_diff(there.0) * 1000;
        findings.check(apart <= apart_at_most, Rule::Alignment, || {
            format!("segment {msn} begins {apart} us from where it does in another rendition")
        });
    }
}

fn check_blocked(asked: &Asked, seen: &Seen<'_>, playlist: &MediaPlaylist, findings: &mut Findings) {
    let Some(msn) = asked.msn else { return };
    let limit = Duration::from_micros(playlist.target_duration.unwrap_or(0) * 3) + BLOCK_SLACK;
    let held = seen.answered_at.since(seen.asked_at);
    findings.check(held <= limit, Rule::BlockedResponse, || format!("held for {held:?}"));
    if playlist.is_ended {
        return;
    }
    let next = playlist.next_part();
    let needed = match asked.part {
        None => (msn.saturating_add(1), 0),
        Some(part) => {
            let segment = playlist
                .segments
                .iter()
                .find(|segment| segment.msn == msn && segment.complete.is_some());
            let is_past_end =
                segment.is_some_and(|segment| !segment.parts.is_empty() && part >= segment.parts.len() as u64);
            // Past a segment's last part stands for the next one's first.
            if is_past_end {
                (msn.saturating_add(1), 1)
            } else {
                (msn, part.saturating_add(1))
            }
        }
    };
    findings.check(next >= needed, Rule::BlockedResponse, || {
        format!("asked for {msn}.{:?}, the playlist ends before {next:?}", asked.part)
    });
}

/// What a request's query asked for.
#[derive(Debug, Default)]
struct Asked {
    msn: Option<u64>,
    part: Option<u64>,
    skip: bool,
}

impl Asked {
    fn read(url: &str) -> Self {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let value = |name: &str| {
            let mut values = query.split('&').filter_map(|parameter| parameter.split_once('='));
            values.find(|&(other, _)| other == name).map(|(_, value)| value)
        };
        Self {
            msn: value("_HLS_msn").and_then(integer),
            part: value("_HLS_part").and_then(integer),
            skip: value("_HLS_skip").is_some(),
        }
    }
}

fn violations(findings: Findings, at: Monotonic, url: &str) -> Vec<Violation> {
    let violation = |(rule, detail)| Violation {
        at,
        url: url.to_owned(),
        rule,
        detail,
    };
    findings.0.into_iter().map(violation).collect()
}

fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// The folder of a playlist's media.
fn media_folder(url: &str, playlist: &MediaPlaylist) -> Option<String> {
    let with_media = playlist.segments.iter().filter(|segment| !segment.is_gap);
    let mut files = with_media.filter_map(|segment| {
        let part = segment.parts.iter().find(|part| !part.is_gap).map(|part| &part.uri);
        part.or(segment.complete.as_ref().map(|(_, uri)| uri))
    });
    files.next().map(|file| folder(&resolve(url, file)).to_owned())
}

fn folder(url: &str) -> &str {
    let url = without_query(url);
    url.rfind('/').map_or("", |slash| &url[..=slash])
}

/// The address of `uri` in a playlist at `base`. Both queries are left out.
pub fn resolve(base: &str, uri: &str) -> String {
    let uri = without_query(uri);
    if uri.contains("://") {
        return uri.to_owned();
    }
    if uri.starts_with('/') {
        let after_scheme = base.find("://").map_or(0, |scheme| scheme + 3);
        let authority_end = base[after_scheme..]
            .find('/')
            .map_or(base.len(), |slash| after_scheme + slash);
        return format!("{}{uri}", &base[..authority_end]);
    }
    let mut folder = folder(base);
    let mut uri = uri;
    // Up one folder for each.
    while let Some(rest) = uri.strip_prefix("../") {
        uri = rest;
        folder = folder.strip_suffix('/').map_or("", self::folder);
    }
    format!("{folder}{uri}")
}

#[cfg(test)]
#[path = "lint_tests.rs"]
mod tests;
