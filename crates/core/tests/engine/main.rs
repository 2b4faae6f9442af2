//! Tests of the engine through its public interface.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod allocations;
mod backups;
mod caller_proofs;
mod callers;
mod decisions;
mod epochs;
mod explain_and_purge;
mod fault_matrix;
mod faults;
mod file_copies;
mod fixture;
mod guards;
mod imports;
mod journal;
mod lifecycle;
mod lists;
mod passwords;
mod reactivation;
mod replication;
mod rollback;
mod rotation;
mod session_model;
mod sessions;
mod setup;
mod spellings;
mod tombstones;
mod users;
