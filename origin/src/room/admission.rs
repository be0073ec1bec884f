//! The door between ingest and rooms: a key is looked up, the room is asked, and the publisher gets a lease.

use std::{future::Future, pin::Pin, sync::Arc};

use common::{id::RoomSlug, media::access_unit::MediaMessage};
use tokio::sync::{oneshot, watch};
use tracing::warn;

use super::{actor::RoomCommand, publication::Publication, registry::Rooms, state::PublisherId};
use crate::ingest::admission::{Admission, Lease, LeaseEnded, PublishEnd, PublishRequest, Refusal, StreamKey};

/// Finds the room of a stream key.
pub trait KeyLookup: Send + Sync + 'static {
    /// `None`: the key is nobody's.
    fn room<'a>(
        &'a self,
        key: &'a StreamKey,
    ) -> Pin<Box<dyn Future<Output = anyhow::Result<Option<RoomSlug>>> + Send + 'a>>;
}

/// Admits publishers to the rooms of their keys.
pub struct RoomAdmission {
    rooms: Rooms,
    keys: Arc<dyn KeyLookup>,
}

impl RoomAdmission {
    pub fn new(rooms: Rooms, keys: Arc<dyn KeyLookup>) -> Self {
        Self { rooms, keys }
    }
}

impl Admission for RoomAdmission {
    type Lease = RoomLease;

    async fn admit(&self, request: PublishRequest) -> Result<RoomLease, Refusal> {
        let found = self.keys.room(&request.key).await.map_err(|reason| {
            warn!(%reason, "a stream key could not be looked up");
            Refusal::Unavailable
        })?;
        let commands = found
            .and_then(|slug| self.rooms.commands(&slug))
            .ok_or(Refusal::UnknownKey)?;
        let (reply, answer) = oneshot::channel();
        let publish = RoomCommand::Publish {
            address: request.peer.ip(),
            reply,
        };
        commands.try_send(publish).map_err(|_| Refusal::Unavailable)?;
        answer.await.map_err(|_| Refusal::Unavailable)?.ok_or(Refusal::Busy)
    }
}

/// The right to publish into one room. Dropped without [`Lease::finish`] it counts as lost.
pub struct RoomLease {
    publisher: PublisherId,
    publication: Arc<Publication>,
    revoked: watch::Receiver<Option<LeaseEnded>>,
    goodbye: oneshot::Sender<PublishEnd>,
}

impl RoomLease {
    pub(super) fn new(
        publisher: PublisherId,
        publication: Arc<Publication>,
        revoked: watch::Receiver<Option<LeaseEnded>>,
        goodbye: oneshot::Sender<PublishEnd>,
    ) -> Self {
        Self {
            publisher,
            publication,
            revoked,
            goodbye,
        }
    }
}

impl Lease for RoomLease {
    fn push(&mut self, message: MediaMessage) -> Result<(), LeaseEnded> {
        self.publication
            .push(self.publisher, message)
            .map_err(|_| self.revoked.borrow().unwrap_or(LeaseEnded::TakenOver))
    }

    fn ended(&self) -> impl Future<Output = LeaseEnded> + Send + 'static {
        let mut revoked = self.revoked.clone();
        async move {
            match revoked.wait_for(Option::is_some).await {
                Ok(why) => why.unwrap_or(LeaseEnded::Draining),
                // The room's end was dropped unsaid: it let go of a publisher that left, so nobody waits here any more.
                Err(_) => LeaseEnded::Draining,
            }
        }
    }

    fn finish(self, how: PublishEnd) {
        // The room may have let go first.
        let _ = self.goodbye.send(how);
    }
}
