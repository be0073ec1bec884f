//! Sends back what a WebSocket client sends: the layer under the viewers' sockets, for suites that test the protocol.
//!
//! `websocket_echo [ADDRESS [MAX_MESSAGE_BYTES]]`; without them `127.0.0.1:9001` and 16 MiB, as such suites send long messages.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
    routing::any,
};
use common::websocket::{Message, Opcode, code, frame};
use node::{
    clock,
    http_server::{self, Limits},
    shutdown::Shutdown,
};
use relay::websocket::{Connection, Handshake, Outbox, Received};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};

const ADDRESS: &str = "127.0.0.1:9001";
const MAX_MESSAGE: usize = 16 << 20;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address: SocketAddr = arguments.next().as_deref().unwrap_or(ADDRESS).parse()?;
    let max_message = arguments.next().map_or(Ok(MAX_MESSAGE), |bytes| bytes.parse())?;
    let listener = TcpListener::bind(address).await?;
    let app = Router::new().fallback(any(move |request| upgrade(request, max_message)));
    let shutdown = Shutdown::new();
    shutdown.trigger_on_signals()?;
    http_server::serve(listener, app, None, Limits::default(), shutdown).await;
    Ok(())
}

async fn upgrade(mut request: Request, max_message: usize) -> Response {
    let handshake = match Handshake::of(&mut request) {
        Ok(handshake) => handshake,
        Err(error) => return error.status().into_response(),
    };
    let (response, upgraded) = handshake.accept();
    tokio::spawn(async move {
        if let Some(io) = upgraded.await {
            echo(io, max_message).await;
        }
    });
    response
}

async fn echo<I: AsyncRead + AsyncWrite + Unpin>(io: I, max_message: usize) {
    let outbox = Arc::new(Outbox::new(clock::monotonic()));
    let mut connection = Connection::new(io, outbox.clone(), max_message, clock::monotonic);
    let close = loop {
        let echoed = match connection.next().await {
            Received::Message(Message::Text(text)) => frame(Opcode::Text, text.as_bytes()),
            Received::Message(Message::Binary(bytes)) => frame(Opcode::Binary, &bytes),
            Received::Message(Message::Close { code }) => break Some((code.unwrap_or(code::NORMAL), "")),
            Received::Message(Message::Ping(_) | Message::Pong(_) | Message::Fragment) => continue,
            Received::Violation(violation) => break Some((violation.code, violation.reason)),
            Received::Over => break None,
        };
        if !outbox.push([echoed]) {
            break Some((code::TRY_LATER, "too slow"));
        }
    };
    connection.end(close).await;
}
