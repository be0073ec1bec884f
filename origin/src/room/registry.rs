//! All rooms of this origin at run time, by slug.

mod keys;
mod viewers;

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};

use common::{
    id::{RoomSlug, Rung},
    packager::IngestHealth,
    time::UnixMillis,
    wire::control::RoomState,
};
use node::{clock, live::Live, shutdown::Shutdown};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    ingest::admission::{LeaseEnded, PublishEnd},
    secrets::KeyHash,
    slate::making::SlateMaker,
    transcode::{Ladder, LadderHealth, RungHold, Transcoder},
};

use self::keys::RememberedKey;
use super::{
    actor::{Actor, COMMAND_QUEUE, RoomCommand},
    audience::Audience,
    memories::{Memories, MemoryStore},
    numbers::MsnStore,
    open_until::OpenUntil,
    passes::{Fronted, Gone, Pass, Passes, file::PassFile},
    publication::Publication,
    settings::{Slate, StreamSettings},
    stand_in::{SlateHealth, StandIn},
};

/// What is shown of a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomStatus {
    /// There is something to play, if only the end of what an interrupted publisher sent, here or at relays.
    pub is_live: bool,
    /// Nobody publishes for now, and the room waits.
    pub interrupted: bool,
    pub started_at: Option<UnixMillis>,
}

pub struct RoomsConfig {
    /// PART-TARGET asked for, milliseconds.
    pub part_target_ms: u32,
    pub retention: common::live::window::Retention,
    /// `None`: no slates are made.
    pub slates: Option<Arc<SlateMaker>>,
    /// `None`: what rooms learn of their publishers is lost with the process.
    pub memories: Option<Arc<dyn MemoryStore>>,
}

struct Room {
    commands: mpsc::Sender<RoomCommand>,
    publication: Arc<Publication>,
    status: watch::Receiver<RoomStatus>,
    audience: Mutex<Audience>,
    slate: watch::Sender<Slate>,
    slate_health: watch::Receiver<SlateHealth>,
    key: Mutex<RememberedKey>,
}

/// Handle to all rooms; clones share them.
#[derive(Clone)]
pub struct Rooms(Arc<Shared>);

struct Shared {
    config: RoomsConfig,
    store: Arc<dyn MsnStore>,
    transcoder: Transcoder,
    shutdown: Shutdown,
    rooms: Mutex<HashMap<RoomSlug, Arc<Room>>>,
    passes: Arc<Passes>,
    /// What relays are told; changes are followed by whoever tells them.
    states: watch::Sender<BTreeMap<RoomSlug, RoomState>>,
}

impl Rooms {
    /// Rooms without a ladder.
    pub fn new(config: RoomsConfig, store: Arc<dyn MsnStore>, shutdown: Shutdown) -> Self {
        let transcoder = Transcoder::none(&shutdown);
        Self::with_transcoder(config, store, transcoder, shutdown)
    }

    pub fn with_transcoder(
        config: RoomsConfig,
        store: Arc<dyn MsnStore>,
        transcoder: Transcoder,
        shutdown: Shutdown,
    ) -> Self {
        let (rooms, passes, states) = (Mutex::default(), Arc::default(), watch::Sender::default());
        Self(Arc::new(Shared {
            config,
            store,
            transcoder,
            shutdown,
            rooms,
            passes,
            states,
        }))
    }

    /// Keeps the names that stand in for keys over restarts, those of rooms whose key is among the `present` ones. Blocks while it reads.
    pub fn keep_passes(&self, file: PathBuf, present: &HashMap<RoomSlug, KeyHash>) -> PassFile {
        PassFile::open(file, Arc::clone(&self.0.passes), present, &self.0.shutdown)
    }

    /// A room that exists from now on. A known one is left as it is.
    pub fn open(&self, slug: &RoomSlug) {
        self.open_awaiting(slug, None);
    }

