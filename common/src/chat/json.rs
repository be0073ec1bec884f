//! The viewer's socket in JSON: what browsers send and what they are sent, one object a text frame.
//!
//! `testdata/json/chat` holds an example of each message; the tests here and those of the web app read the same files. Keys are
//! camelCase. What is sent may grow by keys and types; what is read may hold keys that are not known.

mod client;
mod from_wire;
mod rfc3339;
mod server;

pub use self::{
    client::{ClientMessage, MAX_NAME_LEN, MAX_REASON_LEN, Unreadable},
    from_wire::emote_url,
    server::{Access, Emote, Hello, Message, Notice, OnAir, Person, Room, RoomChange, ServerMessage},
};

#[cfg(test)]
mod tests;
