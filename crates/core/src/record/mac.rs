//! Computes and verifies the MAC of a record.

use super::body::newest_version;
use super::bytes::Reader;
use super::integrity_error::IntegrityError;
use super::{Columns, Entity, KnownSets, Record, RecordKey, SETTINGS, StoreId, body};
use crate::key::{KeyId, StoreKey};
use crate::token::{HashKey, Piece};

const MAC_LENGTH: usize = 16;

/// A record whose parts were located but not yet verified.
pub(super) struct UnverifiedRecord<'r> {
    authentic: VerifiedRecord<'r>,
    key: &'r HashKey,
    /// The bytes that the MAC covers.
    sealed: &'r [u8],
    tag: &'r [u8; MAC_LENGTH],
}

/// A record whose MAC is correct.
pub(crate) struct VerifiedRecord<'r> {
    record: &'r Record,
    pub(super) version: u8,
    /// The rest of the bytes: sequence and body.
    pub(super) reader: Reader<'r>,
}

impl<'r> UnverifiedRecord<'r> {
    /// Locates the parts of a record and the key that it names.
    pub(super) fn of(key: &'r StoreKey, record: &'r Record) -> Result<Self, IntegrityError> {
        let (sealed, tag) =
            record.bytes.split_last_chunk::<MAC_LENGTH>().ok_or(IntegrityError::Mac)?;
        let mut reader = Reader(sealed);
        let version = reader.byte().map_err(|_| IntegrityError::Mac)?;
        let id = reader.array().map_err(|_| IntegrityError::Mac)?;
        let id = KeyId(u32::from_be_bytes(id));
        let secret = key.named(id).ok_or(IntegrityError::Key(id))?;
        let authentic = VerifiedRecord { record, version, reader };
        Ok(Self { authentic, key: secret.mac().ok_or(IntegrityError::Retired(id))?, sealed, tag })
    }

    pub(super) fn check(self, store: StoreId) -> Result<VerifiedRecord<'r>, IntegrityError> {
        let mac = mac(self.key, store, self.authentic.record, self.sealed);
        self.compare(&mac)
    }

    /// Compares in variable time. That is safe: an attacker who can write to the store has no way
    /// to measure this comparison.
    fn compare(self, mac: &[u8; MAC_LENGTH]) -> Result<VerifiedRecord<'r>, IntegrityError> {
        match mac == self.tag {
            true => Ok(self.authentic),
            false => Err(IntegrityError::Mac),
        }
    }
}

impl VerifiedRecord<'_> {
    /// Decodes the record and its sequence; `None` if its kind is unknown.
    ///
    /// With `sets`, the permissions of an authorization are read into `sets` instead, as
    /// [`KnownSets::last`].
    pub(crate) fn open(
        mut self,
        sets: Option<&mut KnownSets>,
    ) -> Result<Option<(Entity, u64)>, IntegrityError> {
        if !(1..=newest_version(self.record.key)).contains(&self.version) {
            return Err(IntegrityError::Version(self.version));
        }
        let sequence = self.reader.number()?;
        let entity = body::read(&mut self.reader, self.record, self.version, sets)?;
        if entity.is_some() {
            self.reader.end()?;
        }
        Ok(entity.map(|entity| (entity, sequence)))
    }
}

/// Verifies each record, as [`UnverifiedRecord::check`] does.
pub(super) fn check_all<'r>(
    key: &'r StoreKey,
    store: StoreId,
    records: &[&'r Record],
) -> Vec<Result<VerifiedRecord<'r>, IntegrityError>> {
    // Nearly all records are short and sealed under the current key.
    let current = key.current().mac();
    let mut pieces = Vec::with_capacity(records.len());
    let mut places = Vec::with_capacity(records.len());
    let mut claim = |(at, record): (usize, &&'r Record)| {
        let claim = UnverifiedRecord::of(key, record)?;
        if current.is_some_and(|current| std::ptr::eq(current, claim.key))
            && let Some(piece) = Covered::of(store, record, claim.sealed).piece()
        {
            pieces.push(piece);
            places.push(at);
        }
        Ok(claim)
    };
    let claims: Vec<_> = records.iter().enumerate().map(&mut claim).collect();
    let mut macs = vec![None; records.len()];
    if let Some(current) = current {
        current.hash_each(&pieces, |at, hash| {
            let place = places.get(at).and_then(|place| macs.get_mut(*place));
            if let Some(place) = place {
                *place = hash.0.first_chunk().copied();
            }
        });
    }
    let check = |(claim, mac): (Result<UnverifiedRecord<'r>, _>, Option<_>)| match mac {
        Some(mac) => claim?.compare(&mac),
        None => claim?.check(store),
    };
    claims.into_iter().zip(macs).map(check).collect()
}

/// The input of a MAC: everything that a store could change, that is store, key, unique key,
/// columns, version and body. The unique key is prefixed with its length and the columns have a
/// fixed length, so no two records have the same input.
struct Covered<'r> {
    store: StoreId,
    key: [u8; 9],
    has_unique: [u8; 1],
    unique_len: [u8; 8],
    unique: &'r [u8],
    columns: [u8; 18],
    sealed: &'r [u8],
}

impl<'r> Covered<'r> {
    fn of(store: StoreId, record: &'r Record, sealed: &'r [u8]) -> Self {
        let unique = record.unique.as_deref();
        Self {
            // The settings contain the store id and can therefore not be sealed with it.
            store: match record.key {
                SETTINGS => StoreId::default(),
                _ => store,
            },
            key: key_bytes(record.key),
            has_unique: [u8::from(unique.is_some())],
            unique_len: (unique.map_or(0, <[u8]>::len) as u64).to_be_bytes(),
            unique: unique.unwrap_or_default(),
            columns: column_bytes(&record.columns),
            sealed,
        }
    }

