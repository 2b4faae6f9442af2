//! The journal on real files: what it keeps, what it notices, and what it survives.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod append;
mod common;
mod damage;
mod files;
mod processes;
mod properties;
