//! The origin's end of the link against a real relay's end, over loopback.

mod admission;
mod chat;
mod harness;
mod media;
