//! The routes over a real store.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod backup;
mod document;
mod guard;
mod metrics;
mod support;
mod v0;
