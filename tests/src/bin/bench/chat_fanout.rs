//! What a delivery of chat costs: one room of 1,000 sockets, messages of 120 bytes at fixed rates, the same load on our relay, on a
//! broadcast server of Node's `ws`, and on a plain loop over tokio-tungstenite. What counts is the server's own processor time;
//! the load is made in this process. The peers send on the 120 bytes as they are, ours an envelope around them.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use e2e::{
    guest::Guest,
    party::Party,
    process::{Process, free_tcp, program, wait_for},
    raw_socket::{FIN, PING, PONG, RawSocket, TEXT, client_frame},
};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::results::{Results, say};

const SOCKETS: usize = 1000;
const MESSAGE_LEN: usize = 120;
/// Messages a second. A room takes 100, a viewer says 2: the higher rate is what is allowed with a margin.
const RATES: [u32; 2] = [20, 90];
/// Viewers that speak, in turn.
const SPEAKERS: usize = 60;
const WARM_UP: Duration = Duration::from_secs(3);
const MEASURE: Duration = Duration::from_secs(20);
/// For the last messages to arrive, also from a server that the higher rate is too much for.
const DRAIN: Duration = Duration::from_secs(120);
/// Starts every message's text.
const MARK: &str = "fan-out ";
const DIGITS: usize = 8;
/// Marks messages that nobody counts.
const WARM: &str = "warm-up ";

/// A server to measure.
struct Contestant<'a> {
    name: &'static str,
    /// Whose processor time and memory count.
    processes: Vec<&'a Process>,
    address: SocketAddr,
    /// Path of each socket, and address to come from.
    doors: Vec<(String, Ipv4Addr)>,
    /// Makes a frame's text of a message and its number.
    wrap: fn(&str, u64) -> String,
}

/// Of one contestant.
struct Figures {
    /// Deliveries per second of processor time, for each of [`RATES`], of each process and of all together.
    per_cpu_second: Vec<f64>,
    first_process: Vec<f64>,
    deliveries: Vec<usize>,
    bytes_per_socket: f64,
}

pub(crate) async fn run(results: &mut Results) -> Result<()> {
    say(&format!(
        "chat's fan-out to {SOCKETS} sockets, beside ws and a plain loop: about {} s",
        (WARM_UP + MEASURE).as_secs() * 3 * RATES.len() as u64 + 60
    ));
    let ours = ours().await?;
    let folder = tempfile::tempdir()?;
    let (address, mut node) = (free_tcp()?, Command::new("node"));
    node.arg("tests/peers/ws/server.mjs")
        .args([address.ip().to_string(), address.port().to_string()]);
    let node = Process::start("ws", &mut node, folder.path())?;
    let ws = peer("ws", &node, address).await?;
    drop(node);
    let (address, mut plain) = (free_tcp()?, Command::new(program("plain_broadcast")?));
    plain.arg(address.to_string());
    let plain = Process::start("plain", &mut plain, folder.path())?;
    let plain = peer("plain loop", &plain, address).await?;

    for (index, rate) in RATES.iter().enumerate() {
        let n = ours.deliveries[index];
        for (peer, figures) in [("ws", &ws), ("plain tokio-tungstenite loop", &plain)] {
            results.add_beside(
                &format!("chat deliveries, {rate} msg/s to {SOCKETS} sockets, relay (peer {peer})"),
                "1/CPU s",
                ours.first_process[index],
                figures.per_cpu_second[index],
                n,
            );
            results.add_beside(
                &format!("chat deliveries, {rate} msg/s to {SOCKETS} sockets, relay and origin (peer {peer})"),
                "1/CPU s",
                ours.per_cpu_second[index],
                figures.per_cpu_second[index],
                n,
            );
        }
    }
    for (peer, figures) in [("ws", &ws), ("plain tokio-tungstenite loop", &plain)] {
        results.add_beside(
            &format!("chat, memory an idle socket, relay (peer {peer})"),
            "bytes",
            ours.bytes_per_socket,
            figures.bytes_per_socket,
            SOCKETS,
        );
    }
    Ok(())
}

