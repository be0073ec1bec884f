//! Chats over a real database that is locked by somebody else, or left behind by a crash.

use std::{path::Path, sync::Arc};

use common::{
    auth::{Role, ViewerClaims},
    chat::room::Settings,
    wire::chat::{ChatAct, ChatDown, ChatUp, Notice, SocketEvent},
};
use node::{clock, shutdown::Shutdown};
use sqlx::{Connection, Executor, SqliteConnection};

use super::harness::{Relay, cinema, entering};
use crate::{
    chat::{Chats, Known},
    control::{Addresses, Control, ControlConfig, after},
    db::tests::postgres::Server,
    gate::ChatGate,
    relays::{LinkState, Relays},
    secrets::admin_token,
    stores::Stores,
};

/// An origin's chats, keys and database; `cinema` is the room of the first start.
struct Origin {
    chats: Chats,
    control: Arc<Control>,
    shutdown: Shutdown,
}

impl Origin {
    async fn start(folder: &Path) -> Self {
        Self::start_with(folder, None).await
    }

    async fn start_with(folder: &Path, database_url: Option<String>) -> Self {
        let config = ControlConfig {
            data_dir: folder.to_owned(),
            database_url,
            admin_token: admin_token::Source::DataDir,
            addresses: Addresses::new(
                "http://watch.example",
                "http://house.example",
                "rtmp://house.example/live",
            ),
        };
        let control = Arc::new(Control::open(config, clock::unix_millis()).await.unwrap());
        let stores = Arc::new(Stores::new(Arc::clone(&control)));
        let relays = Relays::new(LinkState::default(), stores.clone());
        let gate = Arc::new(ChatGate::new(Arc::clone(&control), relays));
        let shutdown = Shutdown::new();
        let first_ids = control.db().reserve_message_ids().await.unwrap();
        let chats = Chats::new(stores, gate, &shutdown);
        for (room, first_id) in first_ids {
            let settings = Settings::default();
            chats.open(&room, Known { settings, first_id });
        }
        Self {
            chats,
            control,
            shutdown,
        }
    }

    fn token(&self, viewer_id: &str, role: Role) -> String {
        let now = clock::unix_millis();
        let claims = ViewerClaims {
            viewer_id: viewer_id.to_owned(),
            invite_id: None,
            room: cinema(),
            role,
            nickname: viewer_id.to_owned(),
            relays: Some(vec!["r1".to_owned()]),
            issued_at: now,
            expires_at: after(now, std::time::Duration::from_secs(60)),
        };
        self.control.secrets().signing().signer().sign_viewer(&claims)
    }

    /// A relay with a host, who may say as much as it wants.
    async fn host(&self) -> Relay {
        let mut relay = Relay::of(self.chats.connect("r1"));
        relay.follow().await;
        relay.carry(vec![entering(1, &self.token("h1", Role::Host))]).await;
        relay.snapshot().await;
        assert!(matches!(relay.told(1).await, SocketEvent::Entered { .. }));
        relay
    }

    async fn kept(&self) -> Vec<i64> {
        let kept = self.control.db().messages(&cinema(), None, 1000).await.unwrap();
        kept.into_iter().map(|message| message.id).collect()
    }
}

/// Another program that writes and does not end.
async fn lock(folder: &Path) -> SqliteConnection {
    let url = format!("sqlite://{}", folder.join("streamcircle.db").display());
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    other
}

/// Reads on until the database is back; what was kept of what was said meanwhile, when nothing was dropped.
async fn kept_when_back(relay: &mut Relay) -> u64 {
    loop {
        match notice(relay).await {
            Notice::StorageDown { dropped: 0, .. } => {}
            Notice::StorageBack { kept, dropped: 0 } => return kept,
            other => panic!("{other:?}"),
        }
    }
}

