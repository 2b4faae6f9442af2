//! Whether the trees of an open store fit together.

use symbolon::Id;
use symbolon::StoreError;
use symbolon::record::{Kind, RecordKey};
use symbolon::store::Stored;

use crate::commit::entries;
use crate::error::unreadable;
use crate::layout::{State, parse_index_key, parse_record_key, record_key};
use crate::store::SledStore;
use crate::trees::{Trees, Which};

impl SledStore {
    /// Compares the records with every index, both ways, and says what does not fit; nothing if all is well. It reads
    /// everything, and commits wait meanwhile. Whether a record is genuine only the engine can tell.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if a page cannot be read at all, or [`StoreError::Backend`].
    pub fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.read(|trees, state| {
            let mut findings = Findings::default();
            check_sums(trees, state, &mut findings)?;
            check_records(trees, state, &mut findings)?;
            for tree in [
                Which::Revision,
                Which::Unique,
                Which::Organization,
                Which::User,
            ] {
                check_index(trees, tree, &mut findings)?;
            }
            check_used(trees, &mut findings)?;
            Ok(findings.texts())
        })
    }
}

/// The first hundred findings, and how many there are.
#[derive(Default)]
struct Findings {
    first: Vec<String>,
    all: usize,
}

impl Findings {
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

fn check_sums(trees: &Trees, state: State, findings: &mut Findings) -> Result<(), StoreError> {
    let (records, revisions) = trees.sums()?;
    for (name, sum) in [("records", records), ("index of revisions", revisions)] {
        if sum != state.sum {
            let (found, all) = (sum.records, state.sum.records);
            findings.add(format!(
                "the {name} do not match their checksum: {found} of {all}"
            ));
        }
    }
    Ok(())
}

/// Each record stands in every index.
fn check_records(trees: &Trees, state: State, findings: &mut Findings) -> Result<(), StoreError> {
    for entry in &trees.record {
        let (bytes, _) = entry.map_err(unreadable)?;
        let Some(key) = parse_record_key(&bytes) else {
            findings.add("a key of a record cannot be decoded".into());
            continue;
        };
        let stored = match trees.get(key) {
            Ok(Some(stored)) => stored,
            Ok(None) => continue,
            Err(StoreError::Corrupt(what)) => {
                findings.add(what);
                continue;
            }
            Err(error) => return Err(error),
        };
        if stored.revision > state.end.head {
            findings.add(format!("the revision of {key:?} is newer than the store"));
        }
        for (which, entry) in entries(&stored.record, stored.revision) {
            let value = trees.tree(which).get(&entry).map_err(unreadable)?;
            let fits = match which {
                Which::Unique => value.is_some_and(|value| *value == record_key(key)),
                _ => value.is_some(),
            };
            if !fits {
                findings.add(format!("{key:?} is missing in the index {which:?}"));
            }
        }
    }
    Ok(())
}

/// Each entry of an index stands for a record.
fn check_index(trees: &Trees, which: Which, findings: &mut Findings) -> Result<(), StoreError> {
    for entry in trees.tree(which) {
        let (bytes, value) = entry.map_err(unreadable)?;
        let key = match which {
            Which::Unique => parse_record_key(&value),
            _ => parse_index_key(&bytes).map(|(_, key)| key),
        };
        let stored = key
            .map(|key| trees.get_or_stand_in(key))
            .transpose()?
            .flatten();
        let fits = |stored: &Stored| {
            let entries = entries(&stored.record, stored.revision);
            entries
                .iter()
                .any(|(tree, key)| *tree == which && bytes == *key)
        };
        if !stored.as_ref().is_some_and(fits) {
            findings.add(match key {
                Some(key) => {
                    format!("the index {which:?} has an entry for {key:?} that is not its own")
                }
                None => format!("an entry of the index {which:?} cannot be decoded"),
            });
        }
    }
    Ok(())
}

fn check_used(trees: &Trees, findings: &mut Findings) -> Result<(), StoreError> {
    for entry in &trees.used {
        let (bytes, _) = entry.map_err(unreadable)?;
        let id = bytes
            .first_chunk()
            .and_then(|id| Id::new(u64::from_be_bytes(*id)));
        let key = id.map(|id| RecordKey::new(Kind::AUTHORIZATION, id));
        let known = key.map(|key| trees.record.contains_key(record_key(key)));
        if !known.transpose().map_err(unreadable)?.unwrap_or_default() {
            findings.add("a last use is noted for an authorization that is not there".into());
        }
    }
    Ok(())
}
