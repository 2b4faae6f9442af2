//! What arbitrary input must not do to symbolon: one function for each fuzz target.
//!
//! Each takes any bytes, panics if a promise is broken, and says whether the input was good, so that a corpus which no
//! longer reaches anything is noticed. `cargo xtask fuzz` searches with them; `cargo test` feeds them the committed
//! inputs of `corpus/`.
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

/// A fuzz target: its name, and what it does with its input.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// All of them.
pub const TARGETS: [Target; 7] = [
    ("backup", backup),
    ("import_file", import_file),
    ("journal_file", journal_file),
    ("key_file", key_file),
    ("permission_json", permission_json),
    ("record", record),
    ("token", token),
];
