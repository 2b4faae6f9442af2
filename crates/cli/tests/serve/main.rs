//! The server as its clients meet it: a running program, on real files, over real connections.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod backup;
mod client;
mod document;
mod lists;
#[path = "../common/nowhere.rs"]
mod nowhere;
mod python;
mod revoke;
mod secrets;
mod seed_commands;
mod seeds;
mod server;
mod set_up;
