//! Reading the trees of the database, and writing to them durably.

use std::fs::File;

use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};
use sled::{Db, Tree};
use symbolon::record::{Kind, RecordKey};
use symbolon::store::{Revision, Stored};
use symbolon::{Minute, StoreError};

use crate::error::{Fault, unreadable};
use crate::layout::{
    STATE_KEY, State, Sum, decode_minute, decode_record, parse_record_key, record_key, stand_in,
    unique_key,
};

/// Segment size in bytes. A page briefly has up to 20 records, and a page larger than a quarter of
/// a segment goes to a file that sled never syncs: four times 20 records of 16 kB, and some
/// reserve.
pub(crate) const SEGMENT: usize = 2 << 20;

/// Number of changes that cannot fill two segments: at most three records among them, and for each
/// of them a page is written, split and another moved.
const FEW: usize = 16;

pub(crate) struct Trees {
    pub(crate) db: Db,
    pub(crate) record: Tree,
    pub(crate) revision: Tree,
    pub(crate) unique: Tree,
    pub(crate) organization: Tree,
    pub(crate) user: Tree,
    pub(crate) used: Tree,
    pub(crate) meta: Tree,
}

/// Tree of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Record,
    Revision,
    Unique,
    Organization,
    User,
    LastUsed,
    Meta,
}

/// A key that is inserted or removed.
pub(crate) struct Change {
    pub(crate) tree: Which,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Option<Vec<u8>>,
}

impl State {
    /// Returns the change that makes this the state of the store.
    pub(crate) fn change(&self) -> Change {
        Change { tree: Which::Meta, key: STATE_KEY.to_vec(), value: Some(self.encode().to_vec()) }
    }
}

impl Change {
    pub(crate) fn size(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, Vec::len)
    }
}

impl Trees {
    pub(crate) fn open(db: Db) -> sled::Result<Self> {
        Ok(Self {
            record: db.open_tree("record")?,
            revision: db.open_tree("revision")?,
            unique: db.open_tree("unique")?,
            organization: db.open_tree("organization")?,
            user: db.open_tree("user")?,
            used: db.open_tree("used")?,
            meta: db.open_tree("meta")?,
            db,
        })
    }

    pub(crate) fn state(&self) -> Result<Option<State>, StoreError> {
        let value = self.meta.get(STATE_KEY).map_err(unreadable)?;
        Ok(value.and_then(|value| State::decode(&value)))
    }

    /// Returns the record under `key`.
    pub(crate) fn get(&self, key: RecordKey) -> Result<Option<Stored>, StoreError> {
        let Some(value) = self.record.get(record_key(key)).map_err(unreadable)? else {
            return Ok(None);
        };
        let damaged = || StoreError::Corrupt(format!("the record of {key:?} cannot be decoded"));
        let stored = decode_record(key, &value).ok_or_else(damaged)?;
        let last_used = self.last_used(key)?;
        Ok(Some(Stored { last_used, ..stored }))
    }

    /// Returns the key of the record of this kind with this unique key.
    pub(crate) fn holder(
        &self,
        kind: Kind,
        unique: &[u8],
    ) -> Result<Option<RecordKey>, StoreError> {
        let Some(holder) = self.unique.get(unique_key(kind, unique)).map_err(unreadable)? else {
            return Ok(None);
        };
        let damaged = || StoreError::Corrupt("an entry of a unique key cannot be decoded".into());
        parse_record_key(&holder).map(Some).ok_or_else(damaged)
    }

    /// Returns the record under `key`, or a placeholder if it cannot be decoded.
    pub(crate) fn get_or_stand_in(&self, key: RecordKey) -> Result<Option<Stored>, StoreError> {
        match self.get(key) {
            Err(StoreError::Corrupt(_)) => Ok(Some(stand_in(key, Revision::ABSENT))),
            got => got,
        }
    }

