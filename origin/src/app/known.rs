//! What the database has to say of all rooms before they are opened.

use std::collections::HashMap;

use common::{id::RoomSlug, time::UnixMillis, wire::control::RoomState};
use node::{clock, config::ExitError};

use crate::{
    chat::Known, control::Control, db::DbError, relays::LinkState, room::StreamSettings, secrets::KeyHash,
    stores::Stores,
};

/// By room.
pub(super) type Awaited = HashMap<RoomSlug, UnixMillis>;

/// All rooms, with what their chats have to know while the database is there to tell.
pub(super) async fn known_rooms(control: &Control) -> Result<Vec<(RoomSlug, Known)>, ExitError> {
    let read = async {
        let first_ids: HashMap<_, _> = control.db().reserve_message_ids().await?.into_iter().collect();
        let rooms = control.db().rooms_with_chat().await?.into_iter();
        let known = rooms.map(|(room, chat)| {
            let known = Known {
                settings: chat.settings(&room),
                first_id: first_ids.get(&room.slug).copied().unwrap_or(1),
            };
            (room.slug, known)
        });
        Ok::<_, DbError>(known.collect())
    };
    read.await
        .map_err(|cause| ExitError::failed("--database-url", "", cause))
}

pub(super) async fn key_hashes(control: &Control) -> Result<HashMap<RoomSlug, KeyHash>, ExitError> {
    let hashes = control.db().key_hashes().await;
    hashes
        .map(HashMap::from_iter)
        .map_err(|cause| ExitError::failed("--database-url", "", cause))
}

pub(super) async fn stream_settings(control: &Control) -> Result<Vec<(RoomSlug, StreamSettings)>, ExitError> {
    let settings = control.all_stream_settings().await;
    settings.map_err(|cause| ExitError::failed("--database-url", "", cause))
}

/// Rooms that were on air when the process before ended, and until when their publishers are waited for.
pub(super) async fn awaited_rooms(control: &Control) -> Result<Awaited, ExitError> {
    let open = control.db().open_rooms(clock::unix_millis()).await;
    open.map(HashMap::from_iter)
        .map_err(|cause| ExitError::failed("--database-url", "", cause))
}

/// What a relay is told first: all rooms, as it answers for those alone, and nothing in them yet.
pub(super) async fn link_state(
    control: &Control,
    stores: &Stores,
    rooms: &[(RoomSlug, Known)],
    awaited: &Awaited,
) -> Result<LinkState, ExitError> {
    let public_urls = stores
        .public_urls()
        .await
        .map_err(|cause| ExitError::failed("--database-url", "", cause))?;
    let keys = control.secrets().signing().jwk_set().to_owned();
    let state = |(slug, _): &(RoomSlug, Known)| RoomState {
        slug: slug.clone(),
        is_live: awaited.contains_key(slug),
        interrupted: awaited.contains_key(slug),
    };
    Ok(LinkState {
        keys,
        revocations: control.revocations(),
        rooms: rooms.iter().map(state).collect(),
        public_urls,
    })
}