async fn ours() -> Result<Figures> {
    let party = Party::start(1).await?;
    let invite = party.invite("viewer").await?;
    let mut doors = Vec::new();
    for index in 0..SOCKETS {
        let guest = Guest::new()?;
        let nickname = format!("guest {index}");
        let pass = guest
            .join(party.url(1), party.slug(), &nickname, Some(&invite.token))
            .await?;
        let path = format!("/ws/rooms/{}?token={}", party.slug(), pass.token);
        doors.push((path, guest.address));
    }
    measure(Contestant {
        name: "relay",
        processes: vec![&party.relays[0].process, &party.origin.process],
        address: party.url(1).trim_start_matches("http://").parse()?,
        doors,
        wrap: |text, number| json!({ "type": "say", "text": text, "clientId": number.to_string() }).to_string(),
    })
    .await
}

async fn peer(name: &'static str, process: &Process, address: SocketAddr) -> Result<Figures> {
    wait_for(name, Duration::from_secs(10), async || {
        RawSocket::open(address, "/", Ipv4Addr::LOCALHOST).await.ok()
    })
    .await
    .with_context(|| process.log())?;
    measure(Contestant {
        name,
        processes: vec![process],
        address,
        doors: vec![("/".to_owned(), Ipv4Addr::LOCALHOST); SOCKETS],
        wrap: |text, _| text.to_owned(),
    })
    .await
}

/// Counts of all sockets.
#[derive(Default)]
struct Tally {
    delivered: AtomicU64,
    /// Numbers of the messages, added up: the same for all who got the same.
    sum: AtomicU64,
    ended: AtomicU64,
}

async fn measure(contestant: Contestant<'_>) -> Result<Figures> {
    // What the first connection brings with it is not the sockets'.
    let first = RawSocket::open(contestant.address, &contestant.doors[0].0, contestant.doors[0].1).await?;
    sleep(Duration::from_secs(1)).await;
    drop(first);
    sleep(Duration::from_secs(1)).await;
    let relay = contestant.processes[0];
    let empty = relay.resident_bytes()?;
    let mut sockets = Vec::new();
    for (path, from) in &contestant.doors {
        sockets.push(RawSocket::open(contestant.address, path, *from).await?);
    }
    // All that the sockets are told first is read, so that none is held for them.
    let (tally, mut speakers, mut tasks) = (Arc::new(Tally::default()), Vec::new(), Vec::new());
    for (index, socket) in sockets.into_iter().enumerate() {
        let (said, heard) = tokio::sync::mpsc::unbounded_channel();
        if index < SPEAKERS {
            speakers.push(said);
        }
        tasks.push(tokio::spawn(listen(socket, heard, Arc::clone(&tally))));
    }
    sleep(Duration::from_secs(5)).await;
    let full = relay.resident_bytes()?;
    let bytes_per_socket = full.saturating_sub(empty) as f64 / SOCKETS as f64;

    let mut number = 0;
    let (mut per_cpu_second, mut first_process, mut deliveries) = (Vec::new(), Vec::new(), Vec::new());
    for rate in RATES {
        speak(&speakers, &contestant, rate, WARM_UP, &mut number, WARM).await?;
        sleep(Duration::from_secs(2)).await;
        let before = cpu_times(&contestant)?;
        let (delivered, sum) = (
            tally.delivered.load(Ordering::Relaxed),
            tally.sum.load(Ordering::Relaxed),
        );
        let from = number;
        speak(&speakers, &contestant, rate, MEASURE, &mut number, MARK).await?;
        let expected = (number - from) * SOCKETS as u64;
        wait_for(contestant.name, DRAIN, async || {
            (tally.delivered.load(Ordering::Relaxed) - delivered >= expected).then_some(())
        })
        .await
        .with_context(|| {
            format!(
                "{} of {expected} deliveries, {} sockets ended",
                tally.delivered.load(Ordering::Relaxed) - delivered,
                tally.ended.load(Ordering::Relaxed)
            )
        })?;
        let after = cpu_times(&contestant)?;
        ensure!(
            tally.delivered.load(Ordering::Relaxed) - delivered == expected
                && tally.sum.load(Ordering::Relaxed) - sum == (from..number).sum::<u64>() * SOCKETS as u64,
            "{}: not every message once",
            contestant.name
        );
        let spent: Vec<f64> = after
            .iter()
            .zip(&before)
            .map(|(after, before)| after - before)
            .collect();
        per_cpu_second.push(expected as f64 / spent.iter().sum::<f64>());
        first_process.push(expected as f64 / spent[0]);
        deliveries.push(usize::try_from(expected)?);
        say(&format!(
            "  {}: {expected} deliveries at {rate} msg/s, CPU {spent:.2?} s",
            contestant.name
        ));
    }
    for task in tasks {
        task.abort();
    }
    Ok(Figures {
        per_cpu_second,
        first_process,
        deliveries,
        bytes_per_socket,
    })
}

