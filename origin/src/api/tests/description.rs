use common::auth::Verifier;
use serde_json::{Value, json};

use super::harness::{ADMIN_TOKEN, House, text};

/// Every call of the API's documentation.
const CALLS: &[&str] = &[
    "GET /api/rooms",
    "POST /api/rooms",
    "GET /api/rooms/{slug}",
    "PATCH /api/rooms/{slug}",
    "DELETE /api/rooms/{slug}",
    "POST /api/rooms/{slug}/rotate",
    "GET /api/rooms/{slug}/messages",
    "GET /api/rooms/{slug}/messages/export",
    "GET /api/rooms/{slug}/audit",
    "GET /api/rooms/{slug}/bans",
    "DELETE /api/rooms/{slug}/bans/{viewerId}",
    "GET /api/rooms/{slug}/emotes",
    "POST /api/rooms/{slug}/emotes",
    "DELETE /api/rooms/{slug}/emotes/{name}",
    "GET /api/rooms/{slug}/emotes/files/{file}",
    "POST /api/rooms/{slug}/invites",
    "GET /api/rooms/{slug}/invites",
    "DELETE /api/invites/{id}",
    "POST /api/rooms/{slug}/join",
    "POST /api/relays",
    "GET /api/relays",
    "DELETE /api/relays/{id}",
    "GET /api/rooms/{slug}/health",
    "PUT /api/rooms/{slug}/slate",
    "GET /api/rooms/{slug}/slate",
    "DELETE /api/rooms/{slug}/slate",
    "GET /.well-known/jwks.json",
    "GET /api/time",
    "GET /api/session",
    "POST /api/session",
    "DELETE /api/session",
    "POST /hooks/rtmp/publish",
    "POST /hooks/rtmp/done",
    "GET /api/openapi.json",
];

fn described(description: &Value) -> Vec<String> {
    let paths = description["paths"].as_object().unwrap().iter();
    let calls = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    calls.collect()
}

#[tokio::test]
async fn every_call_is_described_and_every_description_is_a_call() {
    let house = House::open().await;
    let description = house.call("GET /api/openapi.json").expect(200).await.json;
    let mut described = described(&description);
    let mut calls: Vec<String> = CALLS.iter().map(|call| (*call).to_owned()).collect();
    described.sort();
    calls.sort();
    assert_eq!(described, calls);
    for line in CALLS {
        let line = line.replace("{slug}", "cinema").replace("{id}", "nothing");
        let (status, reply) = house.call(&line).send().await;
        assert!(
            status != 405 && reply.json["detail"] != "there is no such call",
            "{line}: {status}"
        );
    }
}

#[tokio::test]
async fn every_schema_that_is_referred_to_is_there() {
    let house = House::open().await;
    let description = house.call("GET /api/openapi.json").expect(200).await;
    for reference in description.text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(description.json.pointer(pointer).is_some(), "{pointer}");
    }
    for schema in [
        "Room",
        "Invite",
        "Relay",
        "Message",
        "JoinReply",
        "Problem",
        "AuditEntry",
        "Ban",
        "Emote",
        "ChatExport",
    ] {
        assert!(
            description.json["components"]["schemas"][schema].is_object(),
            "{schema}"
        );
    }
}

#[tokio::test]
async fn the_public_keys_verify_what_was_signed() {
    let house = House::open().await;
    let reply = house.call("GET /.well-known/jwks.json").expect(200).await;
    assert_eq!(reply.json["keys"][0]["crv"], "Ed25519");
    assert!(reply.json["keys"][0].get("d").is_none());
    let verifier = Verifier::from_jwk_set(&reply.text).unwrap();
    assert!(verifier.verify_invite(&house.invite_token().await, house.now()).is_ok());
}

#[tokio::test]
async fn the_time_is_the_origins() {
    let house = House::open().await;
    assert_eq!(
        house.call("GET /api/time").expect(200).await.json,
        json!({"now": "2026-11-22T10:00:00.000Z"})
    );
}

#[tokio::test]
async fn pages_of_this_streamcircle_may_read_answers_and_no_others() {
    let house = House::open().await;
    let ours = house
        .call("GET /api/rooms")
        .header("origin", "http://watch.example")
        .expect(200)
        .await;
    assert_eq!(ours.headers["access-control-allow-origin"], "http://watch.example");
    assert_eq!(ours.headers["access-control-allow-credentials"], "true");
    let asked = house
        .call("OPTIONS /api/rooms/cinema/join")
        .header("origin", "http://watch.example");
    let asked = asked.header("access-control-request-method", "POST").send().await;
    assert_eq!(asked.1.headers["access-control-allow-origin"], "http://watch.example");
    let other = house
        .call("GET /api/rooms")
        .header("origin", "http://evil.example")
        .expect(200)
        .await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn no_error_repeats_what_was_sent() {
    let house = House::open().await;
    let key = text(&house.call("GET /api/rooms/cinema").admin().expect(200).await.json["streamKey"]);
    let secrets = [ADMIN_TOKEN.to_owned(), key, house.invite_token().await];
    for secret in &secrets {
        for call in [
            house
                .call("POST /api/rooms")
                .admin()
                .json(json!({"name": "A", "access": secret})),
            house
                .call("POST /api/rooms")
                .admin()
                .json(json!({"name": "A", "slug": format!("_{secret}")})),
            house.call("POST /api/rooms").admin().raw("application/json", secret),
            house
                .call("POST /api/rooms")
                .header("x-admin-token", &format!("{secret}x")),
            house.call("GET /api/rooms").bearer(&format!("{secret}x")),
            house.call(&format!("GET /api/rooms/{secret}")),
            house.call(&format!("GET /api/rooms/cinema/messages?token={secret}x")),
            house.join(json!({"nickname": [secret]})),
            house.join(json!({"nickname": "Ada", "invite": format!("{secret}x")})),
            house
                .call("POST /api/session")
                .json(json!({"token": format!("{secret}x")})),
            house.call(&format!("POST /hooks/rtmp/publish?hookSecret={secret}")),
        ] {
            let (status, reply) = call.send().await;
            assert!(
                status.is_client_error() && !reply.text.contains(secret.as_str()),
                "{}",
                reply.text
            );
        }
    }
}