    fn parts(&self) -> [&[u8]; 7] {
        [
            &self.store.0,
            &self.key,
            &self.has_unique,
            &self.unique_len,
            self.unique,
            &self.columns,
            self.sealed,
        ]
    }

    /// Returns the whole input as one piece; `None` if it is too long.
    fn piece(&self) -> Option<Piece> {
        Piece::of(&self.parts())
    }
}

pub(super) fn mac(
    mac_key: &HashKey,
    store: StoreId,
    record: &Record,
    sealed: &[u8],
) -> [u8; MAC_LENGTH] {
    let covered = Covered::of(store, record, sealed);
    // Most records are short; hashing one piece is faster than several updates.
    let hash = match covered.piece() {
        Some(piece) => mac_key.hash(piece.text()).0,
        None => {
            let mut hasher = blake3::Hasher::new_keyed(&mac_key.bytes());
            for part in covered.parts() {
                hasher.update(part);
            }
            *hasher.finalize().as_bytes()
        }
    };
    hash.first_chunk().copied().unwrap_or_default()
}

fn key_bytes(key: RecordKey) -> [u8; 9] {
    let mut bytes = [key.kind.0; 9];
    for (to, from) in bytes.iter_mut().skip(1).zip(key.id.number().to_be_bytes()) {
        *to = from;
    }
    bytes
}

/// Encodes the columns: 8 bytes organization, 8 bytes user, 1 byte status, 1 byte origin. A missing
/// value is 0.
fn column_bytes(columns: &Columns) -> [u8; 18] {
    let id = |id: Option<crate::Id>| id.map_or(0, crate::Id::number).to_be_bytes();
    let mut bytes = [0; 18];
    let parts = id(columns.organization).into_iter().chain(id(columns.user));
    let (status, origin) = (columns.status_code(), columns.origin_code());
    for (to, from) in bytes.iter_mut().zip(parts.chain([status, origin])) {
        *to = from;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Kind, Sealer, Settings, SetupState, seal};
    use crate::{Bucket, Id, Prefix, Status, Timestamp};

    const KEY: [u8; 32] = [3; 32];

    /// Computes a MAC part by part, as `docs/format.md` describes it.
    fn expected(record: &Record, sealed: &[u8]) -> [u8; MAC_LENGTH] {
        let mut hasher = blake3::Hasher::new_keyed(&KEY);
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
    fn macs_do_not_depend_on_chunking() {
        let record = Record {
            key: RecordKey::new(Kind::USER, Id::new(77).unwrap()),
            unique: Some([5; 33].into()),
            columns: Columns::default(),
            bytes: [].into(),
        };
        for len in (0..2 * Piece::ROOM).chain([5000]) {
            let sealed: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let mac = mac(&HashKey::new(&KEY), StoreId([9; 16]), &record, &sealed);
            assert_eq!(mac, expected(&record, &sealed), "{len} bytes");
        }
    }

    /// Generates records under two keys and of all lengths, some of them forged or without a valid
    /// form.
    fn some(key: &StoreKey, former: &StoreKey, number: u64) -> Record {
        let bucket = Bucket {
            id: Id::new(number).unwrap(),
            organization: Id::MIN,
            name: "b".repeat((number * 31 % 700) as usize),
            status: Status::Active,
            created_at: Timestamp::MIN,
            updated_at: Timestamp::MIN,
        };
        let under = if number.is_multiple_of(5) { former } else { key };
        let mut record = seal(under, StoreId([9; 16]), &Entity::Bucket(bucket), number);
        let last = record.bytes.len() - 1;
        match number % 11 {
            0 => record.bytes[last] ^= 1,
            1 => record.columns.user = Id::new(number),
            2 => record.bytes[(number % 4 + 1) as usize] ^= 1,
            3 if number.is_multiple_of(2) => {
                record.bytes = record.bytes[..number as usize % 16].into()
            }
            4 => record.bytes[last - 16] ^= 1,
            _ => {}
        }
        record
    }

    #[test]
    fn batch_and_single_verification_agree() {
        let former = StoreKey::from_bytes([1; 32]);
        let key = former.rotated().unwrap();
        let sealer = Sealer::new(StoreId([9; 16]), key);
        let key = sealer.key();
        let mut all: Vec<Record> = (1..800).map(|number| some(key, &former, number)).collect();
        let settings = Entity::Settings(Settings {
            store: sealer.store(),
            prefix: Prefix::SYMBOLON,
            keys: Vec::new(),
            created_at: Timestamp::MIN,
            setup: SetupState::Open,
        });
        all.insert(400, seal(key, StoreId::default(), &settings, 1));
        assert!(sealer.open(&all[400]).is_ok());
        let alone: Vec<_> = all.iter().map(|record| sealer.open(record)).collect();
        assert!(alone.iter().filter(|opened| opened.is_ok()).count() > 300);
        assert!(alone.iter().filter(|opened| opened.is_err()).count() > 200);
        for together in [1, 7, 64, 800] {
            let records: Vec<&Record> = all.iter().collect();
            let checked = records.chunks(together).flat_map(|some| sealer.check_all(some));
            let opened: Vec<_> = checked.map(|one| one.and_then(|one| one.open(None))).collect();
            assert!(opened == alone, "{together} together");
        }
    }
}
