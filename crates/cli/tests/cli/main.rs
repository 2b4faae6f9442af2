//! The program as its users run it, on real files.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod backup;
mod check;
mod common;
mod export;
mod files;
mod import;
mod planted;
mod restore;
mod secrets;
mod setup;
mod sled;
mod stream;
mod usage;
