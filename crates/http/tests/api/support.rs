//! A server with a SQLite store, called without a network.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use serde_json::Value;
use symbolon::{
    Authorization, Caller, Engine, Id, NewAuthorization, NewOrganization, NewUser, Options, Origin,
    Permission, Schema, StoreKey, Token, TokenStore, User,
};
use symbolon_http::{Api, Settings, application};
use symbolon_sqlite::SqliteStore;
use tempfile::TempDir;
use tower::ServiceExt;

/// A server with an organization and a user with an operator token.
pub(crate) struct Server {
    pub(crate) engine: Arc<Engine>,
    pub(crate) application: Router,
    pub(crate) organization: Id,
    pub(crate) user: User,
    pub(crate) operator: Token,
    // Removed after the engine is dropped.
    _folder: Option<TempDir>,
}

/// Returns the key of the stores of all tests.
pub(crate) fn key() -> StoreKey {
    StoreKey::from_bytes([7; 32])
}

/// Returns options with InfluxDB's resource types and `databases`.
pub(crate) fn options() -> Options {
    Options::new(Schema::influxdb_v2().and(Schema::databases()))
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(options(), Settings::default())
    }

    pub(crate) fn with(options: Options, settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("tokens.db")).unwrap();
        Self { _folder: Some(folder), ..Self::over(Arc::new(store), options, settings) }
    }

    /// Starts a server with this empty store.
    pub(crate) fn over(store: Arc<dyn TokenStore>, options: Options, settings: Settings) -> Self {
        let engine = Arc::new(Engine::create(store, key(), options).unwrap());
        let root = Caller::Root;
        let organization =
            engine.admin(root).organizations().create(NewOrganization::named("my-org")).unwrap().id;
        let user = engine.admin(root).users().create(NewUser::named("anna")).unwrap();
        let operator = NewAuthorization {
            user: Some(user.id),
            origin: Origin::V2,
            ..NewAuthorization::new(organization, Schema::influxdb_operator())
        };
        let (operator, _) = engine.admin(root).authorizations().create(operator).unwrap();
        let api = Api::new(Arc::clone(&engine), settings);
        Self { application: application(api), engine, organization, user, operator, _folder: None }
    }

    /// Creates a v2 token without a user in an organization.
    pub(crate) fn token(&self, organization: Id, permissions: &[&str]) -> (Token, Authorization) {
        let read = |text: &&str| text.parse::<Permission>().unwrap();
        let new = NewAuthorization {
            origin: Origin::V2,
            ..NewAuthorization::new(organization, permissions.iter().map(read))
        };
        self.engine.admin(Caller::Root).authorizations().create(new).unwrap()
    }

    /// Sends a request `METHOD PATH`, with the token unless it is empty, and with the body if there
    /// is one.
    pub(crate) async fn ask(&self, line: &str, token: &str, body: Option<Value>) -> Reply {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::HOST, "localhost");
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Token {token}"));
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        Reply::of(&self.application, request).await
    }
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) async fn of(application: &Router, request: Request<Body>) -> Self {
        let response = application.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Parses the body as JSON. Panics if it is not JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{} is not JSON: {error}", self.text());
        })
    }

    /// Returns the status, and the message of a failure.
    pub(crate) fn status_and_message(&self) -> (u16, String) {
        let message = match self.body.is_empty() {
            true => String::new(),
            false => self.json()["message"].as_str().unwrap_or("").to_owned(),
        };
        (self.status, message)
    }
}
