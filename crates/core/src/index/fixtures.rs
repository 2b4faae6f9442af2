//! Records for the tests of the index.

use super::*;
// Names that the tests of the index use throughout.
use crate::authorization::NotInForce;
pub(super) use crate::id::Id;
pub(super) use crate::owner::OwnerState;
use crate::record::Kind;
pub(super) use crate::status::Status;
pub(super) use crate::store::Revision;
use crate::{Action, Permission, ResourceType};

pub(super) fn id(number: u64) -> Id {
    Id::new(number).unwrap()
}

pub(super) fn key(number: u64) -> RecordKey {
    RecordKey::new(Kind::AUTHORIZATION, id(number))
}

pub(super) fn short_digest(number: u64) -> ShortDigest {
    [number.wrapping_mul(0x9e37_79b9_7f4a_7c15), number]
}

pub(super) fn owner(kind: Kind, number: u64, state: OwnerState, sequence: u64) -> Change {
    Change {
        key: RecordKey::new(kind, id(number)),
        revision: Revision(sequence),
        what: ChangeKind::Owner(state, sequence),
    }
}

/// An authorization of user 2 and organization 1 with these digests.
pub(super) fn version(
    number: u64,
    sequence: u64,
    status: Status,
    short_digests: [Option<ShortDigest>; 2],
) -> Change {
    handled(number, sequence, status, TokenLookup::ByDigest(short_digests))
}

pub(super) fn handled(number: u64, sequence: u64, status: Status, handle: TokenLookup) -> Change {
    let read = Permission::new(Action::READ, ResourceType::BUCKETS);
    let digest = IndexEntry {
        handle,
        status,
        expires: None,
        user: Some(id(2)),
        organization: id(1),
        permissions: std::sync::Arc::new(vec![read.id(id(sequence))].into()),
    };
    Change {
        key: key(number),
        revision: Revision(sequence),
        what: ChangeKind::Authorization(digest, sequence),
    }
}

pub(super) fn index_with_owners() -> Index {
    let index = Index::new();
    let active = OwnerState::Active;
    apply(&index, owner(Kind::ORGANIZATION, 1, active, 1));
    apply(&index, owner(Kind::USER, 2, active, 1));
    index
}

pub(super) fn apply(index: &Index, change: Change) -> ApplyOutcome {
    let mut seen = None;
    index.apply([change], |_, outcome| seen = Some(outcome));
    seen.unwrap()
}

/// Looks up a digest like a check: returns the id, and the version in force or why none is.
pub(super) fn look(index: &Index, wanted: ShortDigest) -> Option<(Id, Result<u64, NotInForce>)> {
    look_up_at(index, |_| BucketHash::of_digest(wanted), wanted)
}

/// Like [`look`], for a token that carries its id.
pub(super) fn look_up_by_id(
    index: &Index,
    number: u64,
    wanted: ShortDigest,
) -> Option<(Id, Result<u64, NotInForce>)> {
    look_up_at(index, |view| view.start(number), wanted)
}

pub(super) fn look_up_at(
    index: &Index,
    start: impl Fn(&View) -> BucketHash,
    wanted: ShortDigest,
) -> Option<(Id, Result<u64, NotInForce>)> {
    index.read(|view| {
        index.find(view, (start(view), wanted), |found| {
            let live = found.live(|| Timestamp::MIN);
            (found.id().unwrap(), live.map(|()| sequence_of(&found)))
        })
    })
}

/// Returns the version, for authorizations created by [`handled`].
pub(super) fn sequence_of(found: &Found<'_>) -> u64 {
    match found.permissions()[0].resource.target {
        crate::Target::Id(id) => id.number(),
        _ => 0,
    }
}

/// Times that differ by less than the precision of a slot.
#[cfg(not(shuttle))]
pub(super) fn time(nanos: u64) -> Timestamp {
    Timestamp::from_nanos((1 << 60) + nanos).unwrap()
}
