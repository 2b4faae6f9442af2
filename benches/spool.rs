//! A store without authorizations in memory: it appends all records to a file, and reads them back
//! in order. The memory of a process that opens it is that of the engine alone.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use symbolon::record::{Columns, Kind, MAX_RECORD, Record, RecordKey};
use symbolon::store::{
    Cursor, End, Epoch, Limits, Page, Query, Revision, Sharing, Stored, TokenStore, Write,
};
use symbolon::{Id, MemoryStore, Minute, StoreError};

/// A file of records in the order of their commits, authorizations last. All others are in memory
/// too. A scan returns a record once for every commit that wrote it.
#[derive(Debug)]
pub(crate) struct SpoolStore {
    file: File,
    is_complete: bool,
    sharing: Sharing,
    few: MemoryStore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    length: u64,
    head: Revision,
}

impl SpoolStore {
    /// Creates an empty store in a file.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(true);
        Self::new(options.open(path)?, false, Sharing::Exclusive)
    }

    /// Opens a store that has all its records. It refuses changes as a full disk does.
    pub(crate) fn open(path: &Path, sharing: Sharing) -> io::Result<Self> {
        let store = Self::new(File::open(path)?, true, sharing)?;
        let mut cursor = Cursor::start();
        loop {
            let page = store.scan(&cursor, 1000).map_err(io::Error::other)?;
            for record in page.items.into_iter().map(|stored| stored.record) {
                if record.key.kind == Kind::AUTHORIZATION {
                    return Ok(store);
                }
                let older = store.few.get(&record.key).map_err(io::Error::other)?;
                let expected = older.map_or(Revision::ABSENT, |older| older.revision);
                let write = Write::Put { record, expected };
                store.few.commit(&[write]).map_err(io::Error::other)?;
            }
            if page.end.is_some() {
                return Ok(store);
            }
            cursor = page.next;
        }
    }

    fn new(file: File, is_complete: bool, sharing: Sharing) -> io::Result<Self> {
        let state = State { length: file.metadata()?.len(), head: Revision::ABSENT };
        Ok(Self { file, is_complete, sharing, few: MemoryStore::new(), state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Typical size of a record.
const RECORD: usize = 440;

impl TokenStore for SpoolStore {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.few.get(key)
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        let mut state = self.state();
        let guards = |write: &Write| matches!(write, Write::Guard { .. });
        if writes.iter().all(guards) {
            return Ok(state.head);
        }
        if self.is_complete {
            return Err(StoreError::Full);
        }
        let is_few = |write: &&Write| write.key().kind != Kind::AUTHORIZATION;
        let few: Vec<Write> = writes.iter().filter(is_few).cloned().collect();
        self.few.commit(&few)?;
        let revision = state.head.next();
        let mut bytes = Vec::new();
        for write in writes {
            if let Write::Put { record, .. } = write {
                append(&mut bytes, record, revision);
            }
        }
        let written = self.file.write_all_at(&bytes, state.length);
        written.map_err(backend)?;
        state.head = revision;
        state.length += bytes.len() as u64;
        Ok(revision)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let mut state = self.state();
        let offset = after.as_bytes().try_into();
        let mut offset = offset.map_or(0, u64::from_le_bytes);
        let left = usize::try_from(state.length - offset).unwrap_or(usize::MAX);
        let mut bytes = vec![0; left.min(limit.saturating_mul(RECORD).max(MAX_RECORD))];
        let read_all = self.file.read_exact_at(&mut bytes, offset);
        read_all.map_err(backend)?;
        let (mut rest, mut items) = (bytes.as_slice(), Vec::new());
        while items.len() < limit
            && let Some((stored, after)) = read(rest)
        {
            state.head = state.head.max(stored.revision);
            items.push(stored);
            rest = after;
        }
        offset += (bytes.len() - rest.len()) as u64;
        let end = End { head: state.head, floor: Revision::ABSENT, epoch: Epoch(1) };
        Ok(Page {
            items,
            next: Cursor::from_bytes(&offset.to_le_bytes()),
            end: (offset == state.length).then_some(end),
        })
    }

    fn limits(&self) -> Limits {
        Limits { sharing: self.sharing, ..self.few.limits() }
    }

    fn touch(&self, _used: &[(Id, Minute)]) -> Result<(), StoreError> {
        Ok(())
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        Err(StoreError::Full)
    }

    fn find(&self, query: &Query) -> Result<Vec<Stored>, StoreError> {
        self.few.find(query)
    }
}

fn backend(error: io::Error) -> StoreError {
    StoreError::backend(error.to_string())
}

/// Number of words before the unique key and the bytes of a record.
const HEADER: usize = 9;

fn append(bytes: &mut Vec<u8>, record: &Record, revision: Revision) {
    let number = |id: Option<Id>| id.map_or(0, Id::number);
    let (key, columns) = (record.key, record.columns);
    let unique = record.unique.as_deref().unwrap_or_default();
    let header: [u64; HEADER] = [
        revision.0,
        key.kind.0.into(),
        key.id.number(),
        number(columns.organization),
        number(columns.user),
        columns.status_code().into(),
        columns.origin_code().into(),
        unique.len() as u64,
        record.bytes.len() as u64,
    ];
    bytes.extend(header.iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend_from_slice(unique);
    bytes.extend_from_slice(&record.bytes);
}

/// Reads the first record, and returns it with the rest; `None` if it is incomplete.
fn read(bytes: &[u8]) -> Option<(Stored, &[u8])> {
    let (header, rest) = bytes.split_at_checked(8 * HEADER)?;
    let (words, _) = header.as_chunks();
    let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
    let mut next = || words.next();
    let revision = Revision(next()?);
    let key = RecordKey::new(Kind(next()? as u8), Id::new(next()?)?);
    let columns = Columns::from_codes(next()?, next()?, next()? as u8, next()? as u8)?;
    let (unique, rest) = rest.split_at_checked(next()? as usize)?;
    let (bytes, rest) = rest.split_at_checked(next()? as usize)?;
    let record = Record {
        key,
        unique: (!unique.is_empty()).then(|| unique.into()),
        columns,
        bytes: bytes.into(),
    };
    let stored = Stored { record, revision, last_used: None };
    Some((stored, rest))
}
