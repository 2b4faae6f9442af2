//! The server under test, with a new store for each caller.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::world;
use crate::Failure;

/// The caller of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The token of set-up, with every permission.
    Operator,
    /// A token for authorizations and buckets of one organization.
    Limited,
    /// No token.
    Anonymous,
}

/// A running server and the caller's credential.
pub(crate) struct Server {
    url: String,
    authorization: Option<String>,
    own_ids: String,
    process: Process,
}

/// A process that is killed when dropped.
struct Process(Child);

const PATIENCE: Duration = Duration::from_secs(30);
const LIMITED: [&str; 4] = [
    "--read-authorizations",
    "--write-authorizations",
    "--read-buckets",
    "--write-buckets",
];

impl Caller {
    pub(crate) const ALL: [Self; 3] = [Self::Operator, Self::Limited, Self::Anonymous];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Limited => "limited",
            Self::Anonymous => "anonymous",
        }
    }
}

impl Server {
    /// Sets up a new store in the folder, and serves it.
    ///
    /// # Errors
    ///
    /// Fails if the program fails or does not start to serve.
    pub(crate) fn start(program: &Path, folder: &Path, caller: Caller) -> Result<Self, Failure> {
        world::write(folder)?;
        let symbolon = || command(program, folder);
        json_of(symbolon().args(["import", "import.json", "--json"]))?;
        let names = ["--org", "my-org", "--user", "admin", "--json"];
        let made = json_of(symbolon().arg("setup").args(names))?;
        let mut ids = ["/user/id", "/org/id", "/auth/id"]
            .map(|place| text(&made, place))
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?;
        let token = match caller {
            Caller::Operator => Some(text(&made, "/auth/token")?),
            Caller::Limited => {
                let words = [
                    "auth", "create", "--org", "my-org", "--user", "admin", "--json",
                ];
                let made = json_of(symbolon().args(words).args(LIMITED))?;
                ids.push(text(&made, "/id")?);
                Some(text(&made, "/token")?)
            }
            Caller::Anonymous => None,
        };
        let printed = folder.join("server-printed.txt");
        let mut serve = symbolon();
        serve
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(File::create(&printed)?)
            .stderr(File::create(folder.join("server-log.txt"))?);
        let mut process = Process(serve.spawn()?);
        Ok(Self {
            url: address(&mut process, &printed)?,
            authorization: token.map(|token| format!("Token {token}")),
            own_ids: ids.join(","),
            process,
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the value of the caller's header.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// Returns the ids that the requests must not delete, separated by commas.
    pub(crate) fn own_ids(&self) -> &str {
        &self.own_ids
    }

    /// Terminates the server.
    ///
    /// # Errors
    ///
    /// Fails if the server has crashed or exits with a failure.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        let child = &mut self.process.0;
        if let Some(status) = child.try_wait()? {
            return Err(format!("the server exited early: {status}").into());
        }
        let kill = format!("kill -TERM {}", child.id());
        Command::new("sh").args(["-c", &kill]).status()?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match child.try_wait()? {
                None => sleep(Duration::from_millis(10)),
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the server exited with {status}").into()),
            }
        }
        Err("the server does not terminate".into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns a command of the program on a store in the folder.
fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--store", "sqlite:./data/symbolon.db"]);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

fn json_of(command: &mut Command) -> Result<Value, Failure> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{:?} failed: {}", command.get_args(), output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn text(json: &Value, place: &str) -> Result<String, Failure> {
    let text = json.pointer(place).and_then(Value::as_str);
    let text = text.ok_or_else(|| format!("{place} was not printed"))?;
    Ok(text.to_owned())
}

/// Waits until the server is ready, and returns the address that it prints.
fn address(process: &mut Process, printed: &Path) -> Result<String, Failure> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let text = fs::read_to_string(printed)?;
        let line = text.split_once("http://127.0.0.1:");
        if let Some((port, _)) = line.and_then(|(_, rest)| rest.split_once('\n')) {
            let port: String = port.chars().take_while(char::is_ascii_digit).collect();
            let authority = format!("127.0.0.1:{port}");
            // The server listens before it has read its store.
            if is_ready(&authority)? {
                return Ok(format!("http://{authority}"));
            }
        }
        if let Some(status) = process.0.try_wait()? {
            return Err(format!("the server exited early: {status}").into());
        }
        sleep(Duration::from_millis(10));
    }
    Err("the server does not become ready".into())
}

fn is_ready(authority: &str) -> Result<bool, Failure> {
    let mut stream = TcpStream::connect(authority)?;
    write!(stream, "GET /ready HTTP/1.0\r\nHost: {authority}\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply.split(' ').nth(1) == Some("200"))
}
