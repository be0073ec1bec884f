//! Cases of bans, visits, the audit log, settings of chats, emotes, and messages as a whole.

use common::{
    auth::{Role, revocations::revoke},
    chat::{
        record::{AuditAction, AuditEntry, BanOrder, Doer, Record, Target},
        room::LinkPolicy,
    },
    wire::{chat::ChatMessage, control::RevokedSubject},
};

use super::{
    super::{BannedLink, ChatRow, Database, DbError, Kept, NewEmote, RoomChange, Visit},
    cases::{NOW, ban, later, make_room, new_invite, slug},
};

const DAY: i64 = 24 * 3600 * 1000;

/// `cinema` with an invite `i1`, and viewers of it that came now.
async fn cinema(db: &Database, viewers: &[(&str, &str)]) {
    make_room(db, "cinema", 1).await;
    db.create_invite(&new_invite("i1", "cinema"), NOW).await.unwrap();
    for (viewer_id, address) in viewers {
        come(db, viewer_id, address, 0).await;
    }
}

fn visit(viewer_id: &str, address: &str) -> Visit {
    Visit {
        room: slug("cinema"),
        viewer_id: viewer_id.into(),
        invite_id: Some("i1".into()),
        address: address.into(),
        nickname: viewer_id.to_uppercase(),
        role: Role::Viewer,
    }
}

async fn come(db: &Database, viewer_id: &str, address: &str, after: i64) {
    db.keep_visit(&visit(viewer_id, address), later(after)).await.unwrap();
}

async fn refuses(db: &Database, invite: Option<&str>, address: &str) -> bool {
    db.may_be_banned(&slug("cinema"), invite, address).await.unwrap()
}

pub(super) async fn a_ban_revokes_the_invite_that_nobody_else_uses(db: &Database) {
    cinema(db, &[("v1", "192.0.2.1")]).await;
    let outcome = db.ban(&ban("cinema", "v1"), None, NOW).await.unwrap();
    assert_eq!(outcome.link, BannedLink::Revoked);
    let invite = revoke(RevokedSubject::Invite("i1".into()), NOW);
    assert_eq!(outcome.revocations[1..], [invite]);
    assert!(db.invite("i1").await.unwrap().unwrap().revoked_at.is_some());
    assert!(db.revocations(NOW).await.unwrap().is_invite_revoked("i1", NOW));
    let bans = db.bans(&slug("cinema")).await.unwrap();
    assert_eq!(bans.len(), 1);
    assert_eq!(
        (
            &*bans[0].nickname,
            &*bans[0].banned_by,
            bans[0].reason.as_deref(),
            bans[0].banned_at
        ),
        ("Name of v1", "Mo", Some("rude"), NOW)
    );
    assert_eq!(
        db.banned_viewers(&slug("cinema")).await.unwrap(),
        [("v1".to_owned(), Role::Viewer)]
    );
}

pub(super) async fn a_ban_leaves_a_shared_invite_and_refuses_newcomers_from_its_address(db: &Database) {
    cinema(db, &[("v1", "192.0.2.1"), ("v2", "192.0.2.2")]).await;
    let order = BanOrder {
        invite_id: Some("i1".into()),
        ..ban("cinema", "v1")
    };
    let outcome = db.ban(&order, Some("192.0.2.9".into()), NOW).await.unwrap();
    assert_eq!(outcome.link, BannedLink::Shared { others: 1 });
    assert_eq!(outcome.revocations.len(), 1);
    assert_eq!(db.invite("i1").await.unwrap().unwrap().revoked_at, None);
    assert!(refuses(db, Some("i1"), "192.0.2.9").await);
    assert!(!refuses(db, Some("i1"), "192.0.2.1").await);
    assert!(!refuses(db, Some("i2"), "192.0.2.9").await);
    assert!(!db.may_be_banned(&slug("other"), Some("i1"), "192.0.2.9").await.unwrap());
}

pub(super) async fn who_came_long_ago_or_is_banned_does_not_share_an_invite(db: &Database) {
    cinema(db, &[("v1", "192.0.2.1"), ("v2", "192.0.2.2")]).await;
    come(db, "v3", "192.0.2.3", -31 * DAY).await;
    let first = db.ban(&ban("cinema", "v2"), None, NOW).await.unwrap();
    assert_eq!(first.link, BannedLink::Shared { others: 1 });
    let second = db.ban(&ban("cinema", "v1"), None, NOW).await.unwrap();
    assert_eq!(second.link, BannedLink::Revoked);
}

