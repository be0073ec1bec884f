use common::chat::record::{BanOrder, Doer};
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

/// A viewer who came into `cinema` now: with an invite that ends in 15 minutes, or by the open door.
async fn viewer(control: &Control, with_invite: bool) -> ViewerClaims {
    let room: RoomSlug = "cinema".parse().unwrap();
    let order = InviteOrder {
        label: None,
        role: Role::Moderator,
        not_before: None,
        expires_at: later(900),
        max_seats: None,
        relays: None,
    };
    let (invite, _) = control.create_invite(&room, order, NOW).await.unwrap().unwrap();
    ViewerClaims {
        viewer_id: "v1".into(),
        invite_id: with_invite.then_some(invite.id),
        room,
        role: if with_invite { Role::Moderator } else { Role::Viewer },
        nickname: "Ada".into(),
        relays: None,
        issued_at: NOW,
        expires_at: later(600),
    }
}

fn later(seconds: i64) -> UnixMillis {
    UnixMillis(NOW.0 + seconds * 1000)
}

fn order_to_ban(claims: &ViewerClaims, address: Option<&str>) -> BanOrder {
    BanOrder {
        room: claims.room.clone(),
        at: NOW,
        viewer_id: claims.viewer_id.clone(),
        nickname: claims.nickname.clone(),
        invite_id: claims.invite_id.clone(),
        address: address.map(str::to_owned),
        by: Doer {
            viewer_id: None,
            nickname: "operator".into(),
            role: Role::Host,
        },
        reason: None,
    }
}

#[tokio::test]
async fn a_newer_token_is_the_same_viewers_and_ends_with_the_invite() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(&folder).await;
    let claims = viewer(&control, true).await;
    let (token, expires_at) = control.renew_viewer(&claims, later(420)).await.unwrap().unwrap();
    assert_eq!(expires_at, later(900));
    let verifier = control.secrets().signing().verifier();
    let newer = verifier.verify_viewer(token.expose(), later(421)).unwrap();
    assert_eq!(
        newer,
        ViewerClaims {
            issued_at: later(420),
            expires_at: later(900),
            ..claims.clone()
        }
    );
    assert_eq!(
        control.renew_viewer(&claims, later(900)).await.unwrap().map(|_| ()),
        None
    );
}

#[tokio::test]
async fn who_may_not_stay_gets_no_newer_token() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(&folder).await;
    let is_renewed = async |claims: &ViewerClaims, at| control.renew_viewer(claims, at).await.unwrap().is_some();
    let claims = viewer(&control, true).await;
    assert!(is_renewed(&claims, NOW).await);
    control.shut_out("v1", NOW);
    assert!(!is_renewed(&claims, NOW).await);
    // The revocation is over, and the ban is not kept yet.
    assert!(!is_renewed(&claims, later(700)).await);
    control.ban(&order_to_ban(&claims, None), NOW).await.unwrap();
    assert!(!is_renewed(&claims, later(700)).await);

    let other = ViewerClaims {
        viewer_id: "v2".into(),
        ..viewer(&control, true).await
    };
    assert!(is_renewed(&other, NOW).await);
    let invite = other.invite_id.as_deref().unwrap();
    control.revoke_invite(invite, NOW).await.unwrap();
    assert!(!is_renewed(&other, later(700)).await);
}

#[tokio::test]
async fn who_came_by_the_open_door_stays_while_it_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(&folder).await;
    let claims = viewer(&control, false).await;
    let is_renewed = async || control.renew_viewer(&claims, NOW).await.unwrap().is_some();
    assert!(!is_renewed().await);
    let change = crate::db::RoomChange {
        access: Some(Access::Open),
        ..Default::default()
    };
    control.db().change_room(&claims.room, &change).await.unwrap();
    assert!(is_renewed().await);
    control.delete_room(&claims.room, NOW).await.unwrap();
    assert!(!is_renewed().await);
}

#[tokio::test]
async fn a_ban_goes_by_the_network_of_the_address_that_a_relay_told() {
    let folder = tempfile::tempdir().unwrap();
    let control = open(&folder).await;
    let claims = viewer(&control, false).await;
    let order = order_to_ban(&claims, Some("[2001:db8:1:2:3::4]:5000"));
    control.ban(&order, NOW).await.unwrap();
    let refuses = async |address| {
        let refused = control.db().may_be_banned(&claims.room, None, address).await;
        refused.unwrap()
    };
    assert!(refuses("2001:db8:1:2::").await);
    assert!(!refuses("2001:db8:1:3::").await);
}
