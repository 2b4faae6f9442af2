//! The limit of wrong passwords.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use symbolon_http::{PasswordLimit, Settings};

use crate::document::operations;
use crate::server::Server;
use crate::sessions::basic;
use crate::support::Reply;

const PASSWORD: &str = "a good password";
const SIGN_IN: &str = "POST /api/v2/signin";
const FAILURES: u32 = 3;
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// Returns a server whose user has a password.
fn server(failures: u32, window: Duration) -> Server {
    let mut settings = Settings::default();
    settings.passwords = PasswordLimit { failures, window };
    let server = Server::with(settings);
    server.set_password(PASSWORD);
    server
}

fn send(server: &Server, line: &str, name: &str, password: &str) -> Reply {
    let value = basic(name, password);
    let body = match line {
        SIGN_IN => Value::Null,
        _ => json!({"password": "another password"}),
    };
    server.ask_with(line, &[("authorization", &value)], body)
}

/// Asserts that the limit was exceeded, and returns the seconds to wait.
#[track_caller]
fn expect_limit(reply: &Reply) -> u64 {
    let message = reply.expect_code("429 too many requests");
    let seconds = reply.header("retry-after").unwrap();
    let wanted = "too many wrong passwords were given under this name; try again in";
    assert_eq!(message, format!("{wanted} {seconds} s"));
    seconds.parse().unwrap()
}

#[test]
fn wrong_passwords_block_a_name_whether_or_not_the_user_exists() {
    let server = server(FAILURES, WINDOW);
    let names = ["anna", "dora", ""];
    for name in names {
        for _ in 0..FAILURES {
            let reply = send(&server, SIGN_IN, name, "a bad password").expect(401);
            assert_eq!(reply.header("retry-after"), None);
        }
        // The right password is refused too.
        let seconds = expect_limit(&send(&server, SIGN_IN, name, PASSWORD));
        assert!((1..=WINDOW.as_secs()).contains(&seconds), "{seconds}");
    }
    // Except for the seconds, the replies are equal.
    let [existing, unknown, _] = names.map(|name| {
        let mut reply = send(&server, SIGN_IN, name, PASSWORD);
        expect_limit(&reply);
        reply.headers.remove("retry-after");
        reply.headers.remove("content-length");
        reply.headers
    });
    assert_eq!(existing, unknown);
    // The limit does not apply to tokens.
    server.operate(SIGN_IN, Value::Null).expect(204);
}

#[test]
fn wrong_passwords_are_forgotten_after_the_wait_and_after_the_right_one() {
    let server = server(2, Duration::from_secs(3));
    let sign_in = |password: &str| send(&server, SIGN_IN, "anna", password);
    sign_in("a bad password").expect(401);
    sign_in("a bad password").expect(401);
    sleep(Duration::from_secs(expect_limit(&sign_in(PASSWORD))));
    for _ in 0..2 {
        sign_in("a bad password").expect(401);
        sign_in(PASSWORD).expect(204);
    }
}

#[test]
fn wrong_passwords_of_all_operations_count_together() {
    let server = server(FAILURES, WINDOW);
    let path = format!("/api/v2/users/{}/password", server.user);
    let lines = [
        "PUT /api/v2/me/password".to_owned(),
        format!("POST {path}"),
        format!("PUT {path}"),
        SIGN_IN.to_owned(),
    ];
    for line in lines.iter().cycle().take(FAILURES as usize) {
        send(&server, line, "anna", "a bad password").expect(401);
    }
    for line in &lines {
        expect_limit(&send(&server, line, "anna", PASSWORD));
    }
    // A caller that may write the user needs no password.
    let reply = server.operate(&lines[2], json!({"password": PASSWORD}));
    reply.expect(204);
}

#[test]
fn the_document_describes_the_limit_of_exactly_these_operations() {
    let mut limited = Vec::new();
    for (_, _, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap().to_owned();
        let reply = &operation["responses"]["429"];
        let security = operation["security"].as_array();
        let takes_password =
            security.is_some_and(|all| all.iter().any(|one| one.get("password").is_some()));
        assert_eq!(reply.is_object(), takes_password, "{name}");
        if takes_password {
            assert_eq!(reply["headers"]["Retry-After"]["schema"]["type"], "integer");
            limited.push(name);
        }
    }
    limited.sort_unstable();
    let of_users = ["PostUsersIDPassword", "PutMePassword", "PutUsersIDPassword"];
    assert_eq!(limited, [&["PostSignin"], &of_users[..]].concat());
}
