//! The task that owns a room's control: carries out what [`RoomState`] decides, one command at a time.

use std::{net::IpAddr, sync::Arc, time::Duration};

use common::{
    id::{Msn, RoomSlug},
    time::Monotonic,
};
use node::clock;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{MissedTickBehavior, interval, sleep},
};
use tracing::{Instrument, info, info_span, warn};

use super::{
    admission::RoomLease,
    publication::{Progress, Publication},
    registry::{MsnStore, RoomStatus},
    state::{Command, Effect, PublisherId, RoomState},
};
use crate::ingest::admission::{LeaseEnded, PublishEnd};

/// Commands waiting for one room; a publisher that finds it full is refused.
pub(super) const COMMAND_QUEUE: usize = 32;
/// How often the packager's time-outs and the window's retention are looked at while a stream is open.
const TICK: Duration = Duration::from_millis(250);
/// Media sequence numbers are set aside in blocks, so that a crash of the origin never leads to a number used twice.
const MSN_BLOCK: u64 = 1000;
/// A new block is set aside when so few are left.
const MSN_LOW: u64 = 300;
/// The seven GAP segments in front of the first one need numbers too.
const FIRST_MSN: Msn = Msn(7);

pub(super) enum RoomCommand {
    /// `None` in reply: another publishes.
    Publish {
        address: IpAddr,
        reply: oneshot::Sender<Option<RoomLease>>,
    },
    /// The publisher's key is no longer good.
    Cut,
    /// The publisher stopped, as somebody else says.
    Done,
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
    store: Arc<dyn MsnStore>,
    lease: Option<ActiveLease>,
    /// Numbers below are ours to use.
    reserved: Msn,
}

impl Actor {
    pub(super) fn new(
        slug: RoomSlug,
        publication: Arc<Publication>,
        status: watch::Sender<RoomStatus>,
        store: Arc<dyn MsnStore>,
    ) -> Self {
        let progress = publication.progress();
        Self {
            slug,
            state: RoomState::new(),
            publication,
            progress,
            status,
            store,
            lease: None,
            reserved: Msn(0),
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
        let why = loop {
            let open = self.publication.is_open();
            let deadline = self.state.deadline();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(RoomCommand::Publish { address, reply }) => self.publish(address, reply).await,
                    Some(RoomCommand::Cut) => self.carry_out(Command::Cut),
                    Some(RoomCommand::Done) => self.carry_out(Command::Done),
                    Some(RoomCommand::Close(why)) => break why,
                    None => break LeaseEnded::Draining,
                },
                command = left(&mut self.lease) => self.carry_out(command),
                () = sleep_until(deadline) => self.carry_out(Command::Tick),
                _ = tick.tick(), if open => self.publication.tick(),
                Ok(()) = self.progress.changed() => self.progressed().await,
            }
        };
        self.carry_out(Command::Close(why));
    }

    async fn publish(&mut self, address: IpAddr, reply: oneshot::Sender<Option<RoomLease>>) {
        let first_msn = if self.publication.is_open() {
            self.reserved
        } else {
            self.next_block().await
        };
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
        for effect in self.state.handle(clock::monotonic(), command) {
            self.apply(effect);
        }
        self.show();
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
                self.publication.end();
            }
        }
    }

    async fn progressed(&mut self) {
        let next = self.progress.borrow_and_update().next_msn;
        if self.publication.is_open() && next.0 + MSN_LOW > self.reserved.0 {
            self.reserve(Msn(self.reserved.0.max(next.0) + MSN_BLOCK)).await;
        }
        self.show();
    }

    /// First number of a stream that starts now.
    async fn next_block(&mut self) -> Msn {
        let stored = self.store.reserved(&self.slug).await.unwrap_or_default();
        let used = self.progress.borrow().next_msn;
        // Nothing of an earlier block that this process did not use itself can be told from used.
        let first = if used > Msn(0) { used } else { stored }.max(FIRST_MSN);
        self.reserve(Msn(first.0.max(stored.0) + MSN_BLOCK)).await;
        first
    }

    /// A database that is gone must not end a running room: the numbers go on, and the next try makes good.
    async fn reserve(&mut self, upto: Msn) {
        match self.store.reserve(&self.slug, upto).await {
            Ok(()) => self.reserved = upto,
            Err(reason) => warn!(%reason, "media sequence numbers could not be set aside"),
        }
    }

    fn show(&self) {
        let started_at = self.progress.borrow().started_at;
        let is_live = started_at.is_some();
        let status = RoomStatus {
            is_live,
            interrupted: is_live && self.state.deadline().is_some(),
            started_at,
        };
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
