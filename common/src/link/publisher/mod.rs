//! The upstream's end of the link to one relay: answers its subscriptions, pushes what is born, and keeps what is on its way within
//! bounds, so that a slow relay costs neither memory nor anyone else's time.
//!
//! Not here: what every relay is told whatever it watches (`Welcome`, keys, revocations, rooms), answers to fetches
//! ([`super::fetch`]) and calls. The driver hands over every frame of the relay, shows the watched channels' windows whenever they
//! change, says which sends are over, carries out what [`Publisher::poll`] gives, in order, and calls again at
//! [`Publisher::next_timeout`].

mod follow;
mod in_flight;
mod parts;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;

pub use self::in_flight::MAX_IN_FLIGHT_BYTES;
use self::{
    follow::{Follow, News},
    in_flight::{Flying, InFlight, Kind, MAX_BACK_FILL_BYTES},
};
use super::{MAX_CHANNELS, code};
use crate::{
    id::{ChannelId, Epoch},
    live::window::LiveWindow,
    time::Monotonic,
    wire::{
        LINK_VERSION,
        chat::ChatUp,
        control::{DownstreamFrame, ResumePoint, RoomReport, UpstreamFrame},
        media::PartHeader,
    },
};

/// A part on its way, for the time of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SendId(pub u64);

/// A channel as it stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChannelView<'a> {
    /// It is made because it is watched, so that without a window there will be one soon.
    pub is_made: bool,
    /// Window of the newest epoch.
    pub current: Option<&'a LiveWindow>,
    /// Window of [`Publisher::epoch_of`] the channel: the same, or one that ended a moment ago.
    pub followed: Option<&'a LiveWindow>,
}

/// What happens to the publisher.
#[derive(Debug)]
pub enum Input<'a> {
    Frame(DownstreamFrame),
    /// A watched channel: once right after [`Output::Watch`], then whenever it changed.
    Channel {
        channel: &'a ChannelId,
        view: ChannelView<'a>,
    },
    /// The relay has acknowledged all of the part, or its stream is gone.
    Sent(SendId),
    Tick,
}

/// What the driver has to do.
#[derive(Debug)]
pub enum Output {
    /// The relay has introduced itself: answer with `Welcome`.
    Hello {
        name: String,
        public_url: String,
        software: String,
    },
    /// Send on the control stream.
    Frame(UpstreamFrame),
    /// Answer with `Pong`, stamped by the wall clock.
    Pong {
        t0: u64,
    },
    /// Show this channel now and at every change, until `Unwatch`. May come again for a channel that is watched: show it now.
    Watch {
        channel: ChannelId,
    },
    Unwatch {
        channel: ChannelId,
    },
    /// Send on a unidirectional stream of its own, and say [`Input::Sent`] when it is over.
    SendPart {
        id: SendId,
        header: PartHeader,
        body: Bytes,
        priority: i32,
    },
    /// Reset the part's stream; no [`Input::Sent`] is needed.
    ResetPart {
        id: SendId,
        code: u32,
    },
    Report {
        rooms: Vec<RoomReport>,
        egress_bytes: u64,
    },
    /// What viewers' sockets at the relay do, for the rooms' chats.
    Chat {
        items: Vec<ChatUp>,
    },
    /// Close the connection; nothing follows.
    Close {
        code: u32,
        reason: &'static str,
    },
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Publisher {
    stage: Stage,
    channels: BTreeMap<ChannelId, Follow>,
    in_flight: InFlight,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Expecting,
    Greeted,
    Closed,
}

impl Publisher {
    /// A publisher for a connection that was just accepted.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The epoch of the channel that the relay is being told: whoever shows the channel shows this window too.
    pub fn epoch_of(&self, channel: &ChannelId) -> Option<Epoch> {
        self.channels.get(channel).and_then(Follow::epoch)
    }

    /// How many rooms' sources the relay is subscribed to.
    pub fn room_count(&self) -> usize {
        self.channels.keys().filter(|channel| channel.rung.is_none()).count()
    }

    /// How many channels the relay is subscribed to.
    pub fn channel_count(&self) -> usize {
        self.channels.len()
    }

    /// Bytes of parts on their way.
    pub fn in_flight_bytes(&self) -> usize {
        self.in_flight.bytes()
    }

