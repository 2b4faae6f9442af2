//! Queries through the narrowest index.

use std::ops::Bound;

use symbolon::record::RecordKey;
use symbolon::store::{Query, Stored};
use symbolon::{Id, StoreError};

use crate::error::unreadable;
use crate::layout::{index_key, parse_index_key, parse_record_key, record_key, unique_key};
use crate::trees::Trees;

/// Returns the records that match `query`, in the order of their ids.
pub(crate) fn find(trees: &Trees, query: &Query) -> Result<Vec<Stored>, StoreError> {
    let mut found = Vec::new();
    for key in candidates(trees, query)? {
        if found.len() >= query.limit {
            break;
        }
        let stored = trees.get_or_stand_in(key?)?;
        found.extend(stored.filter(|stored| query.wants(&stored.record)));
    }
    Ok(found)
}

type Keys<'a> = Box<dyn Iterator<Item = Result<RecordKey, StoreError>> + 'a>;

/// Returns the keys of all records that may match `query`, in order.
fn candidates<'a>(trees: &'a Trees, query: &Query) -> Result<Keys<'a>, StoreError> {
    let kind = query.kind;
    if let Some(unique) = &query.unique {
        let holder = trees.unique.get(unique_key(kind, unique));
        let key = holder.map_err(unreadable)?.and_then(|key| parse_record_key(&key));
        return Ok(Box::new(key.into_iter().map(Ok)));
    }
    let first = match query.after {
        Some(after) => Bound::Excluded(RecordKey::new(kind, after)),
        None => Bound::Included(RecordKey::new(kind, Id::MIN)),
    };
    let last = Bound::Included(RecordKey::new(kind, Id::MAX));
    let owned = |tree: &'a sled::Tree, owner: Id| {
        let bound = |key: Bound<RecordKey>| key.map(|key| index_key(owner.number(), key));
        let entries = tree.range((bound(first), bound(last)));
        entries.filter_map(|entry| read_key(entry, |key| Some(parse_index_key(key)?.1)))
    };
    Ok(match (query.user, query.organization) {
        (Some(user), _) => Box::new(owned(&trees.user, user)),
        (None, Some(organization)) => Box::new(owned(&trees.organization, organization)),
        (None, None) => {
            let entries = trees.record.range((first.map(record_key), last.map(record_key)));
            Box::new(entries.filter_map(|entry| read_key(entry, parse_record_key)))
        }
    })
}

fn read_key(
    entry: sled::Result<(sled::IVec, sled::IVec)>,
    parse: impl Fn(&[u8]) -> Option<RecordKey>,
) -> Option<Result<RecordKey, StoreError>> {
    match entry {
        Ok((key, _)) => parse(&key).map(Ok),
        Err(error) => Some(Err(unreadable(error))),
    }
}
