//! Set-up: once, with the code, from no web page, and only on a store that nothing was written to.

use std::sync::Arc;

use serde_json::{Value, json};
use symbolon::{Caller, Engine, MemoryStore};
use symbolon_http::{Api, Settings, SetupCode, application};

use crate::server::engine;
use crate::support::{Reply, ask, run};

const LINE: &str = "/api/v2/setup";
const CODE: &str = "the-right-set-up-code";
const HEADER: &str = "x-symbolon-setup-code";

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.setup_code = Some(SetupCode::new(CODE).unwrap());
    settings
}

fn unused_engine() -> Arc<Engine> {
    let clock = symbolon::ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
    engine(&Arc::new(MemoryStore::new()), &clock)
}

fn app() -> axum::Router {
    application(Api::new(unused_engine(), settings()))
}

fn form() -> Value {
    json!({"username": "anna", "password": "a good password", "org": "my-org", "bucket": "metrics"})
}

/// Posts exactly these headers and this body.
fn post_only(app: &axum::Router, headers: &[(&str, &str)], body: &str) -> Reply {
    run(ask(app, "POST", LINE, headers, Some(body.to_owned())))
}

/// Posts the form with the right code.
fn post(app: &axum::Router, form: &Value) -> Reply {
    post_only(app, &[(HEADER, CODE)], &form.to_string())
}

fn is_allowed(app: &axum::Router) -> Value {
    run(ask(app, "GET", LINE, &[], None)).json()["allowed"].clone()
}

#[track_caller]
fn assert_completed(reply: &Reply) {
    let refusal = reply.refusal();
    let expected = (422, "conflict", "onboarding has already been completed");
    assert_eq!(
        (refusal.0, refusal.1.as_str(), refusal.2.as_str()),
        expected
    );
}

#[test]
fn set_up_works_once_and_creates_an_operator_who_can_sign_in() {
    let app = app();
    assert_eq!(is_allowed(&app), true);
    let reply = post(&app, &form());
    assert_eq!(reply.status, 201, "{}", reply.text());
    let made = reply.json();
    assert_eq!(made["user"]["name"], "anna");
    assert_eq!(made["org"]["name"], "my-org");
    assert_eq!(made["bucket"]["name"], "metrics");
    assert_eq!(made["bucket"]["orgID"], made["org"]["id"]);
    assert_eq!(made["auth"]["description"], "anna's Token");
    assert_eq!(made["auth"]["orgID"], made["org"]["id"]);
    assert_eq!(made["auth"]["userID"], made["user"]["id"]);
    assert_eq!(made["auth"]["permissions"].as_array().unwrap().len(), 44);
    assert_eq!(is_allowed(&app), false);
    assert_completed(&post(&app, &form()));
    assert_completed(&post_only(&app, &[], ""));
    let token = format!("Token {}", made["auth"]["token"].as_str().unwrap());
    let headers = [("authorization", token.as_str())];
    let me = run(ask(&app, "GET", "/api/v2/me", &headers, None));
    assert_eq!(me.json()["name"], "anna");
    let basic = ("authorization", "Basic YW5uYTphIGdvb2QgcGFzc3dvcmQ=");
    let signed = run(ask(&app, "POST", "/api/v2/signin", &[basic], None));
    let cookie = signed.header("set-cookie").unwrap().to_owned();
    let body = Some(json!({"name": "other-org"}).to_string());
    let headers = [("cookie", cookie.as_str())];
    let org = run(ask(&app, "POST", "/api/v2/orgs", &headers, body));
    assert_eq!(org.status, 201, "{}", org.text());
}

#[test]
fn a_form_that_lacks_a_field_is_refused_and_creates_nothing() {
    let app = app();
    for field in ["username", "password", "org", "bucket"] {
        for value in [Value::Null, json!("")] {
            let mut form = form();
            match value {
                Value::Null => drop(form.as_object_mut().unwrap().remove(field)),
                value => form[field] = value,
            }
            let (status, code, message) = post(&app, &form).refusal();
            assert_eq!(
                (status, code.as_str()),
                (422, "unprocessable entity"),
                "{field}"
            );
            assert!(message.contains(field), "{message}");
        }
    }
    let array = post(
        &app,
        &json!(["anna", "a good password", "my-org", "metrics"]),
    );
    let (status, _, message) = array.refusal();
    assert_eq!(status, 400);
    assert!(
        message.contains(", expected an object at line "),
        "{message}"
    );
    for password in ["1234567", &"x".repeat(73)] {
        let mut form = form();
        form["password"] = json!(password);
        assert_eq!(post(&app, &form).refusal().0, 400);
    }
    assert_eq!(is_allowed(&app), true);
    assert_eq!(post(&app, &form()).status, 201);
}

