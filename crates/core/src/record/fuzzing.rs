//! What the fuzz targets reach: there only with `--cfg fuzzing`, and not a part of the API.

use super::seal::{Sealer, resealed};
use super::{IntegrityError, Record, StoreId};
use crate::key::StoreKey;

/// The record with its bytes sealed: version and key before, MAC behind.
pub fn seal(mut record: Record) -> Record {
    // The first five bytes are those of version and key.
    record.bytes = [[0; 5].as_slice(), &record.bytes].concat().into();
    record.bytes = resealed(
        &sealer(),
        &record,
        super::seal::newest_version(record.key),
        &record.bytes,
    );
    record
}

/// What the record says, written again: none if it is of a kind that is not known.
///
/// # Errors
///
/// Why it is not taken.
pub fn rewrite(record: &Record) -> Result<Option<Record>, IntegrityError> {
    let sealer = sealer();
    let opened = sealer.open(record)?;
    Ok(opened.map(|(entity, sequence)| sealer.seal(&entity, sequence)))
}

/// With the key of the golden records, and for another store: only their settings would be genuine here.
fn sealer() -> Sealer {
    Sealer::new(StoreId([8; 16]), StoreKey::from_bytes([7; 32]))
}
