//! A store without records in memory: it appends them to a file, and reads them back in order. The
//! memory of a process that opens it is that of the engine alone.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use symbolon::record::{Columns, Kind, MAX_RECORD, Record, RecordKey};
use symbolon::store::{
    Cursor, End, Epoch, Limits, Page, Query, Revision, Sharing, Stored, TokenStore, Write,
};
use symbolon::{Id, Minute, Origin, Status, StoreError};

/// A file of authorizations in the order of their creation, and a small file of all other records.
/// Each record is written once.
#[derive(Debug)]
pub struct SpoolStore {
    folder: PathBuf,
    sharing: Sharing,
    many: File,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Present until the store is finished.
    writer: Option<BufWriter<File>>,
    length: u64,
    head: Revision,
    few: BTreeMap<RecordKey, Stored>,
    names: HashMap<(Kind, Box<[u8]>), RecordKey>,
}

impl SpoolStore {
    /// Creates a store in `folder`.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be created.
    pub fn make(folder: &Path) -> std::io::Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let file = File::create(folder.join("many"))?;
        let state = State {
            writer: Some(BufWriter::with_capacity(1 << 20, file)),
            length: 0,
            head: Revision::ABSENT,
            few: BTreeMap::new(),
            names: HashMap::new(),
        };
        Self::new(folder, Sharing::Exclusive, state)
    }

    /// Opens a finished store. It refuses changes as a full disk does.
    ///
    /// # Errors
    ///
    /// Fails if the store was never finished.
    pub fn open(folder: &Path, sharing: Sharing) -> std::io::Result<Self> {
        let bytes = fs::read(folder.join("few"))?;
        let damaged = || std::io::Error::from(std::io::ErrorKind::InvalidData);
        let (head, mut rest) = bytes.split_first_chunk().ok_or_else(damaged)?;
        let mut state = State {
            writer: None,
            length: fs::metadata(folder.join("many"))?.len(),
            head: Revision(u64::from_le_bytes(*head)),
            few: BTreeMap::new(),
            names: HashMap::new(),
        };
        while !rest.is_empty() {
            let (stored, after) = read(rest).ok_or_else(damaged)?;
            state.few.insert(stored.record.key, stored);
            rest = after;
        }
        Self::new(folder, sharing, state)
    }

    fn new(folder: &Path, sharing: Sharing, state: State) -> std::io::Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            sharing,
            many: File::open(folder.join("many"))?,
            state: Mutex::new(state),
        })
    }

    /// Writes the rest, so that the store can be opened.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be written.
    pub fn finish(&self) -> std::io::Result<()> {
        let mut state = self.state();
        if let Some(mut writer) = state.writer.take() {
            writer.flush()?;
        }
        let mut bytes = state.head.0.to_le_bytes().to_vec();
        for stored in state.few.values() {
            append(&mut bytes, &stored.record, stored.revision);
        }
        fs::write(self.folder.join("few"), bytes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; length];
        let read = self.many.read_exact_at(&mut bytes, offset);
        read.map_err(|error| StoreError::backend(error.to_string()))?;
        Ok(bytes)
    }
}

/// Typical size of a record.
const RECORD: usize = 400;

