//! An embeddable API-token store for database servers: may this token do this to that?
#![cfg_attr(docsrs, feature(doc_cfg))]

mod authorization;
mod clock;
mod error;
mod id;
mod key;
pub mod memory;
mod name;
mod owner;
mod permission;
pub mod record;
mod schema;
mod status;
pub mod store;
pub mod text;
mod time;
mod token;

pub use authorization::{Authorization, Dead, Face};
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{Denied, Error, Field, StoreError};
pub use id::{Id, InvalidId};
pub use key::{InvalidKey, KeyId, StoreKey};
pub use memory::MemoryStore;
pub use name::{InvalidName, MAX_NAME};
pub use owner::{Bucket, Membership, Organization, OwnerState, PasswordHash, Role, User};
pub use permission::{
    Action, BucketNames, InvalidPermission, Permission, PermissionSet, Request, Resource,
    ResourceType, Target,
};
pub use schema::{Schema, SchemaError};
pub use status::{Ended, Status, Transition};
pub use store::TokenStore;
pub use time::{InvalidTime, Minute, Timestamp};
pub use token::{
    Credential, InvalidLocator, InvalidPrefix, Locator, Malformed, Prefix, Shape, Token, TokenHash,
};
