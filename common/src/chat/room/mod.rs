//! The origin's side of a room's chat, as a pure state machine: what relays carried up and a time in, what to tell them and
//! what to keep out.
//!
//! Not here: sockets, tasks, the database, signatures. Whoever drives it checks tokens first and hands over who a viewer is;
//! does all that [`ChatRoom::poll`] gives after each call, in that order; and calls [`ChatRoom::tick`] when
//! [`ChatRoom::deadline`] has come.
//!
//! Every relay that follows gets the same events in the same order, each its snapshot first.

mod entrants;
mod interface;
mod moderation;
mod past;
mod people;
mod presence;
mod snapshot;
mod speech;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    time::Duration,
};

pub use interface::{Entrant, NotDone, Now, OnAir, Opening, Output, RelayKey, Settings, SocketKey};
pub use moderation::{MAX_REASON_CHARS, MAX_SLOW_MODE_SECONDS, MAX_TIMEOUT_SECONDS, OPERATOR_ID};
pub use people::{
    ACTS_AT_ONCE, ACTS_PER_SECOND, MAX_GONE, MAX_SOCKETS, MAX_SOCKETS_PER_VIEWER, REACTS_AT_ONCE, REACTS_PER_SECOND,
    RENEWAL_INTERVAL, RENEWALS_AT_ONCE, SAYS_AT_ONCE, SAYS_PER_SECOND,
};
pub use presence::{BATCH_INTERVAL, LEAVE_GRACE, MAX_PER_EVENT, RELAY_GRACE};
pub use snapshot::{MESSAGES_PER_PIECE, ROSTER_PER_PIECE};

pub use crate::chat::policy::LinkPolicy;
use people::People;
use presence::Presence;

use crate::{
    auth::Role,
    chat::{
        allowance::Allowance,
        history::History,
        names::NameBook,
        policy::Policy,
        reactions::Reactions,
        record::{Doer, Record},
        repeats::{Repeats, Said},
    },
    id::RoomSlug,
    time::{Monotonic, UnixMillis},
    wire::chat::{ChatAct, ChatDown, ChatEvent, ChatMessage, EmoteRef, Notice, RefusalCode, SocketEvent},
};

/// Messages a second of a whole room, and at once.
pub const ROOM_SAYS_PER_SECOND: u32 = 100;
/// See [`ROOM_SAYS_PER_SECOND`].
pub const ROOM_SAYS_AT_ONCE: u32 = 200;
/// Message ids that are reserved at a time.
pub const IDS_AT_A_TIME: i64 = 1000;
/// Reserved ids that are left when more are: what may be said before the reservation is kept.
pub const IDS_AHEAD: i64 = 500;
/// Most emotes of a room.
pub const MAX_EMOTES: usize = 100;
/// How often sockets whose tokens ended are looked for. Relays close them on time.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// One room's chat.
#[derive(Debug)]
pub struct ChatRoom {
    room: RoomSlug,
    outputs: VecDeque<Output>,
    followers: BTreeSet<RelayKey>,
    people: People,
    presence: Presence,
    names: NameBook,
    history: History,
    repeats: Repeats,
    reactions: Reactions,
    /// The whole room's.
    says: Allowance,
    /// Where this run's messages begin.
    first_id: i64,
    next_id: i64,
    /// Ids below may be used.
    reserved: i64,
    settings: Settings,
    policy: Policy,
    on_air: OnAir,
    emotes: Vec<EmoteRef>,
    pinned: Option<ChatMessage>,
    /// Since the chat opened, by whomever.
    was_pin_set: bool,
    /// Ids of viewers, with the roles they had: as many as moderators banned.
    banned: HashMap<String, Role>,
    /// Whom moderators silenced before this chat opened, and until when.
    silenced: HashMap<String, UnixMillis>,
    sweep_at: Option<Monotonic>,
}

impl ChatRoom {
    /// A room's chat that nobody follows yet.
    pub fn new(opening: Opening) -> Self {
        let next_id = opening
            .history
            .iter()
            .map(|message| message.id + 1)
            .fold(opening.next_id, i64::max);
        let mut repeats = Repeats::default();
        for message in opening.history.iter().filter(|message| !message.client_id.is_empty()) {
            let said = Said {
                id: message.id,
                at: message.sent_at,
            };
            repeats.remember(&message.viewer_id, &message.client_id, said);
        }
        let mut room = Self {
            room: opening.room,
            outputs: VecDeque::new(),
            followers: BTreeSet::new(),
            people: People::default(),
            presence: Presence::default(),
            names: NameBook::new(&opening.staff_names),
            history: History::new(opening.history),
            repeats,
            reactions: Reactions::default(),
            says: Allowance::new(ROOM_SAYS_PER_SECOND, ROOM_SAYS_AT_ONCE),
            first_id: next_id,
            next_id,
            reserved: next_id,
            policy: Policy::new(opening.settings.links, &opening.settings.blocked_words),
            settings: opening.settings,
            on_air: OnAir::default(),
            emotes: opening.emotes,
            pinned: opening.pinned,
            was_pin_set: false,
            banned: opening.banned.into_iter().collect(),
            silenced: opening.silenced.into_iter().collect(),
            sweep_at: None,
        };
        room.emotes.truncate(MAX_EMOTES);
        room
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`ChatRoom::tick`] next, if anything waits.
    pub fn deadline(&self) -> Option<Monotonic> {
        let graces = self.people.next_leave();
        [
            self.presence.deadline(),
            graces,
            self.reactions.deadline(),
            self.sweep_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Now) {
        if self.sweep_at.is_some_and(|at| at <= now.monotonic) {
            self.sweep(now);
        }
        while let Some(viewer_id) = self.people.due_to_leave(now.monotonic) {
            self.depart(now, &viewer_id);
        }
        self.tell_presence(now);
        if let Some(counts) = self.reactions.poll(now.monotonic) {
            self.all(ChatEvent::Reactions { counts });
        }
    }

    /// Relays that follow the room: [`Output::All`] is for these.
    pub fn followers(&self) -> impl Iterator<Item = RelayKey> + '_ {
        self.followers.iter().copied()
    }

