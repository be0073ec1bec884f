//! The door between ingest and rooms: a key is looked up, the room is asked, and the publisher gets a lease.

use std::{future::Future, net::IpAddr, pin::Pin, sync::Arc};

use common::{id::RoomSlug, media::access_unit::MediaMessage};
use tokio::sync::{oneshot, watch};
use tracing::warn;

use super::{
    actor::RoomCommand,
    numbers::asked,
    publication::{NotTaken, Publication},
    registry::Rooms,
    state::PublisherId,
};
use crate::{
    control::Control,
    ingest::admission::{Admission, Lease, LeaseEnded, PublishEnd, PublishRequest, Refusal, StreamKey},
    secrets::KeyHash,
};

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
        let hash = Control::key_hash(request.key.expose());
        let Opens { slug, is_certain } = self.room(&request.key, &hash).await?;
        let changes = self.rooms.key_changes(&slug).ok_or(Refusal::UnknownKey)?;
        let lease = self.ask(&slug, request.peer.ip(), None).await?;
        // A new key cuts the publisher that is there. If it came between look-up and lease, it found none, and the old key would
        // be good for as long as this publisher stays.
        let still = if is_certain {
            self.room(&request.key, &hash).await?.slug
        } else {
            // Not asked for a second time: a publisher waits no longer than for one answer of a database that is away.
            self.rooms.open_by_key(&hash).ok_or(Refusal::UnknownKey)?
        };
        if still != slug {
            return Err(Refusal::UnknownKey);
        }
        self.rooms.remember_key(&slug, hash, changes);
        Ok(lease)
    }
}

/// What a key opens.
struct Opens {
    slug: RoomSlug,
    /// The database says so; else the room is open, and its publisher came by this key.
    is_certain: bool,
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

