//! The origin: takes the publisher's stream, packages it, owns rooms, invites and the database, and feeds relays.

pub mod api;
pub mod app;
pub mod chat;
pub mod cli;
pub mod config;
pub mod control;
pub mod db;
pub mod embedded;
pub mod emotes;
pub mod gate;
pub mod ingest;
pub mod network;
pub mod news;
pub mod opening;
pub mod plane;
pub mod relays;
pub mod retention;
pub mod room;
pub mod secrets;
pub mod slate;
pub mod stores;
pub mod transcode;
pub mod welcome;