    /// The viewer of a socket does something.
    pub fn act(&mut self, now: Now, at: SocketKey, act: ChatAct) {
        let client_id = match &act {
            ChatAct::Say { client_id, .. } => Some(client_id.as_str()),
            _ => None,
        };
        let Some(seat) = self.seated(now, at, client_id) else {
            return;
        };
        match act {
            ChatAct::Say {
                text,
                client_id,
                media_time,
                reply_to,
            } => {
                let saying = speech::Saying {
                    text,
                    client_id,
                    media_time,
                    reply_to,
                };
                self.say(now, at, &seat, saying);
            }
            ChatAct::React { emoji, media_time } => self.react(now, at, &seat, &emoji, media_time),
            act => self.act_from_seat(now, at, &seat, act),
        }
        self.tick(now);
    }

    fn act_from_seat(&mut self, now: Now, at: SocketKey, seat: &people::Seat, act: ChatAct) {
        let Some(person) = self.people.get_mut(&seat.viewer_id) else {
            return;
        };
        if person.acts.take(now.monotonic).is_err() {
            return self.refuse(at, RefusalCode::RateLimited, "too many acts at once", None);
        }
        let by = Doer {
            viewer_id: Some(seat.viewer_id.clone()),
            nickname: person.nickname.clone(),
            role: seat.role,
        };
        if let Err(error) = self.act_as(now, &by, act) {
            let code = match error {
                NotDone::TooLong { .. } => RefusalCode::Malformed,
                NotDone::NotAllowed | NotDone::NoSuchMessage | NotDone::NoSuchViewer => RefusalCode::Forbidden,
            };
            self.refuse(at, code, &error.to_string(), None);
        }
    }

    /// What the operator or a host set. Lock and slow mode stay as they are here: those are acts ([`ChatRoom::act_as`]), and a
    /// moderator's may have come meanwhile.
    pub fn set_settings(&mut self, now: Now, settings: Settings) {
        let settings = Settings {
            locked: self.settings.locked,
            slow_mode_seconds: self.settings.slow_mode_seconds,
            ..settings
        };
        self.policy = Policy::new(settings.links, &settings.blocked_words);
        self.change(now, |room| room.settings = settings);
    }

    /// The room goes on air, breaks off, or goes off air.
    pub fn set_on_air(&mut self, now: Now, on_air: OnAir) {
        self.change(now, |room| room.on_air = on_air);
    }

    /// The room's emotes, all of them; those beyond [`MAX_EMOTES`] are left out.
    pub fn set_emotes(&mut self, now: Now, mut emotes: Vec<EmoteRef>) {
        emotes.truncate(MAX_EMOTES);
        self.change(now, |room| room.emotes = emotes);
    }

    /// Tells the room's state if it is another after `change`.
    fn change(&mut self, now: Now, change: impl FnOnce(&mut Self)) {
        self.tick(now);
        let before = self.state();
        change(self);
        let state = self.state();
        if state != before {
            self.all(ChatEvent::State(state));
        }
    }

    /// To all viewers with at least this role.
    pub fn notify(&mut self, least: Role, notice: Notice) {
        self.outputs.push_back(Output::All(ChatDown::Staff { least, notice }));
    }

    /// Messages older than `before` are forgotten: here, and at relays, to which they are deleted ones. Removing them from the
    /// database is not asked for.
    pub fn forget(&mut self, before: UnixMillis) {
        for message_id in self.history.forget(before) {
            self.history.note_deleted(message_id);
            self.all(ChatEvent::Deleted {
                message_id,
                by: OPERATOR_ID.to_owned(),
            });
        }
        if self.pinned.as_ref().is_some_and(|pinned| pinned.sent_at < before) {
            self.unpin();
        }
    }

    /// A name that nobody else in the room has, as close to `wanted` as may be; kept for the viewer from now on. A viewer that
    /// is there is called so at once.
    pub fn claim_name(&mut self, now: Now, viewer_id: &str, role: Role, wanted: &str) -> String {
        let name = self.names.claim(now.monotonic, viewer_id, role, wanted);
        if let Some(person) = self.people.get_mut(viewer_id) {
            person.nickname.clone_from(&name);
            self.presence.note(viewer_id);
            self.tell_presence(now);
        }
        name
    }

    /// Viewers that are there.
    pub fn viewer_count(&self) -> usize {
        self.people.count()
    }

    /// Reserves more message ids when few are left.
    fn reserve_ids(&mut self) {
        if self.next_id + IDS_AHEAD > self.reserved {
            self.reserved = self.next_id + IDS_AT_A_TIME;
            self.outputs
                .push_back(Output::Keep(Record::IdsReserved { upto: self.reserved }));
        }
    }

    fn tell_presence(&mut self, now: Now) {
        for event in self.presence.poll(now.monotonic, &self.people) {
            self.all(event);
        }
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

    fn refuse(&mut self, at: SocketKey, code: RefusalCode, detail: &str, client_id: Option<String>) {
        let detail = detail.to_owned();
        self.socket(
            at,
            SocketEvent::Refused {
                code,
                detail,
                client_id,
            },
        );
    }
}
