//! A folder with a store, and the program run in it.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const ORGANIZATION: &str = "0000000000001001";
pub(crate) const BACKENDS: [&str; 2] = ["sqlite:./data/store.db", "sled:./data/store"];

pub(crate) fn token(number: u64) -> String {
    format!("t{number:02}").repeat(20)
}

pub(crate) fn id(number: u64) -> String {
    format!("{:016x}", 0x1000 + number)
}

/// The authorization with this number, as InfluxDB shows it: it may read the buckets of its organization.
pub(crate) fn row(number: u64) -> Value {
    let resource = json!({"type": "buckets", "orgID": ORGANIZATION});
    json!({
        "id": id(number),
        "token": token(number),
        "status": "active",
        "description": format!("row {number}"),
        "orgID": ORGANIZATION,
        "org": "other",
        "permissions": [{"action": "read", "resource": resource}],
    })
}

pub(crate) struct World {
    folder: TempDir,
    store: &'static str,
}

impl World {
    /// A folder without a store.
    pub(crate) fn empty(store: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, store }
    }

    /// A store that was set up, with the operator's token in `operator.token`.
    pub(crate) fn new(store: &'static str) -> Self {
        let world = Self::empty(store);
        let names = ["setup", "--org", "my-org", "--user", "me"];
        let token = ["--write-token", "operator.token"];
        world.run(&names).args(token).assert().success().stdout("");
        world
    }

    /// The same with these rows imported.
    pub(crate) fn with(store: &'static str, rows: &[Value]) -> Self {
        let world = Self::new(store);
        world
            .import(&json!({ "authorizations": rows }))
            .assert()
            .success();
        world
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn run(&self, words: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("symbolon"));
        command
            .current_dir(self.folder.path())
            .env_remove("SYMBOLON_KEY_FILE")
            .env("SYMBOLON_STORE", self.store)
            .args(words);
        command
    }

    pub(crate) fn import(&self, file: &Value) -> Command {
        let mut command = self.run(&["import", "-"]);
        command.write_stdin(file.to_string());
        command
    }

    /// Whether the token may read buckets of its organization: the exit code, and what was printed.
    pub(crate) fn check(&self, token: &str) -> (i32, Value) {
        let words = [
            "check",
            "--action",
            "read",
            "--type",
            "buckets",
            "--org",
            ORGANIZATION,
        ];
        let mut command = self.run(&words);
        let output = command.arg("--json").write_stdin(token).output().unwrap();
        let answer = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code().unwrap(), answer)
    }

    pub(crate) fn operator(&self) -> String {
        let text = std::fs::read_to_string(self.path("operator.token")).unwrap();
        text.trim_end().to_owned()
    }
}

/// What a failed command says: on standard error alone, with exit code 1.
pub(crate) fn refused(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(output.stdout, b"", "{error}");
    error
}
