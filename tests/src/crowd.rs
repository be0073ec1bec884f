//! Many viewers who talk at once on several relays while one relay is killed and another one's link is cut: did all get the
//! same messages in the same order, none lost, none twice, and how long did they take?

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::time::{interval_at, sleep};
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::{
    chatter::{Door, Socket, is},
    guest::Guest,
    party::Party,
    process::wait_for,
};

/// Between two tries to open a socket or to say a message again.
const AGAIN: Duration = Duration::from_millis(300);
/// For what was held up to arrive everywhere after the last message was said.
const SETTLE: Duration = Duration::from_secs(30);
/// Separate relays in play; the embedded one has no viewers.
pub const RELAYS: usize = 3;
/// The relay that is killed, as in [`Party::url`].
const KILLED: usize = 2;
/// The relay whose link is cut.
const CUT: usize = 3;

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub clients: usize,
    /// Messages a second, of all clients together.
    pub rate: u32,
    pub duration: Duration,
    pub cut_for: Duration,
}

/// What came of it. All counts of faults are to be 0.
#[derive(Debug, Default)]
pub struct Report {
    pub said: usize,
    /// Deliveries that were missed.
    pub lost: usize,
    /// Deliveries of what was delivered before.
    pub twice: usize,
    /// Clients whose ids, or order, are not those of the first one.
    pub different: usize,
    /// Deliveries whose id was not greater than the one before.
    pub backwards: usize,
    /// Messages that got a second id.
    pub doubled: usize,
    /// Seconds from saying to hearing, where neither sits on the killed or the cut relay.
    pub near: Vec<f64>,
    /// All other deliveries.
    pub far: Vec<f64>,
    /// Sockets that broke; each was opened again.
    pub broken: usize,
    /// Why, of those that had no reason to.
    pub broken_near: Vec<String>,
}

impl Report {
    /// Nothing but delay happened, and to nobody but those concerned.
    pub fn is_clean(&self) -> bool {
        self.lost + self.twice + self.different + self.backwards + self.doubled + self.broken_near.len() == 0
    }
}

/// What all clients share.
struct Stage {
    urls: Vec<String>,
    room: String,
    start: Instant,
    next_key: AtomicU32,
    is_saying: AtomicBool,
    is_over: AtomicBool,
}

/// One client.
struct Member {
    stage: Arc<Stage>,
    /// Relay that it came to first.
    home: usize,
    at: usize,
    token: String,
    guest: Guest,
    pace: Duration,
    phase: Duration,
    /// Said, but not heard: client id and text.
    pending: HashMap<String, String>,
    heard: Vec<Heard>,
    count: Arc<AtomicUsize>,
    broken: Vec<String>,
}

#[derive(Clone, Copy)]
struct Heard {
    id: i64,
    /// Which message, by its text.
    key: u32,
    /// Where its sender lives.
    from: usize,
    seconds: f64,
    is_live: bool,
}

/// Runs the plan at a party with [`RELAYS`] separate relays.
pub async fn run(party: &mut Party, plan: Plan) -> Result<Report> {
    let stage = Arc::new(Stage {
        urls: (0..=RELAYS).map(|at| party.url(at).to_owned()).collect(),
        room: party.slug().to_owned(),
        start: Instant::now(),
        next_key: AtomicU32::new(0),
        is_saying: AtomicBool::new(true),
        is_over: AtomicBool::new(false),
    });
    let invite = party.invite("viewer").await?;
    let pace = Duration::from_secs(1) * u32::try_from(plan.clients)? / plan.rate;
    let mut members = Vec::new();
    for index in 0..plan.clients {
        let home = 1 + index % RELAYS;
        let guest = Guest::new()?;
        let nickname = format!("guest {index}");
        let pass = guest
            .join(&stage.urls[home], &stage.room, &nickname, Some(&invite.token))
            .await?;
        members.push(Member {
            stage: Arc::clone(&stage),
            home,
            at: home,
            token: pass.token,
            guest,
            pace,
            phase: pace * u32::try_from(index)? / u32::try_from(plan.clients)?,
            pending: HashMap::new(),
            heard: Vec::new(),
            count: Arc::default(),
            broken: Vec::new(),
        });
    }
    let counts: Vec<Arc<AtomicUsize>> = members.iter().map(|member| Arc::clone(&member.count)).collect();
    let tasks: Vec<_> = members.into_iter().map(|member| tokio::spawn(member.live())).collect();

    sleep(plan.duration * 2 / 5).await;
    party.relays[KILLED - 1].process.kill()?;
    sleep(plan.duration / 5).await;
    party.paths[CUT - 1].cut();
    sleep(plan.cut_for).await;
    party.paths[CUT - 1].mend();
    sleep((plan.duration * 2 / 5).saturating_sub(plan.cut_for)).await;
    stage.is_saying.store(false, Ordering::Relaxed);
    // Not to hear everything is what the report is for.
    let _ = wait_for("everybody to hear everything", SETTLE, async || {
        let said = stage.next_key.load(Ordering::Relaxed) as usize;
        let all = counts.iter().all(|count| count.load(Ordering::Relaxed) >= said);
        all.then_some(())
    })
    .await;
    stage.is_over.store(true, Ordering::Relaxed);
    let mut members = Vec::new();
    for task in tasks {
        members.push(task.await?);
    }
    Ok(report(&members, stage.next_key.load(Ordering::Relaxed) as usize))
}

