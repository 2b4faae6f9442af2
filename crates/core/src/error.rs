//! Errors: [`Denied`] for refused checks, [`StoreError`] for failures of a store, and [`Error`] for
//! failed changes and for opening an engine.

use std::error::Error as StdError;
use std::sync::Arc;

use crate::authorization::NotInForce;
use crate::id::Id;
use crate::journal::JournalError;
use crate::key::KeyId;
use crate::record::RecordKey;
use crate::schema::SchemaError;
use crate::status::AlreadyRevoked;

/// Reasons why a check is refused, in order of precedence. From `Revoked` on, they carry the id of
/// the authorization. They contain no part of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Denied {
    /// The index is still being built, or has not been confirmed for longer than
    /// [`Options::max_staleness`](crate::Options::max_staleness). A server answers 503.
    Unavailable,
    /// The text does not have the form of a token.
    Malformed,
    /// No authorization has this token.
    Unknown,
    /// Revoked, or its user or organization is deleted.
    Revoked(Id),
    /// Set to inactive.
    Inactive(Id),
    /// Past its expiry.
    Expired(Id),
    /// Its user or organization is inactive or unknown.
    OwnerInactive(Id),
    /// In force, but no permission covers the request.
    Forbidden(Id),
}

impl Denied {
    pub(crate) fn not_in_force(reason: NotInForce, id: Id) -> Self {
        match reason {
            NotInForce::Revoked => Self::Revoked(id),
            NotInForce::Inactive => Self::Inactive(id),
            NotInForce::Expired => Self::Expired(id),
            NotInForce::OwnerInactive => Self::OwnerInactive(id),
        }
    }

    /// Returns the reason as one word, for logs and metrics: `unavailable`, `malformed`, `unknown`,
    /// `revoked`, `inactive`, `expired`, `owner_inactive` or `forbidden`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Revoked(_) => "revoked",
            Self::Inactive(_) => "inactive",
            Self::Expired(_) => "expired",
            Self::OwnerInactive(_) => "owner_inactive",
            Self::Forbidden(_) => "forbidden",
        }
    }

    /// Returns the id of the refused authorization, if the token belongs to one.
    pub fn id(self) -> Option<Id> {
        match self {
            Self::Unavailable | Self::Malformed | Self::Unknown => None,
            Self::Revoked(id)
            | Self::Inactive(id)
            | Self::Expired(id)
            | Self::OwnerInactive(id)
            | Self::Forbidden(id) => Some(id),
        }
    }
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.reason())
    }
}

impl StdError for Denied {}

/// Errors of a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The write with this index expected another revision of its record. Nothing was written.
    #[error("the record of write {0} was changed concurrently")]
    Conflict(usize),
    /// The write with this index has a unique key that another record holds. Nothing was written.
    #[error("the unique key of write {0} is taken")]
    Duplicate(usize),
    /// A record or the commit exceeds the store's [`Limits`](crate::store::Limits). Nothing was
    /// written.
    #[error("a record or commit exceeds the limits of the store")]
    TooLarge,
    /// No space is left on the disk. Nothing was written; the caller may try again once there is
    /// space.
    #[error("no space is left on the disk of the store; free some space and try again")]
    Full,
    /// The data structures of the store are damaged.
    #[error("the store is damaged: {0}; restore it from a backup")]
    Corrupt(String),
    /// Any other error of the backend. After a commit it is *unknown* whether the commit was
    /// written.
    #[error("the backend of the store failed")]
    Backend(#[source] Box<dyn StdError + Send + Sync>),
}

impl StoreError {
    /// Returns true if certainly nothing was written.
    pub(crate) fn is_definite(&self) -> bool {
        match self {
            Self::Conflict(_) | Self::Duplicate(_) | Self::TooLarge | Self::Full => true,
            Self::Corrupt(_) | Self::Backend(_) => false,
        }
    }

    /// Wraps an error of the backend.
    pub fn backend(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Backend(error.into())
    }
}

