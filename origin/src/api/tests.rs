//! The API as a caller sees it: each call and each status, on a real SQLite file.

mod bans;
mod description;
mod emotes;
mod harness;
mod hooks;
mod invites;
mod joining;
mod messages;
mod moderation;
mod relays;
mod rooms;
mod sign_in;
mod streams;
mod timing;
