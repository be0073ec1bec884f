//! The task that owns the relay's end of the link: dials, dials again (nothing else here retries a connection), and carries out what
//! `common::link::subscriber` decides.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
    time::Duration,
};

use common::{
    link::subscriber::{Input, Output, Subscriber, SubscriberConfig},
    live::LiveEvent,
    time::Monotonic,
    wire::{
        chat::ChatUp,
        control::{DownstreamFrame, UpstreamFrame},
    },
};
use metrics::{counter, gauge};
use node::{
    clock,
    link_driver::{CloseCode, ConnectError, Connector, LinkConnection},
};
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    chat::{ChatLink, Overflow},
    session::{Event, Session},
};
use crate::{cache::mirror::Held, chat::link::LinkEnd};

/// Seconds between two reports.
const REPORT_EVERY: u64 = 2;
/// How much longer the link stays when the relay stops: for answers to calls and fetches under way.
const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// Name and version of this software, as upstream shows it.
const SOFTWARE: &str = concat!("streamcircle-relay/", env!("CARGO_PKG_VERSION"));

pub(super) struct Client {
    shared: Arc<Shared>,
    connector: Arc<Connector>,
    subscriber: Subscriber,
    dial: Dial,
    session: Option<Session>,
    chat: ChatLink,
    seconds: u64,
}

enum Dial {
    Idle,
    At(Instant),
    Running(JoinHandle<Result<LinkConnection, ConnectError>>),
}

impl Client {
    pub(super) fn new(
        shared: Arc<Shared>,
        connector: Connector,
        name: String,
        public_url: String,
        chat: LinkEnd,
    ) -> Self {
        let config = SubscriberConfig {
            name,
            public_url,
            software: SOFTWARE.to_owned(),
            retention: shared.retention,
            // Differs from process to process.
            seed: RandomState::new().build_hasher().finish(),
        };
        Self {
            shared,
            connector: Arc::new(connector),
            subscriber: Subscriber::new(config),
            dial: Dial::Idle,
            session: None,
            chat: ChatLink::new(chat),
            seconds: 0,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shared = self.shared.clone();
        loop {
            self.carry_out();
            self.chat.tell().await;
            let wake_at = self.subscriber.next_timeout();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = second.tick() => self.each_second().await,
                () = until(wake_at) => self.happen(Input::Tick),
                dialled = dialled(&mut self.dial, &self.connector) => self.dialled(dialled),
                () = shared.interest.is_urgent() => self.tell_interest(),
                items = self.chat.next_items() => self.send_chat(items),
                event = next_event(&mut self.session) => self.take(event),
            }
        }
        if let Some(session) = self.session.take() {
            // They wait for their own streams alone; nothing here has to read for them.
            let _ = tokio::time::timeout(LAST_ANSWERS, session.link().closed()).await;
            session.link().close(CloseCode::Done, "the relay stops");
        }
        if let Dial::Running(task) = self.dial {
            task.abort();
        }
        self.shared.link.send_replace(None);
    }

    fn happen(&mut self, input: Input) {
        self.subscriber.handle(clock::monotonic(), input);
    }

    fn tell_interest(&mut self) {
        for channel in self.shared.interest.take_channels() {
            // Only rooms that exist: a viewer cannot make this relay ask for anything else.
            if self.shared.directory.room(&channel.room).is_some() {
                self.happen(Input::Interest(channel));
            }
        }
    }

    async fn each_second(&mut self) {
        // Before the tick, which lets go of channels without a sign of interest.
        self.tell_interest();
        self.happen(Input::Tick);
        self.shared.mirrors.expire();
        self.shared.backfill.maintain().await;
        self.seconds += 1;
        if let Some(session) = self.session.as_ref().filter(|_| self.subscriber.is_up())
            && self.seconds.is_multiple_of(REPORT_EVERY)
        {
            self.shared
                .interest
                .take_report()
                .into_iter()
                .for_each(|frame| session.send(frame));
        }
        let Held { rooms, rungs, bytes } = self.shared.mirrors.held();
        gauge!("streamcircle_relay_rooms").set(rooms as f64);
        gauge!("streamcircle_relay_rungs").set(rungs as f64);
        gauge!("streamcircle_relay_window_bytes").set(bytes as f64);
        gauge!("streamcircle_relay_waiting_bytes").set(self.subscriber.held_bytes() as f64);
        gauge!("streamcircle_relay_upstream_up").set(f64::from(u8::from(self.subscriber.is_up())));
        if let Some(round_trip) = self.shared.clock().round_trip() {
            gauge!("streamcircle_relay_upstream_rtt_seconds").set(round_trip);
        }
    }

