//! The task that owns a room's control: carries out what [`RoomState`] decides, one command at a time.

use std::{net::IpAddr, sync::Arc, time::Duration};

use common::{
    id::{Msn, RoomSlug},
    time::{Monotonic, UnixMillis},
};
use node::clock;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{MissedTickBehavior, interval, sleep},
};
use tracing::{Instrument, info, info_span};

use super::{
    admission::RoomLease,
    memories::Memories,
    numbers::{MsnStore, Numbers},
    open_until::OpenUntil,
    publication::{Progress, Publication},
    registry::RoomStatus,
    stand_in::{SLATE_TICK, StandIn},
    state::{Command, Effect, GRACE_AFTER_LOSS, PublisherId, RoomState, STALL_SILENCE},
};
use crate::ingest::admission::{LeaseEnded, PublishEnd};

/// Commands waiting for one room; a publisher that finds it full is refused.
pub(super) const COMMAND_QUEUE: usize = 32;
/// How often the packager's time-outs and the window's retention are looked at while there is a stream, or what is left of one.
const TICK: Duration = Duration::from_millis(250);

pub(super) enum RoomCommand {
    /// `None` in reply: another publishes. No reply: the room cannot take anybody now.
    Publish {
        /// Where the publisher is, also if an encoder in front pushes its stream.
        address: IpAddr,
        /// The name by which an encoder in front pushes it.
        pass: Option<String>,
        reply: oneshot::Sender<Option<RoomLease>>,
    },
    /// The publisher's key is no longer good.
    Cut,
    /// Whether a publisher from there would be let in now.
    HasPlace {
        address: IpAddr,
        reply: oneshot::Sender<bool>,
    },
    /// The publisher is gone, as somebody else says: any, or only the one with this name.
    Done { pass: Option<String>, how: PublishEnd },
    /// Ends the actor, too.
    Close(LeaseEnded),
}

/// The actor's end of the present publisher's lease.
struct ActiveLease {
    publisher: PublisherId,
    revoke: watch::Sender<Option<LeaseEnded>>,
    /// Resolves when the publisher goes; dropped by its other end, it went without a word.
    left: oneshot::Receiver<PublishEnd>,
}

pub(super) struct Actor {
    slug: RoomSlug,
    state: RoomState,
    publication: Arc<Publication>,
    progress: watch::Receiver<Progress>,
    status: watch::Sender<RoomStatus>,
    numbers: Numbers,
    memories: Memories,
    open_until: OpenUntil,
    /// The process before was on air, and nothing has come to play since: relays may still hold what there was, until then.
    awaited_until: Option<Monotonic>,
    lease: Option<ActiveLease>,
    /// Of the publisher that was let in last.
    pass: Option<String>,
    stand_in: StandIn,
}

impl Actor {
    pub(super) fn new(
        slug: RoomSlug,
        publication: Arc<Publication>,
        status: watch::Sender<RoomStatus>,
        store: Arc<dyn MsnStore>,
        memories: Memories,
        open_until: OpenUntil,
        stand_in: StandIn,
    ) -> Self {
        let progress = publication.progress();
        let now = clock::monotonic();
        let left = |until: UnixMillis| {
            let left_ms = until.0.saturating_sub(clock::unix_millis().0);
            Duration::from_millis(u64::try_from(left_ms).unwrap_or(0))
        };
        let awaited = open_until.kept().map(|until| now + left(until));
        let state = RoomState::new(now, awaited);
        Self {
            numbers: Numbers::new(slug.clone(), store),
            memories,
            open_until,
            awaited_until: state.deadline(),
            slug,
            state,
            publication,
            progress,
            status,
            lease: None,
            pass: None,
            stand_in,
        }
    }

    /// Runs until the room is closed.
    pub(super) async fn run(self, commands: mpsc::Receiver<RoomCommand>) {
        let span = info_span!("room", slug = %self.slug);
        self.serve(commands).instrument(span).await;
    }

