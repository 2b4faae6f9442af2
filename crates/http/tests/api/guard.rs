//! The layer and the extractors of the guard, on the routes of a database server.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::{Request as HttpRequest, request::Parts};
use axum::routing::{get, post};
use symbolon::{
    Action, Caller, Denied, Id, ManualClock, MemoryStore, Options, Request, ResourceType,
    Transition, UserEdit,
};
use symbolon_conformance::faults::{FaultyStore, Method};
use symbolon_http::{
    Allowed, Api, Granted, GuardLayer, Refusal, RequiredPermission, Settings, router,
};

use crate::support::{Reply, Server, options};

struct Write {
    organization: Id,
    database: String,
}

impl FromRequestParts<Id> for Write {
    type Rejection = PathRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        organization: &Id,
    ) -> Result<Self, PathRejection> {
        let Path(database) = Path::from_request_parts(parts, organization).await?;
        let organization = *organization;
        Ok(Self { organization, database })
    }
}

impl RequiredPermission for Write {
    fn request(&self) -> Request<'_> {
        Request::new(Action::WRITE, ResourceType::DATABASES)
            .organization(self.organization)
            .name(&self.database)
    }
}

async fn write(Allowed { wanted, granted, .. }: Allowed<Write>) -> String {
    format!("{} {}", wanted.database, granted.id())
}

async fn each(granted: Granted, names: String) -> Result<&'static str, Refusal> {
    for name in names.lines() {
        granted.check(&Request::new(Action::WRITE, ResourceType::DATABASES).name(name))?;
    }
    Ok("all of them")
}

fn application(server: &Server) -> Router {
    let guard = GuardLayer::new(server.engine.verifier());
    let organization = server.organization;
    let tasks = Request::new(Action::READ, ResourceType::new("tasks").unwrap());
    let fixed = Router::new()
        .route("/fixed", get(|| async { "fixed" }))
        .layer(guard.clone().must(tasks.organization(organization)));
    let api = Api::new(Arc::clone(&server.engine), Settings::default());
    Router::new()
        .route("/write/{database}", post(write))
        .route("/each", post(each))
        .layer(guard)
        .merge(fixed)
        .route("/open", post(write_nothing))
        .with_state(organization)
        .merge(router(api))
}

/// Handler of a route without the layer, by mistake.
async fn write_nothing(_: Allowed<Nothing>) {}

struct Nothing;

impl<S: Sync> FromRequestParts<S> for Nothing {
    type Rejection = Refusal;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Ok(Self)
    }
}

impl RequiredPermission for Nothing {
    fn request(&self) -> Request<'_> {
        Request::new(Action::WRITE, ResourceType::DATABASES)
    }
}

