//! Errors of reading and changing a store.

use std::sync::Arc;

use crate::denied::Denied;
use crate::field::Field;
use crate::invalid_value::InvalidValue;
use crate::journal::JournalError;
use crate::permission::Permission;
use crate::random::RandomError;
use crate::record::RecordKey;
use crate::schema::SchemaError;
use crate::status::AlreadyRevoked;
use crate::store::StoreError;

/// An error of an [`Admin`](crate::Admin), of [`SignIn`](crate::SignIn) or of
/// [`Maintenance`](crate::Maintenance).
///
/// The list of errors is complete, so that a server can decide on the reply to each. A new one is a
/// breaking change.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The operating system returned no random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The value of this field is not accepted.
    #[error("{0} {1}")]
    Invalid(Field, InvalidValue),
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
    Forbidden(Permission),
    /// The caller does not hold this permission and so cannot grant it.
    #[error("permission {0} is not allowed: {0} is unauthorized")]
    Exceeds(Permission),
    /// The token, user or session of the caller is refused.
    #[error("the caller is refused: {0}")]
    Caller(Denied),
    /// The caller is neither a user that gave its password nor the bearer of a token.
    #[error("only a user with its password, or the bearer of a token, can sign in")]
    CannotSignIn,
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
    /// The settings of the store are missing or tampered, or need another key since it was opened.
    #[error(
        "the settings of the store are missing, tampered or sealed under another key; open the \
         store again with its current key, or restore it from a backup"
    )]
    Settings,
    /// The MAC or the sequence of a record is wrong.
    #[error("the record {0:?} is tampered; check the store, and restore it from a backup")]
    Tampered(RecordKey),
    /// The journal could not be written or read.
    #[error("the journal could not be written or read")]
    Journal(#[source] Arc<JournalError>),
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

impl From<JournalError> for AdminError {
    fn from(error: JournalError) -> Self {
        Self::Journal(Arc::new(error))
    }
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}
