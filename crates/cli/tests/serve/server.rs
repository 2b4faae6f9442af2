//! A running server in its own folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use assert_cmd::cargo;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Call, Client};

pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const ORG: &str = "my-org";
pub(crate) const USER: &str = "admin";

const STORE: &str = "sqlite:./data/symbolon.db";
/// File with the code for set-up.
pub(crate) const SETUP_CODE: &str = "data/symbolon.db.keys/setup-code";
/// Header with the code for set-up.
pub(crate) const CODE: &str = "x-symbolon-setup-code";

const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a store, opened by servers and commands.
pub(crate) struct Home {
    folder: TempDir,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) home: Home,
    pub(crate) url: String,
    process: Process,
}

/// A process, killed when dropped.
struct Process(Child);

/// Records created by set-up.
pub(crate) struct First {
    pub(crate) token: String,
    pub(crate) org: String,
    pub(crate) user: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the code for set-up, which the server wrote to a file.
    pub(crate) fn setup_code(&self) -> String {
        let file = self.path().join(SETUP_CODE);
        fs::read_to_string(file).unwrap().trim_end().to_owned()
    }

    /// Returns the output or the log of the program.
    pub(crate) fn log(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Runs a command on the store, which must succeed.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        output
    }

    /// Starts the server, with its output in the file `out` and its log in the file `log`.
    pub(crate) fn serve(self) -> Server {
        self.serve_with(&[], &[])
    }

    /// Starts the server with more options and environment variables.
    pub(crate) fn serve_with(self, options: &[&str], variables: &[(&str, &str)]) -> Server {
        let [out, log] = ["out", "log"].map(|name| self.path().join(name));
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0", "--log", "trace"]);
        command.args(options).envs(variables.iter().copied());
        command.stdout(File::create(&out).unwrap());
        command.stderr(File::create(log).unwrap());
        self.adopt(command)
    }

    /// Starts the server as `command`, which prints to the file `out`.
    pub(crate) fn adopt(self, mut command: Command) -> Server {
        let out = self.path().join("out");
        let mut process = Process(command.spawn().unwrap());
        let deadline = Instant::now() + PATIENCE;
        let url = loop {
            if let Some(url) = url(&fs::read_to_string(&out).unwrap()) {
                break url;
            }
            let ended = process.0.try_wait().unwrap();
            assert!(ended.is_none(), "it ended: {}", self.log("log"));
            assert!(Instant::now() < deadline, "it does not listen");
            sleep(Duration::from_millis(5));
        };
        let server = Server { home: self, url, process };
        // The server listens before it has read its store.
        while server.client().call(Call::get("/ready")).status != 200 {
            assert!(Instant::now() < deadline, "it is not ready");
            sleep(Duration::from_millis(5));
        }
        server
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo::cargo_bin!("symbolon"));
        command.current_dir(self.path()).args(arguments);
        for (name, _) in std::env::vars() {
            if name.starts_with("SYMBOLON_") {
                command.env_remove(name);
            }
        }
        command.args(["--store", STORE]);
        command
    }
}

/// Returns the address in a complete line of output.
fn url(printed: &str) -> Option<String> {
    let (_, rest) = printed.split_once("http://127.0.0.1:")?;
    let (line, _) = rest.split_once('\n')?;
    let port: String = line.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("http://127.0.0.1:{port}"))
}

impl Server {
    /// Starts a new server without set-up.
    pub(crate) fn start() -> Self {
        Home::new().serve()
    }

    /// Starts a new server, sets it up, and returns the records created.
    pub(crate) fn set_up() -> (Self, Client, First) {
        let server = Self::start();
        let client = server.client();
        let request =
            json!({"username": USER, "password": PASSWORD, "org": ORG, "bucket": "my-bucket"});
        let made = client
            .call(Call::post("/api/v2/setup", &request).header(CODE, &server.home.setup_code()))
            .expect(201);
        let first = First {
            token: text(&made["auth"]["token"]),
            org: text(&made["org"]["id"]),
            user: text(&made["user"]["id"]),
        };
        (server, client, first)
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.url.strip_prefix("http://").unwrap())
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.0.id()
    }

    /// Returns the peak resident memory so far, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.unwrap().split_whitespace().next().unwrap();
        kib.parse::<u64>().unwrap() * 1024
    }

    /// Stops the server with a signal and asserts that it exits successfully.
    pub(crate) fn stop(mut self) -> Home {
        let kill = format!("kill -TERM {}", self.id());
        let killed = Command::new("sh").args(["-c", &kill]).status();
        assert!(killed.unwrap().success());
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.0.try_wait().unwrap() {
                assert!(status.success(), "{status}: {}", self.home.log("log"));
                return self.home;
            }
            assert!(Instant::now() < deadline, "it does not end");
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the text of a JSON string.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Returns the body of a request for an authorization of the organization, with grants such as
/// `read:buckets` in it. Permissions on users have no organization.
pub(crate) fn request(org: &str, grants: &[&str]) -> Value {
    let grant = |grant: &&str| {
        let (action, kind) = grant.split_once(':').unwrap();
        match kind {
            "users" => json!({"action": action, "resource": {"type": kind}}),
            _ => json!({"action": action, "resource": {"type": kind, "orgID": org}}),
        }
    };
    let permissions: Vec<_> = grants.iter().map(grant).collect();
    json!({"orgID": org, "permissions": permissions})
}

/// Returns the folder of programs in the Python environment of `cargo xtask test`.
pub(crate) fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let programs = target.join("venv/bin");
    assert!(
        programs.join("python").exists(),
        "there is no {}; `cargo xtask test` makes it",
        programs.display()
    );
    programs
}