#[test]
fn the_token_may_be_chosen() {
    let app = app();
    let own = "my-own-token-of-more-than-32-bytes-==";
    let mut form = form();
    form["token"] = json!("short");
    assert_eq!(post(&app, &form).refusal().0, 400);
    form["token"] = json!(own);
    let made = post(&app, &form);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["auth"]["token"], own);
    let token = format!("Token {own}");
    let headers = [("authorization", token.as_str())];
    let me = run(ask(&app, "GET", "/api/v2/me", &headers, None));
    assert_eq!(me.status, 200);
}

/// An embedding server that mounts the router with default settings.
#[test]
fn without_a_code_set_up_is_closed() {
    let app = application(Api::new(unused_engine(), Settings::default()));
    assert_eq!(is_allowed(&app), false);
    for headers in [vec![], vec![(HEADER, "")], vec![(HEADER, CODE)]] {
        assert_completed(&post_only(&app, &headers, &form().to_string()));
    }
}

#[test]
fn the_code_is_always_needed() {
    let app = app();
    for headers in [
        vec![],
        vec![(HEADER, "")],
        vec![(HEADER, "the-right-set-up-cod")],
        vec![(HEADER, "the-right-set-up-code-")],
        vec![("authorization", CODE)],
        // A proxy that listens on the loopback interface adds these.
        vec![
            ("x-forwarded-for", "203.0.113.7"),
            ("host", "127.0.0.1:8086"),
        ],
    ] {
        let (status, code, message) = post_only(&app, &headers, &form().to_string()).refusal();
        assert_eq!(
            (status, code.as_str()),
            (401, "unauthorized"),
            "{headers:?}"
        );
        assert!(!message.contains(CODE));
    }
    assert_eq!(is_allowed(&app), true);
    assert_eq!(post(&app, &form()).status, 201);
}

#[test]
fn web_pages_cannot_set_up_even_with_the_code() {
    let app = app();
    for (header, status) in [
        (("origin", "http://evil.example"), 403),
        (("origin", "null"), 403),
        (("sec-fetch-site", "cross-site"), 403),
        (("sec-fetch-site", "same-site"), 403),
        // DNS rebinding: the page's own name points at this server.
        (("host", "evil.example:8086"), 403),
        (("content-type", "text/plain"), 400),
        (("content-type", "application/x-www-form-urlencoded"), 400),
        (("content-type", "multipart/form-data; boundary=x"), 400),
    ] {
        let headers = [(HEADER, CODE), header];
        let reply = post_only(&app, &headers, &form().to_string());
        assert_eq!(reply.refusal().0, status, "{header:?}");
    }
    assert_eq!(is_allowed(&app), true);
    for headers in [
        vec![
            ("host", "localhost:8086"),
            ("origin", "http://localhost:8086"),
        ],
        vec![("content-type", "application/json; charset=utf-8")],
    ] {
        let headers = [vec![(HEADER, CODE)], headers].concat();
        let reply = post_only(&self::app(), &headers, &form().to_string());
        assert_eq!(reply.status, 201, "{headers:?}");
    }
}

#[test]
fn an_allowed_host_is_accepted_for_set_up_and_sign_in() {
    let mut settings = settings();
    settings.allowed_hosts = vec!["tokens.example".into()];
    let app = application(Api::new(unused_engine(), settings));
    let body = form().to_string();
    let reply = post_only(&app, &[(HEADER, CODE), ("host", "tokens.example")], &body);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let basic = ("authorization", "Basic YW5uYTphIGdvb2QgcGFzc3dvcmQ=");
    for (host, status) in [("tokens.example:443", 204), ("evil.example", 403)] {
        let headers = [basic, ("host", host)];
        let signed = run(ask(&app, "POST", "/api/v2/signin", &headers, None));
        assert_eq!(signed.status, status, "{host}");
    }
    let foreign = [basic, ("origin", "http://evil.example")];
    let signed = run(ask(&app, "POST", "/api/v2/signin", &foreign, None));
    assert_eq!(signed.status, 403);
}

#[test]
fn a_refusal_comes_before_the_body_is_read() {
    let app = app();
    for (headers, status) in [
        (vec![], 401),
        (vec![(HEADER, CODE), ("origin", "http://evil.example")], 403),
    ] {
        let large = "x".repeat(2 << 20);
        assert_eq!(post_only(&app, &headers, &large).refusal().0, status);
    }
    let large = "x".repeat(2 << 20);
    assert_eq!(post_only(&app, &[(HEADER, CODE)], &large).refusal().0, 413);
}

#[test]
fn a_store_in_use_is_closed_though_it_was_never_set_up() {
    let engine = unused_engine();
    let app = application(Api::new(Arc::clone(&engine), settings()));
    assert_eq!(is_allowed(&app), true);
    engine
        .issuer()
        .create_user(&Caller::Root, "anna", None)
        .unwrap();
    assert_eq!(is_allowed(&app), false);
    assert_completed(&post(&app, &form()));
    let operators = engine.issuer().user_named(&Caller::Root, "anna").unwrap();
    assert!(!operators.operator);
}
