//! Errors of the commands, with hints that name commands and options.

use std::io;
use std::path::PathBuf;

use symbolon::backup::BackupError;
use symbolon::import::ImportError;
use symbolon::journal::JournalError;
use symbolon::{ExportError, Field, KeyId, SchemaError, StoreError};
use symbolon_files::FileError;

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
    Sqlite(#[from] symbolon_sqlite::OpenError),
    #[error(transparent)]
    Sled(#[from] symbolon_sled::OpenError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Engine(#[from] symbolon::Error),
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
    Stopped { done: usize, all: usize, source: symbolon::Error },
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
    #[error(transparent)]
    Journal(#[from] symbolon_journal::OpenError),
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
    /// Returns which command or option of this program helps, for an error of a library.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        let engine = match self {
            Self::Engine(error) | Self::Stopped { source: error, .. } => error,
            Self::RestoredUnopened { source, .. } => return source.hint(),
            _ => return None,
        };
        match engine {
            symbolon::Error::Tampered(_) => Some("`symbolon fsck` lists all tampered records."),
            symbolon::Error::PreviouslyRevoked(_) => {
                Some("`symbolon import --revive` imports it as it was.")
            }
            symbolon::Error::Journal(error) if matches!(**error, JournalError::Broken { .. }) => {
                Some(
                    "`symbolon audit verify` lists all damage. To go on without the journal, \
                     move its folder away and pass `--accept-restore`.",
                )
            }
            _ => None,
        }
    }

    /// Returns `true` if the reader of standard output closed the pipe.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
