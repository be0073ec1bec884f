//! One relay's connection, driven: frames to and from the publisher, its rooms shown to it, its parts sent, its questions
//! answered.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use common::{
    id::ChannelId,
    link::{
        MAX_CHANNELS,
        publisher::{ChannelView, Input, Output, Publisher},
    },
    wire::control::{DownstreamFrame, UpstreamFrame},
};
use futures::FutureExt;
use metrics::{counter, gauge};
use node::{
    clock,
    link_driver::{CloseCode, FrameError, LinkConnection},
    public_url::{InvalidPublicUrl, PublicUrl},
    quic::MAX_REQUESTS,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use crate::chat::RelayChat;

use super::{
    RelaySeen, answers,
    listener::Context,
    roster::{Leave, Seat},
    sends::Sends,
    watched::Watched,
};

/// Frames that a relay may send: on average, and at once when it comes back and subscribes to all its channels.
const FRAMES_PER_SECOND: u32 = 100;
const FRAMES_AT_ONCE: u32 = 2 * MAX_CHANNELS as u32 + FRAMES_PER_SECOND;
/// How often the database hears that the relay is there.
const SEEN_EVERY: Duration = Duration::from_secs(30);
/// How much longer a session goes on when the origin stops: for the calls and fetches under way.
const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// Longest name of a relay's software that is kept, in bytes.
const MAX_SOFTWARE_LEN: usize = 128;

/// Why a session is over.
enum Ended {
    /// The connection is closed, or closes itself.
    Gone(String),
    /// This end wants it closed.
    Close(CloseCode, String),
}

struct Session {
    link: LinkConnection,
    seat: Seat,
    context: Arc<Context>,
    publisher: Publisher,
    watched: Watched,
    sends: Sends,
    /// Answers, and notes to the database.
    tasks: JoinSet<()>,
    /// Since the welcome.
    pushes: Option<mpsc::Receiver<UpstreamFrame>>,
    chat: RelayChat,
    /// Those with chat are not counted here.
    frames_left: u32,
    /// Microseconds since the Unix epoch, of the newest frame.
    heard_at: i64,
    seen: Option<(Instant, RelaySeen)>,
}

/// Serves the relay until its connection ends, it has to leave, or the origin stops.
pub(super) async fn run(
    link: LinkConnection,
    seat: Seat,
    leave: oneshot::Receiver<Leave>,
    context: Arc<Context>,
    stop: CancellationToken,
) {
    let relay = seat.relay.clone();
    tracing::info!(relay = relay.id, name = relay.name, peer = %link.peer_address(), "a relay came");
    let chat = context.chats.connect(&relay.id);
    let is_behind = chat.must_leave();
    let mut session = Session {
        link: link.clone(),
        seat,
        context,
        chat,
        publisher: Publisher::new(),
        watched: Watched::default(),
        sends: Sends::default(),
        tasks: JoinSet::new(),
        pushes: None,
        frames_left: FRAMES_AT_ONCE,
        heard_at: 0,
        seen: None,
    };
    let outcome = tokio::select! {
        biased;
        Ok(leave) = leave => Err(leave),
        () = is_behind.cancelled() => Err(Leave::too_slow()),
        () = stop.cancelled().then(|()| tokio::time::sleep(LAST_ANSWERS)) => Ok(Ended::Close(CloseCode::GoingAway, "the origin stops".to_owned())),
        ended = session.serve() => Ok(ended),
    };
    // Whatever it still did for the relay ends here; the seat is free.
    drop(session);
    let why = match outcome {
        Ok(Ended::Gone(why)) => why,
        Ok(Ended::Close(code, why)) => {
            link.close(code, &why);
            why
        }
        Err(Leave { code, reason }) => {
            let reason = reason.to_owned();
            let go_away = UpstreamFrame::GoAway { reason: reason.clone() };
            link.close_with(&go_away, code, &reason).await;
            reason
        }
    };
    counter!("streamcircle_link_sessions_ended_total").increment(1);
    tracing::info!(relay = relay.id, name = relay.name, why, "a relay left");
}

impl Session {
    async fn serve(&mut self) -> Ended {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            match self.next(&mut second).await {
                Ok(()) => {}
                Err(ended) => return ended,
            }
        }
    }

    async fn next(&mut self, second: &mut tokio::time::Interval) -> Result<(), Ended> {
        while let Some(output) = self.publisher.poll() {
            self.carry_out(output).await?;
        }
        let timeout = self.publisher.next_timeout();
        let timeout = timeout.map(|at| Instant::now() + at.since(clock::monotonic()));
        let is_greeted = self.pushes.is_some();
        let may_answer = is_greeted && self.tasks.len() < MAX_REQUESTS as usize;
        tokio::select! {
            frame = self.link.read_frame() => match frame? {
                Some(frame) => self.take(frame)?,
                None => return Err(Ended::Close(CloseCode::Done, "the relay ended the control stream".to_owned())),
            },
            request = self.link.accept_request(), if may_answer => {
                let request = request.map_err(|error| Ended::Gone(error.to_string()))?;
                answers::answer(request, &self.context, &self.watched, &self.seat.relay, &mut self.tasks);
            }
            Some(frame) = push(&mut self.pushes) => {
                self.link.write_frame(&frame).await?;
                if let UpstreamFrame::Room { state } = &frame {
                    for channel in self.watched.of_room(&state.slug) {
                        self.follow(&channel);
                    }
                }
            }
            frame = self.chat.next(), if is_greeted => self.link.write_encoded(frame).await?,
            Some(channel) = self.watched.changed() => self.show(&channel),
            Some(id) = self.sends.over() => self.publisher.handle(clock::monotonic(), Input::Sent(id)),
            Some(_) = self.tasks.join_next() => {}
            () = until(timeout) => self.publisher.handle(clock::monotonic(), Input::Tick),
            _ = second.tick() => self.each_second(),
        }
        Ok(())
    }

    fn take(&mut self, frame: DownstreamFrame) -> Result<(), Ended> {
        let counts = u32::from(!matches!(frame, DownstreamFrame::Chat { .. }));
        let Some(left) = self.frames_left.checked_sub(counts) else {
            return Err(Ended::Close(CloseCode::Limit, "too many frames".to_owned()));
        };
        self.frames_left = left;
        self.heard_at = unix_micros();
        self.publisher.handle(clock::monotonic(), Input::Frame(frame));
        Ok(())
    }

    async fn carry_out(&mut self, output: Output) -> Result<(), Ended> {
        match output {
            Output::Hello {
                public_url, software, ..
            } => self.welcome(&public_url, &software).await?,
            Output::Frame(frame) => self.link.write_frame(&frame).await?,
            Output::Pong { t0 } => {
                let pong = UpstreamFrame::Pong {
                    t0,
                    t1: self.heard_at,
                    t2: unix_micros(),
                };
                self.link.write_frame(&pong).await?;
            }
            Output::Watch { channel } => {
                self.follow(&channel);
                self.seat.mirrors(self.publisher.room_count());
            }
            Output::Unwatch { channel } => {
                self.watched.forget(&channel);
                self.seat.mirrors(self.publisher.room_count());
            }
            Output::SendPart {
                id,
                header,
                body,
                priority,
            } => self.sends.start(&self.link, id, header, body, priority),
            Output::ResetPart { id, .. } => {
                counter!("streamcircle_link_parts_reset_total").increment(1);
                self.sends.cancel(id);
            }
            Output::Report { rooms, egress_bytes } => {
                self.seat.reported(&rooms, egress_bytes);
                self.context.rooms.viewers_seen(&self.seat.relay.id, rooms);
            }
            Output::Chat { items } => {
                let carried = self.chat.carry(items).await;
                carried.map_err(|too_much| Ended::Close(CloseCode::Limit, too_much.to_string()))?;
            }
            Output::Close { code, reason } => {
                let code = CloseCode::from_number(code).unwrap_or(CloseCode::Protocol);
                return Err(Ended::Close(code, reason.to_owned()));
            }
        }
        Ok(())
    }

    async fn welcome(&mut self, url: &str, software: &str) -> Result<(), Ended> {
        let url: PublicUrl = url.parse().map_err(|error: InvalidPublicUrl| {
            Ended::Close(CloseCode::Protocol, format!("its public URL is {error}"))
        })?;
        let url = url.as_str().to_owned();
        let end = software.floor_char_boundary(MAX_SOFTWARE_LEN);
        let version = software[..end].replace(char::is_control, " ");
        let Some((frames, pushes)) = self.seat.welcome(version.clone(), url.clone()) else {
            return Err(Ended::Gone("its seat was taken".to_owned()));
        };
        self.pushes = Some(pushes);
        self.note_seen(version, url);
        for frame in frames {
            self.link.write_frame(&frame).await?;
        }
        Ok(())
    }

    /// Asks for the channel's media as it is now, and shows it.
    fn follow(&mut self, channel: &ChannelId) {
        self.watched.follow(channel, &*self.context.rooms);
        self.show(channel);
    }

    /// Shows the channel to the publisher as it is, and at its next change again.
    fn show(&mut self, channel: &ChannelId) {
        let now = clock::monotonic();
        match self.watched.look(channel) {
            Some(live) => live.read(|windows| {
                let followed = self.publisher.epoch_of(channel);
                let view = ChannelView {
                    is_made: channel.rung.is_some(),
                    current: windows.current(),
                    followed: followed.and_then(|epoch| windows.get(epoch)),
                };
                self.publisher.handle(now, Input::Channel { channel, view });
            }),
            None => {
                let view = ChannelView::default();
                self.publisher.handle(now, Input::Channel { channel, view });
            }
        }
    }

    fn each_second(&mut self) {
        self.frames_left = self.frames_left.saturating_add(FRAMES_PER_SECOND).min(FRAMES_AT_ONCE);
        for channel in self.watched.replaced(&*self.context.rooms) {
            self.show(&channel);
        }
        let relay = self.seat.relay.name.clone();
        gauge!("streamcircle_link_rtt_seconds", "relay" => relay).set(self.link.rtt());
        if let Some((at, seen)) = &self.seen
            && at.elapsed() >= SEEN_EVERY
        {
            let RelaySeen { version, url, .. } = seen.clone();
            self.note_seen(version, url);
        }
    }

    fn note_seen(&mut self, version: String, url: String) {
        let seen = RelaySeen {
            at: clock::unix_millis(),
            version,
            url,
        };
        self.seen = Some((Instant::now(), seen.clone()));
        let (store, relay_id) = (Arc::clone(&self.context.store), self.seat.relay.id.clone());
        self.tasks.spawn(async move {
            let noted = tokio::time::timeout(SEEN_EVERY, store.seen(&relay_id, seen)).await;
            if let Ok(Err(error)) = noted {
                tracing::warn!(relay = relay_id, %error, "a relay's presence was not noted");
            }
        });
    }
}

impl From<FrameError> for Ended {
    fn from(error: FrameError) -> Self {
        Self::Gone(error.to_string())
    }
}

/// The next push; never before the welcome, `None` when the seat is gone.
async fn push(pushes: &mut Option<mpsc::Receiver<UpstreamFrame>>) -> Option<UpstreamFrame> {
    match pushes {
        Some(pushes) => pushes.recv().await,
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// The wall clock at the precision that clock offsets are measured with.
fn unix_micros() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
}
