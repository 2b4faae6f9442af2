//! The trees of the database: reading them, and writing to them so that it lasts.

use std::fs::File;

use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};
use sled::{Db, Tree};
use symbolon::record::{Kind, RecordKey};
use symbolon::store::{Revision, Stored};
use symbolon::{Minute, StoreError};

use crate::error::{Fault, unreadable};
use crate::layout::{STATE_KEY, State, Sum, decode_minute, decode_record, record_key, stand_in};

/// A page holds up to 20 records for a moment, and one larger than a quarter of a segment goes to a file that sled
/// never syncs. So: 20 of 16 kB, and some.
pub(crate) const SEGMENT: usize = 2 << 20;

/// As many changes as cannot fill two segments: at most three records among them, and for each a page is written, split
/// and another moved.
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

/// Which tree a change is for.
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

/// One key that gets a value, or loses it.
pub(crate) struct Change {
    pub(crate) tree: Which,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Option<Vec<u8>>,
}

impl State {
    /// What makes it the state of the store.
    pub(crate) fn change(&self) -> Change {
        Change {
            tree: Which::Meta,
            key: STATE_KEY.to_vec(),
            value: Some(self.encode().to_vec()),
        }
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

    /// The record under `key`.
    pub(crate) fn get(&self, key: RecordKey) -> Result<Option<Stored>, StoreError> {
        let Some(value) = self.record.get(record_key(key)).map_err(unreadable)? else {
            return Ok(None);
        };
        let damaged = || StoreError::Corrupt(format!("the record of {key:?} cannot be decoded"));
        let stored = decode_record(key, &value).ok_or_else(damaged)?;
        let last_used = self.last_used(key)?;
        Ok(Some(Stored {
            last_used,
            ..stored
        }))
    }

    /// The record under `key`, or what stands in for one that cannot be decoded.
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

    /// The checksum that the records have, and the one that the index of revisions has.
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

    /// Makes all of `changes` or none, and returns when they are on disk. After an error it is unknown which.
    ///
    /// sled splits a page that is too full when it meets it the next time. That is done here, so that no read does it
    /// later, unsynced.
    ///
    /// sled reuses a segment when what replaced it was flushed, which is not yet durable; but never while a
    /// transaction goes on. So no more than two segments may be filled between syncs other than by one transaction.
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
        // It changes nothing more, but meets every page.
        self.transact(changes)?;
        self.flush(file)
    }

    /// How far sled has flushed its log. What its `flush` returns leaves out what its threads had written already.
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
        let written = trees.transaction(
            |(record, revision, unique, organization, user, used, meta)| {
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
            },
        );
        match written {
            Err(TransactionError::Storage(error)) => Err(unconfirmed(error)),
            // Nothing above aborts.
            Ok(()) | Err(TransactionError::Abort(())) => Ok(()),
        }
    }

    /// Puts what sled has in memory on disk.
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
