use common::{
    auth::{Role, ViewerClaims},
    chat::{
        record::{BanOrder, Doer},
        room::NotDone,
    },
};
use serde_json::{Value, json};

use super::harness::{House, Reply, text};
use crate::control::{BanOutcome, BannedLink};

const HOME: &str = "198.51.100.7:40000";
const ELSEWHERE: &str = "198.51.100.8:40000";
const AWAY: &str = "198.51.100.9:40000";

/// Joins `cinema` from an address, with the cookie of an earlier answer if there is one.
async fn join_from(house: &House, from: &str, body: Value, before: Option<&Reply>, status: u16) -> Reply {
    let mut call = house.join(body).from(from);
    if let Some(reply) = before {
        call = call.cookie("sc_cinema", &reply.set_cookie().0);
    }
    call.expect(status).await
}

async fn ban(house: &House, who: &Reply) -> BanOutcome {
    let claims = claims(house, who);
    let order = BanOrder {
        room: claims.room,
        at: house.now(),
        viewer_id: claims.viewer_id,
        nickname: claims.nickname,
        invite_id: claims.invite_id,
        address: None,
        by: Doer {
            viewer_id: Some("m1".into()),
            nickname: "Mo".into(),
            role: Role::Moderator,
        },
        reason: Some("rude".into()),
    };
    house.control.ban(&order, house.now()).await.unwrap()
}

fn claims(house: &House, who: &Reply) -> ViewerClaims {
    let verifier = house.control.secrets().signing().verifier();
    verifier.read_viewer(&text(&who.json["token"])).unwrap()
}

/// A shared link with two on it: Eve at [`HOME`], and Bob.
async fn shared() -> (House, Value, Reply, Reply) {
    let house = House::open().await;
    let invite = json!(house.invite_token().await);
    let eve = join_from(&house, HOME, json!({"nickname": "Eve", "invite": invite}), None, 200).await;
    let bob = join_from(&house, AWAY, json!({"nickname": "Bob", "invite": invite}), None, 200).await;
    (house, invite, eve, bob)
}

#[tokio::test]
async fn who_is_banned_from_a_shared_link_stays_out_with_and_without_its_cookie() {
    let (house, invite, eve, _) = shared().await;
    assert_eq!(ban(&house, &eve).await.link, BannedLink::Shared { others: 1 });
    let body = json!({"nickname": "Not Eve", "invite": invite});
    join_from(&house, HOME, body.clone(), Some(&eve), 403).await;
    join_from(&house, ELSEWHERE, body.clone(), Some(&eve), 403).await;
    let refusal = join_from(&house, HOME, body.clone(), None, 403).await;
    assert!(text(&refusal.json["detail"]).contains("an invite of your own"));
    house
        .call("GET /api/rooms/cinema/messages")
        .bearer(&text(&eve.json["token"]))
        .expect(403)
        .await;
    // A cookie that is too old to renew with still says who it is.
    house.wait(3 * 24 * 3600);
    join_from(&house, ELSEWHERE, body, Some(&eve), 403).await;
}

#[tokio::test]
async fn a_ban_on_a_shared_link_leaves_its_friends_in() {
    let (house, invite, eve, bob) = shared().await;
    ban(&house, &eve).await;
    join_from(&house, HOME, json!({}), Some(&bob), 200).await;
    let body = json!({"nickname": "Zoë", "invite": invite});
    join_from(&house, ELSEWHERE, body, None, 200).await;
    let own = json!({"nickname": "Neighbour", "invite": house.invite_token().await});
    join_from(&house, HOME, own, None, 200).await;
}

#[tokio::test]
async fn a_ban_revokes_the_link_that_nobody_else_uses() {
    let house = House::open().await;
    let invite = house.invite_token().await;
    let body = json!({"nickname": "Eve", "invite": invite});
    let eve = join_from(&house, HOME, body.clone(), None, 200).await;
    let outcome = ban(&house, &eve).await;
    assert_eq!((outcome.link, outcome.revocations.len()), (BannedLink::Revoked, 2));
    let refusal = join_from(&house, ELSEWHERE, body.clone(), None, 403).await;
    assert_eq!(refusal.json["detail"], "the invite was revoked");
    join_from(&house, ELSEWHERE, body, Some(&eve), 403).await;
    let claims = claims(&house, &eve);
    assert!(house.control.is_revoked(
        &ViewerClaims {
            viewer_id: "another".into(),
            ..claims
        },
        house.now()
    ));
}

