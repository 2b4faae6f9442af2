//! `symbolon check --stream`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon::{Caller, Id};

use crate::common::{AUTH, Home, ORG, err, out, token};

fn ask(token: &str) -> Value {
    json!({"token": token, "action": "read", "type": "buckets", "org": "my-org"})
}

fn answers(home: &Home, input: impl Into<Vec<u8>>, code: i32) -> Vec<Value> {
    let done = home.command(&["check", "--stream"]).write_stdin(input).assert().code(code);
    assert!(err(&done).contains(" per second): "), "{}", err(&done));
    out(&done).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn answers_are_in_the_order_of_requests() {
    let home = Home::with_sample();
    let input: Vec<_> = (0..3000).map(|number| ask(&token(number % 7 + 1)).to_string()).collect();
    let permission = format!("read:orgs/{ORG}/buckets");
    let reasons = ["inactive", "expired", "revoked", "forbidden", "", "unknown"];
    for (number, answer) in answers(&home, input.join("\n"), 0).iter().enumerate() {
        let which = number % 7 + 1;
        let id = format!("{:016x}", 0xa00 + which);
        let wanted = match which {
            1 | 6 => json!({"allow": true, "id": id, "permission": permission}),
            7 => json!({"allow": false, "reason": "unknown"}),
            _ => json!({"allow": false, "reason": reasons[which - 2], "id": id}),
        };
        assert_eq!(*answer, wanted, "{number}");
    }
}

#[test]
fn request_lines_are_parsed() {
    let home = Home::with_sample();
    let line = format!(
        "{{\"token\":\"{}\",\"action\":\"read\",\"type\":\"buckets\",\"id\":null,\
         \"org\":\"{ORG}\",\"more\":[1]}}\r\n",
        token(1).replace('Z', "\\u005a")
    );
    let done = home.command(&["check", "--stream"]).write_stdin(line).assert().success();
    assert_eq!(
        out(&done),
        format!(
            "{{\"allow\":true,\"id\":\"{AUTH}\",\"permission\":\"read:orgs/{ORG}/buckets\"}}\n"
        )
    );
}

#[test]
fn invalid_lines_are_reported_and_the_stream_continues() {
    let home = Home::with_sample();
    let secret = token(1);
    let mut input = Vec::new();
    let wrong: Vec<(Vec<u8>, &str)> = vec![
        ("".into(), "the line is not JSON: EOF while parsing a value"),
        (secret.clone().into(), "the line is not JSON: "),
        (format!("\"{secret}\"").into(), "the line is not an object of strings such as"),
        (format!("[\"{secret}\"]").into(), "the line is not an object of strings such as"),
        (
            json!([secret, "read", "buckets"]).to_string().into(),
            "the line is not an object of strings such as",
        ),
        (
            format!("{{\"token\":\"{secret}\"").into(),
            "the line is not JSON: EOF while parsing an object",
        ),
        (format!("{{\"token\":\"{secret}\"}}").into(), "missing field `action`"),
        (
            json!({"token": secret, "action": "read", "type": 7}).to_string().into(),
            "the line is not an object of strings",
        ),
        (
            json!({"token": secret, "action": secret, "type": "buckets"}).to_string().into(),
            "`action`: a name is",
        ),
        (
            json!({"token": secret, "action": "drop", "type": "buckets"}).to_string().into(),
            "unknown action `drop`",
        ),
        (
            json!({"token": secret, "action": "read", "type": "tables"}).to_string().into(),
            "unknown resource type",
        ),
        (b"{\"token\":\"\xff\"}".into(), "the line is not valid UTF-8"),
        (
            json!({"token": "x".repeat(1 << 20), "action": "read"}).to_string().into(),
            "the line is longer than",
        ),
    ];
    for (line, _) in &wrong {
        input.extend(line);
        input.extend(b"\n");
        input.extend(ask(&secret).to_string().bytes());
        input.extend(b"\n");
    }
    let answers = answers(&home, input, 2);
    assert_eq!(answers.len(), wrong.len() * 2);
    for (at, (pair, (_, expected))) in answers.chunks(2).zip(&wrong).enumerate() {
        let error = pair[0]["error"].as_str().unwrap();
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains(&secret), "{error}");
        assert_eq!(pair[0]["line"], at * 2 + 1);
        assert_eq!(pair[1]["allow"], true);
    }
}

