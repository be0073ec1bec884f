//! Both ends of the link against each other on a virtual clock: a seeded link that delays, reorders, loses and breaks.

mod origin;
mod relay;
mod scenarios;
mod weather;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;

use self::{
    origin::{Origin, PART_MS},
    relay::Relay,
    weather::{FAIR, Random, Weather},
};
use crate::{
    id::{ChannelId, Epoch, PartId, Rung},
    link::{
        fetch,
        publisher::{self, MAX_IN_FLIGHT_BYTES, Publisher, SendId},
        subscriber::{self, FetchOutcome, MAX_HELD_BYTES, MAX_ORPHAN_BYTES},
    },
    time::Monotonic,
    wire::{
        control::{DownstreamFrame, UpstreamFrame},
        media::PartHeader,
        request::{FetchReply, FetchRequest},
    },
};

#[derive(Debug)]
enum Event {
    Birth,
    EverySecond,
    Dial,
    Break(u64),
    ToRelay(u64, UpstreamFrame),
    ToOrigin(u64, DownstreamFrame),
    /// The part is through the bottleneck.
    PartLeft(u64, SendId),
    PartArrives(u64, PartHeader, Bytes),
    Sent(u64, SendId),
    Fetched(u64, FetchRequest),
    RelayWakes,
    OriginWakes(u64),
}

/// One connection's upstream end, and what is on its way.
struct Connection {
    id: u64,
    publisher: Publisher,
    watched: BTreeSet<ChannelId>,
    /// Control frames keep their order.
    last_to_relay: Monotonic,
    last_to_origin: Monotonic,
    /// Parts before the bottleneck, and the one in it.
    waiting: BTreeMap<(std::cmp::Reverse<i32>, SendId), (PartHeader, Bytes)>,
    leaving: Option<SendId>,
}

struct World {
    now: Monotonic,
    weather: Weather,
    random: Random,
    source: ChannelId,
    rung: ChannelId,
    events: BTreeMap<(Monotonic, u64), Event>,
    sequence: u64,
    origin: Origin,
    is_live: bool,
    relay: Relay,
    connection: Option<Connection>,
    connections: u64,
    has_viewers: bool,
    /// Some of them want the rung.
    wants_rung: bool,
    most_held: usize,
    most_in_flight: usize,
}

impl World {
    fn new(weather: Weather, video_part_len: usize) -> Self {
        let source = ChannelId::source("cinema".parse().unwrap());
        let rung = ChannelId {
            rung: Some(Rung::P480),
            ..source.clone()
        };
        let mut world = Self {
            now: Monotonic(Duration::from_secs(1)),
            weather,
            random: Random::new(weather.seed),
            source,
            rung,
            events: BTreeMap::new(),
            sequence: 0,
            origin: Origin::new(video_part_len),
            is_live: false,
            relay: Relay::new(weather.seed),
            connection: None,
            connections: 0,
            has_viewers: true,
            wants_rung: true,
            most_held: 0,
            most_in_flight: 0,
        };
        world.after(Duration::ZERO, Event::Birth);
        world.after(Duration::ZERO, Event::EverySecond);
        world.drive_relay();
        world
    }

    fn start(&mut self) {
        self.origin.start();
        self.is_live = true;
        self.show_all();
    }

    fn end(&mut self) {
        self.origin.end(self.now);
        self.is_live = false;
        self.show_all();
    }

