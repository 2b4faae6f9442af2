//! `POST /api/v2/authorizations`: what is refused, in which order, with which text.

use serde_json::{Value, json};

use crate::server::Server;

const LINE: &str = "POST /api/v2/authorizations";
const UNKNOWN: &str = "0fedcba987654321";

/// A request that everything is wrong with; each step mends one thing, and so sees the next refusal.
#[test]
fn errors_are_reported_in_the_order_of_influxdb() {
    let server = Server::new();
    let (org, user) = (server.org, server.user.id);
    let mut asked = json!({
        "status": "none",
        "description": "d",
        "permissions": [],
    });
    let refused = |token: &str, asked: &Value, status: u16, code: &str, message: &str| {
        let told = server.ask(LINE, token, asked.clone()).refusal();
        assert_eq!(
            told,
            (status, code.to_owned(), message.to_owned()),
            "{asked}"
        );
    };
    let nobody = server
        .token_of(org, None, &["read:dashboards".to_owned()])
        .0;
    let invalid = |asked: &Value, message: &str| refused(&nobody, asked, 400, "invalid", message);

    invalid(&asked, "authorization must include permissions");
    asked["permissions"] = json!([{"action": "own", "resource": {"type": "things"}}]);
    invalid(
        &asked,
        "invalid resource type for permission: unknown resource type for permission",
    );
    asked["permissions"][0]["resource"]["type"] = json!("buckets");
    invalid(
        &asked,
        "invalid action type for permission: unknown action for permission",
    );
    asked["permissions"][0]["action"] = json!("write");
    invalid(&asked, "org id required: invalid ID");
    asked["orgID"] = json!(UNKNOWN);
    invalid(&asked, "invalid status: must be active or inactive");
    asked["status"] = json!("inactive");
    let told = server.ask(LINE, &nobody, asked.clone()).refusal();
    assert_eq!((told.0, told.1.as_str()), (400, "invalid"));
    assert!(told.2.starts_with("unable to create token"), "{}", told.2);

    // From here on the caller has a user; what is asked for is of an organization and a user that are not there, and for a
    // third organization.
    asked["userID"] = json!(UNKNOWN);
    asked["permissions"][0]["resource"]["orgID"] = json!(org);
    let holding = |held: &[String]| server.token(held).0;
    let mut held = vec!["read:dashboards".to_owned()];
    let text = format!("write:orgs/{UNKNOWN}/authorizations is unauthorized");
    refused(&holding(&held), &asked, 401, "unauthorized", &text);
    held.push("write:authorizations".to_owned());
    let text = format!("write:users/{UNKNOWN} is unauthorized");
    refused(&holding(&held), &asked, 401, "unauthorized", &text);
    held.push(format!("write:users/{UNKNOWN}"));
    held.push(format!("write:users/{user}"));
    let wanted = format!("write:orgs/{org}/buckets");
    let text = format!("permission {wanted} is not allowed: {wanted} is unauthorized");
    refused(&holding(&held), &asked, 403, "forbidden", &text);
    held.push("write:buckets".to_owned());
    let text = format!("permission {wanted} is not for org id {UNKNOWN}");
    refused(&holding(&held), &asked, 400, "invalid", &text);
    asked["permissions"][0]["resource"]["orgID"] = json!(UNKNOWN);
    refused(
        &holding(&held),
        &asked,
        400,
        "invalid",
        "unable to create token",
    );
    asked["orgID"] = json!(org);
    asked["permissions"][0]["resource"]["orgID"] = json!(org);
    refused(
        &holding(&held),
        &asked,
        400,
        "invalid",
        "unable to create token",
    );
    asked["userID"] = json!(user);
    let made = server.ask(LINE, &holding(&held), asked);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["status"], "inactive");
}

#[test]
fn syntax_errors_are_reported_first() {
    let server = Server::new();
    let id = |id: &str| json!({"orgID": id, "permissions": []});
    let of = |id: &str| {
        let resource = json!({"type": "buckets", "id": id});
        json!({"orgID": server.org, "permissions": [{"action": "read", "resource": resource}]})
    };
    let length = "id must have a length of 16 bytes";
    for (body, ending) in [
        (Value::String("{".to_owned()), ""),
        (Value::String("[1".to_owned()), ""),
        (id("12"), length),
        (id("000000000000000g"), "invalid ID"),
        (id("0000000000000000"), "invalid ID"),
        (of("12"), length),
        (of("0000000000000000"), "invalid ID"),
    ] {
        let (status, code, message) = server.operate(LINE, body.clone()).refusal();
        assert_eq!((status, code.as_str()), (400, "invalid"), "{body}");
        assert!(message.starts_with("invalid json structure: "), "{message}");
        assert!(message.contains(ending), "{message}");
    }
}

