//! Rows of figures (CONTRACT 8).

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    unit: &'static str,
    value: f64,
    /// The same work done by something else, in the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<f64>,
    /// `value / peer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    n: usize,
    /// RFC 3339.
    at: String,
}

#[derive(Debug, Default)]
pub(crate) struct Results(Vec<Row>);

impl Results {
    pub(crate) fn add(&mut self, name: &str, unit: &'static str, value: f64, n: usize) {
        self.push(name, unit, value, None, n);
    }

    pub(crate) fn add_beside(&mut self, name: &str, unit: &'static str, value: f64, peer: f64, n: usize) {
        self.push(name, unit, value, Some(peer), n);
    }

    fn push(&mut self, name: &str, unit: &'static str, value: f64, peer: Option<f64>, n: usize) {
        let ratio = peer.map(|peer| value / peer);
        let beside = match (peer, ratio) {
            (Some(peer), Some(ratio)) => format!("  peer {peer:.3}, ratio {ratio:.2}"),
            _ => String::new(),
        };
        say(&format!("{name:<64} {value:>12.3} {unit:<10} n={n}{beside}"));
        let at = common::time::UnixMillis(i64::try_from(e2e::clock_pattern::now_ms()).unwrap_or_default()).to_rfc3339();
        self.0.push(Row {
            name: name.to_owned(),
            unit,
            value,
            peer,
            ratio,
            n,
            at,
        });
    }

    pub(crate) fn save(&self) -> Result<()> {
        let folder = Path::new("target/bench");
        std::fs::create_dir_all(folder)?;
        let file = folder.join("results.json");
        std::fs::write(&file, serde_json::to_string_pretty(&self.0)?)?;
        say(&format!("written to {}", file.display()));
        Ok(())
    }
}

/// A line for the person who waits.
#[expect(clippy::print_stdout, reason = "a benchmark's table is its output")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// The value below which `share` (0 to 1) of the values lie; the values get sorted.
pub(crate) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values
        .get((last as f64 * share).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}
