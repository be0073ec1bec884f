//! The relay's end of the link: which rooms it follows, and how what arrives becomes windows.
//!
//! - A room is subscribed at the first sign of a viewer, and left [`LINGER`] after the last one.
//! - Parts go to the window strictly in order; what is missing is fetched, and after three target durations listed as a gap.
//! - When the link is lost, windows stay and are served; the next link goes on at the first part that is not here.
//!
//! Not here: what a relay keeps besides media (keys, revocations, the list of rooms: its driver reads those frames itself),
//! reports and pings. The driver hands over every frame and part it receives, carries out what [`Subscriber::poll`] gives, in order,
//! and calls again at [`Subscriber::next_timeout`].

mod gap;
mod mirrored;
mod orphans;
mod reorder;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;

use self::{gap::Gaps, mirrored::Mirrored};
pub use self::{orphans::MAX_ORPHAN_BYTES, reorder::MAX_HELD_BYTES};
use super::{MAX_ROOMS, backoff::Backoff, code};
use crate::{
    id::{Epoch, PartId, RoomSlug},
    live::{
        EpochDescription, LiveEvent,
        window::{LiveWindow, Retention, WindowError, WindowRecords},
    },
    time::Monotonic,
    wire::{
        LINK_VERSION,
        control::{DownstreamFrame, UpstreamFrame},
        media::{PartHeader, PartOutline},
    },
};

/// How long a room stays subscribed after the last sign of a viewer.
pub const LINGER: Duration = Duration::from_secs(30);
/// Least time between two requests for a new window of a room that could not be followed.
const RESYNC_SPACING: Duration = Duration::from_secs(2);

/// What the relay says of itself, and how it keeps windows.
#[derive(Clone, Debug)]
pub struct SubscriberConfig {
    pub name: String,
    pub public_url: String,
    /// Name and version of this software.
    pub software: String,
    pub retention: Retention,
    /// Of the jitter between dials.
    pub seed: u64,
}

/// What happens to the subscriber.
#[derive(Debug)]
pub enum Input {
    /// A connection stands.
    Connected,
    /// It is gone, or could not be made.
    Disconnected,
    Frame(UpstreamFrame),
    /// A part's stream has ended well; the body is as long as its header says.
    Part {
        header: PartHeader,
        body: Bytes,
    },
    /// How an [`Output::Fetch`] went. Every one has to be answered, unless the connection is lost before.
    Fetched {
        room: RoomSlug,
        epoch: Epoch,
        id: PartId,
        outcome: FetchOutcome,
    },
    /// Someone here watches the room.
    Interest(RoomSlug),
    /// The mirror's window refused an event: start the room anew.
    Refused(RoomSlug),
    Tick,
}

/// How a fetch went.
#[derive(Debug)]
pub enum FetchOutcome {
    Found {
        outline: PartOutline,
        body: Bytes,
    },
    /// Upstream does not have it.
    Gone,
    /// The question or its answer was lost.
    Failed,
}

