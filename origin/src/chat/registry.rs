//! All chats of this origin, by room; what relays, API and rooms do to them.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::{
    auth::Role,
    chat::{
        record::{AuditEntry, Doer, Record},
        room::{NotDone, OnAir, RelayKey, Settings},
    },
    id::RoomSlug,
    time::UnixMillis,
    wire::{
        chat::{ChatAct, EmoteRef, KickReason, Notice},
        control::{Revocation, RevokedSubject},
    },
};
use node::{clock, shutdown::Shutdown};

pub use super::opening::Known;
use super::{
    carried::RelayChat,
    errands::{self, Errands},
    journal::{self, Journal},
    line::Line,
    op::Op,
    opening::Slot,
    outside::{ChatStore, Gate, Loaded},
    room::Outlets,
};
use crate::{api::ChatStorage, db::Kept};

/// For the database to say what a chat starts with. Then it starts without.
const LOAD_TIMEOUT: Duration = Duration::from_secs(3);
/// How often it is asked again after that.
const LOAD_AGAIN: Duration = Duration::from_secs(2);

/// Handle to all chats; clones share them.
#[derive(Clone)]
pub struct Chats(Arc<Shared>);

struct Shared {
    store: Arc<dyn ChatStore>,
    outlets: Arc<Outlets>,
    shutdown: Shutdown,
    rooms: Mutex<HashMap<RoomSlug, Arc<Slot>>>,
    next_relay: AtomicU64,
    /// Connections of relays.
    relays: AtomicUsize,
}

impl Chats {
    /// No room has a chat yet.
    pub fn new(store: Arc<dyn ChatStore>, gate: Arc<dyn Gate>, shutdown: &Shutdown) -> Self {
        let (errands, queues) = Errands::new();
        let journal = Journal::default();
        let outlets = Outlets {
            journal: journal.clone(),
            errands,
            gate,
        };
        let chats = Self(Arc::new(Shared {
            store: Arc::clone(&store),
            outlets: Arc::new(outlets),
            shutdown: shutdown.clone(),
            rooms: Mutex::default(),
            next_relay: AtomicU64::new(0),
            relays: AtomicUsize::new(0),
        }));
        errands::spawn(&chats, queues, shutdown);
        shutdown.spawn(journal.run(store, chats.clone(), shutdown.token().clone()));
        chats
    }

    /// A room that exists from now on. A known one is left as it is.
    pub fn open(&self, room: &RoomSlug, known: Known) {
        let slot = Slot::new(room.clone(), known, Arc::clone(&self.0.outlets));
        self.rooms().entry(room.clone()).or_insert_with(|| Arc::new(slot));
    }

    /// A room that was made just now: nothing was ever said there.
    pub fn created(&self, room: &RoomSlug, settings: Settings) {
        let first_id = 1;
        self.open(room, Known { settings, first_id });
        // Before anything is said: the database is there now, and may be away then.
        self.record(room, Record::IdsReserved { upto: first_id });
    }

    /// The room is gone, with all that was said there.
    pub fn remove(&self, room: &RoomSlug) {
        let slot = self.rooms().remove(room);
        if let Some(slot) = slot {
            slot.close();
            self.0.outlets.journal.forget(room);
        }
    }

    /// A relay's connection. Its chats forget it when this is dropped.
    pub fn connect(&self, relay_id: &str) -> RelayChat {
        let key = RelayKey(self.0.next_relay.fetch_add(1, Ordering::Relaxed));
        self.0.relays.fetch_add(1, Ordering::Relaxed);
        let (line, frames) = Line::new(key, relay_id.to_owned());
        RelayChat::new(self.clone(), line, frames)
    }

    pub(super) fn lost(&self, line: &Line) {
        for room in line.rooms() {
            self.apply(&room, vec![Op::Lost(line.key)]);
        }
        self.0.relays.fetch_sub(1, Ordering::Relaxed);
    }

    /// How the room stands on air.
    pub fn set_on_air(&self, room: &RoomSlug, on_air: OnAir) {
        if let Some(slot) = self.slot(room) {
            slot.set_on_air(on_air);
        }
    }

    /// What the operator or a host set, whole.
    pub fn settings_changed(&self, room: &RoomSlug, settings: Settings) {
        if let Some(slot) = self.slot(room) {
            slot.set(settings);
        }
    }

    pub fn emotes_changed(&self, room: &RoomSlug, emotes: Vec<EmoteRef>) {
        self.apply(room, vec![Op::Emotes(emotes)]);
    }

    /// Whether the room takes nobody new. `None`: no such room has a chat here.
    pub fn is_locked(&self, room: &RoomSlug) -> Option<bool> {
        Some(self.slot(room)?.is_locked())
    }

