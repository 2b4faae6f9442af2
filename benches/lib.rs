//! Common parts of the benchmarks: data sets of many tokens, the hardware limit, and measuring.
//!
//! Every function panics if it cannot set up what is to be measured.
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
pub use measure::{Bench, RING, median};
pub use world::{CHUNK, Cast, Presented, World, fill, id, owners};

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

/// Returns one of two values, depending on whether `cargo xtask bench` requests to measure for a
/// short time only.
pub fn full_or_quick<T>(full: T, quick: T) -> T {
    match std::env::var_os("SYMBOLON_BENCH_QUICK") {
        Some(_) => quick,
        None => full,
    }
}

/// Returns the numbers of tokens to measure, in ascending order, as `cargo xtask bench` requests.
pub fn sizes() -> Vec<u64> {
    let sizes = std::env::var("SYMBOLON_BENCH_SIZES").unwrap_or_else(|_| "1000,100000".to_owned());
    let number =
        |size: &str| size.parse().unwrap_or_else(|_| panic!("`{size}` is not a number of tokens"));
    sizes.split(',').map(number).collect()
}

/// Returns the largest number of tokens up to a million, which most targets are about.
pub fn large() -> u64 {
    let sizes = sizes().into_iter().filter(|size| *size <= 1_000_000);
    sizes.max().unwrap_or(1000)
}

/// Returns the arguments after `--child`, with which a program starts itself again.
pub fn child_arguments() -> Option<Vec<String>> {
    let mut words = std::env::args().skip_while(|word| word != "--child");
    words.next().map(|_| words.collect())
}

/// Returns the directory of build results.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(built) => built.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"),
    }
}
