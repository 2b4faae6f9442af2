//! For the routes of a database server: who may use them.
//!
//! [`GuardLayer`] authenticates each request by its `Authorization` header, and [`Allowed`] asks for the permission that a
//! route wants. Both only read what the engine has in memory: no lock, no input or output. Each request is looked at for
//! itself, so that a revoke, an expiry or a disabled owner is seen by the next request of a connection that is open.
//!
//! What a route wants is read from its request by an extractor of the server's own. It says with [`RequiredPermission`] which
//! permission that takes, and the handler gets it only if the token has that: what was asked for is what is used.
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
//! /// Writing to the database that the path names.
//! struct Write {
//!     organization: Id,
//!     database: String,
//! }
//!
//! impl FromRequestParts<Server> for Write {
//!     type Rejection = PathRejection;
//!
//!     async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, PathRejection> {
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
