//! Errors, by who reads them: [`Denied`] whoever asks for a check, [`StoreError`] the engine, [`Error`] whoever
//! changes something.

use std::error::Error as StdError;
use std::sync::Arc;

use crate::authorization::NotInForce;
use crate::id::Id;
use crate::journal::JournalError;
use crate::key::KeyId;
use crate::record::RecordKey;
use crate::schema::SchemaError;
use crate::status::AlreadyRevoked;

/// Why a check is refused, in the precedence in which it is told. From `Revoked` on it names the authorization;
/// it never holds anything of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Denied {
    /// Nothing is known: the index is still being built, or has not been confirmed for too long. Answer 503.
    Unavailable,
    /// The text is no token.
    Malformed,
    /// No such token.
    Unknown,
    /// Revoked, or its user or organization is deleted.
    Revoked(Id),
    /// Switched off.
    Inactive(Id),
    /// Its time is over.
    Expired(Id),
    /// Its user or organization is switched off or unknown.
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

    /// The reason as one word, for logs and metrics: `unavailable`, `malformed`, `unknown`, `revoked`,
    /// `inactive`, `expired`, `owner_inactive` or `forbidden`.
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

    /// The authorization that was refused, if the token belongs to one.
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

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The write with this index expected another revision of its record. Nothing was written.
    #[error("the record of write {0} was changed in the meantime")]
    Conflict(usize),
    /// The write with this index has a unique key that another record holds. Nothing was written.
    #[error("the unique key of write {0} is taken")]
    Duplicate(usize),
    /// A record, or the commit, is larger than the store's [`Limits`](crate::store::Limits). Nothing was written.
    #[error("a record or commit is larger than the store takes")]
    TooLarge,
    /// No space is left. Nothing was written; it can be tried again when there is space.
    #[error("no space is left on the disk of the store; make room and try again")]
    Full,
    /// The store's own structures are damaged.
    #[error("the store is damaged: {0}; restore it from a backup")]
    Corrupt(String),
    /// Anything else that the backend says. For a commit: *unknown* whether it was written.
    #[error("the store failed")]
    Backend(#[source] Box<dyn StdError + Send + Sync>),
}

impl StoreError {
    /// Whether it is certain that nothing was written.
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

/// A thing that a change is about, as named in an [`Error`].
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
    /// A token's text.
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

/// Why a change was not made, or the engine not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes")]
    Random,
    /// A value cannot be taken; the text says why.
    #[error("{0} {1}")]
    Invalid(Field, String),
    /// The permissions do not fit the schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// There is none, or the caller may not know of it.
    #[error("{0} not found")]
    NotFound(Field),
    /// Another one has this id, name or token.
    #[error("{0} exists already; choose another")]
    Exists(Field),
    /// The caller lacks this permission.
    #[error("{0} is unauthorized")]
    Forbidden(String),
    /// The caller does not hold this permission, and so cannot grant it.
    #[error("permission {0} is not allowed: {0} is unauthorized")]
    Exceeds(String),
    /// The caller's own token is refused.
    #[error("the caller's token is refused: {0}")]
    Caller(Denied),
    /// What was revoked or deleted cannot be changed.
    #[error(transparent)]
    AlreadyRevoked(#[from] AlreadyRevoked),
    /// The permissions of this authorization never change.
    #[error("the permissions of this authorization are fixed; create a new one")]
    Fixed,
    /// Users and an organization exist already.
    #[error("set-up has been done already; use an existing operator token")]
    AlreadySetUp,
    /// The store can only be set up by the holder of its key: a change was made to it.
    #[error("the store is in use, so that only the holder of its key can set it up")]
    SetUpClosed,
    /// Others kept changing the same records; nothing was written by this call.
    #[error("others keep changing the same records; try again")]
    Contended,
    /// The key is not the one that the store was made with.
    #[error(
        "the key does not belong to this store: it needs key {0}; give the store's own key file"
    )]
    WrongKey(KeyId),
    /// The store is as it was before its key was rotated: of the secret that sealed it, only what hashes tokens is left.
    #[error(
        "the store is from before its key was rotated: it is sealed under key {0}, of which only what hashes tokens is \
         left; give the key file of that time"
    )]
    RetiredKey(KeyId),
    /// The store has records but not its settings, or they are not genuine.
    #[error("the settings of the store are missing or not genuine; restore it from a backup")]
    Settings,
    /// The store is of a later version of this program.
    #[error(
        "the store has version {0}, which this version of the program cannot read; update the program"
    )]
    Version(u8),
    /// The store is empty.
    #[error("the store is empty; set it up first")]
    Empty,
    /// The store is empty, but its journal records changes.
    #[error(
        "the store is empty, but its journal records changes: mount the volume of the store or restore \
         a backup"
    )]
    StoreMissing,
    /// A record of the store is not genuine.
    #[error("the record of {0:?} is not genuine; run fsck, and restore it from a backup")]
    Tampered(RecordKey),
    /// The journal could not be written or read.
    #[error("the journal could not be written or read")]
    Journal(#[source] Arc<JournalError>),
    /// The journal knows nothing of this store, which is not new.
    #[error(
        "the journal knows nothing of this store: what was revoked since a backup may work again; put the journal back, \
         or accept that"
    )]
    NoJournal,
    /// The journal is that of another store.
    #[error("the journal belongs to another store; give the store's own")]
    ForeignJournal,
    /// The journal knows that it had ended: imported, it would work again.
    #[error(
        "{0} had ended, as the journal knows; leave it out, or revive it as `symbolon import --revive` does"
    )]
    PreviouslyRevoked(RecordKey),
    /// A record would be larger than 16,000 bytes.
    #[error(
        "the record would be larger than 16,000 bytes; give fewer permissions or a shorter description"
    )]
    TooLarge,
    /// The store failed. After [`StoreError::Backend`] a change may or may not be there.
    #[error("the store did not do what it was asked")]
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
