//! An embeddable API-token store for database servers: may this token do this to that?
//!
//! An [`Engine`] opens a [`TokenStore`] with a [`StoreKey`] and the [`Schema`] of the server, and reads it once. Its
//! [`Verifier`] answers checks from memory, its [`Issuer`] makes changes, and a thread follows what other processes
//! write.
//!
//! ```
//! use std::sync::Arc;
//! use symbolon::journal::MemoryJournal;
//! use symbolon::{Action, Caller, Denied, Engine, MemoryStore, NewAuthorization, Options, Permission};
//! use symbolon::{Request, ResourceType, Schema, StoreKey};
//!
//! let options = Options {
//!     journal: Some(Arc::new(MemoryJournal::new())),
//!     ..Options::new(Schema::influxdb_v2())
//! };
//! let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
//! let (verifier, issuer) = (engine.verifier(), engine.issuer());
//! let org = issuer.create_organization(&Caller::Root, "my-org", "")?.id;
//! let read = Permission::new(Action::READ, ResourceType::BUCKETS).organization(org);
//! let (token, made) = issuer.create(&Caller::Root, NewAuthorization::new(org, [read]))?;
//!
//! let request = Request::new(Action::READ, ResourceType::BUCKETS).organization(org);
//! assert_eq!(verifier.check(token.reveal(), &request), Ok(made.id));
//! issuer.revoke(&Caller::Root, made.id)?;
//! assert_eq!(verifier.check(token.reveal(), &request), Err(Denied::Revoked(made.id)));
//! # Ok::<(), symbolon::Error>(())
//! ```
//!
//! This crate does no input or output of its own. Stores are in `symbolon-sqlite` and `symbolon-sled`, the journal in
//! files in `symbolon-journal`, the key file in `symbolon-files`. A store of your own implements [`TokenStore`], and
//! `symbolon-conformance` tests it.
//!
//! | to | see |
//! |---|---|
//! | answer requests | [`Verifier::check`], [`Verifier::authenticate`], [`Denied`] |
//! | create, rotate and revoke tokens | [`Issuer`], [`NewAuthorization`], [`Caller`] |
//! | say what may be granted | [`Schema`], [`Permission`], [`Request`] |
//! | know who did what, and keep ended what had ended | [`journal`], [`Options::journal`], [`RollbackReport`] |
//! | copy a store | [`mod@backup`], [`Issuer::export`], [`import`] |
//! | change the key | [`StoreKey::rotated`], [`Issuer::reseal`], [`StoreKey::retired`] |
//!
//! # Consistency
//!
//! A change that returned `Ok` is on disk, and every check of the same engine that starts afterwards sees it. Other
//! processes on the same store see it within milliseconds, and never later than [`Options::max_staleness`]: an engine
//! that cannot follow answers [`Denied::Unavailable`]. After [`Error::Store`] with [`StoreError::Backend`] nobody knows
//! whether a change was made; to repeat what ends something is always right. `set_up` or `rotate` may then have made an
//! active token that nobody has: list and revoke it.
//!
//! # Performance
//!
//! A check takes no lock, allocates nothing, and does no input or output. Everything that it needs is in memory. A
//! change waits for one sync of the store, and for one of the journal if there is one; changes that are made at the
//! same time share both.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod authorization;
pub mod backup;
mod clock;
mod engine;
mod engine_state;
mod error;
mod export;
mod flood_guard;
mod follower;
mod freshness;
mod fsck;
mod id;
pub mod import;
mod index;
mod indexed_state;
mod issuer;
pub mod journal;
mod json_object;
mod key;
mod last_used;
pub mod memory_store;
mod name;
mod options;
mod owner;
mod permission;
pub mod record;
mod rollback;
mod schema;
mod session;
mod status;
pub mod store;
pub mod text;
mod time;
mod token;
mod verifier;

pub use authorization::{Authorization, Creator, NotInForce, Origin};
pub use clock::{Clock, ManualClock, SystemClock};
pub use engine::{Engine, is_new};
pub use engine_state::{IntegrityCallback, IntegrityFault, IntegrityFaultKind};
pub use error::{Denied, Error, Field, StoreError};
pub use export::{ExportError, ExportReport, ExportSecrets};
pub use fsck::{Finding, Findings};
pub use id::{Id, InvalidId};
pub use issuer::{
    Caller, Edit, Explanation, Filter, IfNameExists, IfRevoked, IfUnchanged, ImportItem,
    ImportReport, Issuer, ListOptions, NewAuthorization, NotInForceReason, OrganizationEdit,
    PurgeOptions, PurgeReport, Revoked, Rotation, SetUpRequest, SetUpResult, UserEdit,
};
pub use json_object::JsonObject;
pub use key::{InvalidKey, InvalidKeyId, KeyId, StoreKey};
pub use memory_store::MemoryStore;
pub use name::{InvalidName, MAX_NAME};
pub use options::{IfStoreMissing, Options};
pub use owner::{Bucket, Membership, Organization, OwnerState, PasswordHash, Role, User};
pub use permission::{
    Action, BucketNames, InvalidPermission, Mismatch, Permission, PermissionSet, Request, Resource,
    ResourceType, Target,
};
pub use rollback::{RollbackReport, UnjournaledStore};
pub use schema::{Schema, SchemaError};
pub use session::Session;
pub use status::{AlreadyRevoked, Status, Transition};
pub use store::TokenStore;
pub use time::{InvalidTime, Minute, Timestamp};
pub use token::{
    Credential, ForeignHash, InvalidForeignHash, InvalidPrefix, MalformedToken, Prefix, Token,
    TokenDigest, TokenShape,
};
pub use verifier::{Allowed, Grant, Verifier};
