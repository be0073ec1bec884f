use common::{
    auth::Role,
    chat::record::{AuditAction, AuditEntry, Doer, Record, Target},
    time::UnixMillis,
};
use serde_json::json;

use super::harness::{House, NOW, text};
use crate::db::Kept;

fn entry(at: i64, by: Option<&str>, action: AuditAction) -> Kept {
    Kept {
        room: "cinema".parse().unwrap(),
        at: UnixMillis(NOW + at),
        record: Record::Audit(AuditEntry {
            at: UnixMillis(NOW + at),
            by: Doer {
                viewer_id: by.map(str::to_owned),
                nickname: by.unwrap_or("operator").to_owned(),
                role: if by.is_some() { Role::Moderator } else { Role::Host },
            },
            action,
            target: by.map(|_| Target {
                viewer_id: "v1".into(),
                nickname: "Eve".into(),
            }),
            detail: by.map(|_| "60".into()),
            reason: by.map(|_| "rude".into()),
        }),
    }
}

#[tokio::test]
async fn the_audit_log_comes_newest_first_in_pages() {
    let house = House::open().await;
    let entries = [
        entry(1, Some("mo"), AuditAction::Timeout),
        entry(2, None, AuditAction::Lock),
        entry(3, None, AuditAction::Unlock),
    ];
    house.control.db().keep(&entries).await.unwrap();
    let line = "GET /api/rooms/cinema/audit";
    let newest = house.call(&format!("{line}?limit=2")).admin().expect(200).await.json;
    let before = newest[1]["id"].as_i64().unwrap();
    assert_eq!(newest[0]["action"], "unlock");
    assert_eq!(
        newest[1],
        json!({"id": before, "at": "2026-11-22T10:00:00.002Z", "action": "lock",
            "by": {"viewerId": null, "nickname": "operator", "role": "host"}})
    );
    let host = house.viewer_token("host").await;
    let older = house
        .relayed(&format!("{line}?before={before}"))
        .bearer(&host)
        .expect(200)
        .await
        .json;
    assert_eq!(
        older,
        json!([{"id": older[0]["id"], "at": "2026-11-22T10:00:00.001Z", "action": "timeout",
            "by": {"viewerId": "mo", "nickname": "mo", "role": "moderator"},
            "target": {"viewerId": "v1", "nickname": "Eve"}, "detail": "60", "reason": "rude"}])
    );
}

#[tokio::test]
async fn the_audit_log_is_for_operators_and_hosts() {
    let house = House::open().await;
    let line = "GET /api/rooms/cinema/audit";
    house.call(line).expect(401).await;
    for role in ["viewer", "moderator"] {
        house
            .call(line)
            .bearer(&house.viewer_token(role).await)
            .expect(403)
            .await;
    }
    house.call("GET /api/rooms/other/audit").admin().expect(404).await;
    house.call(&format!("{line}?limit=some")).admin().expect(400).await;
}

#[tokio::test]
async fn a_revoked_invite_is_audited_once() {
    let house = House::open().await;
    let invite = house.invite(json!({"label": "friends"})).await;
    let line = format!("DELETE /api/invites/{}", text(&invite["id"]));
    let host = house.viewer_token("host").await;
    house.relayed(&line).bearer(&host).expect(204).await;
    assert_eq!(
        house.plane.take_told()[1..],
        ["audit of cinema: Ada inviteRevoked friends"]
    );
    house.call(&line).admin().expect(204).await;
    assert_eq!(house.plane.take_told().len(), 1);
}

#[tokio::test]
async fn invites_that_are_made_and_settings_that_are_changed_are_audited() {
    let house = House::open().await;
    let host = house.viewer_token("host").await;
    house.plane.take_told();
    let line = "POST /api/rooms/cinema/invites";
    for order in [json!({}), json!({"role": "moderator", "label": "the crew"})] {
        house.relayed(line).bearer(&host).json(order).expect(201).await;
    }
    let expected = [
        "audit of cinema: Ada inviteCreated viewer",
        "audit of cinema: Ada inviteCreated moderator the crew",
    ];
    assert_eq!(house.plane.take_told(), expected);
    house
        .patch_room(json!({"links": "moderators", "retentionDays": null, "locked": false}))
        .await;
    let told = house.plane.take_told();
    assert_eq!(
        told.last().unwrap(),
        "audit of cinema: operator settingsChanged links, retentionDays"
    );
    house.patch_room(json!({"locked": true})).await;
    assert!(!house.plane.take_told().iter().any(|told| told.starts_with("audit")));
}

#[tokio::test]
async fn a_host_makes_and_lists_invites_through_a_relay() {
    let house = House::open().await;
    let host = house.viewer_token("host").await;
    let line = "/api/rooms/cinema/invites";
    let made = house.relayed(&format!("POST {line}")).bearer(&host).json(json!({}));
    assert!(made.expect(201).await.json["token"].is_string());
    let listed = house.relayed(&format!("GET {line}")).bearer(&host).expect(200).await;
    assert_eq!(listed.json.as_array().unwrap().len(), 2);
}
