//! Errors of a journal.

use std::error::Error as StdError;

/// Errors of a journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// An entry fails verification: it was changed after it was written, or is damaged.
    #[error("the journal is broken at {place}: {reason}")]
    Broken {
        /// Place in the journal, as file and line.
        place: String,
        /// Description of the damage.
        reason: String,
    },
    /// It could not be written or read.
    #[error("the storage of the journal failed")]
    Failed(#[source] Box<dyn StdError + Send + Sync>),
}

impl JournalError {
    /// Wraps an error of the implementation.
    pub fn failed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }
}