async fn notice(relay: &mut Relay) -> Notice {
    relay
        .find(|item| match item {
            ChatDown::Staff { least, notice } => {
                assert_eq!(*least, Role::Host);
                Some(notice.clone())
            }
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_locked_database_stops_no_chat_and_the_host_is_told_what_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start(folder.path()).await;
    let mut relay = origin.host().await;
    let mut other = lock(folder.path()).await;
    let mut said = Vec::new();
    for text in ["one", "two", "three"] {
        relay.say(1, text).await;
        said.push(relay.message().await.id);
    }
    let down = |waiting| Notice::StorageDown { waiting, dropped: 0 };
    assert_eq!(notice(&mut relay).await, down(3));
    assert!(origin.chats.storage().is_failing);
    relay.say(1, "four").await;
    said.push(relay.message().await.id);
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(kept_when_back(&mut relay).await, 4);
    assert_eq!(origin.kept().await, said);
    assert!(!origin.chats.storage().is_failing);
}

#[tokio::test]
async fn a_postgresql_that_is_killed_and_comes_back_has_all_that_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start();
    let url = server.new_database("chat").await;
    let origin = Origin::start_with(folder.path(), Some(url)).await;
    let mut relay = origin.host().await;
    server.go();
    let mut said = Vec::new();
    for text in ["one", "two"] {
        relay.say(1, text).await;
        said.push(relay.message().await.id);
    }
    let down = notice(&mut relay).await;
    assert_eq!(down, Notice::StorageDown { waiting: 2, dropped: 0 });
    server.come();
    assert_eq!(kept_when_back(&mut relay).await, 2);
    assert_eq!(origin.kept().await, said);
}

#[tokio::test]
async fn an_origin_that_restarts_never_uses_a_message_id_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut newest = 0;
    for _ in 0..3 {
        let origin = Origin::start(folder.path()).await;
        // Nothing of what is said reaches the database.
        let other = lock(folder.path()).await;
        let mut relay = origin.host().await;
        for number in 0..5 {
            relay.say(1, &format!("message {number}")).await;
            let id = relay.message().await.id;
            assert!(id > newest, "{id} after {newest}");
            newest = id;
        }
        drop(other);
        // The machine stops: no task of it goes on.
        std::mem::forget(relay);
        origin.control.db().close().await;
    }
    // And one that stops in order keeps what was said.
    let origin = Origin::start(folder.path()).await;
    let mut relay = origin.host().await;
    relay.say(1, "goodbye").await;
    let id = relay.message().await.id;
    assert!(id > newest);
    origin.shutdown.trigger();
    drop(relay);
    assert_eq!(origin.shutdown.drain(std::time::Duration::from_secs(10)).await, 0);
    assert_eq!(origin.kept().await.last(), Some(&id));
}

#[tokio::test]
async fn a_token_opens_its_own_room_on_its_own_relays_until_it_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start(folder.path()).await;
    let token = origin.token("v1", Role::Viewer);
    let enters = async |relay_id: &str, item: ChatUp| {
        let mut relay = Relay::of(origin.chats.connect(relay_id));
        relay.follow().await;
        relay.carry(vec![item]).await;
        matches!(relay.told(1).await, SocketEvent::Entered { .. })
    };
    assert!(enters("r1", entering(1, &token)).await);
    assert!(!enters("r2", entering(1, &token)).await);
    assert!(!enters("r1", entering(1, &token[1..])).await);
    let games = ChatUp::Enter {
        room: "games".parse().unwrap(),
        socket: 1,
        token: token.clone(),
        address: String::new(),
    };
    assert!(!enters("r1", games).await);
    origin.control.shut_out("v1", clock::unix_millis());
    assert!(!enters("r1", entering(1, &token)).await);
}

#[tokio::test]
async fn what_was_said_deleted_and_pinned_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start(folder.path()).await;
    let mut relay = origin.host().await;
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        relay.say(1, text).await;
        ids.push(relay.message().await.id);
    }
    let delete = ChatAct::Delete {
        message_id: ids[1],
        reason: None,
    };
    relay.act(1, delete).await;
    let message_id = Some(ids[2]);
    relay.act(1, ChatAct::Pin { message_id }).await;
    origin.shutdown.trigger();
    drop(relay);
    assert_eq!(origin.shutdown.drain(std::time::Duration::from_secs(10)).await, 0);
    origin.control.db().close().await;

    let origin = Origin::start(folder.path()).await;
    let mut relay = Relay::of(origin.chats.connect("r1"));
    relay.follow().await;
    let (texts, pinned) = relay
        .find(|item| match item {
            ChatDown::Snapshot(piece) => {
                let texts: Vec<String> = piece.messages.iter().map(|message| message.text.clone()).collect();
                Some((texts, piece.state.as_ref().and_then(|state| state.pinned.clone())))
            }
            _ => None,
        })
        .await;
    assert_eq!(texts, ["one", "three"]);
    assert_eq!(pinned.map(|message| message.id), Some(ids[2]));
}
