//! Errors of the commands, with hints that name commands and options.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use symbolon::backup::BackupError;
use symbolon::import::ImportError;
use symbolon::journal::JournalError;
use symbolon::{AdminError, ExportError, Field, KeyId, OpenError, SchemaError, StoreError};
use symbolon_files::FileError;
use symbolon_sled::SledError;
use symbolon_sqlite::SqliteError;

use crate::shell_quote::quote;
use crate::store_url::StoreUrl;

/// A failure of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(
        "there is no store at `{0}`; create one with `symbolon setup` or `symbolon import`, \
         or pass its location with `--store`"
    )]
    NoStore(StoreUrl),
    #[error(transparent)]
    Sqlite(#[from] SqliteError),
    #[error(transparent)]
    Sled(#[from] SledError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Input(#[from] ImportError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("invalid configuration file `{}`: {reason}", path.display())]
    Config { path: PathBuf, reason: String },
    #[error("cannot listen on `{address}`; choose another address with `--listen`")]
    Listen { address: std::net::SocketAddr, source: io::Error },
    #[error("the server failed")]
    Serve(#[source] io::Error),
    #[error("cannot read standard input")]
    Stdin(#[source] io::Error),
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    #[error("no token given; write it to standard input, or pass its file with `--token-file`")]
    NoToken,
    #[error("unknown {what} `{name}`")]
    Unknown { what: &'static str, name: String },
    #[error("unknown {what} `{name}`; see `symbolon {list} list`")]
    NotListed { what: Field, name: String, list: &'static str },
    #[error(
        "unknown bucket `{0}`; give its id (16 hexadecimal digits), \
         or the name of a registered bucket"
    )]
    NoBucket(String),
    #[error("authorization must include permissions; give at least one, such as `--read-buckets`")]
    NoPermission,
    #[error(
        "the user `{user}` does not belong to the organization `{org}`; \
         see `symbolon org members list`"
    )]
    NoMember { user: String, org: String },
    #[error("{what} `{name}` exists already; choose another name")]
    Taken { what: &'static str, name: String },
    #[error("{what} `{name}` exists already; choose another name, or pass `--adopt` to use it")]
    NotAdopted { what: &'static str, name: String },
    #[error("the set-up code of {place} is not valid")]
    SetupCode { place: String, source: symbolon_http::InvalidSetupCode },
    #[error(
        "`{}` holds something other than a generated set-up code; move it away, or give a code \
         with `--setup-code-file`", .0.display()
    )]
    NotASetupCode(PathBuf),
    #[error(
        "name the store on the command line, as in `--store {0}`; \
         this command uses neither SYMBOLON_STORE nor the default"
    )]
    StoreNotNamed(StoreUrl),
    #[error("`--{0}`: {1}")]
    Argument(&'static str, String),
    #[error(
        "{0} of the rows cannot be imported, and nothing was written; \
         correct them, or skip them with `--skip-invalid`"
    )]
    BadRows(usize),
    #[error("import stopped after {done} of {all} new items; run it again to continue")]
    Stopped { done: usize, all: usize, source: AdminError },
    #[error(
        "cannot write the token to `{}`; it was printed instead and is not shown again",
        path.display()
    )]
    TokenFile { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(
        "refusing to write a backup or hashes to a terminal; \
         name a file, or redirect the output with `>` or `|`"
    )]
    Terminal,
    #[error("cannot write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "`{}` exists already; pass `--replace` to rename it, \
         and to put the restored store in its place",
        .0.display()
    )]
    StoreExists(PathBuf),
    #[error(
        "the store `{}` is in use by another process, since its log exists; \
         stop that process first",
        .0.display()
    )]
    InUse(PathBuf),
    #[error("cannot close the restored store at `{0}`; free some disk space and try again")]
    Unfinished(StoreUrl),
    #[error("another `symbolon restore` of this store is running")]
    Restoring,
    #[error("`{}` contains files that no restore created; move them away", .0.display())]
    NotOurs(PathBuf),
    #[error("restored the store to `{store}`, but cannot open it")]
    RestoredUnopened { store: StoreUrl, source: Box<Failure> },
    #[error(
        "the journal `{}` has no entries for the store `{store}`, which is not new: tokens revoked \
         after its last backup may work again; restore the journal, or accept this with \
         `--accept-restore` and revoke all tokens created before a time with \
         `--revoke-before TIME`",
        journal.display()
    )]
    NoJournal { store: StoreUrl, journal: PathBuf },
    #[error(
        "the backup was made before its key was rotated and needs the full key {0}; \
         pass a copy of the key file from that time with `--old-key-file PATH`"
    )]
    OldBackup(KeyId),
    #[error(
        "the store `{store}` is from before its key was rotated and needs the full key {key}; \
         back it up with `symbolon backup`, then restore it with \
         `symbolon restore --replace --old-key-file PATH`, where PATH is a copy of the key file \
         from that time"
    )]
    OldStore { store: StoreUrl, key: KeyId },
    #[error(
        "there is no store at `{store}`, but the journal `{}` records changes of one; mount the \
         volume of the store, or restore it with `symbolon restore`; to create a new store, move \
         the journal away or pass `--accept-new-store`",
        journal.display()
    )]
    StoreMissing { store: StoreUrl, journal: PathBuf },
    #[error(
        "the journal `{}` belongs to another store; \
         pass the journal of this store with `--journal`",
        .0.display()
    )]
    ForeignJournal(PathBuf),
    #[error("the store is not sound: {0} found")]
    Unsound(String),
    #[error("the journal is not sound: {0} found")]
    UnsoundJournal(String),
}

impl Failure {
    /// Returns which command helps, for an error of a library.
    pub(crate) fn hint(&self) -> Option<Cow<'static, str>> {
        match self.file_error() {
            Some(FileError::WritableFolder { path, .. }) => {
                Some(format!("`chmod go-w {}` corrects this.", quote(path)).into())
            }
            Some(FileError::Exposed { path, .. }) => {
                Some(format!("`chmod go= {}` corrects this.", quote(path)).into())
            }
            _ => self.command().map(Cow::Borrowed),
        }
    }

    fn file_error(&self) -> Option<&FileError> {
        match self {
            Self::File(error)
            | Self::Sqlite(SqliteError::File(error))
            | Self::Sled(SledError::Folder(error)) => Some(error),
            Self::RestoredUnopened { source, .. } => source.file_error(),
            _ => None,
        }
    }

    /// Returns which command or option of this program helps.
    fn command(&self) -> Option<&'static str> {
        let admin = match self {
            Self::Admin(error) | Self::Stopped { source: error, .. } => error,
            Self::Open(OpenError::Change(error)) => error,
            Self::Open(OpenError::Journal(error)) => return journal_hint(error),
            Self::RestoredUnopened { source, .. } => return source.command(),
            _ => return None,
        };
        match admin {
            AdminError::Tampered(_) => Some("`symbolon fsck` lists all tampered records."),
            AdminError::PreviouslyRevoked(_) => {
                Some("`symbolon import --revive` imports it as it was.")
            }
            AdminError::Journal(error) => journal_hint(error),
            _ => None,
        }
    }

    /// Returns `true` if the reader of standard output closed the pipe.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn journal_hint(error: &JournalError) -> Option<&'static str> {
    matches!(error, JournalError::Broken { .. }).then_some(
        "`symbolon audit verify` lists all damage. To go on without the journal, move its folder \
         away and pass `--accept-restore`.",
    )
}
