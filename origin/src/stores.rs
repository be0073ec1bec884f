//! The database behind the traits by which ingest, rooms and link ask for it.

use std::sync::Arc;

use anyhow::Context;
use common::{
    auth::ViewerClaims,
    chat::record::BanOrder,
    id::{Msn, RoomSlug},
    time::UnixMillis,
    wire::chat::{ChatMessage, EmoteRef},
};
use futures::future::{BoxFuture, FutureExt};
use node::clock;
use tokio::sync::Notify;

use crate::{
    chat::{ChatStore, Loaded, StoreError},
    control::Control,
    db::{BanOutcome, DbError, Kept, Message, Relay},
    ingest::admission::StreamKey,
    relays::{AllowedRelay, RelaySeen, RelayStore, StoreUnavailable},
    room::{KeyLookup, MemoryStore, MsnStore},
};

/// Messages that a room's chat remembers.
const CHAT_HISTORY: u32 = 1000;

/// [`KeyLookup`], [`MsnStore`], [`RelayStore`] and [`ChatStore`] over the database. Clones share it.
#[derive(Clone)]
pub struct Stores {
    control: Arc<Control>,
    public_urls_changed: Arc<Notify>,
}

impl Stores {
    pub fn new(control: Arc<Control>) -> Self {
        Self {
            control,
            public_urls_changed: Arc::default(),
        }
    }

    pub fn control(&self) -> &Arc<Control> {
        &self.control
    }

    /// Completes after a relay said where it is reached, or was removed.
    pub async fn public_urls_changed(&self) {
        self.public_urls_changed.notified().await;
    }

    /// A relay is no longer in the database: nobody has to trust its URL from now on.
    pub fn relay_removed(&self) {
        self.public_urls_changed.notify_one();
    }

    /// Where viewers may come from: the public URL, and those of all enrolled relays.
    ///
    /// # Errors
    /// The database cannot answer.
    pub async fn public_urls(&self) -> Result<Vec<String>, DbError> {
        let relays = self.control.db().relays().await?;
        let mut urls = vec![self.control.addresses().public_url.clone()];
        urls.extend(
            relays
                .into_iter()
                .filter(|relay| relay.enrolled_at.is_some())
                .filter_map(|relay| relay.url),
        );
        urls.sort();
        urls.dedup();
        Ok(urls)
    }
}

impl KeyLookup for Stores {
    fn room<'a>(&'a self, key: &'a StreamKey) -> BoxFuture<'a, anyhow::Result<Option<RoomSlug>>> {
        async { Ok(self.control.room_by_stream_key(key.expose()).await?) }.boxed()
    }
}

impl MsnStore for Stores {
    fn reserved<'a>(&'a self, room: &'a RoomSlug) -> BoxFuture<'a, anyhow::Result<Msn>> {
        async { self.control.db().reserved_msn(room).await?.context("the room is gone") }.boxed()
    }

    fn reserve<'a>(&'a self, room: &'a RoomSlug, upto: Msn) -> BoxFuture<'a, anyhow::Result<()>> {
        async move {
            self.control
                .db()
                .reserve_msn(room, upto)
                .await?
                .context("the room is gone")
                .map(|_| ())
        }
        .boxed()
    }
}

impl MemoryStore for Stores {
    fn memory<'a>(&'a self, room: &'a RoomSlug) -> BoxFuture<'a, anyhow::Result<Option<String>>> {
        async { Ok(self.control.db().publisher_memory(room).await?) }.boxed()
    }

    fn keep<'a>(&'a self, room: &'a RoomSlug, memory: String) -> BoxFuture<'a, anyhow::Result<()>> {
        async move { Ok(self.control.db().keep_publisher_memory(room, &memory).await?) }.boxed()
    }

    fn keep_open_until<'a>(
        &'a self,
        room: &'a RoomSlug,
        until: Option<UnixMillis>,
    ) -> BoxFuture<'a, anyhow::Result<()>> {
        async move { Ok(self.control.db().keep_open_until(room, until).await?) }.boxed()
    }
}

impl RelayStore for Stores {
    fn allowed<'a>(&'a self, relay_id: &'a str) -> BoxFuture<'a, Result<Option<AllowedRelay>, StoreUnavailable>> {
        async { allowed(self.control.db().enrolled_relay(relay_id).await) }.boxed()
    }

