//! `POST /api/v1/backup`.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request as HttpRequest;
use symbolon::backup::Backup;
use symbolon::journal::{
    Actor, Durability, Entry, Event, Journal, JournalError, MemoryJournal, Operation,
};
use symbolon::{
    Action, Caller, Engine, MemoryStore, NewAuthorization, Options, Permission, Request,
    ResourceType, Timestamp,
};

use symbolon_conformance::faults::{Fault, FaultyStore, Method};
use symbolon_http::Settings;
use tower::ServiceExt;

use crate::support::{Server, key, options};

const BACKUP: &str = "POST /api/v1/backup";

#[tokio::test]
async fn a_downloaded_backup_can_be_restored() {
    let server = Server::start();
    let engine = &server.engine;
    // More than fits in one chunk.
    let read: Permission = "read:buckets".parse().unwrap();
    let made: Vec<_> = (0..500)
        .map(|_| {
            let mut new = NewAuthorization::new(server.organization, [read.clone()]);
            new.description = "x".repeat(1000);
            engine.admin(Caller::Root).authorizations().create(new).unwrap()
        })
        .collect();
    let reply = server.ask(BACKUP, server.operator.reveal(), None).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-type"], "application/octet-stream");
    let name = reply.headers["content-disposition"].to_str().unwrap();
    assert!(name.starts_with("attachment; filename=\"symbolon-20"), "{name}");
    assert!(name.ends_with("Z.backup\"") && name.len() == 55, "{name}");

    let mut backup = Backup::read(Cursor::new(reply.body.clone())).unwrap();
    let store = Arc::new(MemoryStore::new());
    backup.restore(&*store, &key(), &mut |_| ()).unwrap();
    let restored = Engine::open(store, key(), options()).unwrap();
    let request = Request::new(Action::READ, ResourceType::BUCKETS);
    for (token, authorization) in &made {
        let found = restored.verifier().check(token.reveal(), &request);
        assert_eq!(found, Ok(authorization.id));
        assert!(!contains(&reply.body, token.reveal().as_bytes()));
    }
    let cut = reply.body.len() - 1;
    assert!(Backup::read(Cursor::new(&reply.body[..cut])).is_err());
}

/// Bytes that are already sent cannot be withdrawn. An HTTP client reports the missing end.
#[tokio::test]
async fn a_failing_backup_aborts_the_response() {
    let store = Arc::new(FaultyStore::new(MemoryStore::new()));
    let server = Server::over(Arc::clone(&store) as _, options(), Settings::default());
    let engine = &server.engine;
    // More than fit in one page of the store.
    for _ in 0..1500 {
        let read = "read:buckets".parse().unwrap();
        let new = NewAuthorization::new(server.organization, [read]);
        engine.admin(Caller::Root).authorizations().create(new).unwrap();
    }
    let newest = server.engine.committed();
    assert!(server.engine.wait_for(newest, Duration::from_secs(20)));
    let ask = async || {
        let request = HttpRequest::post("/api/v1/backup")
            .header("authorization", format!("Token {}", server.operator.reveal()))
            .body(Body::empty())
            .unwrap();
        let response = server.application.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        to_bytes(response.into_body(), usize::MAX).await
    };
    store.plan(Method::Scan, 2, Fault::Down);
    assert!(ask().await.is_err());
    store.heal();
    assert!(Backup::read(Cursor::new(ask().await.unwrap())).is_ok());
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn only_an_operator_can_download_a_backup() {
    let server = Server::start();
    let organization = server.organization;
    let operator = symbolon::Schema::influxdb_operator();
    let all: Vec<_> = operator.iter().map(ToString::to_string).collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let (token, _) = server.token(organization, &all);
    assert_eq!(server.ask(BACKUP, token.reveal(), None).await.status, 200);
    for missing in 0..all.len() {
        let mut less = all.clone();
        let missing = less.remove(missing);
        let (token, _) = server.token(organization, &less);
        let reply = server.ask(BACKUP, token.reveal(), None).await;
        assert_eq!(reply.status_and_message(), (401, format!("{missing} is unauthorized")));
    }
    let owner = symbolon::Schema::influxdb_owner(organization);
    let owner: Vec<_> = owner.iter().map(ToString::to_string).collect();
    let owner: Vec<_> = owner.iter().map(String::as_str).collect();
    let (token, _) = server.token(organization, &owner);
    assert_eq!(server.ask(BACKUP, token.reveal(), None).await.status, 401);
    let anonymous = server.ask(BACKUP, "", None).await;
    assert_eq!(anonymous.status_and_message(), (401, "unauthorized access".into()));
}

/// The journal names the caller. If it cannot be written, no backup is sent.
#[tokio::test]
async fn a_backup_is_journaled_before_it_is_sent() {
    let journal = Arc::new(Failing::default());
    let options = Options { journal: Some(Arc::clone(&journal) as _), ..options() };
    let server = Server::with(options, Settings::default());
    let operator = server.operator.reveal();
    let backups = || {
        let entries = journal.inner.entries().into_iter();
        let actors = entries.filter_map(|entry| match entry.event {
            Event::Intent(intent) if intent.operation == Operation::Backup => Some(intent.actor),
            _ => None,
        });
        actors.collect::<Vec<_>>()
    };
    assert_eq!(server.ask(BACKUP, operator, None).await.status, 200);
    let id = server.engine.verifier().authenticate(operator).unwrap().id();
    assert_eq!(backups(), [Actor::Authorization(id)]);

    journal.broken.store(true, Ordering::SeqCst);
    let refused = server.ask(BACKUP, operator, None).await;
    let message = "An internal error has occurred - check server logs";
    assert_eq!(refused.status_and_message(), (500, message.into()));
    assert_eq!(refused.headers.get("content-disposition"), None);
    journal.broken.store(false, Ordering::SeqCst);
    assert_eq!(backups().len(), 1);
}

/// A journal that fails on request.
#[derive(Debug, Default)]
struct Failing {
    inner: MemoryJournal,
    broken: AtomicBool,
}

impl Journal for Failing {
    fn append(
        &self,
        at: Timestamp,
        events: &[Event],
        durability: Durability,
    ) -> Result<u64, JournalError> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(JournalError::failed("injected")),
            false => self.inner.append(at, events, durability),
        }
    }

    fn recent(&self) -> Result<Vec<Entry>, JournalError> {
        self.inner.recent()
    }

    fn read(&self, visit: &mut dyn FnMut(Entry)) -> Result<(), JournalError> {
        self.inner.read(visit)
    }
}
