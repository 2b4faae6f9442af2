//! The server under test, with a new store for each caller.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::world;
use crate::failure::Failure;
use crate::shell::{read, wait_for};

/// The caller of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The token of set-up, with every permission.
    Operator,
    /// A token for authorizations and buckets of one organization.
    Limited,
    /// No token.
    Anonymous,
}

/// A running server and the caller's credential.
pub(super) struct Server {
    pub(super) url: String,
    /// The value of the caller's header.
    pub(super) authorization: Option<String>,
    /// The ids that the requests must not delete, separated by commas.
    pub(super) own_ids: String,
    process: Process,
}

/// A process that is killed when dropped.
struct Process(Child);

const SETUP: &str = "setup --org my-org --user admin --json";
const LIMITED: &str = "auth create --org my-org --user admin --json --read-authorizations \
    --write-authorizations --read-buckets --write-buckets";

impl Caller {
    pub(super) const ALL: [Self; 3] = [Self::Operator, Self::Limited, Self::Anonymous];

    pub(super) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

impl Server {
    /// Sets up a new store in the folder, and serves it.
    pub(super) fn start(program: &Path, folder: &Path, caller: Caller) -> Result<Self, Failure> {
        world::write(folder)?;
        let symbolon = |words: &str| {
            let mut command = Command::new(program);
            command.args(["--store", "sqlite:./data/symbolon.db"]);
            command.args(words.split(' '));
            command.current_dir(folder).stdin(Stdio::null());
            command
        };
        read(&mut symbolon("import import.json --json"))?;
        let made: Value = serde_json::from_str(&read(&mut symbolon(SETUP))?)?;
        let ids = ["/user/id", "/org/id", "/auth/id"].map(|place| text(&made, place));
        let mut ids = ids.into_iter().collect::<Result<Vec<_>, _>>()?;
        let token = match caller {
            Caller::Operator => Some(text(&made, "/auth/token")?),
            Caller::Limited => {
                let made: Value = serde_json::from_str(&read(&mut symbolon(LIMITED))?)?;
                ids.push(text(&made, "/id")?);
                Some(text(&made, "/token")?)
            }
            Caller::Anonymous => None,
        };
        let printed = folder.join("server-printed.txt");
        let mut serve = symbolon("serve --listen 127.0.0.1:0");
        serve.stdout(File::create(&printed)?);
        serve.stderr(File::create(folder.join("server-log.txt"))?);
        let mut process = Process(serve.spawn()?);
        Ok(Self {
            url: address(&mut process, &printed)?,
            authorization: token.map(|token| format!("Token {token}")),
            own_ids: ids.join(","),
            process,
        })
    }

    /// Terminates the server.
    ///
    /// # Errors
    ///
    /// Fails if the server has crashed or exits with a failure.
    pub(super) fn stop(mut self) -> Result<(), Failure> {
        let child = &mut self.process.0;
        if let Some(status) = child.try_wait()? {
            return Err(format!("the server exited early: {status}").into());
        }
        let kill = format!("kill -TERM {}", child.id());
        Command::new("sh").args(["-c", &kill]).status()?;
        match wait_for("the end of the server", || Ok(child.try_wait()?))? {
            status if status.success() => Ok(()),
            status => Err(format!("the server exited with {status}").into()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(json: &Value, place: &str) -> Result<String, Failure> {
    let text = json.pointer(place).and_then(Value::as_str);
    let text = text.ok_or_else(|| format!("{place} was not printed"))?;
    Ok(text.to_owned())
}

/// Waits until the server is ready, and returns the address that it prints.
fn address(process: &mut Process, printed: &Path) -> Result<String, Failure> {
    wait_for("the start of the server", || {
        if let Some(status) = process.0.try_wait()? {
            return Err(format!("the server exited early: {status}").into());
        }
        let text = fs::read_to_string(printed)?;
        let line = text.lines().find_map(|line| line.split_once("http://127.0.0.1:"));
        let Some((_, rest)) = line else {
            return Ok(None);
        };
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let authority = format!("127.0.0.1:{port}");
        // The server listens before it has read its store.
        Ok(is_ready(&authority)?.then(|| format!("http://{authority}")))
    })
}

fn is_ready(authority: &str) -> Result<bool, Failure> {
    let mut stream = TcpStream::connect(authority)?;
    write!(stream, "GET /ready HTTP/1.0\r\nHost: {authority}\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply.split(' ').nth(1) == Some("200"))
}