/// What the driver has to do.
#[derive(Debug)]
pub enum Output {
    /// Dial after this time.
    Connect { after: Duration },
    /// Send on the control stream.
    Frame(DownstreamFrame),
    /// The room's window from now on, bodies still to come. Bodies of a window of the same epoch are still good.
    PutWindow { room: RoomSlug, window: Box<LiveWindow> },
    /// For the room's current window; never a `Start`.
    Apply {
        room: RoomSlug,
        epoch: Epoch,
        event: LiveEvent,
    },
    /// A body for a part that stands in the window.
    Fill {
        room: RoomSlug,
        epoch: Epoch,
        id: PartId,
        body: Bytes,
    },
    /// Ask for this part, and answer with [`Input::Fetched`].
    Fetch { room: RoomSlug, epoch: Epoch, id: PartId },
    /// Upstream has nothing live there.
    Offline { room: RoomSlug },
    /// The room is no longer followed: its windows may go.
    Forget { room: RoomSlug },
    /// Upstream sent a window that is none; the room is tried again later.
    BadWindow { room: RoomSlug, error: WindowError },
    /// Close the connection; nothing is dialled again.
    Stop { code: u32, reason: String },
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Subscriber {
    config: SubscriberConfig,
    link: Link,
    backoff: Backoff,
    rooms: BTreeMap<RoomSlug, Room>,
    orphans: orphans::Orphans,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down,
    /// `Hello` is said, `Welcome` not heard.
    Greeting,
    Up,
    Stopped,
}

#[derive(Debug)]
struct Room {
    last_sign: Monotonic,
    media: Option<Mirrored>,
    /// Of the media that was given up for a new window.
    old_gaps: Option<Gaps>,
    /// When to subscribe anew because the room could not be followed.
    resync_at: Option<Monotonic>,
    last_resync: Option<Monotonic>,
}

impl Subscriber {
    /// A subscriber that dials at once.
    pub fn new(config: SubscriberConfig) -> Self {
        Self {
            link: Link::Down,
            backoff: Backoff::new(config.seed),
            config,
            rooms: BTreeMap::new(),
            orphans: orphans::Orphans::default(),
            outputs: VecDeque::from([Output::Connect { after: Duration::ZERO }]),
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether upstream has greeted and nothing was lost since.
    pub fn is_up(&self) -> bool {
        self.link == Link::Up
    }

    /// Rooms that are followed.
    pub fn rooms(&self) -> impl Iterator<Item = &RoomSlug> {
        self.rooms.keys()
    }

    /// Bytes of parts that wait for their turn, or for their window.
    pub fn held_bytes(&self) -> usize {
        let media = self.rooms.values().filter_map(|room| room.media.as_ref());
        media.map(Mirrored::held_bytes).sum::<usize>() + self.orphans.bytes()
    }

    /// When to call with [`Input::Tick`] if nothing happens before.
    pub fn next_timeout(&self) -> Option<Monotonic> {
        let rooms = self.rooms.values().flat_map(|room| {
            let media = room.media.as_ref().filter(|_| self.is_up()).and_then(Mirrored::wake_at);
            [
                Some(room.last_sign + LINGER),
                room.resync_at.filter(|_| self.is_up()),
                media,
            ]
            .into_iter()
            .flatten()
        });
        rooms.chain(self.orphans.wake_at()).min()
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Monotonic, input: Input) {
        match input {
            Input::Connected => self.connected(),
            Input::Disconnected => self.disconnected(),
            Input::Frame(frame) => self.frame(now, frame),
            Input::Part { header, body } => self.part(now, header, body),
            Input::Fetched {
                room,
                epoch,
                id,
                outcome,
            } => self.with_media(now, &room, epoch, |media, outputs| match outcome {
                FetchOutcome::Found { outline, body } => media.take_fetched(id, (outline, body), now, outputs),
                FetchOutcome::Gone => media.fetch_failed(id, true, now),
                FetchOutcome::Failed => media.fetch_failed(id, false, now),
            }),
            Input::Interest(room) => self.interest(now, room),
            Input::Refused(room) => self.resync(now, &room),
            Input::Tick => self.tick(now),
        }
    }

    fn connected(&mut self) {
        if self.link == Link::Stopped {
            return;
        }
        self.link = Link::Greeting;
        self.outputs.push_back(Output::Frame(DownstreamFrame::Hello {
            version: LINK_VERSION,
            name: self.config.name.clone(),
            public_url: self.config.public_url.clone(),
            software: self.config.software.clone(),
        }));
    }

    fn disconnected(&mut self) {
        if self.link == Link::Stopped {
            return;
        }
        self.link = Link::Down;
        self.orphans.clear();
        for media in self.rooms.values_mut().filter_map(|room| room.media.as_mut()) {
            media.forget_pending();
        }
        self.outputs.push_back(Output::Connect {
            after: self.backoff.next_wait(),
        });
    }

    fn frame(&mut self, now: Monotonic, frame: UpstreamFrame) {
        match frame {
            UpstreamFrame::Welcome { .. } => self.welcomed(),
            UpstreamFrame::RoomGone { room } => {
                self.end_media(&room);
                if self.rooms.remove(&room).is_some() {
                    self.outputs.push_back(Output::Forget { room });
                }
            }
            UpstreamFrame::Window {
                room,
                description,
                records,
            } => {
                if let Err(error) = self.window(now, &room, description, records) {
                    self.resync(now, &room);
                    self.outputs.push_back(Output::BadWindow { room, error });
                }
            }
            UpstreamFrame::Offline { room } => {
                self.end_media(&room);
                if self.rooms.contains_key(&room) {
                    self.outputs.push_back(Output::Offline { room });
                }
            }
            UpstreamFrame::Init {
                room,
                epoch,
                rendition,
                init_id,
                body,
            } => {
                self.with_media(now, &room, epoch, |media, out| {
                    media.take_init(rendition, init_id, body, out)
                });
            }
            UpstreamFrame::SegmentEnd {
                room,
                epoch,
                rendition,
                msn,
                parts,
            } => {
                self.with_media(now, &room, epoch, |media, _| {
                    media.take_segment_end(rendition, msn, parts, now)
                });
            }
            UpstreamFrame::Skipped {
                room,
                epoch,
                id,
                outline,
            } => {
                self.with_media(now, &room, epoch, |media, _| media.take_skipped(id, outline, now));
            }
            UpstreamFrame::BitRate {
                room,
                epoch,
                rendition,
                bit_rate,
            } => {
                let event = LiveEvent::BitRate { rendition, bit_rate };
                self.with_media(now, &room, epoch, |media, out| media.take_event(event, out));
            }
            UpstreamFrame::End { room, epoch } => self.with_media(now, &room, epoch, |media, _| media.take_end(now)),
            UpstreamFrame::GoAway { reason } => {
                self.link = Link::Stopped;
                self.outputs.push_back(Output::Stop {
                    code: code::GO_AWAY,
                    reason,
                });
            }
            UpstreamFrame::Keys { .. }
            | UpstreamFrame::Revoke { .. }
            | UpstreamFrame::PublicUrls { .. }
            | UpstreamFrame::Room { .. }
            | UpstreamFrame::Pong { .. } => {}
        }
    }

    fn welcomed(&mut self) {
        if self.link != Link::Greeting {
            return;
        }
        self.link = Link::Up;
        self.backoff.reset();
        for (slug, room) in &mut self.rooms {
            room.resync_at = None;
            let resume = room.media.as_ref().and_then(Mirrored::resume_point);
            self.outputs.push_back(Output::Frame(DownstreamFrame::Subscribe {
                room: slug.clone(),
                resume,
            }));
        }
    }

    fn window(
        &mut self,
        now: Monotonic,
        slug: &RoomSlug,
        description: EpochDescription,
        mut records: WindowRecords,
    ) -> Result<(), WindowError> {
        let Some(room) = self.rooms.get_mut(slug) else {
            return Ok(());
        };
        let epoch = description.epoch;
        let (mut held, mut gaps) = (Vec::new(), room.old_gaps.take().filter(|gaps| gaps.epoch() == epoch));
        match room.media.take() {
            Some(same) if same.epoch() == epoch => {
                let (parts, listed) = same.into_held_and_gaps();
                (held, gaps) = (parts, Some(listed));
            }
            Some(mut old) => old.abandon(&mut self.outputs),
            None => {}
        }
        let gaps = gaps.unwrap_or_else(|| Gaps::new(epoch));
        gaps.mark(&mut records);
        let window = LiveWindow::from_records(Arc::new(description), records, self.config.retention, now)?;
        let mut media = Mirrored::new(slug.clone(), &window, gaps);
        self.outputs.push_back(Output::PutWindow {
            room: slug.clone(),
            window: Box::new(window),
        });
        for part in held {
            media.take_part(part, now, &mut self.outputs);
        }
        for (header, body) in self.orphans.claim(slug, epoch) {
            media.take_pushed(&header, body, now, &mut self.outputs);
        }
        room.media = Some(media);
        self.advance(now, slug);
        Ok(())
    }

    fn part(&mut self, now: Monotonic, header: PartHeader, body: Bytes) {
        let Some(room) = self.rooms.get_mut(&header.room) else {
            return;
        };
        match room.media.as_mut().filter(|media| media.epoch() == header.epoch) {
            Some(media) => {
                media.take_pushed(&header, body, now, &mut self.outputs);
                self.advance(now, &header.room);
            }
            None => self.orphans.push(header, body, now),
        }
    }

    fn interest(&mut self, now: Monotonic, slug: RoomSlug) {
        if let Some(room) = self.rooms.get_mut(&slug) {
            room.last_sign = now;
        } else if self.rooms.len() < MAX_ROOMS && self.link != Link::Stopped {
            if self.is_up() {
                self.subscribe(&slug);
            }
            self.rooms.insert(
                slug,
                Room {
                    last_sign: now,
                    media: None,
                    old_gaps: None,
                    resync_at: None,
                    last_resync: None,
                },
            );
        }
    }

    fn subscribe(&mut self, room: &RoomSlug) {
        self.outputs.push_back(Output::Frame(DownstreamFrame::Subscribe {
            room: room.clone(),
            resume: None,
        }));
    }

    /// Starts a room anew, not more often than is good for upstream.
    fn resync(&mut self, now: Monotonic, slug: &RoomSlug) {
        if let Some(room) = self.rooms.get_mut(slug) {
            room.old_gaps = room
                .media
                .take()
                .map(|media| media.into_held_and_gaps().1)
                .or(room.old_gaps.take());
            let earliest = room.last_resync.map_or(now, |last| last + RESYNC_SPACING);
            room.resync_at.get_or_insert(earliest.max(now));
        }
    }

    fn end_media(&mut self, slug: &RoomSlug) {
        if let Some(mut media) = self.rooms.get_mut(slug).and_then(|room| room.media.take()) {
            media.abandon(&mut self.outputs);
        }
    }

    fn with_media(
        &mut self,
        now: Monotonic,
        slug: &RoomSlug,
        epoch: Epoch,
        act: impl FnOnce(&mut Mirrored, &mut VecDeque<Output>),
    ) {
        let media = self.rooms.get_mut(slug).and_then(|room| room.media.as_mut());
        if let Some(media) = media.filter(|media| media.epoch() == epoch) {
            act(media, &mut self.outputs);
            self.advance(now, slug);
        }
    }

    fn advance(&mut self, now: Monotonic, slug: &RoomSlug) {
        // Without a link nothing that is missing is late: it comes again with the next one.
        if !self.is_up() {
            return;
        }
        let media = self.rooms.get_mut(slug).and_then(|room| room.media.as_mut());
        if media.is_some_and(|media| media.advance(now, &mut self.outputs).is_err()) {
            self.resync(now, slug);
        }
    }

    fn tick(&mut self, now: Monotonic) {
        self.orphans.expire(now);
        let slugs: Vec<RoomSlug> = self.rooms.keys().cloned().collect();
        for slug in slugs {
            let Some(room) = self.rooms.get_mut(&slug) else {
                continue;
            };
            if room.last_sign + LINGER <= now {
                self.rooms.remove(&slug);
                if self.is_up() {
                    self.outputs
                        .push_back(Output::Frame(DownstreamFrame::Unsubscribe { room: slug.clone() }));
                }
                self.outputs.push_back(Output::Forget { room: slug });
                continue;
            }
            if self.link == Link::Up && room.resync_at.is_some_and(|at| at <= now) {
                room.resync_at = None;
                room.last_resync = Some(now);
                self.subscribe(&slug);
            }
            self.advance(now, &slug);
        }
    }
}
