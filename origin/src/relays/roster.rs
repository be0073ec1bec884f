//! Who is connected, what every relay is told, and what each said last.
//!
//! One lock, held briefly and never across an await. What is pushed goes into a bounded queue of each session; a session whose
//! queue is full is ended, and learns all anew when it comes back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use common::{
    auth::revocations::in_force,
    id::RoomSlug,
    time::UnixMillis,
    wire::control::{Revocation, RoomReport, RoomState, UpstreamFrame},
};
use metrics::gauge;
use node::{
    clock,
    link_driver::{CloseCode, LinkConnection},
};
use tokio::sync::{mpsc, oneshot};

use super::{AllowedRelay, LinkState, RelayStatus, welcome};

/// Most relays that are connected at a time.
const MAX_RELAYS: usize = 512;
/// Pushes that wait for one session.
const PUSH_QUEUE: usize = 1024;

/// Tells a session to end.
#[derive(Clone, Debug)]
pub(super) struct Leave {
    pub(super) code: CloseCode,
    pub(super) reason: &'static str,
}

impl Leave {
    pub(super) fn too_slow() -> Self {
        Self {
            code: CloseCode::Unavailable,
            reason: "too slow; come back",
        }
    }
}

pub(super) struct Roster {
    inner: Mutex<Inner>,
}

struct Inner {
    state: LinkState,
    relays: BTreeMap<String, Entry>,
    /// Removed since the start: grows only by what an operator removes, and ids are not used again.
    removed: BTreeSet<String>,
    next_session: u64,
}

/// A relay that is or was connected.
struct Entry {
    relay: AllowedRelay,
    session: Option<Session>,
    said: Said,
}

struct Session {
    number: u64,
    link: LinkConnection,
    leave: oneshot::Sender<Leave>,
    /// Since its welcome.
    pushes: Option<mpsc::Sender<UpstreamFrame>>,
}

/// What a relay said of itself.
#[derive(Clone, Debug, Default)]
struct Said {
    rooms: u32,
    viewers: u32,
    egress_bytes: u64,
    last_seen: Option<UnixMillis>,
    version: String,
    url: String,
}

/// A session's place in the roster; the relay is offline when it is dropped.
pub(super) struct Seat {
    roster: Arc<Roster>,
    pub(super) relay: AllowedRelay,
    number: u64,
}

/// Why a relay gets no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSeat {
    Full,
    Removed,
}

impl Roster {
    pub(super) fn new(state: LinkState) -> Self {
        Self {
            inner: Mutex::new(Inner {
                state,
                relays: BTreeMap::new(),
                removed: BTreeSet::new(),
                next_session: 0,
            }),
        }
    }

    /// Gives a relay its seat; its older session, if any, has to leave.
    pub(super) fn enter(
        self: &Arc<Self>,
        relay: AllowedRelay,
        link: LinkConnection,
    ) -> Result<(Seat, oneshot::Receiver<Leave>), NoSeat> {
        let mut inner = self.lock();
        if inner.removed.contains(&relay.id) {
            return Err(NoSeat::Removed);
        }
        let is_online = |entry: &Entry| entry.session.is_some();
        let others = inner
            .relays
            .values()
            .filter(|entry| is_online(entry) && entry.relay.id != relay.id);
        if others.count() >= MAX_RELAYS {
            return Err(NoSeat::Full);
        }
        let number = inner.next_session;
        inner.next_session += 1;
        let (leave, must_leave) = oneshot::channel();
        let entry = inner.relays.entry(relay.id.clone()).or_insert_with(|| Entry {
            relay: relay.clone(),
            session: None,
            said: Said::default(),
        });
        entry.relay = relay.clone();
        let older = entry.session.replace(Session {
            number,
            link,
            leave,
            pushes: None,
        });
        if let Some(older) = older {
            older.leave(CloseCode::Replaced, "the same relay connected anew");
        }
        inner.count_online();
        let seat = Seat {
            roster: Arc::clone(self),
            relay,
            number,
        };
        Ok((seat, must_leave))
    }

    /// The relay as it was last known to be allowed, for when the database cannot answer.
    pub(super) fn known(&self, relay_id: &str) -> Option<AllowedRelay> {
        self.lock().relays.get(relay_id).map(|entry| entry.relay.clone())
    }

    /// Ends the relay's session and lets it in no more.
    pub(super) fn cut(&self, relay_id: &str) {
        let mut inner = self.lock();
        inner.removed.insert(relay_id.to_owned());
        if let Some(session) = inner.relays.remove(relay_id).and_then(|entry| entry.session) {
            session.leave(CloseCode::NotAllowed, "this relay was removed");
        }
        inner.count_online();
    }

    pub(super) fn statuses(&self) -> Vec<RelayStatus> {
        self.lock().relays.values().map(Entry::status).collect()
    }

