//! Consistency of the trees of an open store.

use symbolon::record::{Kind, RecordKey};
use symbolon::store::Stored;
use symbolon::{Id, StoreError};

use crate::commit::entries;
use crate::error::unreadable;
use crate::layout::{State, Sum, decode_record, parse_record_key, record_key};
use crate::store::SledStore;
use crate::trees::{Trees, Which};

/// The trees derived from the records.
const INDEXES: [Which; 4] = [Which::Revision, Which::Unique, Which::Organization, Which::User];

impl SledStore {
    /// Compares the records with every index in both directions, and returns the differences; none
    /// if the store is sound. Reads everything, and blocks commits. Only the engine can verify that
    /// records are authentic.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if a page cannot be read at all, or [`StoreError::Backend`].
    pub fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.read(|trees, state| {
            let mut damage = Damage::default();
            let expected = check_records(trees, state, &mut damage)?;
            for (index, expected) in INDEXES.into_iter().zip(expected) {
                // In the order of the trees, not of the records, which is a hundred times faster.
                if sum_of(trees, index)? != expected {
                    check_index(trees, index, &mut damage)?;
                }
            }
            check_used(trees, &mut damage)?;
            Ok(damage.texts())
        })
    }
}

/// Descriptions of the first hundred problems, and their total number.
#[derive(Default)]
struct Damage {
    first: Vec<String>,
    all: usize,
}

impl Damage {
    fn add(&mut self, text: String) {
        self.all += 1;
        if self.first.len() < 100 {
            self.first.push(text);
        }
    }

    fn texts(mut self) -> Vec<String> {
        let more = self.all - self.first.len();
        if more > 0 {
            self.first.push(format!("and {more} more"));
        }
        self.first
    }
}

/// Verifies the records, and returns the expected checksums of the indexes.
fn check_records(trees: &Trees, state: State, damage: &mut Damage) -> Result<[Sum; 4], StoreError> {
    let mut expected = [Sum::default(); 4];
    for entry in &trees.record {
        let (key, value) = entry.map_err(unreadable)?;
        let Some(key) = parse_record_key(&key) else {
            damage.add("a key in the tree of records cannot be decoded".into());
            continue;
        };
        let Some(stored) = decode_record(key, &value) else {
            damage.add(format!("the record of {key:?} cannot be decoded"));
            continue;
        };
        if stored.revision > state.end.head {
            damage.add(format!("the record of {key:?} is newer than the store"));
        }
        for (index, sum) in INDEXES.into_iter().zip(&mut expected) {
            for entry in own_entries(&stored, index) {
                sum.add(&with_holder(index, &entry, &record_key(key)));
            }
        }
    }
    let (records, revisions) = trees.sums()?;
    if records != state.sum || revisions != state.sum {
        damage.add("the records do not match the checksum over their revisions".into());
    }
    Ok(expected)
}

fn sum_of(trees: &Trees, index: Which) -> Result<Sum, StoreError> {
    let mut sum = Sum::default();
    for entry in trees.tree(index) {
        let (key, holder) = entry.map_err(unreadable)?;
        sum.add(&with_holder(index, &key, &holder));
    }
    Ok(sum)
}

/// The whole entry; only that of a unique key has a value.
fn with_holder(index: Which, key: &[u8], holder: &[u8]) -> Vec<u8> {
    match index {
        Which::Unique => [key, holder].concat(),
        _ => key.to_vec(),
    }
}

/// Lists the differences of an index, record by record and entry by entry.
fn check_index(trees: &Trees, index: Which, damage: &mut Damage) -> Result<(), StoreError> {
    let tree = trees.tree(index);
    for entry in &trees.record {
        let (key, value) = entry.map_err(unreadable)?;
        let key = parse_record_key(&key);
        let Some(stored) = key.and_then(|key| decode_record(key, &value)) else {
            continue;
        };
        let key = stored.record.key;
        for entry in own_entries(&stored, index) {
            let found = tree.get(&entry).map_err(unreadable)?;
            let fits = |found: sled::IVec| index != Which::Unique || *found == record_key(key);
            if !found.is_some_and(fits) {
                damage.add(format!("{key:?} has no entry of its own in the index {index:?}"));
            }
        }
    }
    for entry in tree {
        let (entry, holder) = entry.map_err(unreadable)?;
        let holder = match index {
            Which::Unique => parse_record_key(&holder),
            // All other entries end with the key of the record.
            _ => entry.get(8..).and_then(parse_record_key),
        };
        let stored = holder.map(|holder| trees.get_or_stand_in(holder)).transpose()?;
        let fits = |stored| own_entries(&stored, index).any(|own| entry == own);
        if !stored.flatten().is_some_and(fits) {
            damage.add(format!("the index {index:?} has an entry of no record: {holder:?}"));
        }
    }
    Ok(())
}

fn own_entries(stored: &Stored, index: Which) -> impl Iterator<Item = Vec<u8>> + use<> {
    let entries = entries(&stored.record, stored.revision).into_iter();
    entries.filter_map(move |(which, entry)| (which == index).then_some(entry))
}

fn check_used(trees: &Trees, damage: &mut Damage) -> Result<(), StoreError> {
    for entry in &trees.used {
        let (id, _) = entry.map_err(unreadable)?;
        let id = id.first_chunk().map(|id| u64::from_be_bytes(*id));
        let key = id.and_then(Id::new).map(|id| RecordKey::new(Kind::AUTHORIZATION, id));
        let known = key.map(|key| trees.record.contains_key(record_key(key)));
        if !known.transpose().map_err(unreadable)?.unwrap_or_default() {
            damage.add(format!("a last use is noted for no record: {key:?}"));
        }
    }
    Ok(())
}
