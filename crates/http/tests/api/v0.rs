//! `/api/v0/tokens`.

use serde_json::{Value, json};
use symbolon::{
    Action, Caller, Denied, Id, NewBucket, NewOrganization, Request as Check, ResourceType,
    Timestamp, Transition, UserEdit,
};

use symbolon_http::Settings;

use crate::support::{Reply, Server};

const TOKENS: &str = "/api/v0/tokens";

/// Creates a token that may manage the database tokens of an organization, and grant all databases.
fn keeper(server: &Server, organization: Id) -> String {
    let all = ["authorizations", "databases"]
        .map(|kind| ["read", "write"].map(|action| format!("{action}:orgs/{organization}/{kind}")));
    let all: Vec<_> = all.iter().flatten().map(String::as_str).collect();
    server.token(organization, &all).0.reveal().to_owned()
}

fn permission(action: &str, resource: &str) -> Value {
    json!({"action": action, "resource": resource})
}

async fn make(server: &Server, token: &str, permissions: Value) -> Value {
    let body = json!({"description": "made", "permissions": permissions});
    let reply = server.ask(&format!("POST {TOKENS}"), token, Some(body)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn path(made: &Value) -> String {
    format!("{TOKENS}/{}", made["id"].as_str().unwrap())
}

fn ids(list: &Reply) -> Vec<String> {
    assert_eq!(list.status, 200, "{}", list.text());
    let list = list.json();
    let ids = list.as_array().unwrap().iter();
    ids.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn may(server: &Server, token: &str, action: Action, database: &str) -> Result<Id, Denied> {
    let request = Check::new(action, ResourceType::DATABASES);
    let request = request.organization(server.organization).name(database);
    server.engine.verifier().check(token, &request)
}

/// Returns the status and message of a failure in the form of `/api/v0`.
fn refused(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    assert_eq!(body["code"], reply.status, "{body}");
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
    reply.status_and_message()
}

#[tokio::test]
async fn a_token_is_created_used_changed_and_revoked() {
    let server = Server::start();
    let keeper = keeper(&server, server.organization);
    let body = json!({
        "description": "sensors",
        "permissions": [permission("write", "sensors"), permission("read", "*")],
        "expiresAt": "2100-01-01T00:00:00.000Z",
        "accountId": "ignored",
    });
    let made = server.ask(&format!("POST {TOKENS}"), &keeper, Some(body)).await;
    assert_eq!(made.status, 200);
    let made = made.json();
    let token = made["accessToken"].as_str().unwrap().to_owned();
    let id: uuid::Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let id = Id::from_uuid(id).unwrap();
    let kept = server.engine.admin(Caller::Root).authorizations().get(id).unwrap();
    assert_eq!((kept.user, kept.organization), (None, server.organization));
    assert!(may(&server, &token, Action::WRITE, "sensors").is_ok());
    assert!(may(&server, &token, Action::READ, "anything").is_ok());
    assert_eq!(may(&server, &token, Action::WRITE, "other"), Err(Denied::Forbidden(id)));

    let shown = server.ask(&format!("GET {}", path(&made)), &keeper, None).await;
    let mut without = made.clone();
    without.as_object_mut().unwrap().remove("accessToken");
    assert_eq!(shown.status, 200);
    let mut shown = shown.json();
    // The checks above have set it.
    shown.as_object_mut().unwrap().remove("lastUsedAt");
    assert_eq!(shown, without);
    assert_eq!(made["expiresAt"], "2100-01-01T00:00:00Z");
    assert_eq!(made["permissions"][1], permission("read", "*"));
    assert_eq!(made.get("revokedAt"), None);

    let change = json!({"permissions": [permission("read", "sensors")], "description": null});
    let changed = server.ask(&format!("PATCH {}/", path(&made)), &keeper, Some(change)).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(changed.json()["description"], "sensors");
    assert!(may(&server, &token, Action::READ, "sensors").is_ok());
    assert!(may(&server, &token, Action::WRITE, "sensors").is_err());
    assert!(may(&server, &token, Action::READ, "anything").is_err());

    let delete = format!("DELETE {}", path(&made));
    let gone = server.ask(&delete, &keeper, None).await;
    assert_eq!((gone.status, gone.body.len()), (204, 0));
    let denied = may(&server, &token, Action::READ, "sensors");
    assert_eq!(denied, Err(Denied::Revoked(id)));

    let shown = server.ask(&format!("GET {}", path(&made)), &keeper, None).await;
    assert_eq!(shown.status, 200);
    let revoked = shown.json()["revokedAt"].as_str().unwrap().to_owned();
    assert!(revoked.parse::<Timestamp>().is_ok());
    let again = server.ask(&delete, &keeper, None).await;
    assert_eq!(again.status, 204);
    let shown = server.ask(&format!("GET {}", path(&made)), &keeper, None).await;
    assert_eq!(shown.json()["revokedAt"], revoked);
    // This includes a change without effect.
    for change in [
        json!({"description": "x"}),
        json!({"description": "sensors"}),
        json!({"description": "x".repeat(5000)}),
        json!({"permissions": [permission("write", "not held")]}),
    ] {
        let line = format!("PATCH {}", path(&made));
        let reply = server.ask(&line, &keeper, Some(change)).await;
        assert_eq!(refused(&reply).0, 409);
    }
}

#[tokio::test]
async fn the_list_contains_tokens_of_the_callers_organization() {
    let server = Server::start();
    let engine = &server.engine;
    let other = engine
        .admin(Caller::Root)
        .organizations()
        .create(NewOrganization::named("other"))
        .unwrap()
        .id;
    let keeper = keeper(&server, server.organization);
    let foreign = self::keeper(&server, other);
    let list = |query: &'static str, token: &'static str| format!("GET {TOKENS}{query}{token}");
    let empty = server.ask(&list("", ""), &keeper, None).await;
    assert_eq!((empty.status, empty.text()), (200, "[]"));

    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(make(&server, &keeper, json!([])).await);
    }
    let hers = make(&server, &foreign, json!([])).await;
    let id = |one: &Value| one["id"].as_str().unwrap().to_owned();
    let mine: Vec<_> = made.iter().map(id).collect();
    assert_eq!(ids(&server.ask(&list("", ""), &keeper, None).await), mine);
    // An operator token belongs to an organization too.
    let operator = server.operator.reveal();
    assert_eq!(ids(&server.ask(&list("/", ""), operator, None).await), mine);
    assert_eq!(ids(&server.ask(&list("", ""), &foreign, None).await), [id(&hers)]);
    let found = server.ask(&format!("GET {}", path(&hers)), operator, None).await;
    assert_eq!(refused(&found).0, 404);

    server.ask(&format!("DELETE {}", path(&made[1])), &keeper, None).await;
    let left = [mine[0].clone(), mine[2].clone()];
    assert_eq!(ids(&server.ask(&list("", ""), &keeper, None).await), left);
    let no = list("?includeRevoked=false", "");
    assert_eq!(ids(&server.ask(&no, &keeper, None).await), left);
    let all = list("?includeRevoked=true", "");
    assert_eq!(ids(&server.ask(&all, &keeper, None).await), mine);
    let wrong = list("?includeRevoked=yes", "");
    assert_eq!(refused(&server.ask(&wrong, &keeper, None).await).0, 400);

    // Tokens of v0 do not exist under v2, and vice versa.
    let v2 = server.ask("GET /api/v2/authorizations", operator, None).await;
    let v2 = v2.json();
    let v2: Vec<_> = v2["authorizations"].as_array().unwrap().iter().collect();
    assert!(!v2.is_empty());
    let as_v2 = |uuid: &str| Id::from_uuid(uuid.parse().unwrap()).unwrap().to_string();
    for one in v2 {
        let id = one["id"].as_str().unwrap();
        assert!(mine.iter().all(|mine| as_v2(mine) != id));
        let uuid = id.parse::<Id>().unwrap().to_uuid();
        let line = format!("GET {TOKENS}/{uuid}");
        assert_eq!(refused(&server.ask(&line, operator, None).await).0, 404);
    }
    for id in &mine {
        let line = format!("GET /api/v2/authorizations/{}", as_v2(id));
        assert_eq!(server.ask(&line, operator, None).await.status, 404);
    }
}

/// The list is longer than a page of the store.
#[tokio::test]
async fn a_long_list_is_complete() {
    let store = std::sync::Arc::new(symbolon::MemoryStore::new());
    let server = Server::over(store, crate::support::options(), Settings::default());
    let keeper = keeper(&server, server.organization);
    let engine = &server.engine;
    let root = engine.admin(Caller::Root);
    for number in 0..1001 {
        let new = symbolon::NewAuthorization {
            origin: symbolon::Origin::V0,
            ..symbolon::NewAuthorization::new(server.organization, [])
        };
        let (_, made) = root.authorizations().create(new).unwrap();
        if number % 2 == 0 {
            root.authorizations().revoke(made.id).unwrap();
        }
    }
    for (query, wanted) in [("", 500), ("?includeRevoked=true", 1001)] {
        let list = server.ask(&format!("GET {TOKENS}{query}"), &keeper, None).await;
        let ids = ids(&list);
        assert_eq!(ids.len(), wanted);
        assert!(ids.is_sorted(), "not in the order of creation");
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), wanted);
    }
}

