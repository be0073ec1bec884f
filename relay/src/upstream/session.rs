//! One connection to upstream: what comes in, made into events; frames out, pings, and fetches of missing parts.

use std::time::Duration;

use bytes::Bytes;
use common::{
    id::{ChannelId, Epoch, PartId},
    link::{MAX_CHANNELS, subscriber::FetchOutcome},
    wire::{
        control::{DownstreamFrame, UpstreamFrame},
        media::PartHeader,
        request::{FetchReply, FetchRequest},
    },
};
use metrics::counter;
use node::{
    clock,
    link_driver::{CloseCode, Closed, FrameError, LinkConnection, PartError},
};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::{Instant, MissedTickBehavior},
};

/// Frames that wait to be written: a new connection subscribes to all channels at once. An upstream that does not read is closed
/// when there is one more.
pub(super) const MAX_WAITING_FRAMES: usize = 2 * MAX_CHANNELS;
/// Pings right after the welcome, for a first estimate of the origin's clock, and later.
const FIRST_PINGS: u32 = 5;
const FIRST_PINGS_EVERY: Duration = Duration::from_millis(100);
const PINGS_EVERY: Duration = Duration::from_secs(2);
/// For the answer to a fetch of a missing part: later it is a gap anyway.
const FETCH_TIMEOUT: Duration = Duration::from_secs(6);

/// What a connection brings.
pub(super) enum Event {
    Frame(UpstreamFrame),
    Part {
        header: PartHeader,
        body: Bytes,
    },
    Fetched(Fetched),
    /// The connection is over.
    Lost {
        may_return: bool,
        why: String,
    },
}

/// How the fetch of a missing part went.
pub(super) struct Fetched {
    pub(super) channel: ChannelId,
    pub(super) epoch: Epoch,
    pub(super) id: PartId,
    pub(super) outcome: FetchOutcome,
}

pub(super) struct Session {
    link: LinkConnection,
    frames: mpsc::Sender<DownstreamFrame>,
    writer: AbortHandle,
    fetches: JoinSet<Fetched>,
    pings: Option<Pings>,
}

struct Pings {
    first_left: u32,
    timer: tokio::time::Interval,
}

impl Session {
    pub(super) fn new(link: LinkConnection) -> Self {
        let (frames, waiting) = mpsc::channel(MAX_WAITING_FRAMES);
        let writer = tokio::spawn(write(link.clone(), waiting)).abort_handle();
        Self {
            link,
            frames,
            writer,
            fetches: JoinSet::new(),
            pings: None,
        }
    }

    pub(super) fn link(&self) -> &LinkConnection {
        &self.link
    }

    /// Queues a frame; the connection is closed when upstream does not take them.
    pub(super) fn send(&self, frame: DownstreamFrame) {
        if self.frames.try_send(frame).is_err() {
            self.link
                .close(CloseCode::Unavailable, "the control stream does not move");
        }
    }

    /// Where frames are queued, for who wants to know how full it is.
    pub(super) fn queue(&self) -> mpsc::WeakSender<DownstreamFrame> {
        self.frames.downgrade()
    }

    /// Upstream has greeted: pings may go.
    pub(super) fn greeted(&mut self) {
        let mut timer = tokio::time::interval(FIRST_PINGS_EVERY);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.pings = Some(Pings {
            first_left: FIRST_PINGS,
            timer,
        });
    }

    /// Asks for a part; the answer comes as [`Event::Fetched`].
    pub(super) fn fetch(&mut self, channel: ChannelId, epoch: Epoch, id: PartId) {
        let link = self.link.clone();
        self.fetches.spawn(async move {
            let PartId { rendition, msn, part } = id;
            let request = FetchRequest {
                channel: channel.clone(),
                epoch,
                rendition,
                msn,
                part: Some(part),
            };
            let (outcome, label) = match tokio::time::timeout(FETCH_TIMEOUT, link.fetch(request)).await {
                Ok(Ok((
                    FetchReply::Found {
                        part: Some(outline), ..
                    },
                    body,
                ))) => (FetchOutcome::Found { outline, body }, "found"),
                Ok(Ok((FetchReply::Gone, _))) => (FetchOutcome::Gone, "gone"),
                _ => (FetchOutcome::Failed, "failed"),
            };
            counter!("streamcircle_relay_edge_fetches_total", "outcome" => label).increment(1);
            Fetched {
                channel,
                epoch,
                id,
                outcome,
            }
        });
    }

    /// The next thing that happens. May be dropped at any time without losing anything.
    pub(super) async fn next(&mut self) -> Event {
        loop {
            tokio::select! {
                // Frames first: they tell what the parts belong to.
                biased;
                frame = self.link.read_frame() => return match frame {
                    Ok(Some(frame)) => Event::Frame(frame),
                    Ok(None) => Event::Lost { may_return: true, why: "upstream ended the control stream".to_owned() },
                    Err(FrameError::Closed(closed)) => lost(&closed),
                    Err(error) => Event::Lost { may_return: true, why: error.to_string() },
                },
                () = due(&mut self.pings) => {
                    let t0 = u64::try_from(clock::monotonic().0.as_micros()).unwrap_or(u64::MAX);
                    self.send(DownstreamFrame::Ping { t0 });
                }
                part = self.link.accept_part() => return match part {
                    Ok((header, body)) => Event::Part { header, body },
                    Err(PartError::Closed(closed)) => lost(&closed),
                    Err(error) => Event::Lost { may_return: true, why: error.to_string() },
                },
                Some(fetched) = self.fetches.join_next() => match fetched {
                    Ok(fetched) => return Event::Fetched(fetched),
                    Err(error) => tracing::error!(%error, "a fetch of a part broke off"),
                },
            }
        }
    }
}

/// The connection goes with its last clone; what still waited to be written is of no use then.
impl Drop for Session {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

/// Waits for the next ping's time; for ever before the first.
async fn due(pings: &mut Option<Pings>) {
    let Some(pings) = pings else {
        return std::future::pending().await;
    };
    pings.timer.tick().await;
    pings.first_left = pings.first_left.saturating_sub(1);
    if pings.first_left == 0 && pings.timer.period() != PINGS_EVERY {
        pings.timer = tokio::time::interval_at(Instant::now() + PINGS_EVERY, PINGS_EVERY);
        pings.timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
}

fn lost(closed: &Closed) -> Event {
    Event::Lost {
        may_return: closed.may_return(),
        why: closed.to_string(),
    }
}

async fn write(link: LinkConnection, mut frames: mpsc::Receiver<DownstreamFrame>) {
    while let Some(frame) = frames.recv().await {
        match link.write_frame(&frame).await {
            Ok(()) => {}
            // One frame that is too long is not worth the connection.
            Err(FrameError::Wire(error)) => tracing::error!(%error, "a frame was not sent"),
            // The reading side hears of it too.
            Err(_) => return,
        }
    }
}
