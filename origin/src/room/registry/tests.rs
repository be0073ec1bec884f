//! A room over two processes: the second one knows that the first was on air.

use std::time::Duration;

use common::{
    id::Msn,
    live::window::Retention,
    media::access_unit::{AccessUnit, Codec, MediaMessage, StreamMetadata, TrackId},
};
use futures::future::{BoxFuture, FutureExt as _};
use tokio::time::timeout;

use super::*;
use crate::{
    ingest::admission::{Admission as _, Lease as _, PublishRequest, StreamKey},
    room::{KeyLookup, RoomAdmission, RoomLease},
};

const PATIENCE: Duration = Duration::from_secs(20);
/// Two channels at 48 kHz.
const AAC: [u8; 2] = [0x11, 0x90];

/// Any key is the cinema's; keeps until when that is open.
#[derive(Default)]
struct Store(watch::Sender<Option<UnixMillis>>);

impl KeyLookup for Store {
    fn room<'a>(&'a self, _: &'a StreamKey) -> BoxFuture<'a, anyhow::Result<Option<RoomSlug>>> {
        async { Ok(Some(cinema())) }.boxed()
    }
}

impl MsnStore for Store {
    fn reserved<'a>(&'a self, _: &'a RoomSlug) -> BoxFuture<'a, anyhow::Result<Msn>> {
        async { Ok(Msn(0)) }.boxed()
    }

    fn reserve<'a>(&'a self, _: &'a RoomSlug, _: Msn) -> BoxFuture<'a, anyhow::Result<()>> {
        async { Ok(()) }.boxed()
    }
}

impl MemoryStore for Store {
    fn memory<'a>(&'a self, _: &'a RoomSlug) -> BoxFuture<'a, anyhow::Result<Option<String>>> {
        async { Ok(None) }.boxed()
    }

    fn keep<'a>(&'a self, _: &'a RoomSlug, _: String) -> BoxFuture<'a, anyhow::Result<()>> {
        async { Ok(()) }.boxed()
    }

    fn keep_open_until<'a>(&'a self, _: &'a RoomSlug, until: Option<UnixMillis>) -> BoxFuture<'a, anyhow::Result<()>> {
        self.0.send_replace(until);
        async { Ok(()) }.boxed()
    }
}

fn cinema() -> RoomSlug {
    "cinema".parse().unwrap()
}

/// A process whose cinema is open as `store` says.
fn process(store: &Arc<Store>) -> Rooms {
    let config = RoomsConfig {
        part_target_ms: 333,
        retention: Retention::origin(),
        slates: None,
        memories: Some(Arc::<Store>::clone(store)),
    };
    let rooms = Rooms::new(config, Arc::<Store>::clone(store), Shutdown::new());
    rooms.open_awaiting(&cinema(), *store.0.borrow());
    rooms
}

/// A publisher that has sent nothing.
async fn admitted(rooms: &Rooms, store: &Arc<Store>) -> RoomLease {
    let request = PublishRequest {
        key: StreamKey::from_stream_name("sk_a").unwrap(),
        peer: "192.0.2.1:1".parse().unwrap(),
        app: "live".to_owned(),
    };
    let admission = RoomAdmission::new(rooms.clone(), Arc::<Store>::clone(store));
    admission.admit(request).await.unwrap()
}

/// A publisher of sound, from whom there is something to hear.
async fn publisher(rooms: &Rooms, store: &Arc<Store>) -> RoomLease {
    let mut lease = admitted(rooms, store).await;
    lease
        .push(MediaMessage::Metadata(StreamMetadata {
            has_video: Some(false),
            ..StreamMetadata::default()
        }))
        .unwrap();
    lease
        .push(MediaMessage::Config {
            track: TrackId::AUDIO,
            codec: Codec::Aac,
            record: bytes::Bytes::from_static(&AAC),
        })
        .unwrap();
    for frame in 0..300_u32 {
        lease
            .push(MediaMessage::AccessUnit(AccessUnit {
                track: TrackId::AUDIO,
                timestamp_ms: frame * 1024 / 48,
                composition_ms: 0,
                sync: true,
                payload: bytes::Bytes::from_static(b"a frame of sound"),
            }))
            .unwrap();
    }
    lease
}

/// Waits until relays are told that the room is so.
async fn until(rooms: &Rooms, is_live: bool, interrupted: bool) {
    let mut states = rooms.states();
    let is_so = |states: &BTreeMap<RoomSlug, RoomState>| {
        let state = states.get(&cinema());
        state.is_some_and(|state| (state.is_live, state.interrupted) == (is_live, interrupted))
    };
    let told = timeout(PATIENCE, states.wait_for(is_so)).await;
    told.expect("relays are told in time").unwrap();
}

#[tokio::test]
async fn a_room_that_was_on_air_in_the_process_before_is_waited_for() {
    let store = Arc::new(Store::default());
    let before = process(&store);
    let lease = publisher(&before, &store).await;
    until(&before, true, false).await;
    let mut kept = store.0.subscribe();
    timeout(PATIENCE, kept.wait_for(Option::is_some))
        .await
        .unwrap()
        .unwrap();
    // Killed, it would have said nothing more.
    let after = process(&store);
    let status = after.status(&cinema());
    assert!(
        status.is_live && status.interrupted,
        "before anybody could be told otherwise: {status:?}"
    );
    until(&after, true, true).await;
    let returned = publisher(&after, &store).await;
    until(&after, true, false).await;
    drop((lease, returned));
}

#[tokio::test]
async fn a_room_whose_publisher_does_not_return_is_over_when_it_would_have_been() {
    let store = Arc::new(Store::default());
    let soon = UnixMillis(clock::unix_millis().0 + 3_000);
    store.0.send_replace(Some(soon));
    let rooms = process(&store);
    until(&rooms, true, true).await;
    until(&rooms, false, false).await;
    assert!(clock::unix_millis().0 >= soon.0);
    let mut kept = store.0.subscribe();
    timeout(PATIENCE, kept.wait_for(Option::is_none))
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_room_is_waited_for_no_longer_because_somebody_came_of_whom_nothing_can_be_played() {
    let store = Arc::new(Store::default());
    store.0.send_replace(Some(UnixMillis(clock::unix_millis().0 + 3_000)));
    let rooms = process(&store);
    until(&rooms, true, true).await;
    let _lease = admitted(&rooms, &store).await;
    until(&rooms, false, false).await;
}