#[tokio::test]
async fn a_second_browser_of_the_same_household_does_not_keep_anybody_in() {
    let house = House::open().await;
    let invite = house.invite_token().await;
    let eve = join_from(&house, HOME, json!({"nickname": "Eve", "invite": invite}), None, 200).await;
    let tablet = join_from(&house, HOME, json!({"nickname": "Eva", "invite": invite}), None, 200).await;
    assert_eq!(ban(&house, &eve).await.link, BannedLink::Revoked);
    assert!(house.control.is_revoked(&claims(&house, &tablet), house.now()));
    join_from(&house, HOME, json!({}), Some(&tablet), 403).await;
}

#[tokio::test]
async fn who_comes_by_a_proxy_on_this_machine_is_of_no_household() {
    let house = House::open().await;
    let invite = house.invite_token().await;
    let local = "127.0.0.1:40000";
    let eve = join_from(&house, local, json!({"nickname": "Eve", "invite": invite}), None, 200).await;
    let bob = join_from(&house, local, json!({"nickname": "Bob", "invite": invite}), None, 200).await;
    assert_eq!(ban(&house, &eve).await.link, BannedLink::Shared { others: 1 });
    join_from(&house, local, json!({}), Some(&bob), 200).await;
}

#[tokio::test]
async fn a_ban_that_falls_while_the_browser_joins_keeps_it_out() {
    let (house, _, eve, _) = shared().await;
    let (control, now, viewer_id) = (house.control.clone(), house.now(), text(&eve.json["viewerId"]));
    let ban = move || {
        control.shut_out(&viewer_id, now);
    };
    *house.plane.at_claim.lock().unwrap() = Some(Box::new(ban));
    join_from(&house, HOME, json!({}), Some(&eve), 403).await;
}

#[tokio::test]
async fn who_is_banned_does_not_come_back_by_the_open_door() {
    let house = House::open().await;
    house.patch_room(json!({"access": "open"})).await;
    let eve = join_from(&house, HOME, json!({"nickname": "Eve"}), None, 200).await;
    assert_eq!(ban(&house, &eve).await.link, BannedLink::None);
    join_from(&house, HOME, json!({"nickname": "Eve"}), None, 403).await;
    join_from(&house, HOME, json!({"nickname": "Eve"}), Some(&eve), 403).await;
    join_from(&house, ELSEWHERE, json!({"nickname": "Bob"}), None, 200).await;
    let own = json!({"nickname": "Bob", "invite": house.invite_token().await});
    join_from(&house, HOME, own, None, 200).await;
}

#[tokio::test]
async fn a_ban_goes_by_the_address_that_the_relay_sees() {
    let house = House::open().await;
    let invite = house.invite_token().await;
    let body = json!({"nickname": "Eve", "invite": invite});
    let line = "POST /api/rooms/cinema/join";
    let eve = house.relayed(line).json(body.clone()).expect(200).await;
    house.join(body.clone()).expect(200).await;
    ban(&house, &eve).await;
    house.relayed(line).json(body.clone()).expect(403).await;
    house.join(body).expect(200).await;
}

#[tokio::test]
async fn a_ban_holds_before_the_database_has_it() {
    let (house, _, eve, _) = shared().await;
    let claims = claims(&house, &eve);
    house.control.shut_out(&claims.viewer_id, house.now());
    assert!(house.control.is_revoked(&claims, house.now()));
    join_from(&house, HOME, json!({}), Some(&eve), 403).await;
    // Nor does it get a fresh id once its tokens are over.
    house.wait(900);
    join_from(&house, HOME, json!({}), Some(&eve), 403).await;
    ban(&house, &eve).await;
    assert!(house.control.unban(&claims.room, &claims.viewer_id).await.unwrap());
    join_from(&house, HOME, json!({}), Some(&eve), 200).await;
}

#[tokio::test]
async fn who_is_let_in_again_gets_a_fresh_id_as_long_as_the_old_one_is_revoked() {
    let (house, _, eve, _) = shared().await;
    ban(&house, &eve).await;
    let old = text(&eve.json["viewerId"]);
    let line = format!("DELETE /api/rooms/cinema/bans/{old}");
    house.call(&line).admin().expect(204).await;
    let again = join_from(&house, HOME, json!({}), Some(&eve), 200).await;
    assert_ne!(text(&again.json["viewerId"]), old);
    let read = |who: &Reply| {
        let call = house.call("GET /api/rooms/cinema/messages");
        call.bearer(&text(&who.json["token"]))
    };
    read(&eve).expect(403).await;
    read(&again).expect(200).await;
    let renewed = join_from(&house, HOME, json!({}), Some(&again), 200).await;
    assert_eq!(renewed.json["viewerId"], again.json["viewerId"]);
    house.wait(700);
    let later = join_from(&house, HOME, json!({}), Some(&eve), 200).await;
    assert_eq!(text(&later.json["viewerId"]), old);
}

