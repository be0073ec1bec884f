//! The crowd of [`e2e::crowd`] at full length: 200 viewers on three relays, 20 messages a second for five minutes, a relay killed and
//! another one's link cut for ten seconds in the middle.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    crowd::{self, Plan, RELAYS},
    party::Party,
};

use crate::results::{Results, percentile, say};

const PLAN: Plan = Plan {
    clients: 200,
    rate: 20,
    duration: Duration::from_secs(300),
    cut_for: Duration::from_secs(10),
};

pub(crate) async fn run(results: &mut Results) -> Result<()> {
    say(&format!("chat of a crowd: {} s", PLAN.duration.as_secs()));
    let mut party = Party::start(RELAYS).await?;
    let mut report = crowd::run(&mut party, PLAN).await?;
    let name = |what: &str| format!("chat, {} viewers on {RELAYS} relays, {what}", PLAN.clients);
    let deliveries = report.near.len() + report.far.len();
    for (what, count) in [
        ("messages lost", report.lost),
        ("messages twice", report.twice),
        ("messages numbered twice", report.doubled),
        ("viewers with other ids or order", report.different),
        ("ids that go back", report.backwards),
        ("sockets broken without a reason", report.broken_near.len()),
    ] {
        results.add(&name(what), "count", count as f64, deliveries);
    }
    for (who, seconds) in [
        ("delivery off the killed and the cut relay", &mut report.near),
        ("delivery, all others", &mut report.far),
    ] {
        for (quantile, share) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            let n = seconds.len();
            results.add(
                &name(&format!("{who}, {quantile}")),
                "ms",
                percentile(seconds, share) * 1000.0,
                n,
            );
        }
    }
    ensure!(report.said > 0, "nobody said anything");
    Ok(())
}
