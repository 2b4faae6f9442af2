//! The HTTP API of symbolon as an axum router: InfluxDB v2 authorizations, users and organizations
//! under `/api/v2`, and the database tokens of InfluxDB Clustered under `/api/v0`.
//!
//! A database server mounts [`router`] in its own application. [`application`] is a complete
//! server, which also answers every other path and logs requests. The engine checks the permissions
//! of every management request: a request can do only what its token or session allows.
//!
//! `docs/influxdb.md` lists the differences from InfluxDB.
#![forbid(unsafe_code)]

mod api;
mod backup;
mod body;
mod browser_guard;
mod failure;
pub mod guard;
mod login_attempts;
mod metrics;
mod metrics_endpoint;
mod openapi;
mod openapi_links;
mod paging;
mod password;
mod principal;
mod responses;
mod routes;
mod schemas;
mod settings;
mod setup_code;
mod stream;
mod tags;
mod v0;
mod v2;

pub use api::Api;
pub use guard::{Allowed, Granted, GuardLayer, Refusal, RequiredPermission};
pub use routes::{application, openapi, router};
pub use settings::{PasswordLimit, Settings, TokenInReplies};
pub use setup_code::{InvalidSetupCode, SetupCode};
