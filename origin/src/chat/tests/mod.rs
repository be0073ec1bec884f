//! Chats driven by scripted relays, over a database in memory that can be pulled out.

mod bounds;
mod database;
mod harness;
mod scenarios;

pub(crate) use harness::{House, token};
