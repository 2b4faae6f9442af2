//! A secret appears only in the one reply that delivers it.

use std::fs;

use base64::prelude::{BASE64_STANDARD, Engine};
use hyper::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Call, Client, Reply};
use crate::secret_search::{assert_absent, files_below, holds};
use crate::server::{First, Home, PASSWORD, Server, USER, request, text};

const ANOTHER_PASSWORD: &str = "staple battery horse correct";

/// All secrets that were created or sent.
struct Flow {
    client: Client,
    first: First,
    /// Secrets delivered in one reply each.
    issued: Vec<String>,
    /// Secrets that no reply may contain.
    sent: Vec<String>,
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}

/// Returns a token of another store, unknown here.
fn stranger() -> String {
    let made = Home::new().run(&["setup", "--org=o", "--user=u", "--json"]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    text(&made["auth"]["token"])
}

impl Flow {
    fn operate(&self, call: Call) -> Reply {
        self.client.call(call.token(&self.first.token))
    }

    /// Creates tokens of every kind, in every way.
    fn issue(&mut self) {
        let new = request(&self.first.org, &["read:authorizations", "write:buckets"]);
        let made = self.operate(Call::post("/api/v2/authorizations", &new)).expect(201);
        let link = text(&made["links"]["self"]);
        let rotate = Call::post(&format!("{link}/rotate"), &json!({"overlapSeconds": 60}));
        let rotated = self.operate(rotate).expect(201);
        let database =
            json!({"description": "d", "permissions": [{"action": "read", "resource": "*"}]});
        let database = self.operate(Call::post("/api/v0/tokens", &database)).expect(200);
        self.issued.extend([
            text(&made["token"]),
            text(&rotated["token"]),
            text(&database["accessToken"]),
        ]);
        self.operate(Call::get(&link)).expect(200);
        self.operate(Call::patch(&link, &json!({"description": "e"}))).expect(200);
        let database = format!("/api/v0/tokens/{}", text(&database["id"]));
        self.operate(Call::get(&database)).expect(200);
        self.operate(Call::patch(&database, &json!({"description": "e"}))).expect(200);
    }

    /// Signs in, creates tokens in the session, and changes passwords.
    fn sign_in(&mut self) {
        let sign_in = |password: &str| {
            let call = Call::new(Method::POST, "/api/v2/signin");
            self.client.call(call.header("authorization", &basic(USER, password)))
        };
        let signed_in = sign_in(PASSWORD);
        signed_in.expect(204);
        let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
        let (cookie, _) = cookie.split_once(';').unwrap();
        let within = |call: Call| self.client.call(call.header("cookie", cookie));
        within(Call::get("/api/v2/me")).expect(200);
        let new = request(&self.first.org, &["read:buckets"]);
        let made = within(Call::post("/api/v2/authorizations", &new)).expect(201);
        let (_, cookie_text) = cookie.split_once('=').unwrap();
        let issued = [cookie_text.to_owned(), text(&made["token"])];
        let password = format!("/api/v2/users/{}/password", self.first.user);
        let change = Call::post(&password, &json!({"password": ANOTHER_PASSWORD}));
        self.operate(change).expect(204);
        sign_in(PASSWORD).refuses(401, "unauthorized access");
        sign_in(ANOTHER_PASSWORD).expect(204);
        within(Call::new(Method::POST, "/api/v2/signout")).expect(204);
        self.issued.extend(issued);
        for password in [PASSWORD, ANOTHER_PASSWORD] {
            let encoded = basic(USER, password);
            self.sent.extend([password.to_owned(), encoded.replace("Basic ", "")]);
        }
    }

    /// Sends every token in valid and invalid places.
    fn use_all(&mut self) {
        self.sent.push(stranger());
        let link = "/api/v2/authorizations";
        for token in self.issued.iter().chain(&self.sent) {
            if token.contains([' ', '=']) {
                continue;
            }
            for scheme in ["Token", "Bearer", "bearer", "Basic", "Unknown"] {
                let call = Call::get(link).header("authorization", &format!("{scheme} {token}"));
                self.client.call(call);
            }
            self.operate(Call::get(&format!("{link}?token={token}"))).expect(200);
            self.operate(Call::get(&format!("{link}?userID={token}"))).expect(400);
            self.operate(Call::get(&format!("{link}?user={token}"))).expect(404);
            self.operate(Call::patch(
                &format!("{link}/0000000000000001"),
                &json!({"status": token}),
            ));
            self.operate(Call::post(
                link,
                &json!({"orgID": token, "token": token, "permissions": token}),
            ))
            .expect(400);
            let permission = json!({"action": token, "resource": {"type": token}});
            let invalid = json!({"orgID": self.first.org, "permissions": [permission]});
            self.operate(Call::post(link, &invalid)).expect(400);
            let raw = Call::post("/api/v0/tokens", &json!(token)).token(token);
            self.client.call(raw);
        }
        for path in [
            "/metrics",
            "/health",
            "/ready",
            "/ping",
            "/api/v2/openapi.json",
            link,
            "/api/v0/tokens",
            "/api/v2/users",
            "/api/v2/orgs",
        ] {
            self.operate(Call::get(path));
        }
        let backup = self.operate(Call::new(Method::POST, "/api/v1/backup"));
        assert_eq!(backup.status, 200);
        assert!(backup.body.len() > 1000);
    }
}

/// Asserts the number of replies that contain each secret.
fn assert_in(answers: &[Answer], secrets: &[String], times: usize) {
    for secret in secrets {
        let holding: Vec<_> =
            answers.iter().filter(|answer| holds(&answer.bytes, secret)).collect();
        let lines: Vec<_> =
            holding.iter().map(|answer| &answer.request[..30.min(answer.request.len())]).collect();
        assert_eq!(lines.len(), times, "{lines:?}");
    }
}

#[test]
fn a_secret_is_in_no_log_no_file_and_no_other_reply() {
    let (server, client, first) = Server::set_up();
    let issued = vec![first.token.clone()];
    let mut flow = Flow { client, first, issued, sent: Vec::new() };
    flow.issue();
    flow.sign_in();
    flow.use_all();
    let Flow { client, issued, sent, .. } = flow;
    let answers = client.take_answers();
    assert_in(&answers, &issued, 1);
    assert_in(&answers, &sent, 0);

    let all = [issued, sent].concat();
    let files = files_below(server.home.path());
    assert!(files.iter().any(|file| file.to_string_lossy().ends_with("-wal")));
    assert!(files.iter().any(|file| file.to_string_lossy().contains(".keys/")));
    assert_absent(&files, &all);
    for of_process in ["cmdline", "environ"] {
        let path = format!("/proc/{}/{of_process}", server.id());
        let bytes = fs::read(path).unwrap();
        assert!(!bytes.is_empty() && !all.iter().any(|secret| holds(&bytes, secret)));
    }
    let home = server.stop();
    let log = home.log("log");
    // The log was verbose enough to record the requests.
    assert!(log.contains(" DEBUG ") && log.contains("/api/v2/authorizations"));
    let files = files_below(home.path());
    assert_absent(&files, &all);
    println!(
        "secrets={} answers={} files={} bytes_of_log={} hits=0",
        all.len(),
        answers.len(),
        files.len(),
        log.len()
    );
}
