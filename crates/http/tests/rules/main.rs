//! What InfluxDB's interface promises, over HTTP: who may do what, and how it is told.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod change;
mod create;
mod deleted_owners;
mod escalation;
mod fixture;
mod json_objects;
mod list_reference;
mod lists;
mod login_attempts;
mod matrix;
mod parameters;
mod permission_names;
mod reference;
mod replies;
mod resources;
mod roles;
mod rule_table;
mod server;
mod sessions;
mod set_up;
mod sets;
mod support;
