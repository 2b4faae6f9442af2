//! Finding the newest [`Event::Opened`](symbolon::journal::Event::Opened) from the end of a chain.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use symbolon::journal::Mac;

use crate::examine::Last;
use crate::line::{LONGEST, SEAL, looks_opened, parse_seal};

/// Position at which to start reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScanStart {
    /// Offset in bytes, at the start of a line.
    pub(crate) offset: u64,
    /// The previous line.
    pub(crate) last: Last,
}

impl ScanStart {
    /// The first line.
    pub(crate) const FIRST: Self = Self { offset: 0, last: Last::NONE };
}

const BLOCK: u64 = 1 << 16;

/// Finds the newest line of the first `length` bytes that looks like `Opened`, or the first line.
pub(crate) fn newest_opened(file: &File, length: u64) -> io::Result<ScanStart> {
    let mut from = length;
    // The bytes from `from` to the end of a line, or to the end of the file.
    let mut text: Vec<u8> = Vec::new();
    while from > 0 {
        let size = from.min(BLOCK.max(text.len() as u64));
        from -= size;
        let mut block = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        file.read_exact_at(&mut block, from)?;
        block.append(&mut text);
        text = block;
        if let Some(at) = last_opened(&text, from == 0) {
            return start_at(file, from + at as u64);
        }
        // The first line may start earlier.
        let kept = text.iter().position(|byte| *byte == b'\n');
        text.truncate(kept.map_or(text.len(), |at| at + 1));
        if text.len() > LONGEST {
            break;
        }
    }
    Ok(ScanStart::FIRST)
}

/// Returns the start of the last complete line that looks like `Opened`.
fn last_opened(text: &[u8], from_start: bool) -> Option<usize> {
    let mut end = text.iter().rposition(|byte| *byte == b'\n')?;
    loop {
        let before = text.get(..end)?.iter().rposition(|byte| *byte == b'\n');
        let start = match before {
            Some(at) => at + 1,
            None if from_start => 0,
            None => return None,
        };
        if looks_opened(text.get(start..end)?) {
            return Some(start);
        }
        end = before?;
    }
}

fn start_at(file: &File, offset: u64) -> io::Result<ScanStart> {
    let Some(seal_at) = offset.checked_sub(SEAL as u64 + 1) else {
        return Ok(ScanStart::FIRST);
    };
    let mut seal = [0; SEAL];
    file.read_exact_at(&mut seal, seal_at)?;
    // A damaged MAC makes the next line suspect.
    let mac = parse_seal(&seal).map_or(Mac::default(), |(_, mac)| mac);
    let last = Last { number: None, mac };
    Ok(ScanStart { offset, last })
}
