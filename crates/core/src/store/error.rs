//! Errors of a store.

use std::error::Error as StdError;

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
