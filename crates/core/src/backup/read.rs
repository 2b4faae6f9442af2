//! Reads and verifies a backup before it is restored.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read, Seek};

use super::frame::{Begin, Frame, Reader};
use super::{BackupError, Summary};
use crate::key::StoreKey;
use crate::open_error::OpenError;
use crate::record::{Record, RecordKey, SETTINGS, Settings};
use crate::settings::{check_keys, open_settings};
use crate::store::Revision;

/// Reads a backup completely and detects every changed byte. The MACs of the records are only
/// verified by [`Backup::restore`].
///
/// # Errors
///
/// [`BackupError::Read`], [`BackupError::Foreign`], [`BackupError::Later`] or
/// [`BackupError::Damaged`].
pub fn verify(input: impl Read) -> Result<Summary, BackupError> {
    Ok(Contents::read(input)?.summary)
}

/// A backup that was read completely and is intact.
pub struct Backup<R> {
    pub(super) input: R,
    pub(super) contents: Contents,
}

impl<R> fmt::Debug for Backup<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Backup").field(&self.contents.summary).finish()
    }
}

impl<R: Read + Seek> Backup<R> {
    /// Reads and verifies a backup.
    ///
    /// # Errors
    ///
    /// The same as those of [`verify`].
    pub fn read(mut input: R) -> Result<Self, BackupError> {
        input.rewind().map_err(BackupError::Read)?;
        let contents = Contents::read(&mut input)?;
        Ok(Self { input, contents })
    }

    /// Returns the summary of the backup.
    pub fn summary(&self) -> Summary {
        self.contents.summary
    }

    /// Checks that `key` belongs to the store of the backup, and returns the name of that store as
    /// in [`Event::Opened`](crate::journal::Event::Opened).
    ///
    /// # Errors
    ///
    /// [`OpenError::WrongKey`], [`OpenError::RetiredKey`] if the key was rotated since, or
    /// [`OpenError::Settings`] if the settings were tampered with.
    pub fn check_key(&self, key: &StoreKey) -> Result<String, OpenError> {
        self.settings(key).map(|settings| settings.store.to_string())
    }

    pub(super) fn settings(&self, key: &StoreKey) -> Result<Settings, OpenError> {
        let settings = open_settings(key, &self.contents.settings)?;
        check_keys(&settings, key)?;
        Ok(settings)
    }
}

/// The properties of a backup that a restore needs.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) summary: Summary,
    pub(super) settings: Record,
    /// Number of scans in the backup; only the last one is used.
    pub(super) scans: usize,
    /// Newest version of each record that was written during the backup; older ones are ignored.
    pub(super) newest: HashMap<RecordKey, Revision>,
    pub(super) hash: blake3::Hash,
}

impl Contents {
    fn read(input: impl Read) -> Result<Self, BackupError> {
        let mut reader = Reader::new(input)?;
        let mut begun: Option<Begin> = None;
        let (mut scans, mut records) = (0, 0);
        let mut newest = HashMap::new();
        let mut settings: Option<(Revision, Record)> = None;
        loop {
            match (reader.next()?, begun) {
                (Frame::Begin(begin), _) => {
                    begun = Some(begin);
                    scans += 1;
                    records = 0;
                    newest.clear();
                    settings = None;
                }
                (Frame::Record(stored), Some(begin)) => {
                    records += 1;
                    let (key, revision) = (stored.record.key, stored.revision);
                    if revision > begin.head {
                        let known = newest.entry(key).or_insert(revision);
                        *known = revision.max(*known);
                    }
                    let known = settings.as_ref().map(|(revision, _)| *revision);
                    if key == SETTINGS && known.is_none_or(|known| known <= revision) {
                        settings = Some((revision, stored.record));
                    }
                }
                (Frame::End(trailer), Some(begin)) => {
                    if trailer.records != records {
                        return Err(BackupError::Damaged("records are missing"));
                    }
                    let (hash, bytes) = reader.finish()?;
                    let (_, settings) =
                        settings.ok_or(BackupError::Damaged("the settings are missing"))?;
                    return Ok(Self {
                        summary: Summary::of(begin, trailer, bytes),
                        settings,
                        scans,
                        newest,
                        hash,
                    });
                }
                (Frame::Record(_) | Frame::End(_), None) => {
                    return Err(BackupError::Damaged("the first frame is missing"));
                }
            }
        }
    }

    /// Returns `true` if a record of the last scan is the newest version in the backup.
    pub(super) fn counts(&self, key: RecordKey, revision: Revision) -> bool {
        let newest = self.newest.get(&key);
        newest.is_none_or(|newest| *newest <= revision)
    }
}
