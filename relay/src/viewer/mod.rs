//! What viewers see of a relay: the web app, the calls of its pages, playlists and media (docs: the outside contract, section 4).
//!
//! All of it runs on [`rooms::Rooms`] alone. Whoever adds a route for a room guards it as the others are: [`auth::presented`] finds
//! the token, [`auth::Gate::admit`] decides.

mod api;
pub mod auth;
mod body;
mod chat;
mod emotes;
pub mod error;
mod headers;
mod hold;
mod live;
mod media;
mod playlist;
pub mod rooms;
mod rung;
pub mod state;

use std::sync::Arc;

use axum::{
    Router,
    routing::{any, get},
};
use node::web_app::{self, Entry};

pub use self::{api::is_ours, state::Viewers};

/// All that a relay answers on its viewers' listener.
pub fn router(viewers: Arc<Viewers>) -> Router {
    // The wildcard takes no empty rest.
    let live = Router::new()
        .route("/live", any(live::enter))
        .route("/live/", any(live::enter))
        .route("/live/{*path}", any(live::enter))
        .route("/t/{*path}", any(live::enter))
        .with_state(viewers.clone());
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .merge(api::router(viewers.clone()))
        .merge(chat::router(viewers.clone()))
        .merge(emotes::router(viewers))
        .merge(live)
        .merge(web_app::router(Entry::Viewer))
}

#[cfg(test)]
mod tests;
