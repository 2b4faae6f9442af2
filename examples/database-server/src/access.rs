//! Who may do what: the server's own words, and the store of its tokens.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use symbolon::journal::JournalKeys;
use symbolon::{
    Action, Caller, Engine, Id, Issuer, NewAuthorization, Options, Permission, ResourceType,
    Schema, Verifier,
};
use symbolon_files::{FileError, KeyFile, KeyLock, create_private};
use symbolon_journal::FileJournal;
use symbolon_sqlite::{OpenError, SqliteStore};
use zeroize::Zeroizing;

/// What the server protects, beside its actions `read` and `write`.
pub const TABLES: ResourceType = match ResourceType::new("tables") {
    Ok(kind) => kind,
    Err(_) => panic!("not a name"),
};

/// The one organization of this server.
const ORGANIZATION: &str = "example";

/// The tokens of the server, opened.
#[derive(Debug)]
pub struct Access {
    // Kept while the server runs: it follows what other processes write to the store.
    engine: Engine,
    organization: Id,
    made: Vec<PathBuf>,
    _held: KeyLock,
}

/// Why the tokens cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The store cannot be opened.
    #[error("the store of tokens cannot be opened")]
    Open(#[from] OpenError),
    /// A file cannot be made or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The journal cannot be opened.
    #[error(transparent)]
    Journal(#[from] symbolon_journal::OpenError),
    /// The engine refuses.
    #[error(transparent)]
    Engine(#[from] symbolon::Error),
}

/// The server's schema, and everything else as it is unless changed.
pub fn options() -> Options {
    // Tables are told apart by name, in their organization.
    Options::new(Schema::new([Action::READ, Action::WRITE]).by_name(TABLES))
}

impl Access {
    /// Opens the tokens in `folder`: `tokens.db`, and its key and journal in `tokens.db.keys`. The first time it makes both, the
    /// organization, and two tokens, each in a file that only its owner can read.
    ///
    /// # Errors
    ///
    /// Why not, and what sets it right.
    pub fn open(folder: &Path, options: Options) -> Result<Self, AccessError> {
        let path = folder.join("tokens.db");
        let store = SqliteStore::open(&path)?;
        let key_path = KeyFile::beside(&path);
        drop(KeyFile::open(&key_path, &store)?);
        // As long as the server runs nobody rotates the key, which it would not hear of.
        let held = KeyFile::hold(&key_path)?;
        let key = KeyFile::load(&key_path)?;
        // What has ended stays ended, also when a backup of the store is put back.
        let journal = FileJournal::open(&FileJournal::beside(&key_path), JournalKeys::new(&key))?;
        let options = Options {
            journal: Some(Arc::new(journal)),
            ..options
        };
        let engine = Engine::create(Arc::new(store), key, options)?;
        let found = engine
            .issuer()
            .organization_named(&Caller::Root, ORGANIZATION);
        let (organization, made) = match found {
            Ok(organization) => (organization.id, Vec::new()),
            Err(symbolon::Error::NotFound(_)) => make(&engine.issuer(), folder)?,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            engine,
            organization,
            made,
            _held: held,
        })
    }

    /// The organization that every table belongs to.
    pub fn organization(&self) -> Id {
        self.organization
    }

    /// The files to which tokens were written when it was opened.
    pub fn made(&self) -> &[PathBuf] {
        &self.made
    }

    /// What answers checks.
    pub fn verifier(&self) -> Verifier {
        self.engine.verifier()
    }

    /// What makes and ends tokens.
    pub fn issuer(&self) -> Arc<Issuer> {
        self.engine.issuer()
    }
}

fn make(issuer: &Issuer, folder: &Path) -> Result<(Id, Vec<PathBuf>), AccessError> {
    let root = Caller::Root;
    let organization = issuer.create_organization(&root, ORGANIZATION, "")?.id;
    let mut made = Vec::new();
    // `write` does not imply `read`.
    for (name, action) in [("reader", Action::READ), ("writer", Action::WRITE)] {
        let all_tables = Permission::new(action, TABLES).organization(organization);
        let mut new = NewAuthorization::new(organization, [all_tables]);
        new.description = name.into();
        let (token, _) = issuer.create(&root, new)?;
        let path = folder.join(format!("{name}.token"));
        let line = Zeroizing::new(format!("{}\n", token.reveal()));
        create_private(&path, line.as_bytes())?;
        made.push(path);
    }
    Ok((organization, made))
}
