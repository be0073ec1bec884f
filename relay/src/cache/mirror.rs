//! The live rooms that are mirrored here: one [`Live`] each, written by the link's task, read by viewers' requests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use common::{
    id::{Epoch, PartId, RoomSlug},
    live::{
        LiveEvent,
        window::{LiveWindow, Lookup, Retention, WindowError},
    },
    wire::request::FetchRequest,
};
use node::{clock, live::Live};
use tokio::sync::watch;

/// All mirrored rooms.
#[derive(Debug)]
pub struct Mirrors {
    retention: Retention,
    rooms: Mutex<HashMap<RoomSlug, Mirror>>,
}

#[derive(Debug)]
struct Mirror {
    live: Arc<Live>,
    /// Upstream said that nothing is live there. The sender goes with the mirror.
    is_offline: watch::Sender<bool>,
}

/// A room as it stands at one moment, and how to wait for another.
#[derive(Debug)]
pub struct Mirrored {
    pub live: Arc<Live>,
    pub is_offline: watch::Receiver<bool>,
}

impl Mirrors {
    pub fn new(retention: Retention) -> Self {
        Self {
            retention,
            rooms: Mutex::default(),
        }
    }

    /// The room's media, if any of it is or was here.
    pub fn get(&self, room: &RoomSlug) -> Option<Arc<Live>> {
        self.lock().get(room).map(|mirror| mirror.live.clone())
    }

    /// The room's mirror, empty as long as nothing came.
    pub fn open(&self, room: &RoomSlug) -> Mirrored {
        let mut rooms = self.lock();
        let mirror = rooms.entry(room.clone()).or_insert_with(|| Mirror {
            live: Arc::new(Live::new(self.retention)),
            is_offline: watch::Sender::new(false),
        });
        Mirrored {
            live: mirror.live.clone(),
            is_offline: mirror.is_offline.subscribe(),
        }
    }

    /// A new window, with those bodies and init segments of the same epoch's old one that it lists too.
    pub fn put(&self, room: &RoomSlug, mut window: LiveWindow) {
        let live = self.open(room).live;
        live.read(|windows| {
            if let Some(old) = windows.get(window.epoch()) {
                carry_over(old, &mut window);
            }
        });
        live.put(window);
        self.set_offline(room, false);
    }

    /// Takes the next event of the room's current epoch.
    ///
    /// # Errors
    /// The window refused it, or has another epoch: the room has to be started anew.
    pub fn apply(&self, room: &RoomSlug, epoch: Epoch, event: LiveEvent) -> Result<(), WindowError> {
        let live = self.get(room).ok_or(WindowError::NotStarted)?;
        if live.read(|windows| windows.current().map(LiveWindow::epoch)) != Some(epoch) {
            return Err(WindowError::UnknownEpoch(epoch));
        }
        live.apply(event)
    }

    /// Stores a body for a record that has none; one that is not wanted any more is dropped.
    pub fn fill(&self, room: &RoomSlug, epoch: Epoch, id: PartId, body: Bytes) {
        if let Some(Err(error)) = self.get(room).map(|live| live.fill(epoch, id, body)) {
            tracing::debug!(%room, %epoch, ?id, %error, "a body that does not fit");
        }
    }

    /// Whether upstream has something live there.
    pub fn set_offline(&self, room: &RoomSlug, is_offline: bool) {
        if let Some(mirror) = self.lock().get(room) {
            mirror.is_offline.send_replace(is_offline);
        }
    }

    /// Lets go of a room that is no longer followed. Requests that hold it end by themselves.
    pub fn forget(&self, room: &RoomSlug) {
        self.lock().remove(room);
    }

    /// Drops media that is past its time; to be called every second.
    pub fn expire(&self) {
        let all: Vec<Arc<Live>> = self.lock().values().map(|mirror| mirror.live.clone()).collect();
        all.iter().for_each(|live| live.expire());
    }

    /// How many rooms are mirrored, and how many bytes of media their windows hold.
    pub fn held(&self) -> (usize, usize) {
        let all: Vec<Arc<Live>> = self.lock().values().map(|mirror| mirror.live.clone()).collect();
        (
            all.len(),
            all.iter().map(|live| live.read(|windows| windows.held_bytes())).sum(),
        )
    }

    /// How long the body of a fetch will be, from the records; `None` when they do not tell.
    pub fn size_of(&self, request: &FetchRequest) -> Option<usize> {
        let live = self.get(&request.room)?;
        live.read(|windows| {
            let segment = windows
                .get(request.epoch)?
                .kept_segment(request.rendition, request.msn)?;
            let parts = segment.parts();
            let wanted = match request.part {
                Some(part) => parts.get(part as usize..)?.get(..1)?,
                None => parts,
            };
            Some(wanted.iter().map(|part| part.record.size as usize).sum())
        })
    }

    /// Held for moments, and never while a window's lock is taken.
    fn lock(&self) -> MutexGuard<'_, HashMap<RoomSlug, Mirror>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a viewer can start: the window is here, and the init segments of what it lists last.
pub fn is_ready(live: &Live) -> bool {
    live.read(|windows| {
        windows.current().is_some_and(|window| {
            window.description().rendition_ids().all(|rendition| {
                let newest = window.segments(rendition).next_back();
                newest.is_none_or(|segment| window.init(rendition, segment.init_id()).is_some())
            })
        })
    })
}

fn carry_over(old: &LiveWindow, new: &mut LiveWindow) {
    for rendition in new.description().rendition_ids() {
        for (init_id, body) in old.inits(rendition) {
            // One that the new window does not need is refused.
            let _ = new.apply(
                LiveEvent::Init {
                    rendition,
                    init_id,
                    body: body.clone(),
                },
                clock::monotonic(),
            );
        }
        let listed: Vec<PartId> = new
            .segments(rendition)
            .flat_map(|segment| {
                let msn = segment.msn();
                (0..)
                    .zip(segment.parts())
                    .map(move |(part, _)| PartId { rendition, msn, part })
            })
            .collect();
        for id in listed {
            if let Lookup::Here(body) = old.part(id) {
                // Refused where this relay listed a gap meanwhile.
                let _ = new.fill(id, body);
            }
        }
    }
}
