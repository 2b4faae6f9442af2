//! `check`, one by one and as a stream.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use symbolon::{Caller, Engine, Options, Schema};
use symbolon_files::KeyFile;
use symbolon_sqlite::SqliteStore;

use crate::world::{BACKENDS, ORGANIZATION, World, id, row, token};

fn rows() -> Vec<Value> {
    let mut rows: Vec<Value> = (0..4).map(row).collect();
    rows[1]["status"] = json!("inactive");
    rows[2]["expiresAt"] = json!("2020-01-01T00:00:00+02:00");
    rows[3]["status"] = json!("revoked");
    rows
}

fn line(token: &str) -> Value {
    json!({"token": token, "action": "read", "type": "buckets", "org": ORGANIZATION})
}

#[test]
fn it_exits_with_0_1_or_2() {
    for store in BACKENDS {
        let world = World::with(store, &rows());
        let denied = |reason: &str, number| {
            let answer = json!({"allow": false, "reason": reason, "id": id(number)});
            assert_eq!(world.check(&token(number)), (1, answer));
        };
        assert_eq!(world.check(&token(0)).0, 0);
        assert_eq!(world.check(&format!("{}\n", token(0))).0, 0, "a line");
        denied("inactive", 1);
        denied("expired", 2);
        denied("revoked", 3);
        assert_eq!(
            world.check("x").1,
            json!({"allow": false, "reason": "malformed"})
        );
        assert_eq!(
            world.check(&"x".repeat(40)).1,
            json!({"allow": false, "reason": "unknown"})
        );
        let asks = |words: &[&str]| {
            let mut command = world.run(&["check"]);
            command
                .args(words)
                .write_stdin(token(0))
                .output()
                .unwrap()
                .status
                .code()
                .unwrap()
        };
        assert_eq!(
            asks(&["--action", "write", "--type", "buckets", "--org", "other"]),
            1
        );
        assert_eq!(
            asks(&["--action", "read", "--type", "buckets", "--org", "other"]),
            0,
            "by name"
        );
        assert_eq!(
            asks(&["--action", "read", "--type", "buckets", "--org", "nobody"]),
            2
        );
        assert_eq!(asks(&["--action", "fly", "--type", "buckets"]), 2);
        assert_eq!(asks(&["--action", "read"]), 2);
    }
}

#[test]
fn a_stream_answers_every_line_in_order() {
    let world = World::with(BACKENDS[0], &rows());
    let mut lines: Vec<String> = (0..4)
        .map(|number| line(&token(number)).to_string())
        .collect();
    lines.push("{".into());
    lines.push("{\"token\":5}".into());
    let mut unknown = line(&token(0));
    unknown["type"] = json!("cows");
    lines.push(unknown.to_string());
    lines.push(line(&token(0)).to_string());
    let output = world
        .run(&["check", "--stream"])
        .write_stdin(lines.join("\n"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "lines were wrong");
    let answers: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(answers.len(), lines.len());
    let reasons: Vec<&str> = answers
        .iter()
        .map(|answer| answer["reason"].as_str().unwrap_or("-"))
        .collect();
    assert_eq!(
        reasons,
        ["-", "inactive", "expired", "revoked", "-", "-", "-", "-"]
    );
    for (at, answer) in answers.iter().enumerate() {
        match at {
            0 | 7 => assert_eq!(
                (&answer["allow"], &answer["id"]),
                (&json!(true), &json!(id(0)))
            ),
            4..=6 => assert!(
                answer["error"].is_string() && answer["line"] == json!(at + 1),
                "{answer}"
            ),
            _ => assert_eq!(answer["allow"], json!(false)),
        }
    }
    let good = world
        .run(&["check", "--stream"])
        .write_stdin(lines[0].clone())
        .output()
        .unwrap();
    assert_eq!(good.status.code(), Some(0));
}

#[test]
fn a_stream_sees_what_another_process_changes() {
    let world = World::with(BACKENDS[0], &rows());
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("symbolon"))
        .current_dir(world.path("."))
        .args(["--store", BACKENDS[0], "check", "--stream"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    // Each line is answered at once, not only when the input ends.
    let mut ask = || -> Value {
        writeln!(input, "{}", line(&token(0))).unwrap();
        let mut answer = String::new();
        output.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    };
    assert_eq!(ask()["allow"], json!(true));
    let path = world.path("data/store.db");
    let store = SqliteStore::open_existing(&path).unwrap();
    let key = KeyFile::load(&KeyFile::beside(&path)).unwrap();
    let options = Options::new(Schema::influxdb_v2());
    let engine = Engine::open(Arc::new(store), key, options).unwrap();
    engine
        .issuer()
        .revoke(&Caller::Root, id(0).parse().unwrap())
        .unwrap();
    let start = std::time::Instant::now();
    while ask()["reason"] != json!("revoked") {
        assert!(start.elapsed().as_secs() < 10);
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_sled_store_has_one_process() {
    let world = World::with(BACKENDS[1], &rows());
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("symbolon"))
        .current_dir(world.path("."))
        .args(["--store", BACKENDS[1], "check", "--stream"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", line(&token(0))).unwrap();
    let mut answer = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut answer)
        .unwrap();
    let error = crate::world::refused(&mut world.run(&["fsck"]));
    assert!(error.contains("another process"), "{error}");
    drop(input);
    assert!(child.wait().unwrap().success());
    world.run(&["fsck"]).assert().success();
}
