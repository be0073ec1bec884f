//! The rules by name, each with where it is written.

use std::fmt;

/// What a playlist broke. "bis" is draft-pantos-hls-rfc8216bis, "Apple" the HLS Authoring Specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Lines, tags and attributes are well formed, header tags stand once.
    Syntax,
    /// EXT-X-VERSION stands second and is high enough for what is used.
    Version,
    /// EXT-X-TARGETDURATION stands, is at least 1 s, and never changes.
    TargetDuration,
    /// A segment's EXTINF, rounded, is at most the target duration.
    ExtinfRounding,
    /// Blocking reload is offered, hold-backs and skip boundary are in their bounds and never change.
    ServerControl,
    /// PART-TARGET stands where parts are, and never changes.
    PartTarget,
    /// No part is longer than PART-TARGET.
    PartTooLong,
    /// A part of less than 85 % of PART-TARGET is independent, a gap, before a gap, or the last of its segment.
    PartTooShort,
    /// A segment is as long as its parts together.
    PartsSum,
    /// Parts are listed within three target durations of the end, and only there.
    PartsListed,
    /// What is claimed independent is.
    Independence,
    /// An init segment stands before all media.
    Map,
    /// A segment's number never names something else.
    SegmentChanged,
    /// A part never changes, and goes only with all parts of its segment.
    PartChanged,
    /// Numbers never go back; what is listed goes in front, in order.
    Removal,
    /// What stays is three target durations at least.
    RemovalTooEarly,
    /// Discontinuity numbers are absolute, the same in all renditions; no tag on the first listed segment.
    Discontinuity,
    /// PROGRAM-DATE-TIME stands where it must, grows, and agrees with the durations.
    ProgramDateTime,
    /// A segment with a lost part is a gap.
    Gap,
    /// One hint while live, none afterwards; what was hinted is what came.
    PreloadHint,
    /// A report on each other rendition, neither older nor newer than what that one said.
    RenditionReport,
    /// Renditions have the same target duration and start their segments together.
    Alignment,
    /// A delta update comes only when asked for and leaves out only what is old and known.
    DeltaUpdate,
    /// After ENDLIST the text is final.
    EndList,
    /// A blocked request is answered with what it asked for, in time.
    BlockedResponse,
    /// The multivariant playlist says what a player needs to choose.
    Multivariant,
    /// Listed media can be fetched, and long enough afterwards.
    MediaMissing,
    /// A media file never changes.
    MediaChanged,
    /// Media is as long as the playlist says.
    MediaDuration,
}

impl Rule {
    /// Where the rule is written.
    pub fn source(self) -> &'static str {
        match self {
            Self::Syntax => "bis 4.1, 4.4",
            Self::Version => "bis 4.4.1.2, 8",
            Self::TargetDuration => "bis 4.4.3.1, 6.2.1",
            Self::ExtinfRounding => "bis 4.4.3.1",
            Self::ServerControl => "bis 4.4.3.8; Apple: PART-HOLD-BACK at least 3 part targets",
            Self::PartTarget => "bis 4.4.3.7",
            Self::PartTooLong | Self::PartTooShort => "bis 4.4.3.7, 4.4.4.9",
            Self::PartsSum => "bis 4.4.4.9",
            Self::PartsListed => "bis 4.4.4.9, 6.2.2",
            Self::Independence => "bis 4.4.2.1, 4.4.4.9",
            Self::Map => "bis 4.4.4.5",
            Self::SegmentChanged | Self::PartChanged => "bis 6.2.1, 6.2.2",
            Self::Removal | Self::RemovalTooEarly => "bis 6.2.2",
            Self::Discontinuity => "bis 4.4.3.3, 6.2.4; hls.js #1096",
            Self::ProgramDateTime => "bis 4.4.4.6, B.1",
            Self::Gap => "bis 4.4.4.7",
            Self::PreloadHint => "bis 4.4.5.3",
            Self::RenditionReport => "bis 4.4.5.4, B.1",
            Self::Alignment => "bis 6.2.4",
            Self::DeltaUpdate => "bis 4.4.5.2, 6.2.5.1",
            Self::EndList => "bis 4.4.3.4",
            Self::BlockedResponse => "bis 6.2.5.2",
            Self::Multivariant => "bis 4.4.6.2; Apple 9",
            Self::MediaMissing => "bis 6.2.2",
            Self::MediaChanged => "bis 6.2.1",
            Self::MediaDuration => "bis 4.4.4.1, 4.4.4.9",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?} ({})", self.source())
    }
}

/// Broken rules of one text, not yet bound to a time and an address.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<(Rule, String)>);

impl Findings {
    pub(super) fn add(&mut self, rule: Rule, detail: impl Into<String>) {
        self.0.push((rule, detail.into()));
    }

    /// Notes `detail` when `holds` is false.
    pub(super) fn check(&mut self, holds: bool, rule: Rule, detail: impl FnOnce() -> String) {
        if !holds {
            self.0.push((rule, detail()));
        }
    }
}
