//! Signing in and out, and the end of sessions.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use symbolon::Role;

use crate::server::Server;
use crate::sets;
use crate::support::Reply;

const PASSWORD: &str = "a good password";
const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// Returns a server whose user owns the organization and has a password.
fn server() -> Server {
    let server = Server::new();
    server.add_member(server.org, server.user, Role::Owner);
    server.set_password(PASSWORD);
    server
}

fn sign_in(server: &Server, authorization: &str) -> Reply {
    let headers = [("authorization", authorization)];
    server.ask_with("POST /api/v2/signin", &headers, Value::Null)
}

/// Returns the value of `Set-Cookie`, which InfluxDB's Python client sends back unchanged.
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

#[test]
fn a_user_signs_in_with_name_and_password_and_out_again() {
    let server = server();
    let session = signed_in(&server);
    assert_eq!(me(&server, &session).json()["name"], "anna");
    let value = session.split(';').next().unwrap();
    me(&server, value).expect(200);
    me(&server, &format!("a=b; {value}")).expect(200);
    let other = signed_in(&server);
    let out = with(&server, "POST /api/v2/signout", &session, Value::Null).expect(204);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    me(&server, &session).expect_unauthorized();
    // Other sessions of the user continue.
    me(&server, &other).expect(200);
    // A session is not accepted as a token, nor a token as a session.
    let text = value.split_once('=').unwrap().1;
    server.get_as(text, "/api/v2/me").expect(401);
    let operator = format!("influxdb-oss-session={}", server.operator);
    me(&server, &operator).expect_unauthorized();
}

#[test]
fn wrong_names_and_wrong_passwords_are_refused_with_the_same_message() {
    let server = server();
    for authorization in [
        basic("anna", "a bad password"),
        basic("anna", ""),
        basic("no-such-user", PASSWORD),
        basic("", ""),
        "Basic !".to_owned(),
        format!("Basic {}", STANDARD.encode("anna")),
        "Token garbage".to_owned(),
    ] {
        let reply = sign_in(&server, &authorization);
        reply.expect_unauthorized();
        assert_eq!(reply.header("set-cookie"), None);
    }
    // A password is accepted for signing in only.
    let password = basic("anna", PASSWORD);
    let headers = [("authorization", password.as_str())];
    let list = server.ask_with("GET /api/v2/authorizations", &headers, Value::Null);
    list.expect(401);
}

#[test]
fn a_session_by_token_has_its_permissions_and_ends_with_it() {
    let server = server();
    let own = format!("read:users/{}", server.user);
    let (token, made) = server.token(&[own.as_str(), "read:buckets"]);
    let token = format!("Token {token}");
    let session = cookie(&sign_in(&server, &token));
    me(&server, &session).expect(200);
    let body = json!({"name": "bert"});
    let create = with(&server, "POST /api/v2/users", &session, body);
    assert_eq!(create.refusal().0, 401);
    let path = format!("/api/v2/authorizations/{}", made.id);
    let switch = |status: &str| {
        server.patch(&path, json!({"status": status})).expect(200);
    };
    switch("inactive");
    for reply in [me(&server, &session), sign_in(&server, &token)] {
        reply.expect_refusal("401 unauthorized: token is inactive");
    }
    switch("active");
    me(&server, &session).expect(200);
    server.delete(&path).expect(204);
    me(&server, &session).expect_unauthorized();
}

#[test]
fn changing_the_password_ends_all_sessions() {
    let server = server();
    let sessions = [signed_in(&server), signed_in(&server)];
    let change = |authorization: &str, password: &str| {
        let headers = [("authorization", authorization)];
        let body = json!({"password": password});
        server.ask_with("PUT /api/v2/me/password", &headers, body)
    };
    let right = basic("anna", PASSWORD);
    change(&basic("anna", "a bad password"), "another password").expect(401);
    for bad in ["1234567", &"x".repeat(73)] {
        change(&right, bad).expect(400);
    }
    me(&server, &sessions[0]).expect(200);
    change(&right, "another password").expect(204);
    for session in sessions {
        me(&server, &session).expect_unauthorized();
    }
    sign_in(&server, &right).expect(401);
    sign_in(&server, &basic("anna", "another password")).expect(204);
}