    pub(super) fn push_keys(&self, keys: String) {
        let mut inner = self.lock();
        inner.state.keys.clone_from(&keys);
        inner.push(&UpstreamFrame::Keys { keys });
    }

    pub(super) fn push_public_urls(&self, public_urls: Vec<String>) {
        let mut inner = self.lock();
        inner.state.public_urls.clone_from(&public_urls);
        inner.push(&UpstreamFrame::PublicUrls { public_urls });
    }

    pub(super) fn push_revocation(&self, revocation: Revocation) {
        let mut inner = self.lock();
        let now = clock::unix_millis();
        inner.state.revocations.retain(|known| in_force(known.until, now));
        inner.state.revocations.push(revocation.clone());
        inner.push(&UpstreamFrame::Revoke {
            revocations: vec![revocation],
        });
    }

    pub(super) fn push_room(&self, state: RoomState) {
        let mut inner = self.lock();
        match inner.state.rooms.iter_mut().find(|known| known.slug == state.slug) {
            Some(known) => *known = state.clone(),
            None => inner.state.rooms.push(state.clone()),
        }
        inner.push(&UpstreamFrame::Room { state });
    }

    pub(super) fn push_room_gone(&self, room: RoomSlug) {
        let mut inner = self.lock();
        inner.state.rooms.retain(|known| known.slug != room);
        inner.push(&UpstreamFrame::RoomGone { room });
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change is whole before anything that could panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn push(&mut self, frame: &UpstreamFrame) {
        for entry in self.relays.values_mut() {
            let Some(pushes) = entry.session.as_ref().and_then(|session| session.pushes.as_ref()) else {
                continue;
            };
            if pushes.try_send(frame.clone()).is_err()
                && let Some(session) = entry.session.take()
            {
                tracing::warn!(relay = entry.relay.id, "a relay does not take what it is told");
                let _ = session.leave.send(Leave::too_slow());
            }
        }
    }

    fn count_online(&self) {
        let online = self.relays.values().filter(|entry| entry.session.is_some()).count();
        gauge!("streamcircle_link_relays").set(u32::try_from(online).unwrap_or(u32::MAX));
    }

    fn seated(&mut self, seat: &Seat) -> Option<&mut Entry> {
        let is_its = |session: &Session| session.number == seat.number;
        let entry = self.relays.get_mut(&seat.relay.id)?;
        entry.session.as_ref().is_some_and(is_its).then_some(entry)
    }
}

impl Session {
    fn leave(self, code: CloseCode, reason: &'static str) {
        // The session may have ended by itself just now.
        let _ = self.leave.send(Leave { code, reason });
    }
}

impl Entry {
    fn status(&self) -> RelayStatus {
        let said = &self.said;
        let session = self.session.as_ref();
        RelayStatus {
            id: self.relay.id.clone(),
            online: session.is_some(),
            rooms: session.map_or(0, |_| said.rooms),
            viewers: session.map_or(0, |_| said.viewers),
            egress_bytes: said.egress_bytes,
            rtt_ms: session.map(|session| session.link.rtt().as_secs_f64() * 1000.0),
            last_seen: said.last_seen,
            version: said.version.clone(),
            url: said.url.clone(),
        }
    }
}

impl Seat {
    /// The relay introduced itself: what it has to be told, after which everything that changes comes by the queue.
    pub(super) fn welcome(
        &self,
        version: String,
        url: String,
    ) -> Option<(Vec<UpstreamFrame>, mpsc::Receiver<UpstreamFrame>)> {
        let mut inner = self.roster.lock();
        let frames = welcome::frames(&self.relay.id, &inner.state, clock::unix_millis());
        let entry = inner.seated(self)?;
        entry.said.version = version;
        entry.said.url = url;
        entry.said.last_seen = Some(clock::unix_millis());
        let (pushes, queue) = mpsc::channel(PUSH_QUEUE);
        entry.session.as_mut()?.pushes = Some(pushes);
        Some((frames, queue))
    }

    /// The relay is subscribed to so many rooms.
    pub(super) fn mirrors(&self, rooms: usize) {
        if let Some(entry) = self.roster.lock().seated(self) {
            entry.said.rooms = u32::try_from(rooms).unwrap_or(u32::MAX);
        }
    }

    /// The relay's report of what goes on there.
    pub(super) fn reported(&self, rooms: &[RoomReport], egress_bytes: u64) {
        let viewers: BTreeSet<_> = rooms
            .iter()
            .flat_map(|room| room.viewers.iter().map(|viewer| &viewer.viewer_id))
            .collect();
        if let Some(entry) = self.roster.lock().seated(self) {
            entry.said.viewers = u32::try_from(viewers.len()).unwrap_or(u32::MAX);
            entry.said.egress_bytes = egress_bytes;
            entry.said.last_seen = Some(clock::unix_millis());
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut inner = self.roster.lock();
        if let Some(entry) = inner.seated(self) {
            entry.session = None;
        }
        inner.count_online();
    }
}
