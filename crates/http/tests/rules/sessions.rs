//! Signing in and out, and what ends a session.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use symbolon::{Caller, Role};
use symbolon_http::{Api, Settings, application};

use crate::server::{Server, engine};
use crate::support::{Reply, ask, run};

const PASSWORD: &str = "a good password";
const MINUTE: Duration = Duration::from_secs(60);

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// A server whose user owns the organization and has a password.
fn server() -> Server {
    let server = Server::new();
    let issuer = server.engine.issuer();
    issuer
        .add_member(&Caller::Root, server.org, server.user.id, Role::Owner)
        .unwrap();
    let line = format!("POST /api/v2/users/{}/password", server.user.id);
    let set = server.operate(&line, json!({"password": PASSWORD}));
    assert_eq!(set.status, 204, "{}", set.text());
    server
}

fn sign_in(server: &Server, authorization: &str) -> Reply {
    let headers = [("authorization", authorization)];
    server.ask_with("POST /api/v2/signin", &headers, Value::Null)
}

/// The text of `Set-Cookie`, which InfluxDB's Python client sends back as it is.
fn cookie(reply: &Reply) -> String {
    assert_eq!((reply.status, reply.text()), (204, ""));
    let text = reply.header("set-cookie").unwrap();
    assert!(text.starts_with("influxdb-oss-session="), "{text}");
    for part in ["Path=/", "HttpOnly", "SameSite=Strict"] {
        assert!(text.split("; ").any(|one| one == part), "{text}");
    }
    text.to_owned()
}

fn signed_in(server: &Server) -> String {
    cookie(&sign_in(server, &basic("anna", PASSWORD)))
}

fn with(server: &Server, line: &str, cookie: &str, body: Value) -> Reply {
    server.ask_with(line, &[("cookie", cookie)], body)
}

fn me(server: &Server, cookie: &str) -> Reply {
    with(server, "GET /api/v2/me", cookie, Value::Null)
}

fn is_over(server: &Server, cookie: &str) {
    let (status, code, message) = me(server, cookie).refusal();
    let told = (status, code.as_str(), message.as_str());
    assert_eq!(told, (401, "unauthorized", "unauthorized access"));
}

#[test]
fn users_sign_in_with_a_password_and_sign_out() {
    let server = server();
    let session = signed_in(&server);
    assert_eq!(me(&server, &session).json()["name"], "anna");
    let value = session.split(';').next().unwrap();
    assert_eq!(me(&server, value).status, 200);
    assert_eq!(me(&server, &format!("a=b; {value}")).status, 200);
    // Another one, which stays.
    let other = signed_in(&server);
    let out = with(&server, "POST /api/v2/signout", &session, Value::Null);
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    is_over(&server, &session);
    assert_eq!(me(&server, &other).status, 200);
    // A session is no token, and a token no session.
    let text = value.split_once('=').unwrap().1;
    assert_eq!(server.ask("GET /api/v2/me", text, Value::Null).status, 401);
    let operator = format!("influxdb-oss-session={}", server.operator);
    is_over(&server, &operator);
}

#[test]
fn failed_sign_ins_do_not_reveal_which_part_was_wrong() {
    let server = server();
    let wrong = [
        basic("anna", "a bad password"),
        basic("anna", ""),
        basic("nobody", PASSWORD),
        basic("", ""),
        "Basic !".to_owned(),
        format!("Basic {}", STANDARD.encode("anna")),
        "Token garbage".to_owned(),
    ];
    for authorization in wrong {
        let reply = sign_in(&server, &authorization);
        let told = reply.refusal();
        assert_eq!((told.0, told.2.as_str()), (401, "unauthorized access"));
        assert_eq!(reply.header("set-cookie"), None);
    }
    // A password alone opens nothing else.
    let headers = [("authorization", basic("anna", PASSWORD))];
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let list = server.ask_with("GET /api/v2/authorizations", &headers, Value::Null);
    assert_eq!(list.status, 401);
}

#[test]
fn a_token_session_has_the_rights_and_lifetime_of_its_token() {
    let server = server();
    let held = [
        format!("read:users/{}", server.user.id),
        "read:buckets".to_owned(),
    ];
    let (token, made) = server.token(&held);
    let session = cookie(&sign_in(&server, &format!("Token {token}")));
    assert_eq!(me(&server, &session).status, 200);
    let create = with(
        &server,
        "POST /api/v2/users",
        &session,
        json!({"name": "bert"}),
    );
    assert_eq!(create.refusal().0, 401);
    let line = format!("PATCH /api/v2/authorizations/{}", made.id);
    assert_eq!(
        server.operate(&line, json!({"status": "inactive"})).status,
        200
    );
    let told = me(&server, &session).refusal();
    assert_eq!((told.0, told.2.as_str()), (401, "token is inactive"));
    let told = sign_in(&server, &format!("Token {token}")).refusal();
    assert_eq!((told.0, told.2.as_str()), (401, "token is inactive"));
    assert_eq!(
        server.operate(&line, json!({"status": "active"})).status,
        200
    );
    assert_eq!(me(&server, &session).status, 200);
    let line = format!("DELETE /api/v2/authorizations/{}", made.id);
    assert_eq!(server.operate(&line, Value::Null).status, 204);
    is_over(&server, &session);
}

