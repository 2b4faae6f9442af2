//! The program as its users run it, on real files.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod checking;
mod importing;
mod keys;
mod setting_up;
mod tampering;
mod world;