pub(super) async fn a_ban_that_is_repeated_does_the_same_again(db: &Database) {
    cinema(db, &[("v1", "192.0.2.1")]).await;
    let first = db.ban(&ban("cinema", "v1"), None, NOW).await.unwrap();
    assert_eq!(db.ban(&ban("cinema", "v1"), None, NOW).await.unwrap(), first);
    assert_eq!(db.bans(&slug("cinema")).await.unwrap().len(), 1);
}

pub(super) async fn a_banned_address_is_refused_at_the_open_door(db: &Database) {
    cinema(db, &[("v1", "192.0.2.1")]).await;
    db.ban(&ban("cinema", "v1"), None, NOW).await.unwrap();
    assert!(refuses(db, None, "192.0.2.1").await);
    assert!(!refuses(db, None, "192.0.2.2").await);
}

pub(super) async fn a_ban_that_is_taken_back_is_gone(db: &Database) {
    cinema(db, &[("v1", "192.0.2.1"), ("v2", "192.0.2.2")]).await;
    db.ban(&ban("cinema", "v1"), None, NOW).await.unwrap();
    assert!(db.unban(&slug("cinema"), "v1").await.unwrap());
    assert!(!db.unban(&slug("cinema"), "v1").await.unwrap());
    assert!(!db.is_banned(&slug("cinema"), "v1").await.unwrap());
    assert!(!refuses(db, Some("i1"), "192.0.2.1").await);
}

pub(super) async fn names_of_staff_are_theirs_until_they_may_not_come_again(db: &Database) {
    cinema(db, &[("v1", "192.0.2.1")]).await;
    db.create_invite(&new_invite("i2", "cinema"), NOW).await.unwrap();
    let staff = [
        ("m1", "i1", Role::Moderator),
        ("h1", "i1", Role::Host),
        ("m2", "i2", Role::Moderator),
    ];
    for (at, (viewer_id, invite, role)) in (1..).zip(staff) {
        let visit = Visit {
            invite_id: Some(invite.into()),
            role,
            ..visit(viewer_id, "192.0.2.7")
        };
        db.keep_visit(&visit, later(at)).await.unwrap();
    }
    let named = |names: &[(&str, &str)]| -> Vec<(String, String)> {
        names.iter().map(|&(name, id)| (name.into(), id.into())).collect()
    };
    let cinema = slug("cinema");
    assert_eq!(
        db.staff_names(&cinema).await.unwrap(),
        named(&[("M2", "m2"), ("H1", "h1"), ("M1", "m1")])
    );
    db.revoke_invite("i2", NOW).await.unwrap();
    db.ban(&ban("cinema", "m1"), None, NOW).await.unwrap();
    let renamed = Visit {
        nickname: "Ada".into(),
        role: Role::Host,
        ..visit("h1", "192.0.2.8")
    };
    db.keep_visit(&renamed, later(9)).await.unwrap();
    assert_eq!(db.staff_names(&cinema).await.unwrap(), named(&[("Ada", "h1")]));
}

pub(super) async fn visits_of_viewers_who_stay_away_are_forgotten(db: &Database) {
    cinema(db, &[("v1", "192.0.2.1")]).await;
    come(db, "v2", "192.0.2.2", 5).await;
    let host = Visit {
        role: Role::Host,
        ..visit("h1", "192.0.2.3")
    };
    db.keep_visit(&host, NOW).await.unwrap();
    assert_eq!(db.forget_visits(later(5)).await.unwrap(), 1);
    assert_eq!(db.staff_names(&slug("cinema")).await.unwrap().len(), 1);
    let outcome = db.ban(&ban("cinema", "v2"), None, later(5)).await.unwrap();
    assert_eq!(outcome.link, BannedLink::Shared { others: 1 });
}

fn audit(at: i64, action: AuditAction) -> AuditEntry {
    AuditEntry {
        at: later(at),
        by: Doer {
            viewer_id: None,
            nickname: "operator".into(),
            role: Role::Host,
        },
        action,
        target: Some(Target {
            viewer_id: "v1".into(),
            nickname: "Ann".into(),
        }),
        detail: Some("60".into()),
        reason: None,
    }
}

async fn keep(db: &Database, records: Vec<Record>) {
    let kept = records.into_iter().map(|record| Kept {
        room: slug("cinema"),
        at: NOW,
        record,
    });
    db.keep(&kept.collect::<Vec<_>>()).await.unwrap();
}

