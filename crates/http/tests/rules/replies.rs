//! Properties of every reply: headers, error codes, unknown paths and methods, revisions.

use std::time::Duration;

use serde_json::{Value, json};
use symbolon_http::{Api, Settings, application};

use crate::document::{operations, path_with_ids};
use crate::server::Server;
use crate::support::{Reply, ask, run};

const LIST: &str = "/api/v2/authorizations";

/// Asserts the headers that every reply has.
#[track_caller]
fn assert_headers(reply: &Reply) {
    for (name, value) in [
        ("x-influxdb-build", "OSS"),
        ("x-influxdb-version", Settings::default().version),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(reply.header(name), Some(value));
    }
}

#[test]
fn every_reply_has_influxdbs_headers_and_error_codes() {
    let server = Server::new();
    for line in [
        "GET /api/v2/authorizations/",
        "GET /api/v2/authorizations/?limit=1",
        "GET /ping",
        "HEAD /ping",
        "GET /health",
        "GET /ready/",
    ] {
        let reply = server.operate(line, Value::Null);
        assert_headers(&reply);
        let status = if line.ends_with("ping") { 204 } else { 200 };
        assert_eq!(reply.status, status, "{line}");
        assert_eq!(reply.header("x-platform-error-code"), None, "{line}");
    }
    let json_reply = |reply: Reply| {
        assert_headers(&reply);
        let kind = reply.header("content-type").unwrap();
        assert!(kind.starts_with("application/json"), "{kind}");
        reply
    };
    for (line, refusal) in [
        ("GET /nothing", "404 not found: path not found"),
        ("GET /api/v2/nothing", "404 not found: path not found"),
        ("PUT /api/v2/authorizations", "405 method not allowed: method not allowed"),
        ("PUT /api/v2/authorizations/", "405 method not allowed: method not allowed"),
        ("GET /api/v2/users/0fedcba987654321/", "404 not found: user not found"),
    ] {
        json_reply(server.operate(line, Value::Null)).expect_refusal(refusal);
    }
    let large = json!("x".repeat((1 << 20) + 1));
    let reply = json_reply(server.operate(&format!("POST {LIST}"), large));
    reply.expect_code("413 request too large");
    let reply = server.ask_with(&format!("GET {LIST}"), &[], Value::Null);
    assert_headers(&reply);
    reply.expect_unauthorized();
}

#[test]
fn a_method_that_is_not_allowed_is_answered_with_the_allowed_ones() {
    let server = Server::new();
    for (path, wanted) in [
        (LIST.to_owned(), "GET,HEAD,POST"),
        (format!("{LIST}/"), "GET,HEAD,POST"),
        (format!("{LIST}/0fedcba987654321"), "DELETE,GET,HEAD,PATCH"),
        ("/api/v2/signin".to_owned(), "POST"),
    ] {
        let put = format!("PUT {path}");
        let reply = server.operate(&put, Value::Null).expect(405);
        let allow = reply.header("allow").unwrap_or_default();
        let mut methods: Vec<_> = allow.split(',').map(str::trim).collect();
        methods.sort_unstable();
        assert_eq!(methods.join(","), wanted, "{path}");
    }
}

#[test]
fn a_body_of_one_mebibyte_is_accepted_and_a_longer_one_is_refused() {
    let server = Server::new();
    let create = |size: usize| {
        let text = format!("{{\"name\":\"user of {size}\"}}");
        let padding = " ".repeat(size - text.len());
        server.operate("POST /api/v2/users", json!(text + &padding))
    };
    create(1 << 20).expect(201);
    create((1 << 20) + 1).expect(413);
}

#[test]
fn both_token_schemes_are_accepted_in_any_case_and_take_precedence_over_a_cookie() {
    let server = Server::new();
    let line = format!("GET {LIST}");
    let (token, _) = server.token(&["read:authorizations"]);
    let engine = &server.engine;
    let caller = engine.verifier().authenticate(&token).unwrap().caller();
    let (session, _) = engine.admin(caller).sessions().create(Duration::from_secs(60)).unwrap();
    let cookie = format!("influxdb-oss-session={}", session.reveal());
    let status = |authorization: &str, cookie: &str| {
        let mut headers = vec![("authorization", authorization), ("cookie", cookie)];
        headers.retain(|(_, value)| !value.is_empty());
        server.ask_with(&line, &headers, Value::Null).status
    };
    for scheme in ["Token", "token", "TOKEN", "Bearer", "bearer", "bEARER"] {
        let value = format!("{scheme} {token}");
        assert_eq!(status(&value, ""), 200, "{scheme}");
        assert_eq!(status(&value, "influxdb-oss-session=none"), 200, "{scheme}");
    }
    // The cookie counts if the header contains no token.
    for scheme in ["Basic", "Tok", ""] {
        let value = format!("{scheme} {token}");
        assert_eq!(status(&value, ""), 401, "{scheme}");
        assert_eq!(status(&value, &cookie), 200, "{scheme}");
    }
    assert_eq!(status("", &cookie), 200);
    assert_eq!(status("Token dead", &cookie), 401);
}

