//! The channels that are mirrored here: one [`Live`] each, written by the link's task, read by viewers' requests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use common::{
    id::{ChannelId, Epoch, PartId, RoomSlug, Rung},
    live::{
        LiveEvent,
        window::{LiveWindow, Lookup, Retention, WindowError},
    },
    wire::request::FetchRequest,
};
use node::{clock, live::Live};
use tokio::sync::watch;

/// All mirrored channels.
#[derive(Debug)]
pub struct Mirrors {
    retention: Retention,
    channels: Mutex<HashMap<ChannelId, Mirror>>,
}

#[derive(Debug)]
struct Mirror {
    live: Arc<Live>,
    /// Upstream said that nothing is live there. The sender goes with the mirror.
    is_offline: watch::Sender<bool>,
}

/// A channel as it stands at one moment, and how to wait for another.
#[derive(Debug)]
pub struct Mirrored {
    pub live: Arc<Live>,
    pub is_offline: watch::Receiver<bool>,
}

/// How much is mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub rooms: usize,
    pub rungs: usize,
    /// Of media in the windows.
    pub bytes: usize,
}

impl Mirrors {
    pub fn new(retention: Retention) -> Self {
        Self {
            retention,
            channels: Mutex::default(),
        }
    }

    /// The channel's media, if any of it is or was here.
    pub fn get(&self, channel: &ChannelId) -> Option<Arc<Live>> {
        self.lock().get(channel).map(|mirror| mirror.live.clone())
    }

    /// The rung of the room that has this epoch.
    pub fn rung_with(&self, room: &RoomSlug, epoch: Epoch) -> Option<(ChannelId, Arc<Live>)> {
        let rungs: Vec<(ChannelId, Arc<Live>)> = {
            let channels = self.lock();
            let rung = |rung: Rung| ChannelId {
                room: room.clone(),
                rung: Some(rung),
            };
            let here = Rung::ALL.map(rung).into_iter();
            here.filter_map(|channel| channels.get(&channel).map(|mirror| (channel, mirror.live.clone())))
                .collect()
        };
        let has_it = |live: &Live| live.read(|windows| windows.get(epoch).is_some());
        rungs.into_iter().find(|(_, live)| has_it(live))
    }

    /// The channel's mirror, empty as long as nothing came.
    pub fn open(&self, channel: &ChannelId) -> Mirrored {
        let mut channels = self.lock();
        let mirror = channels.entry(channel.clone()).or_insert_with(|| Mirror {
            live: Arc::new(Live::new(self.retention)),
            is_offline: watch::Sender::new(false),
        });
        Mirrored {
            live: mirror.live.clone(),
            is_offline: mirror.is_offline.subscribe(),
        }
    }

    /// A new window, with those bodies and init segments of the same epoch's old one that it lists too.
    pub fn put(&self, channel: &ChannelId, mut window: LiveWindow) {
        let live = self.open(channel).live;
        live.read(|windows| {
            if let Some(old) = windows.get(window.epoch()) {
                carry_over(old, &mut window);
            }
        });
        live.put(window);
        self.set_offline(channel, false);
    }

    /// Takes the next event of the channel's current epoch.
    ///
    /// # Errors
    /// The window refused it, or has another epoch: the channel has to be started anew.
    pub fn apply(&self, channel: &ChannelId, epoch: Epoch, event: LiveEvent) -> Result<(), WindowError> {
        let live = self.get(channel).ok_or(WindowError::NotStarted)?;
        if live.read(|windows| windows.current().map(LiveWindow::epoch)) != Some(epoch) {
            return Err(WindowError::UnknownEpoch(epoch));
        }
        live.apply(event)
    }

    /// Stores a body for a record that has none; one that is not wanted any more is dropped.
    pub fn fill(&self, channel: &ChannelId, epoch: Epoch, id: PartId, body: Bytes) {
        if let Some(Err(error)) = self.get(channel).map(|live| live.fill(epoch, id, body)) {
            tracing::debug!(%channel, %epoch, ?id, %error, "a body that does not fit");
        }
    }

    /// Whether upstream has nothing live there, and makes nothing.
    pub fn set_offline(&self, channel: &ChannelId, is_offline: bool) {
        if let Some(mirror) = self.lock().get(channel) {
            mirror.is_offline.send_replace(is_offline);
        }
    }

    /// Lets go of a channel that is no longer followed. Requests that hold it end by themselves.
    pub fn forget(&self, channel: &ChannelId) {
        self.lock().remove(channel);
    }

    /// Drops media that is past its time; to be called every second.
    pub fn expire(&self) {
        let all: Vec<Arc<Live>> = self.lock().values().map(|mirror| mirror.live.clone()).collect();
        all.iter().for_each(|live| live.expire());
    }

    /// What is mirrored.
    pub fn held(&self) -> Held {
        let all: Vec<(bool, Arc<Live>)> = {
            let channels = self.lock();
            let rung_or_not = |(channel, mirror): (&ChannelId, &Mirror)| (channel.rung.is_some(), mirror.live.clone());
            channels.iter().map(rung_or_not).collect()
        };
        let rungs = all.iter().filter(|(is_rung, _)| *is_rung).count();
        let bytes = all.iter().map(|(_, live)| live.read(|windows| windows.held_bytes()));
        Held {
            rooms: all.len() - rungs,
            rungs,
            bytes: bytes.sum(),
        }
    }

    /// How long the body of a fetch will be, from the records; `None` when they do not tell.
    pub fn size_of(&self, request: &FetchRequest) -> Option<usize> {
        let live = self.get(&request.channel)?;
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
    fn lock(&self) -> MutexGuard<'_, HashMap<ChannelId, Mirror>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
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
