//! A media playlist as a client reads it.

use crate::{
    hls::lint::{
        line::{Attributes, Line, date_time, integer, lines, micros},
        rule::{Findings, Rule},
    },
    time::UnixMillis,
};

/// Microseconds everywhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct MediaPlaylist {
    pub(super) version: Option<u64>,
    pub(super) target_duration: Option<u64>,
    pub(super) part_target: Option<u64>,
    pub(super) server_control: Option<ServerControl>,
    pub(super) media_sequence: u64,
    pub(super) discontinuity_sequence: Option<u64>,
    pub(super) claims_independent_segments: bool,
    pub(super) skipped: Option<u64>,
    /// After the skipped ones. The last one has no URI while it is open.
    pub(super) segments: Vec<ListedSegment>,
    pub(super) part_hints: Vec<String>,
    pub(super) reports: Vec<Report>,
    pub(super) is_ended: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ServerControl {
    pub(super) can_block_reload: bool,
    pub(super) hold_back: Option<u64>,
    pub(super) part_hold_back: Option<u64>,
    pub(super) can_skip_until: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ListedSegment {
    pub(super) msn: u64,
    /// With all DISCONTINUITY tags up to it and the header's number.
    pub(super) discontinuity_number: u64,
    pub(super) has_discontinuity_tag: bool,
    /// URI of its init segment; `None` if none stands before it in this text.
    pub(super) map: Option<String>,
    pub(super) program_date_time: Option<UnixMillis>,
    pub(super) parts: Vec<ListedPart>,
    pub(super) is_gap: bool,
    /// Duration and URI, once it is complete.
    pub(super) complete: Option<(u64, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ListedPart {
    pub(super) uri: String,
    pub(super) duration: u64,
    pub(super) is_independent: bool,
    pub(super) is_gap: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    pub(super) uri: String,
    pub(super) last_msn: u64,
    pub(super) last_part: Option<u64>,
}

impl ListedSegment {
    /// Of all that is listed of it.
    pub(super) fn duration(&self) -> u64 {
        match &self.complete {
            Some((duration, _)) => *duration,
            None => self.parts.iter().map(|part| part.duration).sum(),
        }
    }
}

impl MediaPlaylist {
    /// Number of the first segment that is in the text.
    pub(super) fn first_shown_msn(&self) -> u64 {
        self.media_sequence.saturating_add(self.skipped.unwrap_or(0))
    }

    /// Newest listed part.
    pub(super) fn newest_part(&self) -> Option<(u64, u64)> {
        let newest = self.segments.last()?;
        (newest.parts.len() as u64)
            .checked_sub(1)
            .map(|part| (newest.msn, part))
    }

    /// Place of the part that comes after all that is listed.
    pub(super) fn next_part(&self) -> (u64, u64) {
        match self.segments.last() {
            None => (self.first_shown_msn(), 0),
            Some(newest) if newest.complete.is_some() => (newest.msn.saturating_add(1), 0),
            Some(newest) => (newest.msn, newest.parts.len() as u64),
        }
    }
}

/// Reads a text; what cannot be read is noted and passed over.
pub(super) fn parse(text: &str, findings: &mut Findings) -> MediaPlaylist {
    let mut parser = Parser {
        playlist: MediaPlaylist::default(),
        segment: ListedSegment::default(),
        once: Vec::new(),
        findings,
    };
    parser.findings.check(text.starts_with("#EXTM3U\n"), Rule::Syntax, || {
        "the first line is not #EXTM3U".to_owned()
    });
    for line in lines(text) {
        match line {
            Line::Tag { name, value } => {
                if parser.tag(name, value).is_none() {
                    parser
                        .findings
                        .add(Rule::Syntax, format!("#{name}:{value} cannot be read"));
                }
            }
            Line::Uri(uri) => parser.uri(uri),
        }
    }
    parser.finish()
}

struct Parser<'f> {
    playlist: MediaPlaylist,
    /// The one whose tags are being read.
    segment: ListedSegment,
    /// Header tags that were there.
    once: Vec<String>,
    findings: &'f mut Findings,
}

impl Parser<'_> {
    /// `None`: the value cannot be read.
    fn tag(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "EXTINF" => {
                let (duration, _title) = value.split_once(',')?;
                self.segment.complete = Some((micros(duration)?, String::new()));
            }
            "EXT-X-PART" => self.part(value)?,
            "EXT-X-MAP" => {
                self.segment.map = Some(Attributes::parse(value)?.quoted("URI")?.to_owned());
            }
            "EXT-X-PROGRAM-DATE-TIME" => self.segment.program_date_time = Some(date_time(value)?),
            "EXT-X-DISCONTINUITY" => self.segment.has_discontinuity_tag = true,
            "EXT-X-GAP" => self.segment.is_gap = true,
            "EXT-X-PRELOAD-HINT" => {
                let attributes = Attributes::parse(value)?;
                let uri = attributes.quoted("URI")?.to_owned();
                match attributes.bare("TYPE")? {
                    "PART" => self.playlist.part_hints.push(uri),
                    "MAP" => {}
                    _ => return None,
                }
            }
            "EXT-X-RENDITION-REPORT" => {
                let attributes = Attributes::parse(value)?;
                self.playlist.reports.push(Report {
                    uri: attributes.quoted("URI")?.to_owned(),
                    last_msn: attributes.integer("LAST-MSN")?,
                    last_part: attributes.integer("LAST-PART"),
                });
            }
            _ => self.header_tag(name, value)?,
        }
        // The tags of a segment stand before its first part, not only before its EXTINF.
        let is_late = matches!(name, "EXT-X-MAP" | "EXT-X-PROGRAM-DATE-TIME" | "EXT-X-DISCONTINUITY");
        if is_late && !self.segment.parts.is_empty() {
            self.findings
                .add(Rule::Syntax, format!("{name} behind a part of its segment"));
        }
        Some(())
    }

    fn header_tag(&mut self, name: &str, value: &str) -> Option<()> {
        let playlist = &mut self.playlist;
        match name {
            "EXTM3U" => {}
            "EXT-X-VERSION" => playlist.version = Some(integer(value)?),
            "EXT-X-TARGETDURATION" => playlist.target_duration = Some(integer(value)?.checked_mul(1_000_000)?),
            "EXT-X-MEDIA-SEQUENCE" => playlist.media_sequence = integer(value)?,
            "EXT-X-DISCONTINUITY-SEQUENCE" => playlist.discontinuity_sequence = Some(integer(value)?),
            "EXT-X-INDEPENDENT-SEGMENTS" => playlist.claims_independent_segments = true,
            "EXT-X-ENDLIST" => playlist.is_ended = true,
            "EXT-X-PART-INF" => playlist.part_target = Some(Attributes::parse(value)?.micros("PART-TARGET")?),
            "EXT-X-SKIP" => playlist.skipped = Some(Attributes::parse(value)?.integer("SKIPPED-SEGMENTS")?),
            "EXT-X-SERVER-CONTROL" => {
                let attributes = Attributes::parse(value)?;
                playlist.server_control = Some(ServerControl {
                    can_block_reload: attributes.is_yes("CAN-BLOCK-RELOAD"),
                    hold_back: attributes.micros("HOLD-BACK"),
                    part_hold_back: attributes.micros("PART-HOLD-BACK"),
                    can_skip_until: attributes.micros("CAN-SKIP-UNTIL"),
                });
            }
            // Tags that we do not know are to be passed over (bis 6.3.1).
            _ => return Some(()),
        }
        if self.once.iter().any(|seen| seen == name) {
            self.findings.add(Rule::Syntax, format!("{name} stands twice"));
        }
        self.once.push(name.to_owned());
        Some(())
    }

    fn part(&mut self, value: &str) -> Option<()> {
        let attributes = Attributes::parse(value)?;
        self.segment.parts.push(ListedPart {
            uri: attributes.quoted("URI")?.to_owned(),
            duration: attributes.micros("DURATION")?,
            is_independent: attributes.is_yes("INDEPENDENT"),
            is_gap: attributes.is_yes("GAP"),
        });
        Some(())
    }

    fn uri(&mut self, uri: &str) {
        match &mut self.segment.complete {
            Some((_, slot)) => uri.clone_into(slot),
            None => self.findings.add(Rule::Syntax, format!("{uri} has no EXTINF")),
        }
        self.close_segment();
    }

    fn close_segment(&mut self) {
        let mut segment = std::mem::take(&mut self.segment);
        let before = self.playlist.segments.last();
        segment.msn = before.map_or_else(
            || self.playlist.first_shown_msn(),
            |before| before.msn.saturating_add(1),
        );
        let marks_before = before.map(|before| before.discontinuity_number);
        // Numbers of what a delta update leaves out are not known here: `super::history` adds them.
        segment.discontinuity_number = marks_before
            .or(self.playlist.discontinuity_sequence)
            .unwrap_or(0)
            .saturating_add(u64::from(segment.has_discontinuity_tag));
        self.segment.map.clone_from(&segment.map);
        self.playlist.segments.push(segment);
    }

    fn finish(mut self) -> MediaPlaylist {
        if !self.segment.parts.is_empty() {
            self.close_segment();
        }
        self.playlist
    }
}
