//! The relay's upstream: live rooms are mirrored while someone here watches them, the past is fetched, calls are carried, and what the
//! origin says of rooms, keys and revocations is kept.
//!
//! [`Upstream`] is what the viewers' side sees of it. Rules of the link are in `common::link::subscriber`; `client` drives them,
//! and is the one place that connects again.

mod chat;
mod client;
pub mod clock_offset;
pub mod interest;
mod session;
#[cfg(test)]
mod tests;
mod viewers;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use common::{
    id::{ChannelId, Epoch, RoomSlug},
    live::window::Retention,
    time::UnixMillis,
    wire::{
        control::{Revocation, RoomState, ViewerSeen},
        request::{CallReply, CallRequest, FetchReply, FetchRequest},
    },
};
use node::{
    clock,
    link_driver::{Connector, LinkConnection},
    live::Live,
    shutdown::Shutdown,
};
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};

use self::{client::Client, clock_offset::ClockOffset, interest::Interest};
pub use crate::cache::backfill::FetchError;
use crate::cache::{
    backfill::BackFill,
    directory::Directory,
    mirror::{Mirrored, Mirrors, is_ready},
};
use crate::chat::link::{self, ChatEnd};

/// How long a viewer waits for a room's window.
const WINDOW_WAIT: Duration = Duration::from_secs(3);
/// How long a question waits for a link that is being made anew.
const LINK_WAIT: Duration = Duration::from_secs(1);
/// For the answer to a question.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// What an upstream session needs.
pub struct UpstreamConfig {
    pub connector: Connector,
    /// Of this relay.
    pub name: String,
    /// Where viewers reach it.
    pub public_url: String,
    pub retention: Retention,
    /// Most bytes of fetched media, besides the windows.
    pub cache_bytes: u64,
}

/// A viewer's call did not reach the origin, or its answer did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("upstream cannot be reached")]
    Unavailable,
    #[error("upstream did not answer in time")]
    TimedOut,
}

/// Clones share the link.
#[derive(Clone)]
pub struct Upstream {
    shared: Arc<Shared>,
}

/// What the link's task writes and the handles read.
struct Shared {
    retention: Retention,
    directory: Directory,
    mirrors: Mirrors,
    backfill: BackFill,
    interest: Interest,
    clock: Mutex<ClockOffset>,
    /// Until someone carries it.
    chat: Mutex<Option<ChatEnd>>,
    /// While it stands and upstream has greeted.
    link: watch::Sender<Option<LinkConnection>>,
}

impl Upstream {
    /// Dials at once, and whenever the link is lost, until `shutdown`.
    pub fn start(config: UpstreamConfig, shutdown: &Shutdown) -> Self {
        let UpstreamConfig {
            connector,
            name,
            public_url,
            retention,
            cache_bytes,
        } = config;
        let (chat, link_end) = link::pair();
        let shared = Arc::new(Shared {
            retention,
            directory: Directory::default(),
            mirrors: Mirrors::new(retention),
            backfill: BackFill::new(cache_bytes),
            interest: Interest::default(),
            clock: Mutex::default(),
            chat: Mutex::new(Some(chat)),
            link: watch::Sender::new(None),
        });
        let client = Client::new(shared.clone(), connector, name, public_url, link_end);
        shutdown.spawn(client.run(shutdown.token().clone()));
        Self { shared }
    }

