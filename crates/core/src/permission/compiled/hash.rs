//! Hashes for finding the permissions of a set. The permission that is found is compared in full,
//! so a collision has no effect on the result.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::Which;
use crate::name::Name;
use crate::permission::{Action, ResourceType};

/// Hashes a resource: `target` is its id, the hash of its name, or the number of the organization
/// for permissions on all its resources.
#[inline]
pub(super) fn hash(words: u16, which: Which, target: u64) -> u64 {
    mix(target ^ u64::from(words) << 48 ^ (which as u64) << 40)
}

/// Returns some bits of a hash other than those that a hash table uses first.
#[inline]
pub(super) fn tag(hash: u64) -> u16 {
    (hash >> 32) as u16
}

#[inline]
pub(super) fn hash_name(name: &str) -> u64 {
    FixedState::default().hash_one(name)
}

#[inline]
pub(super) fn hash_words(action: Action, kind: ResourceType) -> u64 {
    let fold = |name: Name| {
        let (words, _) = name.bytes().as_chunks::<8>();
        let each = words.iter().zip([0, 13, 27, 43]);
        each.fold(0, |all, (word, by)| all ^ u64::from_ne_bytes(*word).rotate_left(by))
    };
    mix(fold(kind.0) ^ fold(action.0).rotate_left(7))
}

/// Mixes `bits` by multiplication with 2^64 / the golden ratio and folding of the product, so that
/// each bit of the result depends on all of them.
#[inline]
fn mix(bits: u64) -> u64 {
    let product = u128::from(bits) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}
