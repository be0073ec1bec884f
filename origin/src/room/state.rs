//! Who publishes in a room, as a pure state machine: commands and a time in, effects out.
//!
//! Not here: media, sockets, tasks. The actor carries the effects out in their order and calls [`RoomState::handle`] again at
//! [`RoomState::deadline`].

use std::{net::IpAddr, time::Duration};

use common::time::Monotonic;

use crate::ingest::admission::{LeaseEnded, PublishEnd};

/// A publisher that said it stopped may be back within this time, and its stream goes on.
pub(super) const GRACE_AFTER_STOP: Duration = Duration::from_secs(5);
/// The room stays open this long for a publisher that was lost.
pub(super) const GRACE_AFTER_LOSS: Duration = Duration::from_secs(90);
/// A publisher that has sent nothing for so long is told of as gone, though its connection stands.
pub(super) const STALL_SILENCE: Duration = Duration::from_secs(10);
/// Silence after which a newcomer with the same key takes over.
pub(super) const TAKEOVER_SILENCE: Duration = Duration::from_secs(2);

/// One accepted publisher of a room; larger is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PublisherId(pub(super) u64);

/// What happens to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Somebody with the room's key wants to publish. `silent_for`: how long the present publisher has sent nothing.
    Publish { address: IpAddr, silent_for: Duration },
    /// The publisher said that it stops.
    Stopped(PublisherId),
    /// The publisher went without a word.
    Lost(PublisherId),
    /// The publisher's key is no longer good.
    Cut,
    /// The publisher is gone, as an encoder in front of it says.
    Done(PublishEnd),
    /// The room or the daemon goes away.
    Close(LeaseEnded),
    /// The deadline passed.
    Tick,
}

/// What is to be done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The one who asked to publish may, under this number.
    Accept(PublisherId),
    /// The one who asked may not: another publishes.
    Refuse,
    /// Take the lease from this publisher.
    Revoke(PublisherId, LeaseEnded),
    /// Nothing comes for now: close what is open, and go on after a discontinuity.
    Interrupt,
    /// The stream is over.
    End,
}

#[derive(Debug)]
enum Phase {
    Idle,
    Publishing {
        publisher: PublisherId,
        address: IpAddr,
    },
    /// Nobody publishes, but the stream is open until `until`.
    Open {
        until: Monotonic,
    },
}

/// The rules of one room.
#[derive(Debug)]
pub(super) struct RoomState {
    phase: Phase,
    last_publisher: u64,
}

impl RoomState {
    /// `until`: as long a publisher of the process before is waited for, no longer than after a loss.
    pub(super) fn new(now: Monotonic, until: Option<Monotonic>) -> Self {
        let waits = |until: Monotonic| Phase::Open {
            until: until.min(now + GRACE_AFTER_LOSS),
        };
        Self {
            phase: until.map_or(Phase::Idle, waits),
            last_publisher: 0,
        }
    }

    /// When [`Command::Tick`] is due.
    pub(super) fn deadline(&self) -> Option<Monotonic> {
        match self.phase {
            Phase::Open { until } => Some(until),
            Phase::Idle | Phase::Publishing { .. } => None,
        }
    }

    pub(super) fn handle(&mut self, now: Monotonic, command: Command) -> Vec<Effect> {
        match command {
            Command::Publish { address, silent_for } => self.publish(address, silent_for),
            Command::Stopped(publisher) => self.left(now, publisher, GRACE_AFTER_STOP),
            Command::Lost(publisher) => self.left(now, publisher, GRACE_AFTER_LOSS),
            Command::Cut => self.cut(now, LeaseEnded::KeyRotated, GRACE_AFTER_LOSS),
            Command::Done(how) => self.done(now, how),
            Command::Close(why) => self.close(now, why),
            Command::Tick => self.tick(now),
        }
    }

    /// Whether a publisher from there would be let in now.
    pub(super) fn has_place_for(&self, address: IpAddr, silent_for: Duration) -> bool {
        match self.phase {
            Phase::Publishing { address: present, .. } => present == address || silent_for >= TAKEOVER_SILENCE,
            Phase::Idle | Phase::Open { .. } => true,
        }
    }