fn report(members: &[Member], said: usize) -> Report {
    let mut report = Report {
        said,
        ..Report::default()
    };
    let order = |member: &Member| member.heard.iter().map(|heard| heard.id).collect::<Vec<_>>();
    let first = members.first().map(order).unwrap_or_default();
    for member in members {
        let keys: HashSet<u32> = member.heard.iter().map(|heard| heard.key).collect();
        let ids: HashSet<i64> = member.heard.iter().map(|heard| heard.id).collect();
        report.lost += said.saturating_sub(keys.len());
        report.twice += member.heard.len() - ids.len();
        report.doubled = report.doubled.max(ids.len().saturating_sub(keys.len()));
        report.different += usize::from(order(member) != first);
        report.backwards += member.heard.windows(2).filter(|pair| pair[1].id <= pair[0].id).count();
        let is_near = |relay: usize| relay != KILLED && relay != CUT;
        report.broken += member.broken.len();
        if is_near(member.home) {
            report.broken_near.extend(member.broken.iter().cloned());
        }
        for heard in &member.heard {
            if is_near(member.home) && is_near(heard.from) && heard.is_live {
                report.near.push(heard.seconds);
            } else {
                report.far.push(heard.seconds);
            }
        }
    }
    report
}

impl Member {
    async fn live(mut self) -> Self {
        let first = tokio::time::Instant::now() + Duration::from_secs(1) + self.phase;
        let mut beat = interval_at(first, self.pace);
        while !self.stage.is_over.load(Ordering::Relaxed) {
            match self.open().await {
                Ok(socket) => {
                    // The next socket goes on where this one broke.
                    if let Err(error) = self.converse(socket, &mut beat).await {
                        self.broken.push(error.to_string());
                    }
                }
                Err(_) => self.at = self.at % RELAYS + 1,
            }
            sleep(AGAIN).await;
        }
        self
    }

    async fn open(&self) -> Result<Socket> {
        let door = Door {
            after: Some(self.heard.last().map_or(0, |heard| heard.id)),
            from: self.guest.address,
            ..Door::new(&self.stage.urls[self.at], &self.stage.room, &self.token)
        };
        Ok(door.open().await?)
    }

    async fn converse(&mut self, mut socket: Socket, beat: &mut tokio::time::Interval) -> Result<()> {
        let mut again = interval_at(tokio::time::Instant::now() + AGAIN, AGAIN);
        let mut refused: Vec<String> = Vec::new();
        loop {
            tokio::select! {
                frame = socket.next() => {
                    let frame = frame.context("closed")??;
                    let Frame::Text(text) = frame else { continue };
                    let event: Value = serde_json::from_str(text.as_str())?;
                    if is(&event, "hello") {
                        for message in event["history"].as_array().into_iter().flatten() {
                            self.hear(message, false);
                        }
                        let pending: Vec<String> = self.pending.keys().cloned().collect();
                        for id in &pending {
                            self.say(&mut socket, id).await?;
                        }
                    } else if is(&event, "message") {
                        self.hear(&event, true);
                    } else if is(&event, "error") {
                        refused.extend(event["clientId"].as_str().map(str::to_owned));
                    }
                }
                _ = beat.tick() => {
                    if self.stage.is_saying.load(Ordering::Relaxed) {
                        let id = self.think();
                        self.say(&mut socket, &id).await?;
                    }
                }
                _ = again.tick() => {
                    if self.stage.is_over.load(Ordering::Relaxed) {
                        return Ok(());
                    }
                    for id in std::mem::take(&mut refused) {
                        self.say(&mut socket, &id).await?;
                    }
                }
            }
        }
    }

    /// A new message that says who, which and when.
    fn think(&mut self) -> String {
        let key = self.stage.next_key.fetch_add(1, Ordering::Relaxed);
        let text = format!("{key} {} {}", self.home, self.stage.start.elapsed().as_micros());
        let id = format!("k{key}");
        self.pending.insert(id.clone(), text);
        id
    }

    async fn say(&self, socket: &mut Socket, client_id: &str) -> Result<()> {
        if let Some(text) = self.pending.get(client_id) {
            let message = json!({ "type": "say", "text": text, "clientId": client_id });
            socket.send(Frame::text(message.to_string())).await?;
        }
        Ok(())
    }

    fn hear(&mut self, message: &Value, is_live: bool) {
        let now = self.stage.start.elapsed();
        let text = message["text"].as_str().unwrap_or_default();
        let mut words = text.split(' ').map(|word| word.parse::<u64>().unwrap_or_default());
        let mut word = || words.next().unwrap_or_default();
        let (key, from, said_at) = (word(), word(), Duration::from_micros(word()));
        let heard = Heard {
            id: message["id"].as_i64().unwrap_or_default(),
            key: u32::try_from(key).unwrap_or_default(),
            from: usize::try_from(from).unwrap_or_default(),
            seconds: now.saturating_sub(said_at).as_secs_f64(),
            is_live,
        };
        self.pending.remove(&format!("k{key}"));
        self.heard.push(heard);
        self.count.store(self.heard.len(), Ordering::Relaxed);
    }
}
