//! An embeddable API-token store for database servers. It decides if a token may perform an action
//! on a resource.
//!
//! An [`Engine`] opens a [`TokenStore`] with a [`StoreKey`] and the [`Schema`] of the server, and
//! reads it into memory once. Its [`Verifier`] answers checks from memory, an [`Admin`]
//! makes changes on behalf of a caller, and a follower thread applies the changes of other
//! processes.
//!
//! ```
//! use std::sync::Arc;
//! use symbolon::journal::MemoryJournal;
//! use symbolon::{Action, Caller, Denied, Engine, MemoryStore, NewAuthorization, Options};
//! use symbolon::{NewOrganization, Permission, Request, ResourceType, Schema, StoreKey};
//!
//! let options = Options {
//!     journal: Some(Arc::new(MemoryJournal::new())),
//!     ..Options::new(Schema::influxdb_v2())
//! };
//! let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
//! let (verifier, root) = (engine.verifier(), engine.admin(Caller::Root));
//! let org = root.organizations().create(NewOrganization::named("my-org"))?.id;
//! let read = Permission::new(Action::READ, ResourceType::BUCKETS).organization(org);
//! let (token, made) = root.authorizations().create(NewAuthorization::new(org, [read]))?;
//!
//! let request = Request::new(Action::READ, ResourceType::BUCKETS).organization(org);
//! assert_eq!(verifier.check(token.reveal(), &request), Ok(made.id));
//! root.authorizations().revoke(made.id)?;
//! assert_eq!(verifier.check(token.reveal(), &request), Err(Denied::Revoked(made.id)));
//! # Ok::<(), symbolon::AdminError>(())
//! ```
//!
//! This crate does no I/O of its own. The crates `symbolon-sqlite` and `symbolon-sled` provide
//! stores, `symbolon-journal` a journal in files, and `symbolon-files` the key file. A custom store
//! implements [`TokenStore`] and is tested with `symbolon-conformance`.
//!
//! | task | start with |
//! |---|---|
//! | check requests | [`Verifier::check`], [`Verifier::authenticate`], [`Denied`] |
//! | create, rotate and revoke tokens | [`Engine::admin`], [`Authorizations`], [`Caller`] |
//! | manage users and organizations | [`Users`], [`Organizations`], [`Sessions`], [`SignIn`] |
//! | define actions and resource types | [`Schema`], [`Permission`], [`Request`] |
//! | audit changes and replay revocations | [`journal`], [`Options::journal`], [`RollbackReport`] |
//! | copy a store | [`mod@backup`], [`Maintenance::export`], [`import`] |
//! | rotate the key | [`StoreKey::rotated`], [`Maintenance::reseal`], [`StoreKey::retired`] |
//!
//! # Consistency
//!
//! When a change returns `Ok`, it is on disk, and every later check of the same engine sees it.
//! Other processes with the same store see it within milliseconds, and never later than
//! [`Options::max_staleness`]: an engine that cannot follow the store answers
//! [`Denied::Unavailable`].
//!
//! After [`AdminError::Store`] with [`StoreError::Backend`], the change may or may not have been
//! applied. Repeating a revocation or deletion is always safe; it is
//! [`AdminError::NotFound`] if the first attempt was applied. `set_up` and `rotate` may have
//! created an active token that was not returned: list it and revoke it.
//!
//! # Performance
//!
//! A check takes no lock, allocates nothing and does no I/O; all data it needs is in memory. A
//! change waits for one sync of the store, and for one of the journal if there is one. Concurrent
//! changes share these syncs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admin;
mod admin_error;
mod authorization;
pub mod backup;
mod caller;
mod change;
mod check_state;
mod clock;
mod denied;
mod engine;
mod engine_state;
mod error_chain;
mod export;
mod field;
mod flood_guard;
mod follower;
mod freshness;
mod fsck;
mod id;
pub mod import;
mod index;
mod indexed_state;
mod integrity;
mod invalid_value;
pub mod journal;
mod json_object;
mod json_problem;
mod key;
mod last_used;
mod maintenance;
pub mod memory_store;
mod name;
mod open_error;
mod options;
mod owner;
mod permission;
mod primitives;
mod random;
pub mod record;
mod rollback;
mod schema;
mod session;
mod settings;
mod status;
pub mod store;
pub mod text_limits;
mod time;
mod token;
mod verifier;

pub use admin::{
    Admin, AuthorizationEdit, AuthorizationFilter, Authorizations, Buckets, Explanation,
    IfUnchanged, List, ListOptions, Names, NewAuthorization, NewBucket, NewOrganization, NewUser,
    NotInForceReason, OrganizationEdit, Organizations, RevokedInList, Rotation, Sessions, SignIn,
    UserEdit, Users,
};
pub use admin_error::AdminError;
pub use authorization::{Authorization, Creator, NotInForce, Origin};
pub use caller::{AuthenticatedUser, Caller, TokenBearer};
pub use clock::{Clock, ManualClock, SystemClock};
pub use denied::Denied;
pub use engine::Engine;
pub use error_chain::ErrorChain;
pub use export::{ExportError, ExportReport, ExportSecrets};
pub use field::Field;
pub use fsck::{FsckProblem, FsckReport};
pub use id::{Id, InvalidId};
pub use integrity::{IntegrityCallback, IntegrityFault, IntegrityFaultKind};
pub use invalid_value::InvalidValue;
pub use json_object::JsonObject;
pub use json_problem::JsonProblem;
pub use key::{InvalidKey, InvalidKeyId, KeyId, StoreKey};
pub use maintenance::{
    IfNameExists, IfRevoked, ImportItem, ImportReport, Maintenance, PurgeOptions, PurgeReport,
    SetUpRequest, SetUpResult,
};
pub use memory_store::MemoryStore;
pub use name::{InvalidName, MAX_NAME};
pub use open_error::OpenError;
pub use options::{IfStoreMissing, Options};
pub use owner::{Bucket, Membership, Organization, OwnerState, PasswordHash, Role, User};
pub use permission::{
    Action, BucketNames, InvalidPermission, Mismatch, Permission, PermissionSet, Request, Resource,
    ResourceType, Target,
};
pub use random::RandomError;
pub use rollback::{RollbackReport, UnjournaledStore};
pub use schema::{Schema, SchemaError};
pub use session::{Session, SessionOwner};
pub use settings::is_new;
pub use status::{AlreadyRevoked, InvalidStatus, Status, Transition};
pub use store::{StoreError, TokenStore};
pub use time::{InvalidTime, Minute, Timestamp};
pub use token::{
    Credential, ForeignHash, InvalidForeignHash, InvalidPrefix, MalformedToken, Prefix, Token,
    TokenDigest, TokenShape,
};
pub use verifier::{Allowed, Grant, Verifier};
