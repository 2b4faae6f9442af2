//! `POST /api/v2/authorizations`: refusals, their order and their messages.

use serde_json::{Value, json};
use symbolon_http::{Settings, TokenInReplies};

use crate::server::Server;
use crate::sets::permissions;

const LIST: &str = "/api/v2/authorizations";
const LINE: &str = "POST /api/v2/authorizations";
const UNKNOWN: &str = "0fedcba987654321";

/// Corrects one mistake after another in a request, and expects the refusal of the next.
#[test]
fn refusals_are_in_influxdbs_order() {
    let server = Server::new();
    let (org, user) = (server.org, server.user);
    let mut asked = json!({"status": "none", "description": "d", "permissions": []});
    let no_user = server.issue(org, None, permissions(&["read:dashboards"])).0;
    let invalid = |asked: &Value, message: &str| {
        let reply = server.ask(LINE, &no_user, asked.clone());
        reply.expect_refusal(&format!("400 invalid: {message}"));
    };
    invalid(&asked, "authorization must include permissions");
    asked["permissions"] = json!([{"action": "own", "resource": {"type": "things"}}]);
    let resource_type = "resource type for permission";
    let message = format!("invalid {resource_type}: unknown {resource_type}");
    invalid(&asked, &message);
    asked["permissions"][0]["resource"]["type"] = json!("buckets");
    let message = "invalid action type for permission: unknown action for permission";
    invalid(&asked, message);
    asked["permissions"][0]["action"] = json!("write");
    invalid(&asked, "org id required: invalid ID");
    asked["orgID"] = json!(UNKNOWN);
    invalid(&asked, "invalid status: must be active or inactive");
    asked["status"] = json!("inactive");
    let reply = server.ask(LINE, &no_user, asked.clone());
    let message = reply.expect_code("400 invalid");
    assert!(message.starts_with("unable to create token"), "{message}");

    // From here on the caller has a user. Organization and user of the request do not exist, and
    // the permission is for another organization.
    asked["userID"] = json!(UNKNOWN);
    asked["permissions"][0]["resource"]["orgID"] = json!(org);
    let refused = |held: &[String], asked: &Value, refusal: &str| {
        let reply = server.ask(LINE, &server.token(held).0, asked.clone());
        reply.expect_refusal(refusal);
    };
    let mut held = vec!["read:dashboards".to_owned()];
    let refusal = format!("401 unauthorized: write:orgs/{UNKNOWN}/authorizations is unauthorized");
    refused(&held, &asked, &refusal);
    held.push("write:authorizations".to_owned());
    let refusal = format!("401 unauthorized: write:users/{UNKNOWN} is unauthorized");
    refused(&held, &asked, &refusal);
    held.push(format!("write:users/{UNKNOWN}"));
    held.push(format!("write:users/{user}"));
    let wanted = format!("permission write:orgs/{org}/buckets is not");
    let missing = format!("allowed: write:orgs/{org}/buckets is unauthorized");
    refused(&held, &asked, &format!("403 forbidden: {wanted} {missing}"));
    held.push("write:buckets".to_owned());
    let refusal = format!("400 invalid: {wanted} for org id {UNKNOWN}");
    refused(&held, &asked, &refusal);
    asked["permissions"][0]["resource"]["orgID"] = json!(UNKNOWN);
    refused(&held, &asked, "400 invalid: unable to create token");
    asked["orgID"] = json!(org);
    asked["permissions"][0]["resource"]["orgID"] = json!(org);
    refused(&held, &asked, "400 invalid: unable to create token");
    asked["userID"] = json!(user);
    let made = server.ask(LINE, &server.token(&held).0, asked).expect(201);
    assert_eq!(made.json()["status"], "inactive");
}

