//! Conformance tests for stores of symbolon.
//!
//! This crate tests the contract of [`TokenStore`]: each promise is one named rule. [`suite!`]
//! creates a test for every rule, so that none can be skipped. In the repository, `tests/faults`
//! checks that each rule detects a store that breaks it.
//!
//! # How to test your own store
//!
//! Add this crate as a development dependency, and create the file `tests/conformance.rs`:
//!
//! ```
//! //! Conformance tests of the store.
//! # mod my_store {
//! #     use std::path::Path;
//! #     #[derive(Debug)]
//! #     pub struct MyStore;
//! #     impl MyStore {
//! #         pub fn open(_: impl AsRef<Path>) -> std::io::Result<symbolon::MemoryStore> {
//! #             Ok(symbolon::MemoryStore::new())
//! #         }
//! #     }
//! # }
//!
//! use std::path::Path;
//!
//! use my_store::MyStore;
//!
//! symbolon_conformance::suite!(|dir: &Path| MyStore::open(dir.join("tokens")).unwrap());
//! symbolon_conformance::durable!(|dir: &Path| MyStore::open(dir.join("tokens")).unwrap());
//! # fn main() {}
//! ```
//!
//! The directory is new and empty, has mode 0700, and exists as long as the test. A store that
//! needs none, for example in a database server, must still open a separate store for each
//! directory: use the directory's name as the name of a schema. Use `durable!` for stores on disk:
//! it opens the same directory again, and kills processes that write.
//!
//! `cargo test` then names the broken rule:
//!
//! ```text
//! test a_unique_key_given_up_in_the_same_commit_is_free ... FAILED
//! ```
//!
//! The rules are ordinary functions and can run outside of tests:
//!
//! ```
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use symbolon::{MemoryStore, TokenStore};
//! use symbolon_conformance::{StoreFactory, RULES};
//!
//! let open = |_: &Path| -> Arc<dyn TokenStore> { Arc::new(MemoryStore::new()) };
//! for rule in RULES {
//!     (rule.check)(StoreFactory::new(&open)); // panics if the rule is broken
//! }
//! ```
//!
//! The documentation of each function in [`rules`] states the rule. Fix failures of `reading` and
//! `expectations` first. The random walk detects most faults; the other rules name them.
//!
//! # What is tested
//!
//! | rules | faults detected |
//! |---|---|
//! | reading | truncated bytes, signed ids, rejected kinds, remains of replaced records |
//! | expectations | lost updates, ignored guards, purged records that reappear |
//! | atomicity | partly written refused commits; errors that name the wrong write |
//! | unique keys | keys with two holders, keys that stay taken, refused exchanges |
//! | revisions | repeated revisions, a head that falls, a floor that is not raised |
//! | renewing | an epoch that stays or counts up; lost records, head or revisions |
//! | scanning | records lost between pages, scans that end early, commits split by a page |
//! | finding | an override of [`find`](TokenStore::find) that differs from the default |
//! | last uses | uses that count as writes, wake a waiting thread, or get lost |
//! | waiting, limits | waits that exceed their timeout; commits above the limits |
//! | concurrency | races, stale reads, commits that are partly visible |
//! | the random walk | differences from [`MemoryStore`](symbolon::MemoryStore) |
//! | closing and opening | data that is not in the file |
//! | `kill_nine` | lost acknowledged changes, unreadable files, partial commits |
//!
//! # Tests of an engine on a failing store
//!
//! A failing store must not lead to wrong answers of the engine. [`faults::FaultyStore`] makes any
//! store fail at a chosen call, before or after the call took effect.
//! [`faults::revoke_under_faults`] revokes through an engine with every fault at every call, and
//! [`faults::histories_under_faults`] creates, checks and revokes many tokens concurrently.
//!
//! # Longer runs
//!
//! Environment variables set the length of the random tests:
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `SYMBOLON_WALK_CASES` | random walks, of 250 operations each | 12 |
//! | `SYMBOLON_WALK_SEED` | seed of the random walks | 1 |
//! | `SYMBOLON_HISTORIES` | tokens to create, check and revoke | set by the test |
//! | `SYMBOLON_CRASH_CYCLES` | kills in `kill_nine` | 6 |
//! | `SYMBOLON_CRASH_SEED` | seed of the written data and of the moments of the kills | 1 |
//!
//! The module [`crash`] contains the parts of `kill_nine`, for longer runs in other programs.
//!
//! # Adding a rule
//!
//! Write the function into the module of its topic, and document the promise. Add its name to
//! `src/list.rs`, and a fault that it detects to `tests/faults`. A function that is not in the list
//! does not compile.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken rule panics, like a failed test"
)]
#![deny(dead_code)]

pub mod crash;
pub mod faults;
mod fresh_store;
mod list;
mod pages;
mod rng;
pub mod rules;
mod sample;
mod threads;
mod walk;

use std::path::Path;
use std::sync::Arc;

use symbolon::TokenStore;

pub use fresh_store::{FreshStore, StoreFactory};
pub use rules::{DURABILITY_RULES, RULES, Rule};
pub use walk::Walk;

/// Creates one `#[test]` for each rule in [`RULES`]. The argument is a function or closure that
/// takes a `&Path` and creates a store in this empty directory. Two suites in one file must be in
/// different modules.
#[macro_export]
macro_rules! suite {
    ($open:expr $(,)?) => {
        $crate::__for_each_rule! { $crate::__suite, ($open) }
    };
}

/// Creates one `#[test]` for each rule in [`DURABILITY_RULES`], and the test `kill_nine`, which
/// kills writing processes. The argument is a function or closure that takes a `&Path` and opens
/// the store in this directory, or creates it if the directory is empty.
#[macro_export]
macro_rules! durable {
    ($open:expr $(,)?) => {
        $crate::__for_each_durability_rule! { $crate::__suite, ($open) }

        #[test]
        fn kill_nine() {
            $crate::crash::kill_nine(concat!(module_path!(), "::kill_nine"), &|dir| {
                let open = $open;
                ::std::sync::Arc::new(open(dir))
            });
        }
    };
}

/// Creates one `#[test]` for each rule.
#[doc(hidden)]
#[macro_export]
macro_rules! __suite {
    (($open:expr) $($module:ident { $($rule:ident,)* })*) => {
        $($(
            #[test]
            fn $rule() {
                $crate::check($crate::rules::$rule, &|dir| {
                    let open = $open;
                    ::std::sync::Arc::new(open(dir))
                });
            }
        )*)*
    };
}

/// Checks one rule with the stores that `open` creates.
pub fn check(rule: fn(StoreFactory<'_>), open: &dyn Fn(&Path) -> Arc<dyn TokenStore>) {
    rule(StoreFactory::new(open));
}
