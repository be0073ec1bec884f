//! What can be said of one text by itself.

use crate::{
    hls::lint::{
        playlist::{ListedSegment, MediaPlaylist},
        rule::{Findings, Rule},
    },
    time::UnixMillis,
};

/// Two times in whole milliseconds and a duration with five decimals between them: each may be off by less than its last place.
pub(super) const TIME_TOLERANCE: u64 = 2_000;
/// Durations of parts may be cut to milliseconds, by a millisecond in all for each.
const PART_ROUNDING: u64 = 1_000;

pub(super) fn check(text: &str, playlist: &MediaPlaylist, findings: &mut Findings) {
    check_header(text, playlist, findings);
    let mut after = total_duration(playlist);
    for segment in &playlist.segments {
        let to_end_from_start = after;
        after = after.saturating_sub(segment.duration());
        check_segment(playlist, segment, findings);
        check_parts(playlist, segment, findings);
        let listed_for = playlist.target_duration.unwrap_or(0) * 3;
        findings.check(
            segment.parts.is_empty() || after <= listed_for,
            Rule::PartsListed,
            || {
                format!(
                    "parts of segment {} are listed {} us before the end",
                    segment.msn, to_end_from_start
                )
            },
        );
    }
    check_times(playlist, findings);
    let first = playlist.segments.first().filter(|_| playlist.skipped.is_none());
    findings.check(
        first.is_none_or(|first| !first.has_discontinuity_tag),
        Rule::Discontinuity,
        || "a tag on the first listed segment".to_owned(),
    );
    let is_live_with_parts = !playlist.is_ended && playlist.part_target.is_some();
    let expected = usize::from(is_live_with_parts);
    findings.check(playlist.part_hints.len() == expected, Rule::PreloadHint, || {
        format!("{} hints where {expected} is due", playlist.part_hints.len())
    });
    let newest = playlist.segments.iter().flat_map(|segment| &segment.parts);
    let mut listed = newest.map(|part| &part.uri);
    findings.check(
        !listed.any(|uri| playlist.part_hints.contains(uri)),
        Rule::PreloadHint,
        || "the hinted part is listed".to_owned(),
    );
}

pub(super) fn total_duration(playlist: &MediaPlaylist) -> u64 {
    playlist.segments.iter().map(ListedSegment::duration).sum()
}

fn check_header(text: &str, playlist: &MediaPlaylist, findings: &mut Findings) {
    let is_second = text
        .lines()
        .nth(1)
        .is_some_and(|line| line.starts_with("#EXT-X-VERSION:"));
    findings.check(is_second, Rule::Version, || {
        "EXT-X-VERSION is not the second line".to_owned()
    });
    let has_map = playlist.segments.iter().any(|segment| segment.map.is_some());
    let needed = if playlist.skipped.is_some() {
        9
    } else if has_map {
        6
    } else {
        3
    };
    let version = playlist.version.unwrap_or(1);
    findings.check(version >= needed, Rule::Version, || {
        format!("version {version}, {needed} is needed")
    });

    let Some(target) = playlist.target_duration.filter(|&target| target > 0) else {
        findings.add(Rule::TargetDuration, "no target duration");
        return;
    };
    findings.check(playlist.discontinuity_sequence.is_some(), Rule::Discontinuity, || {
        "no EXT-X-DISCONTINUITY-SEQUENCE".to_owned()
    });
    let Some(part_target) = playlist.part_target else {
        let has_parts = playlist.segments.iter().any(|segment| !segment.parts.is_empty());
        findings.check(!has_parts, Rule::PartTarget, || {
            "parts without EXT-X-PART-INF".to_owned()
        });
        return;
    };
    let Some(control) = &playlist.server_control else {
        findings.add(Rule::ServerControl, "no EXT-X-SERVER-CONTROL beside EXT-X-PART-INF");
        return;
    };
    let mut bound = |name: &str, value: Option<u64>, least: u64| {
        findings.check(value.is_some_and(|value| value >= least), Rule::ServerControl, || {
            format!("{name} is {value:?} us, at least {least} us are due")
        });
    };
    bound("PART-HOLD-BACK", control.part_hold_back, part_target * 3);
    bound("HOLD-BACK", control.hold_back.or(Some(target * 3)), target * 3);
    bound(
        "CAN-SKIP-UNTIL",
        control.can_skip_until.or(Some(target * 6)),
        target * 6,
    );
    findings.check(control.can_block_reload, Rule::ServerControl, || {
        "no blocking reload".to_owned()
    });
    findings.check(part_target <= target, Rule::PartTarget, || {
        format!("a part target of {part_target} us")
    });
}

