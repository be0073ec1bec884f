//! A room's place among the chats: not opened yet, being opened, open, gone.
//!
//! A chat is opened when a relay first follows it, or the API needs it. What happens meanwhile waits, within bounds, and happens then.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{
    auth::Role,
    chat::{
        record::Doer,
        room::{ChatRoom, NotDone, Now, OnAir, Opening, Settings},
    },
    id::RoomSlug,
    time::Monotonic,
    wire::chat::ChatAct,
};
use node::clock;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{
    op::Op,
    outside::Loaded,
    room::{Outlets, Room},
};

/// What waits for a chat to be opened: a relay that just came with all its sockets, and some. Relays beyond are cut off, and come
/// back.
const MAX_WAITING: usize = 50_000;
/// Least time between two looks at the clock.
const TICK: Duration = Duration::from_millis(1);

/// What is known of a room before its chat is opened.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub settings: Settings,
    /// Greater than every message id that was used before the start.
    pub first_id: i64,
}

pub(super) struct Slot {
    pub(super) slug: RoomSlug,
    outlets: Arc<Outlets>,
    state: Mutex<State>,
    /// Open, or gone.
    settled: watch::Sender<bool>,
    /// The deadline is nearer than it was, or the room is gone.
    hurry: Notify,
}

struct State {
    known: Known,
    on_air: OnAir,
    stage: Stage,
    /// What the clock waits for.
    armed: Option<Monotonic>,
}

enum Stage {
    Closed,
    Opening {
        waiting: Vec<Op>,
        /// Hands out names until the chat does.
        names: Box<ChatRoom>,
    },
    Open(Box<Room>),
    Gone,
}

impl Slot {
    pub(super) fn new(slug: RoomSlug, known: Known, outlets: Arc<Outlets>) -> Self {
        Self {
            slug,
            outlets,
            state: Mutex::new(State {
                known,
                on_air: OnAir::default(),
                stage: Stage::Closed,
                armed: None,
            }),
            settled: watch::Sender::new(false),
            hurry: Notify::new(),
        }
    }

    /// True when the caller has to load the room and call [`Slot::open`].
    pub(super) fn begin(&self) -> bool {
        let mut state = self.state();
        if !matches!(state.stage, Stage::Closed) {
            return false;
        }
        let names = opening(&self.slug, &state.known, Loaded::default());
        state.stage = Stage::Opening {
            waiting: Vec::new(),
            names: Box::new(ChatRoom::new(names)),
        };
        true
    }

    /// Opens the chat with what the database has, and does what waited.
    pub(super) fn open(&self, loaded: Loaded) {
        let mut guard = self.state();
        let state = &mut *guard;
        let Stage::Opening { waiting, .. } = &mut state.stage else {
            return;
        };
        let waiting = std::mem::take(waiting);
        let chat = ChatRoom::new(opening(&self.slug, &state.known, loaded));
        let mut room = Room::new(self.slug.clone(), chat);
        let on_air = Op::OnAir(state.on_air);
        room.apply(now(), std::iter::once(on_air).chain(waiting), &self.outlets);
        state.stage = Stage::Open(Box::new(room));
        self.settle(state);
    }

    /// What the database has of a chat that had to open without it.
    pub(super) fn catch_up(&self, loaded: Loaded) {
        let past = opening(&self.slug, &self.state().known, loaded);
        self.apply(vec![Op::CatchUp(Box::new(past))]);
    }

