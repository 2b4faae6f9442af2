//! Pages and order of lists. The matrix covers which records each caller sees.

use serde_json::{Value, json};

use crate::server::Server;
use crate::sets::permissions;

const LIST: &str = "/api/v2/authorizations";

fn ids(list: &Value) -> Vec<String> {
    let rows = list["authorizations"].as_array().unwrap().iter();
    rows.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn list(server: &Server, query: &str) -> Value {
    server.get(&format!("{LIST}{query}")).expect(200).json()
}

/// Follows the links from a page to the last one.
fn pages(server: &Server, query: &str) -> Vec<Vec<String>> {
    let mut page = list(server, query);
    let mut found = vec![ids(&page)];
    while let Some(next) = page["links"]["next"].as_str() {
        page = list(server, next.strip_prefix(LIST).unwrap());
        found.push(ids(&page));
    }
    found
}

#[test]
fn pages_are_linked_and_keep_their_filters() {
    let server = Server::new();
    let held = ["read:buckets"];
    let mut of_bert = Vec::new();
    let bert = server.create_user("bert & co");
    for _ in 0..5 {
        server.token(&held);
        let made = server.issue(server.org, Some(bert), permissions(&held)).1;
        of_bert.push(made.id.to_string());
    }
    let whole = list(&server, "");
    let all = ids(&whole);
    // Ten, and the operator's.
    assert_eq!(all.len(), 11);
    assert!(all.is_sorted());
    assert_eq!(whole["links"]["self"], LIST);
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
    // A filter for one authorization has a single page.
    let by_id = format!("?limit=1&id={}", all[3]);
    assert_eq!(pages(&server, &by_id), [all[3..4].to_vec()]);
    let by_token = format!("?limit=1&token={}", server.token(&held).0);
    assert_eq!(pages(&server, &by_token).len(), 1);
}

#[test]
fn an_invalid_limit_is_refused() {
    let server = Server::new();
    for limit in ["0", "-1", "x", "99999999999"] {
        let reply = server.get(&format!("{LIST}?limit={limit}"));
        reply.expect_code("400 invalid");
    }
}

#[test]
fn a_list_longer_than_a_page_of_the_store_is_complete() {
    let server = Server::new();
    for _ in 0..1100 {
        server.token(&["read:buckets"]);
    }
    let all = ids(&list(&server, ""));
    assert_eq!(all.len(), 1101);
    assert!(all.is_sorted());
    assert_eq!(pages(&server, "?limit=600").concat(), all);
}

#[test]
fn a_caller_without_permission_sees_an_empty_list() {
    let server = Server::new();
    let token = server.token(&["read:dashboards"]).0;
    for path in [LIST, &format!("{LIST}/?userID=0fedcba987654321")] {
        let list = server.get_as(&token, path).expect(200).json();
        assert_eq!(list["authorizations"], json!([]));
    }
}

/// Lists other than that of authorizations have 20 to a page, and an order.
#[test]
fn users_are_listed_in_pages_and_in_reverse() {
    let server = Server::new();
    let mut wanted = vec!["anna".to_owned()];
    for number in 0..30 {
        let name = format!("user {number}");
        server.create_user(&name);
        wanted.push(name);
    }
    let names = |query: &str| {
        let list = server.get(&format!("/api/v2/users{query}")).json();
        let rows = list["users"].as_array().unwrap().clone();
        let name = |row: &Value| row["name"].as_str().unwrap().to_owned();
        rows.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(""), wanted[..20]);
    assert_eq!(names("?limit=100"), wanted);
    assert_eq!(names("?limit=5&offset=3"), wanted[3..8]);
    wanted.reverse();
    assert_eq!(names("?limit=100&descending=true"), wanted);
    assert_eq!(names("?limit=2&offset=1&descending=true"), wanted[1..3]);
    let bad = "limit=0 limit=101 offset=-1 descending=maybe after=12";
    for bad in bad.split_whitespace() {
        let reply = server.get(&format!("/api/v2/users?{bad}"));
        assert_eq!(reply.refusal().0, 400, "{bad}");
    }
}
