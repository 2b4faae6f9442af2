//! The changes of a commit.

use symbolon::StoreError;
use symbolon::record::{Kind, Record, RecordKey};
use symbolon::store::{Revision, Stored, Write, check_commit};

use crate::layout::{State, encode_record, index_key, record_key, unique_key};
use crate::trees::{Change, Trees, Which};

/// Returns the changes that `writes` make to a store in the state `now`; none if they only compare.
pub(crate) fn plan(
    trees: &Trees,
    now: State,
    writes: &[Write],
) -> Result<(State, Vec<Change>), StoreError> {
    let mut before = Vec::with_capacity(writes.len());
    let revision = |key| {
        let found = trees.get(key)?;
        let revision = found.as_ref().map_or(Revision::ABSENT, |found| found.revision);
        before.push(found);
        Ok(revision)
    };
    check_commit(writes, revision, |kind, unique| trees.holder(kind, unique))?;
    let mut plan = Plan { state: now, changes: Vec::new() };
    if !writes.iter().any(Write::is_change) {
        return Ok((plan.state, plan.changes));
    }
    let revision = now.end.head.next();
    plan.state.end.head = revision;
    // Removals come first: a unique key may pass from one record to another.
    for (write, before) in writes.iter().zip(before) {
        if let Some(before) = before.filter(|_| write.is_change()) {
            plan.forget(&before);
        }
        if let Write::Purge { key, .. } = write {
            plan.state.end.floor = revision;
            plan.forget_use(*key);
        }
    }
    for write in writes {
        if let Write::Put { record, .. } = write {
            plan.insert(record, revision);
        }
    }
    plan.changes.push(plan.state.change());
    Ok((plan.state, plan.changes))
}

struct Plan {
    state: State,
    changes: Vec<Change>,
}

impl Plan {
    fn insert(&mut self, record: &Record, revision: Revision) {
        self.state.sum.add(&index_key(revision.0, record.key));
        for (tree, key) in entries(record, revision) {
            let value = match tree {
                Which::Record => encode_record(record, revision),
                Which::Unique => record_key(record.key).to_vec(),
                _ => Vec::new(),
            };
            self.put(tree, &key, value);
        }
    }

    fn forget(&mut self, before: &Stored) {
        let counted = index_key(before.revision.0, before.record.key);
        self.state.sum.remove(&counted);
        for (tree, key) in entries(&before.record, before.revision) {
            self.remove(tree, &key);
        }
    }

    fn forget_use(&mut self, key: RecordKey) {
        if key.kind == Kind::AUTHORIZATION {
            self.remove(Which::LastUsed, &key.id.number().to_be_bytes());
        }
    }

    fn put(&mut self, tree: Which, key: &[u8], value: Vec<u8>) {
        let (key, value) = (key.to_vec(), Some(value));
        self.changes.push(Change { tree, key, value });
    }

    fn remove(&mut self, tree: Which, key: &[u8]) {
        let (key, value) = (key.to_vec(), None);
        self.changes.push(Change { tree, key, value });
    }
}

/// Returns every key under which a record is stored or indexed.
pub(crate) fn entries(record: &Record, revision: Revision) -> Vec<(Which, Vec<u8>)> {
    let key = record.key;
    let columns = &record.columns;
    let owner = |id: symbolon::Id| index_key(id.number(), key).to_vec();
    let mut entries = vec![
        (Which::Record, record_key(key).to_vec()),
        (Which::Revision, index_key(revision.0, key).to_vec()),
    ];
    let unique = record.unique.as_deref();
    entries.extend(unique.map(|unique| (Which::Unique, unique_key(key.kind, unique))));
    entries.extend(columns.organization.map(|id| (Which::Organization, owner(id))));
    entries.extend(columns.user.map(|id| (Which::User, owner(id))));
    entries
}
