//! How often passwords may be tried.

use std::thread::sleep;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use symbolon_http::{PasswordLimit, Settings};

use crate::server::Server;
use crate::support::Reply;

const PASSWORD: &str = "a good password";
const SIGN_IN: &str = "POST /api/v2/signin";
const FAILURES: u32 = 3;
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// A server whose user has a password.
fn server(failures: u32, window: Duration) -> Server {
    let mut settings = Settings::default();
    settings.passwords = PasswordLimit { failures, window };
    let server = Server::with(settings);
    let line = format!("POST /api/v2/users/{}/password", server.user.id);
    let set = server.operate(&line, json!({"password": PASSWORD}));
    assert_eq!(set.status, 204, "{}", set.text());
    server
}

fn try_it(server: &Server, line: &str, name: &str, password: &str) -> Reply {
    let value = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
    let body = match line {
        SIGN_IN => Value::Null,
        _ => json!({"password": "another password"}),
    };
    server.ask_with(line, &[("authorization", &value)], body)
}

/// Seconds to wait, of a try that is one too many.
fn wait(reply: &Reply) -> u64 {
    let (status, code, message) = reply.refusal();
    assert_eq!((status, code.as_str()), (429, "too many requests"));
    let seconds = reply.header("retry-after").unwrap();
    let told = "too many wrong passwords were given under this name; try again in";
    assert_eq!(message, format!("{told} {seconds} s"));
    seconds.parse().unwrap()
}

#[test]
fn wrong_passwords_lock_a_name_whether_or_not_the_user_exists() {
    let server = server(FAILURES, WINDOW);
    for name in ["anna", "nobody", ""] {
        for _ in 0..FAILURES {
            let reply = try_it(&server, SIGN_IN, name, "a bad password");
            assert_eq!(reply.status, 401);
            assert_eq!(reply.header("retry-after"), None);
        }
        // The right one too.
        let seconds = wait(&try_it(&server, SIGN_IN, name, PASSWORD));
        assert!((1..=WINDOW.as_secs()).contains(&seconds), "{seconds}");
    }
    // What stands in the replies is the same but for the seconds.
    let [anna, nobody] = ["anna", "nobody"].map(|name| {
        let mut reply = try_it(&server, SIGN_IN, name, PASSWORD);
        wait(&reply);
        reply.headers.remove("retry-after");
        reply.headers.remove("content-length");
        reply.headers
    });
    assert_eq!(anna, nobody);
    // A token is no password.
    let token = format!("Token {}", server.operator);
    let with_token = server.ask_with(SIGN_IN, &[("authorization", &token)], Value::Null);
    assert_eq!(with_token.status, 204);
}

#[test]
fn the_failure_count_resets_after_the_wait_or_a_correct_password() {
    let patient = server(2, Duration::from_secs(3));
    let bad = || try_it(&patient, SIGN_IN, "anna", "a bad password").status;
    assert_eq!([bad(), bad()], [401, 401]);
    let seconds = wait(&try_it(&patient, SIGN_IN, "anna", PASSWORD));
    sleep(Duration::from_secs(seconds));
    for _ in 0..2 {
        assert_eq!(bad(), 401);
        assert_eq!(try_it(&patient, SIGN_IN, "anna", PASSWORD).status, 204);
    }
}

#[test]
fn all_password_operations_share_one_limit() {
    let server = server(FAILURES, WINDOW);
    let own = "PUT /api/v2/me/password".to_owned();
    let by_id = |method: &str| format!("{method} /api/v2/users/{}/password", server.user.id);
    let lines = [own, by_id("POST"), by_id("PUT"), SIGN_IN.to_owned()];
    for line in lines.iter().cycle().take(FAILURES as usize) {
        assert_eq!(try_it(&server, line, "anna", "a bad password").status, 401);
    }
    for line in &lines {
        wait(&try_it(&server, line, "anna", PASSWORD));
    }
    // Whoever may write the user needs no password of it.
    let set = server.operate(&by_id("PUT"), json!({"password": PASSWORD}));
    assert_eq!(set.status, 204);
}

#[test]
fn the_document_declares_the_limit_on_exactly_these_operations() {
    let document = serde_json::to_value(symbolon_http::openapi()).unwrap();
    let mut told = Vec::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let reply = &operation["responses"]["429"];
            let security = operation["security"].as_array();
            let takes =
                security.is_some_and(|all| all.iter().any(|one| one.get("password").is_some()));
            assert_eq!(reply.is_object(), takes, "{}", operation["operationId"]);
            if takes {
                assert_eq!(reply["headers"]["Retry-After"]["schema"]["type"], "integer");
                told.push(operation["operationId"].as_str().unwrap());
            }
        }
    }
    told.sort_unstable();
    let wanted = [
        "PostSignin",
        "PostUsersIDPassword",
        "PutMePassword",
        "PutUsersIDPassword",
    ];
    assert_eq!(told, wanted);
}
