//! An ingest on port 0 before real rooms, each published into under its own name.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use common::{
    id::{Msn, RenditionId, RoomSlug},
    live::window::{LiveWindow, Retention},
    rtmp::{chunk_reader::MAX_CHUNK_SIZE, message::type_id},
};
use node::shutdown::Shutdown;
use origin::{
    ingest::{Ingest, admission::StreamKey, limits::IngestLimits},
    room::{KeyLookup, MsnStore, RoomAdmission, Rooms, RoomsConfig},
};
use tokio::net::TcpListener;

use super::{Client, PATIENCE, message};

type Answer<'a, T> = Pin<Box<dyn Future<Output = anyhow::Result<T>> + Send + 'a>>;

/// Each key is the name of its room.
struct Stored;

impl KeyLookup for Stored {
    fn room<'a>(&'a self, key: &'a StreamKey) -> Answer<'a, Option<RoomSlug>> {
        Box::pin(async { Ok(key.expose().parse().ok()) })
    }
}

impl MsnStore for Stored {
    fn reserved<'a>(&'a self, _: &'a RoomSlug) -> Answer<'a, Msn> {
        Box::pin(async { Ok(Msn(0)) })
    }

    fn reserve<'a>(&'a self, _: &'a RoomSlug, _: Msn) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// Real rooms, with publishers who hold their keys.
pub(crate) struct House {
    rooms: Rooms,
    ingest: SocketAddr,
    _shutdown: Shutdown,
}

impl House {
    pub(crate) async fn open(rooms_open: &[&str]) -> Self {
        let shutdown = Shutdown::new();
        let config = RoomsConfig {
            part_target_ms: 333,
            retention: Retention::origin(),
            slates: None,
            memories: None,
        };
        let rooms = Rooms::new(config, Arc::new(Stored), shutdown.clone());
        rooms_open.iter().for_each(|room| rooms.open(&room.parse().unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ingest = listener.local_addr().unwrap();
        let admission = Arc::new(RoomAdmission::new(rooms.clone(), Arc::new(Stored)));
        let running = Ingest::new(admission, IngestLimits::default(), shutdown.clone());
        shutdown.spawn(running.serve(listener, None));
        Self {
            rooms,
            ingest,
            _shutdown: shutdown,
        }
    }

    pub(crate) async fn publisher(&self, room: &str) -> Client {
        let mut client = Client::open(self.ingest).await;
        client.connect("live").await;
        client.publish(room).await;
        assert_eq!(client.status().await, "NetStream.Publish.Start");
        client
            .send(&message(
                128,
                2,
                type_id::SET_CHUNK_SIZE,
                0,
                &MAX_CHUNK_SIZE.to_be_bytes(),
            ))
            .await;
        client
    }

    /// Segments begun.
    fn begun(&self, room: &str) -> Msn {
        let live = self.rooms.live(&room.parse().unwrap()).unwrap();
        let begun = |window: &LiveWindow| window.next(RenditionId(0)).0;
        live.read(|windows| windows.current().map(begun)).unwrap_or_default()
    }

    /// Half a minute of sound from this second on, as fast as it goes, is on air.
    pub(crate) async fn carries(&self, room: &str, publisher: &mut Client, from: u32) {
        let begun = self.begun(room);
        let mut sound = media(type_id::AUDIO, 0, b"\xaf\x00\x11\x90");
        for frame in 0..30 * 375 / 8 {
            sound.extend(media(type_id::AUDIO, from * 1000 + frame * 64 / 3, b"\xaf\x01frame"));
        }
        publisher.send(&sound).await;
        let on_air = async {
            while self.begun(room).0 < begun.0 + 5 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, on_air)
            .await
            .expect("the room is on air");
    }
}

pub(crate) fn media(type_id: u8, timestamp: u32, body: &[u8]) -> Vec<u8> {
    message(MAX_CHUNK_SIZE as usize, 4, type_id, timestamp, body)
}
