//! Who watches what here: gathered from the viewers' requests, told to the subscriber and to the origin.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use common::{
    id::{ChannelId, RoomSlug},
    link::MAX_CHANNELS,
    wire::control::{DownstreamFrame, RoomReport, ViewerSeen},
};
use tokio::sync::Notify;

/// Most viewers in one report frame, so that it stays under the frame's cap with ids of some 60 bytes; more go into further frames.
const VIEWERS_PER_FRAME: usize = 8000;
/// Most viewers kept for the next report; further ones are counted in the one after it, since they are seen again.
const MAX_SEEN: usize = 64_000;

/// Gathers signs of viewers between two reports.
#[derive(Debug, Default)]
pub struct Interest {
    gathered: Mutex<Gathered>,
    egress_bytes: AtomicU64,
    urgent: Notify,
}

#[derive(Debug, Default)]
struct Gathered {
    /// Those with a sign since the subscriber was told last; at most [`MAX_CHANNELS`].
    channels: BTreeSet<ChannelId>,
    seen: HashMap<RoomSlug, HashSet<ViewerSeen>>,
    seen_count: usize,
}

impl Interest {
    /// Someone is interested in the channel; the subscriber hears of it within a second.
    pub fn sign(&self, channel: &ChannelId) {
        let mut gathered = self.lock();
        if gathered.channels.len() < MAX_CHANNELS && !gathered.channels.contains(channel) {
            gathered.channels.insert(channel.clone());
        }
    }

    /// The same, for someone who waits for the channel.
    pub fn sign_urgently(&self, channel: &ChannelId) {
        self.sign(channel);
        self.urgent.notify_one();
    }

    /// Waits for [`Interest::sign_urgently`].
    pub async fn is_urgent(&self) {
        self.urgent.notified().await;
    }

    /// The viewer goes into the next report.
    pub fn seen(&self, room: &RoomSlug, viewer: ViewerSeen) {
        self.sign(&ChannelId::source(room.clone()));
        let mut gathered = self.lock();
        let Gathered { seen, seen_count, .. } = &mut *gathered;
        if *seen_count >= MAX_SEEN {
            return;
        }
        if !seen.contains_key(room) {
            seen.insert(room.clone(), HashSet::new());
        }
        if seen.get_mut(room).is_some_and(|viewers| viewers.insert(viewer)) {
            *seen_count += 1;
        }
    }

    /// Bytes went to viewers.
    pub fn egress(&self, bytes: u64) {
        self.egress_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Channels with a sign since the last call.
    pub fn take_channels(&self) -> BTreeSet<ChannelId> {
        std::mem::take(&mut self.lock().channels)
    }

    /// The report on what was seen since the last one: one frame, more when there are very many viewers.
    pub fn take_report(&self) -> Vec<DownstreamFrame> {
        let seen = {
            let mut gathered = self.lock();
            gathered.seen_count = 0;
            std::mem::take(&mut gathered.seen)
        };
        let egress_bytes = self.egress_bytes.load(Ordering::Relaxed);
        let mut frames = vec![Vec::new()];
        let mut left = VIEWERS_PER_FRAME;
        for (room, viewers) in seen {
            let mut viewers: Vec<ViewerSeen> = viewers.into_iter().collect();
            while !viewers.is_empty() {
                if left == 0 {
                    frames.push(Vec::new());
                    left = VIEWERS_PER_FRAME;
                }
                let rest = viewers.split_off(left.min(viewers.len()));
                left -= viewers.len();
                if let Some(frame) = frames.last_mut() {
                    frame.push(RoomReport {
                        room: room.clone(),
                        viewers,
                    });
                }
                viewers = rest;
            }
        }
        frames
            .into_iter()
            .map(|rooms| DownstreamFrame::Report { rooms, egress_bytes })
            .collect()
    }

    /// Only whole changes are made under the lock.
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(number: usize) -> ViewerSeen {
        ViewerSeen {
            viewer_id: format!("v{number}"),
            invite_id: None,
        }
    }

    fn room(name: &str) -> RoomSlug {
        name.parse().unwrap()
    }

    #[test]
    fn a_viewer_is_reported_once_however_often_it_asks() {
        let interest = Interest::default();
        for _ in 0..3 {
            interest.seen(&room("cinema"), viewer(1));
        }
        interest.egress(7);
        let report = DownstreamFrame::Report {
            rooms: vec![RoomReport {
                room: room("cinema"),
                viewers: vec![viewer(1)],
            }],
            egress_bytes: 7,
        };
        assert_eq!(interest.take_report(), [report]);
        let nothing = DownstreamFrame::Report {
            rooms: Vec::new(),
            egress_bytes: 7,
        };
        assert_eq!(interest.take_report(), [nothing]);
        assert!(interest.take_channels().contains(&ChannelId::source(room("cinema"))));
        assert!(interest.take_channels().is_empty());
    }

    #[test]
    fn many_viewers_are_reported_in_frames_that_fit() {
        let interest = Interest::default();
        for number in 0..VIEWERS_PER_FRAME + 10 {
            interest.seen(&room(if number % 2 == 0 { "a" } else { "b" }), viewer(number));
        }
        let frames = interest.take_report();
        let count = |frame: &DownstreamFrame| match frame {
            DownstreamFrame::Report { rooms, .. } => rooms.iter().map(|room| room.viewers.len()).sum(),
            _ => 0,
        };
        assert_eq!(
            frames.iter().map(count).collect::<Vec<usize>>(),
            [VIEWERS_PER_FRAME, 10]
        );
        assert!(
            frames
                .iter()
                .all(|frame| common::wire::codec::encode_frame(frame).is_ok())
        );
    }
}
