//! The rules that every symbolon store must keep, as tests.
//!
//! A [`TokenStore`] is a contract in words. This crate is the same contract as tests: one named rule for each
//! promise, and for each rule a store that would break it (`tests/faults` in the repository), so that a rule which
//! finds nothing is noticed too. Nothing can be left out: [`suite!`] makes a test of every rule.
//!
//! # How to test your own store
//!
//! Make it a development dependency, and write one file, `tests/conformance.rs`:
//!
//! ```
//! //! The rules that every store must keep.
//! # mod my_store {
//! #     #[derive(Debug)]
//! #     pub struct MyStore;
//! #     impl MyStore {
//! #         pub fn open(_: impl AsRef<std::path::Path>) -> std::io::Result<symbolon::MemoryStore> {
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
//! The folder is new, empty, of mode 0700, and lives as long as the test. A store that needs none, in a database
//! server for instance, must still open a fresh store for each folder: take the folder's name for a schema. `durable!` is
//! for stores that keep something when they are closed: it opens the same folder again, and kills processes.
//!
//! Then `cargo test` names the promise that is broken:
//!
//! ```text
//! test a_unique_key_given_up_in_the_same_commit_is_free ... FAILED
//! ```
//!
//! Without `#[test]`, the rules are functions like any other:
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
//! Above each function in [`rules`] stands what it asks for. Start with `reading` and `expectations`; the random
//! walk finds most of the rest, and the other rules say what it was.
//!
//! # What is tested
//!
//! | rules on | catch |
//! |---|---|
//! | reading | truncated or confused bytes, signed ids, unknown kinds, what a replacement leaves behind |
//! | expectations | lost updates, ignored guards, purged records that come back |
//! | atomicity | parts of a refused commit; another write named than the first that fails |
//! | unique keys | two holders, keys that are never free again, exchanges refused |
//! | revisions | revisions that repeat, a head that falls, a floor that is not raised |
//! | renewing | an epoch that stays or is counted; records, head or revisions that a renewal loses |
//! | scanning | records lost between pages, ends too early, commits cut by a page |
//! | finding | an override of [`find`](TokenStore::find) that differs from the default |
//! | last uses | uses that count as writes, wake who waits, or are lost by one |
//! | waiting, limits | sleeping too long; commits that pass the limits |
//! | concurrency | races, stale reads, commits that are seen by halves |
//! | the random walk | any difference from [`MemoryStore`](symbolon::MemoryStore) in thousands of operations |
//! | closing and opening | whatever is not in the file |
//! | `kill_nine` | acknowledged changes that a killed process has not kept; files that do not open; halves of commits |
//!
//! # What is built on a store
//!
//! A store that fails must not make the engine lie. [`faults::FaultyStore`] makes any store fail at the call that a test
//! names, before or after it was done; [`faults::revoke_under_faults`] revokes through an engine on such a store, with
//! every fault at every call, and [`faults::histories_under_faults`] makes, checks and revokes many tokens at once.
//!
//! # Longer runs
//!
//! A test run is short. The same tests run longer with a larger count in an environment variable:
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `SYMBOLON_WALK_CASES` | random walks, of 250 operations each | 12 |
//! | `SYMBOLON_WALK_SEED` | what they are drawn from | 1 |
//! | `SYMBOLON_HISTORIES` | tokens that are made, checked and revoked | what the test says |
//! | `SYMBOLON_CRASH_CYCLES` | kills in `kill_nine` | 6 |
//! | `SYMBOLON_CRASH_SEED` | what is written, and when it is killed | 1 |
//!
//! `cargo xtask crash --backend sqlite --cycles 1000` is the long form of `kill_nine`; [`crash`] has its parts, for
//! programs of your own.
//!
//! # A new rule
//!
//! Write the function into the module of its subject, with the promise above it, add its name to `src/list.rs`, and a
//! fault that it finds to `tests/faults`. A function that is not in the list does not compile.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a rule that is broken panics, as a test does"
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

/// Makes one `#[test]` of every rule in [`RULES`]. The argument is a function or closure that takes a `&Path` and makes
/// a store in this empty folder. Two suites in one file stand in two modules.
#[macro_export]
macro_rules! suite {
    ($open:expr $(,)?) => {
        $crate::__for_each_rule! { $crate::__suite, ($open) }
    };
}

/// Makes one `#[test]` of every rule in [`DURABILITY_RULES`], and one named `kill_nine` that kills writing processes. The
/// argument is a function or closure that takes a `&Path` and opens the store in this folder, or makes it if the folder
/// is empty.
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

/// One `#[test]` a rule.
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

/// Checks one rule on the stores that `open` makes.
pub fn check(rule: fn(StoreFactory<'_>), open: &dyn Fn(&Path) -> Arc<dyn TokenStore>) {
    rule(StoreFactory::new(open));
}
