//! Why a command fails, in words for whoever typed it.

use std::io;
use std::path::PathBuf;

use symbolon::backup::BackupError;
use symbolon::import::ImportError;
use symbolon::{ExportError, Field, KeyId, SchemaError, StoreError};
use symbolon_files::FileError;

use crate::store_url::StoreUrl;

/// An error that ends a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(
        "there is no store at `{0}`; make one with `symbolon setup` or `symbolon import`, or say where it is with \
         `--store`"
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
    #[error("the configuration file `{}` cannot be taken: {reason}", path.display())]
    Config { path: PathBuf, reason: String },
    #[error("cannot listen on `{address}`; choose another address with `--listen`")]
    Listen {
        address: std::net::SocketAddr,
        source: io::Error,
    },
    #[error("the server cannot run")]
    Serve(#[source] io::Error),
    #[error("cannot read standard input")]
    Stdin(#[source] io::Error),
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    #[error("there is no token: write it to standard input, or name its file with `--token-file`")]
    NoToken,
    #[error("unknown {what} `{name}`")]
    Unknown { what: &'static str, name: String },
    #[error("unknown {what} `{name}`; `symbolon {list} list` shows those there are")]
    NotListed {
        what: Field,
        name: String,
        list: &'static str,
    },
    #[error(
        "unknown bucket `{0}`; give its id of 16 hexadecimal digits, or a name that is registered"
    )]
    NoBucket(String),
    #[error("authorization must include permissions; give at least one, such as `--read-buckets`")]
    NoPermission,
    #[error(
        "the user `{user}` does not belong to the organization `{org}`; see `symbolon org members list`"
    )]
    NoMember { user: String, org: String },
    #[error("there is {what} `{name}` already; choose another name")]
    Taken { what: &'static str, name: String },
    #[error("{what} `{name}` exists already; choose another name, or use it with `--adopt`")]
    NotAdopted { what: &'static str, name: String },
    #[error(transparent)]
    SetupCode(#[from] symbolon_http::InvalidSetupCode),
    #[error(
        "name the store on the command line, as in `--store {0}`: for this command neither SYMBOLON_STORE nor the \
         default counts"
    )]
    StoreNotNamed(StoreUrl),
    #[error("`--{0}`: {1}")]
    Argument(&'static str, String),
    #[error(
        "{0} of the rows cannot be taken, and nothing was written; correct them, or leave them out with `--skip-invalid`"
    )]
    BadRows(usize),
    #[error("it stopped after {done} of {all} new items; run it again to go on")]
    Stopped {
        done: usize,
        all: usize,
        source: symbolon::Error,
    },
    #[error("the token could not be written to `{}`, so that it is printed here; keep it", path.display())]
    TokenFile { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(
        "what is written is not for a terminal; name a file, or send it elsewhere with `>` or `|`"
    )]
    Terminal,
    #[error("cannot write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "there is something at `{}` already; to keep it under another name and put the restored store in its place, \
         say `--replace`", .0.display()
    )]
    StoreExists(PathBuf),
    #[error("the store `{}` is in use by another process, for its log is still there; stop that first", .0.display())]
    InUse(PathBuf),
    #[error(
        "the restored store could not be closed at `{0}`; make room on the disk, and try again"
    )]
    Unfinished(StoreUrl),
    #[error("another `symbolon restore` of this store is running")]
    Restoring,
    #[error("`{}` holds something that no interrupted restore left; move it away", .0.display())]
    NotOurs(PathBuf),
    #[error("the store was restored to `{store}`, but it cannot be opened")]
    RestoredUnopened {
        store: StoreUrl,
        source: Box<Failure>,
    },
    #[error(transparent)]
    Journal(#[from] symbolon_journal::OpenError),
    #[error(
        "the journal `{}` knows nothing of the store `{store}`, which is not new: what was revoked since a backup of it may \
         work again; put the journal back, or accept that with `--accept-restore`, and revoke all tokens that were made \
         before a time with `--revoke-before TIME`", journal.display()
    )]
    NoJournal { store: StoreUrl, journal: PathBuf },
    #[error(
        "the backup is from before the key was rotated, and needs key {0} whole; give the key file as it was then with \
         `--old-key-file PATH`"
    )]
    OldBackup(KeyId),
    #[error(
        "the store `{store}` is as it was before its key was rotated, and needs key {key} whole; make a backup of it with \
         `symbolon backup`, and restore that with `--replace --old-key-file PATH`, the key file as it was then"
    )]
    OldStore { store: StoreUrl, key: KeyId },
    #[error(
        "there is no store at `{store}`, but the journal `{}` records changes of one: mount the volume of the store, or \
         bring it back with `symbolon restore`; to create a new one, move the journal away, or pass `--accept-new-store`",
        journal.display()
    )]
    StoreMissing { store: StoreUrl, journal: PathBuf },
    #[error("the journal `{}` belongs to another store; name the store's own with `--journal`", .0.display())]
    ForeignJournal(PathBuf),
    #[error("the store is not sound: {0} found")]
    Unsound(String),
    #[error("the journal is not sound: {0} found")]
    UnsoundJournal(String),
}

impl Failure {
    /// Whether whoever read the output went away.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