    fn dialled(&mut self, result: Result<LinkConnection, ConnectError>) {
        self.dial = Dial::Idle;
        match result {
            Ok(link) => {
                self.session = Some(Session::new(link));
                self.happen(Input::Connected);
            }
            Err(error) => {
                let may_return = error.may_retry();
                tracing::warn!(%error, "upstream cannot be reached");
                self.happen(Input::Disconnected { may_return });
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Frame(frame) => self.frame(frame),
            Event::Part { header, body } => self.happen(Input::Part { header, body }),
            Event::Fetched(fetched) => {
                let super::session::Fetched {
                    channel,
                    epoch,
                    id,
                    outcome,
                } = fetched;
                self.happen(Input::Fetched {
                    channel,
                    epoch,
                    id,
                    outcome,
                });
            }
            Event::Lost { may_return, why } => {
                tracing::warn!(why, "the link to upstream is lost");
                self.lost(may_return);
            }
        }
    }

    fn send_chat(&mut self, items: Result<Vec<ChatUp>, Overflow>) {
        let Some(session) = &self.session else {
            return;
        };
        match items {
            Ok(items) if items.is_empty() => {}
            Ok(items) => session.send(DownstreamFrame::Chat { items }),
            Err(error) => {
                tracing::warn!(%error, "the link to upstream is closed");
                session.link().close(CloseCode::Unavailable, "chat does not move");
                self.lost(true);
            }
        }
    }

    fn frame(&mut self, frame: UpstreamFrame) {
        let queue = self.session.as_ref().map(Session::queue);
        self.chat.take(&frame, queue);
        let shared = &self.shared;
        shared.directory.take(&frame, shared.origin_now());
        if let UpstreamFrame::Chat { room, items } = frame {
            return self.chat.items(room, items);
        }
        if let UpstreamFrame::Pong { t0, t1, t2 } = frame {
            let sent = Monotonic(Duration::from_micros(t0));
            shared.clock().take(sent, clock::monotonic(), t1, t2);
            return;
        }
        let is_welcome = matches!(frame, UpstreamFrame::Welcome { .. });
        self.happen(Input::Frame(frame));
        if is_welcome && let Some(session) = &mut self.session {
            session.greeted();
            self.shared.clock().restart();
            self.shared.link.send_replace(Some(session.link().clone()));
            counter!("streamcircle_relay_upstream_connects_total").increment(1);
            tracing::info!(upstream = %session.link().peer_address(), "the link to upstream stands");
        }
    }

    fn lost(&mut self, may_return: bool) {
        self.session = None;
        self.shared.link.send_replace(None);
        self.chat.lost();
        self.happen(Input::Disconnected { may_return });
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.subscriber.poll() {
            match output {
                Output::Connect { after } => self.dial = Dial::At(Instant::now() + after),
                Output::Frame(frame) => {
                    if let Some(session) = &self.session {
                        session.send(frame);
                    }
                }
                Output::PutWindow { channel, window } => {
                    tracing::debug!(%channel, epoch = %window.epoch(), "a window came");
                    self.shared.mirrors.put(&channel, *window);
                }
                Output::Apply { channel, epoch, event } => {
                    count(&event);
                    if let Err(error) = self.shared.mirrors.apply(&channel, epoch, event) {
                        counter!("streamcircle_relay_refused_events_total").increment(1);
                        tracing::warn!(%channel, %epoch, %error, "what came does not follow: the channel is started anew");
                        self.happen(Input::Refused(channel));
                    }
                }
                Output::Fill {
                    channel,
                    epoch,
                    id,
                    body,
                } => self.shared.mirrors.fill(&channel, epoch, id, body),
                Output::Fetch { channel, epoch, id } => {
                    if let Some(session) = &mut self.session {
                        session.fetch(channel, epoch, id);
                    }
                }
                Output::Offline { channel } => self.shared.mirrors.set_offline(&channel, true),
                Output::Starting { channel } => self.shared.mirrors.set_offline(&channel, false),
                Output::Forget { channel } => self.shared.mirrors.forget(&channel),
                Output::BadWindow { channel, error } => {
                    tracing::warn!(%channel, %error, "upstream sent a window that is none");
                }
                Output::Close { reason } => {
                    tracing::warn!(reason, "upstream sends this relay away");
                    if let Some(session) = &self.session {
                        session.link().close(CloseCode::Done, "sent away");
                    }
                    self.lost(true);
                }
            }
        }
    }
}

fn count(event: &LiveEvent) {
    if let LiveEvent::Part(part) = event {
        counter!("streamcircle_relay_parts_total").increment(1);
        if part.flags.gap {
            counter!("streamcircle_relay_gaps_total").increment(1);
        }
    }
}

async fn until(at: Option<Monotonic>) {
    match at {
        Some(at) => tokio::time::sleep(at.since(clock::monotonic())).await,
        None => std::future::pending().await,
    }
}

async fn next_event(session: &mut Option<Session>) -> Event {
    match session {
        Some(session) => session.next().await,
        None => std::future::pending().await,
    }
}

/// Waits for the time to dial, and for the connection. May be dropped at any time: the dial goes on by itself.
async fn dialled(dial: &mut Dial, connector: &Arc<Connector>) -> Result<LinkConnection, ConnectError> {
    loop {
        match dial {
            Dial::Idle => return std::future::pending().await,
            Dial::At(at) => {
                tokio::time::sleep_until(*at).await;
                let connector = connector.clone();
                *dial = Dial::Running(tokio::spawn(async move { connector.connect().await }));
            }
            Dial::Running(task) => {
                let Ok(result) = task.await else {
                    // It is aborted only when this task ends.
                    return Err(ConnectError::NoAddress);
                };
                return result;
            }
        }
    }
}
