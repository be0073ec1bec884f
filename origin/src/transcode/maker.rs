//! The task that makes one rung while it is watched: what is tapped of the source goes to an ffmpeg, what comes back into the rung's windows.
//!
//! One ffmpeg works on one unbroken run of the source. At a break it gives back what it has and ends, and the next run gets another one;
//! one that ends by itself is replaced at a segment's start after a while.

mod standing;

use std::{sync::Arc, time::Duration};

use common::{
    id::{Epoch, Rung},
    live::RungDescription,
    media::video_config::VideoConfig,
    packager::{RungPackager, Tapped},
};
use metrics::counter;
use node::{clock, live::Live};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    RungState,
    budget::{Load, Standing},
    child::{Answer, Child},
    encoder::Encoder,
    ffmpeg::Ffmpeg,
    ladder::Ladder,
    pace::Pace,
    retry::{Failure, GivenUp, Retry, Verdict},
};

/// For ffmpeg to give back what it has when the source breaks off.
const DRAIN: Duration = Duration::from_secs(3);

pub(super) struct Maker {
    pub(super) rung: Rung,
    pub(super) ffmpeg: Arc<Ffmpeg>,
    pub(super) ladder: Arc<Ladder>,
    pub(super) live: Arc<Live>,
    pub(super) inbox: mpsc::Receiver<Tapped>,
    pub(super) load: Load,
}

/// What the source is at the moment.
struct Source {
    config: VideoConfig,
    rung: RungDescription,
    packager: RungPackager,
}

struct Work {
    maker: Maker,
    source: Option<Source>,
    child: Option<Child>,
    /// Until when ffmpeg may give back what it has; until then the source waits.
    draining: Option<Instant>,
    pace: Pace,
    retry: Retry,
    unwatched_since: Option<Instant>,
    state: RungState,
    done: Option<Done>,
}

/// Why a rung is not made any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Unwatched,
    GivenUp(GivenUp),
    Stopped,
}

impl Maker {
    /// Runs until nobody has watched for a while, the rung is given up, or the origin stops. No process is left then.
    pub(super) async fn run(self, stop: CancellationToken) {
        let retry = Retry::new(self.ffmpeg.encoders.len());
        let mut work = Work {
            maker: self,
            source: None,
            child: None,
            draining: None,
            pace: Pace::default(),
            retry,
            unwatched_since: None,
            state: RungState::Starting,
            done: None,
        };
        let done = work.serve(&stop).await;
        work.kill().await;
        work.end_epoch();
        let Self { rung, ladder, load, .. } = work.maker;
        info!(%rung, ?done, "a rung is not made any more");
        let given_up = match done {
            Done::GivenUp(reason) => Some(reason),
            Done::Unwatched | Done::Stopped => None,
        };
        // Before another task may begin.
        drop(load);
        ladder.left(rung, given_up);
    }
}

