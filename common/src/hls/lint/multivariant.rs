//! What can be said of multivariant playlists.

use crate::hls::lint::{
    line::{Attributes, Line, lines},
    rule::{Findings, Rule},
};

/// What a multivariant playlist said last.
#[derive(Debug, Default)]
pub(super) struct Multivariant {
    /// URI and BANDWIDTH of each variant.
    variants: Vec<(String, u64)>,
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
        let mut groups: Vec<&str> = Vec::new();
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
                    let is_whole = attributes.bare("TYPE").is_some() && attributes.quoted("NAME").is_some();
                    findings.check(is_whole, Rule::Multivariant, || {
                        "EXT-X-MEDIA without TYPE or NAME".to_owned()
                    });
                    groups.extend(attributes.quoted("GROUP-ID"));
                }
                Line::Uri(uri) => {
                    let Some(attributes) = pending.take() else {
                        findings.add(Rule::Syntax, format!("{uri} has no EXT-X-STREAM-INF"));
                        continue;
                    };
                    let group = attributes.quoted("AUDIO");
                    findings.check(
                        group.is_none_or(|group| groups.contains(&group)),
                        Rule::Multivariant,
                        || format!("no group {group:?}"),
                    );
                    variants.push((uri.to_owned(), attributes.integer("BANDWIDTH").unwrap_or(0)));
                }
                Line::Tag { .. } => {}
            }
        }
        for (uri, bandwidth) in &variants {
            let before = self.variants.iter().find(|(other, _)| other == uri);
            findings.check(
                before.is_none_or(|(_, before)| before <= bandwidth),
                Rule::Multivariant,
                || format!("BANDWIDTH of {uri} fell to {bandwidth}"),
            );
        }
        self.variants = variants;
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
}
