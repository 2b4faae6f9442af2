//! Permission checks for the routes of a database server.
//!
//! [`GuardLayer`] authenticates each request by its `Authorization` header, and [`Allowed`] checks
//! the permission that a route requires. Both read only the in-memory index of the engine: they
//! take no lock and do no I/O. Each request is checked separately, so a revoke, an expiry or a
//! deactivated owner takes effect with the next request, also on an open connection.
//!
//! The server implements an extractor that reads from a request what a handler is to access. It
//! returns the required permission in [`RequiredPermission`], and the handler receives the
//! extracted value only if the token has this permission. So the value that was checked is the
//! value that is used.
//!
//! ```
//! # use std::sync::Arc;
//! use axum::Router;
//! use axum::extract::{FromRequestParts, Path, State};
//! use axum::extract::rejection::PathRejection;
//! use axum::http::{StatusCode, request::Parts};
//! use axum::routing::post;
//! use symbolon::{Action, Engine, Id, Request, ResourceType};
//! use symbolon_http::{Allowed, Api, GuardLayer, Settings, RequiredPermission, router};
//!
//! #[derive(Clone)]
//! struct Server {
//!     organization: Id,
//! }
//!
//! /// A write to the database in the path.
//! struct Write {
//!     organization: Id,
//!     database: String,
//! }
//!
//! impl FromRequestParts<Server> for Write {
//!     type Rejection = PathRejection;
//!
//!     async fn from_request_parts(
//!         parts: &mut Parts,
//!         server: &Server,
//!     ) -> Result<Self, PathRejection> {
//!         let Path(database) = Path::from_request_parts(parts, server).await?;
//!         let organization = server.organization;
//!         Ok(Self { organization, database })
//!     }
//! }
//!
//! impl RequiredPermission for Write {
//!     fn request(&self) -> Request<'_> {
//!         Request::new(Action::WRITE, ResourceType::DATABASES)
//!             .organization(self.organization)
//!             .name(&self.database)
//!     }
//! }
//!
//! async fn write(Allowed { wanted, .. }: Allowed<Write>, lines: String) -> StatusCode {
//!     println!("{} bytes for {}", lines.len(), wanted.database);
//!     StatusCode::NO_CONTENT
//! }
//!
//! fn application(engine: Arc<Engine>, organization: Id) -> Router {
//!     Router::new()
//!         .route("/write/{database}", post(write))
//!         .layer(GuardLayer::new(engine.verifier()))
//!         .with_state(Server { organization })
//!         .merge(router(Api::new(engine, Settings::default())))
//! }
//! ```

mod allowed;
mod layer;

pub use allowed::{Allowed, Granted, Refusal, RequiredPermission};
pub use layer::{Guard, GuardLayer};
