//! Sealing a record under the MAC key, and opening it again.

use super::bytes::Writer;
use super::mac::{UnverifiedRecord, VerifiedRecord, mac};
use super::{Columns, Entity, Record, RecordKey, SETTINGS, StoreId, body, mac};
use crate::authorization::Origin;
use crate::key::{KeyId, StoreKey};
use crate::status::Status;

/// Newest version of the records of `key` that this program reads. Version, key id and MAC have the
/// same place in all versions.
pub(super) fn newest_version(key: RecordKey) -> u8 {
    match key {
        SETTINGS => 2,
        _ => 1,
    }
}

/// Why a record is not taken as genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityError {
    /// The MAC does not fit the record: it was written or changed by somebody without the key.
    #[error("the record is not genuine: its MAC does not fit")]
    Mac,
    /// It is of a version that this program does not know.
    #[error("the record has version {0}, which this version of the program cannot read; update it")]
    Version(u8),
    /// It was sealed under a key that the store key does not hold.
    #[error("the record was sealed under key {0}, which the key file does not hold")]
    Key(KeyId),
    /// It was sealed under a key that was rotated away since: somebody put it back, or it was left out.
    #[error("the record was sealed under key {0}, which was rotated away")]
    Retired(KeyId),
    /// The MAC fits, but the bytes are of no known form.
    #[error("the record is genuine, but of an unknown form; update the program")]
    Body,
}

/// Seals and opens the records of one store.
#[derive(Debug)]
pub(crate) struct Sealer {
    store: StoreId,
    key: StoreKey,
}

impl Sealer {
    pub(crate) fn new(store: StoreId, key: StoreKey) -> Self {
        Self { store, key }
    }

    pub(crate) fn store(&self) -> StoreId {
        self.store
    }

    pub(crate) fn key(&self) -> &StoreKey {
        &self.key
    }

    /// The record of `entity`, which is written for the `sequence`-th time, counted from 1.
    pub(crate) fn seal(&self, entity: &Entity, sequence: u64) -> Record {
        seal(&self.key, self.store, entity, sequence)
    }

    /// The same record, of whatever kind and version, written once more under the current key, and how many times that
    /// is; none if it is sealed under it already.
    pub(crate) fn reseal(&self, record: &Record) -> Result<Option<(Record, u64)>, IntegrityError> {
        if self.is_current(record) {
            return Ok(None);
        }
        let VerifiedRecord {
            version,
            mut reader,
            ..
        } = UnverifiedRecord::of(&self.key, record)?.check(self.store)?;
        let sequence = reader.number()? + 1;
        let body = Record {
            bytes: reader.0.into(),
            ..record.clone()
        };
        let sealed = seal_body(&self.key, self.store, body, version, sequence);
        Ok(Some((sealed, sequence)))
    }

    /// Whether a record names the current key; whether it is genuine, only [`Sealer::open`] tells.
    pub(crate) fn is_current(&self, record: &Record) -> bool {
        sealed_under(record) == Some(self.key.current().id)
    }

    /// What a record says, and how many times it was written. None for a kind that is not known.
    pub(crate) fn open(&self, record: &Record) -> Result<Option<(Entity, u64)>, IntegrityError> {
        open(&self.key, self.store, record)
    }

    /// Which of these records are genuine, in their order. It takes less time than to look at each alone; some dozen at a
    /// time are enough.
    pub(crate) fn check_all<'r>(
        &'r self,
        records: &[&'r Record],
    ) -> Vec<Result<VerifiedRecord<'r>, IntegrityError>> {
        mac::check_all(&self.key, self.store, records)
    }
}

/// As [`Sealer::seal`]. The settings say which store it is, and so are sealed for the default one.
pub(crate) fn seal(key: &StoreKey, store: StoreId, entity: &Entity, sequence: u64) -> Record {
    let mut body = Writer::default();
    body::write(&mut body, entity);
    let record = Record {
        key: entity.key(),
        unique: entity.unique(),
        columns: entity.columns(),
        bytes: body.0.into(),
    };
    seal_body(key, store, record, entity.version(), sequence)
}

/// Seals a record of which `bytes` is the body alone.
fn seal_body(
    key: &StoreKey,
    store: StoreId,
    mut record: Record,
    version: u8,
    sequence: u64,
) -> Record {
    let secret = key.current();
    let mut writer = Writer::default();
    writer.byte(version);
    writer.fixed(&secret.id.0.to_be_bytes());
    writer.number(sequence);
    writer.fixed(&record.bytes);
    // The current secret is never a retired one.
    if let Some(mac_key) = secret.mac() {
        let tag = mac(mac_key, store, &record, &writer.0);
        writer.fixed(&tag);
    }
    record.bytes = writer.0.into();
    record
}

/// As [`Sealer::open`].
pub(crate) fn open(
    key: &StoreKey,
    store: StoreId,
    record: &Record,
) -> Result<Option<(Entity, u64)>, IntegrityError> {
    UnverifiedRecord::of(key, record)?.check(store)?.open(None)
}

fn sealed_under(record: &Record) -> Option<KeyId> {
    let (_, rest) = record.bytes.split_first()?;
    rest.first_chunk().map(|id| KeyId(u32::from_be_bytes(*id)))
}

/// The number that stands for a status in records and in the columns of stores.
pub(crate) fn status_byte(status: Status) -> u8 {
    match status {
        Status::Active => 1,
        Status::Inactive => 2,
        Status::Revoked => 3,
    }
}

/// The number that stands for a face in records and in the columns of stores.
pub(crate) fn origin_byte(origin: Origin) -> u8 {
    match origin {
        Origin::V2 => 1,
        Origin::V0 => 2,
        Origin::Embedder => 3,
    }
}

impl Columns {
    /// The number that a store writes for the status: 0 for none, else 1 to 3.
    pub fn status_code(&self) -> u8 {
        self.status.map_or(0, status_byte)
    }

    /// The number that a store writes for the face: 0 for none, else 1 to 3.
    pub fn origin_code(&self) -> u8 {
        self.origin.map_or(0, origin_byte)
    }

    /// The columns from what a store wrote: ids as numbers, 0 for none, and the codes of status and face.
    /// None if it never wrote that.
    pub fn from_codes(organization: u64, user: u64, status: u8, origin: u8) -> Option<Self> {
        let status = match status {
            0 => None,
            1 => Some(Status::Active),
            2 => Some(Status::Inactive),
            3 => Some(Status::Revoked),
            _ => return None,
        };
        let origin = match origin {
            0 => None,
            1 => Some(Origin::V2),
            2 => Some(Origin::V0),
            3 => Some(Origin::Embedder),
            _ => return None,
        };
        Some(Self {
            organization: crate::Id::new(organization),
            user: crate::Id::new(user),
            status,
            origin,
        })
    }
}

/// The bytes of `record` with another version and body (of which the first five bytes are replaced), sealed anew.
#[cfg(any(test, fuzzing))]
pub(super) fn resealed(sealer: &Sealer, record: &Record, version: u8, body: &[u8]) -> Box<[u8]> {
    let secret = sealer.key.current();
    let key = secret.id.0.to_be_bytes();
    let sealed = [
        &[version],
        key.as_slice(),
        body.get(5..).unwrap_or_default(),
    ]
    .concat();
    let mac = secret
        .mac()
        .map(|key| mac(key, sealer.store, record, &sealed));
    [sealed.as_slice(), &mac.unwrap_or_default()]
        .concat()
        .into()
}
