//! What every reply has: headers, codes, and what is said of paths and methods.

use serde_json::{Value, json};
use symbolon_http::{Api, Settings, application};

use crate::server::Server;
use crate::support::{Reply, ask, run};

const LIST: &str = "/api/v2/authorizations";

fn told(status: u16, code: &str, message: &str) -> (u16, String, String) {
    (status, code.to_owned(), message.to_owned())
}

/// InfluxDB's two, on whatever is answered.
fn has_headers(reply: &Reply) {
    assert_eq!(reply.header("x-influxdb-build"), Some("OSS"));
    assert_eq!(
        reply.header("x-influxdb-version"),
        Some(Settings::default().version)
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn every_reply_has_the_headers_and_codes_of_influxdb() {
    let server = Server::new();
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20));
    let cases = [
        (
            "GET /nothing",
            Value::Null,
            told(404, "not found", "path not found"),
        ),
        (
            "GET /api/v2/nothing",
            Value::Null,
            told(404, "not found", "path not found"),
        ),
        (
            "GET /api/v2/authorizations/",
            Value::Null,
            told(200, "", ""),
        ),
        (
            "GET /api/v2/authorizations/?limit=1",
            Value::Null,
            told(200, "", ""),
        ),
        (
            "PUT /api/v2/authorizations",
            Value::Null,
            told(405, "method not allowed", "method not allowed"),
        ),
        (
            "PUT /api/v2/authorizations/",
            Value::Null,
            told(405, "method not allowed", "method not allowed"),
        ),
        (
            "GET /api/v2/users/0fedcba987654321/",
            Value::Null,
            told(404, "not found", "user not found"),
        ),
        (
            "POST /api/v2/authorizations",
            Value::String(large),
            told(413, "request too large", ""),
        ),
        ("GET /ping", Value::Null, told(204, "", "")),
        ("HEAD /ping", Value::Null, told(204, "", "")),
        ("GET /health", Value::Null, told(200, "", "")),
        ("GET /ready/", Value::Null, told(200, "", "")),
    ];
    for (line, body, wanted) in cases {
        let reply = server.operate(line, body);
        has_headers(&reply);
        assert_eq!(reply.status, wanted.0, "{line}: {}", reply.text());
        if wanted.0 < 300 {
            assert_eq!(reply.header("x-platform-error-code"), None, "{line}");
            continue;
        }
        let (status, code, message) = reply.refusal();
        assert_eq!((status, code), (wanted.0, wanted.1), "{line}");
        assert!(
            wanted.2.is_empty() || message == wanted.2,
            "{line}: {message}"
        );
        assert!(
            reply
                .header("content-type")
                .unwrap()
                .starts_with("application/json")
        );
    }
    let nobody = server.ask_with(&format!("GET {LIST}"), &[], Value::Null);
    has_headers(&nobody);
    assert_eq!(
        nobody.refusal(),
        told(401, "unauthorized", "unauthorized access")
    );
}

#[test]
fn an_unsupported_method_gets_an_allow_header() {
    let server = Server::new();
    for (path, wanted) in [
        (LIST.to_owned(), "GET,HEAD,POST"),
        (format!("{LIST}/"), "GET,HEAD,POST"),
        (format!("{LIST}/0fedcba987654321"), "DELETE,GET,HEAD,PATCH"),
        ("/api/v2/signin".to_owned(), "POST"),
    ] {
        let reply = server.operate(&format!("PUT {path}"), Value::Null);
        assert_eq!(reply.status, 405, "{path}");
        let allow = reply.header("allow").unwrap_or_default();
        let mut known: Vec<_> = allow.split(',').map(str::trim).collect();
        known.sort_unstable();
        assert_eq!(known.join(","), wanted, "{path}");
    }
}

#[test]
fn bodies_over_one_mebibyte_are_rejected() {
    let server = Server::new();
    let line = "POST /api/v2/users";
    let padded = |size: usize| {
        let text = format!("{{\"name\":\"user of {size}\"}}");
        Value::String(format!("{text}{}", " ".repeat(size - text.len())))
    };
    assert_eq!(server.operate(line, padded(1 << 20)).status, 201);
    assert_eq!(server.operate(line, padded((1 << 20) + 1)).status, 413);
}

#[test]
fn tokens_are_accepted_in_both_schemes_and_take_precedence_over_cookies() {
    let server = Server::new();
    let line = format!("GET {LIST}");
    let (token, made) = server.token(&["read:authorizations".to_owned()]);
    let session = server.engine.issuer();
    let session = session.sign_in(
        &symbolon::Caller::Authorization(made.id),
        std::time::Duration::from_secs(60),
    );
    let cookie = format!("influxdb-oss-session={}", session.unwrap().0.reveal());
    let status = |headers: &[(&str, &str)]| server.ask_with(&line, headers, Value::Null).status;
    for scheme in ["Token", "token", "TOKEN", "Bearer", "bearer", "bEARER"] {
        let value = format!("{scheme} {token}");
        assert_eq!(status(&[("authorization", &value)]), 200, "{scheme}");
        let other = [
            ("authorization", value.as_str()),
            ("cookie", "influxdb-oss-session=none"),
        ];
        assert_eq!(status(&other), 200, "{scheme}");
    }
    for scheme in ["Basic", "Tok", ""] {
        let value = format!("{scheme} {token}");
        assert_eq!(status(&[("authorization", &value)]), 401, "{scheme}");
        let with = [
            ("authorization", value.as_str()),
            ("cookie", cookie.as_str()),
        ];
        assert_eq!(
            status(&with),
            200,
            "{scheme}: it is no token, so that the cookie counts"
        );
    }
    assert_eq!(status(&[("cookie", &cookie)]), 200);
    let dead = [("authorization", "Token dead"), ("cookie", cookie.as_str())];
    assert_eq!(status(&dead), 401);
}

