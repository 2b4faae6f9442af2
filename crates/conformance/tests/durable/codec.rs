//! Encoding of the log.

use symbolon::record::{Columns, Kind, Record, RecordKey};
use symbolon::store::{Revision, Write};
use symbolon::{Id, Origin, Status};

const STATUSES: [Status; 3] = [Status::Active, Status::Inactive, Status::Revoked];
const ORIGINS: [Origin; 3] = [Origin::V2, Origin::V0, Origin::Embedder];

/// Appends the length of `slice`, and `slice`.
pub(crate) fn put_slice(bytes: &mut Vec<u8>, slice: &[u8]) {
    bytes.extend((slice.len() as u32).to_be_bytes());
    bytes.extend(slice);
}

/// Removes a slice from the front of `bytes`; `None` if it is incomplete.
pub(crate) fn take_slice<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (slice, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *bytes = rest;
    Some(slice)
}

/// Appends a write without its expected revision.
pub(crate) fn encode(bytes: &mut Vec<u8>, write: &Write) {
    let key = write.key();
    bytes.push(key.kind.0);
    bytes.extend(key.id.number().to_be_bytes());
    let Write::Put { record, .. } = write else {
        bytes.push(u8::from(matches!(write, Write::Purge { .. })));
        return;
    };
    bytes.push(2);
    bytes.push(u8::from(record.unique.is_some()));
    put_slice(bytes, record.unique.as_deref().unwrap_or_default());
    let columns = record.columns;
    for id in [columns.organization, columns.user] {
        bytes.extend(id.map_or(0, Id::number).to_be_bytes());
    }
    let at = |at: Option<usize>| at.map_or(u8::MAX, |at| at as u8);
    bytes
        .push(at(columns.status.and_then(|status| STATUSES.iter().position(|one| *one == status))));
    bytes.push(at(columns.origin.and_then(|origin| ORIGINS.iter().position(|one| *one == origin))));
    put_slice(bytes, &record.bytes);
}

/// Decodes the writes of a commit; each expects the `revision` of its key.
pub(crate) fn decode(mut bytes: &[u8], revision: impl Fn(RecordKey) -> Revision) -> Vec<Write> {
    let mut writes = Vec::new();
    while !bytes.is_empty() {
        writes.push(take_write(&mut bytes, &revision));
    }
    writes
}

fn take_write(bytes: &mut &[u8], revision: impl Fn(RecordKey) -> Revision) -> Write {
    let kind = Kind(take(bytes, |[byte]| byte));
    let key = RecordKey::new(kind, take_id(bytes).unwrap());
    let expected = revision(key);
    match take(bytes, |[byte]| byte) {
        0 => Write::Guard { key, expected },
        1 => Write::Purge { key, expected },
        _ => {
            let has_unique = take(bytes, |[byte]| byte) == 1;
            let unique: Box<[u8]> = take_slice(bytes).unwrap().into();
            let columns = Columns {
                organization: take_id(bytes),
                user: take_id(bytes),
                status: take(bytes, |[at]| STATUSES.get(usize::from(at)).copied()),
                origin: take(bytes, |[at]| ORIGINS.get(usize::from(at)).copied()),
            };
            let record = Record {
                key,
                unique: has_unique.then_some(unique),
                columns,
                bytes: take_slice(bytes).unwrap().into(),
            };
            Write::Put { record, expected }
        }
    }
}

fn take_id(bytes: &mut &[u8]) -> Option<Id> {
    take(bytes, |number| Id::new(u64::from_be_bytes(number)))
}

fn take<const N: usize, T>(bytes: &mut &[u8], read: impl Fn([u8; N]) -> T) -> T {
    let (chunk, rest) = bytes.split_first_chunk().unwrap();
    *bytes = rest;
    read(*chunk)
}
