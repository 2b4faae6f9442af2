//! Tests of the server over real connections.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use symbolon::{
    Action, Admin, Authorization, Id, ManualClock, NewAuthorization, NewUser, Options, Permission,
    Timestamp, Token, Transition, UserEdit,
};
use symbolon_example_database::access::{Access, TABLES, options};
use symbolon_example_database::server::{Limits, Server, Stopper};
use tempfile::TempDir;

const TIMEOUT: Duration = Duration::from_secs(20);
const FORBIDDEN: &str = "ERR forbidden the token does not allow this";
const UNAUTHENTICATED: &str = "ERR unauthenticated authenticate first: AUTH TOKEN";

struct Running {
    folder: TempDir,
    address: SocketAddr,
    organization: Id,
    root: Admin,
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start() -> Self {
        Self::with(options(), Limits::default())
    }

    fn with(options: Options, limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::open(&folder.path().join("database"), options).unwrap();
        let (organization, root) = (access.organization(), access.root());
        let server = Server::bind("127.0.0.1:0", access, limits).unwrap();
        Self {
            folder,
            address: server.address(),
            organization,
            root,
            stopper: server.stopper(),
            thread: Some(thread::spawn(|| server.run())),
        }
    }

    /// Creates a token that may read all tables.
    fn reader(&self) -> (Token, Authorization) {
        self.token(|_| ())
    }

    fn token(&self, change: impl Fn(&mut NewAuthorization)) -> (Token, Authorization) {
        let read = Permission::new(Action::READ, TABLES).organization(self.organization);
        let mut new = NewAuthorization::new(self.organization, [read]);
        change(&mut new);
        self.root.authorizations().create(new).unwrap()
    }

    fn of_file(&self, name: &str) -> String {
        let path = self.folder.path().join("database").join(name);
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }

    fn connect(&self) -> Client {
        Client::new(self.address)
    }

    fn connect_as(&self, token: &str) -> Client {
        let mut client = self.connect();
        assert_eq!(client.ask(&format!("AUTH {token}")), "OK");
        client
    }

    /// Starts a server with a value to read.
    fn filled(self) -> Self {
        let mut writer = self.connect_as(&self.of_file("writer.token"));
        assert_eq!(writer.ask("WRITE t k a value"), "OK");
        self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, bytes: &[u8]) {
        // The server may have closed the connection already.
        let _ = self.0.get_mut().write_all(bytes);
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, command: &str) -> String {
        self.send(format!("{command}\n").as_bytes());
        self.line()
    }

    /// Reads until the server closes the connection.
    fn rest(mut self) -> String {
        let mut rest = Vec::new();
        let _ = self.0.read_to_end(&mut rest);
        String::from_utf8(rest).unwrap()
    }
}

#[test]
fn a_revoke_refuses_the_next_request_of_an_open_connection() {
    const TIMES: u32 = 1000;
    let server = Running::start().filled();
    let mut refused = 0;
    for _ in 0..TIMES {
        let (token, authorization) = server.reader();
        let mut client = server.connect_as(token.reveal());
        assert_eq!(client.ask("READ t k"), "OK a value");
        server.root.authorizations().revoke(authorization.id).unwrap();
        let answer = client.ask("READ t k");
        refused += u32::from(answer == "ERR revoked the token was revoked; ask for a new one");
    }
    println!("refused at the first request after the revoke: {refused} of {TIMES}");
    assert_eq!(refused, TIMES);
}

#[test]
fn a_token_is_allowed_what_it_was_granted() {
    let server = Running::start();
    let mut writer = server.connect_as(&server.of_file("writer.token"));
    let mut reader = server.connect_as(&server.of_file("reader.token"));
    assert_eq!(reader.ask("READ t k"), "ERR missing the table has no such key");
    assert_eq!(writer.ask("WRITE t k two  words "), "OK");
    assert_eq!(reader.ask("READ t k"), "OK two  words");
    assert_eq!(reader.ask("READ u k"), "ERR missing the table has no such key");
    assert_eq!(reader.ask("WRITE t k other"), FORBIDDEN);
    assert_eq!(writer.ask("READ t k"), FORBIDDEN);
    assert_eq!(reader.ask("READ t k\r"), "OK two  words");
    assert_eq!(reader.ask("QUIT"), "OK");
    assert_eq!(reader.rest(), "");
}

