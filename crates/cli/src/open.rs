//! Opening and creating a store with its key and journal.

use std::collections::HashSet;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use symbolon::journal::{Entry, Event, Journal, JournalKeys};
use symbolon::{
    Engine, IfStoreMissing, IntegrityCallback, IntegrityFault, MemoryStore, OpenError, Options,
    RollbackReport, Schema, StoreError, StoreKey, TokenStore, UnjournaledStore,
};
use symbolon_files::{FileError, KeyFile, KeyLock};
use symbolon_journal::FileJournal;
use symbolon_sled::SledStore;
use symbolon_sqlite::SqliteStore;

use crate::error::Failure;
use crate::global::Global;
use crate::output;
use crate::store_url::StoreUrl;

/// A store of either kind.
#[derive(Debug, Clone)]
pub(crate) enum OpenStore {
    Sqlite(Arc<SqliteStore>),
    Sled(Arc<SledStore>),
}

impl OpenStore {
    pub(crate) fn shared(&self) -> Arc<dyn TokenStore> {
        match self {
            Self::Sqlite(store) => Arc::clone(store) as Arc<dyn TokenStore>,
            Self::Sled(store) => Arc::clone(store) as Arc<dyn TokenStore>,
        }
    }

    /// Describes each damage in the file or folder, without verifying records.
    pub(crate) fn integrity(&self) -> Result<Vec<String>, StoreError> {
        match self {
            Self::Sqlite(store) => store.integrity(),
            Self::Sled(store) => store.integrity(),
        }
    }

    fn is_new(&self) -> Result<bool, Failure> {
        Ok(symbolon::is_new(&*self.shared())?)
    }
}

/// Returns the schema of the command line: InfluxDB 2 and databases.
pub(crate) fn schema() -> Schema {
    Schema::influxdb_v2().and(Schema::databases())
}

/// Creates an engine on an empty memory store, to validate a change before creating files.
pub(crate) fn scratch_engine() -> Result<Engine, Failure> {
    scratch_engine_with(StoreKey::generate().map_err(OpenError::from)?)
}

/// Creates an engine on an empty memory store with this key.
pub(crate) fn scratch_engine_with(key: StoreKey) -> Result<Engine, Failure> {
    let store = Arc::new(MemoryStore::new());
    Ok(Engine::create(store, key, Options::new(schema()))?)
}

