//! Records that are not genuine.

use super::*;

#[test]
fn what_is_not_genuine_denies_until_a_genuine_version_comes() {
    let index = index_with_owners();
    let halves = [Some(half(1)), None];
    apply(&index, version(9, 3, Status::Active, halves));
    let bad = |revision| Change {
        key: key(9),
        revision: Revision(revision),
        what: What::NotGenuine,
    };
    // Older than what is known: a page of a scan that began before.
    assert_eq!(apply(&index, bad(2)), Outcome::Known);
    assert!(look(&index, half(1)).is_some());
    apply(&index, bad(3));
    assert_eq!(look(&index, half(1)), None);
    // Its older version does not help, the same one does.
    apply(&index, version(9, 2, Status::Active, halves));
    assert_eq!(look(&index, half(1)), None);
    apply(&index, version(9, 3, Status::Active, halves));
    assert_eq!(look(&index, half(1)), Some((id(9), Ok(3))));
    // A newer version that was written before it, and is heard of after it, does not help either.
    apply(&index, bad(6));
    let late = version(9, 5, Status::Active, halves);
    assert_eq!(apply(&index, late), Outcome::Known);
    assert_eq!(look(&index, half(1)), None);
    apply(&index, version(9, 7, Status::Active, halves));
    assert_eq!(look(&index, half(1)), Some((id(9), Ok(7))));
}

#[test]
fn an_owner_that_is_not_genuine_is_unknown() {
    let index = index_with_owners();
    apply(&index, version(9, 1, Status::Active, [Some(half(1)), None]));
    for (kind, number) in [(Kind::USER, 2), (Kind::ORGANIZATION, 1)] {
        let bad = Change {
            key: RecordKey::new(kind, id(number)),
            revision: Revision(5),
            what: What::NotGenuine,
        };
        apply(&index, bad);
        assert_eq!(
            look(&index, half(1)),
            Some((id(9), Err(Dead::OwnerInactive)))
        );
        apply(&index, owner(kind, number, OwnerState::Active, 6));
        assert_eq!(look(&index, half(1)), Some((id(9), Ok(1))));
    }
}

#[test]
fn what_is_gone_stays_gone_behind_what_is_not_genuine() {
    let change = |revision, what| Change {
        key: key(9),
        revision: Revision(revision),
        what,
    };
    let old = |revision| Change {
        revision: Revision(revision),
        ..version(9, 4, Status::Active, [Some(half(1)), None])
    };
    let purged_at = |index: &Index| {
        let halves = [Some(half(1)), None];
        apply(index, version(9, 5, Status::Revoked, halves));
        apply(index, change(6, What::Purged));
        apply(index, change(7, What::NotGenuine));
    };
    let index = index_with_owners();
    purged_at(&index);
    apply(&index, change(8, What::Purged));
    assert_eq!(apply(&index, old(9)), Outcome::Replayed);
    let index = index_with_owners();
    purged_at(&index);
    index.begin_rebuild();
    index.finish_rebuild(|_| {});
    assert_eq!(apply(&index, old(9)), Outcome::Replayed);
    assert_eq!(look(&index, half(1)), None);
}
