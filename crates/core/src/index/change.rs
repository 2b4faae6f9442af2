//! Changes of the index: new versions of records, and their contents.

use std::sync::Arc;

use crate::id::Id;
use crate::owner::OwnerState;
use crate::permission::PermissionSet;
use crate::record::RecordKey;
use crate::status::Status;
use crate::store::Revision;
use crate::time::Timestamp;

/// 128 bits of a keyed digest.
pub(crate) type ShortDigest = [u64; 2];

/// State of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotState {
    /// The digest belongs to a record with this status.
    Known(Status),
    /// The digest counts as unknown: its record was purged, was tampered with, or has another
    /// digest now.
    Void,
}

/// A new version of a record, or its purge.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) key: RecordKey,
    /// Commit that wrote it.
    pub(crate) revision: Revision,
    pub(crate) what: ChangeKind,
}

#[derive(Debug, Clone)]
pub(crate) enum ChangeKind {
    /// The authorization, and the sequence of this version.
    Authorization(IndexEntry, u64),
    /// The state of a user or organization, and the sequence of this version.
    Owner(OwnerState, u64),
    /// The record failed verification: nothing that depends on it is allowed.
    Tampered,
    /// The record was purged.
    Purged,
}

/// Contents of an authorization that the index needs.
#[derive(Debug, Clone)]
pub(crate) struct IndexEntry {
    pub(crate) handle: TokenLookup,
    pub(crate) status: Status,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) user: Option<Id>,
    pub(crate) organization: Id,
    /// Shared by records decoded one after another, so that the index interns the set once.
    pub(crate) permissions: Arc<PermissionSet>,
}

/// The digests under which a token is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenLookup {
    /// By the id that the token carries; this is its digest.
    ById(ShortDigest),
    /// By one of these digests.
    ByDigest([Option<ShortDigest>; 2]),
}

/// Outcome of applying a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApplyOutcome {
    /// The change was newer, and is in effect.
    Applied,
    /// The index already had this version or a newer one.
    Known,
    /// A later commit wrote an earlier version, so an old record was written back. The index keeps
    /// the newer version.
    RolledBack,
    /// Another authorization already has the same token, and keeps it.
    DuplicateToken,
}
