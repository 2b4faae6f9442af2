//! The witness: a separate file that identifies the folder and names the newest commit.
//!
//! sled's recovery treats unreadable data as the end of its log. The witness is outside of the log,
//! so that it shows missing commits.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use symbolon::store::{Epoch, Revision};
use symbolon_files::{create_private, open_private};

use crate::error::SledError;

/// Contents of the file. Its length never changes, so that it is overwritten in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Witness {
    pub(crate) epoch: Epoch,
    pub(crate) head: Revision,
}

pub(crate) const NAME: &str = "symbolon";

const TITLE: &str = "symbolon sled store";

impl Witness {
    /// Matches any epoch; no store has this value.
    pub(crate) const ANY: Epoch = Epoch(0);

    /// Contents for a store that was never opened and must be empty.
    pub(crate) const UNFINISHED: Self = Self { epoch: Self::ANY, head: Revision::ABSENT };

    pub(crate) fn create(folder: &Path) -> Result<(), SledError> {
        Ok(create_private(&folder.join(NAME), &Self::UNFINISHED.text())?)
    }

    /// Returns none if the folder has no such file.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, SledError> {
        let path = folder.join(NAME);
        if !path.exists() {
            return Ok(None);
        }
        let mut text = String::new();
        let read = open_private(&path)?.read_to_string(&mut text);
        match Self::parse(&text) {
            Some(witness) if read.is_ok() => Ok(Some(witness)),
            _ if text.starts_with(TITLE) => Err(SledError::Later(folder.into())),
            _ => Err(SledError::damaged(folder, "its file `symbolon` cannot be read")),
        }
    }

    /// Writes the newest commit without a sync: after a power cut it may be older, but never newer,
    /// than the data on disk.
    pub(crate) fn write(self, file: &File) -> io::Result<()> {
        file.write_all_at(&self.text(), 0)
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
