//! A peer that means harm to an ingest, at rates that a home line carries: garbage, connections that come and go, connections that
//! say next to nothing, and a publisher with a key that sends frames as large and as small as can be.
//!
//! Usage: `rtmp_attacker ADDRESS KEY`. A process of its own, so that it can be given less of the processor than what it attacks.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result};
use e2e::{
    recording::Tag,
    rtmp_sender::{RtmpSender, Target},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{interval, timeout},
};

/// Every so often somebody sends [`GARBAGE`] bytes of noise.
const GARBAGE_EVERY: Duration = Duration::from_millis(20);
const GARBAGE: usize = 64 << 10;
/// Every so often a connection comes and goes.
const FLOOD_EVERY: Duration = Duration::from_millis(3);
/// Connections that send a byte a second.
const SLOW: u8 = 40;
/// The largest frame that is read, and how often it is sent.
const HUGE: usize = 8 << 20;
const HUGE_EVERY: Duration = Duration::from_millis(1000);
/// Frames of two bytes, so many at a time.
const TINY: u32 = 50;
const TINY_EVERY: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let server: SocketAddr = arguments.next().context("an address")?.parse()?;
    let key = arguments.next().context("a key")?;
    for number in 0..SLOW {
        tokio::spawn(slow(server, Ipv4Addr::new(127, 0, 3, 1 + number)));
    }
    tokio::spawn(garbage(server));
    tokio::spawn(flood(server));
    loop {
        // Thrown out is no reason to give up.
        let _ = publish(&Target::new(server, &key).from(Ipv4Addr::new(127, 0, 4, 1))).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn connect(server: SocketAddr, from: Ipv4Addr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((from, 0).into())?;
    Ok(timeout(PATIENCE, socket.connect(server)).await??)
}

async fn garbage(server: SocketAddr) {
    let mut ticks = interval(GARBAGE_EVERY);
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for number in (0..=u8::MAX).cycle() {
        ticks.tick().await;
        let mut noise: Vec<u8> = (0..GARBAGE)
            .map(|_| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                seed as u8
            })
            .collect();
        // Half of them know how a connection begins.
        if number % 2 == 0 {
            noise[0] = 3;
        }
        tokio::spawn(async move {
            let mut stream = connect(server, Ipv4Addr::new(127, 0, 2, number % 100 + 1)).await?;
            let mut answer = [0; 4096];
            let _ = timeout(PATIENCE, stream.write_all(&noise)).await;
            while let Ok(Ok(1..)) = timeout(PATIENCE, stream.read(&mut answer)).await {}
            anyhow::Ok(())
        });
    }
}

async fn flood(server: SocketAddr) {
    let mut ticks = interval(FLOOD_EVERY);
    for number in (1..=u8::MAX).cycle() {
        ticks.tick().await;
        // Gone again at once.
        let _ = connect(server, Ipv4Addr::new(127, 0, 5, number)).await;
    }
}

async fn slow(server: SocketAddr, from: Ipv4Addr) {
    loop {
        if let Ok(mut stream) = connect(server, from).await {
            while stream.write_all(&[3]).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn publish(target: &Target) -> Result<()> {
    let mut sender = RtmpSender::publish(target).await?;
    let huge = Tag::new(9, [&[0x17, 1, 0, 0, 0][..], &vec![0x55; HUGE - 5]].concat());
    let tiny = Tag::new(8, vec![0xaf, 1]);
    let (mut huge_ticks, mut tiny_ticks) = (interval(HUGE_EVERY), interval(TINY_EVERY));
    let mut at_ms = 0;
    loop {
        tokio::select! {
            _ = huge_ticks.tick() => sender.send(&huge, at_ms).await?,
            _ = tiny_ticks.tick() => {
                for _ in 0..TINY {
                    at_ms += 1;
                    sender.send(&tiny, at_ms).await?;
                }
            }
        }
    }
}
