//! One room's chat with what stands around it: the relays that follow it, who its sockets' viewers are, and where its outputs
//! go.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use common::{
    auth::{Role, ViewerClaims},
    chat::{
        record::Doer,
        room::{ChatRoom, Entrant, NotDone, Now, Output, RelayKey, SocketKey},
    },
    id::RoomSlug,
    time::Monotonic,
    wire::chat::{ChatAct, ChatDown, ChatEvent, KickReason, RefusalCode, SocketEvent},
};
use metrics::counter;

use super::{
    errands::{BanErrand, Errands, Renewal},
    journal::Journal,
    line::{self, Line, Place},
    op::{Op, refused},
    outside::Gate,
};
use crate::db::Kept;

/// Where a room's outputs go, besides to relays. Nothing here waits.
pub(super) struct Outlets {
    pub(super) journal: Journal,
    pub(super) errands: Errands,
    pub(super) gate: Arc<dyn Gate>,
}

pub(super) struct Room {
    slug: RoomSlug,
    chat: ChatRoom,
    lines: BTreeMap<RelayKey, Arc<Line>>,
    bearers: HashMap<SocketKey, Bearer>,
    batches: Vec<Batch>,
}

/// A socket's viewer, by the token that it showed last.
struct Bearer {
    claims: ViewerClaims,
    address: String,
    _place: Place,
}

/// Items on their way to the same relays.
struct Batch {
    to: To,
    items: Vec<ChatDown>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    All,
    Relay(RelayKey),
}

impl Room {
    pub(super) fn new(slug: RoomSlug, chat: ChatRoom) -> Self {
        Self {
            slug,
            chat,
            lines: BTreeMap::new(),
            bearers: HashMap::new(),
            batches: Vec::new(),
        }
    }

    pub(super) fn is_locked(&self) -> bool {
        self.chat.is_locked()
    }

    pub(super) fn deadline(&self) -> Option<Monotonic> {
        self.chat.deadline()
    }

    pub(super) fn tick(&mut self, now: Now, outlets: &Outlets) {
        self.chat.tick(now);
        self.collect(now, outlets);
        self.deliver();
    }

    /// Does all of `ops`, in order, and tells the relays what came of it.
    pub(super) fn apply(&mut self, now: Now, ops: impl IntoIterator<Item = Op>, outlets: &Outlets) {
        for op in ops {
            self.one(now, op);
            self.collect(now, outlets);
        }
        self.deliver();
    }

    pub(super) fn act_as(&mut self, now: Now, by: &Doer, act: ChatAct, outlets: &Outlets) -> Result<(), NotDone> {
        let outcome = self.chat.act_as(now, by, act);
        self.collect(now, outlets);
        self.deliver();
        outcome
    }

    pub(super) fn claim_name(
        &mut self,
        now: Now,
        viewer_id: &str,
        role: Role,
        wanted: &str,
        outlets: &Outlets,
    ) -> String {
        let name = self.chat.claim_name(now, viewer_id, role, wanted);
        self.collect(now, outlets);
        self.deliver();
        name
    }

    fn one(&mut self, now: Now, op: Op) {
        match op {
            Op::Follow { line, after } => {
                // What waits for all is not for who follows from now on.
                self.deliver();
                let key = line.key;
                self.meet(line);
                self.chat.follow(now, key, after);
            }
            Op::Unfollow(relay) => {
                self.deliver();
                self.bearers.retain(|at, _| at.relay != relay);
                self.chat.unfollow(now, relay);
            }
            Op::Lost(relay) => {
                self.deliver();
                self.lines.remove(&relay);
                self.bearers.retain(|at, _| at.relay != relay);
                self.chat.relay_lost(now, relay);
            }
            Op::Enter {
                line,
                at,
                claims,
                address,
            } => self.enter(now, line, at, claims, address),
            Op::Leave(at) => {
                self.bearers.remove(&at);
                self.chat.leave(now, at);
            }
            Op::Renewed(at, claims) => {
                self.renewed(now, at, claims);
            }
            Op::Renew(at) => self.chat.renew(now, at),
            Op::Act(at, act) => self.chat.act(now, at, act),
            Op::Token { at, token, claims } => {
                let expires_at = claims.expires_at;
                if self.renewed(now, at, claims) {
                    self.tell(at, SocketEvent::Token { token, expires_at });
                }
            }
            Op::Tell(at, event) => self.tell(at, event),
            Op::Settings(settings) => self.chat.set_settings(now, settings),
            Op::OnAir(on_air) => self.chat.set_on_air(now, on_air),
            Op::Emotes(emotes) => self.chat.set_emotes(now, emotes),
            Op::Notify(least, notice) => self.chat.notify(least, notice),
            Op::ShutOut(viewer_id, reason) => self.chat.shut_out(now, &viewer_id, reason),
            Op::ShutOutInvite(invite_id) => self.chat.shut_out_invite(now, &invite_id),
            Op::Forget(before) => self.chat.forget(before),
            Op::CatchUp(past) => {
                // A snapshot comes after all that was told before.
                self.deliver();
                self.chat.catch_up(now, *past);
            }
            Op::Claim { viewer_id, role, name } => {
                self.chat.claim_name(now, &viewer_id, role, &name);
            }
        }
    }

