//! Low-level parts for fast checks. None of them depends on the rest of the crate. Those with
//! unsafe code, which is nowhere else, are replaced by safe code with the same interface under the
//! feature `portable`.

#[cfg(all(feature = "blake3-platform", not(feature = "portable")))]
pub(crate) mod blake3_block;
#[cfg(not(all(feature = "blake3-platform", not(feature = "portable"))))]
#[path = "portable/blake3_block.rs"]
pub(crate) mod blake3_block;
#[cfg(test)]
mod blake3_tests;

#[cfg(not(feature = "portable"))]
pub(crate) mod huge_pages;
#[cfg(feature = "portable")]
#[path = "portable/huge_pages.rs"]
pub(crate) mod huge_pages;

#[cfg(not(feature = "portable"))]
pub(crate) mod rcu;
#[cfg(feature = "portable")]
#[path = "portable/rcu.rs"]
pub(crate) mod rcu;

pub(crate) mod seqlock;

pub(crate) mod sync;
