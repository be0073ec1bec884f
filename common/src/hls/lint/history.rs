//! What can be said of a media playlist's texts one after the other.

use std::collections::BTreeMap;

use crate::{
    hls::lint::{
        playlist::{ListedSegment, MediaPlaylist, ServerControl},
        rule::{Findings, Rule},
        text_rules::{TIME_TOLERANCE, total_duration},
    },
    time::UnixMillis,
};

/// Rounding of durations that are added up over a playlist.
const SUM_TOLERANCE: u64 = 50_000;

/// The last place of a duration with five decimals.
const DURATION_ROUNDING: u64 = 10;

/// All that a media playlist ever said.
#[derive(Debug, Default)]
pub(super) struct History {
    header: Option<Header>,
    known: BTreeMap<u64, Known>,
    media_sequence: u64,
    next_part: (u64, u64),
    hint: Option<((u64, u64), String)>,
    ended_as: Option<String>,
    /// Duration of the longest text.
    pub(super) longest: u64,
}

#[derive(Debug, PartialEq)]
struct Header {
    target_duration: Option<u64>,
    part_target: Option<u64>,
    server_control: Option<ServerControl>,
}

#[derive(Debug)]
struct Known {
    /// With the parts it had while they were listed.
    segment: ListedSegment,
    are_parts_gone: bool,
    run: Run,
}

/// The segments from a break, or from the first one seen, on.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    started_at: Option<UnixMillis>,
    /// Duration of those before this one, and their number.
    duration: u64,
    segments: u64,
}

impl History {
    /// A segment as it was last said to be.
    pub(super) fn segment(&self, msn: u64) -> Option<&ListedSegment> {
        self.known.get(&msn).map(|known| &known.segment)
    }

    /// Compares a text with all before it. Adds to `playlist` what a delta update leaves to the earlier texts.
    pub(super) fn see(&mut self, text: &str, playlist: &mut MediaPlaylist, wants_skip: bool, findings: &mut Findings) {
        if let Some(ended_as) = &self.ended_as {
            findings.check(ended_as == text, Rule::EndList, || {
                "the text changed after ENDLIST".to_owned()
            });
            return;
        }
        self.check_header(playlist, findings);
        self.complete_delta(playlist);
        self.check_delta(playlist, wants_skip, findings);
        self.check_direction(playlist, findings);
        self.check_hint(playlist, findings);
        let mut to_end = total_duration(playlist);
        let parts_listed_for = playlist.target_duration.unwrap_or(0) * 3;
        for segment in &playlist.segments {
            let is_near_end = to_end + SUM_TOLERANCE < parts_listed_for;
            to_end = to_end.saturating_sub(segment.duration());
            match self.known.get_mut(&segment.msn) {
                Some(known) => known.see(segment, is_near_end, findings),
                None => {
                    let run = self.run_of(segment, findings);
                    let known = Known {
                        segment: segment.clone(),
                        are_parts_gone: false,
                        run,
                    };
                    self.known.insert(segment.msn, known);
                }
            }
        }
        self.check_removal(playlist, findings);
        self.media_sequence = self.media_sequence.max(playlist.media_sequence);
        self.next_part = self.next_part.max(playlist.next_part());
        self.hint = playlist
            .part_hints
            .first()
            .map(|uri| (playlist.next_part(), uri.clone()));
        self.longest = self.longest.max(self.duration_since(playlist.media_sequence));
        if playlist.is_ended {
            self.ended_as = Some(text.to_owned());
        }
    }

    fn check_header(&mut self, playlist: &MediaPlaylist, findings: &mut Findings) {
        let header = Header {
            target_duration: playlist.target_duration,
            part_target: playlist.part_target,
            server_control: playlist.server_control.clone(),
        };
        if let Some(before) = &self.header {
            let mut same = |same: bool, rule| findings.check(same, rule, || format!("was {before:?}, is {header:?}"));
            same(before.target_duration == header.target_duration, Rule::TargetDuration);
            same(before.part_target == header.part_target, Rule::PartTarget);
            same(before.server_control == header.server_control, Rule::ServerControl);
        }
        self.header = Some(header);
    }

    /// Discontinuity numbers and init segment, which are counted from tags that are left out.
    fn complete_delta(&self, playlist: &mut MediaPlaylist) {
        if playlist.skipped.is_none() {
            return;
        }
        let before = playlist
            .first_shown_msn()
            .checked_sub(1)
            .and_then(|msn| self.segment(msn));
        let Some(before) = before else { return };
        let counted_from = playlist.discontinuity_sequence.unwrap_or(0);
        for segment in &mut playlist.segments {
            let marks_shown = segment.discontinuity_number.saturating_sub(counted_from);
            segment.discontinuity_number = before.discontinuity_number.saturating_add(marks_shown);
            if segment.map.is_none() {
                segment.map.clone_from(&before.map);
            }
        }
    }

    fn check_delta(&self, playlist: &MediaPlaylist, wants_skip: bool, findings: &mut Findings) {
        let Some(skipped) = playlist.skipped else { return };
        findings.check(wants_skip, Rule::DeltaUpdate, || "nobody asked for it".to_owned());
        findings.check(skipped > 0, Rule::DeltaUpdate, || "it leaves out nothing".to_owned());
        findings.check(!playlist.is_ended, Rule::DeltaUpdate, || {
            "of an ended playlist".to_owned()
        });
        let left_out = playlist.media_sequence..playlist.first_shown_msn();
        let unknown = left_out.clone().find(|msn| !self.known.contains_key(msn));
        findings.check(unknown.is_none(), Rule::DeltaUpdate, || {
            format!("segment {unknown:?} was never shown")
        });
        let boundary = playlist
            .server_control
            .as_ref()
            .and_then(|control| control.can_skip_until);
        let shown = total_duration(playlist) + SUM_TOLERANCE;
        findings.check(
            boundary.is_some_and(|boundary| shown >= boundary),
            Rule::DeltaUpdate,
            || format!("{shown} us are shown, the skip boundary is {boundary:?}"),
        );
    }

