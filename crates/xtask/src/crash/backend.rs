//! The stores of a crash test.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use clap::ValueEnum;
use symbolon_conformance::crash::Opened;
use symbolon_sled::SledStore;
use symbolon_sqlite::SqliteStore;

/// A store on disk.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Backend {
    Sqlite,
    Sled,
}

impl Backend {
    pub(super) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    pub(super) fn open(self, dir: &Path) -> Opened {
        Ok(match self {
            Self::Sqlite => Arc::new(SqliteStore::open(dir.join("store.db"))?),
            Self::Sled => Arc::new(SledStore::open(dir.join("store"))?),
        })
    }

    /// Returns the command that writes to this store until it is killed.
    pub(super) fn child(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.args(["crash-child", "--backend", &self.name()]);
        command
    }
}