#[test]
fn changing_a_password_ends_all_sessions() {
    let server = server();
    let sessions = [signed_in(&server), signed_in(&server)];
    let change = |authorization: &str, password: &str| {
        let headers = [("authorization", authorization)];
        server
            .ask_with(
                "PUT /api/v2/me/password",
                &headers,
                json!({"password": password}),
            )
            .status
    };
    let known = basic("anna", PASSWORD);
    assert_eq!(
        change(&basic("anna", "a bad password"), "another password"),
        401
    );
    for bad in ["1234567", &"x".repeat(73)] {
        assert_eq!(change(&known, bad), 400);
    }
    assert_eq!(me(&server, &sessions[0]).status, 200);
    assert_eq!(change(&known, "another password"), 204);
    sessions
        .iter()
        .for_each(|session| is_over(&server, session));
    assert_eq!(sign_in(&server, &known).status, 401);
    assert_eq!(
        sign_in(&server, &basic("anna", "another password")).status,
        204
    );
}

#[test]
fn a_session_follows_the_status_of_its_user() {
    let server = server();
    let session = signed_in(&server);
    let user = format!("/api/v2/users/{}", server.user.id);
    let issuer = server.engine.issuer();
    // The operator's own user is another one, or its token would stop too.
    let operator = issuer
        .create_user(&Caller::Root, "operator", None)
        .unwrap()
        .id;
    let all: Vec<_> = symbolon::Schema::influxdb_operator()
        .iter()
        .map(ToString::to_string)
        .collect();
    let operator = server.token_of(server.org, Some(operator), &all).0;
    let switch = |status: &str| {
        let line = format!("PATCH {user}");
        assert_eq!(
            server
                .ask(&line, &operator, json!({"status": status}))
                .status,
            200
        );
    };
    switch("inactive");
    for reply in [
        me(&server, &session),
        sign_in(&server, &basic("anna", PASSWORD)),
    ] {
        let told = reply.refusal();
        assert_eq!(
            (told.0, told.1.as_str(), told.2.as_str()),
            (403, "forbidden", "User is inactive")
        );
    }
    // Not so with a wrong password: that would tell that there is such a user.
    assert_eq!(
        sign_in(&server, &basic("anna", "a bad password")).status,
        401
    );
    switch("active");
    assert_eq!(me(&server, &session).status, 200);
    assert_eq!(
        server
            .ask(&format!("DELETE {user}"), &operator, Value::Null)
            .status,
        204
    );
    is_over(&server, &session);
    assert_eq!(sign_in(&server, &basic("anna", PASSWORD)).status, 401);
}

#[test]
fn sessions_expire_and_are_extended_by_use() {
    let server = server();
    let (used, unused) = (signed_in(&server), signed_in(&server));
    server.clock.advance(58 * MINUTE);
    assert_eq!(me(&server, &used).status, 200);
    server.clock.advance(4 * MINUTE);
    assert_eq!(me(&server, &used).status, 200);
    is_over(&server, &unused);
    server.clock.advance(61 * MINUTE);
    is_over(&server, &used);
}

#[test]
fn a_session_survives_a_restart() {
    let server = server();
    let (session, out) = (signed_in(&server), signed_in(&server));
    with(&server, "POST /api/v2/signout", &out, Value::Null);
    let Server {
        app,
        engine: old,
        clock,
        store,
        ..
    } = server;
    drop((app, old));
    let app = application(Api::new(engine(&store, &clock), Settings::default()));
    let me = |cookie: &str| run(ask(&app, "GET", "/api/v2/me", &[("cookie", cookie)], None)).status;
    assert_eq!(me(&session), 200);
    assert_eq!(me(&out), 401);
}

#[test]
fn a_change_with_a_cookie_is_refused_from_another_site() {
    let server = server();
    let session = signed_in(&server);
    let host = ("host", "tokens.example:8086");
    let ask = |line: &str, more: &[(&str, &str)]| {
        let mut headers = vec![host, ("cookie", session.as_str())];
        headers.extend(more);
        let body = Some(json!({"description": "x"})).filter(|_| line.starts_with("PATCH"));
        server.ask_with(line, &headers, body.unwrap_or_default())
    };
    let made = server.token(&["read:buckets".to_owned()]).1;
    let change = format!("PATCH /api/v2/authorizations/{}", made.id);
    let show = format!("GET /api/v2/authorizations/{}", made.id);
    let foreign = [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://tokens.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for header in foreign {
        for line in [&change, "POST /api/v2/signout"] {
            let told = ask(line, &[header]).refusal();
            assert_eq!(
                (told.0, told.1.as_str()),
                (403, "forbidden"),
                "{line} {header:?}"
            );
        }
        // A token is not sent by a browser on its own.
        let token = format!("Token {}", server.operator);
        let headers = [host, header, ("authorization", token.as_str())];
        assert_eq!(
            server.ask_with(&change, &headers, json!({})).status,
            200,
            "{header:?}"
        );
        assert_eq!(ask(&show, &[header]).status, 200, "{header:?}");
    }
    assert_eq!(ask(&show, &[]).json()["description"], "");
    let own = [
        vec![],
        vec![("origin", "http://tokens.example:8086")],
        vec![
            ("sec-fetch-site", "same-origin"),
            ("origin", "http://tokens.example:8086"),
        ],
    ];
    for headers in own {
        assert_eq!(ask(&change, &headers).status, 200, "{headers:?}");
    }
    assert_eq!(
        ask("POST /api/v2/signout", &[("sec-fetch-site", "same-origin")]).status,
        204
    );
}
