//! The viewers' side on windows that are filled by hand, mostly through a real listener.

mod access;
mod api;
mod chat;
mod emotes;
mod media;
mod playlists;
mod rungs;
mod stage;