    /// What the key opens: as the database says, or while it does not answer, as an open room remembers.
    async fn room(&self, key: &StreamKey, hash: &KeyHash) -> Result<Opens, Refusal> {
        match asked(self.keys.room(key)).await {
            Ok(found) => {
                let slug = found.ok_or(Refusal::UnknownKey)?;
                Ok(Opens { slug, is_certain: true })
            }
            Err(reason) => {
                warn!(%reason, "a stream key could not be looked up");
                let slug = self.rooms.open_by_key(hash).ok_or(Refusal::Unavailable)?;
                Ok(Opens {
                    slug,
                    is_certain: false,
                })
            }
        }
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
            .map_err(|reason| match reason {
                NotTaken::NotThePublisher => self.revoked.borrow().unwrap_or(LeaseEnded::TakenOver),
                NotTaken::TooMuch => LeaseEnded::TooMuch,
            })
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
    use crate::{
        ingest::limits::IngestLimits,
        room::{MsnStore, RoomsConfig},
    };

    type Answer<'a, T> = Pin<Box<dyn Future<Output = anyhow::Result<T>> + Send + 'a>>;

    /// What the database says of a key.
    #[derive(Clone)]
    enum Says {
        Room(&'static str),
        Nobody,
        /// That it is away.
        Error,
        /// Nothing at all.
        Hangs,
    }

    /// Gives these answers, the last one for ever.
    struct Keys(Mutex<Vec<Says>>);

    impl Keys {
        fn saying(answers: &[Says]) -> Arc<Self> {
            Arc::new(Self(Mutex::new(answers.iter().rev().cloned().collect())))
        }

        fn say(&self, answer: Says) {
            *self.0.lock().unwrap() = vec![answer];
        }
    }

    impl KeyLookup for Keys {
        fn room<'a>(&'a self, _: &'a StreamKey) -> Answer<'a, Option<RoomSlug>> {
            let mut answers = self.0.lock().unwrap();
            let says = if answers.len() > 1 {
                answers.pop().unwrap()
            } else {
                answers[0].clone()
            };
            Box::pin(async move {
                match says {
                    Says::Room(slug) => Ok(Some(slug.parse().unwrap())),
                    Says::Nobody => Ok(None),
                    Says::Error => Err(anyhow::anyhow!("the database is away")),
                    Says::Hangs => std::future::pending().await,
                }
            })
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

    fn cinema() -> RoomSlug {
        "cinema".parse().unwrap()
    }

    /// A door to one room, and what the database says of keys.
    fn door(answers: &[Says]) -> (RoomAdmission, Arc<Keys>) {
        let settings = RoomsConfig {
            part_target_ms: 333,
            retention: Retention::origin(),
            slates: None,
            memories: None,
        };
        let rooms = Rooms::new(settings, Arc::new(NoStore), Shutdown::new());
        rooms.open(&cinema());
        let keys = Keys::saying(answers);
        (RoomAdmission::new(rooms, Arc::<Keys>::clone(&keys)), keys)
    }

    async fn admitted(door: &RoomAdmission, key: &str) -> Result<(), Refusal> {
        let request = PublishRequest {
            key: StreamKey::from_stream_name(key).unwrap(),
            peer: "192.0.2.1:1".parse().unwrap(),
            app: "live".to_owned(),
        };
        // The lease is dropped: the publisher is lost, and the room waits for it.
        door.admit(request).await.map(|_| ())
    }

    #[tokio::test]
    async fn a_key_that_was_changed_while_its_publisher_was_let_in_is_refused() {
        for (second, answer) in [
            (Says::Room("cinema"), Ok(())),
            (Says::Nobody, Err(Refusal::UnknownKey)),
            (Says::Room("games"), Err(Refusal::UnknownKey)),
        ] {
            let (door, _) = door(&[Says::Room("cinema"), second]);
            assert_eq!(admitted(&door, "sk_a").await, answer);
        }
    }

    #[tokio::test]
    async fn a_publisher_that_drops_while_the_database_is_away_may_return() {
        let (door, keys) = door(&[Says::Room("cinema")]);
        assert_eq!(admitted(&door, "sk_a?live=1").await, Ok(()));
        keys.say(Says::Error);
        assert_eq!(admitted(&door, "sk_a").await, Ok(()));
        assert_eq!(admitted(&door, "sk_a").await, Ok(()), "and once more");
        assert_eq!(admitted(&door, "sk_b").await, Err(Refusal::Unavailable), "nobody else");
        keys.say(Says::Nobody);
        assert_eq!(
            admitted(&door, "sk_a").await,
            Err(Refusal::UnknownKey),
            "a database that answers is believed"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_database_that_hangs_is_waited_for_less_than_the_publisher_waits() {
        let (door, keys) = door(&[Says::Room("cinema")]);
        assert_eq!(admitted(&door, "sk_a").await, Ok(()));
        keys.say(Says::Hangs);
        let waits = IngestLimits::default().admission;
        let returned = tokio::time::timeout(waits, admitted(&door, "sk_a")).await;
        assert_eq!(returned, Ok(Ok(())));
    }

    #[tokio::test]
    async fn a_key_that_was_changed_opens_nothing_while_the_database_is_away() {
        let (door, keys) = door(&[Says::Room("cinema")]);
        assert_eq!(admitted(&door, "sk_a").await, Ok(()));
        keys.say(Says::Error);
        door.rooms.cut_publisher(&cinema());
        assert_eq!(admitted(&door, "sk_a").await, Err(Refusal::Unavailable));

        keys.say(Says::Room("cinema"));
        assert_eq!(admitted(&door, "sk_b").await, Ok(()));
        door.rooms.remove(&cinema());
        door.rooms.open(&cinema());
        keys.say(Says::Error);
        assert_eq!(
            admitted(&door, "sk_b").await,
            Err(Refusal::Unavailable),
            "a room made anew under the name of one that was deleted"
        );
    }

    #[tokio::test]
    async fn a_key_is_remembered_for_rooms_that_are_open_and_not_if_it_was_changed_meanwhile() {
        let (door, _) = door(&[Says::Room("cinema")]);
        let (rooms, hash) = (&door.rooms, Control::key_hash("sk_a"));
        let before = rooms.key_changes(&cinema()).unwrap();
        rooms.remember_key(&cinema(), hash, before);
        assert_eq!(rooms.open_by_key(&hash), None, "nothing is on air");
        assert_eq!(admitted(&door, "sk_a").await, Ok(()));
        assert_eq!(rooms.open_by_key(&hash), Some(cinema()));
        rooms.cut_publisher(&cinema());
        rooms.remember_key(&cinema(), hash, before);
        assert_eq!(
            rooms.open_by_key(&hash),
            None,
            "the key was changed while its publisher was let in"
        );
    }
}
