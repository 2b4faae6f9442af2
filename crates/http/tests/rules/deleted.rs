//! Deleted and inactive users and organizations.

use serde_json::{Value, json};
use symbolon::{Role, Transition};

use crate::server::Server;
use crate::sets::permissions;

const LIST: &str = "/api/v2/authorizations";
const HELD: [&str; 1] = ["read:authorizations"];

#[test]
fn deleting_a_user_or_organization_deletes_its_tokens_and_frees_its_name() {
    let server = Server::new();
    let user = server.create_user("bert");
    let org = server.create_org("other");
    server.add_member(org, user, Role::Owner);
    let of_user = server.issue(server.org, Some(user), permissions(&HELD));
    let of_org = server.issue(org, Some(server.user), permissions(&HELD));
    for (kind, filter, list_filter, id, name, (token, made)) in [
        ("users", "name", "user", user, "bert", of_user),
        ("orgs", "org", "org", org, "other", of_org),
    ] {
        let path = format!("/api/v2/{kind}/{id}");
        let one = format!("{LIST}/{}", made.id);
        server.get_as(&token, LIST).expect(200);
        server.delete(&path).expect(204);
        server.get_as(&token, LIST).expect_unauthorized();
        assert!(!server.get(LIST).text().contains(&made.id.to_string()));
        let found = server.get(&format!("{LIST}?token={token}")).json();
        assert_eq!(found["authorizations"], json!([]));
        for (line, body) in [
            (format!("GET {one}"), Value::Null),
            (format!("DELETE {one}"), Value::Null),
            (format!("GET {LIST}?id={}", made.id), Value::Null),
            (format!("PATCH {one}"), json!({"status": "active"})),
            (format!("PATCH {one}"), json!({"status": "inactive"})),
        ] {
            let reply = server.operate(&line, body);
            reply.expect_refusal("404 not found: authorization not found");
        }
        assert_eq!(server.get(&path).refusal().0, 404);
        assert_eq!(server.delete(&path).refusal().0, 404);
        let named = server.get(&format!("/api/v2/{kind}?{filter}={name}"));
        assert_eq!(named.refusal().0, 404);
        // The name is free, and its new owner has nothing of the old one.
        let create = || server.operate(&format!("POST /api/v2/{kind}"), json!({"name": name}));
        assert_ne!(create().expect(201).json()["id"], id.to_string());
        create().expect_code("422 conflict");
        server.get_as(&token, LIST).expect_unauthorized();
        let list = server.get(&format!("{LIST}?{list_filter}={name}")).json();
        assert_eq!(list["authorizations"], json!([]));
    }
    // A deleted organization is not listed for its members.
    let carl = server.create_user("carl");
    let org = server.create_org("third");
    server.add_member(org, carl, Role::Owner);
    let path = format!("/api/v2/orgs/{org}");
    server.delete(&path).expect(204);
    let orgs = server.get(&format!("/api/v2/orgs?userID={carl}")).json();
    assert_eq!(orgs["orgs"], json!([]));
    assert_eq!(server.get(&format!("{path}/owners")).refusal().0, 404);
}

#[test]
fn tokens_of_an_inactive_user_or_organization_work_again_after_activation() {
    let server = Server::new();
    let user = server.create_user("bert");
    let org = server.create_org("other");
    let of_user = server.issue(server.org, Some(user), permissions(&HELD)).0;
    let of_org = server.issue(org, None, permissions(&HELD)).0;
    let switch_user = |transition| {
        let status = match transition {
            Transition::Activate => "active",
            _ => "inactive",
        };
        let path = format!("/api/v2/users/{user}");
        let reply = server.patch(&path, json!({"status": status}));
        assert_eq!(reply.json()["status"], status);
    };
    let switch_org = |transition| server.change_org(org, transition);
    let both: [(_, &dyn Fn(Transition)); 2] = [(of_user, &switch_user), (of_org, &switch_org)];
    for (token, switch) in both {
        switch(Transition::Deactivate);
        let refused = server.get_as(&token, LIST);
        refused.expect_refusal("403 forbidden: User is inactive");
        switch(Transition::Activate);
        server.get_as(&token, LIST).expect(200);
    }
}
