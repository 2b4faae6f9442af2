//! The names that an authorization shows for the ids in its permissions.

use serde_json::{Value, json};
use symbolon::{Caller, Role};

use crate::server::Server;

const LINE: &str = "POST /api/v2/authorizations";

#[test]
fn a_permission_in_an_organization_shows_no_names_from_other_organizations() {
    let server = Server::new();
    let engine = &server.engine;
    let root = Caller::Root;
    let org = server.org;
    let other = server.create_org("their-org");
    let own_bucket = server.create_bucket(org, "mine");
    let their_bucket = server.create_bucket(other, "theirs");
    let member = server.create_user("member");
    server.add_member(org, member, Role::Member);
    let outsider = server.create_user("outsider");
    server.add_member(other, outsider, Role::Owner);
    let absent = "0fedcba987654321";

    // A caller that holds all of a type in its organization may grant any id of that type.
    let (token, _) = server.token(&[
        format!("read:orgs/{org}/buckets"),
        format!("read:orgs/{org}/users"),
        format!("read:orgs/{org}"),
        format!("write:orgs/{org}/authorizations"),
        format!("write:users/{}", server.user),
    ]);
    let create = |kind: &str, id: &str| {
        let resource = json!({"type": kind, "id": id, "orgID": org});
        let body = json!({"orgID": org, "permissions": [{"action": "read", "resource": resource}]});
        let made = server.ask(LINE, &token, body).expect(201).json();
        let id = made["id"].as_str().unwrap();
        let shown = server.get(&format!("/api/v2/authorizations/{id}"));
        assert_eq!(shown.json()["permissions"], made["permissions"]);
        let resource = &made["permissions"][0]["resource"];
        (resource["name"].clone(), resource["org"].clone())
    };
    let (own_bucket_id, member_id) = (own_bucket.to_string(), member.to_string());
    let no_names = (Value::Null, Value::Null);
    let own_org = json!("my-org");
    assert_eq!(create("buckets", &own_bucket_id), (json!("mine"), own_org.clone()));
    assert_eq!(create("users", &member_id), (json!("member"), own_org));
    for (kind, id) in [
        ("buckets", their_bucket.to_string()),
        ("buckets", absent.to_owned()),
        ("users", outsider.to_string()),
        ("users", absent.to_owned()),
    ] {
        assert_eq!(create(kind, &id), no_names, "{kind} {id}");
    }
    // Nor does it name an unregistered bucket or a former member.
    engine.admin(root).buckets().delete(own_bucket).unwrap();
    engine.admin(root).organizations().remove_member(org, member).unwrap();
    assert_eq!(create("buckets", &own_bucket_id), no_names);
    assert_eq!(create("users", &member_id), no_names);
}

#[test]
fn an_organization_is_named_in_its_own_permissions_and_in_unscoped_ones() {
    let server = Server::new();
    let other = server.create_org("their-org");
    for (id, org, name) in [
        (server.org, Some(server.org), json!("my-org")),
        (other, Some(server.org), Value::Null),
        (other, None, json!("their-org")),
    ] {
        let resource = json!({"type": "orgs", "id": id, "orgID": org});
        let permissions = json!([{"action": "read", "resource": resource}]);
        let body = json!({"orgID": server.org, "permissions": permissions});
        let made = server.operate(LINE, body).expect(201).json();
        assert_eq!(made["permissions"][0]["resource"]["name"], name);
    }
}
