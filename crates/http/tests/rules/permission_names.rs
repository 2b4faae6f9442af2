//! The names that an authorization shows beside the ids of its permissions.

use serde_json::{Value, json};
use symbolon::{Caller, Role};

use crate::server::Server;

const LINE: &str = "POST /api/v2/authorizations";

#[test]
fn organization_scoped_permissions_reveal_no_foreign_names() {
    let server = Server::new();
    let issuer = server.engine.issuer();
    let root = Caller::Root;
    let org = server.org;
    let bucket = |org, name| issuer.register_bucket(&root, org, name).unwrap().id;
    let other = issuer
        .create_organization(&root, "their-org", "")
        .unwrap()
        .id;
    let (own_bucket, their_bucket) = (bucket(org, "mine"), bucket(other, "theirs"));
    let member = issuer.create_user(&root, "member", None).unwrap().id;
    issuer.add_member(&root, org, member, Role::Member).unwrap();
    let stranger = issuer.create_user(&root, "stranger", None).unwrap().id;
    issuer
        .add_member(&root, other, stranger, Role::Owner)
        .unwrap();
    let absent = "0fedcba987654321";

    // Whoever holds all of a type in its organization may grant one id of it, whatever that is of.
    let held = ["buckets", "users", "orgs"].map(|kind| format!("read:orgs/{org}/{kind}"));
    let mut held = held.to_vec();
    held[2] = format!("read:orgs/{org}");
    held.push(format!("write:orgs/{org}/authorizations"));
    held.push(format!("write:users/{}", server.user.id));
    let (token, _) = server.token(&held);
    let ask = |kind: &str, id: &str| {
        let resource = json!({"type": kind, "id": id, "orgID": org});
        let body = json!({"orgID": org, "permissions": [{"action": "read", "resource": resource}]});
        let made = server.ask(LINE, &token, body);
        assert_eq!(made.status, 201, "{}", made.text());
        let made = made.json();
        let line = format!(
            "GET /api/v2/authorizations/{}",
            made["id"].as_str().unwrap()
        );
        let shown = server.operate(&line, Value::Null).json();
        assert_eq!(shown["permissions"], made["permissions"]);
        let resource = &made["permissions"][0]["resource"];
        (resource["name"].clone(), resource["org"].clone())
    };
    let named = |name: &str| (json!(name), json!("my-org"));
    let nothing = (Value::Null, Value::Null);
    assert_eq!(ask("buckets", &own_bucket.to_string()), named("mine"));
    assert_eq!(ask("users", &member.to_string()), named("member"));
    for id in [their_bucket.to_string(), absent.to_owned()] {
        assert_eq!(ask("buckets", &id), nothing, "{id}");
    }
    for id in [stranger.to_string(), absent.to_owned()] {
        assert_eq!(ask("users", &id), nothing, "{id}");
    }
    // What is forgotten, or belongs no more, is named no more.
    issuer.unregister_bucket(&root, own_bucket).unwrap();
    issuer.remove_member(&root, org, member).unwrap();
    assert_eq!(ask("buckets", &own_bucket.to_string()), nothing);
    assert_eq!(ask("users", &member.to_string()), nothing);
}

#[test]
fn organization_names_are_shown_in_own_and_unscoped_permissions() {
    let server = Server::new();
    let issuer = server.engine.issuer();
    let other = issuer
        .create_organization(&Caller::Root, "their-org", "")
        .unwrap()
        .id;
    let ask = |id: symbolon::Id, org: Option<symbolon::Id>| {
        let resource = json!({"type": "orgs", "id": id, "orgID": org});
        let body =
            json!({"orgID": server.org, "permissions": [{"action": "read", "resource": resource}]});
        let made = server.operate(LINE, body);
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["permissions"][0]["resource"]["name"].clone()
    };
    assert_eq!(ask(server.org, Some(server.org)), "my-org");
    assert_eq!(ask(other, Some(server.org)), Value::Null);
    assert_eq!(ask(other, None), "their-org");
}
