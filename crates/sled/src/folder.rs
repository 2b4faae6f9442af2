//! The folder of a store: making and opening it, and the witness of its newest commit.

use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use symbolon::StoreError;
use symbolon::store::{End, Epoch, Revision};
use symbolon_files::{create_private, open_private, private_dir, sync_dir};

use crate::error::{OpenError, caught, unreadable};
use crate::layout::{STATE_KEY, State};
use crate::trees::{Change, SEGMENT, Trees, Which};

/// Whether there must be a store already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Must {
    Exist,
    Any,
}

pub(crate) struct Folder {
    /// sled's file, to sync it. A failure to write back reaches every handle that was open then.
    pub(crate) db: File,
    witness: File,
    /// Whether sled has locked the file, through a handle of its own.
    locked: bool,
}

impl Folder {
    pub(crate) fn open(path: &Path, must: Must) -> Result<(Self, Trees, State), OpenError> {
        let missing = || OpenError::Missing(path.into());
        if must == Must::Exist && !path.exists() {
            return Err(missing());
        }
        private_dir(path)?;
        let witness = match Witness::read(path)? {
            Some(Witness::UNFINISHED) if must == Must::Exist => return Err(missing()),
            Some(witness) => witness,
            None if !is_empty(path)? => return Err(OpenError::Foreign(path.into())),
            None if must == Must::Exist => return Err(missing()),
            None => {
                create_private(&path.join(WITNESS), &Witness::UNFINISHED.text())?;
                Witness::UNFINISHED
            }
        };
        let finished = witness != Witness::UNFINISHED;
        let size = fs::metadata(path.join("db")).map_or(0, |found| found.len());
        if finished && size == 0 {
            return Err(damaged(path, "its file `db` is missing or empty"));
        }
        // Made before sled makes them, for their modes.
        private_dir(&path.join("blobs"))?;
        open_private(&path.join("conf"))?;
        let mut folder = Self {
            db: open_private(&path.join("db"))?,
            witness: open_private(&path.join(WITNESS))?,
            locked: true,
        };
        let failed = |error: std::io::Error| failed(path, error);
        // Else sled may read, and build on, what a power cut can still take back.
        folder.db.sync_all().map_err(failed)?;
        let opened = open_trees(path);
        folder.locked = !matches!(opened, Err(OpenError::InUse));
        let trees = opened?;
        let state = caught(|| check(&trees, witness)).map_err(|error| broken(path, error))?;
        let state = match state {
            Some(state) => state,
            None => folder.finish(path, &trees)?,
        };
        close_modes(path).map_err(failed)?;
        caught(|| trees.flush(&folder.db)).map_err(|error| self::failed(path, error))?;
        sync_dir(path)?;
        folder.witness(state.end);
        folder.witness.sync_all().map_err(failed)?;
        Ok((folder, trees, state))
    }

    /// Writes the state that makes a store of an empty database.
    fn finish(&self, path: &Path, trees: &Trees) -> Result<State, OpenError> {
        let mut epoch = [0; 8];
        getrandom::fill(&mut epoch).map_err(|error| failed(path, error))?;
        // 0 is the mark of a store that was not finished.
        let epoch = u64::from_ne_bytes(epoch).max(1);
        let state = State::new(Epoch(epoch));
        let change = Change {
            tree: Which::Meta,
            key: STATE_KEY.to_vec(),
            value: Some(state.encode().to_vec()),
        };
        let written = caught(|| trees.write(&self.db, &[change]));
        written.map_err(|error| failed(path, error))?;
        Ok(state)
    }

    /// Notes the newest commit outside of sled. It is not synced, so that after a power cut it may be older, but
    /// never newer, than what is on disk.
    pub(crate) fn witness(&self, end: End) {
        let witness = Witness {
            epoch: end.epoch,
            head: end.head,
        };
        // The commit has been made; a note that is missing only shows less.
        let _ = self.witness.write_all_at(&witness.text(), 0);
    }