fn cpu_times(contestant: &Contestant<'_>) -> Result<Vec<f64>> {
    let times = contestant.processes.iter().map(|process| process.cpu_time());
    times.map(|time| Ok(time?.as_secs_f64())).collect()
}

/// Has the speakers say messages in turn, evenly.
async fn speak(
    speakers: &[tokio::sync::mpsc::UnboundedSender<Vec<u8>>],
    contestant: &Contestant<'_>,
    rate: u32,
    duration: Duration,
    number: &mut u64,
    mark: &str,
) -> Result<()> {
    let end = Instant::now() + duration;
    let mut beat = interval(Duration::from_secs(1) / rate);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < end {
        beat.tick().await;
        let mut text = format!("{mark}{number:0DIGITS$} ");
        text.extend(
            "the quick brown fox jumps over the lazy dog "
                .chars()
                .cycle()
                .take(MESSAGE_LEN - text.len()),
        );
        let speaker = &speakers[*number as usize % SPEAKERS];
        speaker.send(client_frame(
            FIN | TEXT,
            (contestant.wrap)(text.trim_end(), *number).as_bytes(),
        ))?;
        *number += 1;
    }
    Ok(())
}

/// Reads a socket to its end and counts; says what it is told to say.
async fn listen(
    mut socket: RawSocket,
    mut to_say: tokio::sync::mpsc::UnboundedReceiver<Vec<u8>>,
    tally: Arc<Tally>,
) -> Result<()> {
    let mut is_speaker = true;
    loop {
        let (mut count, mut sum, mut was_pinged) = (0, 0, false);
        let is_open = tokio::select! {
            is_open = socket.read_frames(|frame| {
                was_pinged |= frame.opcode() == PING;
                if let Some(number) = number(frame.payload) {
                    count += 1;
                    sum += number;
                }
            }) => is_open.unwrap_or(false),
            frame = to_say.recv(), if is_speaker => {
                match frame {
                    Some(frame) => socket.send_now(&frame)?,
                    None => is_speaker = false,
                }
                true
            }
        };
        if was_pinged {
            // A socket that never answers is taken for dead.
            socket.send_now(&client_frame(FIN | PONG, b""))?;
        }
        tally.delivered.fetch_add(count, Ordering::Relaxed);
        tally.sum.fetch_add(sum, Ordering::Relaxed);
        if !is_open {
            tally.ended.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
    }
}

/// Of the message in a frame, if it is one that counts.
fn number(payload: &[u8]) -> Option<u64> {
    let at = payload
        .windows(MARK.len())
        .position(|window| window == MARK.as_bytes())?
        + MARK.len();
    std::str::from_utf8(payload.get(at..at + DIGITS)?).ok()?.parse().ok()
}

/// Whether the peer's package is installed.
pub(crate) fn check() -> Result<()> {
    ensure!(
        Path::new("tests/peers/ws/node_modules/ws").is_dir(),
        "tests/peers/ws: its package is not installed; `make bench` does it"
    );
    Ok(())
}
