//! Coming and going: relays that follow, sockets, tokens that end.

use super::{
    ChatRoom, Entrant, Now, Output, RelayKey, SWEEP_INTERVAL, SocketKey,
    people::Seat,
    presence::{LEAVE_GRACE, RELAY_GRACE},
};
use crate::{
    auth::VIEWER_TOKEN_LEEWAY,
    time::{Monotonic, UnixMillis},
    wire::chat::{KickReason, RefusalCode, SocketEvent},
};

impl ChatRoom {
    /// The relay wants no more; sockets it still has there count as closed.
    pub fn unfollow(&mut self, now: Now, relay: RelayKey) {
        self.drop_relay(now, relay, now.monotonic + LEAVE_GRACE);
    }

    /// The relay's connection is gone: its viewers leave after a grace.
    pub fn relay_lost(&mut self, now: Now, relay: RelayKey) {
        self.drop_relay(now, relay, now.monotonic + RELAY_GRACE);
    }

    fn drop_relay(&mut self, now: Now, relay: RelayKey, leave_at: Monotonic) {
        self.followers.remove(&relay);
        for at in self.people.seats_of_relay(relay) {
            self.people.rise(at, leave_at);
        }
        self.tick(now);
    }

    /// A socket was opened by this viewer.
    pub fn enter(&mut self, now: Now, at: SocketKey, entrant: Entrant) {
        if !self.followers.contains(&at.relay) {
            let detail = "the relay does not follow the room";
            return self.refuse(at, RefusalCode::Unavailable, detail, None);
        }
        let is_other = |seat: &Seat| seat.viewer_id != entrant.viewer_id;
        if self.people.seat(at).is_some_and(is_other) {
            self.people.rise(at, now.monotonic + LEAVE_GRACE);
        }
        if let Some(reason) = self.turns_away(now, &entrant) {
            self.kick(now, at, reason);
            return;
        }
        let (viewer_id, role) = (entrant.viewer_id.clone(), entrant.role);
        let nickname = self.names.claim(now.monotonic, &viewer_id, role, &entrant.nickname);
        self.names.came(&viewer_id);
        if let Some(oldest) = self.people.sit(now.monotonic, at, entrant, nickname.clone()) {
            self.kick(now, oldest, KickReason::Replaced);
        }
        self.sweep_at.get_or_insert(now.monotonic + SWEEP_INTERVAL);
        self.presence.note(&viewer_id);
        self.tell_presence(now);
        self.socket(at, SocketEvent::Entered { nickname, role });
    }

    fn turns_away(&self, now: Now, entrant: &Entrant) -> Option<KickReason> {
        if self.banned.contains_key(&entrant.viewer_id) {
            Some(KickReason::Banned)
        } else if is_over(entrant.expires_at, now.wall) {
            Some(KickReason::Expired)
        } else if self.people.is_full() {
            Some(KickReason::GoingAway)
        } else {
            None
        }
    }

    /// A socket was closed.
    pub fn leave(&mut self, now: Now, at: SocketKey) {
        self.people.rise(at, now.monotonic + LEAVE_GRACE);
        self.tick(now);
    }

    /// A socket that entered shows a newer token of the same viewer; another viewer's kicks it.
    pub fn renewed(&mut self, now: Now, at: SocketKey, entrant: Entrant) {
        let Some(seat) = self.people.seat(at) else { return };
        if seat.viewer_id != entrant.viewer_id || is_over(entrant.expires_at, now.wall) {
            self.kick(now, at, KickReason::Expired);
        } else if self.banned.contains_key(&entrant.viewer_id) {
            self.kick(now, at, KickReason::Banned);
        } else {
            let viewer_id = entrant.viewer_id.clone();
            self.people.reseat(at, entrant);
            self.presence.note(&viewer_id);
            self.tell_presence(now);
        }
    }

    /// A socket wants a newer token.
    pub fn renew(&mut self, now: Now, at: SocketKey) {
        let Some(viewer_id) = self.seated(now, at, None).map(|seat| seat.viewer_id) else {
            return;
        };
        let Some(person) = self.people.get_mut(&viewer_id) else {
            return;
        };
        if person.renewals.take(now.monotonic).is_err() {
            return self.refuse(at, RefusalCode::RateLimited, "the token was renewed too often", None);
        }
        self.outputs.push_back(Output::Renew(at, viewer_id));
    }

    /// The viewer is shut out: its sockets are kicked, and it is not here any more. A banned one is not let in again.
    pub fn shut_out(&mut self, now: Now, viewer_id: &str, reason: KickReason) {
        if reason == KickReason::Banned {
            let role = self.known_role_of(viewer_id);
            self.banned.insert(viewer_id.to_owned(), role);
        }
        for at in self.people.seats_of_viewer(viewer_id) {
            self.kick(now, at, reason);
        }
        if self.people.is_here(viewer_id) {
            self.depart(now, viewer_id);
        }
        self.tick(now);
    }

    /// The same for all sockets that came with the invite.
    pub fn shut_out_invite(&mut self, now: Now, invite_id: &str) {
        let of_invite = |seat: &Seat| seat.invite_id.as_deref() == Some(invite_id);
        let seats: Vec<_> = self
            .people
            .seats()
            .filter(|(_, seat)| of_invite(seat))
            .map(|(at, seat)| (at, seat.viewer_id.clone()))
            .collect();
        for (at, viewer_id) in seats {
            self.kick(now, at, KickReason::Revoked);
            if self.people.seats_of_viewer(&viewer_id).is_empty() && self.people.is_here(&viewer_id) {
                self.depart(now, &viewer_id);
            }
        }
        self.tick(now);
    }

    /// Sockets whose tokens ended are closed, should their relays not have done it.
    pub(super) fn sweep(&mut self, now: Now) {
        let over: Vec<_> = self
            .people
            .seats()
            .filter(|(_, seat)| is_over(seat.expires_at, now.wall))
            .map(|(at, _)| at)
            .collect();
        for at in over {
            self.kick(now, at, KickReason::Expired);
        }
        let again = self.people.has_seats();
        self.sweep_at = again.then(|| now.monotonic + SWEEP_INTERVAL);
    }

    /// The socket's seat, if its token still counts. A socket whose token ended is kicked, one that is not in the room told so.
    pub(super) fn seated(&mut self, now: Now, at: SocketKey, client_id: Option<&str>) -> Option<Seat> {
        let Some(seat) = self.people.seat(at).cloned() else {
            let detail = "this socket is not in the room";
            self.refuse(at, RefusalCode::Unavailable, detail, client_id.map(str::to_owned));
            return None;
        };
        if is_over(seat.expires_at, now.wall) {
            self.kick(now, at, KickReason::Expired);
            return None;
        }
        Some(seat)
    }

    /// Closes the socket. Its viewer stays for a grace.
    pub(super) fn kick(&mut self, now: Now, at: SocketKey, reason: KickReason) {
        self.people.rise(at, now.monotonic + LEAVE_GRACE);
        self.socket(at, SocketEvent::Kicked { reason });
    }

    /// The viewer, who has no socket, is not here any more.
    pub(super) fn depart(&mut self, now: Now, viewer_id: &str) {
        self.people.depart(now.monotonic, viewer_id);
        self.names.went(now.monotonic, viewer_id);
        self.presence.note(viewer_id);
    }
}

fn is_over(expires_at: UnixMillis, now: UnixMillis) -> bool {
    now.0.saturating_sub(expires_at.0) >= VIEWER_TOKEN_LEEWAY.as_millis() as i64
}
