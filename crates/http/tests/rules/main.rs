//! What InfluxDB's interface promises, over HTTP: who may do what, and how it is told.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod change;
mod create;
mod ended;
mod escalation;
mod listed;
mod lists;
mod matrix;
mod named;
mod objects;
mod reference;
mod replies;
mod roles;
mod rows;
mod server;
mod sessions;
mod set_up;
mod sets;
mod slots;
mod support;
mod things;
mod tries;
mod world;
