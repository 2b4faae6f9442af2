//! The server: a thread for each connection, authenticated once and checked on every request.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use symbolon::{Action, Grant, Request, Verifier};

use crate::access::{Access, TABLES};
use crate::data::Data;
use crate::lines::Lines;
use crate::protocol::{Answer, Command, Refusal};

/// Resource limits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum number of connections, 256 by default.
    pub connections: usize,
    /// Maximum length of a line in bytes, 1,024 by default.
    pub line: usize,
    /// Time limit for a line, 60 s by default.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 256, line: 1024, idle: Duration::from_secs(60) }
    }
}

/// A listening server.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    access: Access,
    verifier: Verifier,
    data: Data,
    limits: Limits,
    open: Arc<Mutex<Open>>,
}

/// Open connections.
#[derive(Debug, Default)]
struct Open {
    streams: HashMap<u64, TcpStream>,
    last: u64,
    stopping: bool,
}

/// Stops a [`Server`].
#[derive(Debug, Clone)]
pub struct Stopper {
    address: SocketAddr,
    open: Arc<Mutex<Open>>,
}

impl Server {
    /// Listens on `address`.
    ///
    /// # Errors
    ///
    /// Fails if the address cannot be bound.
    pub fn bind(address: impl ToSocketAddrs, access: Access, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            verifier: access.verifier(),
            access,
            data: Data::default(),
            limits,
            open: Arc::default(),
        })
    }

    /// Returns the listening address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns a handle that stops the server.
    pub fn stopper(&self) -> Stopper {
        Stopper { address: self.address, open: Arc::clone(&self.open) }
    }

    /// Serves until the server is stopped and all connections are closed.
    pub fn run(self) {
        let server = &self;
        thread::scope(|scope| {
            for stream in server.listener.incoming() {
                let stream = match stream {
                    Ok(stream) => stream,
                    // The client disconnected, or there are too many files; others may be served
                    // later.
                    Err(error) => {
                        eprintln!("a connection was not accepted: {error}");
                        thread::sleep(Duration::from_millis(10));
                        continue;
                    }
                };
                let number = match server.enter(&stream) {
                    Entry::Taken(number) => number,
                    Entry::Busy => {
                        // Best effort: does not wait for the client.
                        let _ = send(&stream, &Answer::Refused(Refusal::Busy));
                        continue;
                    }
                    Entry::Stopping => break,
                };
                let serve = move || {
                    server.serve(stream);
                    lock(&server.open).streams.remove(&number);
                };
                if let Err(error) = thread::Builder::new().spawn_scoped(scope, serve) {
                    eprintln!("a connection was not served: {error}");
                    lock(&server.open).streams.remove(&number);
                }
            }
        });
    }

    fn enter(&self, stream: &TcpStream) -> Entry {
        let mut open = lock(&self.open);
        if open.stopping {
            return Entry::Stopping;
        }
        let (false, Ok(handle)) =
            (open.streams.len() >= self.limits.connections, stream.try_clone())
        else {
            return Entry::Busy;
        };
        open.last += 1;
        let number = open.last;
        open.streams.insert(number, handle);
        Entry::Taken(number)
    }

    fn serve(&self, stream: TcpStream) {
        let mut lines = Lines::new(&stream, self.limits.line, self.limits.idle);
        let mut grant = None;
        let _ = stream.set_write_timeout(Some(self.limits.idle));
        loop {
            let (answer, ends) = match lines.next() {
                Ok(None) => return,
                Ok(Some(line)) => match Command::parse(line) {
                    Ok(Command::Quit) => (Answer::Done, true),
                    Ok(command) => (self.answer(command, &mut grant), false),
                    Err(refusal) => (Answer::Refused(refusal), false),
                },
                Err(refusal) => (Answer::Refused(refusal), true),
            };
            if send(&stream, &answer).is_err() || ends {
                return;
            }
        }
    }

    fn answer(&self, command: Command<'_>, grant: &mut Option<Grant>) -> Answer {
        let done = match command {
            Command::Auth(token) => self.authenticate(token, grant),
            Command::Write { table, key, value } => self
                .allow(grant.as_ref(), Action::WRITE, table)
                .and_then(|()| match self.data.write(table, key, value) {
                    true => Ok(Answer::Done),
                    false => Err(Refusal::Full),
                }),
            Command::Read { table, key } => self
                .allow(grant.as_ref(), Action::READ, table)
                .and_then(|()| self.data.read(table, key).ok_or(Refusal::Missing))
                .map(Answer::Value),
            Command::Quit => Ok(Answer::Done),
        };
        done.unwrap_or_else(Answer::Refused)
    }

    /// Authenticates the connection without keeping the token. A refused token replaces the
    /// previous one.
    fn authenticate(&self, token: &str, grant: &mut Option<Grant>) -> Result<Answer, Refusal> {
        *grant = None;
        let found = self.verifier.authenticate(token).inspect_err(|denied| {
            // Ids may be logged, tokens never. Unknown tokens are not logged.
            if let Some(id) = denied.id() {
                eprintln!("refused: {id} {denied}");
            }
        })?;
        eprintln!("authenticated: {}", found.id());
        *grant = Some(found);
        Ok(Answer::Done)
    }

    /// Checks a request: a few loads from memory, which see a revoke, an expiry or a deactivated
    /// owner at once.
    fn allow(&self, grant: Option<&Grant>, action: Action, table: &str) -> Result<(), Refusal> {
        let grant = grant.ok_or(Refusal::Unauthenticated)?;
        // Always names the organization: a table exists only within it.
        let request =
            Request::new(action, TABLES).organization(self.access.organization()).name(table);
        grant.check(&request)?;
        Ok(())
    }
}

enum Entry {
    Taken(u64),
    Busy,
    Stopping,
}

impl Stopper {
    /// Closes all connections, and lets [`Server::run`] return.
    pub fn stop(&self) {
        let mut open = lock(&self.open);
        open.stopping = true;
        for stream in open.streams.values() {
            // The connection is closed already, or closing.
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(open);
        // Wakes the server, which is waiting for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

fn send(mut stream: &TcpStream, answer: &Answer) -> io::Result<()> {
    stream.write_all(format!("{answer}\n").as_bytes())
}
