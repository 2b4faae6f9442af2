//! Tests of the database over real connections.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use symbolon::{ManualClock, Options};
use symbolon_example_http_database::access::{Access, options};
use symbolon_example_http_database::application;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

struct Running {
    address: SocketAddr,
    admin: String,
    // Fields are dropped in this order.
    _runtime: Runtime,
    _access: Access,
    _folder: TempDir,
}

impl Running {
    fn start(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::open(&folder.path().join("database"), options).unwrap();
        let admin = std::fs::read_to_string(access.made().unwrap()).unwrap();
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let application = application(&access);
        runtime.spawn(async { axum::serve(listener, application).await });
        Self {
            address,
            admin: admin.trim().to_owned(),
            _runtime: runtime,
            _access: access,
            _folder: folder,
        }
    }

    fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client(BufReader::new(stream))
    }

    /// Creates a token through the mounted API. Returns its id and text.
    fn token(&self, action: &str, database: &str) -> (String, String) {
        let permission = json!({"action": action, "resource": database});
        let body = json!({"description": "of a test", "permissions": [permission]});
        let mut client = self.connect();
        let (status, made) = client.ask("POST /api/v0/tokens", &self.admin, &body.to_string());
        assert_eq!(status, 200, "{made}");
        let made: Value = serde_json::from_str(&made).unwrap();
        ["id", "accessToken"].map(|key| made[key].as_str().unwrap().to_owned()).into()
    }
}

/// A persistent connection.
struct Client(BufReader<TcpStream>);

impl Client {
    fn ask(&mut self, line: &str, token: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let status = self.line().split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            let header = self.line().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            assert_ne!(header, "connection: close");
            if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (status, String::from_utf8(body).unwrap())
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

fn status(answer: (u16, String)) -> u16 {
    answer.0
}

#[test]
fn the_mounted_routes_cannot_be_set_up() {
    let running = Running::start(options());
    let mut client = running.connect();
    let (status, answer) = client.ask("GET /api/v2/setup", &running.admin, "");
    assert_eq!((status, answer.as_str()), (200, r#"{"allowed":false}"#));
    let form = json!({"username": "me", "password": "a good password", "org": "o", "bucket": "b"});
    let (status, answer) = client.ask("POST /api/v2/setup", &running.admin, &form.to_string());
    assert_eq!(status, 422, "{answer}");
}

#[test]
fn a_token_writes_or_reads_its_database_and_no_other() {
    let server = Running::start(options());
    let (_, writer) = server.token("write", "sensors");
    let (_, reader) = server.token("read", "sensors");
    let (_, of_all) = server.token("read", "*");
    let mut client = server.connect();
    let sensors = "/databases/sensors";
    let mut write =
        |path: &str, token: &str| client.ask(&format!("POST {path}"), token, "t,room=a v=21.5");
    assert_eq!(status(write(sensors, &writer)), 204);
    assert_eq!(status(write(sensors, &writer)), 204);
    assert_eq!(status(write(sensors, &reader)), 403);
    assert_eq!(status(write("/databases/other", &writer)), 403);
    assert_eq!(status(write("/databases/sensors%20", &writer)), 403);
    assert_eq!(status(write(sensors, "none")), 401);
    assert_eq!(status(write(sensors, &server.admin)), 204);
    let mut read = |path: &str, token: &str| client.ask(&format!("GET {path}"), token, "");
    let line = "t,room=a v=21.5\n";
    assert_eq!(read(sensors, &reader), (200, line.repeat(3)));
    assert_eq!(read(sensors, &of_all), (200, line.repeat(3)));
    assert_eq!(status(read(sensors, &writer)), 403);
    assert_eq!(status(read("/databases/other", &reader)), 403);
    assert_eq!(status(read("/databases/other", &of_all)), 404);
    // A database token manages nothing.
    assert_eq!(status(read("/api/v0/tokens", &of_all)), 403);
}

#[test]
fn the_next_request_of_an_open_connection_sees_a_revoke() {
    let server = Running::start(options());
    let mut admin = server.connect();
    let mut client = server.connect();
    for _ in 0..20 {
        let (id, writer) = server.token("write", "sensors");
        let write = "POST /databases/sensors";
        assert_eq!(status(client.ask(write, &writer, "a")), 204);
        let revoke = format!("DELETE /api/v0/tokens/{id}");
        assert_eq!(status(admin.ask(&revoke, &server.admin, "")), 204);
        let (status, body) = client.ask(write, &writer, "a");
        assert_eq!(status, 401);
        assert!(body.contains("unauthorized access"), "{body}");
    }
}

#[test]
fn a_store_that_cannot_be_followed_is_unavailable() {
    let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
    let mut options = options();
    options.clock = Arc::new(clock.clone());
    // Long enough that the store is not read again during the test.
    options.max_staleness = Duration::from_secs(3600);
    let server = Running::start(options);
    let (_, writer) = server.token("write", "sensors");
    let mut client = server.connect();
    let mut write = || status(client.ask("POST /databases/sensors", &writer, "a"));
    assert_eq!(write(), 204);
    // The server may be about to read the change above, and is then fresh again.
    let found = (0..20).any(|_| {
        clock.advance(Duration::from_secs(3601));
        write() == 503
    });
    assert!(found, "what is an hour old was still relied on");
}
