//! Redis and PostgreSQL on a local socket, if they are installed. Each runs in a temporary folder.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use postgres::{Client, NoTls};
use symbolon_benches::Bench;

use crate::{Rows, VALUE};

/// Number of rows in each server.
const ROWS: usize = 20_000;
/// Folder of PostgreSQL's programs that are not on the path.
const POSTGRES: &str = "/usr/lib/postgresql";

pub(crate) fn all(bench: &mut Bench, rows: &Rows) {
    let rows = Rows { texts: rows.texts.iter().take(ROWS).cloned().collect() };
    // The path of a socket may have 107 bytes, and PostgreSQL's user must be able to read it.
    let folder = tempfile::Builder::new().prefix("sym").tempdir().unwrap();
    let redis = redis(bench, &rows, folder.path());
    let postgres = postgres(bench, &rows, folder.path());
    for (name, measured) in [("peer/redis", redis), ("peer/postgres", postgres)] {
        if let Err(why) = measured {
            bench.figures().skip(name, &why);
        }
    }
}

/// Finds a program on the path or in the folder of PostgreSQL.
fn program(name: &str, package: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir(POSTGRES).into_iter().flatten().flatten();
    let own = versions.map(|version| version.path().join("bin"));
    let folders = std::env::split_paths(&path).chain(own);
    let mut files = folders.map(|folder| folder.join(name));
    let missing = || format!("`{name}` is not installed; it is in the package `{package}`");
    files.find(|file| file.is_file()).ok_or_else(missing)
}

/// A server that stops when it is dropped.
#[derive(Debug)]
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    fn start(command: &mut Command) -> Result<Self, String> {
        let server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let failed = |error| format!("{command:?} cannot be started: {error}");
        server.map(Self).map_err(failed)
    }
}

/// Repeats an attempt to connect for 10 seconds.
fn retry<T, E: ToString>(mut connect: impl FnMut() -> Result<T, E>) -> Result<T, String> {
    for _ in 0..200 {
        if let Ok(connected) = connect() {
            return Ok(connected);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let last = connect().map_err(|error| error.to_string());
    last.map_err(|error| format!("the server did not start: {error}"))
}

fn redis(bench: &mut Bench, rows: &Rows, folder: &Path) -> Result<(), String> {
    let socket = folder.join("redis");
    let mut server = Command::new(program("redis-server", "redis-server")?);
    server.args(["--port", "0", "--save", "", "--appendonly", "no"]);
    server.arg("--unixsocket").arg(&socket).current_dir(folder);
    let _server = Server::start(&mut server)?;
    let stream = retry(|| UnixStream::connect(&socket))?;
    let mut asks = stream.try_clone().unwrap();
    let mut answers = BufReader::new(stream);
    let mut call = move |words: &[&[u8]]| -> usize {
        let mut text = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            text.extend(format!("${}\r\n", word.len()).into_bytes());
            text.extend_from_slice(word);
            text.extend_from_slice(b"\r\n");
        }
        asks.write_all(&text).unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let Some(length) = line.strip_prefix('$') else {
            return 0;
        };
        let length: usize = length.trim_end().parse().unwrap();
        let mut bytes = vec![0; length + 2];
        answers.read_exact(&mut bytes).unwrap();
        length
    };
    for hash in rows.hashes() {
        call(&[b"SET", &hash, &VALUE]);
    }
    let find = |text: &str| call(&[b"GET", &Rows::hash(text)]);
    rows.look_up(bench, "peer/redis", find);
    Ok(())
}

/// Starts PostgreSQL. It refuses to run as root, and then runs as the user of its package.
fn postgres(bench: &mut Bench, rows: &Rows, folder: &Path) -> Result<(), String> {
    let initdb = program("initdb", "postgresql")?;
    let program = program("postgres", "postgresql")?;
    let data = folder.join("pg");
    std::fs::create_dir(&data).unwrap();
    let is_root = std::fs::metadata(&data).is_ok_and(|folder| folder.uid() == 0);
    if is_root {
        let mut chown = Command::new("chown");
        let owned = chown.arg("postgres").args([folder, &data]).status();
        if !owned.is_ok_and(|status| status.success()) {
            let why = "PostgreSQL refuses to run as root, and there is no user `postgres`";
            return Err(why.to_owned());
        }
    }
    let command = |program: &Path| {
        if !is_root {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres"]);
        command.args(["--clear-groups", "--"]).arg(program);
        command
    };
    let mut make = command(&initdb);
    make.args(["--username=bench", "--auth=trust", "--no-sync", "--pgdata"]);
    make.arg(&data).current_dir(folder);
    let made = make.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !made.as_ref().is_ok_and(|status| status.success()) {
        return Err(format!("`initdb` failed: {made:?}"));
    }
    let mut server = command(&program);
    server.arg("-D").arg(&data).arg("-k").arg(folder);
    server.args(["-c", "listen_addresses=", "-c", "fsync=off"]);
    let _server = Server::start(server.current_dir(folder))?;
    let address = format!("host={} user=bench dbname=postgres", folder.display());
    let mut client = retry(|| Client::connect(&address, NoTls))?;
    fill_and_read(bench, rows, &mut client).map_err(|error| error.to_string())
}

fn fill_and_read(
    bench: &mut Bench,
    rows: &Rows,
    client: &mut Client,
) -> Result<(), postgres::Error> {
    client.batch_execute("CREATE TABLE token (hash BYTEA PRIMARY KEY, bytes BYTEA NOT NULL)")?;
    let mut all = client.transaction()?;
    let insert = all.prepare("INSERT INTO token VALUES ($1, $2)")?;
    for hash in rows.hashes() {
        all.execute(&insert, &[&hash.as_slice(), &VALUE.as_slice()])?;
    }
    all.commit()?;
    client.batch_execute("VACUUM ANALYZE token")?;
    let select = client.prepare("SELECT bytes FROM token WHERE hash = $1")?;
    rows.look_up(bench, "peer/postgres", |text| {
        let row = client.query_one(&select, &[&Rows::hash(text).as_slice()]);
        row.unwrap().get::<_, &[u8]>(0).len()
    });
    Ok(())
}