impl TokenStore for SpoolStore {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        Ok(self.state().few.get(key).cloned())
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        let mut state = self.state();
        let guards = |write: &Write| matches!(write, Write::Guard { .. });
        if writes.iter().all(guards) {
            return Ok(state.head);
        }
        if state.writer.is_none() {
            return Err(StoreError::Full);
        }
        let revision = state.head.next();
        let mut bytes = Vec::new();
        for write in writes {
            let Write::Put { record, .. } = write else {
                continue;
            };
            if record.key.kind == Kind::AUTHORIZATION {
                append(&mut bytes, record, revision);
                continue;
            }
            if let Some(unique) = &record.unique {
                let name = (record.key.kind, unique.clone());
                state.names.insert(name, record.key);
            }
            let stored = Stored {
                record: record.clone(),
                revision,
                last_used: None,
            };
            state.few.insert(record.key, stored);
        }
        state.head = revision;
        state.length += bytes.len() as u64;
        let written = state.writer.as_mut().map(|writer| writer.write_all(&bytes));
        match written {
            Some(Err(error)) => Err(StoreError::backend(error.to_string())),
            _ => Ok(revision),
        }
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let state = self.state();
        let offset = after.as_bytes().try_into().map(u64::from_le_bytes);
        let mut items = Vec::new();
        let Ok(mut offset) = offset else {
            items.extend(state.few.values().cloned());
            let end = (state.length == 0).then(|| end(&state));
            let next = Cursor::from_bytes(&0_u64.to_le_bytes());
            return Ok(Page { items, next, end });
        };
        let left = usize::try_from(state.length - offset).unwrap_or(usize::MAX);
        let bytes = self.read_at(
            offset,
            left.min(limit.saturating_mul(RECORD).max(MAX_RECORD)),
        )?;
        let mut rest = bytes.as_slice();
        while items.len() < limit
            && let Some((stored, after)) = read(rest)
        {
            items.push(stored);
            rest = after;
        }
        offset += (bytes.len() - rest.len()) as u64;
        let next = Cursor::from_bytes(&offset.to_le_bytes());
        let end = (offset == state.length).then(|| end(&state));
        Ok(Page { items, next, end })
    }

    fn limits(&self) -> Limits {
        Limits {
            writes: 4096,
            bytes: 4 << 20,
            sharing: self.sharing,
        }
    }

    fn touch(&self, _used: &[(Id, Minute)]) -> Result<(), StoreError> {
        Ok(())
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        Err(StoreError::Full)
    }

    fn find(&self, query: &Query) -> Result<Vec<Stored>, StoreError> {
        let state = self.state();
        if let Some(unique) = &query.unique {
            let key = state.names.get(&(query.kind, unique.clone()));
            let found = key.and_then(|key| state.few.get(key));
            return Ok(found.into_iter().cloned().collect());
        }
        let few = state.few.values();
        let wanted = few.filter(|stored| query.wants(&stored.record));
        Ok(wanted.take(query.limit).cloned().collect())
    }
}

fn end(state: &State) -> End {
    End {
        head: state.head,
        floor: Revision::ABSENT,
        epoch: Epoch(1),
    }
}

fn append(bytes: &mut Vec<u8>, record: &Record, revision: Revision) {
    let number = |id: Option<Id>| id.map_or(0, Id::number).to_le_bytes();
    let columns = record.columns;
    bytes.extend_from_slice(&revision.0.to_le_bytes());
    bytes.push(record.key.kind.0);
    bytes.extend_from_slice(&record.key.id.number().to_le_bytes());
    bytes.extend_from_slice(&number(columns.organization));
    bytes.extend_from_slice(&number(columns.user));
    let status = columns.status.map(|status| place(&STATUSES, status));
    let origin = columns.origin.map(|origin| place(&ORIGINS, origin));
    bytes.extend([status, origin].map(|place| place.unwrap_or(u8::MAX)));
    for part in [record.unique.as_deref(), Some(&record.bytes)] {
        let length = part.map_or(u16::MAX, |part| part.len() as u16);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(part.unwrap_or_default());
    }
}

const STATUSES: [Status; 3] = [Status::Active, Status::Inactive, Status::Revoked];
const ORIGINS: [Origin; 3] = [Origin::V2, Origin::V0, Origin::Embedder];

fn place<T: PartialEq>(all: &[T], one: T) -> u8 {
    all.iter().position(|other| *other == one).unwrap_or(255) as u8
}

/// Reads the first record, and returns it with the rest; `None` if it is incomplete.
fn read(bytes: &[u8]) -> Option<(Stored, &[u8])> {
    let (revision, rest) = bytes.split_first_chunk()?;
    let (kind, rest) = rest.split_first()?;
    let (id, rest) = rest.split_first_chunk()?;
    let (organization, rest) = rest.split_first_chunk()?;
    let (user, rest) = rest.split_first_chunk()?;
    let ([status, origin], rest) = rest.split_first_chunk()?;
    let (unique, rest) = part(rest)?;
    let (bytes, rest) = part(rest)?;
    let number = |bytes: &[u8; 8]| Id::new(u64::from_le_bytes(*bytes));
    let record = Record {
        key: RecordKey::new(Kind(*kind), number(id)?),
        unique: unique.map(Into::into),
        columns: Columns {
            organization: number(organization),
            user: number(user),
            status: STATUSES.get(usize::from(*status)).copied(),
            origin: ORIGINS.get(usize::from(*origin)).copied(),
        },
        bytes: bytes?.into(),
    };
    let stored = Stored {
        record,
        revision: Revision(u64::from_le_bytes(*revision)),
        last_used: None,
    };
    Some((stored, rest))
}

/// Reads optional bytes after their length, and returns them with the rest.
fn part(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    match u16::from_le_bytes(*length) {
        u16::MAX => Some((None, rest)),
        length => {
            let (part, rest) = rest.split_at_checked(length.into())?;
            Some((Some(part), rest))
        }
    }
}