    /// When to call with [`Input::Tick`] if nothing happens before.
    pub fn next_timeout(&self) -> Option<Monotonic> {
        self.in_flight.wake_at()
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Monotonic, input: Input<'_>) {
        if self.stage == Stage::Closed {
            return;
        }
        match input {
            Input::Frame(frame) => self.frame(frame),
            Input::Channel { channel, view } => self.look(now, channel, view),
            Input::Sent(id) => {
                self.in_flight.remove(id);
            }
            Input::Tick => {}
        }
        self.shed(now);
    }

    fn frame(&mut self, frame: DownstreamFrame) {
        match (self.stage, frame) {
            (
                Stage::Expecting,
                DownstreamFrame::Hello {
                    version,
                    name,
                    public_url,
                    software,
                },
            ) => {
                if version == LINK_VERSION {
                    self.stage = Stage::Greeted;
                    self.outputs.push_back(Output::Hello {
                        name,
                        public_url,
                        software,
                    });
                } else {
                    self.close(code::VERSION, "link version not known here");
                }
            }
            (Stage::Greeted, DownstreamFrame::Subscribe { channel, resume }) => self.subscribe(channel, resume),
            (Stage::Greeted, DownstreamFrame::Unsubscribe { channel }) => {
                if self.channels.remove(&channel).is_some() {
                    self.outputs.push_back(Output::Unwatch { channel });
                }
            }
            (Stage::Greeted, DownstreamFrame::Report { rooms, egress_bytes }) => {
                self.outputs.push_back(Output::Report { rooms, egress_bytes });
            }
            (Stage::Greeted, DownstreamFrame::Chat { items }) => self.outputs.push_back(Output::Chat { items }),
            (Stage::Greeted, DownstreamFrame::Ping { t0 }) => self.outputs.push_back(Output::Pong { t0 }),
            (Stage::Greeted, DownstreamFrame::Hello { .. }) => self.close(code::PROTOCOL, "a second hello"),
            (Stage::Expecting | Stage::Closed, _) => self.close(code::PROTOCOL, "hello was expected"),
        }
    }

    fn subscribe(&mut self, channel: ChannelId, resume: Option<ResumePoint>) {
        if self.channels.len() >= MAX_CHANNELS && !self.channels.contains_key(&channel) {
            self.close(code::LIMIT, "too many channels");
            return;
        }
        self.channels
            .insert(channel.clone(), Follow::new(channel.clone(), resume));
        self.outputs.push_back(Output::Watch { channel });
    }

    fn close(&mut self, code: u32, reason: &'static str) {
        self.stage = Stage::Closed;
        self.outputs.push_back(Output::Close { code, reason });
    }

    fn look(&mut self, now: Monotonic, channel: &ChannelId, view: ChannelView<'_>) {
        let Some(follow) = self.channels.get_mut(channel) else {
            return;
        };
        let mut news = Vec::new();
        follow.look(
            view,
            MAX_BACK_FILL_BYTES.saturating_sub(self.in_flight.bytes()),
            &mut news,
        );
        for item in news {
            let output = match item {
                News::Frame(frame) => Output::Frame(frame),
                News::Part {
                    header,
                    body,
                    outline,
                    kind,
                    target_duration_s,
                } => {
                    let id = self.in_flight.insert(Flying {
                        channel: header.channel.clone(),
                        epoch: header.epoch,
                        id: header.id,
                        outline,
                        kind,
                        since: now,
                        stale_after: Duration::from_secs(3 * u64::from(target_duration_s)),
                    });
                    Output::SendPart {
                        id,
                        header,
                        body,
                        priority: kind.priority(),
                    }
                }
            };
            self.outputs.push_back(output);
        }
    }

    /// Gives up what is too old or too much. The relay is told of each part that it waits for.
    fn shed(&mut self, now: Monotonic) {
        while let Some((id, part)) = self.in_flight.shed(now) {
            self.outputs.push_back(Output::ResetPart { id, code: code::STALE });
            if part.kind != Kind::BackFill {
                let Flying {
                    channel,
                    epoch,
                    id,
                    outline,
                    ..
                } = part;
                self.outputs.push_back(Output::Frame(UpstreamFrame::Skipped {
                    channel,
                    epoch,
                    id,
                    outline,
                }));
            }
        }
    }
}
