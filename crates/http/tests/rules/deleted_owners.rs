//! What is left of a deleted user or organization: nothing.

use serde_json::{Value, json};
use symbolon::{Caller, OrganizationEdit, Role, Transition};

use crate::server::Server;

const LIST: &str = "GET /api/v2/authorizations";

fn told(status: u16, code: &str, message: &str) -> (u16, String, String) {
    (status, code.to_owned(), message.to_owned())
}

/// Of what was made for a user or organization, all is gone once it is deleted, and the name is free.
#[test]
fn tokens_of_deleted_owners_are_hidden() {
    let server = Server::new();
    let issuer = server.engine.issuer();
    let root = Caller::Root;
    let held = ["read:authorizations".to_owned()];
    let user = issuer.create_user(&root, "bert", None).unwrap().id;
    let org = issuer.create_organization(&root, "other", "").unwrap().id;
    issuer.add_member(&root, org, user, Role::Owner).unwrap();
    let of_user = server.token_of(server.org, Some(user), &held);
    let of_org = server.token_of(org, Some(server.user.id), &held);
    for (kind, key, id, name, (token, made)) in [
        ("users", "name", user, "bert", of_user),
        ("orgs", "org", org, "other", of_org),
    ] {
        let line = |method: &str| format!("{method} /api/v2/{kind}/{id}");
        let one = format!("/api/v2/authorizations/{}", made.id);
        assert_eq!(server.ask(LIST, &token, Value::Null).status, 200);
        assert_eq!(server.operate(&line("DELETE"), Value::Null).status, 204);
        let dead = told(401, "unauthorized", "unauthorized access");
        assert_eq!(server.ask(LIST, &token, Value::Null).refusal(), dead);
        assert!(
            !server
                .operate(LIST, Value::Null)
                .text()
                .contains(&made.id.to_string())
        );
        let by_token = format!("{LIST}?token={token}");
        let found = server.operate(&by_token, Value::Null).json();
        assert_eq!(found["authorizations"], json!([]));
        let unknown = told(404, "not found", "authorization not found");
        for line in [
            format!("GET {one}"),
            format!("DELETE {one}"),
            format!("{LIST}?id={}", made.id),
        ] {
            assert_eq!(
                server.operate(&line, Value::Null).refusal(),
                unknown,
                "{line}"
            );
        }
        for status in ["active", "inactive"] {
            let change = server.operate(&format!("PATCH {one}"), json!({"status": status}));
            assert_eq!(change.refusal(), unknown);
        }
        assert_eq!(server.operate(&line("GET"), Value::Null).refusal().0, 404);
        assert_eq!(
            server.operate(&line("DELETE"), Value::Null).refusal().0,
            404
        );
        let named = server.operate(&format!("GET /api/v2/{kind}?{key}={name}"), Value::Null);
        assert_eq!(named.refusal().0, 404);
        // The name is free, and what it stands for now has nothing of the old.
        let again = server.operate(&format!("POST /api/v2/{kind}"), json!({"name": name}));
        assert_eq!(again.status, 201, "{}", again.text());
        assert_ne!(again.json()["id"], id.to_string());
        let taken = server.operate(&format!("POST /api/v2/{kind}"), json!({"name": name}));
        assert_eq!(
            (taken.refusal().0, taken.refusal().1.as_str()),
            (422, "conflict")
        );
        assert_eq!(server.ask(LIST, &token, Value::Null).refusal(), dead);
        let filter = if kind == "users" { "user" } else { "org" };
        let list = server
            .operate(&format!("{LIST}?{filter}={name}"), Value::Null)
            .json();
        assert_eq!(list["authorizations"], json!([]));
    }
    // Nor is a deleted organization one of its members'.
    let carl = issuer.create_user(&root, "carl", None).unwrap().id;
    let org = issuer.create_organization(&root, "third", "").unwrap().id;
    issuer.add_member(&root, org, carl, Role::Owner).unwrap();
    assert_eq!(
        server
            .operate(&format!("DELETE /api/v2/orgs/{org}"), Value::Null)
            .status,
        204
    );
    let orgs = server
        .operate(&format!("GET /api/v2/orgs?userID={carl}"), Value::Null)
        .json();
    assert_eq!(orgs["orgs"], json!([]));
    let members = server.operate(&format!("GET /api/v2/orgs/{org}/owners"), Value::Null);
    assert_eq!(members.refusal().0, 404);
}

#[test]
fn inactive_owners_are_reported_and_can_be_reactivated() {
    let server = Server::new();
    let issuer = server.engine.issuer();
    let root = Caller::Root;
    let held = ["read:authorizations".to_owned()];
    let inactive = told(403, "forbidden", "User is inactive");
    let user = issuer.create_user(&root, "bert", None).unwrap().id;
    let token = server.token_of(server.org, Some(user), &held).0;
    let line = format!("PATCH /api/v2/users/{user}");
    assert_eq!(
        server.operate(&line, json!({"status": "inactive"})).json()["status"],
        "inactive"
    );
    assert_eq!(server.ask(LIST, &token, Value::Null).refusal(), inactive);
    assert_eq!(
        server.operate(&line, json!({"status": "active"})).json()["status"],
        "active"
    );
    assert_eq!(server.ask(LIST, &token, Value::Null).status, 200);

    let org = issuer.create_organization(&root, "other", "").unwrap().id;
    let token = server.token_of(org, None, &held).0;
    let switch = |transition| {
        let edit = OrganizationEdit {
            transition: Some(transition),
            ..OrganizationEdit::default()
        };
        issuer.edit_organization(&root, org, &edit).unwrap();
    };
    switch(Transition::Deactivate);
    assert_eq!(server.ask(LIST, &token, Value::Null).refusal(), inactive);
    switch(Transition::Activate);
    assert_eq!(server.ask(LIST, &token, Value::Null).status, 200);
}