    fn run(&mut self, seconds: u64) {
        let until = self.now + Duration::from_secs(seconds);
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= until) {
            self.now = entry.key().0;
            let event = entry.remove();
            self.happen(event);
        }
        self.now = until;
    }

    /// The weather clears up; a while later nothing is born any more, and everything that can still come comes.
    fn calm_down(&mut self) {
        let seed = self.weather.seed;
        self.weather = Weather { seed, ..FAIR };
        self.run(20);
        self.is_live = false;
        self.run(2);
    }

    fn after(&mut self, wait: Duration, event: Event) {
        self.at(self.now + wait, event);
    }

    fn at(&mut self, at: Monotonic, event: Event) {
        self.sequence += 1;
        self.events.insert((at.max(self.now), self.sequence), event);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Birth => {
                self.after(Duration::from_millis(PART_MS), Event::Birth);
                if self.is_live {
                    self.origin.bear(self.now);
                    self.show_all();
                }
            }
            Event::EverySecond => {
                self.after(Duration::from_secs(1), Event::EverySecond);
                if self.has_viewers {
                    self.relay_input(subscriber::Input::Interest(self.source.clone()));
                }
                if self.has_viewers && self.wants_rung {
                    self.relay_input(subscriber::Input::Interest(self.rung.clone()));
                }
                self.origin.each_second();
                self.show_all();
                if let Some(id) = self.connection.as_ref().map(|connection| connection.id)
                    && self.random.chance(self.weather.breaks)
                {
                    self.happen(Event::Break(id));
                }
            }
            Event::Dial => self.dial(),
            Event::Break(id) => {
                if self.connection.take_if(|connection| connection.id == id).is_some() {
                    self.origin.watch_rung(false, self.now);
                    self.relay_input(subscriber::Input::Disconnected { may_return: true });
                }
            }
            Event::ToRelay(id, frame) => {
                if self.is_connected(id) {
                    self.relay_input(subscriber::Input::Frame(frame));
                }
            }
            Event::ToOrigin(id, frame) => {
                if self.is_connected(id) {
                    self.publisher_input(publisher::Input::Frame(frame));
                }
            }
            Event::PartLeft(id, send) => self.part_left(id, send),
            Event::PartArrives(id, header, body) => {
                if self.is_connected(id) {
                    self.relay_input(subscriber::Input::Part { header, body });
                }
            }
            Event::Sent(id, send) => {
                if self.is_connected(id) {
                    self.publisher_input(publisher::Input::Sent(send));
                }
            }
            Event::Fetched(id, request) => {
                if self.is_connected(id) {
                    self.fetched(&request);
                }
            }
            // Any other was put off or brought forward.
            Event::RelayWakes if self.relay.wakes_at != Some(self.now) => {}
            Event::RelayWakes => {
                self.relay.wakes_at = None;
                self.relay.count_wake(self.now);
                self.relay_input(subscriber::Input::Tick);
            }
            Event::OriginWakes(id) => {
                if self.is_connected(id) {
                    self.publisher_input(publisher::Input::Tick);
                }
            }
        }
    }

    fn is_connected(&self, id: u64) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.id == id)
    }

    fn dial(&mut self) {
        if self.random.chance(self.weather.breaks) {
            self.relay_input(subscriber::Input::Disconnected { may_return: true });
            return;
        }
        self.connections += 1;
        self.connection = Some(Connection {
            id: self.connections,
            publisher: Publisher::new(),
            watched: BTreeSet::new(),
            last_to_relay: self.now,
            last_to_origin: self.now,
            waiting: BTreeMap::new(),
            leaving: None,
        });
        self.relay_input(subscriber::Input::Connected);
    }

    fn relay_input(&mut self, input: subscriber::Input) {
        self.relay.subscriber.handle(self.now, input);
        self.drive_relay();
    }

    fn drive_relay(&mut self) {
        while let Some(output) = self.relay.subscriber.poll() {
            match output {
                subscriber::Output::Connect { after } => self.after(after, Event::Dial),
                subscriber::Output::Frame(frame) => {
                    let wait = self.random.millis(self.weather.delay_ms / 5);
                    if let Some(connection) = &mut self.connection {
                        connection.last_to_origin = connection.last_to_origin.max(self.now + wait);
                        let (at, id) = (connection.last_to_origin, connection.id);
                        self.at(at, Event::ToOrigin(id, frame));
                    }
                }
                subscriber::Output::Fetch { channel, epoch, id } => self.ask(channel, epoch, id),
                output => self.relay.carry_out(output, self.now),
            }
        }
        self.most_held = self.most_held.max(self.relay.subscriber.held_bytes());
        assert!(
            self.most_held <= 3 * MAX_HELD_BYTES + MAX_ORPHAN_BYTES,
            "the relay holds too much"
        );
        if let Some(at) = self.relay.subscriber.next_timeout()
            && self.relay.wakes_at != Some(at)
        {
            self.relay.wakes_at = Some(at);
            self.at(at, Event::RelayWakes);
        }
    }

    fn ask(&mut self, channel: ChannelId, epoch: Epoch, id: PartId) {
        let PartId { rendition, msn, part } = id;
        let request = FetchRequest {
            channel,
            epoch,
            rendition,
            msn,
            part: Some(part),
        };
        let wait = self.random.millis(2 * self.weather.delay_ms);
        if let Some(connection) = self.connection.as_ref().map(|connection| connection.id) {
            self.after(wait, Event::Fetched(connection, request));
        }
    }

    fn fetched(&mut self, request: &FetchRequest) {
        let FetchRequest {
            channel,
            epoch,
            rendition,
            msn,
            part,
        } = request.clone();
        let window = self.origin.channel(&channel).window(epoch);
        let answer = window.map(|window| fetch::answer(window, request));
        let outcome = match answer {
            _ if self.random.chance(self.weather.fetch_loss) => FetchOutcome::Failed,
            Some((
                FetchReply::Found {
                    part: Some(outline), ..
                },
                body,
            )) => FetchOutcome::Found {
                outline,
                body: body.concat().into(),
            },
            _ => FetchOutcome::Gone,
        };
        let id = PartId {
            rendition,
            msn,
            part: part.unwrap(),
        };
        self.relay_input(subscriber::Input::Fetched {
            channel,
            epoch,
            id,
            outcome,
        });
    }

    fn publisher_input(&mut self, input: publisher::Input<'_>) {
        if let Some(connection) = &mut self.connection {
            connection.publisher.handle(self.now, input);
            self.drive_publisher();
        }
    }

    fn show_all(&mut self) {
        let watched = self.connection.as_ref().map(|connection| connection.watched.clone());
        for channel in watched.into_iter().flatten() {
            self.show(&channel);
        }
    }

    fn show(&mut self, channel: &ChannelId) {
        if let Some(connection) = &mut self.connection {
            let view = self.origin.view(channel, connection.publisher.epoch_of(channel));
            connection
                .publisher
                .handle(self.now, publisher::Input::Channel { channel, view });
            self.drive_publisher();
        }
    }

    fn drive_publisher(&mut self) {
        while let Some(output) = self
            .connection
            .as_mut()
            .and_then(|connection| connection.publisher.poll())
        {
            match output {
                publisher::Output::Hello { .. } => self.tell_relay(UpstreamFrame::Welcome {
                    relay_id: "r1".to_owned(),
                    keys: String::new(),
                    revocations: Vec::new(),
                    rooms: Vec::new(),
                    public_urls: Vec::new(),
                }),
                publisher::Output::Frame(frame) => self.tell_relay(frame),
                publisher::Output::Watch { channel } => {
                    if channel == self.rung {
                        self.origin.watch_rung(true, self.now);
                    }
                    self.connection.as_mut().unwrap().watched.insert(channel.clone());
                    self.show(&channel);
                }
                publisher::Output::Unwatch { channel } => {
                    if channel == self.rung {
                        self.origin.watch_rung(false, self.now);
                    }
                    self.connection.as_mut().unwrap().watched.remove(&channel);
                }
                publisher::Output::SendPart {
                    id,
                    header,
                    body,
                    priority,
                } => {
                    let connection = self.connection.as_mut().unwrap();
                    connection
                        .waiting
                        .insert((std::cmp::Reverse(priority), id), (header, body));
                    self.fill_bottleneck();
                }
                publisher::Output::ResetPart { id, .. } => {
                    self.connection.as_mut().unwrap().waiting.retain(|key, _| key.1 != id);
                }
                publisher::Output::Pong { .. } | publisher::Output::Report { .. } | publisher::Output::Chat { .. } => {}
                publisher::Output::Close { reason, .. } => panic!("the publisher closed: {reason}"),
            }
        }
        let Some(connection) = &self.connection else { return };
        self.most_in_flight = self.most_in_flight.max(connection.publisher.in_flight_bytes());
        assert!(self.most_in_flight <= MAX_IN_FLIGHT_BYTES, "too much is on its way");
        if let Some(at) = connection.publisher.next_timeout() {
            let id = connection.id;
            self.at(at, Event::OriginWakes(id));
        }
    }

    fn tell_relay(&mut self, frame: UpstreamFrame) {
        let wait = self.random.millis(self.weather.delay_ms / 5);
        let connection = self.connection.as_mut().unwrap();
        connection.last_to_relay = connection.last_to_relay.max(self.now + wait);
        let (at, id) = (connection.last_to_relay, connection.id);
        self.at(at, Event::ToRelay(id, frame));
    }

    /// Parts pass the bottleneck one by one, by priority; without one, all at once.
    fn fill_bottleneck(&mut self) {
        let rate = self.weather.rate;
        while let Some(connection) = self
            .connection
            .as_mut()
            .filter(|connection| connection.leaving.is_none())
        {
            let Some(entry) = connection.waiting.first_entry() else {
                return;
            };
            let (send, id, size) = (entry.key().1, connection.id, entry.get().1.len() as u64);
            match rate {
                None => self.part_left(id, send),
                Some(rate) => {
                    connection.leaving = Some(send);
                    self.after(
                        Duration::from_micros(size * 1_000_000 / rate),
                        Event::PartLeft(id, send),
                    );
                }
            }
        }
    }

    fn part_left(&mut self, id: u64, send: SendId) {
        let Some(connection) = self.connection.as_mut().filter(|connection| connection.id == id) else {
            return;
        };
        connection.leaving = None;
        let key = connection.waiting.keys().find(|key| key.1 == send).copied();
        if let Some((header, body)) = key.and_then(|key| connection.waiting.remove(&key)) {
            let wait = self.random.millis(self.weather.delay_ms);
            if !self.random.chance(self.weather.loss) {
                self.after(wait, Event::PartArrives(id, header, body));
            }
            self.after(wait, Event::Sent(id, send));
        }
        if self.weather.rate.is_some() {
            self.fill_bottleneck();
        }
    }
}