#[tokio::test]
async fn malformed_requests_are_reported() {
    let server = Server::start();
    let keeper = keeper(&server, server.organization);
    let made = make(&server, &keeper, json!([])).await;
    let long = "x".repeat(65);
    let permissions = |one: Value| json!({"description": "d", "permissions": [one]});
    for body in [
        json!({}),
        json!({"description": null}),
        json!({"description": 1}),
        json!([]),
        json!({"description": "d", "expiresAt": "2020-01-01T00:00:00Z"}),
        json!({"description": "d", "expiresAt": "tomorrow"}),
        json!({"description": "d", "permissions": "all"}),
        permissions(json!({"action": "read"})),
        permissions(permission("delete", "a")),
        permissions(permission("Read", "a")),
        permissions(permission("read", "")),
        permissions(permission("read", &long)),
        permissions(permission("read", "a\u{0}")),
    ] {
        let reply = server.ask(&format!("POST {TOKENS}"), &keeper, Some(body.clone())).await;
        assert_eq!(refused(&reply).0, 400, "{body}");
    }
    for body in [json!({}), json!({"description": null, "more": 1}), json!(1)] {
        let line = format!("PATCH {}", path(&made));
        let reply = server.ask(&line, &keeper, Some(body.clone())).await;
        assert_eq!(refused(&reply).0, 400, "{body}");
    }
    for name in ["x".repeat(64), "*".into(), "a/b c".into(), "ü".repeat(64)] {
        make(&server, &keeper, json!([permission("read", &name)])).await;
    }
    let uuid = made["id"].as_str().unwrap();
    let upper = uuid.to_uppercase();
    for (id, status) in [
        ("x", 400),
        ("0000000000000001", 400),
        (&*uuid.replace('-', ""), 400),
        (&*format!("%7B{uuid}%7D"), 400),
        ("%ff", 400),
        ("00000000-0000-4000-8000-000000000000", 404),
        (&*Id::MAX.to_uuid().to_string(), 404),
        (uuid, 200),
        (&*upper, 200),
    ] {
        for method in ["GET", "PATCH"] {
            let body = (method == "PATCH").then(|| json!({"description": "d"}));
            let line = format!("{method} {TOKENS}/{id}");
            let reply = server.ask(&line, &keeper, body).await;
            assert_eq!(reply.status, status, "{line}");
            if status != 200 {
                refused(&reply);
            }
        }
        if status != 200 {
            let line = format!("DELETE {TOKENS}/{id}");
            assert_eq!(refused(&server.ask(&line, &keeper, None).await).0, status);
        }
    }
    let wrong = server.ask(&format!("PUT {TOKENS}"), &keeper, None).await;
    assert_eq!(refused(&wrong), (405, "method not allowed".into()));
    assert!(wrong.headers.contains_key("allow"));
    let nothing = server.ask("GET /api/v0/nothing", &keeper, None).await;
    assert_eq!(refused(&nothing), (404, "path not found".into()));
}

