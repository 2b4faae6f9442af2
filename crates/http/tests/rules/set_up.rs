//! Set-up: once, with the code, from no web page, and only on a store that nothing was written to.

use axum::Router;
use serde_json::{Value, json};
use symbolon_http::{Settings, SetupCode};

use crate::server::Backend;
use crate::support::{Reply, ask, run};

const CODE: &str = "the-right-set-up-code";
const HEADER: &str = "x-symbolon-setup-code";

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.setup_code = Some(SetupCode::new(CODE).unwrap());
    settings
}

fn app() -> Router {
    Backend::new().app(settings())
}

fn form() -> Value {
    json!({"username": "anna", "password": "a good password", "org": "my-org", "bucket": "metrics"})
}

/// Posts exactly these headers and this body.
fn post_only(app: &Router, headers: &[(&str, &str)], body: &Value) -> Reply {
    run(ask(app, "POST /api/v2/setup", headers, body.clone()))
}

/// Posts the form with the right code.
fn post(app: &Router, form: &Value) -> Reply {
    post_only(app, &[(HEADER, CODE)], form)
}

fn is_allowed(app: &Router) -> Value {
    run(ask(app, "GET /api/v2/setup", &[], Value::Null)).json()["allowed"].clone()
}

fn me(app: &Router, token: &str) -> Reply {
    let token = format!("Token {token}");
    let headers = [("authorization", token.as_str())];
    run(ask(app, "GET /api/v2/me", &headers, Value::Null)).expect(200)
}

/// Signs in with the password of the form.
fn sign_in(app: &Router, header: (&str, &str)) -> Reply {
    let basic = ("authorization", "Basic YW5uYTphIGdvb2QgcGFzc3dvcmQ=");
    let headers = [basic, header];
    run(ask(app, "POST /api/v2/signin", &headers, Value::Null))
}

#[track_caller]
fn assert_completed(reply: &Reply) {
    reply.expect_refusal("422 conflict: onboarding has already been completed");
}

#[test]
fn set_up_works_once_and_creates_an_operator_who_can_sign_in() {
    let app = app();
    assert_eq!(is_allowed(&app), true);
    let made = post(&app, &form()).expect(201).json();
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
    assert_completed(&post_only(&app, &[], &json!("")));
    let token = made["auth"]["token"].as_str().unwrap();
    assert_eq!(me(&app, token).json()["name"], "anna");
    let signed_in = sign_in(&app, ("host", "localhost"));
    let headers = [("cookie", signed_in.header("set-cookie").unwrap())];
    let body = json!({"name": "other-org"});
    run(ask(&app, "POST /api/v2/orgs", &headers, body)).expect(201);
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
            let message = post(&app, &form).expect_code("422 unprocessable entity");
            assert!(message.contains(field), "{message}");
        }
    }
    let array = json!(["anna", "a good password", "my-org", "metrics"]);
    let (status, _, message) = post(&app, &array).refusal();
    let is_named = message.contains(", expected an object at line ");
    assert!(status == 400 && is_named, "{status} {message}");
    for password in ["1234567", &"x".repeat(73)] {
        let mut form = form();
        form["password"] = json!(password);
        assert_eq!(post(&app, &form).refusal().0, 400);
    }
    assert_eq!(is_allowed(&app), true);
    post(&app, &form()).expect(201);
}

#[test]
fn the_token_may_be_chosen() {
    let app = app();
    let own = "my-own-token-of-more-than-32-bytes-==";
    let mut form = form();
    form["token"] = json!("short");
    assert_eq!(post(&app, &form).refusal().0, 400);
    form["token"] = json!(own);
    let made = post(&app, &form).expect(201);
    assert_eq!(made.json()["auth"]["token"], own);
    me(&app, own);
}

/// An embedding server that mounts the router with default settings.
#[test]
fn without_a_code_set_up_is_closed() {
    let app = Backend::new().app(Settings::default());
    assert_eq!(is_allowed(&app), false);
    for headers in [vec![], vec![(HEADER, "")], vec![(HEADER, CODE)]] {
        assert_completed(&post_only(&app, &headers, &form()));
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
        vec![("x-forwarded-for", "203.0.113.7"), ("host", "127.0.0.1:8086")],
    ] {
        let message = post_only(&app, &headers, &form()).expect_code("401 unauthorized");
        assert!(!message.contains(CODE), "{headers:?}");
    }
    assert_eq!(is_allowed(&app), true);
    post(&app, &form()).expect(201);
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
        let reply = post_only(&app, &headers, &form());
        assert_eq!(reply.refusal().0, status, "{header:?}");
    }
    assert_eq!(is_allowed(&app), true);
    let code = (HEADER, CODE);
    let host = ("host", "localhost:8086");
    let origin = ("origin", "http://localhost:8086");
    let json = ("content-type", "application/json; charset=utf-8");
    for headers in [vec![code, host, origin], vec![code, json]] {
        post_only(&self::app(), &headers, &form()).expect(201);
    }
}

#[test]
fn an_allowed_host_is_accepted_for_set_up_and_sign_in() {
    let mut settings = settings();
    settings.allowed_hosts = vec!["tokens.example".into()];
    let app = Backend::new().app(settings);
    let headers = [(HEADER, CODE), ("host", "tokens.example")];
    post_only(&app, &headers, &form()).expect(201);
    for (header, status) in [
        (("host", "tokens.example:443"), 204),
        (("host", "evil.example"), 403),
        (("origin", "http://evil.example"), 403),
    ] {
        assert_eq!(sign_in(&app, header).status, status, "{header:?}");
    }
}

#[test]
fn a_refusal_comes_before_the_body_is_read() {
    let app = app();
    let (code, origin) = ((HEADER, CODE), ("origin", "http://evil.example"));
    for (headers, status) in [(vec![], 401), (vec![code, origin], 403), (vec![code], 413)] {
        let large = json!("x".repeat(2 << 20));
        assert_eq!(post_only(&app, &headers, &large).refusal().0, status);
    }
}

#[test]
fn a_store_in_use_is_closed_though_it_was_never_set_up() {
    let backend = Backend::new();
    let app = backend.app(settings());
    assert_eq!(is_allowed(&app), true);
    backend.create_user("anna");
    assert_eq!(is_allowed(&app), false);
    assert_completed(&post(&app, &form()));
    let anna = backend.root().users().find("anna").unwrap();
    assert!(!anna.operator);
}