    fn meet(&mut self, line: Arc<Line>) {
        line.is_known_in(&self.slug);
        self.lines.entry(line.key).or_insert(line);
    }

    fn enter(&mut self, now: Now, line: Arc<Line>, at: SocketKey, claims: ViewerClaims, address: String) {
        let place = line.take_place();
        self.meet(line);
        let Some(place) = place else {
            // Somewhere else may be place for it.
            let reason = KickReason::GoingAway;
            return self.tell(at, SocketEvent::Kicked { reason });
        };
        let bearer = Bearer {
            claims,
            address,
            _place: place,
        };
        let entrant = bearer.entrant();
        // A relay that does not follow gets nobody in.
        if self.chat.followers().any(|relay| relay == at.relay) {
            self.bearers.insert(at, bearer);
        }
        self.chat.enter(now, at, entrant);
    }

    /// Whether the socket is there.
    fn renewed(&mut self, now: Now, at: SocketKey, claims: ViewerClaims) -> bool {
        let Some(bearer) = self.bearers.get_mut(&at) else {
            return false;
        };
        bearer.claims = claims;
        let entrant = bearer.entrant();
        self.chat.renewed(now, at, entrant);
        true
    }

    /// Takes what came of the last call.
    fn collect(&mut self, now: Now, outlets: &Outlets) {
        while let Some(output) = self.chat.poll() {
            match output {
                Output::All(item) => {
                    if let ChatDown::All(ChatEvent::Message(_)) = &item {
                        counter!("streamcircle_chat_messages_total").increment(1);
                    }
                    self.put(To::All, item);
                }
                Output::Relay(relay, item) => {
                    self.look_at(relay, &item);
                    self.put(To::Relay(relay), item);
                }
                Output::Keep(record) => outlets.journal.push(Kept {
                    room: self.slug.clone(),
                    at: now.wall,
                    record,
                }),
                Output::Ban(order) => {
                    outlets.gate.shut_out(&order.viewer_id);
                    outlets.errands.ban(BanErrand::Ban(order));
                }
                Output::Unban { viewer_id } => outlets.errands.ban(BanErrand::Unban {
                    room: self.slug.clone(),
                    viewer_id,
                }),
                Output::Renew(at, _) => self.renew(at, outlets),
            }
        }
    }

    fn renew(&mut self, at: SocketKey, outlets: &Outlets) {
        let Some(bearer) = self.bearers.get(&at) else { return };
        let renewal = Renewal {
            at,
            claims: bearer.claims.clone(),
        };
        if !outlets.errands.renew(renewal) {
            let refused = SocketEvent::Refused {
                code: RefusalCode::Unavailable,
                detail: "too many renewals at once; try again".to_owned(),
                client_id: None,
            };
            self.tell(at, refused);
        }
    }

    fn look_at(&mut self, relay: RelayKey, item: &ChatDown) {
        let ChatDown::Socket { socket, event } = item else {
            return;
        };
        match event {
            SocketEvent::Kicked { .. } => {
                let socket = *socket;
                self.bearers.remove(&SocketKey { relay, socket });
            }
            SocketEvent::Refused { code, .. } => refused(*code),
            _ => {}
        }
    }

    fn tell(&mut self, at: SocketKey, event: SocketEvent) {
        let SocketKey { relay, socket } = at;
        let item = ChatDown::Socket { socket, event };
        self.look_at(relay, &item);
        self.put(To::Relay(relay), item);
    }

    fn put(&mut self, to: To, item: ChatDown) {
        match self.batches.last_mut() {
            Some(last) if last.to == to => last.items.push(item),
            _ => self.batches.push(Batch { to, items: vec![item] }),
        }
    }

    fn deliver(&mut self) {
        for Batch { to, items } in std::mem::take(&mut self.batches) {
            let lines: Vec<&Arc<Line>> = match to {
                To::All => self.chat.followers().filter_map(|key| self.lines.get(&key)).collect(),
                To::Relay(key) => self.lines.get(&key).into_iter().collect(),
            };
            if !lines.is_empty() {
                let mut tell = |frame: bytes::Bytes| lines.iter().for_each(|line| line.tell(frame.clone()));
                line::encode(&self.slug, items, &mut tell);
            }
        }
    }
}

impl Bearer {
    fn entrant(&self) -> Entrant {
        let claims = self.claims.clone();
        Entrant {
            viewer_id: claims.viewer_id,
            nickname: claims.nickname,
            role: claims.role,
            invite_id: claims.invite_id,
            address: self.address.clone(),
            expires_at: claims.expires_at,
        }
    }
}
