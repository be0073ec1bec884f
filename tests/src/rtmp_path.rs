//! The way of a publisher's connection through the network: notes when key frames pass, and can lose everything without a word.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use common::rtmp::{chunk_reader::ChunkReader, message::type_id};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::clock_pattern::now_ms;

/// C0, C1 and C2, which come before the first chunk.
const HANDSHAKE: usize = 1 + 2 * 1536;

#[derive(Debug)]
pub struct RtmpPath {
    /// Where the publisher finds the server.
    pub address: SocketAddr,
    key_frames: Arc<Mutex<Vec<u64>>>,
    is_cut: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl RtmpPath {
    pub async fn to(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let front = listener.local_addr()?;
        let key_frames = Arc::default();
        let (is_cut, cut) = watch::channel(false);
        let task = tokio::spawn(carry(listener, server, Arc::clone(&key_frames), cut));
        Ok(Self {
            address: front,
            key_frames,
            is_cut,
            task,
        })
    }

    /// From now on nothing of the connections that are there comes through, and nobody is told. Later ones are as usual.
    pub fn cut(&self) {
        self.is_cut.send_replace(true);
        self.is_cut.send_replace(false);
    }

    /// When key frames passed, Unix milliseconds.
    pub fn key_frames(&self) -> Vec<u64> {
        self.key_frames.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When the first key frame after `ms` passed.
    pub fn key_frame_after(&self, ms: u64) -> Option<u64> {
        self.key_frames().into_iter().find(|at| *at > ms)
    }
}

impl Drop for RtmpPath {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Way = (OwnedReadHalf, OwnedWriteHalf);

async fn carry(
    listener: TcpListener,
    server: SocketAddr,
    key_frames: Arc<Mutex<Vec<u64>>>,
    cut: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    while let Ok((publisher, _)) = listener.accept().await {
        let (key_frames, mut cut) = (Arc::clone(&key_frames), cut.clone());
        cut.mark_unchanged();
        connections.spawn(async move {
            let server = TcpStream::connect(server).await?;
            publisher.set_nodelay(true)?;
            server.set_nodelay(true)?;
            let (up_read, down_write) = publisher.into_split();
            let (down_read, up_write) = server.into_split();
            let (mut up, mut down) = ((up_read, up_write), (down_read, down_write));
            tokio::select! {
                _ = upwards(&mut up, &key_frames) => {}
                _ = downwards(&mut down) => {}
                _ = cut.changed() => {
                    // Both ends keep a connection on which nothing comes any more.
                    std::future::pending::<()>().await;
                }
            }
            anyhow::Ok(())
        });
    }
}

async fn downwards((read, write): &mut Way) -> Result<()> {
    tokio::io::copy(read, write).await?;
    Ok(())
}

async fn upwards((read, write): &mut Way, key_frames: &Mutex<Vec<u64>>) -> Result<()> {
    let mut reader = ChunkReader::new();
    reader.accept_media();
    let (mut handshake_left, mut buffer) = (HANDSHAKE, vec![0; 1 << 16]);
    loop {
        let length = read.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let bytes = buffer.get(..length).context("what was read")?;
        write.write_all(bytes).await?;
        let skipped = handshake_left.min(length);
        handshake_left -= skipped;
        let mut input = &bytes[skipped..];
        while let Some(message) = reader.read(&mut input)? {
            if message.type_id == type_id::VIDEO && is_key_frame(&message.payload) {
                key_frames.lock().unwrap_or_else(PoisonError::into_inner).push(now_ms());
            }
        }
    }
}

/// A key frame's first byte, but for the codec's record: plain FLV and Enhanced RTMP.
fn is_key_frame(payload: &[u8]) -> bool {
    match payload {
        [first, ..] if first & 0x80 != 0 => first >> 4 & 0x7 == 1 && matches!(first & 0xf, 1 | 3),
        [first, packet, ..] => first >> 4 == 1 && *packet == 1,
        _ => false,
    }
}
