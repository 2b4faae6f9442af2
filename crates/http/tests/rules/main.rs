//! What InfluxDB's interface promises, over HTTP: who may do what, and how it is told.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod create;
mod escalation;
mod listed;
mod matrix;
mod reference;
mod rows;
mod server;
mod slots;
mod support;
mod things;
mod world;
