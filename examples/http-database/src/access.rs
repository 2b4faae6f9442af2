//! The token store of the server.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use symbolon::journal::JournalKeys;
use symbolon::{
    Action, Caller, Engine, Id, NewAuthorization, NewOrganization, Options, Permission,
    ResourceType, Schema,
};
use symbolon_files::{KeyFile, KeyLock, create_private};
use symbolon_journal::FileJournal;
use symbolon_sqlite::SqliteStore;
use zeroize::Zeroizing;

/// Name of the server's only organization.
const ORGANIZATION: &str = "example";

/// The open token store.
#[derive(Debug)]
pub struct Access {
    engine: Arc<Engine>,
    organization: Id,
    made: Option<PathBuf>,
    // Prevents a key rotation while the server runs, because it cannot load a new key.
    _held: KeyLock,
}

/// Returns a schema with InfluxDB's resource types for managing tokens, and databases by name.
pub fn options() -> Options {
    Options::new(Schema::influxdb_v2().and(Schema::databases()))
}

impl Access {
    /// Opens the token store in `folder`: `tokens.db`, with key and journal in `tokens.db.keys`.
    /// The first call creates them, an organization, and a token that may create others, in a file
    /// that only its owner can read.
    ///
    /// # Errors
    ///
    /// Fails if the store, the key or the journal cannot be opened.
    pub fn open(folder: &Path, options: Options) -> Result<Self, Box<dyn Error>> {
        let path = folder.join("tokens.db");
        let store = SqliteStore::open(&path)?;
        let key_path = KeyFile::beside(&path);
        drop(KeyFile::open(&key_path, &store)?);
        let held = KeyFile::hold(&key_path)?;
        let key = KeyFile::load(&key_path)?;
        // Restoring a backup never reactivates a revoked token.
        let journal = FileJournal::open(&FileJournal::beside(&key_path), JournalKeys::new(&key))?;
        let options = Options { journal: Some(Arc::new(journal)), ..options };
        let engine = Arc::new(Engine::create(Arc::new(store), key, options)?);
        let found = engine.admin(Caller::Root).organizations().find(ORGANIZATION);
        let (organization, made) = match found {
            Ok(organization) => (organization.id, None),
            Err(symbolon::AdminError::NotFound(_)) => make(&engine, folder)?,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { engine, organization, made, _held: held })
    }

    /// Returns the engine.
    pub fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    /// Returns the organization of all databases.
    pub fn organization(&self) -> Id {
        self.organization
    }

    /// Returns the file to which the first call of `open` wrote a token.
    pub fn made(&self) -> Option<&Path> {
        self.made.as_deref()
    }
}

/// Creates the organization and the managing token. The token holds every permission that it may
/// grant, because no caller grants more than it holds.
fn make(engine: &Engine, folder: &Path) -> Result<(Id, Option<PathBuf>), Box<dyn Error>> {
    let root = engine.admin(Caller::Root);
    let organization = root.organizations().create(NewOrganization::named(ORGANIZATION))?.id;
    let kinds = [ResourceType::AUTHORIZATIONS, ResourceType::DATABASES];
    let both = |kind| [Action::READ, Action::WRITE].map(|action| Permission::new(action, kind));
    let all = kinds.into_iter().flat_map(both);
    let all = all.map(|one| one.organization(organization));
    let mut new = NewAuthorization::new(organization, all);
    new.description = "admin".into();
    let (token, _) = root.authorizations().create(new)?;
    let path = folder.join("admin.token");
    let line = Zeroizing::new(format!("{}\n", token.reveal()));
    create_private(&path, line.as_bytes())?;
    Ok((organization, Some(path)))
}
