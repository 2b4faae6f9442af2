//! Cursors: the position of a scan.

use super::{End, Epoch, Revision};
use crate::id::Id;
use crate::record::{Kind, RecordKey};

/// A position in a scan. Opaque to everyone but the store that created it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Cursor(Box<[u8]>);

impl Cursor {
    /// Returns the cursor before all records.
    pub fn start() -> Self {
        Self::default()
    }

    /// Creates a cursor from the bytes of [`Cursor::as_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes that the store encoded; empty at the start of a scan.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A position in scans ordered by revision and key, for stores that scan in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The commit that the scan has reached. All records of earlier commits were returned.
    pub revision: Revision,
    /// The last key of that commit that was returned.
    pub key: RecordKey,
    /// The epoch of the store at that time; `None` at the start. Only [`Position::misses`] reads
    /// it.
    pub epoch: Option<Epoch>,
}

impl Position {
    /// Returns the position after all records of a store whose state is `end`.
    pub const fn after(end: End) -> Self {
        Self {
            revision: end.head,
            key: RecordKey::new(Kind(u8::MAX), Id::MAX),
            epoch: Some(end.epoch),
        }
    }

    /// Returns `true` if a store whose state is `end` has changed since this position was reached,
    /// for implementations of [`TokenStore::wait`](super::TokenStore::wait). That includes a store
    /// whose head is lower than this position because an earlier copy was restored.
    pub fn misses(&self, end: End) -> bool {
        self.revision != end.head || self.epoch.is_some_and(|epoch| epoch != end.epoch)
    }
}

impl From<Position> for Cursor {
    fn from(position: Position) -> Self {
        let mut bytes = position.revision.0.to_be_bytes().to_vec();
        bytes.push(position.key.kind.0);
        bytes.extend_from_slice(&position.key.id.number().to_be_bytes());
        if let Some(epoch) = position.epoch {
            bytes.extend_from_slice(&epoch.0.to_be_bytes());
        }
        Self(bytes.into())
    }
}

impl From<&Cursor> for Position {
    /// Decodes a position. Bytes that are not a position give the start of the scan.
    fn from(cursor: &Cursor) -> Self {
        let read = || {
            let (revision, rest) = cursor.0.split_first_chunk()?;
            let (kind, rest) = rest.split_first()?;
            let (id, rest) = rest.split_first_chunk()?;
            let id = Id::new(u64::from_be_bytes(*id))?;
            let epoch = match rest {
                [] => None,
                epoch => Some(Epoch(u64::from_be_bytes(epoch.try_into().ok()?))),
            };
            Some(Self {
                revision: Revision(u64::from_be_bytes(*revision)),
                key: RecordKey::new(Kind(*kind), id),
                epoch,
            })
        };
        read().unwrap_or(Self {
            revision: Revision::ABSENT,
            key: RecordKey::new(Kind(0), Id::MIN),
            epoch: None,
        })
    }
}
