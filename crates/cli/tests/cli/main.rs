//! Tests that run the program on real files.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod audit;
mod auth;
mod auth_list;
mod backup;
mod check;
mod common;
mod concurrent_rotation;
mod explain;
mod export;
mod files;
mod import;
mod journal;
mod key;
mod man;
mod old_format;
mod org;
mod purge;
mod restore;
#[path = "../common/secret_search.rs"]
mod secret_search;
mod secrets;
mod setup;
mod sled;
mod stream;
mod tampering;
mod usage;
mod user;
