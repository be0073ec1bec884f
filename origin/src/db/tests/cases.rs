use common::{
    auth::{Role, VIEWER_TOKEN_LIFE, ViewerClaims, revocations::revoke},
    chat::record::{BanOrder, Doer},
    id::{Msn, RoomSlug},
    time::UnixMillis,
    wire::control::RevokedSubject,
};

use super::super::{
    Access, BannedLink, Database, DbError, Invite, Message, NewInvite, NewRelay, NewRoom, Relay, Room, RoomChange,
    rooms::StoredKey,
};

pub(super) const NOW: UnixMillis = UnixMillis(1_795_341_600_000);

pub(super) fn later(ms: i64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

pub(super) fn slug(text: &str) -> RoomSlug {
    text.parse().unwrap()
}

fn key(byte: u8) -> StoredKey {
    StoredKey {
        hash: [byte; 32],
        sealed: vec![byte, 0, 255],
    }
}

fn new_room(name: &str, key_byte: u8) -> NewRoom {
    NewRoom {
        slug: slug(name),
        name: format!("Room {name} 🎬"),
        access: Access::Invite,
        listed: true,
        key: key(key_byte),
    }
}

pub(super) async fn make_room(db: &Database, name: &str, key_byte: u8) -> Room {
    db.create_room(&new_room(name, key_byte), NOW).await.unwrap()
}

pub(super) fn new_invite(id: &str, room: &str) -> NewInvite {
    NewInvite {
        id: id.into(),
        room: slug(room),
        label: Some("friends".into()),
        role: Role::Moderator,
        not_before: None,
        expires_at: later(86_400_000),
        max_seats: Some(3),
        relays: Some(vec!["r1".into(), "r2".into()]),
    }
}

fn viewer(id: &str, invite: &str, room: &str) -> ViewerClaims {
    ViewerClaims {
        viewer_id: id.into(),
        invite_id: Some(invite.into()),
        room: slug(room),
        role: Role::Viewer,
        nickname: "Ada".into(),
        relays: None,
        issued_at: NOW,
        expires_at: later(600_000),
    }
}

pub(super) fn ban(room: &str, viewer_id: &str) -> BanOrder {
    BanOrder {
        room: slug(room),
        at: NOW,
        viewer_id: viewer_id.into(),
        nickname: format!("Name of {viewer_id}"),
        invite_id: None,
        address: None,
        by: Doer {
            viewer_id: Some("m1".into()),
            nickname: "Mo".into(),
            role: Role::Moderator,
        },
        reason: Some("rude".into()),
    }
}

pub(super) async fn a_room_reads_back_as_it_was_made(db: &Database) {
    let made = make_room(db, "cinema", 1).await;
    let expected = Room {
        slug: slug("cinema"),
        name: "Room cinema 🎬".into(),
        access: Access::Invite,
        listed: true,
        locked: false,
        slow_mode_seconds: 0,
        sealed_key: vec![1, 0, 255],
        created_at: NOW,
    };
    assert_eq!(made, expected);
    assert_eq!(db.room(&slug("cinema")).await.unwrap(), Some(expected.clone()));
    assert_eq!(db.rooms().await.unwrap(), [expected]);
    assert_eq!(db.room(&slug("other")).await.unwrap(), None);
    assert_eq!(db.room_by_key_hash(&[1; 32]).await.unwrap(), Some(slug("cinema")));
    assert_eq!(db.room_by_key_hash(&[2; 32]).await.unwrap(), None);
    assert_eq!(db.key_hashes().await.unwrap(), [(slug("cinema"), [1; 32])]);
}

pub(super) async fn a_slug_and_a_key_serve_one_room(db: &Database) {
    make_room(db, "cinema", 1).await;
    for room in [new_room("cinema", 2), new_room("other", 1)] {
        assert!(matches!(db.create_room(&room, NOW).await, Err(DbError::Taken)));
    }
    assert_eq!(db.rooms().await.unwrap().len(), 1);
}

pub(super) async fn a_change_touches_only_what_it_names(db: &Database) {
    let before = make_room(db, "cinema", 1).await;
    let change = RoomChange {
        locked: Some(true),
        slow_mode_seconds: Some(30),
        ..RoomChange::default()
    };
    let (after, _) = db.change_room(&slug("cinema"), &change).await.unwrap().unwrap();
    assert_eq!(
        after,
        Room {
            locked: true,
            slow_mode_seconds: 30,
            ..before
        }
    );
    let change = RoomChange {
        name: Some("Kino".into()),
        access: Some(Access::Open),
        listed: Some(false),
        locked: Some(false),
        ..RoomChange::default()
    };
    let (after, _) = db.change_room(&slug("cinema"), &change).await.unwrap().unwrap();
    assert_eq!(
        (after.name.as_str(), after.access, after.listed),
        ("Kino", Access::Open, false)
    );
    assert_eq!((after.locked, after.slow_mode_seconds), (false, 30));
    assert_eq!(db.change_room(&slug("other"), &change).await.unwrap(), None);
}

pub(super) async fn a_new_stream_key_replaces_the_old_one(db: &Database) {
    make_room(db, "cinema", 1).await;
    let room = db.replace_stream_key(&slug("cinema"), &key(9)).await.unwrap().unwrap();
    assert_eq!(room.sealed_key, [9, 0, 255]);
    assert_eq!(db.room_by_key_hash(&[1; 32]).await.unwrap(), None);
    assert_eq!(db.room_by_key_hash(&[9; 32]).await.unwrap(), Some(slug("cinema")));
    assert!(db.key_hashes().await.unwrap().contains(&(slug("cinema"), [9; 32])));
    assert_eq!(db.replace_stream_key(&slug("other"), &key(8)).await.unwrap(), None);
}

pub(super) async fn media_sequence_numbers_never_go_back(db: &Database) {
    make_room(db, "cinema", 1).await;
    let cinema = slug("cinema");
    assert_eq!(db.reserved_msn(&cinema).await.unwrap(), Some(Msn(0)));
    assert_eq!(db.reserve_msn(&cinema, Msn(1000)).await.unwrap(), Some(Msn(1000)));
    assert_eq!(db.reserve_msn(&cinema, Msn(400)).await.unwrap(), Some(Msn(1000)));
    assert_eq!(db.reserved_msn(&cinema).await.unwrap(), Some(Msn(1000)));
    assert_eq!(db.reserve_msn(&slug("other"), Msn(1)).await.unwrap(), None);
    assert!(db.reserve_msn(&cinema, Msn(u64::MAX)).await.is_err());
}

pub(super) async fn what_a_room_learnt_is_kept_as_it_was_last(db: &Database) {
    make_room(db, "cinema", 1).await;
    let cinema = slug("cinema");
    assert_eq!(db.publisher_memory(&cinema).await.unwrap(), None);
    for memory in ["{}", r#"{"gop":2}"#] {
        db.keep_publisher_memory(&cinema, memory).await.unwrap();
        assert_eq!(db.publisher_memory(&cinema).await.unwrap().as_deref(), Some(memory));
    }
    let other = slug("other");
    db.keep_publisher_memory(&other, "{}").await.unwrap();
    assert_eq!(db.publisher_memory(&other).await.unwrap(), None);
}

pub(super) async fn a_room_is_open_as_long_as_was_told_last(db: &Database) {
    for (number, name) in ["cinema", "games"].into_iter().enumerate() {
        make_room(db, name, u8::try_from(number + 1).unwrap()).await;
    }
    let cinema = slug("cinema");
    let later = |ms| UnixMillis(NOW.0 + ms);
    assert_eq!(db.open_rooms(NOW).await.unwrap(), []);
    for until in [later(10_000), later(90_000)] {
        db.keep_open_until(&cinema, Some(until)).await.unwrap();
        assert_eq!(db.open_rooms(NOW).await.unwrap(), [(cinema.clone(), until)]);
    }
    assert_eq!(db.open_rooms(later(90_000)).await.unwrap(), []);
    db.keep_open_until(&cinema, None).await.unwrap();
    db.keep_open_until(&slug("other"), Some(later(90_000))).await.unwrap();
    assert_eq!(db.open_rooms(NOW).await.unwrap(), []);
}

pub(super) async fn deleting_a_room_takes_all_that_is_of_it_and_revokes_it(db: &Database) {
    make_room(db, "cinema", 1).await;
    db.create_invite(&new_invite("i1", "cinema"), NOW).await.unwrap();
    db.add_messages(&slug("cinema"), &[message(1)]).await.unwrap();
    db.ban(&ban("cinema", "v9"), None, NOW).await.unwrap();

    let revocation = db.delete_room(&slug("cinema"), NOW).await.unwrap().unwrap();
    assert_eq!(revocation.until, later(VIEWER_TOKEN_LIFE.as_millis() as i64));
    assert_eq!(db.invite("i1").await.unwrap(), None);
    let revocations = db.revocations(NOW).await.unwrap();
    assert!(revocations.is_revoked(&viewer("v1", "i1", "cinema"), NOW));
    assert_eq!(db.delete_room(&slug("cinema"), NOW).await.unwrap(), None);

    make_room(db, "cinema", 2).await;
    assert_eq!(db.messages(&slug("cinema"), None, 10).await.unwrap(), []);
    assert!(!db.is_banned(&slug("cinema"), "v9").await.unwrap());
}

pub(super) async fn an_invite_reads_back_as_it_was_made(db: &Database) {
    make_room(db, "cinema", 1).await;
    let made = db
        .create_invite(&new_invite("i1", "cinema"), NOW)
        .await
        .unwrap()
        .unwrap();
    let expected = Invite {
        id: "i1".into(),
        room: slug("cinema"),
        label: Some("friends".into()),
        role: Role::Moderator,
        created_at: NOW,
        not_before: None,
        expires_at: later(86_400_000),
        max_seats: Some(3),
        relays: Some(vec!["r1".into(), "r2".into()]),
        revoked_at: None,
    };
    assert_eq!(made, expected);
    let bare = NewInvite {
        label: None,
        not_before: Some(later(5)),
        max_seats: None,
        relays: None,
        ..new_invite("i2", "cinema")
    };
    let bare = db.create_invite(&bare, later(1)).await.unwrap().unwrap();
    assert_eq!(
        (&bare.label, bare.not_before, bare.max_seats),
        (&None, Some(later(5)), None)
    );
    assert_eq!(bare.relays, None);
    assert_eq!(db.invites(&slug("cinema")).await.unwrap(), [expected, bare]);
    assert_eq!(db.create_invite(&new_invite("i3", "other"), NOW).await.unwrap(), None);
}

pub(super) async fn revoking_an_invite_twice_keeps_the_first_time(db: &Database) {
    make_room(db, "cinema", 1).await;
    db.create_invite(&new_invite("i1", "cinema"), NOW).await.unwrap();
    assert!(db.revoke_invite("i1", later(1)).await.unwrap().is_some());
    assert!(db.revoke_invite("i1", later(2)).await.unwrap().is_some());
    assert_eq!(db.invite("i1").await.unwrap().unwrap().revoked_at, Some(later(1)));
    assert_eq!(db.revoke_invite("i2", NOW).await.unwrap(), None);
    let revocations = db.revocations(later(2)).await.unwrap();
    assert!(revocations.is_invite_revoked("i1", later(2)) && !revocations.is_invite_revoked("i2", later(2)));
}

pub(super) async fn a_ban_holds_for_one_room(db: &Database) {
    make_room(db, "cinema", 1).await;
    make_room(db, "games", 2).await;
    let outcome = db.ban(&ban("cinema", "v1"), None, NOW).await.unwrap();
    assert_eq!(outcome.link, BannedLink::None);
    assert_eq!(outcome.revocations, [revoke(RevokedSubject::Viewer("v1".into()), NOW)]);
    assert!(db.is_banned(&slug("cinema"), "v1").await.unwrap());
    assert!(!db.is_banned(&slug("games"), "v1").await.unwrap());
    db.ban(&ban("other", "v1"), None, NOW).await.unwrap();
    assert!(!db.is_banned(&slug("other"), "v1").await.unwrap());
    let revocations = db.revocations(NOW).await.unwrap();
    assert!(revocations.is_viewer_revoked("v1", NOW));
}

pub(super) async fn revocations_outlive_the_program_until_they_are_over(db: &Database) {
    make_room(db, "cinema", 1).await;
    db.create_invite(&new_invite("i1", "cinema"), NOW).await.unwrap();
    db.revoke_invite("i1", NOW).await.unwrap();
    let life = VIEWER_TOKEN_LIFE.as_millis() as i64;
    let claims = viewer("v1", "i1", "cinema");
    assert!(
        db.revocations(later(life))
            .await
            .unwrap()
            .is_revoked(&claims, later(life))
    );
    assert_eq!(db.revocations(later(life + 30_001)).await.unwrap().entries().count(), 0);
}

fn new_relay(id: &str, name: &str, secret: u8) -> NewRelay {
    NewRelay {
        id: id.into(),
        name: name.into(),
        region: Some("eu".into()),
        secret_hash: [secret; 32],
        secret_expires_at: later(1000),
    }
}

pub(super) async fn a_join_secret_serves_once_and_in_time(db: &Database) {
    db.create_relay(&new_relay("r1", "paris", 1), NOW).await.unwrap();
    db.create_relay(&new_relay("r2", "lyon", 2), NOW).await.unwrap();
    assert!(matches!(
        db.create_relay(&new_relay("r3", "paris", 3), NOW).await,
        Err(DbError::Taken)
    ));
    assert_eq!(db.enrolled_relay("r1").await.unwrap(), None);
    assert_eq!(db.redeem_relay_secret(&[9; 32], NOW).await.unwrap(), None);
    let (first, second) = tokio::join!(
        db.redeem_relay_secret(&[1; 32], later(999)),
        db.redeem_relay_secret(&[1; 32], later(999))
    );
    let winners: Vec<Relay> = [first.unwrap(), second.unwrap()].into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(
        (winners[0].id.as_str(), winners[0].enrolled_at),
        ("r1", Some(later(999)))
    );
    assert_eq!(db.enrolled_relay("r1").await.unwrap().unwrap().name, "paris");
    assert_eq!(db.redeem_relay_secret(&[2; 32], later(1000)).await.unwrap(), None);
}

pub(super) async fn a_removed_relay_may_not_come_back(db: &Database) {
    db.create_relay(&new_relay("r1", "paris", 1), NOW).await.unwrap();
    db.redeem_relay_secret(&[1; 32], NOW).await.unwrap();
    assert!(db.delete_relay("r1").await.unwrap());
    assert!(!db.delete_relay("r1").await.unwrap());
    assert_eq!(db.enrolled_relay("r1").await.unwrap(), None);
    assert_eq!(db.redeem_relay_secret(&[1; 32], NOW).await.unwrap(), None);
}

pub(super) async fn a_relay_is_remembered_by_what_it_said_last(db: &Database) {
    db.create_relay(&new_relay("r1", "paris", 1), NOW).await.unwrap();
    db.relay_seen("r1", later(7), "relay/0.1", "https://paris.example")
        .await
        .unwrap();
    db.relay_seen("r2", later(7), "relay/0.1", "").await.unwrap();
    let relays = db.relays().await.unwrap();
    assert_eq!(relays.len(), 1);
    assert_eq!(relays[0].last_seen_at, Some(later(7)));
    assert_eq!(relays[0].url.as_deref(), Some("https://paris.example"));
    assert_eq!(relays[0].version.as_deref(), Some("relay/0.1"));
}

fn message(id: i64) -> Message {
    Message {
        id,
        viewer_id: "v1".into(),
        nickname: "Zoë".into(),
        role: Role::Host,
        text: format!("number {id} 🎉"),
        sent_at: later(id),
        media_time: (id % 2 == 0).then(|| later(id - 1)),
        reply_to: (id > 1).then(|| id - 1),
    }
}

pub(super) async fn messages_come_in_pages_oldest_first(db: &Database) {
    make_room(db, "cinema", 1).await;
    make_room(db, "games", 2).await;
    let cinema = slug("cinema");
    let all: Vec<Message> = (1..=5).map(message).collect();
    db.add_messages(&cinema, &all).await.unwrap();
    db.add_messages(&slug("games"), &[message(1)]).await.unwrap();
    assert_eq!(db.messages(&cinema, None, 2).await.unwrap(), all[3..]);
    assert_eq!(db.messages(&cinema, Some(4), 2).await.unwrap(), all[1..3]);
    assert_eq!(db.messages(&cinema, None, 50).await.unwrap(), all);
    assert_eq!(db.messages(&cinema, Some(1), 50).await.unwrap(), []);
}

pub(super) async fn messages_are_kept_all_or_none(db: &Database) {
    make_room(db, "cinema", 1).await;
    let cinema = slug("cinema");
    db.add_messages(&cinema, &[message(1)]).await.unwrap();
    let outcome = db.add_messages(&cinema, &[message(2), message(1)]).await;
    assert!(matches!(outcome, Err(DbError::Taken)), "{outcome:?}");
    assert_eq!(db.messages(&cinema, None, 50).await.unwrap(), [message(1)]);
}

pub(super) async fn a_sign_in_link_serves_once_and_in_time(db: &Database) {
    db.add_sign_in_link(&[1; 32], later(1000), NOW).await.unwrap();
    db.add_sign_in_link(&[2; 32], later(1000), NOW).await.unwrap();
    let (first, second) = tokio::join!(
        db.use_sign_in_link(&[1; 32], later(999)),
        db.use_sign_in_link(&[1; 32], later(999))
    );
    assert!(first.unwrap() != second.unwrap());
    assert!(!db.use_sign_in_link(&[2; 32], later(1000)).await.unwrap());
    assert!(!db.use_sign_in_link(&[3; 32], NOW).await.unwrap());
}

pub(super) async fn a_session_ends_by_time_and_by_sign_out(db: &Database) {
    db.add_session(&[1; 32], later(1000), NOW).await.unwrap();
    db.add_session(&[2; 32], later(1000), NOW).await.unwrap();
    assert_eq!(db.session(&[1; 32], later(999)).await.unwrap(), Some(later(1000)));
    assert_eq!(db.session(&[1; 32], later(1000)).await.unwrap(), None);
    db.end_session(&[1; 32]).await.unwrap();
    db.end_session(&[1; 32]).await.unwrap();
    assert_eq!(db.session(&[1; 32], NOW).await.unwrap(), None);
    assert!(db.session(&[2; 32], NOW).await.unwrap().is_some());
}

pub(super) async fn only_the_first_start_is_the_first(db: &Database) {
    assert!(db.is_first_start(NOW).await.unwrap());
    assert!(!db.is_first_start(later(1)).await.unwrap());
}

pub(super) async fn writers_at_once_wait_for_each_other(db: &Database) {
    make_room(db, "cinema", 1).await;
    let writes = (1..=40).map(|number| {
        let db = db.clone();
        tokio::spawn(async move {
            db.reserve_msn(&slug("cinema"), Msn(number)).await.unwrap();
            db.add_messages(&slug("cinema"), &[message(number as i64)])
                .await
                .unwrap();
        })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap();
    }
    assert_eq!(db.reserved_msn(&slug("cinema")).await.unwrap(), Some(Msn(40)));
    assert_eq!(db.messages(&slug("cinema"), None, 100).await.unwrap().len(), 40);
}
