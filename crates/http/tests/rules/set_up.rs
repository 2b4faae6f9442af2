//! Set-up: once, with all that is needed, and with the code if the server wants one.

use std::sync::Arc;

use serde_json::{Value, json};
use symbolon_http::{Api, Settings, application};

use crate::server::engine;
use crate::support::{Reply, ask, run};

const LINE: &str = "/api/v2/setup";
const CODE: &str = "the code that was printed";

fn app(code: Option<&str>) -> axum::Router {
    let clock = symbolon::ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
    let engine = engine(&Arc::new(symbolon::MemoryStore::new()), &clock);
    let mut settings = Settings::default();
    settings.set_up_code = code.map(|code| Arc::new(zeroize::Zeroizing::new(code.to_owned())));
    application(Api::new(engine, settings))
}

fn form() -> Value {
    json!({"username": "anna", "password": "a good password", "org": "my-org", "bucket": "metrics"})
}

fn post(app: &axum::Router, headers: &[(&str, &str)], form: &Value) -> Reply {
    run(ask(app, "POST", LINE, headers, Some(form.to_string())))
}

fn is_allowed(app: &axum::Router) -> Value {
    run(ask(app, "GET", LINE, &[], None)).json()["allowed"].clone()
}

#[test]
fn it_works_once_and_makes_all_that_is_needed() {
    let app = app(None);
    assert_eq!(is_allowed(&app), true);
    let reply = post(&app, &[], &form());
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
    let told = post(&app, &[], &form()).refusal();
    let wanted = (422, "conflict", "onboarding has already been completed");
    assert_eq!((told.0, told.1.as_str(), told.2.as_str()), wanted);
    let token = format!("Token {}", made["auth"]["token"].as_str().unwrap());
    let headers = [("authorization", token.as_str())];
    let me = run(ask(&app, "GET", "/api/v2/me", &headers, None));
    assert_eq!(me.json()["name"], "anna");
    // Whoever was there first signs in as operator.
    let signed = run(ask(
        &app,
        "POST",
        "/api/v2/signin",
        &[("authorization", "Basic YW5uYTphIGdvb2QgcGFzc3dvcmQ=")],
        None,
    ));
    let cookie = signed.header("set-cookie").unwrap().to_owned();
    let body = Some(json!({"name": "other-org"}).to_string());
    let org = run(ask(
        &app,
        "POST",
        "/api/v2/orgs",
        &[("cookie", &cookie)],
        body,
    ));
    assert_eq!(org.status, 201, "{}", org.text());
}

#[test]
fn what_is_missing_is_told_and_nothing_is_made() {
    let app = app(None);
    for field in ["username", "password", "org", "bucket"] {
        for value in [Value::Null, json!("")] {
            let mut form = form();
            match value {
                Value::Null => drop(form.as_object_mut().unwrap().remove(field)),
                value => form[field] = value,
            }
            let told = post(&app, &[], &form).refusal();
            assert_eq!(
                (told.0, told.1.as_str()),
                (422, "unprocessable entity"),
                "{field}"
            );
            assert!(told.2.contains(field), "{}", told.2);
        }
    }
    for password in ["1234567", &"x".repeat(73)] {
        let mut form = form();
        form["password"] = json!(password);
        assert_eq!(post(&app, &[], &form).refusal().0, 400);
    }
    assert_eq!(is_allowed(&app), true);
    assert_eq!(post(&app, &[], &form()).status, 201);
}

#[test]
fn the_token_may_be_ones_own() {
    let app = app(None);
    let own = "my-own-token-of-more-than-32-bytes-==";
    let mut form = form();
    form["token"] = json!("short");
    assert_eq!(post(&app, &[], &form).refusal().0, 400);
    form["token"] = json!(own);
    let made = post(&app, &[], &form);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["auth"]["token"], own);
    let token = format!("Token {own}");
    let headers = [("authorization", token.as_str())];
    assert_eq!(
        run(ask(&app, "GET", "/api/v2/me", &headers, None)).status,
        200
    );
}

#[test]
fn the_code_is_needed_if_there_is_one() {
    let app = app(Some(CODE));
    for headers in [
        vec![],
        vec![("x-symbolon-setup-code", "")],
        vec![("x-symbolon-setup-code", "the code that was printes")],
        vec![("authorization", CODE)],
    ] {
        let told = post(&app, &headers, &form()).refusal();
        assert_eq!(
            (told.0, told.1.as_str()),
            (401, "unauthorized"),
            "{headers:?}"
        );
    }
    assert_eq!(is_allowed(&app), true);
    let right = [("x-symbolon-setup-code", CODE)];
    assert_eq!(post(&app, &right, &form()).status, 201);
    assert_eq!(post(&app, &[], &form()).refusal().0, 422);
}
