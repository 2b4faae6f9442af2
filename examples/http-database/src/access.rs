//! The store of the server's tokens.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use symbolon::journal::JournalKeys;
use symbolon::{
    Action, Caller, Engine, Id, NewAuthorization, Options, Permission, ResourceType, Schema,
};
use symbolon_files::{KeyFile, KeyLock, create_private};
use symbolon_journal::FileJournal;
use symbolon_sqlite::SqliteStore;
use zeroize::Zeroizing;

/// The one organization of this server.
const ORGANIZATION: &str = "example";

/// The tokens of the server, opened.
#[derive(Debug)]
pub struct Access {
    engine: Arc<Engine>,
    organization: Id,
    made: Option<PathBuf>,
    // As long as the server runs nobody rotates the key, which it would not hear of.
    _held: KeyLock,
}

/// InfluxDB's resource types for whoever manages tokens, databases by name for the tokens.
pub fn options() -> Options {
    Options::new(Schema::influxdb_v2().and(Schema::databases()))
}

impl Access {
    /// Opens the tokens in `folder`: `tokens.db`, and its key and journal in `tokens.db.keys`. The first time it makes them, an
    /// organization, and a token that makes others, in a file that only its owner can read.
    ///
    /// # Errors
    ///
    /// Why not, and what sets it right.
    pub fn open(folder: &Path, options: Options) -> Result<Self, Box<dyn Error>> {
        let path = folder.join("tokens.db");
        let store = SqliteStore::open(&path)?;
        let key_path = KeyFile::beside(&path);
        drop(KeyFile::open(&key_path, &store)?);
        let held = KeyFile::hold(&key_path)?;
        let key = KeyFile::load(&key_path)?;
        // What has ended stays ended, also when a backup of the store is put back.
        let journal = FileJournal::open(&FileJournal::beside(&key_path), JournalKeys::new(&key))?;
        let options = Options {
            journal: Some(Arc::new(journal)),
            ..options
        };
        let engine = Arc::new(Engine::create(Arc::new(store), key, options)?);
        let found = engine
            .issuer()
            .organization_named(&Caller::Root, ORGANIZATION);
        let (organization, made) = match found {
            Ok(organization) => (organization.id, None),
            Err(symbolon::Error::NotFound(_)) => make(&engine, folder)?,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            engine,
            organization,
            made,
            _held: held,
        })
    }

    /// The engine.
    pub fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    /// The organization that every database belongs to.
    pub fn organization(&self) -> Id {
        self.organization
    }

    /// The file to which a token was written when it was opened, if that was the first time.
    pub fn made(&self) -> Option<&Path> {
        self.made.as_deref()
    }
}

/// Whoever makes tokens holds what they may be given: nobody grants what they do not hold.
fn make(engine: &Engine, folder: &Path) -> Result<(Id, Option<PathBuf>), Box<dyn Error>> {
    let issuer = engine.issuer();
    let root = Caller::Root;
    let organization = issuer.create_organization(&root, ORGANIZATION, "")?.id;
    let kinds = [ResourceType::AUTHORIZATIONS, ResourceType::DATABASES];
    let both = |kind| [Action::READ, Action::WRITE].map(|action| Permission::new(action, kind));
    let all = kinds.into_iter().flat_map(both);
    let all = all.map(|one| one.organization(organization));
    let mut new = NewAuthorization::new(organization, all);
    new.description = "admin".into();
    let (token, _) = issuer.create(&root, new)?;
    let path = folder.join("admin.token");
    let line = Zeroizing::new(format!("{}\n", token.reveal()));
    create_private(&path, line.as_bytes())?;
    Ok((organization, Some(path)))
}
