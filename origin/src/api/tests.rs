//! The API as a caller sees it: each call and each status, on a real SQLite file.

mod description;
mod harness;
mod hooks;
mod invites;
mod joining;
mod messages;
mod relays;
mod rooms;
mod sign_in;
mod timing;
