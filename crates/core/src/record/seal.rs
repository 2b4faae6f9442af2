//! Sealing a record under the MAC key, and opening it again.

use super::bytes::{Reader, Writer};
use super::{Columns, Entity, KnownSets, Record, RecordKey, SETTINGS, StoreId, body};
use crate::authorization::Face;
use crate::key::{KeyId, StoreKey};
use crate::status::Status;

/// The version that is written. Version, key id and MAC stand in the same place in all versions.
pub(super) const VERSION: u8 = 1;
const MAC_LENGTH: usize = 16;
/// What a MAC is over is mostly shorter than this.
const PIECE: usize = 512;

/// Why a record is not taken as genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
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
    pub(crate) fn reseal(&self, record: &Record) -> Result<Option<(Record, u64)>, RecordError> {
        if self.is_current(record) {
            return Ok(None);
        }
        let (version, mut reader) = genuine(&self.key, self.store, record)?;
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
    pub(crate) fn open(&self, record: &Record) -> Result<Option<(Entity, u64)>, RecordError> {
        open(&self.key, self.store, record)
    }

    /// As [`Sealer::open`], for one of many records: the permissions of an authorization are not in it, but the last of
    /// `sets`.
    pub(crate) fn open_among(
        &self,
        record: &Record,
        sets: &mut KnownSets,
    ) -> Result<Option<(Entity, u64)>, RecordError> {
        open_with(&self.key, self.store, record, Some(sets))
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
    seal_body(key, store, record, VERSION, sequence)
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
    let mac_key = secret.mac().copied().unwrap_or_default();
    let tag = mac(&mac_key, store, &record, &writer.0);
    writer.fixed(&tag);
    record.bytes = writer.0.into();
    record
}

/// As [`Sealer::open`].
pub(crate) fn open(
    key: &StoreKey,
    store: StoreId,
    record: &Record,
) -> Result<Option<(Entity, u64)>, RecordError> {
    open_with(key, store, record, None)
}

fn open_with(
    key: &StoreKey,
    store: StoreId,
    record: &Record,
    sets: Option<&mut KnownSets>,
) -> Result<Option<(Entity, u64)>, RecordError> {
    let (version, mut reader) = genuine(key, store, record)?;
    if version != VERSION {
        return Err(RecordError::Version(version));
    }
    let sequence = reader.number()?;
    let entity = body::read(&mut reader, record, sets)?;
    if entity.is_some() {
        reader.end()?;
    }
    Ok(entity.map(|entity| (entity, sequence)))
}

fn sealed_under(record: &Record) -> Option<KeyId> {
    let (_, rest) = record.bytes.split_first()?;
    rest.first_chunk().map(|id| KeyId(u32::from_be_bytes(*id)))
}

/// The version of a genuine record, and what follows on its key: sequence and body.
fn genuine<'r>(
    key: &StoreKey,
    store: StoreId,
    record: &'r Record,
) -> Result<(u8, Reader<'r>), RecordError> {
    let (sealed, tag) = record
        .bytes
        .split_last_chunk::<MAC_LENGTH>()
        .ok_or(RecordError::Mac)?;
    let mut reader = Reader(sealed);
    let version = reader.byte().map_err(|_| RecordError::Mac)?;
    let id = reader.array().map_err(|_| RecordError::Mac)?;
    let id = KeyId(u32::from_be_bytes(id));
    let secret = key.named(id).ok_or(RecordError::Key(id))?;
    let mac_key = secret.mac().ok_or(RecordError::Retired(id))?;
    // Compared plainly: whoever can write to the store learns nothing from the time that this takes, for there
    // is nobody whom it could be timed against.
    if mac(mac_key, store, record, sealed) != *tag {
        return Err(RecordError::Mac);
    }
    Ok((version, reader))
}

/// Over everything that a store could change: store, key, unique key, columns, version and body. The unique key is
/// led by its length and the columns have a fixed one, so that no two records give the same input.
fn mac(mac_key: &[u8; 32], store: StoreId, record: &Record, sealed: &[u8]) -> [u8; MAC_LENGTH] {
    let store = if record.key == SETTINGS {
        StoreId::default()
    } else {
        store
    };
    let unique = record.unique.as_deref();
    let has_unique = [unique.is_some().into()];
    let unique = unique.unwrap_or_default();
    let parts: [&[u8]; 7] = [
        &store.0,
        &key_bytes(record.key),
        &has_unique,
        &(unique.len() as u64).to_be_bytes(),
        unique,
        &column_bytes(&record.columns),
        sealed,
    ];
    // Most records are short, and hashed from one piece in less time than from many.
    let mut piece = [0; PIECE];
    let hash = match gather(&parts, &mut piece) {
        Some(whole) => blake3::keyed_hash(mac_key, whole),
        None => {
            let mut hasher = blake3::Hasher::new_keyed(mac_key);
            for part in parts {
                hasher.update(part);
            }
            hasher.finalize()
        }
    };
    let mut mac = [0; MAC_LENGTH];
    for (to, from) in mac.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    mac
}

