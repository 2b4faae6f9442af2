//! Appending to the owned chain, so that acknowledged lines survive every failure.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use symbolon::Timestamp;
use symbolon::journal::{Durability, Event, JournalKeys};

use crate::line::{self, LONGEST, LinePosition};
use crate::reader::End;

/// Output of a chain.
pub(crate) trait AppendTarget {
    /// Writes all bytes at the offset.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Returns when the data is on disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Truncates to the length.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl AppendTarget for File {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// The end of the owned chain. It tracks acknowledged lines; the next append removes everything
/// else from the file.
#[derive(Debug)]
pub(crate) struct Writer<M> {
    medium: M,
    chain: u32,
    end: End,
    /// Number of bytes that are certainly on disk.
    synced: u64,
    /// Lines acknowledged since, which are written again after a failed sync.
    pending: Vec<u8>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The file ends after the last acknowledged line.
    Clean,
    /// The file may be longer.
    Torn,
    /// The file may be longer, and the data on disk is unknown.
    Unsynced,
}

/// Number of pending bytes that triggers a sync.
const MOST_PENDING: usize = 1 << 20;

impl<M: AppendTarget> Writer<M> {
    /// Continues at `end` in a file of `length` bytes.
    pub(crate) fn new(medium: M, chain: u32, end: End, length: u64) -> Self {
        Self {
            medium,
            chain,
            end,
            synced: end.length,
            pending: Vec::new(),
            state: match length == end.length {
                true => State::Clean,
                false => State::Torn,
            },
        }
    }

    /// Returns the end of the acknowledged lines.
    pub(crate) fn end(&self) -> End {
        self.end
    }

    /// Returns the expected length of the file; none after a failure.
    pub(crate) fn expected_length(&self) -> Option<u64> {
        (self.state == State::Clean).then_some(self.end.length)
    }

    pub(crate) fn medium(&self) -> &M {
        &self.medium
    }

    /// Appends the events in one write, and returns the number of the first.
    pub(crate) fn append(
        &mut self,
        keys: &JournalKeys,
        at: Timestamp,
        events: &[Event],
        durability: Durability,
    ) -> io::Result<u64> {
        self.mend()?;
        let before = self.end.last.number.unwrap_or_default();
        let (bytes, end) = self.lines(keys, at, events)?;
        self.state = State::Torn;
        if let Err(error) = self.medium.write_at(&bytes, self.end.length) {
            // If this fails too, the next append retries.
            let _ = self.mend();
            return Err(error);
        }
        self.pending.extend_from_slice(&bytes);
        if durability == Durability::Synced || self.pending.len() > MOST_PENDING {
            self.state = State::Unsynced;
            if let Err(error) = self.medium.sync() {
                let acknowledged = self.pending.len() - bytes.len();
                self.pending.truncate(acknowledged);
                return Err(error);
            }
            self.pending.clear();
            self.synced = end.length;
        }
        self.end = end;
        self.state = State::Clean;
        Ok(before + 1)
    }

    /// Truncates the file after the last acknowledged line.
    ///
    /// After a failed sync, the kernel considers the pages written and may drop them, so lines
    /// acknowledged since the last successful sync are written again in place.
    fn mend(&mut self) -> io::Result<()> {
        if self.state == State::Unsynced && !self.pending.is_empty() {
            self.medium.write_at(&self.pending, self.synced)?;
        }
        if self.state != State::Clean {
            self.medium.cut(self.end.length)?;
            self.state = State::Clean;
        }
        Ok(())
    }

    fn lines(
        &self,
        keys: &JournalKeys,
        at: Timestamp,
        events: &[Event],
    ) -> io::Result<(Vec<u8>, End)> {
        let mut bytes = Vec::with_capacity(events.len() * 512);
        let mut last = self.end.last;
        for event in events {
            let number = last.number.unwrap_or_default() + 1;
            let place = LinePosition { chain: self.chain, number, previous: last.mac };
            let start = bytes.len();
            last.mac = line::write(&mut bytes, keys, place, at, event)?;
            last.number = Some(number);
            if bytes.len() - start > LONGEST {
                let why = "an event takes more than 16 MiB; change fewer records at once";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
        }
        let length = self.end.length + bytes.len() as u64;
        Ok((bytes, End { length, last }))
    }
}

#[cfg(test)]
mod tests {
    use symbolon::StoreKey;

    use super::*;
    use crate::examine::Last;
    use crate::report::verify_bytes;

    /// A disk whose every operation can fail. Data of a failed sync is lost, as on Linux, where the
    /// kernel considers it written.
    #[derive(Debug, Default)]
    struct Disk {
        /// Contents seen by readers.
        cache: Vec<u8>,
        /// Contents after a power cut.
        platter: Vec<u8>,
        /// Range that is not on the platter yet.
        dirty: Option<(usize, usize)>,
        room: Option<usize>,
        fails_to_sync: bool,
        fails_to_cut: bool,
    }