/// The field or object that an [`Error`] refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// An authorization.
    Authorization,
    /// A user.
    User,
    /// An organization.
    Organization,
    /// A bucket.
    Bucket,
    /// The text of a token.
    Token,
    /// A session.
    Session,
    /// A description.
    Description,
    /// The name of a user.
    UserName,
    /// The name of an organization.
    OrganizationName,
    /// The name of a bucket.
    BucketName,
    /// The time of expiry.
    Expiry,
    /// The permissions.
    Permissions,
    /// A password.
    Password,
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Authorization => "authorization",
            Self::User => "user",
            Self::Organization => "organization",
            Self::Bucket => "bucket",
            Self::Token => "token",
            Self::Session => "session",
            Self::Description => "description",
            Self::UserName => "user name",
            Self::OrganizationName => "organization name",
            Self::BucketName => "bucket name",
            Self::Expiry => "expiry",
            Self::Permissions => "permissions",
            Self::Password => "password",
        })
    }
}

/// Errors of changes, and of opening an engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes")]
    Random,
    /// A value is not accepted; the text says why.
    #[error("{0} {1}")]
    Invalid(Field, String),
    /// The permissions do not fit the schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// No such object exists, or the caller may not know that it does.
    #[error("{0} not found")]
    NotFound(Field),
    /// The id, name or token is taken.
    #[error("{0} exists already; choose another")]
    Exists(Field),
    /// The caller lacks this permission.
    #[error("{0} is unauthorized")]
    Forbidden(String),
    /// The caller does not hold this permission and so cannot grant it.
    #[error("permission {0} is not allowed: {0} is unauthorized")]
    Exceeds(String),
    /// The token or session of the caller is refused.
    #[error("the caller's token is refused: {0}")]
    Caller(Denied),
    /// A revoked or deleted record cannot be changed.
    #[error(transparent)]
    AlreadyRevoked(#[from] AlreadyRevoked),
    /// The permissions of this authorization can never be changed.
    #[error("the permissions of this authorization cannot be changed; create a new authorization")]
    Fixed,
    /// The store was set up before.
    #[error("set-up has been done already; use an existing operator token")]
    AlreadySetUp,
    /// The store has been changed, so only the holder of its key can set it up.
    #[error("the store is already in use; only the holder of its key can set it up")]
    SetUpClosed,
    /// The same records were changed concurrently on every attempt; this call wrote nothing.
    #[error("too many concurrent changes of the same records; try again")]
    Contended,
    /// The store needs another key.
    #[error(
        "the key does not belong to this store: it needs key {0}; use the key file of this store"
    )]
    WrongKey(KeyId),
    /// The store is sealed under a secret that was retired by a key rotation.
    #[error(
        "the store is from before its key was rotated: it is sealed under key {0}, which was \
         retired; use the key file from before the rotation"
    )]
    RetiredKey(KeyId),
    /// The store has records, but its settings are missing or tampered.
    #[error("the settings of the store are missing or tampered; restore it from a backup")]
    Settings,
    /// The store was written by a later version.
    #[error("the store has version {0}, which this version cannot read; update the program")]
    Version(u8),
    /// The store is empty.
    #[error("the store is empty; create it first")]
    Empty,
    /// The store is empty, but its journal records changes.
    #[error(
        "the store is empty, but its journal records changes: mount the volume of the store, \
         or restore a backup"
    )]
    StoreMissing,
    /// The MAC or the sequence of a record is wrong.
    #[error("the record {0:?} is tampered; check the store, and restore it from a backup")]
    Tampered(RecordKey),
    /// The journal could not be written or read.
    #[error("the journal could not be written or read")]
    Journal(#[source] Arc<JournalError>),
    /// The journal is empty, but the store is not new.
    #[error(
        "the journal is empty, but the store is not new: tokens revoked since a backup could be \
         active again; restore the journal, or accept the store without it"
    )]
    NoJournal,
    /// The journal belongs to another store.
    #[error("the journal belongs to another store; use the journal of this store")]
    ForeignJournal,
    /// The journal lists the record as revoked or deleted, so an import would reactivate it.
    #[error(
        "{0} was revoked or deleted, according to the journal; leave it out, or revive it \
         explicitly"
    )]
    PreviouslyRevoked(RecordKey),
    /// A record would exceed 16,000 bytes.
    #[error("the record would exceed 16,000 bytes; use fewer permissions or a shorter description")]
    TooLarge,
    /// The store failed. After [`StoreError::Backend`] it is unknown whether the change was
    /// written.
    #[error("the store could not be read or written")]
    Store(#[source] Arc<StoreError>),
}

impl From<JournalError> for Error {
    fn from(error: JournalError) -> Self {
        Self::Journal(Arc::new(error))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}