/// Puts the parts one behind the other; none if there is no room.
fn gather<'p>(parts: &[&[u8]], piece: &'p mut [u8]) -> Option<&'p [u8]> {
    let mut used = 0;
    for part in parts {
        let end = used + part.len();
        piece.get_mut(used..end)?.copy_from_slice(part);
        used = end;
    }
    piece.get(..used)
}

fn key_bytes(key: RecordKey) -> [u8; 9] {
    let mut bytes = [key.kind.0; 9];
    for (to, from) in bytes.iter_mut().skip(1).zip(key.id.number().to_be_bytes()) {
        *to = from;
    }
    bytes
}

/// 8 bytes of organization, 8 of user, one of status, one of face; zeros for what is missing.
fn column_bytes(columns: &Columns) -> [u8; 18] {
    let id = |id: Option<crate::Id>| id.map_or(0, crate::Id::number).to_be_bytes();
    let mut bytes = [0; 18];
    let parts = id(columns.organization).into_iter().chain(id(columns.user));
    let status = columns.status.map_or(0, status_byte);
    let face = columns.face.map_or(0, face_byte);
    for (to, from) in bytes.iter_mut().zip(parts.chain([status, face])) {
        *to = from;
    }
    bytes
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
pub(crate) fn face_byte(face: Face) -> u8 {
    match face {
        Face::V2 => 1,
        Face::V0 => 2,
        Face::Embedder => 3,
    }
}

impl Columns {
    /// The number that a store writes for the status: 0 for none, else 1 to 3.
    pub fn status_code(&self) -> u8 {
        self.status.map_or(0, status_byte)
    }

    /// The number that a store writes for the face: 0 for none, else 1 to 3.
    pub fn face_code(&self) -> u8 {
        self.face.map_or(0, face_byte)
    }

    /// The columns from what a store wrote: ids as numbers, 0 for none, and the codes of status and face.
    /// None if it never wrote that.
    pub fn from_codes(organization: u64, user: u64, status: u8, face: u8) -> Option<Self> {
        let status = match status {
            0 => None,
            1 => Some(Status::Active),
            2 => Some(Status::Inactive),
            3 => Some(Status::Revoked),
            _ => return None,
        };
        let face = match face {
            0 => None,
            1 => Some(Face::V2),
            2 => Some(Face::V0),
            3 => Some(Face::Embedder),
            _ => return None,
        };
        Some(Self {
            organization: crate::Id::new(organization),
            user: crate::Id::new(user),
            status,
            face,
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
    let mac_key = secret.mac().copied().unwrap_or_default();
    let mac = mac(&mac_key, sealer.store, record, &sealed);
    [sealed.as_slice(), mac.as_slice()].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Id;
    use crate::record::Kind;

    /// As `docs/format.md` says, part by part.
    fn expected(record: &Record, sealed: &[u8]) -> [u8; MAC_LENGTH] {
        let mut hasher = blake3::Hasher::new_keyed(&[3; 32]);
        hasher.update(&[9; 16]);
        hasher.update(&[record.key.kind.0]);
        hasher.update(&record.key.id.number().to_be_bytes());
        let unique = record.unique.as_deref().unwrap();
        hasher.update(&[1]);
        hasher.update(&(unique.len() as u64).to_be_bytes());
        hasher.update(unique);
        hasher.update(&[0; 18]);
        hasher.update(sealed);
        *hasher.finalize().as_bytes().first_chunk().unwrap()
    }

    #[test]
    fn a_mac_is_the_same_from_one_piece_and_from_many() {
        let record = Record {
            key: RecordKey::new(Kind::USER, Id::new(77).unwrap()),
            unique: Some([5; 33].into()),
            columns: Columns::default(),
            bytes: [].into(),
        };
        for len in (0..2 * PIECE).chain([5000]) {
            let sealed: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let mac = mac(&[3; 32], StoreId([9; 16]), &record, &sealed);
            assert_eq!(mac, expected(&record, &sealed), "{len} bytes");
        }
    }
}
