//! Chats with a store and a gate in memory, and relays without sockets.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{
    auth::{Role, ViewerClaims},
    chat::{
        record::{BanOrder, Record},
        room::Settings,
    },
    id::RoomSlug,
    time::UnixMillis,
    wire::{
        chat::{ChatAct, ChatDown, ChatEvent, ChatMessage, ChatUp, KickReason, SocketEvent, SocketId},
        codec::{self, FRAME_PREFIX_LEN},
        control::{Revocation, UpstreamFrame},
    },
};
use futures::{FutureExt, future::BoxFuture};
use node::{clock, shutdown::Shutdown};
use tokio::sync::Notify;

use crate::{
    chat::{ChatStore, Chats, Gate, Known, Loaded, RelayChat, StoreError},
    db::{BanOutcome, BannedLink, Kept},
};

/// Long enough for a busy machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);

/// A viewer token that the gate of the tests takes, in the room `cinema`.
pub(crate) fn token(viewer_id: &str, role: Role) -> String {
    format!("{viewer_id} {role}")
}

pub(super) fn cinema() -> RoomSlug {
    "cinema".parse().unwrap()
}

#[derive(Default)]
pub(crate) struct MemoryStore {
    pub(super) is_down: Mutex<bool>,
    /// Loading never ends while it is set.
    pub(super) is_silent: Mutex<bool>,
    pub(super) loaded: Mutex<Loaded>,
    pub(super) kept: Mutex<Vec<Kept>>,
    pub(super) banned: Mutex<Vec<BanOrder>>,
    pub(super) unbanned: Mutex<Vec<String>>,
    pub(super) link: Mutex<Option<BannedLink>>,
    /// Viewers that get no newer token.
    pub(super) ended: Mutex<BTreeSet<String>>,
    pub(super) changed: Notify,
}

impl MemoryStore {
    fn look(&self) -> Result<(), StoreError> {
        if *self.is_down.lock().unwrap() {
            return Err(StoreError::Away("pulled out".to_owned()));
        }
        Ok(())
    }
}

impl ChatStore for MemoryStore {
    fn load<'a>(&'a self, _: &'a RoomSlug) -> BoxFuture<'a, Result<Option<Loaded>, StoreError>> {
        async {
            if *self.is_silent.lock().unwrap() {
                std::future::pending::<()>().await;
            }
            self.look()?;
            Ok(Some(self.loaded.lock().unwrap().clone()))
        }
        .boxed()
    }

    fn keep<'a>(&'a self, batch: &'a [Kept]) -> BoxFuture<'a, Result<(), StoreError>> {
        async {
            self.look()?;
            self.kept.lock().unwrap().extend_from_slice(batch);
            self.changed.notify_one();
            Ok(())
        }
        .boxed()
    }

    fn ban<'a>(&'a self, order: &'a BanOrder) -> BoxFuture<'a, Result<BanOutcome, StoreError>> {
        async {
            self.look()?;
            self.banned.lock().unwrap().push(order.clone());
            self.changed.notify_one();
            let link = self.link.lock().unwrap().unwrap_or(BannedLink::None);
            let revocations = Vec::new();
            Ok(BanOutcome { revocations, link })
        }
        .boxed()
    }

    fn unban<'a>(&'a self, _: &'a RoomSlug, viewer_id: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        async {
            self.look()?;
            self.unbanned.lock().unwrap().push(viewer_id.to_owned());
            self.changed.notify_one();
            Ok(())
        }
        .boxed()
    }

    fn renew<'a>(
        &'a self,
        claims: &'a ViewerClaims,
    ) -> BoxFuture<'a, Result<Option<(String, UnixMillis)>, StoreError>> {
        async {
            self.look()?;
            if self.ended.lock().unwrap().contains(&claims.viewer_id) {
                return Ok(None);
            }
            let expires_at = UnixMillis(claims.expires_at.0 + 600_000);
            Ok(Some((token(&claims.viewer_id, claims.role), expires_at)))
        }
        .boxed()
    }
}

/// Takes tokens as [`token`] makes them.
#[derive(Default)]
pub(crate) struct MemoryGate {
    pub(super) shut_out: Mutex<Vec<String>>,
    pub(super) pushed: Mutex<Vec<Revocation>>,
}

impl Gate for MemoryGate {
    fn check(&self, token: &str, room: &RoomSlug, _: &str) -> Result<ViewerClaims, KickReason> {
        let (viewer_id, role) = token.split_once(' ').ok_or(KickReason::Expired)?;
        if self.shut_out.lock().unwrap().iter().any(|id| id == viewer_id) {
            return Err(KickReason::Revoked);
        }
        let now = clock::unix_millis();
        Ok(ViewerClaims {
            viewer_id: viewer_id.to_owned(),
            invite_id: Some("i1".to_owned()),
            room: room.clone(),
            role: role.parse().map_err(|_| KickReason::Expired)?,
            nickname: format!("name of {viewer_id}"),
            relays: None,
            issued_at: now,
            expires_at: UnixMillis(now.0 + 600_000),
        })
    }

    fn shut_out(&self, viewer_id: &str) {
        self.shut_out.lock().unwrap().push(viewer_id.to_owned());
    }

