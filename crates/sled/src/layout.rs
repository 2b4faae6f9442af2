//! Encoding of keys and values; numbers are big-endian, so that keys sort by number.
//!
//! | tree | key | value |
//! |---|---|---|
//! | `record` | kind, id | see below |
//! | `revision` | revision, kind, id | |
//! | `unique` | kind, unique key | kind, id |
//! | `organization`, `user` | the owner's id, kind, id | |
//! | `used` | id | minute (4) |
//! | `meta` | `state` | head (8), floor (8), epoch (8), number of records (8), checksum (8) |
//!
//! The value in `record` is: revision (8), organization (8, 0 for none), user (8), status (1),
//! face (1), length of the unique key plus 1 (2, 0 for none), unique key, bytes.

use symbolon::record::{Columns, Kind, Record, RecordKey};
use symbolon::store::{End, Epoch, Revision, Stored};
use symbolon::{Id, Minute};

pub(crate) const STATE_KEY: &[u8] = b"state";

pub(crate) fn record_key(key: RecordKey) -> [u8; 9] {
    let mut bytes = [key.kind.0; 9];
    bytes[1..].copy_from_slice(&key.id.number().to_be_bytes());
    bytes
}

pub(crate) fn parse_record_key(bytes: &[u8]) -> Option<RecordKey> {
    let (kind, id) = bytes.split_first()?;
    let id = Id::new(u64::from_be_bytes(id.try_into().ok()?))?;
    Some(RecordKey::new(Kind(*kind), id))
}

/// Encodes a key of `revision`, `organization` or `user`: a number, then the key of a record.
pub(crate) fn index_key(number: u64, key: RecordKey) -> [u8; 17] {
    let mut bytes = [0; 17];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[8..].copy_from_slice(&record_key(key));
    bytes
}

pub(crate) fn parse_index_key(bytes: &[u8]) -> Option<(u64, RecordKey)> {
    let (number, key) = bytes.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), parse_record_key(key)?))
}

pub(crate) fn unique_key(kind: Kind, unique: &[u8]) -> Vec<u8> {
    [&[kind.0], unique].concat()
}

pub(crate) fn encode_minute(minute: Minute) -> [u8; 4] {
    minute.0.to_be_bytes()
}

pub(crate) fn decode_minute(bytes: &[u8]) -> Option<Minute> {
    Some(Minute(u32::from_be_bytes(bytes.try_into().ok()?)))
}

pub(crate) fn encode_record(record: &Record, revision: Revision) -> Vec<u8> {
    let columns = &record.columns;
    let unique = record.unique.as_deref();
    let owner = |id: Option<Id>| id.map_or(0, Id::number).to_be_bytes();
    // Within `MAX_RECORD`, so that it fits.
    let length = unique.map_or(0, |unique| unique.len() as u16 + 1);
    [
        &revision.0.to_be_bytes()[..],
        &owner(columns.organization),
        &owner(columns.user),
        &[columns.status_code(), columns.origin_code()],
        &length.to_be_bytes(),
        unique.unwrap_or_default(),
        &record.bytes,
    ]
    .concat()
}

/// Decodes a value of `record`; returns none if it is damaged.
pub(crate) fn decode_record(key: RecordKey, value: &[u8]) -> Option<Stored> {
    let (revision, value) = value.split_first_chunk()?;
    let (organization, value) = value.split_first_chunk()?;
    let (user, value) = value.split_first_chunk()?;
    let ([status, origin], value) = value.split_first_chunk()?;
    let (length, value) = value.split_first_chunk()?;
    let (unique, bytes) = match u16::from_be_bytes(*length).checked_sub(1) {
        None => (None, value),
        Some(length) => {
            let (unique, bytes) = value.split_at_checked(length.into())?;
            (Some(unique), bytes)
        }
    };
    let [organization, user] = [organization, user].map(|id| u64::from_be_bytes(*id));
    let columns = Columns::from_codes(organization, user, *status, *origin)?;
    let record = Record { key, unique: unique.map(Into::into), columns, bytes: bytes.into() };
    Some(stored(record, Revision(u64::from_be_bytes(*revision))))
}

/// Returns a placeholder for a missing or damaged record. It has no contents, so that the engine
/// refuses it and continues.
pub(crate) fn stand_in(key: RecordKey, revision: Revision) -> Stored {
    let record = Record { key, unique: None, columns: Columns::default(), bytes: Box::default() };
    stored(record, revision)
}

/// State of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) end: End,
    pub(crate) sum: Sum,
}

impl State {
    pub(crate) fn new(epoch: Epoch) -> Self {
        let end = End { head: Revision::ABSENT, floor: Revision::ABSENT, epoch };
        Self { end, sum: Sum::default() }
    }

    pub(crate) fn encode(&self) -> [u8; 40] {
        let Self { end, sum } = self;
        let numbers = [end.head.0, end.floor.0, end.epoch.0, sum.entries, sum.fingerprints];
        let mut bytes = [0; 40];
        let (chunks, _) = bytes.as_chunks_mut();
        for (chunk, number) in chunks.iter_mut().zip(numbers) {
            *chunk = number.to_be_bytes();
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let numbers = bytes.as_chunks().0.iter().copied().map(u64::from_be_bytes);
        let numbers: Vec<u64> = numbers.collect();
        let &[head, floor, epoch, entries, fingerprints] = numbers.as_slice() else {
            return None;
        };
        let end = End { head: Revision(head), floor: Revision(floor), epoch: Epoch(epoch) };
        let sum = Sum { entries, fingerprints };
        Some(Self { end, sum })
    }
}

/// An order-independent checksum to which entries can be added and from which they can be removed.
/// That of the store covers the keys of `revision`. It detects accidental damage; MACs and the
/// journal protect against attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum {
    pub(crate) entries: u64,
    fingerprints: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, entry: &[u8]) {
        self.entries = self.entries.wrapping_add(1);
        self.fingerprints = self.fingerprints.wrapping_add(fingerprint(entry));
    }

    pub(crate) fn remove(&mut self, entry: &[u8]) {
        self.entries = self.entries.wrapping_sub(1);
        self.fingerprints = self.fingerprints.wrapping_sub(fingerprint(entry));
    }
}

fn fingerprint(entry: &[u8]) -> u64 {
    entry.chunks(8).fold(0, |mixed: u64, chunk| {
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(chunk) {
            *to = *from;
        }
        // The finalizer of SplitMix64.
        let mut bits = (mixed ^ u64::from_be_bytes(bytes)).wrapping_add(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    })
}

fn stored(record: Record, revision: Revision) -> Stored {
    Stored { record, revision, last_used: None }
}