#[tokio::test]
async fn a_fresh_id_does_not_get_into_a_locked_room() {
    let (house, _, eve, _) = shared().await;
    ban(&house, &eve).await;
    house.patch_room(json!({"locked": true})).await;
    let claims = claims(&house, &eve);
    house.control.unban(&claims.room, &claims.viewer_id).await.unwrap();
    join_from(&house, HOME, json!({}), Some(&eve), 403).await;
}

#[tokio::test]
async fn bans_are_listed_and_taken_back_by_operators_and_hosts() {
    let (house, _, eve, bob) = shared().await;
    ban(&house, &eve).await;
    let host = house.viewer_token("host").await;
    let list = "GET /api/rooms/cinema/bans";
    let expected = json!([{"viewerId": eve.json["viewerId"], "nickname": "Eve",
        "bannedAt": "2026-11-22T10:00:00.000Z", "bannedBy": "Mo", "reason": "rude"}]);
    assert_eq!(house.call(list).admin().expect(200).await.json, expected);
    assert_eq!(house.relayed(list).bearer(&host).expect(200).await.json, expected);
    house.plane.take_told();

    let line = format!("DELETE /api/rooms/cinema/bans/{}", text(&eve.json["viewerId"]));
    for line in [list, &line] {
        house.call(line).expect(401).await;
        house.call(line).bearer(&text(&bob.json["token"])).expect(403).await;
    }
    house.relayed(&line).bearer(&host).expect(204).await;
    let told = house.plane.take_told();
    assert!(
        told.len() == 1 && told[0].starts_with("Ada in cinema: Unban"),
        "{told:?}"
    );
    assert_eq!(house.call(list).admin().expect(200).await.json, json!([]));

    *house.plane.not_done.lock().unwrap() = Some(NotDone::NoSuchViewer);
    house.call(&line).admin().expect(404).await;
    house
        .call("DELETE /api/rooms/NO%20SLUG/bans/v1")
        .admin()
        .expect(404)
        .await;
}

#[tokio::test]
async fn a_ban_that_a_host_may_not_take_back_stays() {
    let house = House::open().await;
    let invite = text(&house.invite(json!({"role": "host"})).await["token"]);
    let eve = join_from(&house, HOME, json!({"nickname": "Eve", "invite": invite}), None, 200).await;
    ban(&house, &eve).await;
    let host = house.viewer_token("host").await;
    let line = format!("DELETE /api/rooms/cinema/bans/{}", text(&eve.json["viewerId"]));
    // The running chat says no; or it has forgotten the ban, and the database says whose it is.
    for why in [NotDone::NotAllowed, NotDone::NoSuchViewer] {
        *house.plane.not_done.lock().unwrap() = Some(why);
        house.relayed(&line).bearer(&host).expect(403).await;
    }
    let bans = house.call("GET /api/rooms/cinema/bans").admin().expect(200).await;
    assert_eq!(bans.json.as_array().unwrap().len(), 1);
    house.call(&line).admin().expect(204).await;
}

#[tokio::test]
async fn what_can_be_no_id_or_name_is_not_asked_of_the_database() {
    let house = House::open().await;
    for path in ["bans/a%00b", "emotes/a%00b", "emotes/files/a%00b.png"] {
        let method = if path.contains("files") { "GET" } else { "DELETE" };
        let line = format!("{method} /api/rooms/cinema/{path}");
        house.call(&line).admin().expect(404).await;
    }
    house.call("DELETE /api/invites/a%00b").admin().expect(404).await;
    house.call("DELETE /api/relays/a%00b").admin().expect(404).await;
}

#[tokio::test]
async fn a_ban_that_the_running_chat_forgot_is_taken_back_all_the_same() {
    let (house, _, eve, _) = shared().await;
    ban(&house, &eve).await;
    *house.plane.not_done.lock().unwrap() = Some(NotDone::NoSuchViewer);
    let line = format!("DELETE /api/rooms/cinema/bans/{}", text(&eve.json["viewerId"]));
    house.plane.take_told();
    house.call(&line).admin().expect(204).await;
    assert_eq!(house.plane.take_told()[1], "audit of cinema: operator unban ");
}