    /// The room is gone, and what waited with it. Relays hear of it by themselves.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.stage = Stage::Gone;
        self.settle(&mut state);
    }

    /// Completes when the chat is open, or gone.
    pub(super) async fn settled(&self) {
        // The sender is in `self`.
        let _ = self.settled.subscribe().wait_for(|settled| *settled).await;
    }

    /// Does `ops`, in order, now or when the chat opens. A chat that is closed loses nothing by them.
    pub(super) fn apply(&self, ops: Vec<Op>) {
        let mut guard = self.state();
        let state = &mut *guard;
        match &mut state.stage {
            Stage::Closed | Stage::Gone => return,
            Stage::Opening { waiting, .. } => {
                for op in ops {
                    match &op {
                        Op::Follow { line, .. } | Op::Enter { line, .. } if waiting.len() >= MAX_WAITING => line.cut(),
                        Op::Act(..) if waiting.len() >= MAX_WAITING => {}
                        Op::Follow { line, .. } | Op::Enter { line, .. } => {
                            // So that its end is told here, too.
                            line.is_known_in(&self.slug);
                            waiting.push(op);
                        }
                        _ => waiting.push(op),
                    }
                }
            }
            Stage::Open(room) => room.apply(now(), ops, &self.outlets),
        }
        self.arm(state);
    }

    pub(super) fn set(&self, settings: Settings) {
        self.state().known.settings = settings.clone();
        self.apply(vec![Op::Settings(settings)]);
    }

    pub(super) fn set_on_air(&self, on_air: OnAir) {
        self.state().on_air = on_air;
        self.apply(vec![Op::OnAir(on_air)]);
    }

    /// Whether the room is locked, as far as its chat knows: a moderator's act is in force before the database has it.
    pub(super) fn is_locked(&self) -> bool {
        let state = self.state();
        match &state.stage {
            Stage::Open(room) => room.is_locked(),
            _ => state.known.settings.locked,
        }
    }

    pub(super) fn claim_name(&self, viewer_id: &str, role: Role, wanted: &str) -> String {
        let mut guard = self.state();
        let state = &mut *guard;
        match &mut state.stage {
            Stage::Closed | Stage::Gone => wanted.to_owned(),
            Stage::Opening { waiting, names } => {
                let name = names.claim_name(now(), viewer_id, role, wanted);
                waiting.push(Op::Claim {
                    viewer_id: viewer_id.to_owned(),
                    role,
                    name: name.clone(),
                });
                name
            }
            Stage::Open(room) => {
                let name = room.claim_name(now(), viewer_id, role, wanted, &self.outlets);
                self.arm(state);
                name
            }
        }
    }

    pub(super) fn act_as(&self, by: &Doer, act: ChatAct) -> Result<(), NotDone> {
        let mut guard = self.state();
        let state = &mut *guard;
        let Stage::Open(room) = &mut state.stage else {
            return Err(NotDone::NotAllowed);
        };
        let outcome = room.act_as(now(), by, act, &self.outlets);
        self.arm(state);
        outcome
    }

    /// Lets time pass in an open chat until it is gone, or `stop`.
    pub(super) async fn keep_time(&self, stop: &CancellationToken) {
        while let Some(deadline) = self.next_deadline() {
            let due = async {
                match deadline {
                    Some(at) => tokio::time::sleep(at.since(clock::monotonic()).max(TICK)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => self.tick(),
                () = self.hurry.notified() => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// `None`: the chat is not open any more.
    fn next_deadline(&self) -> Option<Option<Monotonic>> {
        let mut state = self.state();
        let Stage::Open(room) = &state.stage else { return None };
        let deadline = room.deadline();
        state.armed = deadline;
        Some(deadline)
    }

    fn tick(&self) {
        if let Stage::Open(room) = &mut self.state().stage {
            room.tick(now(), &self.outlets);
        }
    }

    fn arm(&self, state: &mut State) {
        let Stage::Open(room) = &state.stage else { return };
        if let Some(deadline) = room.deadline()
            && state.armed.is_none_or(|armed| deadline < armed)
        {
            state.armed = Some(deadline);
            self.hurry.notify_one();
        }
    }

    fn settle(&self, state: &mut State) {
        state.armed = None;
        self.settled.send_replace(true);
        self.hurry.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A rule that panicked may have left its room half changed; a chat that goes on is better than none.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn opening(slug: &RoomSlug, known: &Known, loaded: Loaded) -> Opening {
    Opening {
        room: slug.clone(),
        history: loaded.history,
        next_id: known.first_id.max(loaded.newest_id.saturating_add(1)),
        settings: known.settings.clone(),
        pinned: loaded.pinned,
        emotes: loaded.emotes,
        banned: loaded.banned,
        silenced: loaded.silenced,
        staff_names: loaded.staff_names,
    }
}

fn now() -> Now {
    Now {
        monotonic: clock::monotonic(),
        wall: clock::unix_millis(),
    }
}