#[test]
fn unknown_names_are_never_allowed() {
    let home = Home::with_sample();
    let set_up = home.run(&["setup", "--adopt", "--org=my-org", "--user=me", "--json"]).success();
    let set_up: Value = serde_json::from_str(&out(&set_up)).unwrap();
    let operator = set_up["auth"]["token"].as_str().unwrap();
    let ask = |token: &str, kind: &str, id: Value, org: Value| {
        json!({"token": token, "action": "read", "type": kind, "id": id, "org": org}).to_string()
    };
    let null = Value::Null;
    let lines = [
        ask(operator, "buckets", null.clone(), "none".into()),
        ask(operator, "buckets", "nothing".into(), "my-org".into()),
        ask(operator, "buckets", "telegraf".into(), null.clone()),
        ask(operator, "users", "none".into(), null.clone()),
        ask(operator, "tasks", "no id".into(), null.clone()),
        ask(&token(2), "buckets", null.clone(), "none".into()),
        ask(&token(9), "buckets", null.clone(), "none".into()),
        ask("x", "buckets", null.clone(), "none".into()),
        ask(operator, "buckets", "telegraf".into(), "my-org".into()),
        ask(operator, "users", "me".into(), null.clone()),
        ask(operator, "orgs", "other".into(), null),
    ];
    let reasons: Vec<_> = answers(&home, lines.join("\n"), 0)
        .iter()
        .map(|answer| answer["reason"].as_str().unwrap_or("allow").to_owned())
        .collect();
    let (forbidden, allow) = ("forbidden", "allow");
    assert_eq!(
        reasons,
        [
            forbidden,
            forbidden,
            forbidden,
            forbidden,
            forbidden,
            "inactive",
            "unknown",
            "malformed",
            allow,
            allow,
            allow
        ]
    );
}

/// A running stream, to which the test sends line by line.
struct Asking {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Asking {
    fn start(home: &Home) -> Self {
        let mut process = home.process(&["check", "--stream"]);
        let process = process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = process.spawn().unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// Sends a request and returns the answer, which arrives before the input ends.
    fn ask(&mut self, request: &Value) -> String {
        writeln!(self.input, "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        answer["reason"].as_str().unwrap_or("allow").to_owned()
    }

    fn wait_for(&mut self, request: &Value, wanted: &str) {
        let start = Instant::now();
        loop {
            let answer = self.ask(request);
            if answer == wanted {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(5), "still {answer}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn changes_of_another_process_are_seen_while_it_runs() {
    let home = Home::with_sample();
    let mut asking = Asking::start(&home);
    assert_eq!(asking.ask(&ask(&token(1))), "allow");
    let engine = home.engine();
    engine.admin(Caller::Root).authorizations().revoke(AUTH.parse::<Id>().unwrap()).unwrap();
    asking.wait_for(&ask(&token(1)), "revoked");

    // A name is reused.
    assert_eq!(asking.ask(&ask(&token(6))), "allow");
    let rename = |id: &str, name: &str| {
        let edit = symbolon::OrganizationEdit { name: Some(name.into()), ..Default::default() };
        engine.admin(Caller::Root).organizations().edit(id.parse::<Id>().unwrap(), edit).unwrap();
    };
    rename(ORG, "old-org");
    asking.wait_for(&ask(&token(6)), "forbidden");
    rename(crate::common::OTHER_ORG, "my-org");
    asking.wait_for(&ask(&token(5)), "allow");
    rename(crate::common::OTHER_ORG, "other");
    rename(ORG, "my-org");
    asking.wait_for(&ask(&token(6)), "allow");
    let Asking { mut child, input, .. } = asking;
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_closed_pipe_ends_the_stream_silently() {
    let home = Home::with_sample();
    let Asking { child, mut input, output } = Asking::start(&home);
    drop(output);
    let line = format!("{}\n", ask(&token(1)));
    // Until the command has exited.
    while input.write_all(line.repeat(100).as_bytes()).is_ok() {}
    drop(input);
    let done = child.wait_with_output().unwrap();
    let error = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success() && !error.contains("Error"), "{error}");
}
