//! An embeddable API-token store for database servers: may this token do this to that?
#![cfg_attr(docsrs, feature(doc_cfg))]

mod authorization;
pub mod backup;
mod clock;
mod engine;
mod error;
mod export;
mod follower;
mod freshness;
mod fsck;
mod id;
pub mod import;
mod index;
mod issuer;
pub mod journal;
mod key;
pub mod memory;
mod name;
mod owner;
mod permission;
pub mod record;
mod restored;
mod schema;
mod shared;
mod status;
pub mod store;
pub mod text;
mod time;
mod token;
mod verifier;

pub use authorization::{Authorization, Creator, Dead, Face};
pub use clock::{Clock, ManualClock, SystemClock};
pub use engine::{Engine, Options, is_new};
pub use error::{Denied, Error, Field, StoreError};
pub use export::{ExportError, Exported, Secrets};
pub use fsck::{Finding, Findings};
pub use id::{Id, InvalidId};
pub use issuer::{
    Caller, Edit, Explanation, Filter, FirstUser, IfEnded, ImportItem, Imported, Issuer,
    NewAuthorization, OrganizationEdit, Purge, Purged, Reason, Rotation, UserEdit,
};
pub use key::{InvalidKey, InvalidKeyId, KeyId, StoreKey};
pub use memory::MemoryStore;
pub use name::{InvalidName, MAX_NAME};
pub use owner::{Bucket, Membership, Organization, OwnerState, PasswordHash, Role, User};
pub use permission::{
    Action, BucketNames, InvalidPermission, Permission, PermissionSet, Request, Resource,
    ResourceType, Target, WhyNot,
};
pub use restored::{Restored, Unjournaled};
pub use schema::{Schema, SchemaError};
pub use shared::{Fault, FaultReport, Problem};
pub use status::{Ended, Status, Transition};
pub use store::TokenStore;
pub use time::{InvalidTime, Minute, Timestamp};
pub use token::{
    Credential, InvalidLocator, InvalidPrefix, Locator, Malformed, Prefix, Shape, Token, TokenHash,
};
pub use verifier::{Allowed, Grant, Verifier};
