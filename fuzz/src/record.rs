//! Records, as a store may return them, with and without a valid MAC.

use symbolon::Id;
use symbolon::record::{Columns, Kind, Record, RecordKey, fuzzing};

/// No record is accepted without a valid MAC. An accepted record is encoded again byte for byte, so
/// a body has one encoding.
pub fn record(data: &[u8]) -> bool {
    let Some(record) = read(data) else {
        return false;
    };
    assert!(fuzzing::rewrite(&record).is_err(), "a MAC was guessed");
    let sealed = fuzzing::seal(record);
    let Ok(Some(written)) = fuzzing::rewrite(&sealed) else {
        return false;
    };
    assert_eq!(body(&written), body(&sealed));
    // The columns and the unique key may differ in the input, but not in a written record.
    assert_eq!(written.key, sealed.key);
    assert_eq!(fuzzing::rewrite(&written), Ok(Some(written)));
    true
}

/// Decodes kind, id, organization, user, codes of status and origin, length of the unique key (255
/// for none), unique key and bytes.
fn read(data: &[u8]) -> Option<Record> {
    let (&[kind], rest) = data.split_first_chunk()?;
    let (id, rest) = rest.split_first_chunk()?;
    let (organization, rest) = rest.split_first_chunk()?;
    let (user, rest) = rest.split_first_chunk()?;
    let (&[status, origin, length], rest) = rest.split_first_chunk()?;
    let (unique, bytes) = match length {
        255 => (None, rest),
        length => {
            let (unique, bytes) = rest.split_at_checked(length.into())?;
            (Some(unique.into()), bytes)
        }
    };
    let number = u64::from_be_bytes;
    Some(Record {
        key: RecordKey::new(Kind(kind), Id::new(number(*id))?),
        unique,
        columns: Columns::from_codes(number(*organization), number(*user), status, origin)?,
        bytes: bytes.into(),
    })
}

/// Returns the bytes between the key id and the MAC.
fn body(record: &Record) -> &[u8] {
    &record.bytes[5..record.bytes.len() - 16]
}
