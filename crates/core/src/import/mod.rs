//! Imports authorizations from InfluxDB, or from an export, with their ids.
//!
//! An [`ImportFile`] is the parsed input. A [`Plan`] compares it with a store; nothing is written
//! before every row was checked.
//!
//! ```
//! use std::sync::Arc;
//! use symbolon::import::{Defaults, ImportFile, Plan};
//! use symbolon::{Engine, MemoryStore, Options, Schema, StoreKey};
//!
//! let options = Options::new(Schema::influxdb_v2());
//! let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
//! let file = r#"{"authorizations": [
//!     {"id": "0804f74142bbf000", "token": "", "orgID": "0804f74142bbf001", "permissions": []}
//! ]}"#;
//! let file = ImportFile::read(file.as_bytes())?;
//! let plan = Plan::new(file, &engine.maintenance(), &Defaults::default())?;
//! assert_eq!(
//!     plan.bad()[0].to_string(),
//!     "authorizations[0] (id 0804f74142bbf000): it has no token: give `token`, or its hash as \
//!      `hashedToken`"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bad_row;
mod fields;
mod file;
mod forms;
mod owners;
mod packed_sets;
mod permissions;
mod plan;
mod planner;
mod rows;
#[cfg(test)]
mod tests;
mod tokens;
mod write;

pub use bad_row::{BadRow, ImportError, ImportList, RowPosition};
pub use file::ImportFile;
pub(crate) use forms::{CreatorForm, MembershipForm, SetUpForm};
pub use owners::OwnerName;
pub use plan::{Counts, Defaults, Plan};