    impl AppendTarget for Disk {
        fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
            let offset = offset as usize;
            let fits =
                self.room.map_or(bytes.len(), |room| room.saturating_sub(offset).min(bytes.len()));
            let end = offset + fits;
            self.cache.resize(self.cache.len().max(end), 0);
            self.cache[offset..end].copy_from_slice(&bytes[..fits]);
            let (from, to) = self.dirty.unwrap_or((offset, end));
            self.dirty = Some((from.min(offset), to.max(end)));
            match fits == bytes.len() {
                true => Ok(()),
                false => Err(io::ErrorKind::StorageFull.into()),
            }
        }

        fn sync(&mut self) -> io::Result<()> {
            let dirty = self.dirty.take();
            self.platter.resize(self.cache.len(), 0);
            if self.fails_to_sync {
                return Err(io::Error::other("the disk failed"));
            }
            if let Some((from, to)) = dirty {
                let to = to.min(self.cache.len());
                self.platter[from..to].copy_from_slice(&self.cache[from..to]);
            }
            Ok(())
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            if self.fails_to_cut {
                return Err(io::Error::other("the disk failed"));
            }
            self.cache.truncate(length as usize);
            self.platter.truncate(length as usize);
            Ok(())
        }
    }

    fn keys() -> JournalKeys {
        JournalKeys::new(&StoreKey::from_bytes([7; 32]))
    }

    fn writer(disk: Disk) -> Writer<Disk> {
        let end = End { length: 0, last: Last::NONE };
        Writer::new(disk, 1, end, 0)
    }

    fn append(writer: &mut Writer<Disk>, missed: u64, durability: Durability) -> io::Result<u64> {
        let at = Timestamp::MIN;
        writer.append(&keys(), at, &[Event::Gap { missed }], durability)
    }

    /// Parses these bytes, and panics on any finding.
    fn lines(bytes: &[u8]) -> u64 {
        let report = verify_bytes(&keys(), 1, bytes).unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        report.lines
    }

    use Durability::{Synced, Written};

    #[test]
    fn the_journal_resumes_after_a_full_disk() {
        let mut probe = writer(Disk::default());
        append(&mut probe, 1, Synced).unwrap();
        let line = probe.medium.cache.len();
        for room in line..2 * line {
            for fails_to_cut in [false, true] {
                let mut writer = writer(Disk::default());
                append(&mut writer, 1, Written).unwrap();
                writer.medium.room = Some(room);
                writer.medium.fails_to_cut = fails_to_cut;
                for _ in 0..2 {
                    assert!(append(&mut writer, 2, Synced).is_err());
                    let torn = if fails_to_cut { room } else { line };
                    assert_eq!(writer.medium.cache.len(), torn);
                    assert_eq!(lines(&writer.medium.cache), 1);
                }
                writer.medium.room = None;
                writer.medium.fails_to_cut = false;
                assert_eq!(append(&mut writer, 3, Synced).unwrap(), 2);
                assert_eq!(lines(&writer.medium.platter), 2);
                assert_eq!(writer.expected_length(), Some(2 * line as u64));
            }
        }
    }

    #[test]
    fn entries_lost_by_a_failed_sync_are_written_again() {
        let mut writer = writer(Disk::default());
        append(&mut writer, 1, Synced).unwrap();
        append(&mut writer, 2, Written).unwrap();
        for number in [3, 4] {
            writer.medium.fails_to_sync = true;
            assert!(append(&mut writer, 9, Synced).is_err());
            assert!(append(&mut writer, 9, Synced).is_err());
            // Acknowledged as written, so a reader of the file finds it.
            assert_eq!(append(&mut writer, 3, Written).unwrap(), number);
            assert_eq!(lines(&writer.medium.cache), number);
        }
        writer.medium.fails_to_sync = false;
        assert_eq!(append(&mut writer, 5, Synced).unwrap(), 5);
        assert_eq!(lines(&writer.medium.cache), 5);
        assert_eq!(lines(&writer.medium.platter), 5);
        assert!(writer.pending.is_empty());
    }

    #[test]
    fn unsynced_entries_are_bounded() {
        let mut writer = writer(Disk::default());
        let events = vec![Event::Gap { missed: 1 }; 1000];
        for _ in 0..20 {
            let at = Timestamp::MIN;
            writer.append(&keys(), at, &events, Written).unwrap();
            assert!(writer.pending.len() <= MOST_PENDING);
        }
        assert_eq!(lines(&writer.medium.cache), 20_000);
        assert!(!writer.medium.platter.is_empty());
    }

    #[test]
    fn oversized_events_are_rejected_before_writing() {
        let mut writer = writer(Disk::default());
        append(&mut writer, 1, Synced).unwrap();
        let before = writer.medium.cache.clone();
        let store = "0".repeat(LONGEST);
        let long = Event::Opened { store, epoch: 1, head: 1 };
        let refused = writer.append(&keys(), Timestamp::MIN, &[long], Synced);
        assert!(refused.is_err());
        assert_eq!(writer.medium.cache, before);
        assert_eq!(append(&mut writer, 2, Synced).unwrap(), 2);
    }
}