fn check_segment(playlist: &MediaPlaylist, segment: &ListedSegment, findings: &mut Findings) {
    let msn = segment.msn;
    if let (Some((duration, uri)), Some(target)) = (&segment.complete, playlist.target_duration) {
        let rounded = (duration + 500_000) / 1_000_000 * 1_000_000;
        findings.check(rounded <= target, Rule::ExtinfRounding, || {
            format!("segment {msn} of {duration} us")
        });
        findings.check(!uri.is_empty(), Rule::Syntax, || format!("segment {msn} has no URI"));
    }
    // What a delta update leaves out may hold the tag.
    let may_be_left_out = playlist.skipped.is_some();
    findings.check(segment.map.is_some() || may_be_left_out, Rule::Map, || {
        format!("no EXT-X-MAP before segment {msn}")
    });
    if let Some(first) = segment.parts.first().filter(|_| playlist.claims_independent_segments) {
        findings.check(first.is_independent || first.is_gap, Rule::Independence, || {
            format!("segments are claimed independent, and part {msn}.0 is not")
        });
    }
    let lost_part = segment.parts.iter().any(|part| part.is_gap);
    let is_complete = segment.complete.is_some();
    findings.check(!lost_part || !is_complete || segment.is_gap, Rule::Gap, || {
        format!("segment {msn} has a lost part and no EXT-X-GAP")
    });
}

fn check_parts(playlist: &MediaPlaylist, segment: &ListedSegment, findings: &mut Findings) {
    let Some(target) = playlist.part_target else { return };
    let msn = segment.msn;
    for (index, part) in segment.parts.iter().enumerate() {
        let duration = part.duration;
        findings.check(duration <= target, Rule::PartTooLong, || {
            format!("part {msn}.{index} of {duration} us")
        });
        // The newest part of an open segment may turn out to be its last.
        let Some(next) = segment.parts.get(index + 1) else {
            continue;
        };
        let may_be_short = part.is_independent || part.is_gap || next.is_gap;
        findings.check(
            may_be_short || duration * 100 >= target * 85,
            Rule::PartTooShort,
            || format!("part {msn}.{index} of {duration} us"),
        );
    }
    if let Some((duration, _)) = segment.complete.as_ref().filter(|_| !segment.parts.is_empty()) {
        let sum: u64 = segment.parts.iter().map(|part| part.duration).sum();
        let tolerance = PART_ROUNDING * segment.parts.len() as u64;
        findings.check(sum.abs_diff(*duration) <= tolerance, Rule::PartsSum, || {
            format!("segment {msn} of {duration} us has parts of {sum} us")
        });
    }
}

fn check_times(playlist: &MediaPlaylist, findings: &mut Findings) {
    let mut before: Option<(&ListedSegment, UnixMillis)> = None;
    for segment in &playlist.segments {
        let msn = segment.msn;
        let Some(at) = segment.program_date_time else {
            // GAP segments have no time of their own; the first media and what follows a break need one.
            let needs_one = !segment.is_gap && (before.is_none() || segment.has_discontinuity_tag);
            findings.check(!needs_one, Rule::ProgramDateTime, || format!("segment {msn} has none"));
            continue;
        };
        if let Some((earlier, earlier_at)) = before.filter(|(earlier, _)| earlier.msn + 1 == msn) {
            let apart = u64::try_from(at.0 - earlier_at.0).unwrap_or(0) * 1000;
            let duration = earlier.duration();
            let holds = if segment.has_discontinuity_tag {
                at > earlier_at
            } else {
                apart.abs_diff(duration) <= TIME_TOLERANCE
            };
            findings.check(holds, Rule::ProgramDateTime, || {
                format!("segment {msn} begins {apart} us after one of {duration} us")
            });
        }
        before = Some((segment, at));
    }
}
