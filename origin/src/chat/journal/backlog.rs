//! What waits for the database: bounded, counted by room, and what hosts are told of it. Pure.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use common::{
    chat::record::Record,
    id::RoomSlug,
    time::{Monotonic, UnixMillis},
    wire::chat::Notice,
};

use crate::db::Kept;

/// Records that wait. When one more comes, the oldest message is dropped, if only the one that came; without any, the oldest of the
/// others.
pub(super) const MAX_WAITING: usize = 10_000;
/// Most records of a batch.
pub(super) const MAX_BATCH: usize = 200;
/// The database fails when it took nothing for so long.
const FAILS_AFTER: Duration = Duration::from_secs(2);
/// How often hosts are told that it still does.
const TELL_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: VecDeque<Waiting>,
    next_number: u64,
    /// So many at the front are being written.
    in_flight: usize,
    /// Records that the database refused are found by writing one at a time.
    one_by_one: usize,
    /// Since when the database is tried in vain.
    failing_since: Option<Monotonic>,
    outage: Option<Outage>,
    dropped: u64,
    /// When the last act of a moderator was done.
    last_act: UnixMillis,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    kept: Kept,
}

/// From when the database fails until all that came before it worked again is written.
#[derive(Debug, Default)]
struct Outage {
    told_at: Option<Monotonic>,
    /// It works again: what has a smaller number is of the outage.
    over_at: Option<u64>,
    rooms: BTreeMap<RoomSlug, Counts>,
}

/// Messages of a room. Other records are few, and dropped last.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    kept: u64,
    dropped: u64,
    /// At the end, too.
    is_told: bool,
}

/// How much waits and was lost, of all kinds of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) waiting: u64,
    /// Since the database failed, or in the last outage.
    pub(super) dropped: u64,
    pub(super) is_failing: bool,
}

