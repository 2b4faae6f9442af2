//! The server: a thread for each connection, which is authenticated once and checked at every request.

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

/// How much one client may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time. 256 unless changed.
    pub connections: usize,
    /// Bytes of a line. 1,024 unless changed.
    pub line: usize,
    /// How long the next line may take. 60 s unless changed.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            line: 1024,
            idle: Duration::from_secs(60),
        }
    }
}

/// A server that listens.
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

/// The connections that are open.
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
    /// If it cannot.
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

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stops it.
    pub fn stopper(&self) -> Stopper {
        Stopper {
            address: self.address,
            open: Arc::clone(&self.open),
        }
    }

    /// Serves until it is stopped, and all connections have ended.
    pub fn run(self) {
        let server = &self;
        thread::scope(|scope| {
            for stream in server.listener.incoming() {
                let stream = match stream {
                    Ok(stream) => stream,
                    // This client is gone, or there are too many files; others may be served later.
                    Err(error) => {
                        eprintln!("a connection was not accepted: {error}");
                        thread::sleep(Duration::from_millis(10));
                        continue;
                    }
                };
                let number = match server.enter(&stream) {
                    Entry::Taken(number) => number,
                    Entry::Busy => {
                        // Best effort: nobody is waited for.
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
        let (false, Ok(handle)) = (
            open.streams.len() >= self.limits.connections,
            stream.try_clone(),
        ) else {
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

    /// Once for a connection: the token is looked up, and not kept. A token that is refused takes the place of the one
    /// before.
    fn authenticate(&self, token: &str, grant: &mut Option<Grant>) -> Result<Answer, Refusal> {
        *grant = None;
        let found = self.verifier.authenticate(token).inspect_err(|denied| {
            // An id may be told, a token never. Whoever shows none that exists is not worth a line.
            if let Some(id) = denied.id() {
                eprintln!("refused: {id} {denied}");
            }
        })?;
        eprintln!("authenticated: {}", found.id());
        *grant = Some(found);
        Ok(Answer::Done)
    }

    /// At every request: a few loads from memory, which see a revoke, an expiry or a disabled owner at once.
    fn allow(&self, grant: Option<&Grant>, action: Action, table: &str) -> Result<(), Refusal> {
        let grant = grant.ok_or(Refusal::Unauthenticated)?;
        // The organization is always named: a table is one only within it.
        let request = Request::new(action, TABLES)
            .organization(self.access.organization())
            .name(table);
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
    /// Ends all connections, and lets [`Server::run`] return.
    pub fn stop(&self) {
        let mut open = lock(&self.open);
        open.stopping = true;
        for stream in open.streams.values() {
            // It has ended already, or ends now.
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(open);
        // The server waits for a connection: this is one.
        let _ = TcpStream::connect(self.address);
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

fn send(mut stream: &TcpStream, answer: &Answer) -> io::Result<()> {
    stream.write_all(format!("{answer}\n").as_bytes())
}
