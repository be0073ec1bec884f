//! Tells relays and chats what changed elsewhere in the origin.

use std::collections::BTreeMap;

use common::chat::room::OnAir;
use node::shutdown::Shutdown;

use crate::{
    chat::Chats,
    relays::Relays,
    room::{RoomStatus, Rooms},
    stores::Stores,
};

/// Tells the relays and the chats of every room that comes, changes or goes.
pub async fn tell_rooms(rooms: Rooms, relays: Relays, chats: Chats, shutdown: Shutdown) {
    let mut states = rooms.states();
    let mut told = BTreeMap::new();
    loop {
        let now = states.borrow_and_update().clone();
        for (slug, state) in &now {
            if told.get(slug) != Some(state) {
                relays.push_room(state.clone());
                chats.set_on_air(slug, on_air(rooms.status(slug)));
            }
        }
        for slug in told.keys().filter(|slug| !now.contains_key(slug)) {
            relays.push_room_gone(slug.clone());
        }
        told = now;
        tokio::select! {
            changed = states.changed() => if changed.is_err() { return },
            () = shutdown.token().cancelled() => return,
        }
    }
}

fn on_air(status: RoomStatus) -> OnAir {
    OnAir {
        is_live: status.is_live,
        interrupted: status.interrupted,
        started_at: status.started_at,
    }
}

/// Tells the relays where viewers may come from, whenever a relay says where it is reached, or is removed.
pub async fn tell_public_urls(stores: Stores, relays: Relays, shutdown: Shutdown) {
    while shutdown
        .token()
        .run_until_cancelled(stores.public_urls_changed())
        .await
        .is_some()
    {
        match stores.public_urls().await {
            Ok(public_urls) => relays.push_public_urls(public_urls),
            Err(error) => tracing::warn!(%error, "relays are not told all public URLs"),
        }
    }
}
