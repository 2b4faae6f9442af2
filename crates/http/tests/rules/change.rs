//! `PATCH`, `DELETE` and `/rotate` of one authorization.

use std::time::Duration;

use serde_json::{Value, json};
use symbolon::Clock;

use crate::server::Server;

const LIST: &str = "GET /api/v2/authorizations";

fn told(status: u16, code: &str, message: &str) -> (u16, String, String) {
    (status, code.to_owned(), message.to_owned())
}

fn line(method: &str, id: &str) -> String {
    format!("{method} /api/v2/authorizations/{id}")
}

#[test]
fn updates_accept_whole_objects_but_apply_only_status_and_description() {
    let server = Server::new();
    let (token, made) = server.token(&["read:buckets".to_owned()]);
    let id = made.id.to_string();
    let before = server.operate(&line("GET", &id), Value::Null).json();
    server.clock.advance(Duration::from_secs(60));
    // As InfluxDB's Python client sends it.
    let mut sent = before.clone();
    sent["createdAt"] = json!("2026-01-01T00:00:00.123456+00:00");
    sent["updatedAt"] = json!("2026-01-01T00:00:00.123456+00:00");
    sent["description"] = json!("another");
    sent["status"] = json!("inactive");
    for key in ["id", "orgID", "userID"] {
        sent[key] = json!("0fedcba987654321");
    }
    sent["token"] = json!("mine");
    sent["permissions"] = json!([{"action": "write", "resource": {"type": "buckets"}}]);
    let reply = server.operate(&line("PATCH", &id), sent);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut wanted = before.clone();
    wanted["description"] = json!("another");
    wanted["status"] = json!("inactive");
    wanted["updatedAt"] = json!("2026-01-01T00:01:00Z");
    assert_eq!(reply.json(), wanted);
    assert_eq!(
        server.operate(&line("GET", &id), Value::Null).json(),
        wanted
    );
    let refused = server.ask(LIST, &token, Value::Null).refusal();
    assert_eq!(refused, told(401, "unauthorized", "token is inactive"));

    // Nothing given, or null, or what holds already leaves all as it is but for the time; an empty status is active.
    for body in [
        json!({}),
        json!({"status": null, "description": null}),
        json!({"status": "inactive", "description": "another"}),
    ] {
        server.clock.advance(Duration::from_secs(60));
        let reply = server.operate(&line("PATCH", &id), body);
        wanted["updatedAt"] = json!(server.clock.now());
        assert_eq!(reply.json(), wanted);
        let shown = server.operate(&line("GET", &id), Value::Null);
        assert_eq!(shown.json(), wanted);
    }
    let reply = server
        .operate(&line("PATCH", &id), json!({"status": ""}))
        .json();
    assert_eq!(reply["status"], "active");
    assert_eq!(server.ask(LIST, &token, Value::Null).status, 200);
}

#[test]
fn invalid_input_is_reported() {
    let server = Server::new();
    let id = server.token(&["read:buckets".to_owned()]).1.id.to_string();
    let bad = server.operate(&line("PATCH", &id), json!({"status": "on"}));
    let message = "encodeAuthorization: unknown authorization status";
    assert_eq!(bad.refusal(), told(400, "invalid", message));
    let bad = server.operate(&line("PATCH", &id), json!("{")).refusal();
    assert_eq!((bad.0, bad.1.as_str()), (400, "invalid"));
    assert!(bad.2.starts_with("invalid json structure: "), "{}", bad.2);
    for method in ["GET", "PATCH", "DELETE"] {
        let ask = |id: &str| server.operate(&line(method, id), json!({})).refusal();
        let length = "id must have a length of 16 bytes";
        assert_eq!(ask("12"), told(400, "invalid", length));
        assert_eq!(ask("000000000000000g"), told(400, "invalid", "invalid ID"));
        assert_eq!(ask("0000000000000000"), told(400, "invalid", "invalid ID"));
        let unknown = told(404, "not found", "authorization not found");
        assert_eq!(ask("0fedcba987654321"), unknown);
    }
    let shown = server.operate(&line("GET", &id.to_uppercase()), Value::Null);
    assert_eq!(shown.json()["id"], id);
}

#[test]
fn deleted_authorizations_disappear_immediately_and_permanently() {
    let server = Server::new();
    let (token, made) = server.token(&["write:authorizations".to_owned()]);
    let id = made.id.to_string();
    assert_eq!(server.ask(LIST, &token, Value::Null).status, 200);
    // By itself.
    let reply = server.ask(&line("DELETE", &id), &token, Value::Null);
    assert_eq!((reply.status, reply.text()), (204, ""));
    let refused = server.ask(LIST, &token, Value::Null).refusal();
    assert_eq!(refused, told(401, "unauthorized", "unauthorized access"));
    for method in ["GET", "PATCH", "DELETE"] {
        let body = Some(json!({"status": "active"})).filter(|_| method == "PATCH");
        let again = server.operate(&line(method, &id), body.unwrap_or_default());
        let unknown = told(404, "not found", "authorization not found");
        assert_eq!(again.refusal(), unknown, "{method}");
    }
    assert!(!server.operate(LIST, Value::Null).text().contains(&id));
}

#[test]
fn a_rotated_token_works_until_the_overlap_ends() {
    let server = Server::new();
    let (token, made) = server.token(&["read:buckets".to_owned()]);
    let path = format!("POST /api/v2/authorizations/{}/rotate", made.id);
    assert_eq!(server.ask(&path, &token, json!({})).refusal().0, 400);
    // It may replace itself, though it may not write authorizations.
    let reply = server.ask(
        &path,
        &token,
        json!({"overlapSeconds": 60, "description": "next"}),
    );
    assert_eq!(reply.status, 201, "{}", reply.text());
    let next = reply.json();
    assert_eq!(next["rotatedFrom"], made.id.to_string());
    assert_eq!(next["description"], "next");
    assert_eq!(next["permissions"][0]["resource"]["type"], "buckets");
    let new = next["token"].as_str().unwrap().to_owned();
    let works = |token: &str| server.ask(LIST, token, Value::Null).status;
    assert_ne!(new, token);
    assert_eq!((works(&token), works(&new)), (200, 200));
    let old = server
        .operate(&line("GET", &made.id.to_string()), Value::Null)
        .json();
    assert_eq!(old["expiresAt"], "2026-01-01T00:01:00Z");
    server.clock.advance(Duration::from_secs(59));
    assert_eq!((works(&token), works(&new)), (200, 200));
    // Rotated again, it lives no longer for it.
    let again = server.operate(&path, json!({"overlapSeconds": 600}));
    assert_eq!(again.status, 201, "{}", again.text());
    server.clock.advance(Duration::from_secs(1));
    assert_eq!((works(&token), works(&new)), (401, 200));
    assert_eq!(
        server.operate(&path, json!({"overlapSeconds": 0})).status,
        400
    );
}

#[test]
fn an_unchanged_organization_gets_a_new_update_time() {
    let server = Server::new();
    let path = format!("/api/v2/orgs/{}", server.org);
    let before = server.operate(&format!("GET {path}"), Value::Null).json();
    for body in [json!({}), json!({"name": "my-org", "description": ""})] {
        server.clock.advance(Duration::from_secs(60));
        let reply = server.operate(&format!("PATCH {path}"), body);
        let mut wanted = before.clone();
        wanted["updatedAt"] = json!(server.clock.now());
        assert_eq!(reply.json(), wanted);
    }
}