    fn redeem<'a>(
        &'a self,
        secret_sha256: &'a [u8; 32],
        at: UnixMillis,
    ) -> BoxFuture<'a, Result<Option<AllowedRelay>, StoreUnavailable>> {
        async move { allowed(self.control.db().redeem_relay_secret(secret_sha256, at).await) }.boxed()
    }

    fn seen<'a>(&'a self, relay_id: &'a str, seen: RelaySeen) -> BoxFuture<'a, Result<(), StoreUnavailable>> {
        async move {
            let RelaySeen { at, version, url } = seen;
            self.control
                .db()
                .relay_seen(relay_id, at, &version, &url)
                .await
                .map_err(|error| unavailable(&error))?;
            self.public_urls_changed.notify_one();
            Ok(())
        }
        .boxed()
    }
}

impl ChatStore for Stores {
    fn load<'a>(&'a self, room: &'a RoomSlug) -> BoxFuture<'a, Result<Option<Loaded>, StoreError>> {
        async { self.load_chat(room).await.map_err(|error| store_error(&error)) }.boxed()
    }

    fn keep<'a>(&'a self, batch: &'a [Kept]) -> BoxFuture<'a, Result<(), StoreError>> {
        async { self.control.db().keep(batch).await.map_err(|error| store_error(&error)) }.boxed()
    }

    fn ban<'a>(&'a self, order: &'a BanOrder) -> BoxFuture<'a, Result<BanOutcome, StoreError>> {
        async {
            let banned = self.control.ban(order, clock::unix_millis()).await;
            banned.map_err(|error| store_error(&error))
        }
        .boxed()
    }

    fn unban<'a>(&'a self, room: &'a RoomSlug, viewer_id: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let unbanned = self.control.unban(room, viewer_id).await;
            unbanned.map(|_| ()).map_err(|error| store_error(&error))
        }
        .boxed()
    }

    fn renew<'a>(
        &'a self,
        claims: &'a ViewerClaims,
    ) -> BoxFuture<'a, Result<Option<(String, UnixMillis)>, StoreError>> {
        async {
            let renewed = self.control.renew_viewer(claims, clock::unix_millis()).await;
            let token = renewed.map_err(|error| store_error(&error))?;
            Ok(token.map(|(token, expires_at)| (token.expose().to_owned(), expires_at)))
        }
        .boxed()
    }
}

impl Stores {
    async fn load_chat(&self, room: &RoomSlug) -> Result<Option<Loaded>, DbError> {
        let db = self.control.db();
        let Some((_, chat)) = db.chat_settings(room).await? else {
            return Ok(None);
        };
        let history = db.messages(room, None, CHAT_HISTORY).await?;
        let pinned = match chat.pinned_message_id {
            Some(id) => db.message(room, id).await?,
            None => None,
        };
        let emote = |emote: crate::db::Emote| EmoteRef {
            name: emote.name,
            file: emote.file,
        };
        Ok(Some(Loaded {
            history: history.into_iter().map(chat_message).collect(),
            newest_id: db.newest_message_id(room).await?,
            pinned: pinned.map(chat_message),
            emotes: db.emotes(room).await?.into_iter().map(emote).collect(),
            banned: db.banned_viewers(room).await?,
            silenced: db.silenced_viewers(room, clock::unix_millis()).await?,
            staff_names: db.staff_names(room).await?,
        }))
    }
}

/// Whom it named and by which client id it was sent is not kept.
fn chat_message(message: Message) -> ChatMessage {
    ChatMessage {
        id: message.id,
        viewer_id: message.viewer_id,
        nickname: message.nickname,
        role: message.role,
        text: message.text,
        sent_at: message.sent_at,
        media_time: message.media_time,
        reply_to: message.reply_to,
        mentions: Vec::new(),
        client_id: String::new(),
    }
}

fn store_error(error: &DbError) -> StoreError {
    let why = match error {
        DbError::Query(cause) => format!("{error}: {cause}"),
        _ => error.to_string(),
    };
    if error.is_about_data() {
        StoreError::Refused(why)
    } else {
        StoreError::Away(why)
    }
}

fn allowed(found: Result<Option<Relay>, DbError>) -> Result<Option<AllowedRelay>, StoreUnavailable> {
    Ok(found.map_err(|error| unavailable(&error))?.map(|relay| AllowedRelay {
        id: relay.id,
        name: relay.name,
    }))
}

fn unavailable(error: &DbError) -> StoreUnavailable {
    StoreUnavailable(error.to_string())
}

/// The wall clock, as the API takes it.
pub fn api_clock() -> crate::api::Clock {
    Arc::new(clock::unix_millis)
}
