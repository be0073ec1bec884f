//! The backlog's rules, on virtual time.

use std::time::Duration;

use common::{
    auth::Role,
    chat::record::{AuditAction, AuditEntry, Doer, Record},
    id::RoomSlug,
    time::{Monotonic, UnixMillis},
    wire::chat::{ChatMessage, Notice},
};

use super::backlog::{Backlog, MAX_BATCH, MAX_WAITING};
use crate::db::Kept;

fn room(name: &str) -> RoomSlug {
    name.parse().unwrap()
}

fn at(ms: u64) -> Monotonic {
    Monotonic(Duration::from_millis(ms))
}

fn kept(name: &str, record: Record) -> Kept {
    Kept {
        room: room(name),
        at: UnixMillis(1),
        record,
    }
}

fn message(name: &str, id: i64) -> Kept {
    kept(
        name,
        Record::Message(ChatMessage {
            id,
            viewer_id: "v1".into(),
            nickname: "Ann".into(),
            role: Role::Viewer,
            text: "hi".into(),
            sent_at: UnixMillis(1),
            media_time: None,
            reply_to: None,
            mentions: Vec::new(),
            client_id: String::new(),
        }),
    )
}

fn audit(name: &str) -> Kept {
    kept(
        name,
        Record::Audit(AuditEntry {
            at: UnixMillis(1),
            by: Doer {
                viewer_id: None,
                nickname: "operator".into(),
                role: Role::Host,
            },
            action: AuditAction::Ban,
            target: None,
            detail: None,
            reason: None,
        }),
    )
}

/// The acts among these, and when they were done.
fn acts(kept: &[Kept]) -> Vec<(RoomSlug, i64)> {
    let act = |kept: &Kept| match &kept.record {
        Record::Audit(entry) => Some((kept.room.clone(), entry.at.0)),
        _ => None,
    };
    kept.iter().filter_map(act).collect()
}

/// Writes all that waits.
fn drain(backlog: &mut Backlog, now: Monotonic) -> (Vec<Kept>, Vec<(RoomSlug, Notice)>) {
    let (mut written, mut notices) = (Vec::new(), Vec::new());
    loop {
        let batch = backlog.batch(now);
        if batch.is_empty() {
            return (written, notices);
        }
        written.extend(batch);
        notices.extend(backlog.written());
    }
}

#[test]
fn what_comes_is_written_in_order_in_batches() {
    let mut backlog = Backlog::default();
    let all: Vec<Kept> = (0..450).map(|id| message("cinema", id)).collect();
    for kept in all.clone() {
        backlog.push(kept);
    }
    assert_eq!(backlog.batch(at(0)).len(), MAX_BATCH);
    // It was not learned whether the batch was written: it comes again.
    backlog.failed();
    let (written, notices) = drain(&mut backlog, at(10));
    assert_eq!((written, notices), (all, Vec::new()));
    assert_eq!(backlog.totals().waiting, 0);
}

#[test]
fn hosts_hear_of_an_outage_after_two_seconds_each_five_and_when_all_is_written() {
    let mut backlog = Backlog::default();
    for id in 0..3 {
        backlog.push(message("cinema", id));
    }
    backlog.push(audit("cinema"));
    backlog.push(message("games", 1));
    backlog.batch(at(1000));
    assert_eq!(backlog.notices(at(2999)), []);
    let down = |name: &str, waiting| (room(name), Notice::StorageDown { waiting, dropped: 0 });
    assert_eq!(backlog.notices(at(3000)), [down("cinema", 3), down("games", 1)]);
    assert!(backlog.totals().is_failing);
    backlog.failed();
    backlog.push(message("cinema", 3));
    backlog.batch(at(3500));
    assert_eq!(backlog.notices(at(7999)), []);
    assert_eq!(backlog.notices(at(8000)), [down("cinema", 4), down("games", 1)]);
    backlog.failed();
    let (written, notices) = drain(&mut backlog, at(9000));
    assert_eq!(written.len(), 6);
    let back = |name: &str, kept| (room(name), Notice::StorageBack { kept, dropped: 0 });
    assert_eq!(notices, [back("cinema", 4), back("games", 1)]);
    assert!(!backlog.totals().is_failing);
    // What comes later is no part of it.
    backlog.push(message("cinema", 9));
    assert_eq!(drain(&mut backlog, at(9100)).1, []);
}

#[test]
fn a_slow_moment_is_no_outage() {
    let mut backlog = Backlog::default();
    for second in 0..20 {
        backlog.push(message("cinema", second));
        backlog.batch(at(1000 * second as u64));
        assert_eq!(backlog.notices(at(1000 * second as u64 + 1900)), []);
        assert_eq!(backlog.written(), []);
    }
}