    fn publish(&mut self, address: IpAddr, silent_for: Duration) -> Vec<Effect> {
        if !self.has_place_for(address, silent_for) {
            return vec![Effect::Refuse];
        }
        let mut effects = Vec::new();
        if let Phase::Publishing { publisher, .. } = self.phase {
            effects.extend([Effect::Revoke(publisher, LeaseEnded::TakenOver), Effect::Interrupt]);
        }
        self.last_publisher += 1;
        let publisher = PublisherId(self.last_publisher);
        self.phase = Phase::Publishing { publisher, address };
        effects.push(Effect::Accept(publisher));
        effects
    }

    /// A publisher that was taken over says its goodbye late: it is not the room's any more.
    fn left(&mut self, now: Monotonic, gone: PublisherId, grace: Duration) -> Vec<Effect> {
        match self.phase {
            Phase::Publishing { publisher, .. } if publisher == gone => {
                self.phase = Phase::Open { until: now + grace };
                vec![Effect::Interrupt]
            }
            _ => Vec::new(),
        }
    }

    /// After a new key the room stays open as after a loss: the streamer has to type it first.
    fn cut(&mut self, now: Monotonic, why: LeaseEnded, grace: Duration) -> Vec<Effect> {
        let Phase::Publishing { publisher, .. } = self.phase else {
            return Vec::new();
        };
        self.phase = Phase::Open { until: now + grace };
        vec![Effect::Revoke(publisher, why), Effect::Interrupt]
    }

    /// The encoder in front may say so after its own connection came to an end, and knows better how the publisher went.
    fn done(&mut self, now: Monotonic, how: PublishEnd) -> Vec<Effect> {
        let (grace, is_lost) = match how {
            PublishEnd::Stopped => (GRACE_AFTER_STOP, false),
            PublishEnd::Lost => (GRACE_AFTER_LOSS, true),
        };
        if let Phase::Open { until } = &mut self.phase {
            let told = now + grace;
            *until = if is_lost {
                (*until).max(told)
            } else {
                (*until).min(told)
            };
        }
        self.cut(now, LeaseEnded::Cut, grace)
    }

