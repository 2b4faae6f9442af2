//! Set-up over HTTP: the sources of the code, where it appears, and when set-up is closed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::client::{Call, Client};
use crate::server::{CODE, Home, PASSWORD, SETUP_CODE, Server};

fn form() -> Value {
    json!({"username": "me", "password": PASSWORD, "org": "my-org", "bucket": "b"})
}

fn is_allowed(client: &Client) -> bool {
    client.call(Call::get("/api/v2/setup")).expect(200)["allowed"] == true
}

fn post(client: &Client, code: &str) -> u16 {
    let call = Call::post("/api/v2/setup", &form()).header(CODE, code);
    client.call(call).status
}

#[test]
fn a_generated_code_is_in_a_private_file_and_nowhere_else() {
    let server = Server::start();
    let file = server.home.path().join(SETUP_CODE);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let code = server.home.setup_code();
    assert_eq!(code.len(), 32);
    for name in ["out", "log"] {
        let text = server.home.log(name);
        assert!(!text.contains(&code), "{name}: {text}");
        assert!(text.contains("symbolon.db.keys/setup-code"), "{name}: {text}");
    }
    let client = server.client();
    client
        .call(Call::post("/api/v2/setup", &form()))
        .refuses(401, "set-up needs the server's set-up code in the header X-Symbolon-Setup-Code");
    assert_eq!(post(&client, &code.to_uppercase()), 401);
    assert!(is_allowed(&client));
    assert_eq!(post(&client, &code), 201);
    assert!(!is_allowed(&client));
    assert_eq!(post(&client, &code), 422);
    let home = server.stop();
    assert!(!file.exists());
    let server = home.serve();
    assert!(!is_allowed(&server.client()));
    assert!(!file.exists());
    assert!(!server.home.log("out").contains("setup"), "{}", server.home.log("out"));
}

#[test]
fn a_code_from_a_file_or_the_environment_is_used_and_never_shown() {
    let code = "a-code-of-the-operator";
    for from_file in [true, false] {
        let home = Home::new();
        let file = home.path().join("code");
        fs::write(&file, format!("{code}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let server = if from_file {
            home.serve_with(&["--setup-code-file", "code"], &[])
        } else {
            home.serve_with(&[], &[("SYMBOLON_SETUP_CODE", code)])
        };
        let client = server.client();
        assert_eq!(post(&client, "another-code-of-16-bytes"), 401);
        assert_eq!(post(&client, code), 201);
        for name in ["out", "log"] {
            assert!(!server.home.log(name).contains(code), "{name}");
        }
        let home = server.stop();
        assert!(!home.path().join(SETUP_CODE).exists());
        assert!(home.path().join("code").exists());
    }
}

#[test]
fn a_code_that_is_weak_or_that_others_can_read_stops_the_start() {
    let home = Home::new();
    let file = home.path().join("code");
    for (text, mode, expected) in [
        ("short", 0o600, "16 to 255 printable"),
        ("", 0o600, "16 to 255 printable"),
        ("a-code-of-the-operator", 0o644, "chmod"),
    ] {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = home.command(&["serve", "--listen=127.0.0.1:0"]);
        let refused = command.args(["--setup-code-file", "code"]).output().unwrap();
        let error = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success());
        assert!(error.contains(expected), "{error}");
    }
    let mut command = home.command(&["serve", "--listen=127.0.0.1:0"]);
    let refused = command.env("SYMBOLON_SETUP_CODE", "short").output().unwrap();
    assert!(!refused.status.success());
    assert!(!home.path().join("data").exists(), "nothing was created");
}

#[test]
fn an_import_or_a_command_closes_set_up_of_a_running_server() {
    for arguments in [
        &["import", "import.json"][..],
        &["setup", "--org=o", "--user=u"],
        &["org", "create", "--name=o"],
    ] {
        let home = Home::new();
        let organization = r#"{"orgs":[{"id":"0804f74142bbf000","name":"my-org"}]}"#;
        fs::write(home.path().join("import.json"), organization).unwrap();
        let server = home.serve();
        let code = server.home.setup_code();
        let client = server.client();
        assert!(is_allowed(&client));
        server.home.run(arguments);
        assert!(!is_allowed(&client), "{arguments:?}");
        assert_eq!(post(&client, &code), 422, "{arguments:?}");
    }
}

#[test]
fn hosts_are_allowed_by_an_option() {
    let server = Home::new().serve_with(&["--allowed-host", "tokens.example,other.example"], &[]);
    let code = server.home.setup_code();
    let client = server.client();
    for (host, status) in [("evil.example", 403), ("other.example", 201)] {
        let call = Call::post("/api/v2/setup", &form()).header(CODE, &code);
        assert_eq!(client.call(call.header("host", host)).status, status, "{host}");
    }
}

#[test]
fn only_a_generated_code_is_replaced_or_removed() {
    let home = Home::new();
    let keys = home.path().join("data/symbolon.db.keys");
    let server = home.serve();
    let home = server.stop();
    // The code of a store that is still open is kept, and used again.
    let code = home.setup_code();
    let server = home.serve();
    assert_eq!(server.home.setup_code(), code);
    let home = server.stop();
    fs::write(keys.join("setup-code"), "a file of the operator\n").unwrap();
    let mut command = home.command(&["serve", "--listen=127.0.0.1:0"]);
    let refused = command.output().unwrap();
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(error.contains("something other than a generated set-up code"), "{error}");
    home.run(&["setup", "--org=o", "--user=u"]);
    let home = home.serve().stop();
    let kept = fs::read_to_string(home.path().join(SETUP_CODE)).unwrap();
    assert_eq!(kept, "a file of the operator\n");
}

#[test]
fn a_code_that_is_missing_stops_only_a_server_that_can_be_set_up() {
    let home = Home::new();
    let mut command = home.command(&["serve", "--listen=127.0.0.1:0"]);
    let refused = command.args(["--setup-code-file", "gone"]).output().unwrap();
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains("cannot read `gone`"), "{error}");
    home.run(&["setup", "--org=o", "--user=u"]);
    let home = home.serve_with(&["--setup-code-file", "gone"], &[]).stop();
    let server = home.serve_with(&[], &[("SYMBOLON_SETUP_CODE", "")]);
    assert!(!is_allowed(&server.client()));
}

#[test]
fn the_printed_commands_work_from_another_folder() {
    let home = Home::new();
    let server = home.serve();
    let printed = server.home.log("out");
    let (_, after) = printed.split_once("symbolon setup").unwrap();
    let (_, curl) = after.split_once("dots:\n\n").unwrap();
    let script = curl.replace('…', PASSWORD);
    let elsewhere = tempfile::tempdir().unwrap();
    let mut shell = std::process::Command::new("sh");
    let done = shell.current_dir(elsewhere.path()).args(["-c", &script]).output().unwrap();
    let reply: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(reply["user"]["name"], "me", "{script}");
    assert!(!is_allowed(&server.client()));
}

/// A log that cannot be written loses lines, and neither the server nor a reply.
#[test]
fn an_unwritable_log_loses_no_reply() {
    let home = Home::new();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0", "--log", "trace"]);
    command.stdout(fs::File::create(home.path().join("out")).unwrap());
    command.stderr(full());
    let server = home.adopt(command);
    let client = server.client();
    let code = server.home.setup_code();
    let call = Call::post("/api/v2/setup", &form()).header(CODE, &code);
    assert!(client.call(call).expect(201)["auth"]["token"].is_string());
    for _ in 0..10 {
        assert!(!is_allowed(&client));
    }
    server.stop();
}
