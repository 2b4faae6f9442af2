//! A folder with a store, in which the tests run commands.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::Arc;

use assert_cmd::assert::Assert;
use assert_cmd::{Command, cargo};
use serde_json::Value;
use symbolon::{Engine, Options, Schema};
use symbolon_files::KeyFile;
use symbolon_sqlite::SqliteStore;
use tempfile::TempDir;

use crate::secret_search::files_below;

pub(crate) const ORG: &str = "0000000000000b01";
pub(crate) const OTHER_ORG: &str = "0000000000000b02";
pub(crate) const USER: &str = "0000000000000c01";
pub(crate) const AUTH: &str = "0000000000000a01";
/// The database in the default layout.
pub(crate) const DB: &str = "symbolon/data/symbolon.db";

/// The SHA-256 of `token(6)`.
pub(crate) const HASH_OF_6: &str = "$influxdb2-sha256$lPvlpSkWfp_bWH5_kranXSnmTBbx2SfO2ntyL5N-qzo=";

/// Returns a token in the form of InfluxDB 2.
pub(crate) fn token(number: u32) -> String {
    format!(
        "{number:03}N92ZtKa2w_mWjUdf8AJzygbWJo16T5B_pf_iWJQE5cyE3YwenMZ0v-\
         0I3IrXA_f2eH6cfIpv53iCUOR3NMA=="
    )
}

/// A store of each kind, with its key at the default path.
pub(crate) const STORES: [&str; 2] =
    ["sqlite:./symbolon/data/symbolon.db", "sled:./symbolon/data/tokens"];

pub(crate) struct Home {
    folder: TempDir,
    store: &'static str,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::on(STORES[0])
    }

    pub(crate) fn on(store: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, store }
    }

    /// Creates a home with the store of [`sample`].
    pub(crate) fn with_sample_on(store: &'static str) -> Self {
        let home = Self::on(store);
        home.import(&sample(), &[]).success();
        home
    }

    /// Creates a home with the store of [`sample`].
    pub(crate) fn with_sample() -> Self {
        Self::with_sample_on(STORES[0])
    }

    /// Returns the path of the store.
    pub(crate) fn store(&self) -> PathBuf {
        self.path(self.store.split_once(':').unwrap().1)
    }

    /// Returns the path of the key file.
    pub(crate) fn key(&self) -> PathBuf {
        KeyFile::beside(&self.store())
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), contents).unwrap();
        self.path(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        Command::from_std(self.process(arguments))
    }

    pub(crate) fn process(&self, arguments: &[&str]) -> Process {
        let mut process = Process::new(cargo::cargo_bin!("symbolon"));
        process.current_dir(self.folder.path()).args(arguments);
        // The first is the default.
        if self.store == STORES[0] {
            process.env_remove("SYMBOLON_STORE");
        } else {
            process.env("SYMBOLON_STORE", self.store);
        }
        for name in ["SYMBOLON_KEY_FILE", "NO_COLOR", "CLICOLOR_FORCE"] {
            process.env_remove(name);
        }
        process
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Assert {
        self.command(arguments).assert()
    }

    /// Runs a command with the store on its command line.
    pub(crate) fn operate(&self, arguments: &[&str]) -> Assert {
        self.run(&[arguments, &["--store", self.store]].concat())
    }

    /// Runs a command with the store on its command line, and returns its JSON output.
    pub(crate) fn operate_json(&self, arguments: &[&str]) -> Value {
        let done = self.operate(&[arguments, &["--json"]].concat()).success();
        serde_json::from_str(&out(&done)).unwrap()
    }

    pub(crate) fn import(&self, json: &str, arguments: &[&str]) -> Assert {
        let arguments = [&["import", "-"], arguments].concat();
        self.command(&arguments).write_stdin(json).assert()
    }

    /// Checks a token, and returns the decision as JSON.
    pub(crate) fn check(&self, token: &str, arguments: &[&str]) -> Value {
        let arguments = [&["check", "--json"], arguments].concat();
        let done = self.command(&arguments).write_stdin(token).assert();
        let answer: Value = serde_json::from_str(&out(&done))
            .unwrap_or_else(|error| panic!("{error}: {}", err(&done)));
        let code = i32::from(answer["allow"] == false);
        done.code(code);
        answer
    }

    /// Checks whether a token may read buckets of [`ORG`]: `allow`, or the reason why it is denied.
    pub(crate) fn reads(&self, token: &str) -> String {
        let answer = self.check(token, &["--action=read", "--type=buckets", "--org", ORG]);
        answer["reason"].as_str().unwrap_or("allow").to_owned()
    }

    /// Opens an engine on the store in this process.
    pub(crate) fn engine(&self) -> Engine {
        let store = Arc::new(SqliteStore::open_existing(self.path(DB)).unwrap());
        let key = KeyFile::load(&self.key()).unwrap();
        let schema = Schema::influxdb_v2().and(Schema::databases());
        Engine::open(store, key, Options::new(schema)).unwrap()
    }

    /// Returns every file below the home.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files_below(self.folder.path())
    }
}

