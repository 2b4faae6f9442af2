//! Creating, opening and closing the folder of a store.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use symbolon::StoreError;
use symbolon::store::{End, Revision};
use symbolon_files::{is_unfinished, open_private, private_dir, sync_dir};

use crate::error::{SledError, caught, unreadable};
use crate::layout::State;
use crate::trees::{SEGMENT, Trees};
use crate::witness::{self, Witness};

/// Handling of a missing store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CreateMode {
    Exist,
    Any,
}

pub(crate) struct Folder {
    /// Handle for syncing sled's file. A write-back error reaches every handle open at that time.
    pub(crate) db: File,
    witness: File,
    /// Separate handle that shows whether sled has locked its file.
    locked: bool,
}

impl Folder {
    pub(crate) fn open(path: &Path, must: CreateMode) -> Result<(Self, Trees, State), SledError> {
        prepare(path, must)?;
        let mut folder = Self {
            db: open_private(&path.join("db"))?,
            witness: open_private(&path.join(witness::NAME))?,
            locked: true,
        };
        let failed = |error: io::Error| SledError::failed(path, error);
        // Otherwise sled could read, and build on, data that a power cut can still undo.
        folder.db.sync_all().map_err(failed)?;
        let opened = open_trees(path);
        folder.locked = !matches!(opened, Err(SledError::InUse));
        let trees = opened?;
        // Again, now that no other process writes to it.
        let witness = Witness::read(path)?.unwrap_or(Witness::UNFINISHED);
        let checked = caught(|| check(&trees, witness));
        let state = match checked.map_err(|error| SledError::broken(path, error))? {
            Some(state) => state,
            None => folder.finish(path, &trees)?,
        };
        close_modes(path).map_err(failed)?;
        let flushed = caught(|| trees.flush(&folder.db));
        flushed.map_err(|error| SledError::failed(path, error))?;
        sync_dir(path)?;
        folder.note(state.end);
        folder.witness.sync_all().map_err(failed)?;
        Ok((folder, trees, state))
    }

    /// Writes the initial state into an empty database.
    fn finish(&self, path: &Path, trees: &Trees) -> Result<State, SledError> {
        let epoch = Witness::ANY.another();
        let state = State::new(epoch.map_err(|error| SledError::failed(path, error))?);
        let written = caught(|| trees.write(&self.db, &[state.change()]));
        written.map_err(|error| SledError::failed(path, error))?;
        Ok(state)
    }

    /// Records the newest commit, which is on disk.
    pub(crate) fn note(&self, end: End) {
        let End { epoch, head, .. } = end;
        // The commit is on disk; a missing witness only detects less.
        let _ = Witness { epoch, head }.write(&self.witness);
    }

    /// Records durably that the epoch is about to change, so that both epochs are accepted.
    pub(crate) fn note_any_epoch(&self, head: Revision) -> Result<(), StoreError> {
        let epoch = Witness::ANY;
        let noted = Witness { epoch, head }.write(&self.witness);
        noted.and_then(|()| self.witness.sync_all()).map_err(StoreError::backend)
    }

    /// Refuses to write this number of bytes if the disk is nearly full, before anything is
    /// written.
    pub(crate) fn check_space(&self, bytes: usize) -> Result<(), StoreError> {
        // sled writes whole pages, and moves other pages to free a segment.
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
        // A thread of sled may keep its lock a little longer, and a closed store may be opened
        // again.
        for _ in 0..1000 {
            if !self.locked {
                break;
            }
            if self.db.try_lock().is_ok() {
                // A process being forked at this moment has the handle, and with it the lock, until
                // its `exec`.
                let _ = self.db.unlock();
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Creates the files of a new store, and refuses a folder with other files. They are created before
/// sled would create them, to set their modes.
fn prepare(path: &Path, must: CreateMode) -> Result<(), SledError> {
    let missing = || SledError::Missing(path.into());
    if must == CreateMode::Exist && !path.exists() {
        return Err(missing());
    }
    private_dir(path)?;
    match Witness::read(path)? {
        Some(Witness::UNFINISHED) if must == CreateMode::Exist => return Err(missing()),
        Some(Witness::UNFINISHED) => {}
        Some(_) => {
            let size = fs::metadata(path.join("db")).map_or(0, |found| found.len());
            if size == 0 {
                let what = "its file `db` is missing or empty";
                return Err(SledError::damaged(path, what));
            }
        }
        None if !is_empty(path)? => return Err(SledError::Foreign(path.into())),
        None if must == CreateMode::Exist => return Err(missing()),
        None => Witness::create(path)?,
    }
    private_dir(&path.join("blobs"))?;
    open_private(&path.join("conf"))?;
    open_private(&path.join("db"))?;
    Ok(())
}

fn open_trees(path: &Path) -> Result<Trees, SledError> {
    let config = sled::Config::new()
        .path(path)
        .segment_size(SEGMENT)
        .cache_capacity(CACHE)
        // Every commit flushes.
        .flush_every_ms(None);
    let opened = caught(|| Ok::<_, StoreError>(config.open().and_then(Trees::open)));
    match opened.map_err(|error| SledError::broken(path, error))? {
        Ok(trees) => Ok(trees),
        Err(sled::Error::Io(error)) if error.to_string().contains("could not acquire lock") => {
            Err(SledError::InUse)
        }
        Err(error) => Err(SledError::broken(path, unreadable(error))),
    }
}

/// Size of sled's page cache in bytes: enough for the upper pages of all trees.
const CACHE: u64 = 64 << 20;

/// Returns the state of the store if no confirmed data is missing; none if its creation did not
/// finish.
fn check(trees: &Trees, witness: Witness) -> Result<Option<State>, StoreError> {
    let corrupt = |what: String| Err(StoreError::Corrupt(what));
    let state = match trees.state()? {
        None if witness == Witness::UNFINISHED => return Ok(None),
        None => return corrupt("its contents are missing".into()),
        Some(state) => state,
    };
    let End { epoch, head, .. } = state.end;
    if witness.epoch != Witness::ANY && epoch != witness.epoch {
        return corrupt("its files belong to different stores".into());
    }
    if head < witness.head {
        let (head, newest) = (head.0, witness.head.0);
        return corrupt(format!("it ends with commit {head}, but {newest} was confirmed"));
    }
    let (records, revisions) = trees.sums()?;
    if records != state.sum || revisions != state.sum {
        let (found, all) = (records.entries, state.sum.entries);
        return corrupt(format!("{found} of {all} records are present, or some are outdated"));
    }
    Ok(Some(state))
}

/// Sets the mode of snapshots, the only files that sled creates itself each time it opens a store.
fn close_modes(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b"snap.") {
            fs::set_permissions(entry.path(), Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// Returns whether the folder only contains the leftovers of a process that was killed while
/// creating the first file.
fn is_empty(path: &Path) -> Result<bool, SledError> {
    let failed = |error| SledError::failed(path, error);
    for entry in fs::read_dir(path).map_err(failed)? {
        if !is_unfinished(&entry.map_err(failed)?.file_name()) {
            return Ok(false);
        }
    }
    Ok(true)
}
