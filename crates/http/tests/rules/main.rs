//! Rules of the HTTP API: who may do what, and how a refusal is reported.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod authority;
mod change;
mod create;
mod deleted;
mod document;
mod escalation;
mod fixture;
mod json_objects;
mod list_reference;
mod lists;
mod matrix;
mod parameters;
mod password_limit;
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
