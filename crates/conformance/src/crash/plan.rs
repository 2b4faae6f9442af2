//! The deterministic sequence of commits of a child's thread.

use std::collections::BTreeMap;

use symbolon::record::{Columns, Kind, Record, RecordKey};
use symbolon::{Origin, Status};

use crate::rng::Rng;
use crate::sample::{TOKEN, USER, id, key};

/// The records of one thread, and the generator of its commits. Threads share no records.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    rng: Rng,
    writer: u64,
    created: u64,
    names: u64,
    /// Unique keys that were released.
    free: Vec<Box<[u8]>>,
    /// The records after the commits so far.
    pub(super) records: BTreeMap<RecordKey, Record>,
    /// The number of commits so far.
    pub(super) done: u64,
}

/// A commit: for each key the record to write, or `None` to purge it.
pub(super) type Change = Vec<(RecordKey, Option<Record>)>;

/// The number of records from which on the plan creates none and purges more.
const MANY_RECORDS: usize = 30;

impl Plan {
    pub(super) fn new(seed: u64, writer: u64) -> Self {
        Self {
            rng: Rng::new(seed.wrapping_mul(31).wrapping_add(writer)),
            writer,
            created: 0,
            names: 0,
            free: Vec::new(),
            records: BTreeMap::new(),
            done: 0,
        }
    }

    /// Returns the thread that a record belongs to.
    pub(super) fn writer_of(key: RecordKey) -> u64 {
        key.id.number() >> WRITER_SHIFT
    }

    /// Advances the plan to `done` commits.
    pub(super) fn advance_to(&mut self, done: u64) {
        while self.done < done {
            self.advance();
        }
    }

    /// Returns the next commit, of a few records, and counts it as done.
    pub(super) fn advance(&mut self) -> Change {
        self.done += 1;
        let mut changed = BTreeMap::new();
        for _ in 0..=self.rng.below(4) {
            self.draw(&mut changed);
        }
        for (key, record) in &changed {
            match record {
                Some(record) => self.records.insert(*key, record.clone()),
                None => self.records.remove(key),
            };
        }
        let mut change: Change = changed.into_iter().collect();
        if self.rng.once_in(2) {
            change.reverse();
        }
        change
    }

    fn draw(&mut self, changed: &mut BTreeMap<RecordKey, Option<Record>>) {
        let untouched: Vec<RecordKey> =
            self.records.keys().filter(|key| !changed.contains_key(key)).copied().collect();
        let crowded = self.records.len() >= MANY_RECORDS;
        if untouched.is_empty() || (!crowded && self.rng.once_in(3)) {
            let record = self.create();
            changed.insert(record.key, Some(record));
            return;
        }
        let key = self.rng.pick(&untouched);
        let mut record = self.records[&key].clone();
        if record.columns.status == Some(Status::Revoked) {
            // A revoked record may be rewritten, but never reactivated.
            if crowded || self.rng.once_in(2) {
                self.free.extend(record.unique.take());
                changed.insert(key, None);
                return;
            }
        } else {
            match self.rng.below(6) {
                0 => self.revoke(&mut record),
                1 => self.rename(&mut record),
                2 => self.exchange(&mut record, &untouched, changed),
                _ => self.switch(&mut record),
            }
        }
        record.bytes = self.body();
        changed.insert(key, Some(record));
    }

    fn create(&mut self) -> Record {
        self.created += 1;
        let kind = self.rng.pick(&[TOKEN, TOKEN, USER, Kind(200)]);
        let unique = self.name();
        Record {
            key: key(kind, self.writer << WRITER_SHIFT | self.created),
            unique: Some(unique),
            columns: Columns {
                organization: Some(id(self.created % 3 + 1)),
                user: None,
                status: Some(Status::Active),
                origin: Some(self.rng.pick(&[Origin::V2, Origin::V0, Origin::Embedder])),
            },
            bytes: self.body(),
        }
    }

    fn revoke(&mut self, record: &mut Record) {
        record.columns.status = Some(Status::Revoked);
        // Revoking a user releases the name; the digest of a token stays taken.
        if record.key.kind == USER {
            self.free.extend(record.unique.take());
        }
    }

    fn rename(&mut self, record: &mut Record) {
        let name = self.name();
        self.free.extend(record.unique.replace(name));
    }

    fn switch(&mut self, record: &mut Record) {
        let statuses = [Status::Active, Status::Inactive];
        record.columns.status = Some(self.rng.pick(&statuses));
    }

    /// Exchanges the unique keys of `record` and another record of its kind, if there is one.
    fn exchange(
        &mut self,
        record: &mut Record,
        untouched: &[RecordKey],
        changed: &mut BTreeMap<RecordKey, Option<Record>>,
    ) {
        let is_other = |key: &&RecordKey| key.kind == record.key.kind && **key != record.key;
        if let Some(other) = untouched.iter().find(is_other) {
            let mut other = self.records[other].clone();
            std::mem::swap(&mut other.unique, &mut record.unique);
            changed.insert(other.key, Some(other));
        }
    }

    /// Returns a new unique key, or a released one, possibly released by this very commit.
    fn name(&mut self) -> Box<[u8]> {
        if self.rng.once_in(2)
            && let Some(name) = self.free.pop()
        {
            return name;
        }
        self.names += 1;
        let name = format!("writer {} name {}", self.writer, self.names);
        name.into_bytes().into()
    }

    fn body(&mut self) -> Box<[u8]> {
        let longest = self.rng.pick(&[40, 400, 400, 4000, 15_000]);
        let size = self.rng.below(longest) + 8;
        let mut body = self.rng.next().to_be_bytes().to_vec();
        let filler = body[0];
        body.resize(usize::try_from(size).expect("a small number"), filler);
        body.into()
    }
}

/// The position of the thread number in the ids of its records.
const WRITER_SHIFT: u32 = 40;
