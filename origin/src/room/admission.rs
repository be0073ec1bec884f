//! The door between ingest and rooms: a key is looked up, the room is asked, and the publisher gets a lease.

use std::{future::Future, net::IpAddr, pin::Pin, sync::Arc};

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
        if let Some(pass) = self.rooms.pass(request.key.expose(), request.peer.ip()) {
            let address = pass.of.encoder.unwrap_or(request.peer.ip());
            let name = request.key.expose();
            let lease = self.ask(&pass.room, address, Some(name)).await?;
            // The key may have been changed, or the publication ended, in between.
            return match self.rooms.pass(name, request.peer.ip()) {
                Some(_) => Ok(lease),
                None => Err(Refusal::UnknownKey),
            };
        }
        let slug = self.room(&request.key).await?;
        let lease = self.ask(&slug, request.peer.ip(), None).await?;
        // A new key cuts the publisher that is there. If it came between look-up and lease, it found none, and the old key would
        // be good for as long as this publisher stays.
        match self.room(&request.key).await {
            Ok(still) if still == slug => Ok(lease),
            Ok(_) => Err(Refusal::UnknownKey),
            Err(refusal) => Err(refusal),
        }
    }
}

impl RoomAdmission {
    /// Asks the room for a lease.
    async fn ask(&self, slug: &RoomSlug, address: IpAddr, pass: Option<&str>) -> Result<RoomLease, Refusal> {
        let commands = self.rooms.commands(slug).ok_or(Refusal::UnknownKey)?;
        let (reply, answer) = oneshot::channel();
        let publish = RoomCommand::Publish {
            address: address.to_canonical(),
            pass: pass.map(str::to_owned),
            reply,
        };
        commands.try_send(publish).map_err(|_| Refusal::Unavailable)?;
        let lease = answer.await.map_err(|_| Refusal::Unavailable)?.ok_or(Refusal::Busy)?;
        self.rooms.admitted(slug, pass);
        Ok(lease)
    }

    async fn room(&self, key: &StreamKey) -> Result<RoomSlug, Refusal> {
        let found = self.keys.room(key).await.map_err(|reason| {
            warn!(%reason, "a stream key could not be looked up");
            Refusal::Unavailable
        })?;
        found.ok_or(Refusal::UnknownKey)
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use common::{id::Msn, live::window::Retention};
    use node::shutdown::Shutdown;

    use super::*;
    use crate::room::{MsnStore, RoomsConfig};

    type Answer<'a, T> = Pin<Box<dyn Future<Output = anyhow::Result<T>> + Send + 'a>>;

    /// Gives these answers, the last one first.
    struct Keys(Mutex<Vec<Option<RoomSlug>>>);

    impl KeyLookup for Keys {
        fn room<'a>(&'a self, _: &'a StreamKey) -> Answer<'a, Option<RoomSlug>> {
            let room = self.0.lock().unwrap().pop().flatten();
            Box::pin(async { Ok(room) })
        }
    }

    struct NoStore;

    impl MsnStore for NoStore {
        fn reserved<'a>(&'a self, _: &'a RoomSlug) -> Answer<'a, Msn> {
            Box::pin(async { Ok(Msn(0)) })
        }

        fn reserve<'a>(&'a self, _: &'a RoomSlug, _: Msn) -> Answer<'a, ()> {
            Box::pin(async { Ok(()) })
        }
    }

    async fn admitted(looked_up: [Option<&str>; 2]) -> Result<(), Refusal> {
        let settings = RoomsConfig {
            part_target_ms: 333,
            retention: Retention::origin(),
            slates: None,
            memories: None,
        };
        let rooms = Rooms::new(settings, Arc::new(NoStore), Shutdown::new());
        rooms.open(&"cinema".parse().unwrap());
        let answers = looked_up.into_iter().rev();
        let answers = answers.map(|slug| slug.map(|slug| slug.parse().unwrap())).collect();
        let request = PublishRequest {
            key: StreamKey::from_stream_name("sk_a").unwrap(),
            peer: "192.0.2.1:1".parse().unwrap(),
            app: "live".to_owned(),
        };
        let admission = RoomAdmission::new(rooms, Arc::new(Keys(Mutex::new(answers))));
        admission.admit(request).await.map(|_| ())
    }

    #[tokio::test]
    async fn a_key_that_was_changed_while_its_publisher_was_let_in_is_refused() {
        assert_eq!(admitted([Some("cinema"), Some("cinema")]).await, Ok(()));
        assert_eq!(admitted([Some("cinema"), None]).await, Err(Refusal::UnknownKey));
        assert_eq!(
            admitted([Some("cinema"), Some("games")]).await,
            Err(Refusal::UnknownKey)
        );
    }
}
