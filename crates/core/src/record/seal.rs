//! Seals records under the MAC key and opens them.

use super::bytes::Writer;
use super::integrity_error::IntegrityError;
use super::mac::{UnverifiedRecord, VerifiedRecord, mac};
use super::{Entity, Record, StoreId, body, mac};
use crate::key::{KeyId, StoreKey};

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

    /// Seals `entity` with this sequence, which counts the writes of the record from 1.
    pub(crate) fn seal(&self, entity: &Entity, sequence: u64) -> Record {
        seal(&self.key, self.store, entity, sequence)
    }

    /// Seals a record of any kind and version again under the current key, and returns it with its
    /// new sequence; `None` if the current key already sealed it.
    pub(crate) fn reseal(&self, record: &Record) -> Result<Option<(Record, u64)>, IntegrityError> {
        if self.is_current(record) {
            return Ok(None);
        }
        let VerifiedRecord { version, mut reader, .. } =
            UnverifiedRecord::of(&self.key, record)?.check(self.store)?;
        let sequence = reader.number()? + 1;
        let body = Record { bytes: reader.0.into(), ..record.clone() };
        let sealed = seal_body(&self.key, self.store, body, version, sequence);
        Ok(Some((sealed, sequence)))
    }

    /// Returns `true` if the record names the current key. The MAC is not verified.
    pub(crate) fn is_current(&self, record: &Record) -> bool {
        sealed_under(record) == Some(self.key.current().id)
    }

    /// Verifies a record and decodes it with its sequence; `None` if its kind is unknown.
    pub(crate) fn open(&self, record: &Record) -> Result<Option<(Entity, u64)>, IntegrityError> {
        open(&self.key, self.store, record)
    }

    /// Verifies records as a batch, in their order. Batches of a few dozen are enough to be faster
    /// than single verification.
    pub(crate) fn check_all<'r>(
        &'r self,
        records: &[&'r Record],
    ) -> Vec<Result<VerifiedRecord<'r>, IntegrityError>> {
        mac::check_all(&self.key, self.store, records)
    }
}

/// Seals a record, as [`Sealer::seal`] does. The settings contain the store id and are therefore
/// sealed with the default id.
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

/// Seals a record whose `bytes` are only the body.
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
    // The current secret is never retired.
    if let Some(mac_key) = secret.mac() {
        let tag = mac(mac_key, store, &record, &writer.0);
        writer.fixed(&tag);
    }
    record.bytes = writer.0.into();
    record
}

/// Opens a record, as [`Sealer::open`] does.
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

/// Seals `record` with another version and body; the first five bytes of `body` are replaced.
#[cfg(any(test, fuzzing))]
pub(super) fn resealed(sealer: &Sealer, record: &Record, version: u8, body: &[u8]) -> Box<[u8]> {
    let secret = sealer.key.current();
    let key = secret.id.0.to_be_bytes();
    let sealed = [&[version], key.as_slice(), body.get(5..).unwrap_or_default()].concat();
    let mac = secret.mac().map(|key| mac(key, sealer.store, record, &sealed));
    [sealed.as_slice(), &mac.unwrap_or_default()].concat().into()
}
