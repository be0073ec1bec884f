//! A relay: mirrors the live rooms that its viewers watch, and serves them. It knows bytes, windows and public keys, nothing else.

pub mod app;
pub mod cache;
pub mod chat;
pub mod config;
pub mod metrics;
pub mod upstream;
pub mod viewer;
pub mod websocket;
