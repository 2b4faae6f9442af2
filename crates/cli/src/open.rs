//! Opening a store with its key, and making both.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use symbolon::{
    Engine, Fault, FaultReport, MemoryStore, Options, Schema, StoreError, StoreKey, TokenStore,
};
use symbolon_files::{FileError, KeyFile};
use symbolon_sled::SledStore;
use symbolon_sqlite::SqliteStore;

use crate::arguments::Global;
use crate::error::Failure;
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

    /// What is damaged, whether genuine or not.
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

/// What the actions and resource types are.
pub(crate) fn schema() -> Schema {
    Schema::influxdb_v2().and(Schema::databases())
}

/// An engine on nothing, where changes can be tried before anything is made.
pub(crate) fn rehearsal() -> Result<Engine, Failure> {
    let store = Arc::new(MemoryStore::new());
    Ok(Engine::create(
        store,
        StoreKey::generate()?,
        Options::new(schema()),
    )?)
}

impl Global {
    /// Opens the store if there is one.
    pub(crate) fn open_store(&self) -> Result<Option<OpenStore>, Failure> {
        use symbolon_sled::OpenError as Sled;
        use symbolon_sqlite::OpenError as Sqlite;
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

    /// Opens the store, which must be there; nothing is made.
    pub(crate) fn open(&self) -> Result<Engine, Failure> {
        self.open_if_made()?
            .ok_or_else(|| Failure::NoStore(self.store.clone()))
    }

    /// The same; none if there is no store, or an empty one.
    pub(crate) fn open_if_made(&self) -> Result<Option<Engine>, Failure> {
        match self.open_store()? {
            Some(store) if !store.is_new()? => {
                let engine = Engine::open(store.shared(), self.load_key()?, self.options())?;
                Ok(Some(engine))
            }
            _ => Ok(None),
        }
    }

    /// Opens the store, and makes it and its key if there is none. The key comes first: a store without one would be
    /// lost.
    pub(crate) fn open_or_make(&self) -> Result<Engine, Failure> {
        let (store, key) = match self.open_store()? {
            Some(store) if !store.is_new()? => (store, self.load_key()?),
            Some(store) => (store, self.load_or_make_key()?),
            None => {
                let key = self.load_or_make_key()?;
                (self.make_store()?, key)
            }
        };
        Ok(Engine::create(store.shared(), key, self.options())?)
    }

    pub(crate) fn load_key(&self) -> Result<StoreKey, Failure> {
        Ok(KeyFile::load(&self.key_path())?)
    }

    /// Options that print every fault.
    fn options(&self) -> Options {
        Options {
            report: Some(report()),
            ..self.quiet_options()
        }
    }

    pub(crate) fn quiet_options(&self) -> Options {
        Options {
            max_staleness: self.max_staleness,
            ..Options::new(schema())
        }
    }

    pub(crate) fn key_path(&self) -> PathBuf {
        let beside = || KeyFile::beside(self.store.path());
        self.key_file.clone().unwrap_or_else(beside)
    }

    fn load_or_make_key(&self) -> Result<StoreKey, Failure> {
        let path: &Path = &self.key_path();
        match KeyFile::load(path) {
            Err(FileError::Missing(_)) => match KeyFile::create(path) {
                // Another process was quicker.
                Err(FileError::Exists(_)) => Ok(KeyFile::load(path)?),
                made => Ok(made?),
            },
            loaded => Ok(loaded?),
        }
    }

    fn make_store(&self) -> Result<OpenStore, Failure> {
        Ok(match &self.store {
            StoreUrl::Sqlite(path) => OpenStore::Sqlite(Arc::new(SqliteStore::open(path)?)),
            StoreUrl::Sled(path) => OpenStore::Sled(Arc::new(SledStore::open(path)?)),
        })
    }
}

/// Faults beyond these are only counted by `fsck`.
const SHOWN: usize = 20;

fn report() -> FaultReport {
    let told = Mutex::new(HashSet::new());
    Arc::new(move |fault: &Fault| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let text = format!("{:?}: {}", fault.key, fault.problem);
        if told.len() <= SHOWN && told.insert(text.clone()) {
            match told.len() {
                1..=SHOWN => output::warning(text),
                _ => output::warning("there are more; run `symbolon fsck`"),
            }
        }
    })
}