    /// The end of the link that chat runs on, for the first who asks.
    pub fn take_chat(&self) -> Option<ChatEnd> {
        self.shared.chat.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether the link stands.
    pub fn is_up(&self) -> bool {
        self.shared.link.borrow().is_some()
    }

    /// `None`: there is no such room, as far as this relay was told.
    pub fn room(&self, room: &RoomSlug) -> Option<RoomState> {
        self.shared.directory.room(room)
    }

    /// The room's media, once a viewer can start with it; waits at most three seconds. `None`: unknown, offline, or it did not come.
    ///
    /// Also for a minute after the end of a stream that was mirrored here, and while the link is away.
    pub async fn watch_room(&self, room: &RoomSlug) -> Option<Arc<Live>> {
        let shared = &self.shared;
        let state = shared.directory.room(room)?;
        let source = ChannelId::source(room.clone());
        if let Some(live) = shared.mirrors.get(&source).filter(|live| is_ready(live)) {
            shared.interest.sign(&source);
            return Some(live);
        }
        if !state.is_live {
            return None;
        }
        let until = Instant::now() + WINDOW_WAIT;
        loop {
            let mut mirror = shared.mirrors.open(&source);
            shared.interest.sign_urgently(&source);
            let mut changes = mirror.live.watch();
            loop {
                changes.borrow_and_update();
                if is_ready(&mirror.live) {
                    return Some(mirror.live);
                }
                // A room that is live again is told of before its window comes, and until then the mirror says what was before.
                if *mirror.is_offline.borrow_and_update() && !shared.is_live(room) {
                    return None;
                }
                let woken = timeout_at(until, async {
                    tokio::select! {
                        changed = changes.changed() => changed.is_ok(),
                        changed = mirror.is_offline.changed() => changed.is_ok(),
                    }
                });
                match woken.await {
                    Ok(true) => {}
                    // The mirror was let go meanwhile.
                    Ok(false) => break,
                    Err(_) => return None,
                }
            }
        }
    }

    /// A rung's mirror, which may be empty for as long as the rung is not made. It is followed from now on.
    pub fn watch_rung(&self, channel: &ChannelId) -> Mirrored {
        let shared = &self.shared;
        let mirrored = shared.mirrors.open(channel);
        if is_ready(&mirrored.live) {
            shared.interest.sign(channel);
        } else {
            shared.interest.sign_urgently(channel);
        }
        mirrored
    }

    /// The rung that has this epoch, and its media. It stays followed.
    pub fn rung_with(&self, room: &RoomSlug, epoch: Epoch) -> Option<(ChannelId, Arc<Live>)> {
        let (channel, live) = self.shared.mirrors.rung_with(room, epoch)?;
        self.shared.interest.sign(&channel);
        Some((channel, live))
    }

    /// A viewer asked for something of the room: it goes into the next report, and the room stays followed.
    pub fn viewer_seen(&self, room: &RoomSlug, viewer: ViewerSeen) {
        self.shared.interest.seen(room, viewer);
    }

    /// Media that is listed and not here, in pieces. Many who ask cause one fetch.
    ///
    /// # Errors
    /// See [`FetchError`]; the same answer stands for half a second.
    pub async fn fetch(&self, request: FetchRequest) -> Result<Vec<Bytes>, FetchError> {
        let size = self.shared.mirrors.size_of(&request);
        let (shared, question) = (self.shared.clone(), request.clone());
        let fetch = async move { shared.fetch(question).await };
        self.shared
            .backfill
            .get(request, size, fetch)
            .await
            .map(|body| vec![body])
    }

    /// Carries a viewer's API call to the origin.
    ///
    /// # Errors
    /// The origin may or may not have seen the call; see [`CallError`].
    pub async fn call(&self, request: CallRequest) -> Result<CallReply, CallError> {
        let link = self.shared.link().await.ok_or(CallError::Unavailable)?;
        match timeout(ANSWER_WAIT, link.call(request)).await {
            Ok(answer) => answer.map_err(|error| {
                tracing::debug!(%error, "a call was not answered");
                CallError::Unavailable
            }),
            Err(_) => Err(CallError::TimedOut),
        }
    }

    /// JWK set of the keys that verify viewer tokens; empty before the first connection.
    pub fn keys(&self) -> watch::Receiver<Arc<str>> {
        self.shared.directory.keys()
    }

    /// All revocations in force.
    pub fn revocations(&self) -> watch::Receiver<Arc<Vec<Revocation>>> {
        self.shared.directory.revocations()
    }

    /// Public URLs of this StreamCircle.
    pub fn public_urls(&self) -> watch::Receiver<Arc<Vec<String>>> {
        self.shared.directory.public_urls()
    }

    /// The origin's time; this machine's before the first connection.
    pub fn origin_now(&self) -> UnixMillis {
        self.shared.origin_now()
    }

    /// The name by which the origin knows this relay; `None` before the first connection.
    pub fn relay_id(&self) -> Option<Arc<str>> {
        self.shared.directory.relay_id()
    }

    /// Bytes went to viewers.
    pub fn egress(&self, bytes: u64) {
        self.shared.interest.egress(bytes);
    }
}

impl Shared {
    /// The link, if it stands or comes back in a moment.
    async fn link(&self) -> Option<LinkConnection> {
        let mut link = self.link.subscribe();
        let standing = timeout(LINK_WAIT, link.wait_for(Option::is_some)).await;
        standing.ok()?.ok()?.clone()
    }

    async fn fetch(&self, request: FetchRequest) -> Result<Bytes, FetchError> {
        let link = self.link().await.ok_or(FetchError::Unavailable)?;
        match timeout(ANSWER_WAIT, link.fetch(request)).await {
            Ok(Ok((FetchReply::Found { .. }, body))) => Ok(body),
            Ok(Ok((FetchReply::Gone, _))) => Err(FetchError::Gone),
            Ok(Err(_)) | Err(_) => Err(FetchError::Unavailable),
        }
    }

    fn is_live(&self, room: &RoomSlug) -> bool {
        self.directory.room(room).is_some_and(|state| state.is_live)
    }

    fn origin_now(&self) -> UnixMillis {
        self.clock()
            .origin_time(clock::monotonic())
            .unwrap_or_else(clock::unix_millis)
    }

    /// Held for moments.
    fn clock(&self) -> MutexGuard<'_, ClockOffset> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
