//! A small database over HTTP: lines of text in named databases, with tokens to read and write
//! them.
//!
//! [`access`] opens the token store; this file is the database. A
//! [`GuardLayer`] guards its routes, and the same application mounts the
//! routes that create and revoke tokens. The data is only in memory.
#![forbid(unsafe_code)]

pub mod access;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::routing::get;
use symbolon::{Action, Id, Request, ResourceType};
use symbolon_http::{Allowed, Api, GuardLayer, RequiredPermission, Settings, router};

use crate::access::Access;

/// Maximum size of a database in bytes.
const ROOM: usize = 16 << 20;

/// Returns the application with the routes of the database and of symbolon.
pub fn application(access: &Access) -> Router {
    let server = Server { organization: access.organization(), data: Arc::default() };
    let engine = access.engine();
    Router::new()
        .route("/databases/{name}", get(read).post(write))
        .layer(GuardLayer::new(engine.verifier()))
        .with_state(server)
        .merge(router(Api::new(engine, Settings::default())))
}

#[derive(Debug, Clone)]
struct Server {
    organization: Id,
    data: Arc<Mutex<HashMap<String, String>>>,
}

/// A database and the required permission: `read` for `GET`, `write` for other methods.
#[derive(Debug)]
struct Database {
    organization: Id,
    action: Action,
    name: String,
}

impl FromRequestParts<Server> for Database {
    type Rejection = PathRejection;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, PathRejection> {
        let Path(name) = Path::from_request_parts(parts, server).await?;
        let action = match parts.method {
            Method::GET | Method::HEAD => Action::READ,
            _ => Action::WRITE,
        };
        Ok(Self { organization: server.organization, action, name })
    }
}

impl RequiredPermission for Database {
    fn request(&self) -> Request<'_> {
        // Always names the organization: a database exists only within it.
        Request::new(self.action, ResourceType::DATABASES)
            .organization(self.organization)
            .name(&self.name)
    }
}

/// Appends lines. Called only if the token may write the database.
async fn write(
    State(server): State<Server>,
    database: Allowed<Database>,
    lines: String,
) -> StatusCode {
    let mut data = server.lock();
    let kept = data.entry(database.wanted.name).or_default();
    if kept.len() + lines.len() >= ROOM {
        return StatusCode::INSUFFICIENT_STORAGE;
    }
    kept.push_str(&lines);
    if !kept.is_empty() && !kept.ends_with('\n') {
        kept.push('\n');
    }
    StatusCode::NO_CONTENT
}

/// Returns all lines of a database.
async fn read(
    State(server): State<Server>,
    database: Allowed<Database>,
) -> Result<String, StatusCode> {
    let data = server.lock();
    let kept = data.get(&database.wanted.name).cloned();
    kept.ok_or(StatusCode::NOT_FOUND)
}

impl Server {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
