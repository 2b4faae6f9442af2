//! Tests of tampered records.

use super::*;

#[test]
fn tampered_records_are_refused_until_an_authentic_version_arrives() {
    let index = index_with_owners();
    let short_digests = [Some(short_digest(1)), None];
    apply(&index, version(9, 3, Status::Active, short_digests));
    let bad =
        |revision| Change { key: key(9), revision: Revision(revision), what: ChangeKind::Tampered };
    // Older than the current version: a page of a scan that began before.
    assert_eq!(apply(&index, bad(2)), ApplyOutcome::Known);
    assert!(look(&index, short_digest(1)).is_some());
    apply(&index, bad(3));
    assert_eq!(look(&index, short_digest(1)), None);
    // An older version does not restore the record, the same one does.
    apply(&index, version(9, 2, Status::Active, short_digests));
    assert_eq!(look(&index, short_digest(1)), None);
    apply(&index, version(9, 3, Status::Active, short_digests));
    assert_eq!(look(&index, short_digest(1)), Some((id(9), Ok(3))));
    // Neither does a newer version that was committed before the tampering but arrives after it.
    apply(&index, bad(6));
    let late = version(9, 5, Status::Active, short_digests);
    assert_eq!(apply(&index, late), ApplyOutcome::Known);
    assert_eq!(look(&index, short_digest(1)), None);
    apply(&index, version(9, 7, Status::Active, short_digests));
    assert_eq!(look(&index, short_digest(1)), Some((id(9), Ok(7))));
}

#[test]
fn a_tampered_owner_is_unknown() {
    let index = index_with_owners();
    apply(&index, version(9, 1, Status::Active, [Some(short_digest(1)), None]));
    for (kind, number) in [(Kind::USER, 2), (Kind::ORGANIZATION, 1)] {
        let bad = Change {
            key: RecordKey::new(kind, id(number)),
            revision: Revision(5),
            what: ChangeKind::Tampered,
        };
        apply(&index, bad);
        assert_eq!(look(&index, short_digest(1)), Some((id(9), Err(NotInForce::OwnerInactive))));
        apply(&index, owner(kind, number, OwnerState::Active, 6));
        assert_eq!(look(&index, short_digest(1)), Some((id(9), Ok(1))));
    }
}

#[test]
fn a_tampered_version_does_not_revive_a_purged_record() {
    let change = |revision, what| Change { key: key(9), revision: Revision(revision), what };
    let old = |revision| Change {
        revision: Revision(revision),
        ..version(9, 4, Status::Active, [Some(short_digest(1)), None])
    };
    let purged_at = |index: &Index| {
        let short_digests = [Some(short_digest(1)), None];
        apply(index, version(9, 5, Status::Revoked, short_digests));
        apply(index, change(6, ChangeKind::Purged));
        apply(index, change(7, ChangeKind::Tampered));
    };
    let index = index_with_owners();
    purged_at(&index);
    apply(&index, change(8, ChangeKind::Purged));
    assert_eq!(apply(&index, old(9)), ApplyOutcome::RolledBack);
    let index = index_with_owners();
    purged_at(&index);
    index.begin_rebuild();
    index.finish_rebuild(|_| {});
    assert_eq!(apply(&index, old(9)), ApplyOutcome::RolledBack);
    assert_eq!(look(&index, short_digest(1)), None);
}

/// The expiry of the authorization that has the token does not count for the other one.
#[test]
fn a_shared_token_does_not_share_its_expiry() {
    let index = index_with_owners();
    let short_digests = [Some(short_digest(1)), None];
    let mut first = version(9, 1, Status::Active, short_digests);
    if let ChangeKind::Authorization(digest, _) = &mut first.what {
        digest.expires = Some(time(10));
    }
    apply(&index, first);
    apply(&index, version(10, 1, Status::Active, short_digests));
    let later = time(20);
    assert!(!index.may_outlast(key(9), later));
    assert!(index.may_outlast(key(10), later));
}
