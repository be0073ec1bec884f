//! The relays of this origin: who may connect, what they are told, and what they ask.
//!
//! `roster` knows who is connected; `listener` lets connections in, by the protocol they speak: `enrol` for new relays, a
//! `session` for each enrolled one. What is sent of a room, and when, is decided by `common::link::publisher`; a room's
//! media is only read here. A room's chat goes through `crate::chat`.

mod answers;
mod calls;
mod enrol;
mod listener;
mod roster;
mod sends;
mod session;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod watched;
mod welcome;

use std::{any::Any, net::SocketAddr, sync::Arc};

use common::{
    id::{ChannelId, RoomSlug},
    wire::control::{Revocation, RoomReport, RoomState},
};
use node::{
    live::Live,
    pki::Authority,
    quic::{self, QuicError},
    shutdown::Shutdown,
};

use crate::chat::Chats;

pub(crate) use self::calls::MAX_REPLY_LEN;
use self::{listener::Context, roster::Roster};
pub use self::{
    status::{RelayStatus, ViaRelay, ViewerPeer},
    store::{AllowedRelay, RelaySeen, RelayStore, StoreUnavailable},
    welcome::LinkState,
};

/// The rooms, as relays need them. Both are called often and must not wait.
pub trait RoomsForRelays: Send + Sync + 'static {
    /// The channel's media: a room's, if the room is there; a rung's, if it is offered, which is made from now on for as long as
    /// what is given here is kept.
    fn live(&self, channel: &ChannelId) -> Option<Followed>;

    /// Viewers that were seen at a relay since it reported last.
    fn viewers_seen(&self, relay_id: &str, reports: Vec<RoomReport>);
}

/// A channel's media, for a relay that follows it.
pub struct Followed {
    pub live: Arc<Live>,
    /// Dropped when it is not followed any more.
    pub hold: Option<Box<dyn Any + Send>>,
}

/// All relays of this origin. Clones share them.
#[derive(Clone)]
pub struct Relays {
    roster: Arc<Roster>,
    store: Arc<dyn RelayStore>,
}

impl Relays {
    /// No relay is connected yet; `state` is what each is told first.
    pub fn new(state: LinkState, store: Arc<dyn RelayStore>) -> Self {
        Self {
            roster: Arc::new(Roster::new(state)),
            store,
        }
    }

    /// Lets relays in on a UDP port, and gives the address with the port that it got. `calls` answers viewers' API calls: it
    /// must hold nothing that is not open to viewers, and finds [`ViewerPeer`] and [`ViaRelay`] among a request's
    /// extensions.
    ///
    /// # Errors
    /// The port is taken, or TLS cannot be set up.
    pub fn listen(
        &self,
        address: SocketAddr,
        authority: Arc<Authority>,
        rooms: Arc<dyn RoomsForRelays>,
        chats: Chats,
        calls: axum::Router,
        shutdown: &Shutdown,
    ) -> Result<SocketAddr, QuicError> {
        let endpoint = quic::listen(&authority, address)?;
        let listening = endpoint
            .local_addr()
            .map_err(|source| QuicError::Listen { address, source })?;
        let context = Context {
            roster: Arc::clone(&self.roster),
            store: Arc::clone(&self.store),
            authority,
            rooms,
            chats,
            calls,
        };
        shutdown.spawn(listener::run(endpoint, Arc::new(context), shutdown.token().clone()));
        Ok(listening)
    }

    /// Every relay that was connected since the start and was not removed.
    pub fn statuses(&self) -> Vec<RelayStatus> {
        self.roster.statuses()
    }

    /// Disconnects a removed relay at once. It cannot come back, whatever the store says.
    pub fn cut(&self, relay_id: &str) {
        self.roster.cut(relay_id);
    }

    /// Tells all relays the public keys (JWK set, JSON).
    pub fn push_keys(&self, keys: String) {
        self.roster.push_keys(keys);
    }

    /// Tells all relays, now and when they come, until it is over.
    pub fn push_revocation(&self, revocation: Revocation) {
        self.roster.push_revocation(revocation);
    }

    /// A room is new or changed.
    pub fn push_room(&self, state: RoomState) {
        self.roster.push_room(state);
    }

    pub fn push_room_gone(&self, room: RoomSlug) {
        self.roster.push_room_gone(room);
    }

    /// Tells all relays the public URLs of this StreamCircle.
    pub fn push_public_urls(&self, public_urls: Vec<String>) {
        self.roster.push_public_urls(public_urls);
    }
}
