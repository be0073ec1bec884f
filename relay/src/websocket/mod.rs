//! Viewers' WebSockets below what is said on them: the handshake, one task's reading and writing, and the queue between that task
//! and whoever has something to send.
//!
//! The protocol itself is in `common::websocket`. What is sent comes framed already, so that many sockets share one encoding; a
//! connection writes all that waits in one call.

mod connection;
mod handshake;
mod outbox;

pub use self::{
    connection::{Connection, Received},
    handshake::{Handshake, NotWebSocket},
    outbox::Outbox,
};
