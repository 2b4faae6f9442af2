//! Tests of the running server on real files, over real connections.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod backup;
mod client;
mod documented_commands;
mod lists;
mod python;
mod revoke;
#[path = "../common/secret_search.rs"]
mod secret_search;
mod secrets;
mod server;
mod set_up;