pub(super) async fn audit_comes_in_pages_newest_first(db: &Database) {
    make_room(db, "cinema", 1).await;
    make_room(db, "games", 2).await;
    let entries = [
        audit(1, AuditAction::Timeout),
        audit(2, AuditAction::Ban),
        audit(3, AuditAction::Unban),
    ];
    keep(db, entries.iter().cloned().map(Record::Audit).collect()).await;
    let cinema = slug("cinema");
    let newest = db.audit(&cinema, None, 2).await.unwrap();
    assert_eq!(
        newest.iter().map(|audited| &audited.entry).collect::<Vec<_>>(),
        [&entries[2], &entries[1]]
    );
    let older = db.audit(&cinema, Some(newest[1].id), 50).await.unwrap();
    assert_eq!(older.len(), 1);
    assert_eq!(older[0].entry, entries[0]);
    assert_eq!(db.audit(&slug("games"), None, 50).await.unwrap(), []);
}

pub(super) async fn the_last_timeout_of_a_viewer_counts_until_it_is_over(db: &Database) {
    make_room(db, "cinema", 1).await;
    let timeout = |at: i64, viewer_id: &str, seconds: &str| {
        Record::Audit(AuditEntry {
            target: Some(Target {
                viewer_id: viewer_id.into(),
                nickname: String::new(),
            }),
            detail: Some(seconds.into()),
            ..audit(at, AuditAction::Timeout)
        })
    };
    let records = vec![
        timeout(1000, "lifted", "60"),
        timeout(1001, "over", "8"),
        timeout(2000, "silent", "5"),
        timeout(3000, "silent", "60"),
        timeout(4000, "lifted", "0"),
    ];
    keep(db, records).await;
    let silenced = db.silenced_viewers(&slug("cinema"), later(9001)).await.unwrap();
    assert_eq!(silenced, [("silent".to_owned(), later(63_000))]);
}

pub(super) async fn what_was_said_long_ago_stands_no_longer_in_the_audit_log(db: &Database) {
    make_room(db, "cinema", 1).await;
    let entries = [
        audit(1, AuditAction::Delete),
        audit(2, AuditAction::Pin),
        audit(3, AuditAction::Timeout),
        audit(9, AuditAction::Delete),
    ];
    keep(db, entries.iter().cloned().map(Record::Audit).collect()).await;
    let cinema = slug("cinema");
    db.forget_audited_texts(&cinema, later(9)).await.unwrap();
    let left = db.audit(&cinema, None, 50).await.unwrap();
    let details: Vec<bool> = left.iter().map(|audited| audited.entry.detail.is_some()).collect();
    assert_eq!(details, [true, true, false, false]);
}

pub(super) async fn the_role_of_who_was_banned_is_remembered(db: &Database) {
    cinema(db, &[("v1", "192.0.2.1")]).await;
    let host = Visit {
        role: Role::Host,
        ..visit("h1", "192.0.2.3")
    };
    db.keep_visit(&host, NOW).await.unwrap();
    for viewer_id in ["v1", "h1", "never seen"] {
        db.ban(&ban("cinema", viewer_id), None, NOW).await.unwrap();
    }
    let cinema = slug("cinema");
    let roles = [("h1", Role::Host), ("never seen", Role::Viewer), ("v1", Role::Viewer)];
    let expected = roles.map(|(viewer_id, role)| (viewer_id.to_owned(), role));
    assert_eq!(db.banned_viewers(&cinema).await.unwrap(), expected);
    assert_eq!(db.ban_of(&cinema, "h1").await.unwrap().unwrap().role, Role::Host);
    assert_eq!(db.ban_of(&cinema, "h2").await.unwrap(), None);
}

pub(super) async fn a_second_device_does_not_share_an_invite(db: &Database) {
    cinema(db, &[("v1", "192.0.2.1"), ("v2", "192.0.2.1"), ("v3", "192.0.2.9")]).await;
    let outcome = db
        .ban(&ban("cinema", "v1"), Some("192.0.2.9".into()), NOW)
        .await
        .unwrap();
    assert_eq!(outcome.link, BannedLink::Revoked);
}