    /// Refuses a write of so many bytes when the disk is nearly full, while nothing has been written yet.
    pub(crate) fn check_space(&self, bytes: usize) -> Result<(), StoreError> {
        // sled writes whole pages, and moves others to free a segment.
        let needed = 4 * (bytes + SEGMENT);
        let Ok(disk) = rustix::fs::fstatvfs(&self.db) else {
            return Ok(());
        };
        match disk.f_bavail.saturating_mul(disk.f_frsize) < needed as u64 {
            true => Err(StoreError::Full),
            false => Ok(()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = self.witness.sync_all();
        // A thread of sled may keep its lock a little longer, and a store that was closed can be opened.
        for _ in 0..1000 {
            if !self.locked || self.db.try_lock().is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

const WITNESS: &str = "symbolon";

/// The file that says what the folder is, and which commit was the newest. Its length never changes, so that it is
/// overwritten in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Witness {
    epoch: Epoch,
    head: Revision,
}

impl Witness {
    /// Of a store that was never opened, in which nothing can be yet.
    const UNFINISHED: Self = Self {
        epoch: Epoch(0),
        head: Revision::ABSENT,
    };

    fn read(folder: &Path) -> Result<Option<Self>, OpenError> {
        let path = folder.join(WITNESS);
        if !path.exists() {
            return Ok(None);
        }
        let mut text = String::new();
        let read = open_private(&path)?.read_to_string(&mut text);
        match Self::parse(&text) {
            Some(witness) if read.is_ok() => Ok(Some(witness)),
            _ if text.starts_with(TITLE) => Err(OpenError::Later(folder.into())),
            _ => Err(damaged(folder, "its file `symbolon` cannot be read")),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(TITLE)?.strip_prefix(" 1\nepoch ")?;
        let (epoch, head) = rest.strip_suffix('\n')?.split_once("\nhead ")?;
        Some(Self {
            epoch: Epoch(u64::from_str_radix(epoch, 16).ok()?),
            head: Revision(head.parse().ok()?),
        })
    }

    fn text(self) -> Vec<u8> {
        let (epoch, head) = (self.epoch.0, self.head.0);
        format!("{TITLE} 1\nepoch {epoch:016x}\nhead {head:020}\n").into()
    }
}

const TITLE: &str = "symbolon sled store";

fn open_trees(path: &Path) -> Result<Trees, OpenError> {
    let config = sled::Config::new()
        .path(path)
        .segment_size(SEGMENT)
        .cache_capacity(CACHE)
        // Every commit flushes.
        .flush_every_ms(None);
    let opened = caught(|| Ok::<_, StoreError>(config.open().and_then(Trees::open)));
    match opened.map_err(|error| broken(path, error))? {
        Ok(trees) => Ok(trees),
        Err(sled::Error::Io(error)) if error.to_string().contains("could not acquire lock") => {
            Err(OpenError::InUse)
        }
        Err(error) => Err(broken(path, unreadable(error))),
    }
}

/// The state of the store, if everything is there that was confirmed; none if the store was not finished.
fn check(trees: &Trees, witness: Witness) -> Result<Option<State>, StoreError> {
    let corrupt = |what: String| Err(StoreError::Corrupt(what));
    let state = match trees.state()? {
        None if witness == Witness::UNFINISHED => return Ok(None),
        None => return corrupt("its contents are gone".into()),
        Some(state) => state,
    };
    let End { epoch, head, .. } = state.end;
    if witness != Witness::UNFINISHED && epoch != witness.epoch {
        return corrupt("its files belong to different stores".into());
    }
    if head < witness.head {
        let (head, newest) = (head.0, witness.head.0);
        return corrupt(format!(
            "it ends with commit {head}, but {newest} was confirmed"
        ));
    }
    let (records, revisions) = trees.sums()?;
    if records != state.sum || revisions != state.sum {
        let (found, all) = (records.entries, state.sum.entries);
        return corrupt(format!(
            "{found} of {all} records are there, or some are old"
        ));
    }
    Ok(Some(state))
}

/// Only snapshots are made by sled itself, at each opening.
fn close_modes(path: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b"snap.") {
            fs::set_permissions(entry.path(), Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

fn is_empty(path: &Path) -> Result<bool, OpenError> {
    let mut entries = fs::read_dir(path).map_err(|error| failed(path, error))?;
    Ok(entries.next().is_none())
}

fn damaged(path: &Path, what: impl Into<String>) -> OpenError {
    let (path, what) = (PathBuf::from(path), what.into());
    OpenError::Damaged { path, what }
}

fn broken(path: &Path, error: StoreError) -> OpenError {
    match error {
        StoreError::Corrupt(what) => damaged(path, what),
        other => failed(path, other),
    }
}

fn failed(path: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> OpenError {
    let (path, source) = (PathBuf::from(path), error.into());
    OpenError::Failed { path, source }
}

/// Bytes that sled keeps in memory: enough for the upper pages of all trees.
const CACHE: u64 = 64 << 20;