    pub(crate) fn last_used(&self, key: RecordKey) -> Result<Option<Minute>, StoreError> {
        if key.kind != Kind::AUTHORIZATION {
            return Ok(None);
        }
        let used = self.used.get(key.id.number().to_be_bytes());
        let used = used.map_err(unreadable)?;
        Ok(used.and_then(|minute| decode_minute(&minute)))
    }

    /// Returns the checksums of the records and of the index of revisions.
    pub(crate) fn sums(&self) -> Result<(Sum, Sum), StoreError> {
        let (mut records, mut revisions) = (Sum::default(), Sum::default());
        for entry in &self.record {
            let (key, value) = entry.map_err(unreadable)?;
            let revision = value.get(..8).unwrap_or_default();
            records.add(&[revision, &key].concat());
        }
        for entry in &self.revision {
            let (key, _) = entry.map_err(unreadable)?;
            revisions.add(&key);
        }
        Ok((records, revisions))
    }

    /// Applies all of `changes` or none, and returns when they are on disk. After an error, the
    /// outcome is unknown.
    ///
    /// sled splits an overfull page on the next access. This function triggers the split, so that
    /// no later read does it, unsynced.
    ///
    /// sled reuses a segment when its replacement was flushed, which is not yet durable, but never
    /// during a transaction. So at most two segments may be filled between syncs, except by one
    /// transaction.
    pub(crate) fn write(&self, file: &File, changes: &[Change]) -> Result<(), Fault> {
        let before = self.flushed();
        self.transact(changes)?;
        if changes.len() <= FEW {
            for change in changes {
                let met = self.tree(change.tree).contains_key(&change.key);
                met.map_err(unconfirmed)?;
            }
            return self.flush(file);
        }
        self.db.flush().map_err(unconfirmed)?;
        if self.flushed() - before > SEGMENT as i64 {
            file.sync_all().map_err(unconfirmed)?;
        }
        // Changes nothing, but visits every page.
        self.transact(changes)?;
        self.flush(file)
    }

    /// Returns the flushed length of sled's log. The result of `flush` omits earlier writes of its
    /// threads.
    fn flushed(&self) -> i64 {
        self.db.context.pagecache.log.stable_offset()
    }

    fn transact(&self, changes: &[Change]) -> Result<(), Fault> {
        let trees = (
            &self.record,
            &self.revision,
            &self.unique,
            &self.organization,
            &self.user,
            &self.used,
            &self.meta,
        );
        let written =
            trees.transaction(|(record, revision, unique, organization, user, used, meta)| {
                for change in changes {
                    let tree = match change.tree {
                        Which::Record => record,
                        Which::Revision => revision,
                        Which::Unique => unique,
                        Which::Organization => organization,
                        Which::User => user,
                        Which::LastUsed => used,
                        Which::Meta => meta,
                    };
                    match &change.value {
                        Some(value) => tree.insert(change.key.as_slice(), value.as_slice())?,
                        None => tree.remove(change.key.as_slice())?,
                    };
                }
                Ok::<(), ConflictableTransactionError<()>>(())
            });
        match written {
            Err(TransactionError::Storage(error)) => Err(unconfirmed(error)),
            // No statement above aborts.
            Ok(()) | Err(TransactionError::Abort(())) => Ok(()),
        }
    }

    /// Writes sled's memory to disk.
    pub(crate) fn flush(&self, file: &File) -> Result<(), Fault> {
        self.db.flush().map_err(unconfirmed)?;
        file.sync_all().map_err(unconfirmed)
    }

    pub(crate) fn tree(&self, which: Which) -> &Tree {
        match which {
            Which::Record => &self.record,
            Which::Revision => &self.revision,
            Which::Unique => &self.unique,
            Which::Organization => &self.organization,
            Which::User => &self.user,
            Which::LastUsed => &self.used,
            Which::Meta => &self.meta,
        }
    }
}

fn unconfirmed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::Unconfirmed(error.into())
}
