//! Writes a backup.

use std::io::Write;

use super::frame::{Begin, Trailer, Writer, fits};
use super::{BackupError, Summary};
use crate::clock::{Clock, SystemClock};
use crate::open_error::OpenError;
use crate::settings::is_new;
use crate::store::{Cursor, TokenStore};

/// Records per page of the first scan.
const PAGE: usize = 1000;
/// Factor by which the pages grow when the scan is repeated.
const GROWTH: usize = 4;

/// Writes a backup of `store` as of one commit, see the [module](super). Other processes may write
/// to the store meanwhile. Calls `progress` regularly with the number of records so far.
///
/// # Errors
///
/// [`BackupError::Write`], or [`BackupError::Open`] if the store has no settings or cannot be
/// read.
pub fn write(
    store: &dyn TokenStore,
    out: impl Write,
    progress: &mut dyn FnMut(usize),
) -> Result<Summary, BackupError> {
    write_paged(store, out, PAGE, progress)
}

pub(super) fn write_paged(
    store: &dyn TokenStore,
    out: impl Write,
    mut page: usize,
    progress: &mut dyn FnMut(usize),
) -> Result<Summary, BackupError> {
    if is_new(store)? {
        return Err(OpenError::Empty.into());
    }
    let mut out = Writer::new(out).map_err(BackupError::Write)?;
    let clock = SystemClock::default();
    loop {
        // An empty commit writes nothing and returns the head.
        let head = store.commit(&[])?;
        let begin = Begin { head, at: clock.now() };
        out.begin(begin).map_err(BackupError::Write)?;
        let trailer = scan(store, &mut out, page, progress)?;
        if trailer.end.floor <= head {
            let bytes = out.end(trailer).map_err(BackupError::Write)?;
            return Ok(Summary::of(begin, trailer, bytes));
        }
        page = page.saturating_mul(GROWTH);
    }
}

fn scan(
    store: &dyn TokenStore,
    out: &mut Writer<impl Write>,
    page: usize,
    progress: &mut dyn FnMut(usize),
) -> Result<Trailer, BackupError> {
    let (mut records, mut left_out) = (0_u64, 0);
    let mut cursor = Cursor::start();
    loop {
        let page = store.scan(&cursor, page)?;
        for stored in &page.items {
            if fits(&stored.record) {
                out.record(stored).map_err(BackupError::Write)?;
                records += 1;
            } else {
                left_out += 1;
            }
        }
        progress(usize::try_from(records).unwrap_or(usize::MAX));
        if let Some(end) = page.end {
            return Ok(Trailer { records, left_out, end });
        }
        cursor = page.next;
    }
}

impl Summary {
    pub(super) fn of(begin: Begin, trailer: Trailer, bytes: u64) -> Self {
        Self {
            records: trailer.records,
            left_out: trailer.left_out,
            bytes,
            head: trailer.end.head,
            epoch: trailer.end.epoch,
            at: begin.at,
        }
    }
}