#[test]
fn a_change_reports_its_revision_and_a_request_can_wait_for_it() {
    let server = Server::new();
    let create =
        |token: &str, name: &str| server.ask("POST /api/v2/users", token, json!({"name": name}));
    let revision = |reply: &Reply| {
        let text = reply.header("x-symbolon-revision");
        text.map(|text| text.parse::<u64>().unwrap())
    };
    let first = revision(&create(&server.operator, "bert")).unwrap();
    let second = revision(&create(&server.operator, "carl")).unwrap();
    assert!(second > first);
    let token = format!("Token {}", server.operator);
    let wait = |wanted: &str| {
        let wanted = ("x-symbolon-min-revision", wanted);
        let headers = [("authorization", token.as_str()), wanted];
        server.ask_with(&format!("GET {LIST}"), &headers, Value::Null)
    };
    for reached in ["0", &first.to_string(), &second.to_string()] {
        assert_eq!(revision(&wait(reached).expect(200)), None);
    }
    // A refused change does not reveal how often others change the store.
    assert_eq!(revision(&create("no-token", "dora").expect(401)), None);
    let never = wait(&(second + 1000).to_string());
    assert_headers(&never);
    never.expect_code("503 unavailable");
    for bad in ["x", "-1", ""] {
        assert_eq!(wait(bad).refusal().0, 400, "{bad}");
    }
}

/// Each waiting request occupies a thread, and needs no token.
#[test]
fn the_number_of_requests_that_wait_for_a_revision_is_limited() {
    let server = Server::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let spawn = |_| {
        let app = server.app.clone();
        runtime.spawn(async move {
            let headers = [("x-symbolon-min-revision", "1000000")];
            ask(&app, "GET /ping", &headers, Value::Null).await
        })
    };
    let waiting: Vec<_> = (0..100).map(spawn).collect();
    let mut turned_away = 0;
    for one in waiting {
        let reply = runtime.block_on(one).unwrap();
        let (status, _, message) = reply.refusal();
        assert_eq!((status, reply.header("retry-after")), (503, Some("1")));
        turned_away += usize::from(message.starts_with("too many requests wait"));
    }
    assert_eq!(turned_away, 100 - 64);
    // A revision that was reached needs no waiting.
    let reached = [("x-symbolon-min-revision", "1")];
    let reply = server.ask_with("GET /ping", &reached, Value::Null);
    reply.expect(204);
}

#[test]
fn a_configured_version_is_reported_unless_a_header_cannot_contain_it() {
    let mut settings = Settings::default();
    settings.version = "12.3\n";
    let server = Server::with(settings);
    let get = |path: &str| server.ask_with(&format!("GET {path}"), &[], Value::Null);
    assert_eq!(get("/ping").expect(204).header("x-influxdb-version"), None);
    assert_eq!(get("/health").json()["version"], "12.3\n");
    for _ in 0..2 {
        let document = get("/api/v2/openapi.json");
        assert_eq!(document.json()["info"]["version"], "12.3\n");
        assert_eq!(document.header("content-type"), Some("application/json"));
    }
}

/// A client would discard its token on a 401.
#[test]
fn a_starting_server_answers_503_without_judging_credentials() {
    let app = application(Api::starting(Settings::default()));
    let headers = [
        vec![],
        vec![("authorization", "Token garbage")],
        vec![("authorization", "Basic YTpi")],
        vec![("cookie", "influxdb-oss-session=x")],
    ];
    let mut count = 0;
    for (method, path, _) in operations() {
        let wanted = match path.as_str() {
            "/ping" => 204,
            "/api/v2" | "/api/v2/openapi.json" | "/metrics" => 200,
            _ => 503,
        };
        for headers in &headers {
            let line = format!("{method} {}", path_with_ids(&path));
            let reply = run(ask(&app, &line, headers, json!({})));
            assert_eq!(reply.status, wanted, "{line} {headers:?}");
            assert_headers(&reply);
            count += usize::from(wanted == 503);
        }
    }
    assert!(count > 100, "{count}");
}
