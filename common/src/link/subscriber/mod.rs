//! The relay's end of the link: which channels it follows, and how what arrives becomes windows.
//!
//! - A channel is subscribed at the first sign of a viewer, and left [`LINGER`] after the last one, a rung
//!   sooner.
//! - Parts go to the window strictly in order; what is missing is fetched, and after three target durations listed as a gap.
//! - When the link is lost, windows stay and are served; the next link goes on at the first part that is not here.
//!
//! Not here: what a relay keeps besides media (keys, revocations, the list of rooms: its driver reads those frames itself),
//! reports and pings. The driver hands over every frame and part it receives, carries out what [`Subscriber::poll`] gives, in order,
//! and calls again at [`Subscriber::next_timeout`].

mod frames;
mod gap;
mod io;
mod mirrored;
mod orphans;
mod pending;
mod reorder;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;

use self::{gap::Gaps, mirrored::Mirrored};
pub use self::{
    io::{FetchOutcome, Input, Output, SubscriberConfig},
    orphans::MAX_ORPHAN_BYTES,
    pending::MAX_HELD_BYTES,
};
use super::{MAX_CHANNELS, backoff::Backoff};
use crate::{
    id::{ChannelId, Epoch},
    time::Monotonic,
    wire::{LINK_VERSION, control::DownstreamFrame, media::PartHeader},
};

/// How long a channel stays subscribed after the last sign of a viewer. Longer than an ended epoch answers (60 s), so that leaving the
/// channel never takes one away early, and than a request may be held (three target durations of 12 s) before it is the next sign.
pub const LINGER: Duration = Duration::from_secs(75);
/// The same for a rung, which costs the origin an encoder: no longer than a viewer needs who looks into another quality.
pub const RUNG_LINGER: Duration = Duration::from_secs(30);
/// How much longer than its longest held request a rung stays at least, so that the next one is not too late a sign.
const RUNG_SLACK: Duration = Duration::from_secs(4);
/// How long an epoch whose end was not told stays open after upstream said that nothing is live: an origin that was restarted says
/// so until the publisher is back, for which it keeps channels open as long.
const OFFLINE_GRACE: Duration = Duration::from_secs(90);
/// How long to wait where upstream does not want this relay: it may have changed its mind, or its version.
const UNWANTED_WAIT: Duration = Duration::from_secs(60);
/// Least time between two requests for a new window of a channel that could not be followed.
const RESYNC_SPACING: Duration = Duration::from_secs(2);

/// See the module's documentation.
#[derive(Debug)]
pub struct Subscriber {
    config: SubscriberConfig,
    link: Link,
    backoff: Backoff,
    was_sent_away: bool,
    channels: BTreeMap<ChannelId, Channel>,
    orphans: orphans::Orphans,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down,
    /// `Hello` is said, `Welcome` not heard.
    Greeting,
    Up,
}

#[derive(Debug)]
struct Channel {
    last_sign: Monotonic,
    media: Option<Mirrored>,
    /// Of the media that was given up for a new window.
    old_gaps: Option<Gaps>,
    /// When to subscribe anew because the channel could not be followed.
    resync_at: Option<Monotonic>,
    last_resync: Option<Monotonic>,
    /// When to end the epoch that upstream does not know any more.
    offline_at: Option<Monotonic>,
}

impl Channel {
    /// When nobody here counts as watching it any more.
    fn leave_at(&self, id: &ChannelId) -> Monotonic {
        let linger = match (id.rung, &self.media) {
            (None, _) => LINGER,
            (Some(_), None) => RUNG_LINGER,
            (Some(_), Some(media)) => RUNG_LINGER.max(media.longest_hold() + RUNG_SLACK),
        };
        self.last_sign + linger
    }
}