    /// The same, where the process before was on air: its publisher is waited for until then.
    pub fn open_awaiting(&self, slug: &RoomSlug, until: Option<UnixMillis>) {
        let mut rooms = self.rooms();
        if rooms.contains_key(slug) {
            return;
        }
        let live = Arc::new(Live::new(self.0.config.retention));
        let ladder = Ladder::new(self.0.transcoder.clone(), self.0.config.retention);
        let publication = Arc::new(Publication::new(live, self.0.config.part_target_ms, ladder));
        let (commands, inbox) = mpsc::channel(COMMAND_QUEUE);
        let (shown, status) = watch::channel(RoomStatus {
            is_live: until.is_some(),
            interrupted: until.is_some(),
            started_at: None,
        });
        let (slate, wanted) = watch::channel(Slate::default());
        let (slate_shown, slate_health) = watch::channel(SlateHealth::default());
        let stand_in = StandIn::new(self.0.config.slates.clone(), wanted, slate_shown);
        let store = Arc::clone(&self.0.store);
        let memories = Memories::new(slug.clone(), self.0.config.memories.clone());
        let open_until = OpenUntil::new(slug.clone(), self.0.config.memories.clone(), until);
        let media = Arc::clone(&publication);
        let actor = Actor::new(slug.clone(), media, shown, store, memories, open_until, stand_in);
        self.0.shutdown.spawn(actor.run(inbox));
        self.0
            .shutdown
            .spawn(self.clone().follow(slug.clone(), status.clone(), commands.clone()));
        rooms.insert(
            slug.clone(),
            Arc::new(Room {
                commands,
                publication,
                status,
                audience: Mutex::default(),
                slate,
                slate_health,
                key: Mutex::default(),
            }),
        );
    }

    /// The room is gone: its stream ends, its publisher is cut.
    pub fn remove(&self, slug: &RoomSlug) {
        self.0.passes.forget(slug);
        if let Some(room) = self.rooms().remove(slug) {
            let commands = room.commands.clone();
            self.0.shutdown.spawn(async move {
                // The actor is gone already only when the daemon stops.
                let _ = commands.send(RoomCommand::Close(LeaseEnded::RoomDeleted)).await;
            });
        }
        self.0.states.send_if_modified(|states| states.remove(slug).is_some());
    }

    /// The present publisher has to go; the room stays open for the next one.
    pub fn cut_publisher(&self, slug: &RoomSlug) {
        self.0.passes.forget(slug);
        if let Some(room) = self.room(slug) {
            lock(&room.key).forget();
        }
        self.tell(slug, RoomCommand::Cut);
    }

    /// The publisher is gone, as an encoder in front says; [`PublishEnd::Lost`] if that cannot tell how.
    pub fn publisher_done(&self, slug: &RoomSlug, of: &Fronted, how: PublishEnd) {
        let pass = match self.0.passes.gone(slug, of) {
            Gone::Superseded => return,
            Gone::Named(name) => Some(name),
            Gone::Any => None,
        };
        self.tell(slug, RoomCommand::Done { pass, how });
    }

    /// The same of the one publisher that was let in by this name; false when it is no name of ours.
    pub fn pass_done(&self, name: &str, how: PublishEnd) -> bool {
        let room = self.0.passes.take(name);
        if let Some(slug) = &room {
            let pass = Some(name.to_owned());
            self.tell(slug, RoomCommand::Done { pass, how });
        }
        room.is_some()
    }