    fn push(&self, revocation: Revocation) {
        self.pushed.lock().unwrap().push(revocation);
    }
}

/// Chats with one room, `cinema`.
pub(crate) struct House {
    pub(crate) chats: Chats,
    pub(super) store: Arc<MemoryStore>,
    pub(super) gate: Arc<MemoryGate>,
    pub(super) shutdown: Shutdown,
}

impl House {
    pub(crate) fn open() -> Self {
        Self::open_with(MemoryStore::default())
    }

    pub(super) fn open_with(store: MemoryStore) -> Self {
        Self::open_from(store, 1)
    }

    /// With messages below `first_id` from earlier runs.
    pub(super) fn open_from(store: MemoryStore, first_id: i64) -> Self {
        let (store, gate, shutdown) = (Arc::new(store), Arc::new(MemoryGate::default()), Shutdown::new());
        let chats = Chats::new(store.clone(), gate.clone(), &shutdown);
        let settings = Settings {
            name: "Cinema".to_owned(),
            ..Settings::default()
        };
        chats.open(&cinema(), Known { settings, first_id });
        Self {
            chats,
            store,
            gate,
            shutdown,
        }
    }

    pub(super) fn relay(&self, id: &str) -> Relay {
        Relay::of(self.chats.connect(id))
    }

    /// Waits until the store has what is looked for.
    pub(super) async fn until(&self, is_there: impl Fn(&MemoryStore) -> bool) {
        let there = async {
            while !is_there(&self.store) {
                self.store.changed.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.expect("it comes");
    }

    /// Ids of the messages that were kept.
    pub(super) fn kept_ids(&self) -> Vec<i64> {
        let kept = self.store.kept.lock().unwrap();
        let id = |kept: &Kept| match &kept.record {
            Record::Message(message) => Some(message.id),
            _ => None,
        };
        kept.iter().filter_map(id).collect()
    }
}

/// One connection of a relay, its frames read item by item.
pub(super) struct Relay {
    pub(super) chat: RelayChat,
    told: Vec<(RoomSlug, ChatDown)>,
}

impl Relay {
    pub(super) fn of(chat: RelayChat) -> Self {
        let told = Vec::new();
        Self { chat, told }
    }

    pub(super) async fn carry(&mut self, items: Vec<ChatUp>) {
        self.chat.carry(items).await.unwrap();
    }

    pub(super) async fn follow(&mut self) {
        let after = None;
        self.carry(vec![ChatUp::Follow { room: cinema(), after }]).await;
    }

    pub(super) async fn enter(&mut self, socket: SocketId, viewer_id: &str, role: Role) {
        self.carry(vec![entering(socket, &token(viewer_id, role))]).await;
    }

    pub(super) async fn act(&mut self, socket: SocketId, act: ChatAct) {
        self.carry(vec![ChatUp::Act {
            room: cinema(),
            socket,
            act,
        }])
        .await;
    }

    pub(super) async fn say(&mut self, socket: SocketId, text: &str) {
        self.act(socket, saying(text)).await;
    }

    /// The next item of any room.
    pub(super) async fn next(&mut self) -> (RoomSlug, ChatDown) {
        while self.told.is_empty() {
            let frame = tokio::time::timeout(PATIENCE, self.chat.next()).await;
            let frame = frame.expect("a frame comes");
            match codec::decode_frame(&frame[FRAME_PREFIX_LEN..]).unwrap() {
                Some(UpstreamFrame::Chat { room, items }) => {
                    self.told.extend(items.into_iter().map(|item| (room.clone(), item)));
                }
                other => panic!("{other:?}"),
            }
        }
        self.told.remove(0)
    }

    /// The first item that `pick` wants; those before are passed over.
    pub(super) async fn find<T>(&mut self, pick: impl Fn(&ChatDown) -> Option<T>) -> T {
        loop {
            if let Some(found) = pick(&self.next().await.1) {
                return found;
            }
        }
    }

    pub(super) async fn message(&mut self) -> ChatMessage {
        self.find(|item| match item {
            ChatDown::All(ChatEvent::Message(message)) => Some(message.clone()),
            _ => None,
        })
        .await
    }

    /// The next thing that the socket is told.
    pub(super) async fn told(&mut self, at: SocketId) -> SocketEvent {
        self.find(|item| match item {
            ChatDown::Socket { socket, event } if *socket == at => Some(event.clone()),
            _ => None,
        })
        .await
    }

    /// All messages of the next snapshot.
    pub(super) async fn snapshot(&mut self) -> Vec<ChatMessage> {
        let mut messages = Vec::new();
        loop {
            let piece = self
                .find(|item| match item {
                    ChatDown::Snapshot(piece) => Some(piece.clone()),
                    _ => None,
                })
                .await;
            messages.extend(piece.messages);
            if piece.state.is_some() {
                return messages;
            }
        }
    }
}

pub(super) fn entering(socket: SocketId, token: &str) -> ChatUp {
    ChatUp::Enter {
        room: cinema(),
        socket,
        token: token.to_owned(),
        address: "192.0.2.1".to_owned(),
    }
}

pub(super) fn saying(text: &str) -> ChatAct {
    ChatAct::Say {
        text: text.to_owned(),
        client_id: format!("c-{text}"),
        media_time: None,
        reply_to: None,
    }
}
