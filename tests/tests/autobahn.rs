//! The WebSocket of the viewers' socket, answered by an echo in place of chat, under the cases of Autobahn's test suite.
//!
//! That suite itself needs Python 2, which Debian has no more; `kosoku` runs its case files unchanged but for syntax.
//! Left out: compression (12, 13), which is not offered.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::process::{Process, free_tcp, program, wait_for};
use serde_json::Value;

/// What a case may end with besides OK: within the specification, if not as the suite likes it best.
const FINE: [&str; 3] = ["OK", "NON-STRICT", "INFORMATIONAL"];

#[tokio::test]
async fn the_viewers_socket_passes_the_cases_of_autobahn() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let address = free_tcp()?;
    let mut echo = Command::new(program("examples/websocket_echo")?);
    echo.arg(address.to_string());
    let _echo = Process::start("echo", &mut echo, folder.path())?;
    wait_for("the echo", Duration::from_secs(5), async || {
        tokio::net::TcpStream::connect(address).await.ok()
    })
    .await?;

    let kosoku = program("autobahn/bin/kosoku").context("`make test` installs it")?;
    let reports = folder.path().join("reports");
    let mut suite = Command::new(kosoku);
    for cases in ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"] {
        suite.args(["--include", cases]);
    }
    suite
        .args(["--parallelism", "2", "--outdir"])
        .arg(&reports)
        .arg(address.to_string());
    let mut suite = Process::start("autobahn", &mut suite, folder.path())?;
    // Its exit code counts what is not strictly as it likes; the report says more.
    suite.wait(Duration::from_secs(90))?;
    let index = std::fs::read(reports.join("index.json")).with_context(|| suite.log())?;
    let index: Value = serde_json::from_slice(&index)?;
    let cases = index
        .as_object()
        .and_then(|agents| agents.values().next())
        .and_then(Value::as_object);
    let cases = cases.with_context(|| suite.log())?;
    let failed: Vec<String> = cases
        .iter()
        .filter(|(_, case)| {
            [&case["behavior"], &case["behaviorClose"]]
                .iter()
                .any(|behavior| !FINE.iter().any(|fine| **behavior == *fine))
        })
        .map(|(name, case)| format!("{name}: {case}"))
        .collect();
    ensure!(cases.len() >= 300, "only {} cases were run", cases.len());
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}
