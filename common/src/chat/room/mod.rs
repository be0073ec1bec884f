//! The origin's side of a room's chat, as a pure state machine: what relays carried up and a time in, what to tell them and
//! what to keep out.
//!
//! Not here: sockets, tasks, the database, signatures. Whoever drives it checks tokens first and hands over who a viewer is,
//! does what [`ChatRoom::poll`] gives after each call, in that order, and calls [`ChatRoom::tick`] when [`ChatRoom::deadline`]
//! has come.

mod interface;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use interface::{Entrant, NotDone, Now, OnAir, Opening, Output, RelayKey, Settings, SocketKey};

pub use crate::chat::policy::LinkPolicy;

use crate::{
    auth::Role,
    chat::record::{Doer, Record},
    time::{Monotonic, UnixMillis},
    wire::chat::{
        ChatAct, ChatDown, ChatEvent, ChatMessage, ChatState, EmoteRef, KickReason, Notice, RosterEntry, SnapshotPiece,
        SocketEvent,
    },
};

/// One room's chat.
#[derive(Debug)]
pub struct ChatRoom {
    outputs: VecDeque<Output>,
    followers: BTreeSet<RelayKey>,
    sockets: BTreeMap<SocketKey, Entrant>,
    history: VecDeque<ChatMessage>,
    next_id: i64,
    settings: Settings,
    on_air: OnAir,
    emotes: Vec<EmoteRef>,
    pinned: Option<ChatMessage>,
}

impl ChatRoom {
    /// A room's chat that nobody follows yet.
    pub fn new(opening: Opening) -> Self {
        Self {
            outputs: VecDeque::new(),
            followers: BTreeSet::new(),
            sockets: BTreeMap::new(),
            history: opening.history.into(),
            next_id: opening.next_id,
            settings: opening.settings,
            on_air: OnAir::default(),
            emotes: opening.emotes,
            pinned: opening.pinned,
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`ChatRoom::tick`] next, if anything waits.
    pub fn deadline(&self) -> Option<Monotonic> {
        None
    }

    /// Does what is due.
    pub fn tick(&mut self, _now: Now) {}

    /// Relays that follow the room: [`Output::All`] is for these.
    pub fn followers(&self) -> impl Iterator<Item = RelayKey> + '_ {
        self.followers.iter().copied()
    }

    /// The relay gets a snapshot, then all that happens. `after`: id of the newest message it has.
    pub fn follow(&mut self, _now: Now, relay: RelayKey, after: Option<i64>) {
        self.followers.insert(relay);
        let piece = SnapshotPiece {
            messages: self
                .history
                .iter()
                .filter(|m| after.is_none_or(|after| m.id > after))
                .cloned()
                .collect(),
            deleted: Vec::new(),
            roster: Vec::new(),
            state: Some(self.state()),
        };
        self.outputs.push_back(Output::Relay(relay, ChatDown::Snapshot(piece)));
    }

    /// The relay wants no more; sockets it still has there count as closed.
    pub fn unfollow(&mut self, _now: Now, relay: RelayKey) {
        self.followers.remove(&relay);
        self.sockets.retain(|at, _| at.relay != relay);
    }

    /// The relay's connection is gone: its viewers leave after a grace.
    pub fn relay_lost(&mut self, now: Now, relay: RelayKey) {
        self.unfollow(now, relay);
    }

    /// A socket was opened by this viewer.
    pub fn enter(&mut self, _now: Now, at: SocketKey, entrant: Entrant) {
        let entered = SocketEvent::Entered {
            nickname: entrant.nickname.clone(),
            role: entrant.role,
        };
        let entry = RosterEntry {
            viewer_id: entrant.viewer_id.clone(),
            nickname: entrant.nickname.clone(),
            role: entrant.role,
        };
        self.sockets.insert(at, entrant);
        self.all(ChatEvent::Presence {
            joined: vec![entry],
            left: Vec::new(),
            count: self.viewer_count() as u32,
        });
        self.socket(at, entered);
    }

    /// A socket was closed.
    pub fn leave(&mut self, _now: Now, at: SocketKey) {
        self.sockets.remove(&at);
    }

    /// A socket that entered shows a newer token of the same viewer; another viewer's kicks it.
    pub fn renewed(&mut self, _now: Now, at: SocketKey, entrant: Entrant) {
        if let Some(known) = self.sockets.get_mut(&at) {
            *known = entrant;
        }
    }

