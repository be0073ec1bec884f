//! `make bench`: every benchmark on real processes, with a table on the screen and `target/bench/results.json`.
//!
//! `bench NAME…` runs only the named ones. Figures of one run stand side by side with a peer's on the same work where there is one;
//! the machine's noise is the reader's to judge, so `n` is always given.

mod attack;
mod chat_crowd;
mod chat_fanout;
mod encoders;
mod evenings;
mod footprint;
mod glass;
mod ingest;
mod playlist;
mod results;
mod start;

use anyhow::{Result, bail};
use results::Results;

const NAMES: [&str; 10] = [
    "glass",
    "start",
    "footprint",
    "ingest",
    "attack",
    "evenings",
    "encoders",
    "playlist",
    "chat-crowd",
    "chat-fanout",
];

#[tokio::main]
async fn main() -> Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = asked.iter().find(|name| !NAMES.contains(&name.as_str())) {
        bail!("no benchmark {unknown}; there are {}", NAMES.join(", "));
    }
    let wanted = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    if wanted("chat-fanout") {
        chat_fanout::check()?;
    }
    let mut results = Results::default();
    if wanted("glass") {
        glass::run(&mut results).await?;
    }
    if wanted("start") {
        start::run(&mut results).await?;
    }
    if wanted("footprint") {
        footprint::run(&mut results).await?;
    }
    if wanted("ingest") {
        ingest::run(&mut results).await?;
    }
    if wanted("attack") {
        attack::run(&mut results).await?;
    }
    if wanted("evenings") {
        evenings::run(&mut results).await?;
    }
    if wanted("encoders") {
        encoders::run(&mut results).await?;
    }
    if wanted("playlist") {
        playlist::run(&mut results).await?;
    }
    if wanted("chat-fanout") {
        chat_fanout::run(&mut results).await?;
    }
    if wanted("chat-crowd") {
        chat_crowd::run(&mut results).await?;
    }
    results.save()
}
