//! One channel on its way to one relay: what the relay was told last, and what comes next.

use crate::{
    id::{ChannelId, Epoch, Msn, PartId, RenditionId},
    live::{
        LiveEvent,
        cursor::{Cursor, Read},
        window::{LiveWindow, Segment},
    },
    wire::{
        control::{ResumePoint, UpstreamFrame},
        media::{PartHeader, PartOutline},
    },
};

use super::{
    ChannelView,
    in_flight::Kind,
    parts::{back_fill, part_news},
};

/// Events taken from a window at a time; it is read on until there are none.
const READ_AT_ONCE: usize = 64;

/// What a look at a channel brings.
#[derive(Debug)]
pub(super) enum News {
    Frame(UpstreamFrame),
    Part {
        header: PartHeader,
        body: bytes::Bytes,
        outline: PartOutline,
        kind: Kind,
        target_duration_s: u32,
    },
}

impl News {
    fn body_len(&self) -> usize {
        match self {
            Self::Frame(_) => 0,
            Self::Part { body, .. } => body.len(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Follow {
    channel: ChannelId,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Subscribed, not answered.
    Asked {
        resume: Option<ResumePoint>,
    },
    /// Told that nothing is live.
    Offline,
    /// Told that it is being made.
    Starting,
    Sending(Sending),
}

#[derive(Debug)]
struct Sending {
    epoch: Epoch,
    cursor: Cursor,
    /// Newest segment of each rendition that a part was sent of, and how many of its parts the relay knows.
    told: Vec<(Msn, u32)>,
    end_told: bool,
}

impl Follow {
    pub(super) fn new(channel: ChannelId, resume: Option<ResumePoint>) -> Self {
        Self {
            channel,
            state: State::Asked { resume },
        }
    }

    /// The epoch that the relay is being told.
    pub(super) fn epoch(&self) -> Option<Epoch> {
        match &self.state {
            State::Sending(sending) => Some(sending.epoch),
            State::Asked { .. } | State::Offline | State::Starting => None,
        }
    }

    /// Finds out what is new. `may_back_fill`: bytes of the past that may be sent now, for a start or a resumption.
    pub(super) fn look(&mut self, view: ChannelView<'_>, may_back_fill: usize, news: &mut Vec<News>) {
        let known = match &self.state {
            State::Asked { resume } => resume.as_ref().map(|resume| resume.epoch),
            _ => self.epoch(),
        };
        let view = ChannelView {
            // What ended before it was asked for is not what will be made.
            current: view
                .current
                .filter(|window| !view.is_made || !window.ended() || known == Some(window.epoch())),
            ..view
        };
        let is_current = |epoch: Epoch| view.current.is_some_and(|window| window.epoch() == epoch);
        match &mut self.state {
            State::Asked { resume } => {
                let resume = resume.take();
                match (view.current, resume) {
                    (None, _) => self.without_window(view.is_made, news),
                    (Some(window), resume) => {
                        let resumed = resume.is_some_and(|resume| self.resume(window, &resume, may_back_fill, news));
                        if !resumed {
                            self.open(window, may_back_fill, news);
                        }
                    }
                }
            }
            State::Offline | State::Starting => {
                let was_made = matches!(self.state, State::Starting);
                match view.current {
                    Some(window) => self.open(window, may_back_fill, news),
                    None if was_made != view.is_made => self.without_window(view.is_made, news),
                    None => {}
                }
            }
            State::Sending(sending) => {
                let epoch = sending.epoch;
                let is_behind = match view.followed.filter(|window| window.epoch() == epoch) {
                    Some(window) => !sending.read(&self.channel, window, news),
                    None => true,
                };
                match view.current {
                    // A relay that fell behind is not helped by the past on top.
                    Some(window) if is_current(epoch) && is_behind => self.open(window, 0, news),
                    Some(_) if is_current(epoch) => {}
                    Some(window) => self.open(window, may_back_fill, news),
                    None => self.without_window(view.is_made, news),
                }
            }
        }
    }

    fn without_window(&mut self, is_made: bool, news: &mut Vec<News>) {
        let channel = self.channel.clone();
        let (state, frame) = if is_made {
            (State::Starting, UpstreamFrame::Starting { channel })
        } else {
            (State::Offline, UpstreamFrame::Offline { channel })
        };
        self.state = state;
        news.push(News::Frame(frame));
    }

    /// Goes on where the relay stopped. `false`: that is not (or no longer) here, or it is so long ago that all since then would
    /// hold up the live edge; with a new window the relay is there at once, and fetches of the rest what is asked for.
    fn resume(&mut self, window: &LiveWindow, resume: &ResumePoint, may_send: usize, news: &mut Vec<News>) -> bool {
        if resume.epoch != window.epoch() || resume.next.len() != window.description().renditions.len() {
            return false;
        }
        let cursor = window.cursor_at(&resume.next);
        let mut sending = Sending {
            epoch: resume.epoch,
            cursor,
            told: resume.next.clone(),
            end_told: false,
        };
        let before = news.len();
        let is_whole = sending.read(&self.channel, window, news);
        let missed: usize = news[before..].iter().map(News::body_len).sum();
        if !is_whole || missed > may_send {
            news.truncate(before);
            return false;
        }
        self.state = State::Sending(sending);
        true
    }

    /// Tells the window as it stands, its init segments and its newest media; then what is born.
    fn open(&mut self, window: &LiveWindow, may_back_fill: usize, news: &mut Vec<News>) {
        let (channel, epoch) = (&self.channel, window.epoch());
        let description = window.description();
        news.push(News::Frame(UpstreamFrame::Window {
            channel: channel.clone(),
            description: (**description).clone(),
            records: window.records(),
        }));
        for rendition in description.rendition_ids() {
            // Init segments that only segments behind the list need are of no use to the relay.
            let oldest = window.segments(rendition).next().map_or(0, Segment::init_id);
            for (init_id, body) in window.inits(rendition).filter(|&(init_id, _)| init_id >= oldest) {
                let body = body.clone();
                news.push(News::Frame(UpstreamFrame::Init {
                    channel: channel.clone(),
                    epoch,
                    rendition,
                    init_id,
                    body,
                }));
            }
        }
        back_fill(channel, window, may_back_fill, news);
        let told = description
            .rendition_ids()
            .map(|rendition| window.next(rendition))
            .collect();
        let mut sending = Sending {
            epoch,
            cursor: window.cursor_live(),
            told,
            end_told: false,
        };
        // Nothing was born since, but the window may have ended.
        sending.read(channel, window, news);
        self.state = State::Sending(sending);
    }
}

impl Sending {
    /// Reads on to the live edge. `false`: the place is no longer in the window.
    fn read(&mut self, channel: &ChannelId, window: &LiveWindow, news: &mut Vec<News>) -> bool {
        loop {
            match window.read(&mut self.cursor, READ_AT_ONCE) {
                Read::Events(events) if events.is_empty() => return true,
                Read::Events(events) => events
                    .into_iter()
                    .for_each(|event| self.tell(channel, window, event, news)),
                Read::Lagged => return false,
            }
        }
    }

    fn tell(&mut self, channel: &ChannelId, window: &LiveWindow, event: LiveEvent, news: &mut Vec<News>) {
        let (channel, epoch) = (channel.clone(), self.epoch);
        let frame = match event {
            // A window never holds one.
            LiveEvent::Start(_) => return,
            LiveEvent::Init {
                rendition,
                init_id,
                body,
            } => UpstreamFrame::Init {
                channel,
                epoch,
                rendition,
                init_id,
                body,
            },
            LiveEvent::Part(part) => {
                let PartId {
                    rendition,
                    msn,
                    part: number,
                } = part.id;
                self.know(rendition, (msn, number + 1));
                let is_last = part.flags.last;
                news.push(part_news(channel.clone(), window, part, None));
                if !is_last {
                    return;
                }
                UpstreamFrame::SegmentEnd {
                    channel,
                    epoch,
                    rendition,
                    msn,
                    parts: number + 1,
                }
            }
            LiveEvent::SegmentEnd { rendition, msn } => {
                let told = self.told.get(usize::from(rendition.0)).filter(|told| told.0 == msn);
                let parts = told.map_or(0, |told| told.1);
                UpstreamFrame::SegmentEnd {
                    channel,
                    epoch,
                    rendition,
                    msn,
                    parts,
                }
            }
            LiveEvent::BitRate { rendition, bit_rate } => UpstreamFrame::BitRate {
                channel,
                epoch,
                rendition,
                bit_rate,
            },
            LiveEvent::End if self.end_told => return,
            LiveEvent::End => {
                self.end_told = true;
                UpstreamFrame::End { channel, epoch }
            }
        };
        news.push(News::Frame(frame));
    }

    fn know(&mut self, rendition: RenditionId, next: (Msn, u32)) {
        if let Some(told) = self.told.get_mut(usize::from(rendition.0)) {
            *told = next;
        }
    }
}
