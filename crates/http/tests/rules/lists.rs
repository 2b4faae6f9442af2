//! `GET /api/v2/authorizations`: pages, order and long lists. What each caller sees with which filter is the matrix's.

use serde_json::Value;

use crate::server::Server;

fn ids(list: &Value) -> Vec<String> {
    let rows = list["authorizations"].as_array().unwrap().iter();
    rows.map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

fn list(server: &Server, query: &str) -> Value {
    let reply = server.operate(&format!("GET /api/v2/authorizations{query}"), Value::Null);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// All pages from this one on, by the links between them.
fn pages(server: &Server, query: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut page = list(server, query);
    loop {
        found.push(ids(&page));
        let next = page["links"]["next"].as_str();
        let Some(next) = next else {
            return found;
        };
        let query = next
            .strip_prefix("/api/v2/authorizations")
            .unwrap()
            .to_owned();
        page = list(server, &query);
    }
}

#[test]
fn next_links_keep_the_filters() {
    let server = Server::new();
    let held = ["read:buckets".to_owned()];
    let mut of_bert = Vec::new();
    let bert = server.engine.issuer();
    let bert = bert
        .create_user(&symbolon::Caller::Root, "bert & co", None)
        .unwrap()
        .id;
    for _ in 0..5 {
        let _ = server.token(&held);
        let made = server.token_of(server.org, Some(bert), &held).1;
        of_bert.push(made.id.to_string());
    }
    let whole = list(&server, "");
    let all = ids(&whole);
    // The operator's too.
    assert_eq!(all.len(), 11);
    assert!(all.is_sorted());
    assert_eq!(whole["links"]["self"], "/api/v2/authorizations");
    assert_eq!(whole["links"]["next"], Value::Null);
    let found = pages(&server, "?limit=4");
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 3]);
    assert_eq!(found.concat(), all);
    assert_eq!(ids(&list(&server, &format!("?after={}", all[6]))), all[7..]);
    for filter in [
        format!("userID={bert}"),
        "user=bert%20%26%20co".to_owned(),
        format!("user=bert%20%26%20co&orgID={}", server.org),
        format!("userID={bert}&org=my-org"),
    ] {
        let found = pages(&server, &format!("?limit=2&{filter}"));
        assert_eq!(found.concat(), of_bert, "{filter}");
        assert!(found.len() >= 3, "{filter}");
    }
    // What is found whole has no next page, and no page tells a token.
    let one = ids(&list(&server, &format!("?limit=1&id={}", all[3])));
    assert_eq!(one, all[3..4]);
    let token = server.token(&held).0;
    for query in [
        format!("?limit=1&id={}", all[3]),
        format!("?limit=1&token={token}"),
    ] {
        assert_eq!(pages(&server, &query).len(), 1, "{query}");
    }
}

#[test]
fn invalid_limits_are_reported() {
    let server = Server::new();
    for limit in ["0", "-1", "x", "99999999999"] {
        let line = format!("GET /api/v2/authorizations?limit={limit}");
        let told = server.operate(&line, Value::Null).refusal();
        assert_eq!((told.0, told.1.as_str()), (400, "invalid"), "{limit}");
    }
}

#[test]
fn a_list_longer_than_a_store_page_is_complete() {
    let server = Server::new();
    for _ in 0..1100 {
        let _ = server.token(&["read:buckets".to_owned()]);
    }
    let all = ids(&list(&server, ""));
    assert_eq!(all.len(), 1101);
    assert!(all.is_sorted());
    assert_eq!(pages(&server, "?limit=600").concat(), all);
}

#[test]
fn callers_without_permissions_see_empty_lists() {
    let server = Server::new();
    let nothing = server.token(&["read:dashboards".to_owned()]).0;
    for path in [
        "/api/v2/authorizations",
        "/api/v2/authorizations/?userID=0fedcba987654321",
    ] {
        let reply = server.ask(&format!("GET {path}"), &nothing, Value::Null);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.json()["authorizations"], Value::Array(Vec::new()));
    }
}

/// Other lists have 20 to a page, and are turned round.
#[test]
fn users_are_listed_in_pages_and_in_reverse() {
    let server = Server::new();
    let issuer = server.engine.issuer();
    let mut wanted = vec!["anna".to_owned()];
    for number in 0..30 {
        let name = format!("user {number}");
        issuer
            .create_user(&symbolon::Caller::Root, &name, None)
            .unwrap();
        wanted.push(name);
    }
    let names = |query: &str| {
        let list = server
            .operate(&format!("GET /api/v2/users{query}"), Value::Null)
            .json();
        let rows = list["users"].as_array().unwrap().clone();
        let name = |row: &Value| row["name"].as_str().unwrap().to_owned();
        rows.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(""), wanted[..20]);
    assert_eq!(names("?limit=100"), wanted);
    assert_eq!(names("?limit=5&offset=3"), wanted[3..8]);
    let mut backwards = wanted.clone();
    backwards.reverse();
    assert_eq!(names("?limit=100&descending=true"), backwards);
    assert_eq!(names("?limit=2&offset=1&descending=true"), backwards[1..3]);
    for bad in [
        "limit=0",
        "limit=101",
        "offset=-1",
        "descending=maybe",
        "after=12",
    ] {
        let told = server.operate(&format!("GET /api/v2/users?{bad}"), Value::Null);
        assert_eq!(told.refusal().0, 400, "{bad}");
    }
}
