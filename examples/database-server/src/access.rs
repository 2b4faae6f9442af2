//! Access control: the server's own resource type, and its token store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use symbolon::journal::JournalKeys;
use symbolon::{
    Action, Admin, Caller, Engine, Id, NewAuthorization, NewOrganization, Options, Permission,
    ResourceType, Schema, Verifier,
};
use symbolon_files::{FileError, KeyFile, KeyLock, create_private};
use symbolon_journal::FileJournal;
use symbolon_sqlite::{SqliteError, SqliteStore};
use zeroize::Zeroizing;

/// Resource type of the server, used with the actions `read` and `write`.
pub const TABLES: ResourceType = match ResourceType::new("tables") {
    Ok(kind) => kind,
    Err(_) => panic!("not a name"),
};

/// Name of the server's only organization.
const ORGANIZATION: &str = "example";

/// The open token store.
#[derive(Debug)]
pub struct Access {
    // Kept while the server runs: it follows the writes of other processes.
    engine: Engine,
    organization: Id,
    made: Vec<PathBuf>,
    _held: KeyLock,
}

/// An error of opening the token store.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The store cannot be opened.
    #[error("the store of tokens cannot be opened")]
    Sqlite(#[from] SqliteError),
    /// The engine cannot be opened.
    #[error("the store of tokens cannot be opened")]
    Open(#[from] symbolon::OpenError),
    /// A file of the key or the journal cannot be created or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Reading or creating the tokens failed.
    #[error(transparent)]
    Admin(#[from] symbolon::AdminError),
}

/// Returns the server's schema with default options.
pub fn options() -> Options {
    // Tables are identified by name within their organization.
    Options::new(Schema::new([Action::READ, Action::WRITE]).by_name(TABLES))
}

impl Access {
    /// Opens the token store in `folder`: `tokens.db`, with key and journal in `tokens.db.keys`.
    /// The first call creates them, the organization, and two tokens, each in a file that only its
    /// owner can read.
    ///
    /// # Errors
    ///
    /// Fails if the store, the key or the journal cannot be opened.
    pub fn open(folder: &Path, options: Options) -> Result<Self, AccessError> {
        let path = folder.join("tokens.db");
        let store = SqliteStore::open(&path)?;
        let key_path = KeyFile::beside(&path);
        drop(KeyFile::open(&key_path, &store)?);
        // Prevents a key rotation while the server runs, because it cannot load a new key.
        let held = KeyFile::hold(&key_path)?;
        let key = KeyFile::load(&key_path)?;
        // Restoring a backup never reactivates a revoked token.
        let journal = FileJournal::open(&FileJournal::beside(&key_path), JournalKeys::new(&key))?;
        let options = Options { journal: Some(Arc::new(journal)), ..options };
        let engine = Engine::create(Arc::new(store), key, options)?;
        let found = engine.admin(Caller::Root).organizations().find(ORGANIZATION);
        let (organization, made) = match found {
            Ok(organization) => (organization.id, Vec::new()),
            Err(symbolon::AdminError::NotFound(_)) => make(&engine, folder)?,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { engine, organization, made, _held: held })
    }

    /// Returns the organization of all tables.
    pub fn organization(&self) -> Id {
        self.organization
    }

    /// Returns the files to which `open` wrote new tokens.
    pub fn made(&self) -> &[PathBuf] {
        &self.made
    }

    /// Returns the part that answers checks.
    pub fn verifier(&self) -> Verifier {
        self.engine.verifier()
    }

    /// Returns the part that creates and revokes tokens, for this server itself.
    pub fn root(&self) -> Admin {
        self.engine.admin(Caller::Root)
    }
}

fn make(engine: &Engine, folder: &Path) -> Result<(Id, Vec<PathBuf>), AccessError> {
    let root = engine.admin(Caller::Root);
    let organization = root.organizations().create(NewOrganization::named(ORGANIZATION))?.id;
    let mut made = Vec::new();
    // `write` does not imply `read`.
    for (name, action) in [("reader", Action::READ), ("writer", Action::WRITE)] {
        let all_tables = Permission::new(action, TABLES).organization(organization);
        let mut new = NewAuthorization::new(organization, [all_tables]);
        new.description = name.into();
        let (token, _) = root.authorizations().create(new)?;
        let path = folder.join(format!("{name}.token"));
        let line = Zeroizing::new(format!("{}\n", token.reveal()));
        create_private(&path, line.as_bytes())?;
        made.push(path);
    }
    Ok((organization, made))
}
