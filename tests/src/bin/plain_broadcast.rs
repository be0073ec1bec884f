//! The peer that chat's fan-out is measured beside: what one writes first with tokio-tungstenite. Each socket has a task; what one
//! says is sent to all by a broadcast channel, a write each.
//!
//! `plain_broadcast HOST:PORT`

use anyhow::{Context, Result};
use futures::{SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::broadcast,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// Longer than any lag that is measured.
const CAPACITY: usize = 65_536;

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1).context("usage: plain_broadcast HOST:PORT")?;
    let listener = TcpListener::bind(address).await?;
    let (all, _) = broadcast::channel(CAPACITY);
    loop {
        let (stream, _) = listener.accept().await?;
        // A socket that breaks is nobody else's matter.
        tokio::spawn(serve(stream, all.clone()));
    }
}

async fn serve(stream: TcpStream, all: broadcast::Sender<Message>) -> Result<()> {
    stream.set_nodelay(true)?;
    let (mut sink, mut source) = accept_async(stream).await?.split();
    let mut said = all.subscribe();
    loop {
        tokio::select! {
            message = said.recv() => sink.send(message?).await?,
            message = source.next() => match message {
                Some(Ok(message @ Message::Text(_))) => {
                    all.send(message)?;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
        }
    }
}
