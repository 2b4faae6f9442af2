//! Reasons why a record is rejected.

use crate::key::KeyId;

/// The reason why a record was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityError {
    /// The MAC does not match: the record was written or changed without the key.
    #[error("the record was tampered with: its MAC does not match")]
    Mac,
    /// The format version is newer than this program.
    #[error("the record has format version {0}, which is not supported; update the program")]
    Version(u8),
    /// The record was sealed under a key that is not in the store key.
    #[error(
        "the record was sealed under key {0}, which is not in the store key; use the right key"
    )]
    Key(KeyId),
    /// The record was sealed under a retired key: it was copied back into the store, or never
    /// resealed.
    #[error("the record was sealed under key {0}, which is retired")]
    Retired(KeyId),
    /// The MAC matches, but the body has an unknown form.
    #[error("the MAC of the record matches, but its body has an unknown form; update the program")]
    Body,
}
