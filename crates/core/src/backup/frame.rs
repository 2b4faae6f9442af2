//! The frames of a backup: a tag, a length and contents.

use std::io::{self, BufRead, BufReader, Read, Write};

use super::BackupError;
use crate::id::Id;
use crate::record::{Columns, Kind, MAX_RECORD, MAX_UNIQUE, Record, RecordKey};
use crate::store::{End, Epoch, Revision, Stored};
use crate::time::{Minute, Timestamp};

const MAGIC: &[u8; 17] = b"symbolon-backup-1";
/// Start of the first bytes in all versions.
const NAME: &[u8] = b"symbolon-backup-";

const BEGIN: u8 = b'B';
const RECORD: u8 = b'R';
const END: u8 = b'E';

const HAS_UNIQUE: u8 = 1;
const HAS_LAST_USED: u8 = 2;

/// Maximum size of a frame: the largest record and all fields in addition to its bytes.
const LONGEST: usize = MAX_RECORD + 64;
const BUFFER: usize = 1 << 16;
const HASH: usize = 32;

/// A frame of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    /// Start of a scan. Earlier records are discarded.
    Begin(Begin),
    Record(Stored),
    /// End of the scan, during which nothing was purged.
    End(Trailer),
}

/// State of the store at the start of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Begin {
    /// Newest commit. Later records may occur twice.
    pub(super) head: Revision,
    pub(super) at: Timestamp,
}

/// Contents of the scan, and the state of the store at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trailer {
    pub(super) records: u64,
    pub(super) left_out: u64,
    pub(super) end: End,
}

/// Returns `true` if `record` is within the limits of every store.
pub(super) fn fits(record: &Record) -> bool {
    let unique = record.unique.as_ref();
    record.size() <= MAX_RECORD && unique.is_none_or(|unique| unique.len() <= MAX_UNIQUE)
}

/// Writes frames, followed by a hash of all of them.
pub(super) struct Writer<W: Write> {
    out: io::BufWriter<W>,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> io::Result<Self> {
        let mut writer = Self {
            out: io::BufWriter::with_capacity(BUFFER, out),
            hasher: blake3::Hasher::new(),
            bytes: 0,
        };
        writer.write_hashed(MAGIC)?;
        Ok(writer)
    }

    pub(super) fn begin(&mut self, begin: Begin) -> io::Result<()> {
        let mut contents = Vec::with_capacity(16);
        contents.extend(begin.head.0.to_be_bytes());
        contents.extend(begin.at.nanos().to_be_bytes());
        self.frame(BEGIN, &contents)
    }

    pub(super) fn record(&mut self, stored: &Stored) -> io::Result<()> {
        self.frame(RECORD, &encode(stored))
    }

    /// Writes the last frame and the hash, and returns the size in bytes.
    pub(super) fn end(mut self, trailer: Trailer) -> io::Result<u64> {
        let Trailer { records, left_out, end } = trailer;
        let numbers = [records, left_out, end.head.0, end.floor.0, end.epoch.0];
        self.frame(END, &numbers.map(u64::to_be_bytes).concat())?;
        let hash = self.hasher.finalize();
        self.write_hashed(hash.as_bytes())?;
        self.out.flush()?;
        Ok(self.bytes)
    }

    fn frame(&mut self, tag: u8, contents: &[u8]) -> io::Result<()> {
        let length = u32::try_from(contents.len()).map_err(io::Error::other)?;
        self.write_hashed(&[tag])?;
        self.write_hashed(&length.to_be_bytes())?;
        self.write_hashed(contents)
    }