/// Returns an import file with two organizations, a user, a bucket and authorizations: 1 reads
/// buckets, 2 is inactive, 3 has expired, 4 is revoked, 5 belongs to the other organization, 6 has
/// a stored hash.
pub(crate) fn sample() -> String {
    let rows = [
        row(1, ""),
        row(2, r#","status":"inactive""#),
        row(3, r#","expiresAt":"2020-01-01T00:00:00Z""#),
        row(4, r#","status":"revoked""#),
        row(5, "").replace(ORG, OTHER_ORG),
        row(6, &format!(r#","hashedToken":"{HASH_OF_6}""#)).replace(&token(6), ""),
    ];
    format!(
        r#"{{"orgs":[{{"id":"{ORG}","name":"my-org"}},{{"id":"{OTHER_ORG}","name":"other"}}],
        "users":[{{"id":"{USER}","name":"me"}}],
        "buckets":[{{"id":"0000000000000d01","orgID":"{ORG}","name":"telegraf"}}],
        "authorizations":[{}]}}"#,
        rows.join(",")
    )
}

/// Returns an import row: an authorization of [`ORG`] that reads its buckets.
pub(crate) fn row(number: u32, more: &str) -> String {
    format!(
        r#"{{"id":"{:016x}","token":"{}","orgID":"{ORG}","userID":"{USER}",
        "description":"number {number}","permissions":[
        {{"action":"read","resource":{{"type":"buckets","orgID":"{ORG}"}}}}]{more}}}"#,
        0xa00 + number,
        token(number)
    )
}

/// Returns an import file with `rows` further authorizations of [`ORG`].
pub(crate) fn many(rows: usize) -> String {
    let row = |number: usize| {
        format!(
            r#"{{"id":"{:016x}","token":"{number:032}","orgID":"{ORG}",
            "permissions":["read:buckets"]}}"#,
            0x10_0000 + number,
        )
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(r#"{{"authorizations":[{}]}}"#, rows.join(","))
}

pub(crate) fn out(done: &Assert) -> String {
    String::from_utf8(done.get_output().stdout.clone()).unwrap()
}

pub(crate) fn err(done: &Assert) -> String {
    String::from_utf8(done.get_output().stderr.clone()).unwrap()
}

/// Decisions for the tokens of [`sample`].
const DECISIONS: [(u32, &str); 7] = [
    (1, "allow"),
    (2, "inactive"),
    (3, "expired"),
    (4, "revoked"),
    (5, "forbidden"),
    (6, "allow"),
    (7, "unknown"),
];

/// Asserts the decision for each token of [`sample`].
pub(crate) fn decides(home: &Home) {
    for (number, decision) in DECISIONS {
        assert_eq!(home.reads(&token(number)), decision, "token {number}");
    }
}