    /// A name for one publication of a publisher, to be pushed by the encoder in front; `None` when another publishes.
    pub async fn issue_pass(&self, slug: &RoomSlug, key_hash: KeyHash, of: Fronted) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        let address = of.encoder.unwrap_or(of.caller).to_canonical();
        let asked = RoomCommand::HasPlace { address, reply };
        self.commands(slug)?.try_send(asked).ok()?;
        let has_place = answer.await.ok()?;
        has_place.then(|| self.0.passes.issue(clock::monotonic(), slug.clone(), key_hash, of))
    }

    pub(super) fn pass(&self, name: &str, peer: IpAddr) -> Option<Pass> {
        self.0.passes.find(clock::monotonic(), name, peer)
    }

    /// A publisher was let in, by a name or by the key.
    pub(super) fn admitted(&self, slug: &RoomSlug, pass: Option<&str>) {
        self.0.passes.admitted(slug, pass);
    }

    fn tell(&self, slug: &RoomSlug, command: RoomCommand) {
        if let Some(room) = self.room(slug) {
            self.0.shutdown.spawn(async move {
                // The actor is gone already only when the daemon stops.
                let _ = room.commands.send(command).await;
            });
        }
    }

    /// The host wants the room's stream to be so from now on; a room that is new offers nothing.
    pub fn set_stream_settings(&self, slug: &RoomSlug, settings: StreamSettings) {
        if let Some(room) = self.room(slug) {
            room.publication.set_offer(settings.offer);
            room.slate
                .send_if_modified(|slate| std::mem::replace(slate, settings.slate.clone()) != settings.slate);
        }
    }

    pub fn status(&self, slug: &RoomSlug) -> RoomStatus {
        self.room(slug).map(|room| *room.status.borrow()).unwrap_or_default()
    }

    pub fn health(&self, slug: &RoomSlug) -> Option<IngestHealth> {
        self.room(slug)?.publication.health()
    }

    /// Of all rooms with an open stream.
    pub(super) fn all_health(&self) -> Vec<(RoomSlug, IngestHealth)> {
        let rooms = self.rooms().clone();
        let health = |(slug, room): (RoomSlug, Arc<Room>)| Some((slug, room.publication.health()?));
        rooms.into_iter().filter_map(health).collect()
    }

    /// How the room's slate is.
    pub fn slate_health(&self, slug: &RoomSlug) -> SlateHealth {
        let room = self.room(slug);
        room.map(|room| room.slate_health.borrow().clone()).unwrap_or_default()
    }

    pub fn live(&self, slug: &RoomSlug) -> Option<Arc<Live>> {
        Some(Arc::clone(self.room(slug)?.publication.live()))
    }

    /// A claim to a rung of the room's ladder, which is made while claims live; `None`: it is not offered, or was given up.
    pub fn rung(&self, slug: &RoomSlug, rung: Rung) -> Option<RungHold> {
        self.room(slug)?.publication.ladder().claim(rung)
    }

    /// How the room's ladder is. Empty for a room that is not there.
    pub fn ladder_health(&self, slug: &RoomSlug) -> LadderHealth {
        self.room(slug)
            .map_or_else(LadderHealth::default, |room| room.publication.ladder().health())
    }

    /// What relays are to know of all rooms, and how it changes.
    pub fn states(&self) -> watch::Receiver<BTreeMap<RoomSlug, RoomState>> {
        self.0.states.subscribe()
    }

    pub(super) fn commands(&self, slug: &RoomSlug) -> Option<mpsc::Sender<RoomCommand>> {
        Some(self.room(slug)?.commands.clone())
    }

    /// Puts a room's status where relays are told from; ends the room with the daemon.
    async fn follow(
        self,
        slug: RoomSlug,
        mut status: watch::Receiver<RoomStatus>,
        commands: mpsc::Sender<RoomCommand>,
    ) {
        loop {
            let RoomStatus {
                is_live, interrupted, ..
            } = *status.borrow_and_update();
            if self
                .room(&slug)
                .is_some_and(|room| room.commands.same_channel(&commands))
            {
                let state = RoomState {
                    slug: slug.clone(),
                    is_live,
                    interrupted,
                };
                self.0.states.send_if_modified(|states| {
                    let before = states.insert(slug.clone(), state.clone());
                    before.as_ref() != Some(&state)
                });
            }
            tokio::select! {
                changed = status.changed() => if changed.is_err() { return },
                () = self.0.shutdown.token().cancelled() => {
                    let _ = commands.send(RoomCommand::Close(LeaseEnded::Draining)).await;
                    return;
                }
            }
        }
    }

    fn room(&self, slug: &RoomSlug) -> Option<Arc<Room>> {
        self.rooms().get(slug).cloned()
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomSlug, Arc<Room>>> {
        lock(&self.0.rooms)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}

#[cfg(test)]
mod tests;