#[test]
fn invalid_json_and_invalid_ids_are_refused_first() {
    let server = Server::new();
    let id = |id: &str| json!({"orgID": id, "permissions": []});
    let of = |id: &str| {
        let resource = json!({"type": "buckets", "id": id});
        json!({"orgID": server.org, "permissions": [{"action": "read", "resource": resource}]})
    };
    let length = "id must have a length of 16 bytes";
    for (body, part) in [
        (json!("{"), ""),
        (json!("[1"), ""),
        (id("12"), length),
        (id("000000000000000g"), "invalid ID"),
        (id("0000000000000000"), "invalid ID"),
        (of("12"), length),
        (of("0000000000000000"), "invalid ID"),
    ] {
        let message = server.operate(LINE, body).expect_code("400 invalid");
        assert!(message.starts_with("invalid json structure: "), "{message}");
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn permissions_on_the_instance_and_expiries_in_the_past_are_refused() {
    let server = Server::new();
    let mut asked = json!({
        "orgID": server.org,
        "permissions": [{"action": "read", "resource": {"type": "instance"}}],
    });
    assert_eq!(server.operate(LINE, asked.clone()).refusal().0, 400);
    asked["permissions"][0]["resource"]["type"] = json!("buckets");
    asked["expiresAt"] = json!("2025-12-31T23:59:59Z");
    assert_eq!(server.operate(LINE, asked.clone()).refusal().0, 400);
    asked["expiresAt"] = json!("2026-01-01T03:00:00+02:00");
    let made = server.operate(LINE, asked).json();
    assert_eq!(made["expiresAt"], "2026-01-01T01:00:00Z");
    let token = made["token"].as_str().unwrap();
    server.get_as(token, LIST).expect(200);
    server.clock.advance(std::time::Duration::from_secs(3600));
    server.get_as(token, LIST).expect_unauthorized();
    // An expired authorization is shown as active, with its expiry.
    let shown = server.get(&format!("{LIST}/{}", made["id"].as_str().unwrap()));
    let shown = shown.json();
    assert_eq!(shown["status"], "active");
    assert_eq!(shown["expiresAt"], made["expiresAt"]);
}

#[test]
fn a_reply_has_the_members_of_influxdb_in_its_order() {
    let server = Server::new();
    let org = server.org;
    let bucket = server.create_bucket(org, "b");
    let resources = [
        json!({"type": "buckets", "orgID": org, "id": bucket, "name": "ignored", "org": "x"}),
        json!({"type": "buckets", "orgID": org, "id": UNKNOWN}),
        json!({"type": "buckets", "orgID": org}),
        json!({"type": "users", "id": server.user}),
    ];
    let names = [
        (json!("b"), json!("my-org")),
        (Value::Null, Value::Null),
        (Value::Null, json!("my-org")),
        (json!("anna"), Value::Null),
    ];
    let permissions = resources.map(|resource| json!({"action": "read", "resource": resource}));
    let asked = json!({
        "orgID": org, "permissions": permissions,
        "id": UNKNOWN, "token": "mine", "createdAt": "x", "unknown": 1,
    });
    let reply = server.operate(LINE, asked).expect(201);
    let made = reply.json();
    let keys = "id token status description orgID org userID user permissions links createdAt \
                updatedAt";
    let keys: Vec<_> = keys.split_whitespace().collect();
    let place = |key: &&str| reply.text().find(&format!("\"{key}\":")).unwrap();
    let places: Vec<_> = keys.iter().map(place).collect();
    // Permissions repeat some of the keys, so that the order after them is not compared.
    assert!(places[..9].is_sorted(), "{}", reply.text());
    assert_eq!(made.as_object().unwrap().len(), keys.len());
    let id = made["id"].as_str().unwrap();
    assert_ne!(id, UNKNOWN);
    let (itself, user) = (format!("{LIST}/{id}"), format!("/api/v2/users/{}", server.user));
    for (found, wanted) in [
        (&made["status"], "active"),
        (&made["description"], ""),
        (&made["org"], "my-org"),
        (&made["user"], "anna"),
        (&made["links"]["self"], &itself),
        (&made["links"]["user"], &user),
    ] {
        assert_eq!(found, wanted);
    }
    for (permission, (name, org)) in made["permissions"].as_array().unwrap().iter().zip(&names) {
        let resource = &permission["resource"];
        assert_eq!((&resource["name"], &resource["org"]), (name, org));
    }
    let mut later = server.get(&format!("{LIST}/{id}")).json();
    assert_eq!(later["token"], "");
    later["token"] = made["token"].clone();
    assert_eq!(later, made);
}

#[test]
fn tokens_in_lists_are_empty_or_redacted_as_configured() {
    let settings = Settings::default();
    let mut redacting = settings.clone();
    redacting.token_in_replies = TokenInReplies::Redacted;
    for (settings, shown) in [(settings, ""), (redacting, "redacted")] {
        let list = Server::with(settings).get(LIST).json();
        assert_eq!(list["authorizations"][0]["token"], shown);
    }
}

#[test]
fn an_invalid_credential_is_refused_before_the_body_is_judged() {
    let server = Server::new();
    for body in [json!({}), json!("{")] {
        server.ask(LINE, "no-token", body).expect_unauthorized();
    }
}
