//! The rooms' chats at run time: one [`ChatRoom`](common::chat::room::ChatRoom) a room, driven.
//!
//! What relays carry up and what the API asks for is put into a room under its lock, which is held briefly and never across
//! an await; what comes of it goes, still under the lock and so in one order for all, into the bounded queue of each relay's
//! session, encoded once. Whatever needs the database goes on behind: the [`journal`] keeps what was said, [`errands`] see to bans
//! and newer tokens, [`opening`] reads what a chat starts with. A database that is away stops none of it.
//!
//! Locks: the rooms' list, then a room, then the journal's backlog or a relay's line.

mod carried;
mod errands;
mod journal;
mod line;
mod op;
mod opening;
mod outside;
mod registry;
mod room;
#[cfg(test)]
pub(crate) mod tests;

pub use self::{
    carried::{RelayChat, TooMuch},
    outside::{ChatStore, Gate, Loaded, StoreError},
    registry::{Chats, Known},
};