    fn write_hashed(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

fn encode(stored: &Stored) -> Vec<u8> {
    let Stored { record, revision, last_used } = stored;
    let id = |id: Option<Id>| id.map_or(0, Id::number).to_be_bytes();
    let columns = &record.columns;
    let mut bytes = Vec::with_capacity(LONGEST.min(64 + record.size()));
    bytes.push(record.key.kind.0);
    bytes.extend(record.key.id.number().to_be_bytes());
    bytes.extend(revision.0.to_be_bytes());
    bytes.extend(id(columns.organization));
    bytes.extend(id(columns.user));
    bytes.extend([columns.status_code(), columns.origin_code()]);
    let has_unique = record.unique.as_ref().map_or(0, |_| HAS_UNIQUE);
    bytes.push(has_unique | last_used.map_or(0, |_| HAS_LAST_USED));
    if let Some(minute) = last_used {
        bytes.extend(minute.0.to_be_bytes());
    }
    if let Some(unique) = &record.unique {
        // At most `MAX_UNIQUE`.
        bytes.extend((unique.len() as u16).to_be_bytes());
        bytes.extend_from_slice(unique);
    }
    bytes.extend_from_slice(&record.bytes);
    bytes
}

/// Reads frames and hashes them.
pub(super) struct Reader<R> {
    input: BufReader<R>,
    hasher: blake3::Hasher,
    bytes: u64,
    contents: Vec<u8>,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R) -> Result<Self, BackupError> {
        let mut reader = Self {
            input: BufReader::with_capacity(BUFFER, input),
            hasher: blake3::Hasher::new(),
            bytes: 0,
            contents: Vec::new(),
        };
        match reader.array() {
            Ok(magic) if magic == *MAGIC => Ok(reader),
            Ok(magic) if magic.starts_with(NAME) => Err(BackupError::Later),
            Ok(_) | Err(BackupError::Damaged(_)) => Err(BackupError::Foreign),
            Err(error) => Err(error),
        }
    }

    /// Reads the next frame. After the last frame, only [`Reader::finish`] may be called.
    pub(super) fn next(&mut self) -> Result<Frame, BackupError> {
        let [tag] = self.array()?;
        let length = u32::from_be_bytes(self.array()?) as usize;
        if length > LONGEST {
            return Err(BackupError::Damaged("a frame is too long"));
        }
        self.contents.resize(length, 0);
        let mut contents = std::mem::take(&mut self.contents);
        self.fill(&mut contents)?;
        let frame = decode(tag, &contents).ok_or(BackupError::Damaged("a frame is invalid"));
        self.contents = contents;
        frame
    }

    /// Compares the hash after the last frame, and returns it with the size in bytes.
    pub(super) fn finish(mut self) -> Result<(blake3::Hash, u64), BackupError> {
        let hash = self.hasher.finalize();
        let written: [u8; HASH] = self.array()?;
        if hash != written {
            return Err(BackupError::Damaged("the hash does not match the contents"));
        }
        let rest = self.input.fill_buf().map_err(BackupError::Read)?;
        if !rest.is_empty() {
            return Err(BackupError::Damaged("data follows the end"));
        }
        Ok((hash, self.bytes))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        let read = self.input.read_exact(bytes);
        read.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BackupError::Damaged("unexpected end of input"),
            _ => BackupError::Read(error),
        })?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

fn decode(tag: u8, contents: &[u8]) -> Option<Frame> {
    let mut rest = contents;
    let frame = match tag {
        BEGIN => Frame::Begin(Begin {
            head: Revision(number(&mut rest)?),
            at: Timestamp::from_nanos(number(&mut rest)?)?,
        }),
        RECORD => Frame::Record(decode_record(&mut rest)?),
        END => Frame::End(Trailer {
            records: number(&mut rest)?,
            left_out: number(&mut rest)?,
            end: End {
                head: Revision(number(&mut rest)?),
                floor: Revision(number(&mut rest)?),
                epoch: Epoch(number(&mut rest)?),
            },
        }),
        _ => return None,
    };
    rest.is_empty().then_some(frame)
}

fn decode_record(rest: &mut &[u8]) -> Option<Stored> {
    let [kind] = *take(rest)?;
    let id = Id::new(number(rest)?)?;
    let revision = Revision(number(rest)?);
    let (organization, user) = (number(rest)?, number(rest)?);
    let [status, origin, has] = *take(rest)?;
    if has & !(HAS_UNIQUE | HAS_LAST_USED) != 0 {
        return None;
    }
    let last_used = match has & HAS_LAST_USED {
        0 => None,
        _ => Some(Minute(u32::from_be_bytes(*take(rest)?))),
    };
    let unique = match has & HAS_UNIQUE {
        0 => None,
        _ => {
            let length = u16::from_be_bytes(*take(rest)?);
            let (unique, after) = rest.split_at_checked(length.into())?;
            *rest = after;
            Some(unique.into())
        }
    };
    let record = Record {
        key: RecordKey::new(Kind(kind), id),
        unique,
        columns: Columns::from_codes(organization, user, status, origin)?,
        bytes: (*rest).into(),
    };
    *rest = &[];
    fits(&record).then_some(Stored { record, revision, last_used })
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    take(rest).copied().map(u64::from_be_bytes)
}

fn take<'b, const N: usize>(rest: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(first)
}