impl Subscriber {
    /// A subscriber that dials at once.
    pub fn new(config: SubscriberConfig) -> Self {
        Self {
            link: Link::Down,
            backoff: Backoff::new(config.seed),
            was_sent_away: false,
            config,
            channels: BTreeMap::new(),
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

    /// Bytes of parts that wait for their turn, or for their window.
    pub fn held_bytes(&self) -> usize {
        let media = self.channels.values().filter_map(|channel| channel.media.as_ref());
        media.map(Mirrored::held_bytes).sum::<usize>() + self.orphans.bytes()
    }

    /// When to call with [`Input::Tick`] if nothing happens before.
    pub fn next_timeout(&self) -> Option<Monotonic> {
        let channels = self.channels.iter().flat_map(|(id, channel)| {
            let media = channel
                .media
                .as_ref()
                .filter(|_| self.is_up())
                .and_then(Mirrored::wake_at);
            [
                Some(channel.leave_at(id)),
                channel.resync_at.filter(|_| self.is_up()),
                channel.offline_at.filter(|_| self.is_up()),
                media,
            ]
            .into_iter()
            .flatten()
        });
        channels.chain(self.orphans.wake_at()).min()
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Monotonic, input: Input) {
        match input {
            Input::Connected => self.connected(),
            Input::Disconnected { may_return } => self.disconnected(may_return),
            Input::Frame(frame) => self.frame(now, frame),
            Input::Part { header, body } => self.part(now, header, body),
            Input::Fetched {
                channel,
                epoch,
                id,
                outcome,
            } => self.with_media(now, &channel, epoch, |media, outputs| match outcome {
                FetchOutcome::Found { outline, body } => media.take_fetched(id, (outline, body), now, outputs),
                FetchOutcome::Gone => media.fetch_failed(id, true, now),
                FetchOutcome::Failed => media.fetch_failed(id, false, now),
            }),
            Input::Interest(channel) => self.interest(now, channel),
            Input::Refused(channel) => self.resync(now, &channel),
            Input::Tick => self.tick(now),
        }
    }

    fn connected(&mut self) {
        self.link = Link::Greeting;
        self.outputs.push_back(Output::Frame(DownstreamFrame::Hello {
            version: LINK_VERSION,
            name: self.config.name.clone(),
            public_url: self.config.public_url.clone(),
            software: self.config.software.clone(),
        }));
    }

    fn disconnected(&mut self, may_return: bool) {
        self.link = Link::Down;
        self.orphans.clear();
        for media in self.channels.values_mut().filter_map(|channel| channel.media.as_mut()) {
            media.forget_pending();
        }
        let is_unwanted = std::mem::take(&mut self.was_sent_away) || !may_return;
        let after = if is_unwanted {
            UNWANTED_WAIT
        } else {
            self.backoff.next_wait()
        };
        self.outputs.push_back(Output::Connect { after });
    }

    fn part(&mut self, now: Monotonic, header: PartHeader, body: Bytes) {
        let Some(channel) = self.channels.get_mut(&header.channel) else {
            return;
        };
        match channel.media.as_mut().filter(|media| media.epoch() == header.epoch) {
            Some(media) => {
                channel.offline_at = None;
                media.take_pushed(&header, body, now, &mut self.outputs);
                self.advance(now, &header.channel);
            }
            None => self.orphans.push(header, body, now),
        }
    }

    fn interest(&mut self, now: Monotonic, id: ChannelId) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.last_sign = now;
        } else if self.channels.len() < MAX_CHANNELS {
            if self.is_up() {
                self.subscribe(&id);
            }
            self.channels.insert(
                id,
                Channel {
                    last_sign: now,
                    media: None,
                    old_gaps: None,
                    resync_at: None,
                    last_resync: None,
                    offline_at: None,
                },
            );
        }
    }

    fn subscribe(&mut self, channel: &ChannelId) {
        self.outputs.push_back(Output::Frame(DownstreamFrame::Subscribe {
            channel: channel.clone(),
            resume: None,
        }));
    }

    /// Starts a channel anew, not more often than is good for upstream.
    fn resync(&mut self, now: Monotonic, id: &ChannelId) {
        if let Some(channel) = self.channels.get_mut(id) {
            channel.old_gaps = channel
                .media
                .take()
                .map(|media| media.into_held_and_gaps().1)
                .or(channel.old_gaps.take());
            let earliest = channel.last_resync.map_or(now, |last| last + RESYNC_SPACING);
            channel.resync_at.get_or_insert(earliest.max(now));
        }
    }

    /// Upstream has nothing live there.
    fn offline(&mut self, now: Monotonic, id: &ChannelId) {
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        if channel.media.as_ref().is_some_and(Mirrored::is_ending) {
            // Its last parts may still be on their way.
            return self.outputs.push_back(Output::Offline { channel: id.clone() });
        }
        // Whoever watches a rung can go on with the source.
        if id.rung.is_none() && channel.media.as_ref().is_some_and(Mirrored::may_go_on) {
            channel.offline_at.get_or_insert(now + OFFLINE_GRACE);
        } else {
            self.go_offline(id);
        }
    }

    fn go_offline(&mut self, id: &ChannelId) {
        self.end_media(id);
        self.outputs.push_back(Output::Offline { channel: id.clone() });
    }

    fn end_media(&mut self, id: &ChannelId) {
        if let Some(mut media) = self.channels.get_mut(id).and_then(|channel| channel.media.take()) {
            media.abandon(&mut self.outputs);
        }
    }

    fn with_media(
        &mut self,
        now: Monotonic,
        id: &ChannelId,
        epoch: Epoch,
        act: impl FnOnce(&mut Mirrored, &mut VecDeque<Output>),
    ) {
        let media = self.channels.get_mut(id).and_then(|channel| channel.media.as_mut());
        if let Some(media) = media.filter(|media| media.epoch() == epoch) {
            act(media, &mut self.outputs);
            self.advance(now, id);
        }
    }

    fn advance(&mut self, now: Monotonic, id: &ChannelId) {
        // Without a link nothing that is missing is late: it comes again with the next one.
        if !self.is_up() {
            return;
        }
        let media = self.channels.get_mut(id).and_then(|channel| channel.media.as_mut());
        if media.is_some_and(|media| media.advance(now, &mut self.outputs).is_err()) {
            self.resync(now, id);
        }
    }

    fn tick(&mut self, now: Monotonic) {
        self.orphans.expire(now);
        let ids: Vec<ChannelId> = self.channels.keys().cloned().collect();
        for id in ids {
            let Some(channel) = self.channels.get_mut(&id) else {
                continue;
            };
            if channel.leave_at(&id) <= now {
                self.channels.remove(&id);
                if self.is_up() {
                    self.outputs
                        .push_back(Output::Frame(DownstreamFrame::Unsubscribe { channel: id.clone() }));
                }
                self.outputs.push_back(Output::Forget { channel: id });
                continue;
            }
            if self.link == Link::Up && channel.resync_at.is_some_and(|at| at <= now) {
                channel.resync_at = None;
                channel.last_resync = Some(now);
                self.subscribe(&id);
            }
            // Without a link nobody can tell; the next one will, and then it is due at once.
            if self.is_up()
                && let Some(channel) = self.channels.get_mut(&id)
                && channel.offline_at.is_some_and(|at| at <= now)
            {
                channel.offline_at = None;
                self.go_offline(&id);
            }
            self.advance(now, &id);
        }
    }
}
