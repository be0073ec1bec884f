use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;

const NOW: UnixMillis = UnixMillis(1_795_341_600_000);

async fn open(folder: &TempDir) -> Control {
    let config = ControlConfig {
        data_dir: folder.path().join("data"),
        database_url: None,
        admin_token: admin_token::Source::DataDir,
        addresses: Addresses::new(
            "http://watch.example/",
            "http://house.example:4000",
            "rtmp://house.example:1935/live",
        ),
    };
    Control::open(config, NOW).await.unwrap()
}

fn order(name: &str) -> RoomOrder {
    RoomOrder {
        name: name.into(),
        slug: None,
        access: Access::Invite,
        listed: true,
    }
}

#[tokio::test]
async fn the_first_start_makes_a_room_and_no_later_start_does() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(&folder).await;
    let rooms = control.db().rooms().await.unwrap();
    assert_eq!(rooms.len(), 1);
    assert_eq!((rooms[0].slug.as_str(), rooms[0].name.as_str()), ("cinema", "Cinema"));
    control.delete_room(&rooms[0].slug, NOW).await.unwrap();
    control.db().close().await;

    let again = open(&folder).await;
    assert_eq!(again.db().rooms().await.unwrap(), []);
    assert!(again.welcome(NOW).await.unwrap().is_none());
    assert_eq!(again.revocations().len(), 1);
}

#[tokio::test]
async fn welcome_gives_all_that_a_first_stream_needs() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(&folder).await;
    let welcome = control.welcome(NOW).await.unwrap().unwrap();
    assert_eq!(welcome.obs_server, "rtmp://house.example:1935/live");
    let room = control.room_by_stream_key(welcome.stream_key.expose()).await.unwrap();
    assert_eq!(room.unwrap().as_str(), "cinema");

    let token = welcome
        .invite_link
        .strip_prefix("http://watch.example/r/cinema#invite=")
        .unwrap();
    let invite = control
        .secrets()
        .signing()
        .verifier()
        .verify_invite(token, NOW)
        .unwrap();
    assert_eq!(invite.room.as_str(), "cinema");

    let token = welcome
        .dashboard_link
        .strip_prefix("http://house.example:4000/#token=")
        .unwrap();
    assert!(control.sign_in(token, NOW).await.unwrap().is_some());
    assert!(control.sign_in(token, NOW).await.unwrap().is_none());
}

#[tokio::test]
async fn rooms_of_one_name_get_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(&folder).await;
    let mut slugs = Vec::new();
    for name in ["Ciné", "ciné!", "映画", "映画"] {
        slugs.push(control.create_room(order(name), NOW).await.unwrap().slug.to_string());
    }
    assert_eq!(slugs, ["cine", "cine-2", "room", "room-2"]);
}

#[tokio::test]
async fn a_rotated_key_opens_nothing_and_the_new_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(&folder).await;
    let room = control.create_room(order("Kino"), NOW).await.unwrap();
    let old = control.stream_key(&room).unwrap();
    let room = control.rotate_stream_key(&room.slug).await.unwrap().unwrap();
    let new = format!("{}?quality=high", control.stream_key(&room).unwrap().expose());
    assert_eq!(control.room_by_stream_key(old.expose()).await.unwrap(), None);
    assert_eq!(control.room_by_stream_key(&new).await.unwrap(), Some(room.slug));
    assert_eq!(control.room_by_stream_key("sk_").await.unwrap(), None);
}

#[tokio::test]
async fn the_embedded_relay_replaces_itself_when_its_identity_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(&folder).await;
    let (first, _) = control.create_embedded_relay(NOW).await.unwrap();
    let (second, secret) = control.create_embedded_relay(NOW).await.unwrap();
    assert_ne!(first.id, second.id);
    let hash = Sha256::digest(secret.expose()).into();
    let redeemed = control.db().redeem_relay_secret(&hash, NOW).await.unwrap();
    assert_eq!(redeemed.unwrap().id, second.id);
    assert_eq!(control.db().relays().await.unwrap().len(), 1);
}
