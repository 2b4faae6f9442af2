//! Roles and passwords give no more than the caller holds.

use serde_json::{Value, json};
use symbolon::{Permission, ResourceType, Role};

use crate::server::{Server, texts};
use crate::sets::role;

/// Asserts that a request needs every permission that it gives, except those on users.
fn needs_all(server: &Server, given: &[Permission], line: &str, body: &Value, status: u16) {
    let users = ["write:users".to_owned(), "read:users".to_owned()];
    let mut given = given.to_vec();
    given.retain(|one| one.resource.kind != ResourceType::USERS);
    let given = texts(&given);
    assert!(given.len() > 20);
    let org = format!("write:orgs/{}", server.org);
    for lacking in &given {
        let held = given.iter().filter(|one| *one != lacking).chain(&users);
        let token = server.token(&held.collect::<Vec<_>>()).0;
        let reply = server.ask(line, &token, body.clone());
        // The organization itself must be writable before a role in it is considered.
        let is_org = *lacking == org && line.contains("/orgs/");
        let refusal = if is_org { "401 unauthorized" } else { "403 forbidden" };
        reply.expect_code(refusal);
    }
    let held: Vec<_> = given.iter().chain(&users).collect();
    let reply = server.ask(line, &server.token(&held).0, body.clone());
    reply.expect(status);
}

#[test]
fn giving_a_role_requires_all_permissions_of_the_role() {
    let server = Server::new();
    let body = json!({"id": server.create_user("bert")});
    let line = format!("POST /api/v2/orgs/{}/owners", server.org);
    let owner = role(server.org, Role::Owner);
    needs_all(&server, &owner, &line, &body, 201);
    let line = format!("POST /api/v2/orgs/{}/members", server.org);
    let mut member = role(server.org, Role::Member);
    member.push(format!("write:orgs/{}", server.org).parse().unwrap());
    member.push("read:users".parse().unwrap());
    let give = |held: &[Permission]| {
        let token = server.token(&texts(held)).0;
        server.ask(&line, &token, body.clone())
    };
    give(&member).expect(201);
    member.retain(|one| one.resource.kind != ResourceType::BUCKETS);
    give(&member).expect(403);
}

#[test]
fn setting_a_password_requires_all_permissions_of_the_user() {
    let server = Server::new();
    let other = server.create_org("other");
    let body = json!({"password": "a good password"});
    let user = server.create_user("bert");
    let line = format!("POST /api/v2/users/{user}/password");
    server.add_member(server.org, user, Role::Owner);
    let mut owner = role(server.org, Role::Owner);
    needs_all(&server, &owner, &line, &body, 204);
    // A member of another organization may do more than the owner of this one.
    server.add_member(other, user, Role::Member);
    owner.push("write:users".parse().unwrap());
    let token = server.token(&texts(&owner)).0;
    assert_eq!(server.ask(&line, &token, body.clone()).refusal().0, 403);
    server.operate(&line, body).expect(204);
}

/// Only an import or an embedding program can create such a database token.
#[test]
fn a_database_token_never_manages_database_tokens() {
    let server = Server::new();
    let held = ["read:authorizations", "write:authorizations"];
    let (token, id) = server.database_token(server.org, &held);
    let one = format!("/api/v0/tokens/{}", id.to_uuid());
    let body = json!({"description": "x", "permissions": []});
    for line in [
        "GET /api/v0/tokens".to_owned(),
        "POST /api/v0/tokens".to_owned(),
        format!("GET {one}"),
        format!("PATCH {one}"),
        format!("DELETE {one}"),
    ] {
        server.ask(&line, &token, body.clone()).expect(403);
    }
}