#[test]
fn changes_return_their_revision_and_requests_can_wait_for_it() {
    let server = Server::new();
    let made = server.operate("POST /api/v2/users", json!({"name": "bert"}));
    let revision = |reply: &Reply| {
        reply
            .header("x-symbolon-revision")
            .map(|text| text.parse::<u64>().unwrap())
    };
    let first = revision(&made).unwrap();
    let made = server.operate("POST /api/v2/users", json!({"name": "carl"}));
    let second = revision(&made).unwrap();
    assert!(second > first);
    let token = format!("Token {}", server.operator);
    let wait = |wanted: &str| {
        let headers = [
            ("authorization", token.as_str()),
            ("x-symbolon-min-revision", wanted),
        ];
        server.ask_with(&format!("GET {LIST}"), &headers, Value::Null)
    };
    for reached in ["0", &first.to_string(), &second.to_string()] {
        let reply = wait(reached);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(revision(&reply), None);
    }
    // Nothing was changed, and nobody need know how much others change.
    let refused = server.ask("POST /api/v2/users", "no-token", json!({"name": "dora"}));
    assert_eq!((refused.status, revision(&refused)), (401, None));
    let never = wait(&(second + 1000).to_string());
    has_headers(&never);
    assert_eq!(
        (never.refusal().0, never.refusal().1.as_str()),
        (503, "unavailable")
    );
    for bad in ["x", "-1", ""] {
        assert_eq!(wait(bad).refusal().0, 400, "{bad}");
    }
}

/// Each waits on a thread, and whoever comes without a token can ask for it too.
#[test]
fn waiting_for_revisions_is_bounded() {
    let server = Server::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let asked: Vec<_> = (0..100)
        .map(|_| {
            let app = server.app.clone();
            runtime.spawn(async move {
                let headers = [("x-symbolon-min-revision", "1000000")];
                ask(&app, "GET", "/ping", &headers, None).await
            })
        })
        .collect();
    let mut turned_away = 0;
    for one in asked {
        let reply = runtime.block_on(one).unwrap();
        let (status, _, message) = reply.refusal();
        assert_eq!((status, reply.header("retry-after")), (503, Some("1")));
        turned_away += usize::from(message.starts_with("too many requests wait"));
    }
    assert_eq!(turned_away, 100 - 64);
    // One that it has seen needs no waiting.
    let seen = [("x-symbolon-min-revision", "1")];
    assert_eq!(server.ask_with("GET /ping", &seen, Value::Null).status, 204);
}

#[test]
fn the_configured_version_is_sent_if_it_is_a_valid_header() {
    let mut settings = Settings::default();
    settings.version = "12.3\n";
    let server = Server::with(settings);
    let ping = server.ask_with("GET /ping", &[], Value::Null);
    assert_eq!(
        (ping.status, ping.header("x-influxdb-version")),
        (204, None)
    );
    let health = server.ask_with("GET /health", &[], Value::Null);
    assert_eq!(health.json()["version"], "12.3\n");
    for _ in 0..2 {
        let document = server.ask_with("GET /api/v2/openapi.json", &[], Value::Null);
        assert_eq!(document.json()["info"]["version"], "12.3\n");
        assert_eq!(document.header("content-type"), Some("application/json"));
    }
}

/// Not 401: a client would throw its token away.
#[test]
fn a_starting_server_answers_unavailable_without_judging_the_credential() {
    let app = application(Api::starting(Settings::default()));
    let document = serde_json::to_value(symbolon_http::openapi()).unwrap();
    let headers = [
        vec![],
        vec![("authorization", "Token garbage")],
        vec![("authorization", "Basic YTpi")],
        vec![("cookie", "influxdb-oss-session=x")],
    ];
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let wanted = match path.as_str() {
            "/ping" => 204,
            "/api/v2" | "/api/v2/openapi.json" | "/metrics" => 200,
            _ => 503,
        };
        let segments = path.split('/').map(|segment| match segment {
            "{tokenId}" => "00000000-0000-8000-8000-000000000001",
            segment if segment.starts_with('{') => "0fedcba987654321",
            segment => segment,
        });
        let path = segments.collect::<Vec<_>>().join("/");
        for method in methods.as_object().unwrap().keys() {
            for headers in &headers {
                let body = Some("{}".to_owned());
                let reply = run(ask(&app, &method.to_uppercase(), &path, headers, body));
                assert_eq!(reply.status, wanted, "{method} {path} {headers:?}");
                has_headers(&reply);
                count += usize::from(wanted == 503);
            }
        }
    }
    assert!(count > 100, "{count}");
}
