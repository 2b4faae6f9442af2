//! `/metrics`.

use axum::body::Body;
use axum::http::Request;
use symbolon_http::{Api, Settings, application};

use crate::support::{Reply, Server};

async fn shown(server: &Server) -> String {
    let reply = server.ask("GET /metrics", "", None).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.headers["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let text = reply.text().to_owned();
    assert!(text.ends_with("# EOF\n"));
    text
}

fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(' '))
    });
    let line = line.unwrap_or_else(|| panic!("{name} is missing in\n{text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn metrics_count_requests_by_route_without_details() {
    let server = Server::start();
    let operator = server.operator.reveal();
    let id = "00000000000000ab";
    for path in [
        format!("/api/v2/authorizations/{id}"),
        format!("/api/v2/authorizations/{id}/"),
        format!("/api/v2/authorizations?token={operator}&user=unknown-user"),
        "/nowhere/secret".into(),
    ] {
        server.ask(&format!("GET {path}"), operator, None).await;
    }
    server.ask("BREW /ping", "", None).await;
    let text = shown(&server).await;
    let requests = |labels: &str| {
        let name = format!("symbolon_http_requests_total{{{labels}}}");
        value(&text, &name)
    };
    let one = r#"method="GET",route="/api/v2/authorizations/{authID}",status="404""#;
    assert_eq!(requests(one), 2.0);
    assert_eq!(requests(r#"method="GET",route="none",status="404""#), 1.0);
    assert_eq!(requests(r#"method="other",route="/ping",status="405""#), 1.0);
    let took = r#"symbolon_http_request_duration_seconds_count{method="GET",route="none"}"#;
    assert_eq!(value(&text, took), 1.0);
    for secret in [operator, id, "secret", "unknown-user", "BREW"] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
}

#[tokio::test]
async fn metrics_report_the_numbers_of_the_engine() {
    let server = Server::start();
    let before = shown(&server).await;
    server.token(server.organization, &["read:buckets"]);
    let seen =
        server.engine.wait_for(server.engine.committed(), std::time::Duration::from_secs(20));
    assert!(seen);
    let after = shown(&server).await;
    let known = |text: &str| value(text, "symbolon_known");
    assert_eq!(known(&after), known(&before) + 1.0);
    let applied = value(&after, "symbolon_revision_applied");
    assert!(applied > value(&before, "symbolon_revision_applied"));
    assert_eq!(value(&after, "symbolon_revision_committed"), applied);
    assert_eq!(value(&after, "symbolon_faults"), 0.0);
    assert_eq!(value(&after, "symbolon_ready"), 1.0);
    let started = value(&after, "process_start_time_seconds");
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!((0.0..60.0).contains(&(now.as_secs_f64() - started)));
}

#[tokio::test]
async fn a_starting_server_answers_unavailable() {
    let application = application(Api::starting(Settings::default()));
    let ask = |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let application = application.clone();
        async move { Reply::of(&application, request).await }
    };
    assert_eq!(ask("/api/v2/authorizations").await.status, 503);
    let refused = ask("/api/v0/tokens").await;
    assert_eq!(refused.json()["code"], 503);
    let text = ask("/metrics").await;
    assert_eq!(value(text.text(), "symbolon_ready"), 0.0);
}