    /// An origin that stops may be back in a moment: relays hold the stream for it as for a publisher that was lost.
    fn close(&mut self, now: Monotonic, why: LeaseEnded) -> Vec<Effect> {
        if why == LeaseEnded::Draining {
            return self.cut(now, why, GRACE_AFTER_LOSS);
        }
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Idle => Vec::new(),
            Phase::Publishing { publisher, .. } => vec![Effect::Revoke(publisher, why), Effect::End],
            Phase::Open { .. } => vec![Effect::End],
        }
    }

    fn tick(&mut self, now: Monotonic) -> Vec<Effect> {
        match self.phase {
            Phase::Open { until } if until <= now => {
                self.phase = Phase::Idle;
                vec![Effect::End]
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    fn publishing() -> (RoomState, PublisherId) {
        let mut room = RoomState::new(at(0), None);
        let effects = room.handle(
            at(0),
            Command::Publish {
                address: HOME,
                silent_for: Duration::ZERO,
            },
        );
        assert_eq!(effects, [Effect::Accept(PublisherId(1))]);
        (room, PublisherId(1))
    }

    #[test]
    fn a_second_publisher_from_elsewhere_is_refused_while_the_first_sends() {
        let (mut room, _) = publishing();
        let effects = room.handle(
            at(1),
            Command::Publish {
                address: ELSEWHERE,
                silent_for: Duration::from_millis(1999),
            },
        );
        assert_eq!(effects, [Effect::Refuse]);
    }

    #[test]
    fn a_newcomer_takes_over_from_a_silent_publisher() {
        let (mut room, first) = publishing();
        let effects = room.handle(
            at(5),
            Command::Publish {
                address: ELSEWHERE,
                silent_for: TAKEOVER_SILENCE,
            },
        );
        assert_eq!(
            effects,
            [
                Effect::Revoke(first, LeaseEnded::TakenOver),
                Effect::Interrupt,
                Effect::Accept(PublisherId(2))
            ]
        );
    }

    #[test]
    fn the_same_address_takes_over_at_once_and_the_old_goodbye_changes_nothing() {
        let (mut room, first) = publishing();
        let effects = room.handle(
            at(1),
            Command::Publish {
                address: HOME,
                silent_for: Duration::ZERO,
            },
        );
        assert_eq!(effects.last(), Some(&Effect::Accept(PublisherId(2))));
        assert_eq!(room.handle(at(2), Command::Lost(first)), []);
        assert_eq!(room.deadline(), None);
    }

    #[test]
    fn a_lost_publisher_leaves_the_room_open_for_90_seconds() {
        let (mut room, first) = publishing();
        assert_eq!(room.handle(at(10), Command::Lost(first)), [Effect::Interrupt]);
        assert_eq!(room.deadline(), Some(at(100)));
        assert_eq!(room.handle(at(99), Command::Tick), []);
        assert_eq!(room.handle(at(100), Command::Tick), [Effect::End]);
        assert_eq!(room.deadline(), None);
    }

    #[test]
    fn a_publisher_that_returns_in_time_goes_on() {
        let (mut room, first) = publishing();
        room.handle(at(10), Command::Lost(first));
        let effects = room.handle(
            at(60),
            Command::Publish {
                address: ELSEWHERE,
                silent_for: Duration::ZERO,
            },
        );
        assert_eq!(effects, [Effect::Accept(PublisherId(2))]);
        assert_eq!(room.handle(at(100), Command::Tick), []);
    }

    #[test]
    fn a_publisher_of_the_process_before_is_waited_for_and_no_longer_than_after_a_loss() {
        let mut room = RoomState::new(at(0), Some(at(40)));
        assert_eq!(room.deadline(), Some(at(40)));
        assert_eq!(room.handle(at(40), Command::Tick), [Effect::End]);
        assert_eq!(RoomState::new(at(0), Some(at(4000))).deadline(), Some(at(90)));
    }

    #[test]
    fn a_clean_stop_ends_within_ten_seconds() {
        let (mut room, first) = publishing();
        assert_eq!(room.handle(at(10), Command::Stopped(first)), [Effect::Interrupt]);
        let deadline = room.deadline().unwrap();
        assert!(deadline <= at(20));
        assert_eq!(room.handle(deadline, Command::Tick), [Effect::End]);
    }

    #[test]
    fn a_stop_that_is_told_after_the_loss_shortens_the_wait() {
        let (mut room, first) = publishing();
        room.handle(at(10), Command::Lost(first));
        let done = Command::Done(PublishEnd::Stopped);
        assert_eq!(room.handle(at(11), done), []);
        let deadline = at(11) + GRACE_AFTER_STOP;
        assert_eq!(room.deadline(), Some(deadline));
        assert_eq!(room.handle(at(15), done), [], "nor does a second one lengthen it");
        assert_eq!(room.deadline(), Some(deadline));
        assert_eq!(room.handle(deadline, Command::Tick), [Effect::End]);
    }

    #[test]
    fn a_publisher_behind_an_encoder_that_cannot_tell_is_waited_for_as_after_a_loss() {
        let done = Command::Done(PublishEnd::Lost);
        let (mut room, first) = publishing();
        assert_eq!(
            room.handle(at(10), done),
            [Effect::Revoke(first, LeaseEnded::Cut), Effect::Interrupt]
        );
        assert_eq!(room.deadline(), Some(at(10) + GRACE_AFTER_LOSS));

        let (mut room, first) = publishing();
        room.handle(at(10), Command::Stopped(first));
        assert_eq!(room.handle(at(11), done), []);
        assert_eq!(
            room.deadline(),
            Some(at(11) + GRACE_AFTER_LOSS),
            "also when ffmpeg carried it and said goodbye"
        );
    }

    #[test]
    fn a_rotated_key_cuts_the_publisher_but_not_the_evening() {
        let (mut room, first) = publishing();
        assert_eq!(
            room.handle(at(3), Command::Cut),
            [Effect::Revoke(first, LeaseEnded::KeyRotated), Effect::Interrupt]
        );
        assert_eq!(room.deadline(), Some(at(93)));
    }

    #[test]
    fn an_origin_that_stops_ends_no_stream() {
        let (mut room, first) = publishing();
        assert_eq!(
            room.handle(at(3), Command::Close(LeaseEnded::Draining)),
            [Effect::Revoke(first, LeaseEnded::Draining), Effect::Interrupt]
        );
        assert!(room.deadline().is_some(), "it is told of as waiting");
    }

    #[test]
    fn closing_a_room_ends_its_stream() {
        let (mut room, first) = publishing();
        assert_eq!(
            room.handle(at(3), Command::Close(LeaseEnded::RoomDeleted)),
            [Effect::Revoke(first, LeaseEnded::RoomDeleted), Effect::End]
        );
        assert_eq!(room.handle(at(4), Command::Close(LeaseEnded::RoomDeleted)), []);
    }
}
