//! Backups over HTTP, and their journal entries.

use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::Value;
use symbolon::backup::Backup;

use crate::client::Call;
use crate::server::{Server, request, text};

const LINE: &str = "/api/v1/backup";

/// Returns the journal rows of backups.
fn noted(server: &Server) -> Vec<Value> {
    let show = ["audit", "show", "--act", "backup", "--json"];
    let printed = String::from_utf8(server.home.run(&show).stdout).unwrap();
    let rows = printed.lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_backup_is_journaled_with_its_caller_and_commit() {
    let (server, client, first) = Server::set_up();
    let body = request(&first.org, &["read:buckets"]);
    let made = client.call(Call::post("/api/v2/authorizations", &body).token(&first.token));
    let limited = text(&made.expect(201)["token"]);
    let refused = client.call(Call::new(Method::POST, LINE).token(&limited));
    refused.refuses(401, "read:authorizations is unauthorized");
    let reply = client.call(Call::new(Method::POST, LINE).token(&first.token));
    assert_eq!(reply.status, 200);
    let backup = Backup::read(std::io::Cursor::new(reply.body.to_vec())).unwrap();

    // The outcome is written after the last byte was sent.
    let deadline = Instant::now() + Duration::from_secs(10);
    let rows = loop {
        let rows = noted(&server);
        if rows.iter().all(|row| row["result"] != "open") || Instant::now() > deadline {
            break rows;
        }
    };
    let [denied, done] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(denied["result"], "denied");
    assert_eq!(done["result"], "done");
    assert_eq!(done["revision"], backup.summary().head.0);
    assert!(done["by"]["authorization"].is_string(), "{done}");
    server.home.run(&["audit", "verify"]);
    server.stop();
}
