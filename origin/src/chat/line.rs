//! The way down to one connection of a relay: frames that are encoded already, in order, in a bounded queue.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use common::{
    chat::room::RelayKey,
    id::RoomSlug,
    wire::{
        chat::ChatDown,
        codec::{self, WireError},
        control::UpstreamFrame,
    },
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Frames that wait for one relay, of all its rooms, and their bytes: some seconds of busy rooms, or the first snapshots of many. A
/// relay that falls further behind is cut off, and learns all anew when it comes back.
const MAX_FRAMES: usize = 4096;
const MAX_BYTES: usize = 64 << 20;
/// Sockets that one relay may have in all rooms: twice of what a relay lets in, for those that it opened anew before it closed the
/// old ones.
const MAX_SOCKETS: usize = 20_000;

pub(super) struct Line {
    pub(super) key: RelayKey,
    pub(super) relay_id: String,
    frames: mpsc::Sender<Bytes>,
    waiting_bytes: AtomicUsize,
    sockets: Arc<AtomicUsize>,
    /// Rooms that know the line.
    rooms: Mutex<BTreeSet<RoomSlug>>,
    cut: CancellationToken,
}

/// The end from which the relay's session takes frames.
pub(super) struct Frames {
    line: Arc<Line>,
    frames: mpsc::Receiver<Bytes>,
}

/// A socket's place among those of its relay; free when it is dropped.
pub(super) struct Place(Arc<AtomicUsize>);

impl Line {
    pub(super) fn new(key: RelayKey, relay_id: String) -> (Arc<Self>, Frames) {
        let (sender, frames) = mpsc::channel(MAX_FRAMES);
        let line = Arc::new(Self {
            key,
            relay_id,
            frames: sender,
            waiting_bytes: AtomicUsize::new(0),
            sockets: Arc::default(),
            rooms: Mutex::default(),
            cut: CancellationToken::new(),
        });
        let frames = Frames {
            line: Arc::clone(&line),
            frames,
        };
        (line, frames)
    }

    /// Cancelled when the relay has to leave, for it does not take what it is told.
    pub(super) fn must_leave(&self) -> &CancellationToken {
        &self.cut
    }

    pub(super) fn cut(&self) {
        if !self.cut.is_cancelled() {
            tracing::warn!(relay = self.relay_id, "a relay does not take what its chats tell it");
            self.cut.cancel();
        }
    }

    pub(super) fn tell(&self, frame: Bytes) {
        let len = frame.len();
        let waiting = self.waiting_bytes.fetch_add(len, Ordering::Relaxed);
        // A line that was cut stays so, for it has a gap.
        if self.cut.is_cancelled() || waiting + len > MAX_BYTES || self.frames.try_send(frame).is_err() {
            self.waiting_bytes.fetch_sub(len, Ordering::Relaxed);
            self.cut();
        }
    }

    /// `None` when the relay has too many sockets.
    pub(super) fn take_place(&self) -> Option<Place> {
        let place = Place(Arc::clone(&self.sockets));
        (self.sockets.fetch_add(1, Ordering::Relaxed) < MAX_SOCKETS).then_some(place)
    }

    pub(super) fn is_known_in(&self, room: &RoomSlug) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if !rooms.contains(room) {
            rooms.insert(room.clone());
        }
    }

    pub(super) fn rooms(&self) -> BTreeSet<RoomSlug> {
        std::mem::take(&mut self.rooms.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Frames {
    /// The next frame. May be dropped half-way.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        let frame = self.frames.recv().await?;
        self.line.waiting_bytes.fetch_sub(frame.len(), Ordering::Relaxed);
        Some(frame)
    }
}

/// Gives `tell` the frames that carry `items` of a room, in order: as few as may be.
pub(super) fn encode(room: &RoomSlug, mut items: Vec<ChatDown>, tell: &mut dyn FnMut(Bytes)) {
    let frame = UpstreamFrame::Chat {
        room: room.clone(),
        items,
    };
    match codec::encode_frame(&frame) {
        Ok(bytes) => return tell(bytes),
        Err(WireError::TooLong { .. }) => {}
        Err(error) => return tracing::error!(%room, %error, "chat that cannot be told"),
    }
    let UpstreamFrame::Chat { items: all, .. } = frame else {
        unreachable!("it was made above")
    };
    items = all;
    if items.len() < 2 {
        return tracing::error!(%room, "a piece of chat that fits no frame");
    }
    let rest = items.split_off(items.len() / 2);
    encode(room, items, tell);
    encode(room, rest, tell);
}

#[cfg(test)]
mod tests {
    use common::wire::chat::SocketEvent;

    use super::*;

    fn line() -> (Arc<Line>, Frames) {
        Line::new(RelayKey(1), "r1".to_owned())
    }

    #[tokio::test]
    async fn a_relay_that_takes_nothing_is_cut_by_count_and_by_bytes() {
        let (short, mut frames) = line();
        for _ in 0..MAX_FRAMES {
            short.tell(Bytes::from_static(b"frame"));
        }
        assert!(!short.must_leave().is_cancelled());
        short.tell(Bytes::from_static(b"frame"));
        assert!(short.must_leave().is_cancelled());
        // It has a gap: nothing is put behind it.
        frames.next().await.unwrap();
        short.tell(Bytes::from_static(b"late"));
        assert_eq!(frames.frames.len(), MAX_FRAMES - 1);

        let (long, mut frames) = line();
        let megabyte = Bytes::from(vec![0; 1 << 20]);
        for _ in 0..64 {
            long.tell(megabyte.clone());
        }
        frames.next().await.unwrap();
        long.tell(megabyte.clone());
        assert!(!long.must_leave().is_cancelled());
        long.tell(megabyte);
        assert!(long.must_leave().is_cancelled());
    }

    #[test]
    fn places_are_given_back() {
        let (line, _frames) = line();
        let places: Vec<_> = (0..MAX_SOCKETS).map(|_| line.take_place().unwrap()).collect();
        assert!(line.take_place().is_none());
        drop(places);
        assert!(line.take_place().is_some());
    }

    #[test]
    fn items_that_are_too_many_for_a_frame_come_in_several_in_order() {
        let kick = |socket| ChatDown::Socket {
            socket,
            event: SocketEvent::Token {
                token: "t".repeat(1000),
                expires_at: common::time::UnixMillis(1),
            },
        };
        let items: Vec<_> = (0..3000).map(kick).collect();
        let mut told = Vec::new();
        let mut frames = 0;
        encode(&"cinema".parse().unwrap(), items.clone(), &mut |bytes| {
            frames += 1;
            match codec::decode_frame(&bytes[codec::FRAME_PREFIX_LEN..]).unwrap() {
                Some(UpstreamFrame::Chat { items, .. }) => told.extend(items),
                other => panic!("{other:?}"),
            }
        });
        assert_eq!(told, items);
        assert_eq!(frames, 4);
    }
}
