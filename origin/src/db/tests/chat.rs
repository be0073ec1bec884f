//! Cases of what chats leave behind.

use common::{
    auth::Role,
    chat::record::{AuditAction, AuditEntry, Doer, Record, Target},
    id::RoomSlug,
    wire::chat::ChatMessage,
};

use super::{
    super::{Database, DbError, Kept},
    cases::{NOW, later, make_room, slug},
};

fn kept(room: &str, record: Record) -> Kept {
    Kept {
        room: slug(room),
        at: later(7),
        record,
    }
}

fn message(id: i64) -> Record {
    Record::Message(ChatMessage {
        id,
        viewer_id: "v1".into(),
        nickname: "Zoë".into(),
        role: Role::Moderator,
        text: format!("message {id} 🎬"),
        sent_at: later(id),
        media_time: Some(later(-id)),
        reply_to: (id > 1).then(|| id - 1),
        mentions: vec!["v2".into()],
        client_id: "c1".into(),
    })
}

fn audit(action: AuditAction, by: Option<&str>) -> Record {
    Record::Audit(AuditEntry {
        at: NOW,
        by: Doer {
            viewer_id: by.map(str::to_owned),
            nickname: "Mo".into(),
            role: Role::Moderator,
        },
        action,
        target: by.map(|_| Target {
            viewer_id: "v2".into(),
            nickname: "Ann".into(),
        }),
        detail: None,
        reason: Some("rude".into()),
    })
}

async fn ids(db: &Database, room: &RoomSlug) -> Vec<i64> {
    let messages = db.messages(room, None, 100).await.unwrap();
    messages.into_iter().map(|message| message.id).collect()
}

async fn count(db: &Database, sql: &'static str) -> Result<i64, DbError> {
    let (count,) = reading!(db, |connection| {
        sqlx::query_as(sql).fetch_one(&mut *connection).await?
    });
    Ok(count)
}

pub(super) async fn a_batch_that_is_written_again_is_there_once(db: &Database) {
    make_room(db, "cinema", 1).await;
    let batch = [
        kept("cinema", message(1)),
        kept("cinema", message(2)),
        kept("cinema", message(3)),
        kept("cinema", Record::Deleted { message_id: 2 }),
        kept("cinema", Record::Pinned { message_id: Some(3) }),
        kept("cinema", Record::SlowMode { seconds: 9 }),
        kept("cinema", Record::Locked { locked: true }),
        kept("cinema", audit(AuditAction::Delete, Some("v1"))),
        kept("cinema", audit(AuditAction::Lock, None)),
    ];
    for _ in 0..2 {
        db.keep(&batch).await.unwrap();
        assert_eq!(ids(db, &slug("cinema")).await, [1, 3]);
        assert_eq!(count(db, "SELECT COUNT(*) FROM audit").await.unwrap(), 2);
    }
    let third = db.message(&slug("cinema"), 3).await.unwrap().unwrap();
    assert_eq!((&*third.text, third.reply_to), ("message 3 🎬", Some(2)));
    assert_eq!(
        (third.role, third.sent_at, third.media_time),
        (Role::Moderator, later(3), Some(later(-3)))
    );
    assert_eq!(db.message(&slug("cinema"), 2).await.unwrap(), None);
    assert_eq!(db.newest_message_id(&slug("cinema")).await.unwrap(), 3);
    let room = db.room(&slug("cinema")).await.unwrap().unwrap();
    assert_eq!((room.slow_mode_seconds, room.locked), (9, true));
    assert_eq!(count(db, "SELECT pinned_message_id FROM rooms").await.unwrap(), 3);
    assert_eq!(
        count(db, "SELECT deleted_at FROM messages WHERE id = 2").await.unwrap(),
        later(7).0
    );
}

pub(super) async fn what_a_deleted_room_left_waiting_is_not_written_and_harms_nothing(db: &Database) {
    make_room(db, "cinema", 1).await;
    let batch = [
        kept("gone", message(1)),
        kept("gone", audit(AuditAction::Ban, Some("v1"))),
        kept("gone", Record::IdsReserved { upto: 5 }),
        kept("cinema", message(1)),
    ];
    db.keep(&batch).await.unwrap();
    assert_eq!(ids(db, &slug("cinema")).await, [1]);
    assert_eq!(count(db, "SELECT COUNT(*) FROM audit").await.unwrap(), 0);
}

pub(super) async fn what_the_database_cannot_take_is_told_from_a_database_that_is_away(db: &Database) {
    make_room(db, "cinema", 1).await;
    let impossible = unknown_role(db).await;
    assert!(impossible.is_about_data(), "{impossible:?}");
    let unreachable = DbError::Query(sqlx::Error::PoolTimedOut);
    assert!(!unreachable.is_about_data());
}

/// A row with a role that there is not.
async fn unknown_role(db: &Database) -> DbError {
    let sql = "INSERT INTO messages (room, id, viewer_id, nickname, role, text, sent_at) \
         VALUES ('cinema', 1, 'v1', 'Ann', 'king', 'hi', 1)";
    let insert = async {
        super::super::writing!(db, |connection| {
            sqlx::query(sql).execute(&mut *connection).await?;
        });
        Ok::<_, DbError>(())
    };
    insert.await.unwrap_err()
}

pub(super) async fn message_ids_that_were_set_aside_are_never_given_again(db: &Database) {
    make_room(db, "cinema", 1).await;
    make_room(db, "games", 2).await;
    let first = |start: Vec<(RoomSlug, i64)>, room: &str| {
        let found = start.into_iter().find(|(slug, _)| slug.as_str() == room);
        found.unwrap().1
    };
    assert_eq!(first(db.reserve_message_ids().await.unwrap(), "cinema"), 1);
    // The run before may have used its ids and never have said so.
    let second = first(db.reserve_message_ids().await.unwrap(), "cinema");
    assert!(second >= 100_000, "{second}");
    let upto = second + 5_000_000;
    db.keep(&[kept("cinema", Record::IdsReserved { upto })]).await.unwrap();
    db.keep(&[kept("cinema", Record::IdsReserved { upto: 3 })])
        .await
        .unwrap();
    let third = db.reserve_message_ids().await.unwrap();
    // Ids are used ahead of what was kept, as far as the headroom.
    assert!(first(third.clone(), "cinema") >= upto + 100_000);
    assert!(first(third, "games") < upto);
}