/// Every refusal has a number as its code.
#[tokio::test]
async fn forbidden_callers_learn_nothing() {
    let server = Server::start();
    let organization = server.organization;
    let keeper = keeper(&server, organization);
    let made = make(&server, &keeper, json!([permission("read", "a")])).await;
    let database = made["accessToken"].as_str().unwrap();
    let scoped = |text: &str| {
        let text = text.replace("ORG", &organization.to_string());
        let (token, _) = server.token(organization, &[&text]);
        token.reveal().to_owned()
    };
    let nothing = scoped("read:orgs/ORG/tasks");
    let reader = scoped("read:orgs/ORG/authorizations");
    let unknown = format!("{TOKENS}/{}", Id::MAX.to_uuid());
    let requests = [
        format!("GET {TOKENS}"),
        format!("POST {TOKENS}"),
        format!("GET {}", path(&made)),
        format!("PATCH {}", path(&made)),
        format!("DELETE {}", path(&made)),
        format!("GET {unknown}"),
        format!("PATCH {unknown}"),
        format!("DELETE {unknown}"),
    ];
    let body = |line: &str| {
        let takes = line.starts_with("P");
        takes.then(|| json!({"description": "d"}))
    };
    for line in &requests {
        for token in ["", "x", &server.operator.reveal().to_lowercase()] {
            let reply = server.ask(line, token, body(line)).await;
            assert_eq!(refused(&reply), (401, "unauthorized access".into()), "{line}");
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
        }
        for token in [database, &nothing] {
            let reply = server.ask(line, token, body(line)).await;
            let (status, message) = refused(&reply);
            assert_eq!(status, 403, "{line}");
            assert!(message.contains("insufficient permissions"), "{message}");
        }
        if !line.starts_with("GET") {
            let reply = server.ask(line, &reader, body(line)).await;
            assert_eq!(refused(&reply).0, 403, "{line}");
        }
    }
    let seen = server.ask(&requests[2], &reader, None).await;
    assert_eq!(seen.status, 200);

    // A database token never manages tokens, even with the permissions of an operator.
    let more = symbolon::NewAuthorization {
        origin: symbolon::Origin::V0,
        ..symbolon::NewAuthorization::new(organization, symbolon::Schema::influxdb_operator())
    };
    let (more, _) = server.engine.admin(Caller::Root).authorizations().create(more).unwrap();
    let reply = server.ask(&requests[0], more.reveal(), None).await;
    assert_eq!(refused(&reply).0, 403);

    // Sessions are not accepted.
    let cookie = axum::http::Request::get(TOKENS).header("cookie", "influxdb-oss-session=x");
    let reply = server.send(cookie.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(refused(&reply), (401, "unauthorized access".into()));

    // A token with an inactive owner, and an inactive token.
    let engine = &server.engine;
    let root = engine.admin(Caller::Root);
    let switch = |transition| UserEdit { transition: Some(transition), ..UserEdit::default() };
    let off = switch(Transition::Deactivate);
    root.users().edit(server.user.id, off).unwrap();
    let operator = server.operator.reveal();
    let reply = server.ask(&requests[0], operator, None).await;
    assert_eq!(refused(&reply), (403, "User is inactive".into()));
    let (off, authorization) = server.token(organization, &["read:authorizations"]);
    let edit = Transition::Deactivate.into();
    root.authorizations().edit(authorization.id, edit).unwrap();
    let reply = server.ask(&requests[0], off.reveal(), None).await;
    assert_eq!(refused(&reply), (401, "token is inactive".into()));
}

/// A permission on a bucket counts as one on the database with its registered name.
#[tokio::test]
async fn grants_never_exceed_the_callers_permissions() {
    let server = Server::start();
    let organization = server.organization;
    let engine = &server.engine;
    let root = Caller::Root;
    let bucket = engine
        .admin(root)
        .buckets()
        .create(NewBucket { organization, name: ("sensors").into() })
        .unwrap();
    let org = format!("orgs/{organization}");
    let write = format!("write:{org}/authorizations");
    let of_bucket = format!("read:{org}/buckets/{}", bucket.id);
    let one = server.token(organization, &[&write, &of_bucket]).0;
    let all = server.token(organization, &[&write, &format!("read:{org}/buckets")]);
    let all = all.0;
    let cases = [
        (&one, permission("read", "sensors"), 200),
        (&one, permission("read", "other"), 403),
        (&one, permission("read", "*"), 403),
        (&one, permission("write", "sensors"), 403),
        (&all, permission("read", "other"), 200),
        (&all, permission("read", "*"), 200),
        (&all, permission("write", "other"), 403),
    ];
    let target = make(&server, &keeper(&server, organization), json!([])).await;
    for (token, wanted, status) in cases {
        let body = json!({"description": "d", "permissions": [wanted]});
        for line in [format!("POST {TOKENS}"), format!("PATCH {}", path(&target))] {
            let reply = server.ask(&line, token.reveal(), Some(body.clone())).await;
            assert_eq!(reply.status, status, "{line} {wanted}: {}", reply.text());
            if status != 200 {
                assert!(refused(&reply).1.contains("is not allowed"));
            }
        }
        // Permissions may also be removed by a caller that could not grant them.
        let clear = json!({"permissions": []});
        let line = format!("PATCH {}", path(&target));
        let cleared = server.ask(&line, one.reveal(), Some(clear)).await;
        assert_eq!(cleared.json()["permissions"], json!([]));
    }
}
