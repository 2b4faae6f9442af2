//! Properties of symbolon under arbitrary input: one function for each fuzz target.
//!
//! Each function takes any bytes and panics if a property is violated. It returns `true` if the
//! input was accepted, so that a test notices a corpus that no longer reaches any code.
//! `cargo xtask fuzz` searches with these functions; `cargo test` runs them on the inputs in
//! `corpus/`.
#![forbid(unsafe_code)]

mod backup;
mod base62;
mod import_file;
mod journal_file;
mod key_file;
mod permission_json;
mod record;
mod token;

pub use backup::backup;
pub use import_file::import_file;
pub use journal_file::journal_file;
pub use key_file::key_file;
pub use permission_json::permission_json;
pub use record::record;
pub use token::token;

/// A fuzz target: its name and function.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// All fuzz targets.
pub const TARGETS: [Target; 7] = [
    ("backup", backup),
    ("import_file", import_file),
    ("journal_file", journal_file),
    ("key_file", key_file),
    ("permission_json", permission_json),
    ("record", record),
    ("token", token),
];