    fn check_direction(&self, playlist: &MediaPlaylist, findings: &mut Findings) {
        let (before, now) = (self.media_sequence, playlist.media_sequence);
        findings.check(now >= before, Rule::Removal, || {
            format!("EXT-X-MEDIA-SEQUENCE went from {before} to {now}")
        });
        let (before, now) = (self.next_part, playlist.next_part());
        findings.check(now >= before, Rule::Removal, || {
            format!("the end went from {before:?} to {now:?}")
        });
    }

    fn check_hint(&self, playlist: &MediaPlaylist, findings: &mut Findings) {
        let Some(((msn, part), hinted)) = &self.hint else {
            return;
        };
        let segment = playlist.segments.iter().find(|segment| segment.msn == *msn);
        let index = usize::try_from(*part).unwrap_or(usize::MAX);
        // A segment that ended before the hinted part makes the hint void.
        let Some(came) = segment.and_then(|segment| segment.parts.get(index)) else {
            return;
        };
        findings.check(came.uri == *hinted, Rule::PreloadHint, || {
            format!("hinted {hinted}, came {}", came.uri)
        });
    }

    /// Errors that are too small between two neighbours must not add up.
    fn run_of(&self, segment: &ListedSegment, findings: &mut Findings) -> Run {
        let starts_anew = Run {
            started_at: segment.program_date_time,
            ..Run::default()
        };
        let before = segment.msn.checked_sub(1).and_then(|msn| self.known.get(&msn));
        let (Some(before), Some(at)) = (before, segment.program_date_time) else {
            return starts_anew;
        };
        let (false, Some(started_at)) = (segment.has_discontinuity_tag, before.run.started_at) else {
            return starts_anew;
        };
        let run = Run {
            started_at: Some(started_at),
            duration: before.run.duration.saturating_add(before.segment.duration()),
            segments: before.run.segments + 1,
        };
        let since_start = at.0.abs_diff(started_at.0) * 1000;
        let tolerance = TIME_TOLERANCE + DURATION_ROUNDING * run.segments;
        findings.check(
            since_start.abs_diff(run.duration) <= tolerance,
            Rule::ProgramDateTime,
            || {
                format!(
                    "segment {} begins {since_start} us after the first of a run of {} us",
                    segment.msn, run.duration
                )
            },
        );
        run
    }

    fn check_removal(&self, playlist: &MediaPlaylist, findings: &mut Findings) {
        let has_removed = playlist.media_sequence > self.media_sequence && self.next_part != (0, 0);
        let left = self.duration_since(playlist.media_sequence) + SUM_TOLERANCE;
        let least = playlist.target_duration.unwrap_or(0) * 3;
        findings.check(!has_removed || left >= least, Rule::RemovalTooEarly, || {
            format!("{left} us are left")
        });
    }

    fn duration_since(&self, msn: u64) -> u64 {
        self.known.range(msn..).map(|(_, known)| known.segment.duration()).sum()
    }

    /// Segments that a delta update left out but that are listed nevertheless.
    pub(super) fn left_out(&self, playlist: &MediaPlaylist) -> impl Iterator<Item = &ListedSegment> {
        let range = playlist.media_sequence..playlist.first_shown_msn().max(playlist.media_sequence);
        self.known.range(range).map(|(_, known)| &known.segment)
    }
}

impl Known {
    fn see(&mut self, now: &ListedSegment, is_near_end: bool, findings: &mut Findings) {
        let before = &mut self.segment;
        let msn = before.msn;
        let mut same = |same: bool, what: &str| {
            findings.check(same, Rule::SegmentChanged, || {
                format!("{what} of segment {msn} changed")
            });
        };
        same(
            before.complete.is_none() || before.complete == now.complete,
            "duration or URI",
        );
        same(before.complete.is_none() || before.is_gap == now.is_gap, "EXT-X-GAP");
        same(
            before.map.is_none() || now.map.is_none() || before.map == now.map,
            "EXT-X-MAP",
        );
        let (time_before, time_now) = (before.program_date_time, now.program_date_time);
        same(
            time_before.is_none() || time_now.is_none() || time_before == time_now,
            "EXT-X-PROGRAM-DATE-TIME",
        );
        let (number_before, number_now) = (before.discontinuity_number, now.discontinuity_number);
        findings.check(number_before == number_now, Rule::Discontinuity, || {
            format!("segment {msn} was behind {number_before} discontinuities, is behind {number_now}")
        });
        if now.parts.is_empty() && before.parts.is_empty() {
            // Its parts were gone before this client came.
            self.are_parts_gone = now.complete.is_some();
        } else if now.parts.is_empty() {
            findings.check(self.are_parts_gone || !is_near_end, Rule::PartsListed, || {
                format!("parts of segment {msn} went within three target durations of the end")
            });
            self.are_parts_gone = true;
        } else {
            let is_same = !self.are_parts_gone && now.parts.starts_with(&before.parts);
            findings.check(is_same, Rule::PartChanged, || {
                format!("parts of segment {msn} changed or went")
            });
            let may_grow = before.complete.is_none() || now.parts.len() == before.parts.len();
            findings.check(may_grow, Rule::PartChanged, || {
                format!("parts came into segment {msn} after its end")
            });
            before.parts.clone_from(&now.parts);
        }
        before.complete.clone_from(&now.complete);
        before.is_gap |= now.is_gap;
    }
}