impl Global {
    /// Opens the store without an engine. Returns `None` if there is no store.
    pub(crate) fn open_store(&self) -> Result<Option<OpenStore>, Failure> {
        use symbolon_sled::SledError as Sled;
        use symbolon_sqlite::SqliteError as Sqlite;
        match &self.store {
            StoreUrl::Sqlite(path) => match SqliteStore::open_existing(path) {
                Ok(store) => Ok(Some(OpenStore::Sqlite(Arc::new(store)))),
                Err(Sqlite::Missing(_)) => Ok(None),
                Err(error) => Err(error.into()),
            },
            StoreUrl::Sled(path) => match SledStore::open_existing(path) {
                Ok(store) => Ok(Some(OpenStore::Sled(Arc::new(store)))),
                Err(Sled::Missing(_)) => Ok(None),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Opens an engine on the store. Fails with [`Failure::NoStore`] if there is none.
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        self.open_if_exists()?.ok_or_else(|| Failure::NoStore(self.store.clone()))
    }

    /// Opens an engine on the store. Returns `None` if there is no store or it is empty.
    pub(crate) fn open_if_exists(&self) -> Result<Option<Opened>, Failure> {
        match self.open_store()? {
            Some(store) if !store.is_new()? => {
                let key = self.lock_key()?;
                let opened = self.start(&store, key, Engine::open, self.options())?;
                if let Some(rollback) = opened.rollback() {
                    print_rollback(rollback);
                }
                Ok(Some(opened))
            }
            _ => Ok(None),
        }
    }

    /// Opens an engine on the store. Creates the store and its key if there is none.
    ///
    /// The key is created first, because a store without its key is lost.
    pub(crate) fn open_or_create(&self) -> Result<Opened, Failure> {
        let (store, key) = match self.open_store()? {
            Some(store) if !store.is_new()? => (store, self.lock_key()?),
            Some(store) => {
                self.check_store_is_not_missing()?;
                (store, self.lock_or_create_key()?)
            }
            None => {
                self.check_store_is_not_missing()?;
                let key = self.lock_or_create_key()?;
                (self.make_store()?, key)
            }
        };
        self.start(&store, key, Engine::create, self.options())
    }

    /// Fails if the journal records changes of a store, since the volume of that store may only
    /// be unmounted. Called before anything is written.
    fn check_store_is_not_missing(&self) -> Result<(), Failure> {
        let journal = self.journal_path();
        if self.accept_new_store || is_missing_or_empty(&journal)? {
            return Ok(());
        }
        let is_unused = match KeyFile::load(&self.key_path()) {
            Ok(key) => {
                let found = FileJournal::open(&journal, JournalKeys::new(&key))?;
                symbolon::journal::is_unused(&found).map_err(OpenError::from)?
            }
            Err(FileError::Missing(_)) => false,
            Err(error) => return Err(error.into()),
        };
        // Another process may have created the store meanwhile.
        let is_made = || {
            Ok::<_, Failure>(match self.open_store()? {
                Some(store) => !store.is_new()?,
                None => false,
            })
        };
        if is_unused || is_made()? {
            return Ok(());
        }
        let store = self.store.clone();
        Err(Failure::StoreMissing { store, journal })
    }

    /// Opens an engine on `store` for inspection, if need be without its journal.
    pub(crate) fn start_read_only(&self, store: &OpenStore) -> Result<Opened, Failure> {
        let options = self.quiet_options();
        match self.start(store, self.lock_key()?, Engine::open, options.clone()) {
            Err(refused @ Failure::NoJournal { .. }) => {
                output::warning(refused);
                let (key, lock) = self.lock_key()?;
                let engine = Engine::open(store.shared(), key, options)?;
                Ok(Opened { engine, lock })
            }
            started => started,
        }
    }

    /// Opens or creates an engine on `store` with its journal, by calling `open`.
    pub(crate) fn start(
        &self,
        store: &OpenStore,
        (key, lock): (StoreKey, KeyLock),
        open: fn(Arc<dyn TokenStore>, StoreKey, Options) -> Result<Engine, OpenError>,
        options: Options,
    ) -> Result<Opened, Failure> {
        let journal = FileJournal::open(&self.journal_path(), JournalKeys::new(&key))?;
        let options = Options { journal: Some(Arc::new(journal)), ..options };
        let engine = open(store.shared(), key, options).map_err(|error| match error {
            OpenError::NoJournal => {
                Failure::NoJournal { store: self.store.clone(), journal: self.journal_path() }
            }
            OpenError::ForeignJournal => Failure::ForeignJournal(self.journal_path()),
            OpenError::StoreMissing => {
                Failure::StoreMissing { store: self.store.clone(), journal: self.journal_path() }
            }
            OpenError::RetiredKey(key) => Failure::OldStore { store: self.store.clone(), key },
            error => error.into(),
        })?;
        Ok(Opened { engine, lock })
    }

    /// Loads the key and takes a shared lock: no process replaces the key file while it is held.
    pub(crate) fn lock_key(&self) -> Result<(StoreKey, KeyLock), Failure> {
        self.lock_key_with(KeyFile::hold)
    }

    /// Loads the key and takes an exclusive lock, which permits to replace the key file.
    /// Fails if another process uses it.
    pub(crate) fn lock_key_exclusively(&self) -> Result<(StoreKey, KeyLock), Failure> {
        self.lock_key_with(KeyFile::hold_alone)
    }

    fn lock_key_with(
        &self,
        hold: fn(&Path) -> Result<KeyLock, FileError>,
    ) -> Result<(StoreKey, KeyLock), Failure> {
        let path = self.key_path();
        // Fails without a key file, so that no lock file is created for it.
        drop(KeyFile::load(&path)?);
        let lock = hold(&path)?;
        // Loaded again under the lock: another process may have replaced it meanwhile.
        Ok((KeyFile::load(&path)?, lock))
    }

    /// Loads the key without a lock. Fails with [`Failure::NoStore`] if there is neither a key nor
    /// a store, since then the location of the store is wrong.
    pub(crate) fn load_key(&self) -> Result<StoreKey, Failure> {
        KeyFile::load(&self.key_path()).map_err(|error| match error {
            FileError::Missing(_) if !self.store.path().exists() => {
                Failure::NoStore(self.store.clone())
            }
            error => error.into(),
        })
    }

    /// Fails if the journal does not fit the store `name`, so that opening it would fail.
    /// Called before a restored store is put in its place.
    pub(crate) fn check_journal(&self, key: &StoreKey, name: &str) -> Result<(), Failure> {
        let journal = self.journal_path();
        let found = FileJournal::open(&journal, JournalKeys::new(key))?;
        let recent = found.recent().map_err(OpenError::from)?;
        if recent.is_empty() && !self.accept_restore {
            let store = self.store.clone();
            return Err(Failure::NoJournal { store, journal });
        }
        let is_of =
            |entry: &Entry| matches!(&entry.event, Event::Opened { store, .. } if store == name);
        if !recent.is_empty() && !recent.iter().any(is_of) {
            return Err(Failure::ForeignJournal(journal));
        }
        Ok(())
    }

    /// Returns the path of the journal directory.
    pub(crate) fn journal_path(&self) -> PathBuf {
        let beside = || FileJournal::beside(&self.key_path());
        self.journal.clone().unwrap_or_else(beside)
    }

    /// Returns engine options that print a warning for each tampered record.
    pub(crate) fn options(&self) -> Options {
        Options {
            report: Some(report()),
            unjournaled_store: match self.accept_restore {
                true => UnjournaledStore::Accept,
                false => UnjournaledStore::Refuse,
            },
            if_store_missing: match self.accept_new_store {
                true => IfStoreMissing::Create,
                false => IfStoreMissing::Refuse,
            },
            revoke_created_before: self.revoke_before,
            ..self.quiet_options()
        }
    }

    pub(crate) fn quiet_options(&self) -> Options {
        Options { max_staleness: self.max_staleness, ..Options::new(schema()) }
    }

    pub(crate) fn key_path(&self) -> PathBuf {
        let beside = || KeyFile::beside(self.store.path());
        self.key_file.clone().unwrap_or_else(beside)
    }

    fn lock_or_create_key(&self) -> Result<(StoreKey, KeyLock), Failure> {
        let path: &Path = &self.key_path();
        if let Err(error) = KeyFile::load(path) {
            let made = match error {
                FileError::Missing(_) => KeyFile::create(path),
                error => Err(error),
            };
            match made {
                // Another process may have created it meanwhile.
                Ok(_) | Err(FileError::Exists(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.lock_key()
    }

    fn make_store(&self) -> Result<OpenStore, Failure> {
        Ok(match &self.store {
            StoreUrl::Sqlite(path) => OpenStore::Sqlite(Arc::new(SqliteStore::open(path)?)),
            StoreUrl::Sled(path) => OpenStore::Sled(Arc::new(SledStore::open(path)?)),
        })
    }
}

fn is_missing_or_empty(folder: &Path) -> Result<bool, Failure> {
    let read = |source| Failure::Read { path: folder.to_owned(), source };
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            Some(entry) => entry.map(|_| false).map_err(read),
            None => Ok(true),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(read(error)),
    }
}

/// An engine with the lock on its key.
#[derive(Debug)]
pub(crate) struct Opened {
    // Dropped before the lock.
    engine: Engine,
    lock: KeyLock,
}

impl Opened {
    /// Returns the engine and the lock on its key, which must outlive the engine.
    pub(crate) fn into_parts(self) -> (Engine, KeyLock) {
        (self.engine, self.lock)
    }

    /// Closes the engine and returns the lock, which is still held.
    pub(crate) fn close(self) -> KeyLock {
        drop(self.engine);
        self.lock
    }
}

impl Deref for Opened {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

fn print_rollback(rollback: &RollbackReport) {
    if rollback.accepted {
        output::warning(
            "the store was opened without its journal: tokens revoked after its last backup work \
             again; revoke them, or revoke all tokens created before a time with `--revoke-before`",
        );
        return;
    }
    let revoked = output::count(rollback.revoked, "record");
    output::warning(format!(
        "the store was rolled back to an earlier copy; replayed revocations of {revoked} from the \
         journal. Other changes since that copy are lost; see `symbolon audit show`"
    ));
}

/// Maximum number of integrity warnings; `fsck` lists all faults.
const SHOWN: usize = 20;

fn report() -> IntegrityCallback {
    let printed = Mutex::new(HashSet::new());
    Arc::new(move |fault: &IntegrityFault| {
        let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
        let text = format!("{:?}: {}", fault.key, fault.problem);
        if printed.len() <= SHOWN && printed.insert(text.clone()) {
            match printed.len() {
                1..=SHOWN => output::warning(text),
                _ => output::warning("more records failed verification; run `symbolon fsck`"),
            }
        }
    })
}