    /// A name that nobody else has, the viewer's from now on. While a chat is being opened, nobody of those who came since; the
    /// socket says which name it is in the end.
    pub fn claim_name(&self, room: &RoomSlug, viewer_id: &str, role: Role, wanted: &str) -> String {
        match self.begun(room) {
            Some(slot) => slot.claim_name(viewer_id, role, wanted),
            None => wanted.to_owned(),
        }
    }

    /// The operator or a host acts.
    ///
    /// # Errors
    /// It may not, or there is no such message, viewer or room.
    pub async fn moderate(&self, room: &RoomSlug, by: &Doer, act: ChatAct) -> Result<(), NotDone> {
        let slot = self.begun(room).ok_or(NotDone::NotAllowed)?;
        slot.settled().await;
        slot.act_as(by, act)
    }

    pub fn audit(&self, room: &RoomSlug, entry: AuditEntry) {
        self.record(room, Record::Audit(entry));
    }

    /// Messages sent before are forgotten.
    pub fn forget_messages(&self, room: &RoomSlug, before: UnixMillis) {
        self.apply(room, vec![Op::Forget(before)]);
    }

    /// Whom it shuts out is out of the chats.
    pub fn revoked(&self, revocation: &Revocation) {
        let op = || match &revocation.subject {
            RevokedSubject::Viewer(viewer_id) => Some(Op::ShutOut(viewer_id.clone(), KickReason::Revoked)),
            RevokedSubject::Invite(invite_id) => Some(Op::ShutOutInvite(invite_id.clone())),
            // Ends with the room.
            RevokedSubject::Room(_) => None,
        };
        let slots: Vec<Arc<Slot>> = self.rooms().values().cloned().collect();
        for slot in slots {
            slot.apply(op().into_iter().collect());
        }
    }

    pub fn storage(&self) -> ChatStorage {
        self.0.outlets.journal.storage()
    }

    pub(super) fn store(&self) -> &Arc<dyn ChatStore> {
        &self.0.store
    }

    pub(super) fn gate(&self) -> &Arc<dyn Gate> {
        &self.0.outlets.gate
    }

    pub(super) fn record(&self, room: &RoomSlug, record: Record) {
        self.0.outlets.journal.push(Kept {
            room: room.clone(),
            at: clock::unix_millis(),
            record,
        });
    }

    /// Does `ops` in a chat that is open or about to be.
    pub(super) fn apply(&self, room: &RoomSlug, ops: Vec<Op>) {
        if let Some(slot) = self.slot(room) {
            slot.apply(ops);
        }
    }

    /// Does `ops`, and opens the chat for them. False: there is no such room.
    pub(super) fn apply_opening(&self, room: &RoomSlug, ops: Vec<Op>) -> bool {
        let slot = self.begun(room);
        if let Some(slot) = &slot {
            slot.apply(ops);
        }
        slot.is_some()
    }

    /// The room, whose chat is open or about to be.
    fn begun(&self, room: &RoomSlug) -> Option<Arc<Slot>> {
        let slot = self.slot(room)?;
        if slot.begin() {
            self.0.shutdown.spawn(self.clone().run(Arc::clone(&slot)));
        }
        Some(slot)
    }

    async fn run(self, slot: Arc<Slot>) {
        let stop = self.0.shutdown.token();
        let loaded = self.load(&slot).await;
        match loaded {
            Ok(loaded) => {
                slot.open(loaded.unwrap_or_default());
                slot.keep_time(stop).await;
            }
            Err(why) => {
                tracing::error!(room = %slot.slug, why, "a chat opens without its past");
                slot.open(Loaded::default());
                let catching_up = async {
                    self.catch_up(&slot).await;
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    () = slot.keep_time(stop) => {}
                    () = catching_up => {}
                }
            }
        }
    }

    async fn catch_up(&self, slot: &Slot) {
        loop {
            tokio::time::sleep(LOAD_AGAIN).await;
            if let Ok(loaded) = self.load(slot).await {
                return slot.catch_up(loaded.unwrap_or_default());
            }
        }
    }

    async fn load(&self, slot: &Slot) -> Result<Option<Loaded>, String> {
        let loading = self.0.store.load(&slot.slug);
        match tokio::time::timeout(LOAD_TIMEOUT, loading).await {
            Ok(loaded) => loaded.map_err(|error| error.to_string()),
            Err(_) => Err("time is up".to_owned()),
        }
    }

    fn slot(&self, room: &RoomSlug) -> Option<Arc<Slot>> {
        self.rooms().get(room).cloned()
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomSlug, Arc<Slot>>> {
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl journal::Rooms for Chats {
    fn notify_hosts(&self, room: &RoomSlug, notice: Notice) {
        self.apply(room, vec![Op::Notify(Role::Host, notice)]);
    }

    fn are_quiet(&self) -> bool {
        self.0.relays.load(Ordering::Relaxed) == 0
    }
}