impl Backlog {
    pub(super) fn push(&mut self, mut kept: Kept) {
        if let Record::Audit(entry) = &mut kept.record {
            // The database tells an act that is written again from one that is done again by its time.
            entry.at = entry.at.max(UnixMillis(self.last_act.0.saturating_add(1)));
            self.last_act = entry.at;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.waiting.push_back(Waiting { number, kept });
        if self.waiting.len() > MAX_WAITING {
            self.drop_one();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn totals(&self) -> Totals {
        Totals {
            waiting: self.waiting.len() as u64,
            dropped: self.dropped,
            is_failing: self.outage.as_ref().is_some_and(|outage| outage.over_at.is_none()),
        }
    }

    /// What to write next; [`Backlog::written`], [`Backlog::refused`] or [`Backlog::failed`] has to follow.
    pub(super) fn batch(&mut self, now: Monotonic) -> Vec<Kept> {
        let most = if self.one_by_one > 0 { 1 } else { MAX_BATCH };
        self.in_flight = self.waiting.len().min(most);
        if self.in_flight > 0 {
            self.failing_since.get_or_insert(now);
        }
        let batch = self.waiting.iter().take(self.in_flight);
        batch.map(|waiting| waiting.kept.clone()).collect()
    }

    pub(super) fn written(&mut self) -> Vec<(RoomSlug, Notice)> {
        self.works();
        for waiting in self.waiting.drain(..std::mem::take(&mut self.in_flight)) {
            if let Some(outage) = &mut self.outage {
                outage.kept(&waiting);
            }
        }
        self.one_by_one = self.one_by_one.saturating_sub(1);
        self.caught_up()
    }

    /// The database works, and does not take something of the batch. True: that one was dropped; and what hosts are told of it.
    pub(super) fn refused(&mut self) -> (bool, Vec<(RoomSlug, Notice)>) {
        self.works();
        let tried = std::mem::take(&mut self.in_flight);
        if tried > 1 {
            self.one_by_one = tried;
            return (false, Vec::new());
        }
        self.one_by_one = self.one_by_one.saturating_sub(1);
        self.drop_at(0);
        (true, self.caught_up())
    }

    pub(super) fn failed(&mut self) {
        self.in_flight = 0;
    }

    /// What hosts have to be told by now.
    pub(super) fn notices(&mut self, now: Monotonic) -> Vec<(RoomSlug, Notice)> {
        // Hosts hear at once of an outage in which something was lost already.
        let is_over = self.outage.as_ref().is_some_and(|outage| outage.over_at.is_some());
        let waits = if self.outage.is_some() && !is_over {
            Duration::ZERO
        } else {
            FAILS_AFTER
        };
        let Some(since) = self.failing_since.filter(|&since| now.since(since) >= waits) else {
            return Vec::new();
        };
        if let Some(outage) = &self.outage
            && outage.over_at.is_none()
            && outage.told_at.is_some_and(|told_at| now.since(told_at) < TELL_EVERY)
        {
            return Vec::new();
        }
        let outage = begun(&mut self.outage, &mut self.dropped);
        if outage.told_at.is_none() {
            tracing::error!(since = since.0.as_secs(), "the database takes nothing of what is said");
        }
        outage.told_at = Some(now);
        outage.over_at = None;
        let mut waiting: BTreeMap<&RoomSlug, u64> = BTreeMap::new();
        for Waiting { kept, .. } in &self.waiting {
            *waiting.entry(&kept.room).or_default() += u64::from(is_message(kept));
        }
        for room in waiting.keys() {
            outage.rooms.entry((*room).clone()).or_default();
        }
        let told = outage.rooms.iter_mut().map(|(room, counts)| {
            counts.is_told = true;
            let notice = Notice::StorageDown {
                waiting: waiting.get(room).copied().unwrap_or_default(),
                dropped: counts.dropped,
            };
            (room.clone(), notice)
        });
        told.collect()
    }

    /// Nothing of the room needs to be kept any more, but what is being written.
    pub(super) fn forget(&mut self, room: &RoomSlug) {
        let (mut index, in_flight) = (0, self.in_flight);
        self.waiting.retain(|waiting| {
            index += 1;
            index <= in_flight || waiting.kept.room != *room
        });
        if let Some(outage) = &mut self.outage {
            outage.rooms.remove(room);
        }
    }

    fn works(&mut self) {
        self.failing_since = None;
        let next = self.next_number;
        if let Some(outage) = &mut self.outage {
            outage.over_at.get_or_insert(next);
        }
    }

    /// Ends the outage when the last of it is written.
    fn caught_up(&mut self) -> Vec<(RoomSlug, Notice)> {
        let oldest = self.waiting.front().map(|waiting| waiting.number);
        let over_at = self.outage.as_ref().and_then(|outage| outage.over_at);
        if over_at.is_none_or(|over_at| oldest.is_some_and(|oldest| oldest < over_at)) {
            return Vec::new();
        }
        let rooms = self.outage.take().map(|outage| outage.rooms).unwrap_or_default();
        let told = rooms.into_iter().filter(|(_, counts)| counts.is_told);
        let back = |(room, counts): (RoomSlug, Counts)| {
            let Counts { kept, dropped, .. } = counts;
            (room, Notice::StorageBack { kept, dropped })
        };
        told.map(back).collect()
    }

    fn drop_one(&mut self) {
        let rank = |record: &Record| match record {
            Record::Message(_) => 0,
            // Few, and ids are never used again.
            Record::IdsReserved { .. } => 2,
            _ => 1,
        };
        let droppable = self.waiting.iter().enumerate().skip(self.in_flight);
        // The first of the smallest rank; messages are nearly all there is, and one stands near the front.
        let mut found: Option<(usize, u8)> = None;
        for (index, waiting) in droppable {
            let rank = rank(&waiting.kept.record);
            if found.is_none_or(|(_, least)| rank < least) {
                found = Some((index, rank));
            }
            if rank == 0 {
                break;
            }
        }
        if let Some((index, _)) = found {
            begun(&mut self.outage, &mut self.dropped);
            self.drop_at(index);
        }
    }

    fn drop_at(&mut self, index: usize) {
        let Some(waiting) = self.waiting.remove(index) else {
            return;
        };
        self.dropped += 1;
        metrics::counter!("streamcircle_chat_dropped_total").increment(1);
        if let Some(outage) = &mut self.outage
            && is_message(&waiting.kept)
        {
            let counts = outage.rooms.entry(waiting.kept.room).or_default();
            counts.dropped += 1;
            counts.is_told = true;
        }
    }
}

impl Outage {
    fn kept(&mut self, waiting: &Waiting) {
        let is_of_it = self.over_at.is_none_or(|over_at| waiting.number < over_at);
        if is_of_it && is_message(&waiting.kept) {
            self.rooms.entry(waiting.kept.room.clone()).or_default().kept += 1;
        }
    }
}

/// The outage that there is, or one that begins.
fn begun<'a>(outage: &'a mut Option<Outage>, dropped: &mut u64) -> &'a mut Outage {
    outage.get_or_insert_with(|| {
        *dropped = 0;
        Outage::default()
    })
}

fn is_message(kept: &Kept) -> bool {
    matches!(kept.record, Record::Message(_))
}