#[test]
fn the_oldest_messages_are_dropped_first_and_counted_and_acts_stay() {
    let mut backlog = Backlog::default();
    backlog.push(audit("cinema"));
    for id in 0..MAX_WAITING as i64 - 1 {
        backlog.push(message("cinema", id));
    }
    backlog.batch(at(0));
    backlog.notices(at(2000));
    backlog.failed();
    for id in 0..50 {
        backlog.push(message("games", id));
    }
    backlog.push(audit("games"));
    assert_eq!(backlog.totals().waiting, MAX_WAITING as u64);
    assert_eq!(backlog.totals().dropped, 51);
    backlog.batch(at(6900));
    let down = Notice::StorageDown {
        waiting: MAX_WAITING as u64 - 1 - 51,
        dropped: 51,
    };
    assert_eq!(backlog.notices(at(7000))[0], (room("cinema"), down));
    backlog.failed();
    let (written, notices) = drain(&mut backlog, at(8000));
    assert_eq!(written[0], audit("cinema"));
    assert_eq!(written[1], message("cinema", 51));
    assert_eq!(acts(&written), [(room("cinema"), 1), (room("games"), 2)]);
    let back = |kept, dropped| Notice::StorageBack { kept, dropped };
    let expected = [
        (room("cinema"), back(MAX_WAITING as u64 - 1 - 51, 51)),
        (room("games"), back(50, 0)),
    ];
    assert_eq!(notices, expected);
}

#[test]
fn acts_are_dropped_when_nothing_else_is_left_and_what_is_being_written_never() {
    let mut backlog = Backlog::default();
    for _ in 0..MAX_WAITING {
        backlog.push(audit("cinema"));
    }
    backlog.batch(at(0));
    backlog.push(kept("cinema", Record::IdsReserved { upto: 5 }));
    backlog.push(message("cinema", 1));
    backlog.push(kept("cinema", Record::Locked { locked: true }));
    backlog.written();
    let (written, _) = drain(&mut backlog, at(1));
    assert_eq!(written.len(), MAX_WAITING - MAX_BATCH);
    let is_act = |kept: &Kept| matches!(kept.record, Record::Audit(_));
    let others: Vec<_> = written.into_iter().filter(|kept| !is_act(kept)).collect();
    let expected = [
        kept("cinema", Record::IdsReserved { upto: 5 }),
        kept("cinema", Record::Locked { locked: true }),
    ];
    assert_eq!(others, expected);
}

#[test]
fn a_record_that_the_database_refuses_is_found_and_the_others_are_written() {
    let mut backlog = Backlog::default();
    for id in 0..10 {
        backlog.push(message("cinema", id));
    }
    let mut written = Vec::new();
    let mut dropped = 0;
    loop {
        let batch = backlog.batch(at(0));
        if batch.is_empty() {
            break;
        }
        if batch.contains(&message("cinema", 4)) {
            dropped += u32::from(backlog.refused().0);
        } else {
            backlog.written();
            written.extend(batch);
        }
    }
    let expected: Vec<_> = (0..10).filter(|id| *id != 4).map(|id| message("cinema", id)).collect();
    assert_eq!((written, dropped), (expected, 1));
    assert_eq!(backlog.totals().dropped, 1);
}

#[test]
fn acts_of_the_same_moment_are_told_apart() {
    let mut backlog = Backlog::default();
    for name in ["cinema", "cinema", "games"] {
        backlog.push(audit(name));
    }
    let (written, _) = drain(&mut backlog, at(0));
    let expected = [(room("cinema"), 1), (room("cinema"), 2), (room("games"), 3)];
    assert_eq!(acts(&written), expected);
}

#[test]
fn an_outage_that_ends_with_a_record_that_is_refused_is_over_for_hosts_too() {
    let mut backlog = Backlog::default();
    backlog.push(message("cinema", 1));
    backlog.batch(at(0));
    assert_eq!(backlog.notices(at(2000)).len(), 1);
    backlog.failed();
    backlog.batch(at(3000));
    let back = Notice::StorageBack { kept: 0, dropped: 1 };
    assert_eq!(backlog.refused(), (true, vec![(room("cinema"), back)]));
    assert!(!backlog.totals().is_failing);
}

#[test]
fn hosts_hear_at_once_of_what_is_lost_before_an_outage_is_declared() {
    let mut backlog = Backlog::default();
    backlog.batch(at(0));
    for id in 0..MAX_WAITING as i64 + 3 {
        backlog.push(message("cinema", id));
        backlog.batch(at(0));
        backlog.failed();
    }
    let waiting = MAX_WAITING as u64;
    let down = Notice::StorageDown { waiting, dropped: 3 };
    assert_eq!(backlog.notices(at(500)), [(room("cinema"), down)]);
    assert_eq!(backlog.totals().dropped, 3);
    let (_, notices) = drain(&mut backlog, at(600));
    let back = Notice::StorageBack {
        kept: waiting,
        dropped: 3,
    };
    assert_eq!(notices, [(room("cinema"), back)]);
}

#[test]
fn a_room_that_is_gone_waits_for_nothing() {
    let mut backlog = Backlog::default();
    for id in 0..3 {
        backlog.push(message("cinema", id));
        backlog.push(message("games", id));
    }
    backlog.batch(at(0));
    backlog.push(message("cinema", 9));
    backlog.forget(&room("cinema"));
    // What is being written is left to it.
    assert_eq!(backlog.totals().waiting, 6);
    backlog.failed();
    backlog.forget(&room("cinema"));
    assert_eq!(backlog.totals().waiting, 3);
}
