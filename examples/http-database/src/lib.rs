//! A small database over HTTP: lines of text in named databases, and tokens that say who may write and read which.
//!
//! [`access`] opens the store of tokens; this file is the database. Its routes are behind a
//! [`GuardLayer`](symbolon_http::GuardLayer), and beside them the routes are mounted that make and revoke the tokens. The
//! data are in memory, for this is about tokens.
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

/// Bytes that a database holds.
const ROOM: usize = 16 << 20;

/// The whole application: the database's routes and those of symbolon.
pub fn application(access: &Access) -> Router {
    let server = Server {
        organization: access.organization(),
        data: Arc::default(),
    };
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

/// A database, and what is wanted of it: `GET` reads, everything else writes.
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
        Ok(Self {
            organization: server.organization,
            action,
            name,
        })
    }
}

impl RequiredPermission for Database {
    fn request(&self) -> Request<'_> {
        // The organization is always named: a database is one only within it.
        Request::new(self.action, ResourceType::DATABASES)
            .organization(self.organization)
            .name(&self.name)
    }
}

/// Appends lines. It gets the database only if the token may write it.
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

/// All lines of a database.
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
