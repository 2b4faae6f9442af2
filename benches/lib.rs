//! What the benchmarks share: worlds of many tokens, the limit, and how a step is measured.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

mod draw;
mod figures;
mod limit;
mod measure;
mod spool;
mod text;
mod world;

use std::path::PathBuf;

use symbolon::{Action, Id, NewAuthorization, Options, Permission, ResourceType, Schema, StoreKey};

pub use draw::Draw;
pub use figures::{Figures, Kind, Unit};
pub use limit::Limit;
pub use measure::{Bench, RING, timer};
pub use spool::SpoolStore;
pub use world::{Cast, Presented, Served, World, fill, owners, tokens, world};

/// The options of all benchmarks.
pub fn options() -> Options {
    Options::new(Schema::influxdb_v2())
}

/// The key of all benchmarks.
pub fn key() -> StoreKey {
    StoreKey::from_bytes([7; 32])
}

/// A new authorization of one permission, for benchmarks of creating.
pub fn new_authorization(organization: Id) -> NewAuthorization {
    let read = Permission::new(Action::READ, ResourceType::BUCKETS).organization(organization);
    NewAuthorization::new(organization, [read])
}

/// Whether to measure for a short time only: `SYMBOLON_BENCH_QUICK` is set.
pub fn is_quick() -> bool {
    std::env::var_os("SYMBOLON_BENCH_QUICK").is_some()
}

/// For how many tokens: `SYMBOLON_BENCH_SIZES`, with commas between, in rising order.
///
/// # Panics
///
/// If it holds something else.
pub fn sizes() -> Vec<u64> {
    let sizes = std::env::var("SYMBOLON_BENCH_SIZES").unwrap_or_else(|_| "1000,100000".to_owned());
    let number = |size: &str| {
        size.parse()
            .unwrap_or_else(|_| panic!("`{size}` is no size"))
    };
    sizes.split(',').map(number).collect()
}

/// The size for which most of the targets are: the largest up to a million.
pub fn large() -> u64 {
    let sizes = sizes().into_iter().filter(|size| *size <= 1_000_000);
    sizes.max().unwrap_or(1000)
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    let built = std::env::var_os("CARGO_TARGET_DIR");
    built.map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    )
}
