//! `PATCH`, `DELETE` and `/rotate` of one authorization.

use std::time::Duration;

use serde_json::{Value, json};
use symbolon::Clock;

use crate::server::Server;

const LIST: &str = "/api/v2/authorizations";
const UNKNOWN: &str = "0fedcba987654321";

fn line(method: &str, id: &str) -> String {
    format!("{method} {LIST}/{id}")
}

#[test]
fn an_update_accepts_the_whole_object_and_changes_status_and_description_only() {
    let server = Server::new();
    let (token, made) = server.token(&["read:buckets"]);
    let id = made.id.to_string();
    let show = || server.operate(&line("GET", &id), Value::Null).json();
    let before = show();
    server.clock.advance(Duration::from_secs(60));
    // As InfluxDB's Python client sends it.
    let mut sent = before.clone();
    sent["createdAt"] = json!("2026-01-01T00:00:00.123456+00:00");
    sent["updatedAt"] = json!("2026-01-01T00:00:00.123456+00:00");
    sent["description"] = json!("another");
    sent["status"] = json!("inactive");
    for key in ["id", "orgID", "userID"] {
        sent[key] = json!(UNKNOWN);
    }
    sent["token"] = json!("mine");
    sent["permissions"] = json!([{"action": "write", "resource": {"type": "buckets"}}]);
    let reply = server.operate(&line("PATCH", &id), sent).expect(200);
    let mut wanted = before;
    wanted["description"] = json!("another");
    wanted["status"] = json!("inactive");
    wanted["updatedAt"] = json!("2026-01-01T00:01:00Z");
    assert_eq!(reply.json(), wanted);
    assert_eq!(show(), wanted);
    let refused = server.get_as(&token, LIST);
    refused.expect_refusal("401 unauthorized: token is inactive");

    // Without a change, only the time of the update differs.
    for body in [
        json!({}),
        json!({"status": null, "description": null}),
        json!({"status": "inactive", "description": "another"}),
    ] {
        server.clock.advance(Duration::from_secs(60));
        let reply = server.operate(&line("PATCH", &id), body);
        wanted["updatedAt"] = json!(server.clock.now());
        assert_eq!(reply.json(), wanted);
        assert_eq!(show(), wanted);
    }
    // An empty status means "active".
    let reply = server.operate(&line("PATCH", &id), json!({"status": ""}));
    assert_eq!(reply.json()["status"], "active");
    server.get_as(&token, LIST).expect(200);
}

#[test]
fn an_invalid_update_or_id_is_refused_with_its_reason() {
    let server = Server::new();
    let id = server.token(&["read:buckets"]).1.id.to_string();
    let bad = server.operate(&line("PATCH", &id), json!({"status": "on"}));
    bad.expect_refusal("400 invalid: encodeAuthorization: unknown authorization status");
    let bad = server.operate(&line("PATCH", &id), json!("{"));
    let message = bad.expect_code("400 invalid");
    assert!(message.starts_with("invalid json structure: "), "{message}");
    for method in ["GET", "PATCH", "DELETE"] {
        for (id, refusal) in [
            ("12", "400 invalid: id must have a length of 16 bytes"),
            ("000000000000000g", "400 invalid: invalid ID"),
            ("0000000000000000", "400 invalid: invalid ID"),
            (UNKNOWN, "404 not found: authorization not found"),
        ] {
            let reply = server.operate(&line(method, id), json!({}));
            reply.expect_refusal(refusal);
        }
    }
    let shown = server.operate(&line("GET", &id.to_uppercase()), Value::Null);
    assert_eq!(shown.json()["id"], id);
}

#[test]
fn a_deleted_authorization_is_refused_at_once_and_permanently() {
    let server = Server::new();
    let (token, made) = server.token(&["write:authorizations"]);
    let id = made.id.to_string();
    server.get_as(&token, LIST).expect(200);
    // The token deletes itself.
    let reply = server.ask(&line("DELETE", &id), &token, Value::Null);
    assert_eq!((reply.status, reply.text()), (204, ""));
    server.get_as(&token, LIST).expect_unauthorized();
    for (method, body) in
        [("GET", Value::Null), ("PATCH", json!({"status": "active"})), ("DELETE", Value::Null)]
    {
        let again = server.operate(&line(method, &id), body);
        again.expect_refusal("404 not found: authorization not found");
    }
    assert!(!server.get(LIST).text().contains(&id));
}

#[test]
fn a_rotated_token_works_until_the_overlap_ends() {
    let server = Server::new();
    let (token, made) = server.token(&["read:buckets"]);
    let path = format!("POST {LIST}/{}/rotate", made.id);
    let refused = server.ask(&path, &token, json!({}));
    refused.expect_code("400 invalid");
    // A token may replace itself without permission to write authorizations.
    let body = json!({"overlapSeconds": 60, "description": "next"});
    let next = server.ask(&path, &token, body).expect(201).json();
    assert_eq!(next["rotatedFrom"], made.id.to_string());
    assert_eq!(next["description"], "next");
    assert_eq!(next["permissions"][0]["resource"]["type"], "buckets");
    let new = next["token"].as_str().unwrap().to_owned();
    let status = |token: &str| server.get_as(token, LIST).status;
    assert_ne!(new, token);
    assert_eq!((status(&token), status(&new)), (200, 200));
    let old = server.get(&format!("{LIST}/{}", made.id)).json();
    assert_eq!(old["expiresAt"], "2026-01-01T00:01:00Z");
    server.clock.advance(Duration::from_secs(59));
    assert_eq!((status(&token), status(&new)), (200, 200));
    // A second rotation does not extend the overlap of the first.
    let rotate = |seconds: u32| server.operate(&path, json!({"overlapSeconds": seconds}));
    rotate(600).expect(201);
    server.clock.advance(Duration::from_secs(1));
    assert_eq!((status(&token), status(&new)), (401, 200));
    rotate(0).expect(400);
}

#[test]
fn an_update_of_an_organization_without_changes_renews_its_time() {
    let server = Server::new();
    let path = format!("/api/v2/orgs/{}", server.org);
    let before = server.get(&path).json();
    for body in [json!({}), json!({"name": "my-org", "description": ""})] {
        server.clock.advance(Duration::from_secs(60));
        let reply = server.patch(&path, body);
        let mut wanted = before.clone();
        wanted["updatedAt"] = json!(server.clock.now());
        assert_eq!(reply.json(), wanted);
    }
}
