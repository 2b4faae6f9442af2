//! Errors of opening a store.

use std::sync::Arc;

use crate::admin_error::AdminError;
use crate::journal::JournalError;
use crate::key::KeyId;
use crate::random::RandomError;
use crate::store::StoreError;

/// An error of [`Engine::open`](crate::Engine::open), or of reading the settings of a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store is empty.
    #[error("the store is empty; create it first")]
    Empty,
    /// The store is empty, but its journal records changes.
    #[error(
        "the store is empty, but its journal records changes: mount the volume of the store, \
         or restore a backup"
    )]
    StoreMissing,
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
    /// The store failed.
    #[error("the store could not be read or written")]
    Store(#[source] Arc<StoreError>),
    /// The operating system returned no random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A change that opening requires failed: replaying revocations from the journal, noting a new
    /// key, or revoking what [`Options::revoke_created_before`] names.
    ///
    /// [`Options::revoke_created_before`]: crate::Options::revoke_created_before
    #[error("the store could not be brought up to date")]
    Change(#[source] Box<AdminError>),
}

impl From<JournalError> for OpenError {
    fn from(error: JournalError) -> Self {
        Self::Journal(Arc::new(error))
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<AdminError> for OpenError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Journal(error) => Self::Journal(error),
            AdminError::Store(error) => Self::Store(error),
            AdminError::Random(error) => Self::Random(error),
            error => Self::Change(Box::new(error)),
        }
    }
}

impl From<OpenError> for AdminError {
    /// Converts an error of reading the settings of a store that is already open.
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Journal(error) => Self::Journal(error),
            OpenError::Store(error) => Self::Store(error),
            OpenError::Random(error) => Self::Random(error),
            OpenError::Change(error) => *error,
            OpenError::Empty
            | OpenError::StoreMissing
            | OpenError::WrongKey(_)
            | OpenError::RetiredKey(_)
            | OpenError::Settings
            | OpenError::Version(_)
            | OpenError::NoJournal
            | OpenError::ForeignJournal => Self::Settings,
        }
    }
}