impl Work {
    async fn serve(&mut self, stop: &CancellationToken) -> Done {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_draining = self.draining.is_some();
            tokio::select! {
                () = stop.cancelled() => return Done::Stopped,
                tapped = self.maker.inbox.recv(), if !is_draining => match tapped {
                    Some(tapped) => self.take(tapped).await,
                    None => return Done::Stopped,
                },
                answer = answer(&mut self.child) => self.answered(answer).await,
                () = until(self.draining) => {
                    warn!(rung = %self.maker.rung, "ffmpeg did not give back all it had");
                    self.drained().await;
                }
                _ = second.tick() => self.each_second().await,
            }
            self.deliver();
            if let Some(done) = self.done {
                return done;
            }
        }
    }

    async fn take(&mut self, tapped: Tapped) {
        match &tapped {
            Tapped::Start { description, config } => {
                let goes_on = |source: &Source| source.packager.parent().epoch == description.epoch;
                if !self.source.as_ref().is_some_and(goes_on) {
                    self.end_epoch();
                    self.retry = Retry::new(self.maker.ffmpeg.encoders.len());
                    let offered = description
                        .ladder
                        .iter()
                        .find(|offered| offered.rung == self.maker.rung);
                    let packager = RungPackager::new(new_epoch(), self.maker.rung, Arc::clone(description));
                    self.source = offered.zip(packager).map(|(rung, packager)| Source {
                        config: config.clone(),
                        rung: rung.clone(),
                        packager,
                    });
                } else if let Some(source) = &mut self.source {
                    source.config = config.clone();
                }
            }
            Tapped::Segment { at_ms, .. } => {
                self.renew().await;
                let wants = self.source.is_some() && self.child.is_none();
                if wants && self.retry.may_start(clock::monotonic()) && self.is_admitted() {
                    self.start(*at_ms).await;
                }
            }
            Tapped::Frame { .. } | Tapped::Break { .. } | Tapped::End => {}
        }
        if let Some(source) = &mut self.source {
            source.packager.source(&tapped, self.child.is_some());
        }
        match tapped {
            Tapped::Frame {
                at_ms,
                composition_ms,
                sync,
                payload,
            } => {
                let shown_ms = at_ms + i64::from(composition_ms);
                let Some(child) = &mut self.child else { return };
                if child.give(shown_ms, sync, payload).is_err() {
                    self.choked().await;
                } else {
                    self.pace.given(clock::monotonic(), shown_ms);
                }
            }
            Tapped::Break { .. } => {
                if let Some(child) = &mut self.child {
                    child.close();
                    self.draining = Some(Instant::now() + DRAIN);
                }
            }
            Tapped::End => {
                self.kill().await;
                self.deliver();
                self.source = None;
                self.show(RungState::Starting);
            }
            Tapped::Start { .. } | Tapped::Segment { .. } => {}
        }
    }

    /// Another epoch of the rung, where the one before could not follow the source's numbers.
    async fn renew(&mut self) {
        if self.source.as_ref().is_none_or(|source| !source.packager.is_over()) {
            return;
        }
        // The new one knows nothing of what this ffmpeg makes: another ffmpeg says it, from this segment on.
        self.kill().await;
        self.deliver();
        if let Some(source) = &mut self.source {
            let parent = Arc::clone(source.packager.parent());
            if let Some(packager) = RungPackager::new(new_epoch(), self.maker.rung, parent) {
                source.packager = packager;
            }
        }
    }

    async fn start(&mut self, base_ms: i64) {
        let Some(Source { config, rung, .. }) = &self.source else {
            return;
        };
        let encoder = self.encoder();
        match Child::start(&self.maker.ffmpeg, encoder, rung, config, base_ms) {
            Ok(child) => {
                self.child = Some(child);
                self.retry.started(clock::monotonic());
                self.pace = Pace::default();
            }
            Err(reason) => self.failed(Failure::Ended, &reason).await,
        }
    }

    async fn answered(&mut self, answer: Answer) {
        match (answer, &mut self.source) {
            (Answer::Over(_), _) if self.draining.is_some() => self.drained().await,
            (Answer::Over(reason), _) => self.failed(Failure::Ended, &reason).await,
            (Answer::Config(config), Some(source)) => {
                if let Err(reason) = source.packager.configure(config) {
                    self.failed(Failure::Ended, &reason.to_string()).await;
                }
            }
            (
                Answer::Frame {
                    shown_ms,
                    sync,
                    payload,
                },
                Some(source),
            ) => {
                let now = clock::monotonic();
                self.pace.made(now, shown_ms);
                self.retry.made(now);
                source.packager.made(shown_ms, sync, payload);
                if self.state != RungState::Running {
                    self.show(RungState::Running);
                }
            }
            (Answer::Config(_) | Answer::Frame { .. }, None) => {}
        }
    }

    /// ffmpeg took too little of what it was given.
    async fn choked(&mut self) {
        if !self.retry.has_made() {
            return self.failed(Failure::Ended, "it gives nothing back").await;
        }
        self.tell(Standing::Choked);
        if self.done.is_none() {
            self.failed(Failure::Choked, "it reads too slowly").await;
        }
    }

    /// ffmpeg ended though it should not have, or has to.
    async fn failed(&mut self, failure: Failure, reason: &str) {
        let rung = self.maker.rung;
        warn!(%rung, reason, "ffmpeg failed");
        counter!("streamcircle_ladder_restarts_total").increment(1);
        self.maker.ladder.failed(rung, reason);
        self.drained().await;
        self.show(RungState::Failed);
        let encoder = self.encoder();
        match self.retry.failed(clock::monotonic(), failure) {
            Verdict::Again => {}
            Verdict::OtherEncoder => {
                let other = self.encoder();
                warn!(%rung, left = encoder.name(), encoder = other.name(), "an encoder fails again and again");
                self.maker.ladder.stand_in(rung, encoder, other);
                // What it makes is decoded otherwise.
                if let Some(source) = &mut self.source {
                    source.packager.end();
                }
            }
            Verdict::GiveUp(why) => self.give_up(why),
        }
    }

    fn encoder(&self) -> Encoder {
        self.maker.ffmpeg.encoder(self.retry.encoder())
    }

    /// Nothing more comes of what ffmpeg was given.
    async fn drained(&mut self) {
        self.kill().await;
        if let Some(source) = &mut self.source {
            source.packager.drained();
        }
    }

    async fn kill(&mut self) {
        self.draining = None;
        self.pace = Pace::default();
        if let Some(child) = self.child.take() {
            child.kill().await;
        }
    }

    fn end_epoch(&mut self) {
        if let Some(source) = &mut self.source {
            source.packager.end();
        }
        self.deliver();
        self.source = None;
    }

    fn deliver(&mut self) {
        let Some(source) = &mut self.source else { return };
        while let Some(event) = source.packager.poll() {
            if let Err(reason) = self.maker.live.apply(event) {
                error!(rung = %self.maker.rung, %reason, "a rung and its window disagree: its epoch is over");
                source.packager.abandon();
                self.maker.live.abandon();
            }
        }
    }
}

fn new_epoch() -> Epoch {
    Epoch(getrandom::u64().expect("the system has random numbers"))
}

async fn answer(child: &mut Option<Child>) -> Answer {
    match child {
        Some(child) => child.next().await,
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
