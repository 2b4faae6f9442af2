//! Common parts of the benchmarks: data sets of many tokens, the hardware limit, and measuring.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

mod figures;
mod limit;
mod measure;
mod spool;
mod text;
mod world;

use std::path::PathBuf;

use symbolon::{Action, Id, NewAuthorization, Options, Permission, ResourceType, Schema, StoreKey};

pub use figures::{Figures, Kind, Unit};
pub use limit::Limit;
pub use measure::{Bench, RING, timer};
pub use spool::SpoolStore;
pub use world::{Cast, Presented, Served, World, fill, owners, tokens, world};

/// Returns the engine options of all benchmarks.
pub fn options() -> Options {
    Options::new(Schema::influxdb_v2())
}

/// Returns the store key of all benchmarks.
pub fn key() -> StoreKey {
    StoreKey::from_bytes([7; 32])
}

/// Returns a new authorization with one permission, for benchmarks of creation.
pub fn new_authorization(organization: Id) -> NewAuthorization {
    let read = Permission::new(Action::READ, ResourceType::BUCKETS).organization(organization);
    NewAuthorization::new(organization, [read])
}

/// Returns whether to measure for a short time only, as `cargo xtask bench` requests.
pub fn is_quick() -> bool {
    std::env::var_os("SYMBOLON_BENCH_QUICK").is_some()
}

/// Returns the numbers of tokens to measure, in ascending order, as `cargo xtask bench` requests.
///
/// # Panics
///
/// Panics if one is not a number.
pub fn sizes() -> Vec<u64> {
    let sizes = std::env::var("SYMBOLON_BENCH_SIZES").unwrap_or_else(|_| "1000,100000".to_owned());
    let number = |size: &str| {
        size.parse()
            .unwrap_or_else(|_| panic!("`{size}` is not a number of tokens"))
    };
    sizes.split(',').map(number).collect()
}

/// Returns the largest number of tokens up to a million, which most targets are about.
pub fn large() -> u64 {
    let sizes = sizes().into_iter().filter(|size| *size <= 1_000_000);
    sizes.max().unwrap_or(1000)
}

/// Returns the directory of build results.
pub fn target() -> PathBuf {
    let built = std::env::var_os("CARGO_TARGET_DIR");
    built.map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    )
}
