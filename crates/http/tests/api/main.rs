//! Tests of the routes with a real store.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed step fails the test"
)]

mod backup;
mod document;
mod guard;
mod metrics;
mod support;
mod v0;