#[test]
fn instance_permissions_and_past_expiries_are_rejected() {
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
    let token = made["token"].as_str().unwrap().to_owned();
    assert_eq!(
        server
            .ask("GET /api/v2/authorizations", &token, Value::Null)
            .status,
        200
    );
    server.clock.advance(std::time::Duration::from_secs(3600));
    let over = server
        .ask("GET /api/v2/authorizations", &token, Value::Null)
        .refusal();
    assert_eq!((over.0, over.2.as_str()), (401, "unauthorized access"));
    // An expired one is shown as active, with its time.
    let line = format!(
        "GET /api/v2/authorizations/{}",
        made["id"].as_str().unwrap()
    );
    let shown = server.operate(&line, Value::Null).json();
    assert_eq!(
        (&shown["status"], &shown["expiresAt"]),
        (&json!("active"), &made["expiresAt"])
    );
}

#[test]
fn replies_have_the_keys_of_influxdb_in_order() {
    let server = Server::new();
    let bucket = server.engine.issuer();
    let bucket = bucket
        .register_bucket(&symbolon::Caller::Root, server.org, "b")
        .unwrap()
        .id;
    let resource = |more: Value| {
        let mut resource = json!({"type": "buckets", "orgID": server.org});
        resource
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"action": "read", "resource": resource})
    };
    let asked = json!({
        "orgID": server.org,
        "id": UNKNOWN, "token": "mine", "createdAt": "x", "unknown": 1,
        "permissions": [
            resource(json!({"id": bucket, "name": "not this", "org": "nor this"})),
            resource(json!({"id": UNKNOWN})),
            resource(json!({})),
            {"action": "write", "resource": {"type": "users", "id": server.user.id}},
        ],
    });
    let reply = server.operate(LINE, asked);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let made = reply.json();
    let keys = [
        "id",
        "token",
        "status",
        "description",
        "orgID",
        "org",
        "userID",
        "user",
        "permissions",
        "links",
        "createdAt",
        "updatedAt",
    ];
    let places: Vec<_> = keys
        .iter()
        .map(|key| reply.text().find(&format!("\"{key}\":")).unwrap())
        .collect();
    let orders = |key: &str| keys.iter().position(|one| *one == key).unwrap();
    // Within permissions the keys come again, so that only those before and after are compared.
    assert!(
        places[..=orders("permissions")].is_sorted(),
        "{}",
        reply.text()
    );
    assert_eq!(
        made.as_object().unwrap().len(),
        keys.len(),
        "{}",
        reply.text()
    );
    let id = made["id"].as_str().unwrap();
    assert_ne!(id, UNKNOWN);
    assert_eq!(made["status"], "active");
    assert_eq!(made["description"], "");
    assert_eq!(
        (&made["org"], &made["user"]),
        (&json!("my-org"), &json!("anna"))
    );
    assert_eq!(
        made["links"]["self"],
        format!("/api/v2/authorizations/{id}")
    );
    assert_eq!(
        made["links"]["user"],
        format!("/api/v2/users/{}", server.user.id)
    );
    let resources = made["permissions"].as_array().unwrap();
    let named = |at: usize, key: &str| resources[at]["resource"][key].clone();
    assert_eq!(
        (named(0, "name"), named(0, "org")),
        (json!("b"), json!("my-org"))
    );
    assert_eq!(
        (named(1, "name"), named(1, "org")),
        (Value::Null, Value::Null)
    );
    assert_eq!(
        (named(2, "name"), named(2, "org")),
        (Value::Null, json!("my-org"))
    );
    assert_eq!(
        (named(3, "name"), named(3, "org")),
        (json!("anna"), Value::Null)
    );

    let line = format!("GET /api/v2/authorizations/{id}");
    let mut later = server.operate(&line, Value::Null).json();
    assert_eq!(later["token"], "");
    later["token"] = made["token"].clone();
    assert_eq!(later, made);
}

#[test]
fn tokens_are_redacted_when_configured() {
    let settings = symbolon_http::Settings::default();
    let mut redacting = settings.clone();
    redacting.token_in_replies = symbolon_http::TokenInReplies::Redacted;
    for (settings, told) in [(settings, ""), (redacting, "redacted")] {
        let server = Server::with(settings);
        let list = server
            .operate("GET /api/v2/authorizations", Value::Null)
            .json();
        assert_eq!(list["authorizations"][0]["token"], told);
    }
}

/// The order of step 1 to 6 does not depend on what the caller may do.
#[test]
fn a_revoked_caller_is_rejected_before_anything_else() {
    let server = Server::new();
    for body in [json!({}), Value::String("{".to_owned())] {
        let told = server.ask(LINE, "no-token", body).refusal();
        assert_eq!(
            told,
            (
                401,
                "unauthorized".to_owned(),
                "unauthorized access".to_owned()
            )
        );
    }
}