#[test]
fn a_token_for_one_table_reads_no_other() {
    let server = Running::start().filled();
    let organization = server.organization;
    let (token, _) = server.token(|new| {
        let one = Permission::new(Action::READ, TABLES).organization(organization).name("u");
        new.permissions = [one].into_iter().collect();
    });
    let mut client = server.connect_as(token.reveal());
    assert_eq!(client.ask("READ t k"), FORBIDDEN);
    assert_eq!(client.ask("READ u k"), "ERR missing the table has no such key");
}

#[test]
fn requests_without_a_valid_token_are_refused() {
    let server = Running::start().filled();
    let good = server.of_file("reader.token");
    let mut client = server.connect();
    assert_eq!(client.ask("READ t k"), UNAUTHENTICATED);
    assert_eq!(client.ask("WRITE t k v"), UNAUTHENTICATED);
    let last = if good.ends_with('0') { "1" } else { "0" };
    let damaged = format!("{}{last}", &good[..good.len() - 1]);
    let refusals = [
        (damaged, "ERR malformed this is not a token; check that it is complete"),
        ("x".repeat(40), "ERR unknown unknown token"),
        (String::new(), "ERR malformed this is not a token; check that it is complete"),
    ];
    for (token, answer) in refusals {
        // The previous valid token no longer applies.
        assert_eq!(client.ask(&format!("AUTH {good}")), "OK");
        assert_eq!(client.ask("READ t k"), "OK a value");
        assert_eq!(client.ask(&format!("AUTH {token}")), answer);
        assert_eq!(client.ask("READ t k"), UNAUTHENTICATED);
    }
}

#[test]
fn an_expiry_refuses_an_open_connection() {
    let server = Running::start().filled();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let soon = u64::try_from((now + Duration::from_secs(2)).as_nanos()).unwrap();
    let (token, _) = server.token(|new| new.expires_at = Timestamp::from_nanos(soon));
    let mut client = server.connect_as(token.reveal());
    let start = Instant::now();
    assert_eq!(client.ask("READ t k"), "OK a value");
    let refused = loop {
        match client.ask("READ t k").as_str() {
            "OK a value" => thread::sleep(Duration::from_millis(5)),
            refused => break refused.to_owned(),
        }
        assert!(start.elapsed() < TIMEOUT);
    };
    assert_eq!(refused, "ERR expired the token has expired; ask for a new one");
}

#[test]
fn a_disabled_user_or_token_is_refused_until_it_is_enabled() {
    let server = Running::start().filled();
    let root = &server.root;
    let user = root.users().create(NewUser::named("me")).unwrap().id;
    let (token, authorization) = server.token(|new| new.user = Some(user));
    let mut client = server.connect_as(token.reveal());
    assert_eq!(client.ask("READ t k"), "OK a value");
    let switch =
        |transition: Transition| UserEdit { transition: Some(transition), ..UserEdit::default() };
    root.users().edit(user, switch(Transition::Deactivate)).unwrap();
    let refused = "ERR owner_inactive the user or organization of the token is inactive";
    assert_eq!(client.ask("READ t k"), refused);
    root.users().edit(user, switch(Transition::Activate)).unwrap();
    assert_eq!(client.ask("READ t k"), "OK a value");
    root.authorizations().edit(authorization.id, Transition::Deactivate.into()).unwrap();
    assert_eq!(client.ask("READ t k"), "ERR inactive the token is inactive");
    root.authorizations().edit(authorization.id, Transition::Activate.into()).unwrap();
    assert_eq!(client.ask("READ t k"), "OK a value");
}

#[test]
fn a_store_that_cannot_be_followed_is_unavailable() {
    let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
    let mut options = options();
    options.clock = Arc::new(clock.clone());
    // Long enough that the store is not read again during the test.
    options.max_staleness = Duration::from_secs(3600);
    let server = Running::with(options, Limits::default()).filled();
    let token = server.of_file("reader.token");
    let mut client = server.connect_as(&token);
    assert_eq!(client.ask("READ t k"), "OK a value");
    let refused = "ERR unavailable tokens cannot be checked now; try again later";
    // The server may be about to read the changes above, and is then fresh again.
    let found = (0..20).any(|_| {
        clock.advance(Duration::from_secs(3601));
        client.ask("READ t k") == refused
            && server.connect().ask(&format!("AUTH {token}")) == refused
    });
    assert!(found, "what is an hour old was still relied on");
}

