//! Chat: the rules by which a room orders, refuses, moderates and remembers what is said in it.
//!
//! [`room`] is the origin's side, one state machine a room. [`relay`] is a relay's: it carries, mirrors and repeats, and decides
//! nothing. What goes between them is in [`crate::wire::chat`], what goes to browsers in [`json`].

pub mod allowance;
pub mod emoji;
pub mod history;
pub mod json;
pub mod looks;
pub mod mentions;
pub mod names;
pub mod permissions;
pub mod policy;
pub mod reactions;
pub mod record;
pub mod relay;
pub mod repeats;
pub mod room;
pub mod text;