    /// A socket wants a newer token.
    pub fn renew(&mut self, _now: Now, at: SocketKey) {
        if let Some(entrant) = self.sockets.get(&at) {
            self.outputs.push_back(Output::Renew(at, entrant.viewer_id.clone()));
        }
    }

    /// The viewer of a socket does something.
    pub fn act(&mut self, now: Now, at: SocketKey, act: ChatAct) {
        let Some(entrant) = self.sockets.get(&at) else { return };
        if let ChatAct::Say {
            text,
            client_id,
            media_time,
            reply_to,
        } = act
        {
            let message = ChatMessage {
                id: self.next_id,
                viewer_id: entrant.viewer_id.clone(),
                nickname: entrant.nickname.clone(),
                role: entrant.role,
                text,
                sent_at: now.wall,
                media_time,
                reply_to,
                mentions: Vec::new(),
                client_id,
            };
            self.next_id += 1;
            self.history.push_back(message.clone());
            self.outputs.push_back(Output::Keep(Record::Message(message.clone())));
            self.all(ChatEvent::Message(message));
        }
    }

    /// The operator or a host acts over the API.
    ///
    /// # Errors
    /// May not, or there is no such message or viewer.
    pub fn act_as(&mut self, _now: Now, _by: &Doer, _act: ChatAct) -> Result<(), NotDone> {
        Err(NotDone::NotAllowed)
    }

    /// What the operator or a host set, whole.
    pub fn set_settings(&mut self, _now: Now, settings: Settings) {
        self.settings = settings;
        self.all(ChatEvent::State(self.state()));
    }

    /// The room goes on air, breaks off, or goes off air.
    pub fn set_on_air(&mut self, _now: Now, on_air: OnAir) {
        self.on_air = on_air;
        self.all(ChatEvent::State(self.state()));
    }

    /// The room's emotes, all of them.
    pub fn set_emotes(&mut self, _now: Now, emotes: Vec<EmoteRef>) {
        self.emotes = emotes;
        self.all(ChatEvent::State(self.state()));
    }

    /// To all viewers with at least this role.
    pub fn notify(&mut self, least: Role, notice: Notice) {
        self.outputs.push_back(Output::All(ChatDown::Staff { least, notice }));
    }

    /// The viewer is shut out: its sockets are kicked.
    pub fn shut_out(&mut self, _now: Now, viewer_id: &str, reason: KickReason) {
        let kicked: Vec<_> = self
            .sockets
            .iter()
            .filter(|(_, e)| e.viewer_id == viewer_id)
            .map(|(at, _)| *at)
            .collect();
        for at in kicked {
            self.sockets.remove(&at);
            self.socket(at, SocketEvent::Kicked { reason });
        }
    }

    /// The same for all sockets that came with the invite.
    pub fn shut_out_invite(&mut self, _now: Now, _invite_id: &str) {}

    /// Messages older than `before` are forgotten.
    pub fn forget(&mut self, before: UnixMillis) {
        self.history.retain(|message| message.sent_at >= before);
    }

    /// A name that nobody else in the room has, as close to `wanted` as may be; kept for the viewer from now on.
    pub fn claim_name(&mut self, _now: Now, _viewer_id: &str, _role: Role, wanted: &str) -> String {
        wanted.to_owned()
    }

    /// Viewers that are there.
    pub fn viewer_count(&self) -> usize {
        self.sockets
            .values()
            .map(|entrant| &entrant.viewer_id)
            .collect::<BTreeSet<_>>()
            .len()
    }

    fn all(&mut self, event: ChatEvent) {
        self.outputs.push_back(Output::All(ChatDown::All(event)));
    }

    fn socket(&mut self, at: SocketKey, event: SocketEvent) {
        self.outputs.push_back(Output::Relay(
            at.relay,
            ChatDown::Socket {
                socket: at.socket,
                event,
            },
        ));
    }

    fn state(&self) -> ChatState {
        ChatState {
            name: self.settings.name.clone(),
            is_open: self.settings.is_open,
            listed: self.settings.listed,
            locked: self.settings.locked,
            slow_mode_seconds: self.settings.slow_mode_seconds,
            is_live: self.on_air.is_live,
            interrupted: self.on_air.interrupted,
            started_at: self.on_air.started_at,
            viewer_count: self.viewer_count() as u32,
            pinned: self.pinned.clone(),
            emotes: self.emotes.clone(),
        }
    }
}