#[test]
fn garbage_is_rejected_without_side_effects() {
    let server = Running::start().filled();
    let syntax = "ERR syntax expected AUTH TOKEN, WRITE TABLE KEY VALUE, READ TABLE KEY or QUIT";
    let mut client = server.connect_as(&server.of_file("reader.token"));
    for garbage in [
        "",
        " ",
        "READ",
        "READ t",
        "READ t k more",
        "READ  k",
        "READ t ",
        "read t k",
        "AUTH",
        "AUTH a b",
        "WRITE t k",
        "QUIT now",
        "READ t\u{0} k",
        "GET / HTTP/1.1",
    ] {
        assert_eq!(client.ask(garbage), syntax, "{garbage:?}");
    }
    client.send(&[0xff, 0xfe, b'\n']);
    assert_eq!(client.line(), syntax);
    assert_eq!(client.ask("READ t k"), "OK a value");

    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..50 {
        let mut garbage = [0; 3000];
        random.fill(&mut garbage);
        let mut other = server.connect();
        other.send(&garbage);
        other.0.get_mut().shutdown(Shutdown::Write).ok();
        assert!(other.rest().lines().all(|line| line.starts_with("ERR ")));
    }
    assert_eq!(client.ask("READ t k"), "OK a value");
}

#[test]
fn a_line_is_bounded_in_length_and_time() {
    let limits = Limits { idle: Duration::from_millis(300), ..Limits::default() };
    let server = Running::with(options(), limits).filled();
    let longest = "x".repeat(1024 - "READ t \n".len());
    let mut client = server.connect_as(&server.of_file("reader.token"));
    assert_eq!(client.ask(&format!("READ t {longest}")), "ERR missing the table has no such key");
    client.send(format!("READ t x{longest}\n").as_bytes());
    assert_eq!(client.rest(), "ERR too_long the line is too long\n");

    let mut endless = server.connect();
    endless.send(&vec![b'x'; 1 << 20]);
    assert!(endless.rest().len() < 100);

    // An occasional byte is not a line.
    let slow = server.connect();
    let start = Instant::now();
    let mut stream = slow.0.get_ref().try_clone().unwrap();
    let drip = thread::spawn(move || {
        while stream.write_all(b"x").is_ok() && start.elapsed() < TIMEOUT {
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert!(slow.rest().starts_with("ERR timeout"));
    assert!(start.elapsed() < TIMEOUT / 2);
    drip.join().unwrap();
}

#[test]
fn connections_are_bounded_and_their_slots_are_released() {
    let limits = Limits { connections: 32, ..Limits::default() };
    let server = Running::with(options(), limits).filled();
    let token = server.of_file("reader.token");
    for _ in 0..3 {
        let start = Instant::now();
        let mut clients = Vec::new();
        // The slots of earlier connections become free shortly after these are closed.
        while clients.len() < 32 {
            let mut client = server.connect();
            match client.ask(&format!("AUTH {token}")).as_str() {
                "OK" => clients.push(client),
                refused => assert!(refused.starts_with("ERR busy") || refused.is_empty()),
            }
            assert!(start.elapsed() < TIMEOUT);
        }
        let refused = server.connect().rest();
        assert_eq!(refused, "ERR busy too many connections; try again later\n");
        for client in &mut clients {
            assert_eq!(client.ask("READ t k"), "OK a value");
        }
    }
}

#[test]
fn the_server_stops_with_open_connections_and_keeps_its_tokens() {
    let mut server = Running::start().filled();
    let token = server.of_file("reader.token");
    let client = server.connect_as(&token);
    server.stopper.stop();
    server.thread.take().unwrap().join().unwrap();
    assert_eq!(client.rest(), "");
    let folder = server.folder.path().join("database");

    let access = Access::open(&folder, options()).unwrap();
    assert_eq!((access.organization(), access.made()), (server.organization, [].as_slice()));
    let again = Server::bind("127.0.0.1:0", access, Limits::default()).unwrap();
    let (address, stopper) = (again.address(), again.stopper());
    let thread = thread::spawn(|| again.run());
    assert_eq!(Client::new(address).ask(&format!("AUTH {token}")), "OK");
    stopper.stop();
    thread.join().unwrap();
}
