//! Where a scan goes on.

use super::{End, Epoch, Revision};
use crate::id::Id;
use crate::record::{Kind, RecordKey};

/// Where a scan goes on; opaque to everyone but the store that gave it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Cursor(Box<[u8]>);

impl Cursor {
    /// Before everything.
    pub fn start() -> Self {
        Self::default()
    }

    /// A cursor of these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The bytes that the store put into it; empty at the start.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A cursor for stores that scan in the order of revision and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Everything up to this commit was seen, but for the commit itself …
    pub revision: Revision,
    /// … of which the keys up to this one were.
    pub key: RecordKey,
    /// The life of the store in which they were seen; none at the start. A scan does not ask for it.
    pub epoch: Option<Epoch>,
}

impl Position {
    /// After everything that is in a store at `end`.
    pub const fn after(end: End) -> Self {
        Self {
            revision: end.head,
            key: RecordKey::new(Kind(u8::MAX), Id::MAX),
            epoch: Some(end.epoch),
        }
    }

    /// Whether a store that is at `end` has something new for who stands here; for
    /// [`TokenStore::wait`](super::TokenStore::wait). That is so too if it has fallen behind, as when it was put back from
    /// an earlier copy.
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
    /// The start, for bytes that are no position.
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
