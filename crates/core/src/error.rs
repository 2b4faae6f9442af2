//! Errors of changes, and of opening an engine.

use std::sync::Arc;

use crate::denied::Denied;
use crate::field::Field;
use crate::journal::JournalError;
use crate::key::KeyId;
use crate::random::RandomError;
use crate::record::RecordKey;
use crate::schema::SchemaError;
use crate::status::AlreadyRevoked;
use crate::store::StoreError;

/// Errors of changes, and of opening an engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system returned no random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
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
    /// The token, user or session of the caller is refused.
    #[error("the caller is refused: {0}")]
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
