//! What the origin told this relay besides media: which rooms there are, which keys verify tokens, what was revoked. Kept while the
//! link is away.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use common::{
    auth::revocations::in_force,
    id::RoomSlug,
    time::UnixMillis,
    wire::control::{Revocation, RoomState, UpstreamFrame},
};
use tokio::sync::watch;

/// Most revocations kept; the origin sends those in force, and viewer tokens live minutes. Beyond it those that end first go.
const MAX_REVOCATIONS: usize = 100_000;

/// Written by the link's task alone, read by all.
#[derive(Debug)]
pub struct Directory {
    rooms: RwLock<HashMap<RoomSlug, RoomState>>,
    keys: watch::Sender<Arc<str>>,
    revocations: watch::Sender<Arc<Vec<Revocation>>>,
    public_urls: watch::Sender<Arc<Vec<String>>>,
    relay_id: watch::Sender<Option<Arc<str>>>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            rooms: RwLock::default(),
            keys: watch::Sender::new(Arc::from("")),
            revocations: watch::Sender::default(),
            public_urls: watch::Sender::default(),
            relay_id: watch::Sender::default(),
        }
    }
}

impl Directory {
    /// Takes what the frame tells; frames about media tell nothing here.
    pub fn take(&self, frame: &UpstreamFrame, now: UnixMillis) {
        match frame {
            UpstreamFrame::Welcome {
                relay_id,
                keys,
                revocations,
                rooms,
                public_urls,
            } => {
                *self.rooms.write().unwrap_or_else(PoisonError::into_inner) =
                    rooms.iter().map(|state| (state.slug.clone(), state.clone())).collect();
                self.relay_id.send_replace(Some(relay_id.as_str().into()));
                self.keys.send_replace(keys.as_str().into());
                self.revocations.send_replace(tidied(revocations.clone(), now));
                self.public_urls.send_replace(Arc::new(public_urls.clone()));
            }
            UpstreamFrame::Keys { keys } => {
                self.keys.send_replace(keys.as_str().into());
            }
            UpstreamFrame::Revoke { revocations } => {
                self.revocations.send_modify(|held| {
                    let all = held.iter().chain(revocations).cloned().collect();
                    *held = tidied(all, now);
                });
            }
            UpstreamFrame::PublicUrls { public_urls } => {
                self.public_urls.send_replace(Arc::new(public_urls.clone()));
            }
            UpstreamFrame::Room { state } => {
                let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
                rooms.insert(state.slug.clone(), state.clone());
            }
            UpstreamFrame::RoomGone { room } => {
                self.rooms.write().unwrap_or_else(PoisonError::into_inner).remove(room);
            }
            UpstreamFrame::Window { .. }
            | UpstreamFrame::Offline { .. }
            | UpstreamFrame::Starting { .. }
            | UpstreamFrame::Init { .. }
            | UpstreamFrame::SegmentEnd { .. }
            | UpstreamFrame::Skipped { .. }
            | UpstreamFrame::BitRate { .. }
            | UpstreamFrame::End { .. }
            | UpstreamFrame::Pong { .. }
            | UpstreamFrame::GoAway { .. }
            | UpstreamFrame::Chat { .. } => {}
        }
    }

    pub fn room(&self, slug: &RoomSlug) -> Option<RoomState> {
        self.rooms
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(slug)
            .cloned()
    }

    /// JWK set, JSON; empty before the first `Welcome`.
    pub fn keys(&self) -> watch::Receiver<Arc<str>> {
        self.keys.subscribe()
    }

    /// All revocations in force.
    pub fn revocations(&self) -> watch::Receiver<Arc<Vec<Revocation>>> {
        self.revocations.subscribe()
    }

    pub fn public_urls(&self) -> watch::Receiver<Arc<Vec<String>>> {
        self.public_urls.subscribe()
    }

    pub fn relay_id(&self) -> Option<Arc<str>> {
        self.relay_id.borrow().clone()
    }
}

/// Without those that are over, and those that stand twice.
fn tidied(mut revocations: Vec<Revocation>, now: UnixMillis) -> Arc<Vec<Revocation>> {
    revocations.retain(|revocation| in_force(revocation.until, now));
    revocations.sort_by_key(|revocation| std::cmp::Reverse(revocation.until));
    let mut subjects = std::collections::HashSet::new();
    revocations.retain(|revocation| subjects.insert(revocation.subject.clone()));
    revocations.truncate(MAX_REVOCATIONS);
    Arc::new(revocations)
}

#[cfg(test)]
mod tests {
    use common::wire::control::RevokedSubject;

    use super::*;

    fn revocation(viewer: &str, until: i64) -> Revocation {
        Revocation {
            subject: RevokedSubject::Viewer(viewer.to_owned()),
            until: UnixMillis(until),
        }
    }

    #[test]
    fn revocations_add_up_and_go_when_they_are_over() {
        let directory = Directory::default();
        let revoke = |revocations| directory.take(&UpstreamFrame::Revoke { revocations }, UnixMillis(0));
        revoke(vec![revocation("a", 10), revocation("b", 20)]);
        revoke(vec![revocation("b", 30)]);
        assert_eq!(
            **directory.revocations().borrow(),
            [revocation("b", 30), revocation("a", 10)]
        );
        let pass = |now| directory.take(&UpstreamFrame::Revoke { revocations: vec![] }, UnixMillis(now));
        // A token may be taken until its end and the leeway.
        pass(1010);
        assert_eq!(directory.revocations().borrow().len(), 2);
        pass(1011);
        assert_eq!(**directory.revocations().borrow(), [revocation("b", 30)]);
    }

    #[test]
    fn a_welcome_replaces_the_rooms() {
        let directory = Directory::default();
        let state = |slug: &str| RoomState {
            slug: slug.parse().unwrap(),
            is_live: true,
            interrupted: false,
        };
        directory.take(&UpstreamFrame::Room { state: state("old") }, UnixMillis(0));
        let welcome = UpstreamFrame::Welcome {
            relay_id: "r1".to_owned(),
            keys: "{}".to_owned(),
            revocations: vec![],
            rooms: vec![state("new")],
            public_urls: vec![],
        };
        directory.take(&welcome, UnixMillis(0));
        assert_eq!(directory.room(&"old".parse().unwrap()), None);
        assert_eq!(directory.room(&"new".parse().unwrap()), Some(state("new")));
        assert_eq!(directory.relay_id().as_deref(), Some("r1"));
    }
}