    async fn serve(mut self, mut commands: mpsc::Receiver<RoomCommand>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut slate_tick = interval(SLATE_TICK);
        slate_tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let why = loop {
            // Also when the stream is over: its window has to expire.
            let has_time_outs = self.publication.is_open() || self.publication.has_media();
            let deadline = self.state.deadline();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(RoomCommand::Publish { address, pass, reply }) => self.publish(address, pass, reply).await,
                    Some(RoomCommand::HasPlace { address, reply }) => {
                        let has_place = self.state.has_place_for(address, self.publication.silent_for());
                        // Whoever asked may have gone.
                        let _ = reply.send(has_place);
                    }
                    Some(RoomCommand::Cut) => self.carry_out(Command::Cut),
                    // One that was taken over says its goodbye late.
                    Some(RoomCommand::Done { pass, .. }) if pass.is_some() && pass != self.pass => {}
                    Some(RoomCommand::Done { how, .. }) => self.carry_out(Command::Done(how)),
                    Some(RoomCommand::Close(why)) => break why,
                    None => break LeaseEnded::Draining,
                },
                command = left(&mut self.lease) => self.carry_out(command),
                () = sleep_until(deadline) => self.carry_out(Command::Tick),
                _ = tick.tick(), if has_time_outs => self.tick(),
                _ = slate_tick.tick(), if self.stand_in.is_due() => {
                    let messages = self.stand_in.next(clock::monotonic());
                    self.publication.stand_in(messages);
                }
                () = self.stand_in.settle() => self.follow(),
                Ok(()) = self.progress.changed() => self.progressed(),
                () = self.numbers.settle() => {}
                () = self.memories.settle() => {}
                () = self.open_until.settle() => self.show(),
            }
        };
        self.carry_out(Command::Close(why));
        self.open_until.close().await;
    }

    async fn publish(&mut self, address: IpAddr, pass: Option<String>, reply: oneshot::Sender<Option<RoomLease>>) {
        let used = self.progress.borrow().next_msn;
        let first_msn = if self.publication.is_open() {
            // Not asked for: the stream has its numbers.
            used
        } else if let Some(first_msn) = self.numbers.first(used).await {
            if let Some(memory) = self.memories.recall().await {
                self.publication.recall(memory);
            }
            first_msn
        } else {
            return;
        };
        if reply.is_closed() {
            // It did not wait so long: nobody loses the room to it.
            return;
        }
        let command = Command::Publish {
            address,
            silent_for: self.publication.silent_for(),
        };
        let mut accepted = None;
        for effect in self.state.handle(clock::monotonic(), command) {
            match effect {
                Effect::Accept(publisher) => accepted = Some(self.accept(publisher, first_msn)),
                effect => self.apply(effect),
            }
        }
        if accepted.is_some() {
            self.pass = pass;
            self.stand_in.done();
        }
        self.show();
        // A publisher that went away meanwhile drops its lease with the reply, and so is lost at once.
        drop(reply.send(accepted));
    }

    fn accept(&mut self, publisher: PublisherId, first_msn: Msn) -> RoomLease {
        info!("publisher accepted");
        self.publication.accept(publisher, first_msn, seed());
        let (revoke, revoked) = watch::channel(None);
        let (goodbye, left) = oneshot::channel();
        self.lease = Some(ActiveLease {
            publisher,
            revoke,
            left,
        });
        RoomLease::new(publisher, Arc::clone(&self.publication), revoked, goodbye)
    }

    fn carry_out(&mut self, command: Command) {
        let now = clock::monotonic();
        let is_told_of_loss = matches!(command, Command::Done(PublishEnd::Lost));
        let may_return = is_told_of_loss || matches!(command, Command::Lost(_) | Command::Cut);
        for effect in self.state.handle(now, command) {
            match effect {
                Effect::Interrupt if may_return => self.stand_in.lost(now),
                Effect::End => self.stand_in.done(),
                _ => {}
            }
            self.apply(effect);
        }
        if is_told_of_loss && self.state.deadline().is_some() {
            self.stand_in.lost(now);
        }
        self.follow();
        self.show();
    }

    fn tick(&mut self) {
        self.publication.tick();
        if self.is_stalled() {
            self.stand_in.lost(clock::monotonic());
        } else if self.lease.is_some() {
            self.stand_in.done();
        }
        self.show();
    }

    /// The publisher's connection stands, and nothing comes.
    fn is_stalled(&self) -> bool {
        self.lease.is_some() && self.publication.silent_for() >= STALL_SILENCE
    }

    /// Has a slate made for the stream as it is now.
    fn follow(&mut self) {
        let description = self.publication.is_open().then(|| self.publication.description());
        self.stand_in.follow(description.flatten().as_deref());
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Accept(_) | Effect::Refuse => {}
            Effect::Revoke(_, why) => {
                if let Some(lease) = self.lease.take() {
                    lease.revoke.send_replace(Some(why));
                }
            }
            Effect::Interrupt => {
                info!("publisher gone");
                self.publication.interrupt();
            }
            Effect::End => {
                info!("stream over");
                self.awaited_until = None;
                self.publication.end();
            }
        }
    }

    fn progressed(&mut self) {
        let next = self.progress.borrow_and_update().next_msn;
        let now = clock::monotonic();
        if self.publication.is_open() {
            self.numbers.used_below(now, next);
        }
        self.memories.keep(now, || self.publication.memory());
        self.follow();
        self.show();
    }

    fn show(&mut self) {
        let started_at = self.progress.borrow().started_at;
        let now = clock::monotonic();
        // Also where a publisher has come of whom nothing can be played.
        let goes_on = |until: &Monotonic| started_at.is_none() && now < *until;
        self.awaited_until = self.awaited_until.filter(goes_on);
        let is_awaited = self.awaited_until.is_some();
        let is_live = started_at.is_some() || is_awaited;
        let waits_until = self.state.deadline();
        let status = RoomStatus {
            is_live,
            interrupted: is_live && (is_awaited || waits_until.is_some() || self.is_stalled()),
            started_at,
        };
        let left = waits_until.map_or(GRACE_AFTER_LOSS, |until| until.since(now));
        let left_ms = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
        let until = UnixMillis(clock::unix_millis().0.saturating_add(left_ms));
        self.open_until.keep(now, is_live.then_some(until));
        self.status
            .send_if_modified(|shown| std::mem::replace(shown, status) != status);
    }
}

/// Completes when the present publisher goes.
async fn left(lease: &mut Option<ActiveLease>) -> Command {
    let Some(active) = lease else {
        return std::future::pending().await;
    };
    let how = (&mut active.left).await.unwrap_or(PublishEnd::Lost);
    let publisher = active.publisher;
    *lease = None;
    match how {
        PublishEnd::Stopped => Command::Stopped(publisher),
        PublishEnd::Lost => Command::Lost(publisher),
    }
}

fn seed() -> u64 {
    getrandom::u64().expect("the system has random numbers")
}

async fn sleep_until(deadline: Option<Monotonic>) {
    match deadline {
        Some(deadline) => sleep(deadline.since(clock::monotonic())).await,
        None => std::future::pending().await,
    }
}