pub(super) async fn chat_settings_read_back_as_they_were_set(db: &Database) {
    let made = make_room(db, "cinema", 1).await;
    let cinema = slug("cinema");
    let (room, chat) = db.chat_settings(&cinema).await.unwrap().unwrap();
    assert_eq!((room, chat), (made, ChatRow::default()));
    let change = RoomChange {
        links: Some(LinkPolicy::Moderators),
        blocked_words: Some(vec!["spam".into(), "ça \"va\"".into()]),
        retention_days: Some(Some(30)),
        ..RoomChange::default()
    };
    let changed = db.change_room(&cinema, &change).await.unwrap().unwrap();
    let expected = ChatRow {
        links: LinkPolicy::Moderators,
        blocked_words: vec!["spam".into(), "ça \"va\"".into()],
        retention_days: Some(30),
        ..ChatRow::default()
    };
    assert_eq!(changed.1, expected);
    let untouched = db.change_room(&cinema, &RoomChange::default()).await.unwrap();
    assert_eq!(untouched.unwrap(), changed);
    let forever = RoomChange {
        retention_days: Some(None),
        ..RoomChange::default()
    };
    let (_, chat) = db.change_room(&cinema, &forever).await.unwrap().unwrap();
    assert_eq!(chat.retention_days, None);
    assert_eq!(db.rooms_with_chat().await.unwrap().len(), 1);
    assert_eq!(db.chat_settings(&slug("other")).await.unwrap(), None);
}

pub(super) async fn emotes_are_kept_by_name_and_found_by_file(db: &Database) {
    make_room(db, "cinema", 1).await;
    let cinema = slug("cinema");
    let new = |name: &str, file: &str| NewEmote {
        name: name.into(),
        file: file.into(),
        image: vec![0, 1, 255],
        width: 128,
        height: 96,
    };
    let made = db
        .add_emote(&cinema, &new("wave", "aa.png"), 2, NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (&*made.name, &*made.file, made.width, made.height, made.created_at),
        ("wave", "aa.png", 128, 96, NOW)
    );
    let again = db.add_emote(&cinema, &new("wave", "bb.png"), 2, NOW).await;
    assert!(matches!(again, Err(DbError::Taken)), "{again:?}");
    db.add_emote(&cinema, &new("nod", "aa.png"), 2, NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        db.add_emote(&cinema, &new("third", "cc.png"), 2, NOW).await.unwrap(),
        None
    );
    assert_eq!(
        db.add_emote(&slug("other"), &new("wave", "aa.png"), 2, NOW)
            .await
            .unwrap(),
        None
    );
    let names: Vec<String> = db
        .emotes(&cinema)
        .await
        .unwrap()
        .into_iter()
        .map(|emote| emote.name)
        .collect();
    assert_eq!(names, ["nod", "wave"]);
    assert!(db.delete_emote(&cinema, "wave").await.unwrap());
    assert!(!db.delete_emote(&cinema, "wave").await.unwrap());
    assert_eq!(db.emote_image(&cinema, "aa.png").await.unwrap(), Some(vec![0, 1, 255]));
    assert_eq!(db.emote_image(&cinema, "bb.png").await.unwrap(), None);
}

fn message(id: i64) -> Record {
    Record::Message(ChatMessage {
        id,
        viewer_id: "v1".into(),
        nickname: "Zoë".into(),
        role: Role::Viewer,
        text: format!("message {id}"),
        sent_at: later(id),
        media_time: None,
        reply_to: None,
        mentions: Vec::new(),
        client_id: String::new(),
    })
}

pub(super) async fn old_messages_are_forgotten_in_batches(db: &Database) {
    make_room(db, "cinema", 1).await;
    make_room(db, "games", 2).await;
    let cinema = slug("cinema");
    keep(db, (1..=5).map(message).collect()).await;
    assert_eq!(db.delete_messages_before(&slug("games"), later(9), 2).await.unwrap(), 0);
    assert_eq!(db.delete_messages_before(&cinema, later(4), 2).await.unwrap(), 2);
    assert_eq!(db.delete_messages_before(&cinema, later(4), 2).await.unwrap(), 1);
    let left = db.messages(&cinema, None, 50).await.unwrap();
    assert_eq!(left.iter().map(|message| message.id).collect::<Vec<_>>(), [4, 5]);
}

pub(super) async fn a_whole_chat_is_read_in_pages_without_what_was_deleted(db: &Database) {
    make_room(db, "cinema", 1).await;
    let mut records: Vec<Record> = (1..=5).map(message).collect();
    records.push(Record::Deleted { message_id: 2 });
    keep(db, records).await;
    let ids = async |after, limit| {
        let page = db.messages_after(&slug("cinema"), after, limit).await.unwrap();
        page.into_iter().map(|message| message.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(0, 3).await, [1, 3, 4]);
    assert_eq!(ids(4, 3).await, [5]);
}