async fn ask(application: &Router, line: &str, header: &str, body: &str) -> Reply {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = HttpRequest::builder().method(method).uri(path);
    if !header.is_empty() {
        request = request.header("authorization", header);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    Reply::of(application, request).await
}

fn options_at(clock: &ManualClock) -> Options {
    Options {
        clock: Arc::new(clock.clone()),
        max_staleness: std::time::Duration::from_secs(3600),
        ..options()
    }
}

#[tokio::test]
async fn the_guard_admits_only_permitted_tokens() {
    let server = Server::start();
    let application = application(&server);
    let org = format!("orgs/{}", server.organization);
    let one = format!("write:{org}/databases/a b");
    let (token, authorization) = server.token(server.organization, &[&one]);
    let (text, id) = (token.reveal(), authorization.id);
    for scheme in ["Token", "Bearer", "token", "BEARER"] {
        let header = format!("{scheme} {text}");
        let reply = ask(&application, "POST /write/a%20b", &header, "").await;
        assert_eq!((reply.status, reply.text()), (200, &*format!("a b {id}")));
    }
    let header = format!("Token {text}");
    for other in ["a", "a%20b%20", "A%20B", "*"] {
        let reply = ask(&application, &format!("POST /write/{other}"), &header, "").await;
        assert_eq!(reply.status_and_message(), (403, "insufficient permissions".into()), "{other}");
        assert_eq!(reply.json()["code"], "forbidden");
        assert_eq!(reply.headers["x-platform-error-code"], "forbidden");
    }
    for none in ["", text, &format!("Basic {text}"), "Token x", &format!("Token  {text}")] {
        let reply = ask(&application, "POST /write/a%20b", none, "").await;
        assert_eq!(reply.status_and_message(), (401, "unauthorized access".into()), "{none}");
        assert_eq!(reply.json()["code"], "unauthorized");
        assert_eq!(reply.headers["www-authenticate"], "Token");
    }
    // Only a valid token gets as far as the refusal of the extractor.
    assert_eq!(ask(&application, "POST /write/%ff", &header, "").await.status, 400);
    assert_eq!(ask(&application, "POST /write/%ff", "", "").await.status, 401);

    let (many, _) = server.token(server.organization, &["write:databases/a", "write:databases/b"]);
    let header = format!("Token {}", many.reveal());
    let reply = ask(&application, "POST /each", &header, "a\nb").await;
    assert_eq!(reply.text(), "all of them");
    assert_eq!(ask(&application, "POST /each", &header, "a\nc").await.status, 403);

    assert_eq!(ask(&application, "GET /fixed", &header, "").await.status, 403);
    let (tasks, _) = server.token(server.organization, &[&format!("read:{org}/tasks")]);
    let header = format!("Token {}", tasks.reveal());
    assert_eq!(ask(&application, "GET /fixed", &header, "").await.text(), "fixed");
    assert_eq!(ask(&application, "GET /fixed", "", "").await.status, 401);
    // A route that extracts a permission without the layer admits no request.
    let operator = format!("Token {}", server.operator.reveal());
    let reply = ask(&application, "POST /open", &operator, "").await;
    assert_eq!(reply.status, 500);
    assert!(reply.text().contains("An internal error has occurred"));
    // The mounted API also answers.
    assert_eq!(ask(&application, "GET /health", "", "").await.status, 200);
}

#[tokio::test]
async fn every_request_sees_current_permissions() {
    let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
    let server = Server::with(options_at(&clock), Settings::default());
    let application = application(&server);
    let engine = &server.engine;
    let root = Caller::Root;
    let new = symbolon::NewAuthorization {
        user: Some(server.user.id),
        expires_at: Some("2026-01-01T00:10:00Z".parse().unwrap()),
        ..symbolon::NewAuthorization::new(server.organization, ["write:databases".parse().unwrap()])
    };
    let (token, authorization) = engine.admin(root).authorizations().create(new).unwrap();
    let header = format!("Token {}", token.reveal());
    let outcome = async || {
        let reply = ask(&application, "POST /write/a", &header, "").await;
        match reply.status {
            200 => (200, String::new()),
            _ => reply.status_and_message(),
        }
    };
    let ok = (200, String::new());
    assert_eq!(outcome().await, ok);
    let user = |transition| {
        let edit = UserEdit { transition: Some(transition), ..UserEdit::default() };
        engine.admin(root).users().edit(server.user.id, edit).unwrap();
    };
    user(Transition::Deactivate);
    assert_eq!(outcome().await, (403, "User is inactive".into()));
    user(Transition::Activate);
    let switch = |transition: Transition| {
        let edited = engine.admin(root).authorizations().edit(authorization.id, transition.into());
        edited.unwrap();
    };
    switch(Transition::Deactivate);
    assert_eq!(outcome().await, (401, "token is inactive".into()));
    switch(Transition::Activate);
    assert_eq!(outcome().await, ok);
    clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(outcome().await, (401, "unauthorized access".into()));
    assert_eq!(
        server.engine.verifier().authenticate(token.reveal()).err(),
        Some(Denied::Expired(authorization.id))
    );
    let (other, made) = server.token(server.organization, &["write:databases"]);
    let header = format!("Token {}", other.reveal());
    let write = async || ask(&application, "POST /write/a", &header, "").await.status;
    assert_eq!(write().await, 200);
    engine.admin(root).authorizations().revoke(made.id).unwrap();
    assert_eq!(write().await, 401);
}

#[tokio::test]
async fn an_unavailable_engine_reveals_nothing_about_the_token() {
    let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
    let server = Server::with(options_at(&clock), Settings::default());
    let application = application(&server);
    let (token, _) = server.token(server.organization, &["write:databases"]);
    let header = format!("Token {}", token.reveal());
    assert_eq!(ask(&application, "POST /write/a", &header, "").await.status, 200);
    // The engine may be reading the change above, which makes its index current again.
    for _ in 0..20 {
        clock.advance(std::time::Duration::from_secs(3601));
        let reply = ask(&application, "POST /write/a", &header, "").await;
        if reply.status == 503 {
            assert_eq!(reply.json()["code"], "unavailable");
            return;
        }
    }
    panic!("an index that was an hour old was used");
}

/// Neither admitted nor refused tokens cause a read.
#[tokio::test]
async fn the_guard_never_reads_the_store() {
    let store = Arc::new(FaultyStore::new(MemoryStore::new()));
    let server = Server::over(Arc::clone(&store) as _, options(), Settings::default());
    let application = application(&server);
    let (token, _) = server.token(server.organization, &["write:databases"]);
    let good = format!("Token {}", token.reveal());
    let read = || [Method::Get, Method::Find].map(|method| store.calls(method));
    let before = read();
    for _ in 0..100 {
        for (header, status) in [(&*good, 200), ("Token x", 401), ("", 401)] {
            let reply = ask(&application, "POST /write/a", header, "").await;
            assert_eq!(reply.status, status);
        }
    }
    assert_eq!(read(), before);
    ask(&application, "GET /api/v0/tokens", &good, "").await;
    assert_ne!(read(), before, "reads are not counted");
}
