//! What can be said of multivariant playlists.

use crate::hls::lint::{
    line::{Attributes, Line, lines},
    rule::{Findings, Rule},
};

/// What a multivariant playlist said last.
#[derive(Debug, Default)]
pub(super) struct Multivariant {
    /// URI, sounds and BANDWIDTH of each variant.
    variants: Vec<(String, Option<String>, u64)>,
}

/// Whether the text is one.
pub(super) fn is_multivariant(text: &str) -> bool {
    text.contains("#EXT-X-STREAM-INF:")
}

impl Multivariant {
    pub(super) fn see(&mut self, text: &str, findings: &mut Findings) {
        let starts_well = text.starts_with("#EXTM3U\n");
        findings.check(starts_well, Rule::Syntax, || "the first line is not #EXTM3U".to_owned());
        let is_second = text
            .lines()
            .nth(1)
            .is_some_and(|line| line.starts_with("#EXT-X-VERSION:"));
        findings.check(is_second, Rule::Version, || {
            "EXT-X-VERSION is not the second line".to_owned()
        });
        let mut media: Vec<Attributes<'_>> = Vec::new();
        let mut variants = Vec::new();
        let mut pending: Option<Attributes<'_>> = None;
        for line in lines(text) {
            match line {
                Line::Tag {
                    name: name @ ("EXT-X-MEDIA" | "EXT-X-STREAM-INF"),
                    value,
                } => {
                    let Some(attributes) = Attributes::parse(value) else {
                        findings.add(Rule::Syntax, format!("#{name}:{value} cannot be read"));
                        continue;
                    };
                    if name == "EXT-X-STREAM-INF" {
                        check_variant(&attributes, findings);
                        pending = Some(attributes);
                        continue;
                    }
                    check_media(&attributes, &media, findings);
                    media.push(attributes);
                }
                Line::Uri(uri) => {
                    let Some(attributes) = pending.take() else {
                        findings.add(Rule::Syntax, format!("{uri} has no EXT-X-STREAM-INF"));
                        continue;
                    };
                    for kind in ["AUDIO", "CLOSED-CAPTIONS"] {
                        let group = attributes.quoted(kind);
                        let is_there = |group| {
                            let mut media = media.iter();
                            media.any(|m| m.bare("TYPE") == Some(kind) && m.quoted("GROUP-ID") == Some(group))
                        };
                        findings.check(group.is_none_or(is_there), Rule::Multivariant, || {
                            format!("no {kind} group {group:?}")
                        });
                    }
                    let sounds = attributes.quoted("AUDIO").map(str::to_owned);
                    variants.push((uri.to_owned(), sounds, attributes.integer("BANDWIDTH").unwrap_or(0)));
                }
                Line::Tag { .. } => {}
            }
        }
        for (uri, sounds, bandwidth) in &variants {
            let before = self
                .variants
                .iter()
                .find(|(other, group, _)| other == uri && group == sounds);
            findings.check(
                before.is_none_or(|(.., before)| before <= bandwidth),
                Rule::Multivariant,
                || format!("BANDWIDTH of {uri} fell to {bandwidth}"),
            );
        }
        self.variants = variants;
    }
}

/// `before` are those that came before it.
fn check_media(attributes: &Attributes<'_>, before: &[Attributes<'_>], findings: &mut Findings) {
    let mut must = |holds: bool, what: &str| findings.check(holds, Rule::Multivariant, || what.to_owned());
    let (kind, name) = (attributes.bare("TYPE"), attributes.quoted("NAME"));
    let group = attributes.quoted("GROUP-ID");
    must(
        kind.is_some() && name.is_some() && group.is_some(),
        "EXT-X-MEDIA without TYPE, NAME or GROUP-ID",
    );
    let is_default = attributes.bare("DEFAULT") == Some("YES");
    must(
        !is_default || attributes.bare("AUTOSELECT") == Some("YES"),
        "DEFAULT=YES without AUTOSELECT=YES",
    );
    let siblings = || {
        let same = |other: &&Attributes<'_>| other.bare("TYPE") == kind && other.quoted("GROUP-ID") == group;
        before.iter().filter(same)
    };
    must(
        siblings().all(|other| other.quoted("NAME") != name),
        "a NAME twice in a group",
    );
    must(
        !is_default || siblings().all(|other| other.bare("DEFAULT") != Some("YES")),
        "two DEFAULT=YES in a group",
    );
    if kind == Some("CLOSED-CAPTIONS") {
        must(attributes.quoted("URI").is_none(), "CLOSED-CAPTIONS with a URI");
        must(
            attributes.quoted("INSTREAM-ID").is_some(),
            "CLOSED-CAPTIONS without INSTREAM-ID",
        );
    }
}

fn check_variant(attributes: &Attributes<'_>, findings: &mut Findings) {
    let mut must = |holds: bool, what: &str| findings.check(holds, Rule::Multivariant, || what.to_owned());
    let (peak, average) = (attributes.integer("BANDWIDTH"), attributes.integer("AVERAGE-BANDWIDTH"));
    must(peak.is_some_and(|peak| peak > 0), "no BANDWIDTH");
    must(average.is_some(), "no AVERAGE-BANDWIDTH");
    must(average <= peak, "AVERAGE-BANDWIDTH is above BANDWIDTH");
    let codecs = attributes.quoted("CODECS").unwrap_or_default();
    must(!codecs.is_empty(), "no CODECS");
    let has_video = ["avc", "hvc1", "hev1", "av01", "vp09"]
        .iter()
        .any(|family| codecs.contains(family));
    must(!has_video || attributes.bare("RESOLUTION").is_some(), "no RESOLUTION");
    must(!has_video || attributes.micros("FRAME-RATE").is_some(), "no FRAME-RATE");
    let range = attributes.bare("VIDEO-RANGE");
    must(
        range.is_none_or(|range| ["SDR", "HLG", "PQ"].contains(&range)),
        "a VIDEO-RANGE that is none",
    );
}
