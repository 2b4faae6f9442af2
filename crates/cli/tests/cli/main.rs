//! The program as its users run it, on real files.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod audit;
mod auth;
mod auth_list;
mod backup;
mod check;
mod common;
mod explain;
mod export;
mod files;
mod import;
mod journal;
mod key;
mod man;
#[path = "../common/nowhere.rs"]
mod nowhere;
mod old_format;
mod org;
mod planted;
mod purge;
mod restore;
mod rotating;
mod secrets;
mod setup;
mod sled;
mod stream;
mod usage;
mod user;
