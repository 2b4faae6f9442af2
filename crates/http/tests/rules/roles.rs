//! Roles and passwords are no way round what a caller holds: whoever can make somebody, or become somebody, holds all that
//! this one may.

use serde_json::json;
use symbolon::{Caller, Id, NewAuthorization, Origin, Permission, ResourceType, Role, Schema};

use crate::server::Server;
use crate::sets::permissions;

/// All that a caller needs who gives this, without what it gives itself; and what it gives, which no single one may lack.
fn tried(server: &Server, given: &[Permission], line: &str, body: &serde_json::Value, done: u16) {
    let indexed_state = ["write:users".to_owned(), "read:users".to_owned()];
    let counts = |one: &&Permission| one.resource.kind != ResourceType::USERS;
    let given: Vec<_> = given
        .iter()
        .filter(counts)
        .map(ToString::to_string)
        .collect();
    assert!(given.len() > 20);
    let own = format!("write:orgs/{}", server.org);
    for lacking in &given {
        let held = given
            .iter()
            .filter(|one| *one != lacking)
            .chain(&indexed_state);
        let token = server.token(&held.cloned().collect::<Vec<_>>()).0;
        let told = server.ask(line, &token, body.clone()).refusal();
        // Without the permission on the organization it is refused before anything is given.
        let wanted = match *lacking == own && line.contains("/orgs/") {
            true => (401, "unauthorized"),
            false => (403, "forbidden"),
        };
        assert_eq!(
            (told.0, told.1.as_str()),
            wanted,
            "{line} without {lacking}"
        );
    }
    let held: Vec<_> = given.iter().chain(&indexed_state).cloned().collect();
    let reply = server.ask(line, &server.token(&held).0, body.clone());
    assert_eq!(reply.status, done, "{line}: {}", reply.text());
}

#[test]
fn giving_a_role_requires_all_its_permissions() {
    let server = Server::new();
    let user = server.engine.issuer();
    let user = user.create_user(&Caller::Root, "bert", None).unwrap().id;
    let line = format!("POST /api/v2/orgs/{}/owners", server.org);
    let owner = Schema::influxdb_owner(server.org);
    tried(&server, &owner, &line, &json!({"id": user}), 201);
    let line = format!("POST /api/v2/orgs/{}/members", server.org);
    let mut member = Schema::influxdb_member(server.org);
    member.push(format!("write:orgs/{}", server.org).parse().unwrap());
    let token = |given: &[Permission]| {
        let texts: Vec<_> = given.iter().map(ToString::to_string).collect();
        server
            .token(&[texts, vec!["read:users".to_owned()]].concat())
            .0
    };
    let give = |given: &[Permission]| server.ask(&line, &token(given), json!({"id": user})).status;
    assert_eq!(give(&member), 201);
    member.retain(|one| one.resource.kind != ResourceType::BUCKETS);
    assert_eq!(give(&member), 403);
}

#[test]
fn setting_a_password_requires_all_permissions_of_the_user() {
    let server = Server::new();
    let issuer = server.engine.issuer();
    let other = issuer
        .create_organization(&Caller::Root, "other", "")
        .unwrap()
        .id;
    let line = |user: Id| format!("POST /api/v2/users/{user}/password");
    let body = json!({"password": "a good password"});
    let user = issuer.create_user(&Caller::Root, "bert", None).unwrap().id;
    issuer
        .add_member(&Caller::Root, server.org, user, Role::Owner)
        .unwrap();
    tried(
        &server,
        &Schema::influxdb_owner(server.org),
        &line(user),
        &body,
        204,
    );
    // In another organization too, it may more than this caller.
    issuer
        .add_member(&Caller::Root, other, user, Role::Member)
        .unwrap();
    let owner = Schema::influxdb_owner(server.org);
    let texts: Vec<_> = owner.iter().map(ToString::to_string).collect();
    let token = server
        .token(&[texts, vec!["write:users".to_owned()]].concat())
        .0;
    assert_eq!(
        server.ask(&line(user), &token, body.clone()).refusal().0,
        403
    );
    assert_eq!(server.operate(&line(user), body).status, 204);
}

/// Only an import or the linking program can give one a permission that is not for databases.
#[test]
fn database_tokens_never_manage_database_tokens() {
    let server = Server::new();
    let held = ["read", "write"].map(|action| format!("{action}:authorizations"));
    let new = |held: &[String]| NewAuthorization {
        origin: Origin::V0,
        ..NewAuthorization::new(server.org, permissions(held))
    };
    let issuer = server.engine.issuer();
    let (token, made) = issuer.create(&Caller::Root, new(&held)).unwrap();
    let one = format!("/api/v0/tokens/{}", made.id.to_uuid());
    let body = json!({"description": "x", "permissions": []});
    for line in [
        "GET /api/v0/tokens".to_owned(),
        "POST /api/v0/tokens".to_owned(),
        format!("GET {one}"),
        format!("PATCH {one}"),
        format!("DELETE {one}"),
    ] {
        let reply = server.ask(&line, token.reveal(), body.clone());
        assert_eq!(reply.status, 403, "{line}: {}", reply.text());
    }
}
