//! What a relay is told when it comes: all that it needs to serve viewers without asking.

use common::{
    auth::revocations::in_force,
    time::UnixMillis,
    wire::control::{Revocation, RoomState, UpstreamFrame},
};

/// Most rooms or revocations in one frame, so that each frame stays far below the wire's cap.
const PER_FRAME: usize = 2048;

/// What every relay knows, whatever is watched there.
#[derive(Clone, Debug, Default)]
pub struct LinkState {
    /// JWK set, JSON: the public keys that verify viewer tokens.
    pub keys: String,
    pub revocations: Vec<Revocation>,
    pub rooms: Vec<RoomState>,
    /// Public URLs of this StreamCircle.
    pub public_urls: Vec<String>,
}

/// `Welcome`, and what did not fit into it. Revocations come before anything that a viewer could use them for is late.
pub(super) fn frames(relay_id: &str, state: &LinkState, now: UnixMillis) -> Vec<UpstreamFrame> {
    let revocations: Vec<_> = state
        .revocations
        .iter()
        .filter(|revocation| in_force(revocation.until, now))
        .cloned()
        .collect();
    let mut revocations = revocations.chunks(PER_FRAME).map(<[_]>::to_vec);
    let (rooms, more_rooms) = state.rooms.split_at(state.rooms.len().min(PER_FRAME));
    let mut frames = vec![UpstreamFrame::Welcome {
        relay_id: relay_id.to_owned(),
        keys: state.keys.clone(),
        revocations: revocations.next().unwrap_or_default(),
        rooms: rooms.to_vec(),
        public_urls: state.public_urls.clone(),
    }];
    frames.extend(revocations.map(|revocations| UpstreamFrame::Revoke { revocations }));
    frames.extend(more_rooms.iter().cloned().map(|state| UpstreamFrame::Room { state }));
    frames
}

#[cfg(test)]
mod tests {
    use common::wire::{codec, control::RevokedSubject};

    use super::*;

    #[test]
    fn a_large_state_is_told_whole_in_frames_that_fit() {
        let until = |number: i64| Revocation {
            subject: RevokedSubject::Invite(format!("01936f5a-0000-7000-8000-{number:012}")),
            until: UnixMillis(number),
        };
        let room = |number: usize| RoomState {
            slug: format!("{number:064}").parse().unwrap(),
            is_live: false,
            interrupted: false,
        };
        let state = LinkState {
            revocations: (0..10_000).map(until).collect(),
            rooms: (0..5000).map(room).collect(),
            ..LinkState::default()
        };
        let (mut revocations, mut rooms) = (0, 0);
        // Those until 100 and later are in force: tokens have a second of leeway.
        for frame in frames("r1", &state, UnixMillis(1100)) {
            codec::encode_frame(&frame).unwrap();
            match frame {
                UpstreamFrame::Welcome {
                    revocations: first,
                    rooms: first_rooms,
                    ..
                } => {
                    revocations += first.len();
                    rooms += first_rooms.len();
                }
                UpstreamFrame::Revoke { revocations: more } => revocations += more.len(),
                UpstreamFrame::Room { .. } => rooms += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((revocations, rooms), (9900, 5000));
    }
}