#[test]
fn a_session_pauses_with_its_user_and_ends_with_it() {
    let server = server();
    let session = signed_in(&server);
    let path = format!("/api/v2/users/{}", server.user);
    // The operator's token belongs to the same user and would pause too.
    let operator = server.create_user("operator");
    let operator = server.issue(server.org, Some(operator), sets::operator()).0;
    let switch = |status: &str| {
        let line = format!("PATCH {path}");
        let reply = server.ask(&line, &operator, json!({"status": status}));
        reply.expect(200);
    };
    switch("inactive");
    let right = basic("anna", PASSWORD);
    for reply in [me(&server, &session), sign_in(&server, &right)] {
        reply.expect_refusal("403 forbidden: User is inactive");
    }
    // With a wrong password, the reply must not reveal that the user exists.
    sign_in(&server, &basic("anna", "a bad password")).expect(401);
    switch("active");
    me(&server, &session).expect(200);
    let deleted = server.ask(&format!("DELETE {path}"), &operator, Value::Null);
    deleted.expect(204);
    me(&server, &session).expect_unauthorized();
    sign_in(&server, &right).expect(401);
}

#[test]
fn a_session_expires_unless_it_is_used() {
    let server = server();
    let (used, unused) = (signed_in(&server), signed_in(&server));
    server.clock.advance(58 * MINUTE);
    me(&server, &used).expect(200);
    server.clock.advance(4 * MINUTE);
    me(&server, &used).expect(200);
    me(&server, &unused).expect_unauthorized();
    server.clock.advance(61 * MINUTE);
    me(&server, &used).expect_unauthorized();
}

#[test]
fn a_session_survives_a_restart() {
    let server = server();
    let (session, out) = (signed_in(&server), signed_in(&server));
    with(&server, "POST /api/v2/signout", &out, Value::Null);
    let restarted = server.restarted();
    for (cookie, status) in [(session, 200), (out, 401)] {
        me(&restarted, &cookie).expect(status);
    }
}

#[test]
fn a_change_with_a_cookie_is_refused_from_another_site() {
    let server = server();
    let session = signed_in(&server);
    let token = format!("Token {}", server.operator);
    let by_cookie = ("cookie", session.as_str());
    let by_token = ("authorization", token.as_str());
    let made = server.token(&["read:buckets"]).1;
    let change = format!("PATCH /api/v2/authorizations/{}", made.id);
    let show = format!("GET /api/v2/authorizations/{}", made.id);
    let ask = |line: &str, credential, more: &[(&str, &str)]| {
        let mut headers = vec![("host", "tokens.example:8086"), credential];
        headers.extend(more);
        let body = if !line.starts_with("PATCH") {
            Value::Null
        } else if credential == by_cookie {
            json!({"description": "x"})
        } else {
            json!({})
        };
        server.ask_with(line, &headers, body)
    };
    for header in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://tokens.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for line in [&change, "POST /api/v2/signout"] {
            ask(line, by_cookie, &[header]).expect_code("403 forbidden");
        }
        // A browser does not send a token by itself.
        ask(&change, by_token, &[header]).expect(200);
        ask(&show, by_cookie, &[header]).expect(200);
    }
    assert_eq!(ask(&show, by_cookie, &[]).json()["description"], "");
    let same_site = ("sec-fetch-site", "same-origin");
    let same_origin = ("origin", "http://tokens.example:8086");
    for headers in [vec![], vec![same_origin], vec![same_site, same_origin]] {
        ask(&change, by_cookie, &headers).expect(200);
    }
    ask("POST /api/v2/signout", by_cookie, &[same_site]).expect(204);
}
