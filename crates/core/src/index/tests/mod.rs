mod against_reference;
mod reference_index;
mod tampering;

use super::fixtures::*;
use super::*;
use crate::authorization::NotInForce;
use crate::record::Kind;
use proptest::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

fn status(number: u8) -> Status {
    [Status::Active, Status::Inactive, Status::Revoked][usize::from(number)]
}

fn wanted(sequence: u64, status: Status) -> Result<u64, NotInForce> {
    match status {
        Status::Active => Ok(sequence),
        Status::Inactive => Err(NotInForce::Inactive),
        Status::Revoked => Err(NotInForce::Revoked),
    }
}

proptest! {
    /// Versions of one record arrive in any order, some twice. The newest is found under each of
    /// its digests, and under none that only older versions had.
    #[test]
    fn the_newest_version_wins_in_any_order(
        statuses in proptest::collection::vec((0..2_u8, 1..4_u64), 1..8),
        order in proptest::collection::vec(0..8_usize, 1..30),
        ends: bool,
    ) {
        let index = index_with_owners();
        let mut versions: Vec<Change> = Vec::new();
        for (at, (number, second)) in statuses.iter().enumerate() {
            let last = at + 1 == statuses.len();
            let status = if last && ends { Status::Revoked } else { status(*number) };
            let short_digests = [Some(short_digest(7)), Some(short_digest(100 + second))];
            versions.push(version(7, at as u64 + 1, status, short_digests));
        }
        let mut newest = 0;
        for at in order.into_iter().filter(|at| *at < versions.len()) {
            let outcome = apply(&index, versions[at].clone());
            prop_assert_eq!(outcome == ApplyOutcome::Applied, at + 1 > newest);
            newest = newest.max(at + 1);
            let ChangeKind::Authorization(digest, sequence) = &versions[newest - 1].what else {
                unreachable!();
            };
            let state = wanted(*sequence, digest.status);
            for number in 101..104 {
                let short_digests = [Some(short_digest(7)), Some(short_digest(number))];
                let held = digest.handle == TokenLookup::ByDigest(short_digests);
                prop_assert_eq!(look(&index, short_digest(number)), held.then_some((id(7), state)));
            }
            prop_assert_eq!(look(&index, short_digest(7)), Some((id(7), state)));
            prop_assert!(index.agrees(&versions[newest - 1]));
        }
    }
}

#[test]
fn revoking_an_id_revokes_all_its_slots() {
    let index = index_with_owners();
    let short_digests = [Some(short_digest(1)), Some(short_digest(2))];
    apply(&index, version(9, 1, Status::Active, short_digests));
    apply(&index, version(9, 2, Status::Revoked, short_digests));
    for number in [1, 2] {
        assert_eq!(look(&index, short_digest(number)), Some((id(9), Err(NotInForce::Revoked))));
    }
}

#[test]
fn a_replayed_version_is_reported_and_ignored() {
    let index = index_with_owners();
    let short_digests = [Some(short_digest(1)), None];
    apply(&index, version(9, 1, Status::Active, short_digests));
    apply(&index, version(9, 2, Status::Inactive, short_digests));
    let mut old = version(9, 1, Status::Active, short_digests);
    // As from a page of a scan that began before.
    assert_eq!(apply(&index, old.clone()), ApplyOutcome::Known);
    old.revision = Revision(3);
    assert_eq!(apply(&index, old.clone()), ApplyOutcome::RolledBack);
    assert_eq!(look(&index, short_digest(1)), Some((id(9), Err(NotInForce::Inactive))));
    // A revocation applies whatever its sequence is.
    apply(&index, version(9, 4, Status::Revoked, short_digests));
    assert_eq!(
        apply(&index, version(9, 5, Status::Active, short_digests)),
        ApplyOutcome::RolledBack
    );
    assert_eq!(look(&index, short_digest(1)), Some((id(9), Err(NotInForce::Revoked))));
}

#[test]
fn a_shared_digest_stays_with_the_first_authorization() {
    let index = index_with_owners();
    apply(&index, version(9, 1, Status::Revoked, [Some(short_digest(1)), None]));
    let second = version(10, 1, Status::Active, [Some(short_digest(1)), None]);
    assert_eq!(apply(&index, second), ApplyOutcome::DuplicateToken);
    assert_eq!(look(&index, short_digest(1)), Some((id(9), Err(NotInForce::Revoked))));
}

#[test]
fn purging_frees_the_digest() {
    let index = index_with_owners();
    apply(&index, version(9, 5, Status::Revoked, [Some(short_digest(1)), Some(short_digest(2))]));
    let purged = Change { key: key(9), revision: Revision(6), what: ChangeKind::Purged };
    apply(&index, purged);
    assert_eq!((look(&index, short_digest(1)), look(&index, short_digest(2))), (None, None));
    apply(&index, version(10, 1, Status::Active, [Some(short_digest(1)), None]));
    assert_eq!(look(&index, short_digest(1)), Some((id(10), Ok(1))));
}

#[test]
fn a_rebuild_drops_purged_records_and_reverts_nothing() {
    let index = index_with_owners();
    for number in 1..=4 {
        let short_digests = [Some(short_digest(number)), None];
        apply(&index, version(number, 2, Status::Active, short_digests));
    }
    apply(&index, version(3, 3, Status::Revoked, [Some(short_digest(3)), None]));
    index.begin_rebuild();
    let active = OwnerState::Active;
    index.rebuild([
        owner(Kind::ORGANIZATION, 1, active, 1),
        owner(Kind::USER, 2, active, 1),
        version(1, 1, Status::Active, [Some(short_digest(1)), None]),
        version(3, 2, Status::Active, [Some(short_digest(3)), None]),
        version(4, 2, Status::Active, [Some(short_digest(4)), None]),
    ]);
    // Written while the rebuild reads.
    apply(&index, version(5, 9, Status::Active, [Some(short_digest(5)), None]));
    let mut replayed = Vec::new();
    index.finish_rebuild(|key| replayed.push(key.id.number()));
    replayed.sort_unstable();
    assert_eq!(replayed, [1, 3]);
    for number in 1..=3 {
        assert_eq!(look(&index, short_digest(number)), None, "{number}");
    }
    assert_eq!(look(&index, short_digest(4)), Some((id(4), Ok(2))));
    assert_eq!(look(&index, short_digest(5)), Some((id(5), Ok(9))));
    // The current version restores a record that was not revoked.
    apply(&index, version(1, 2, Status::Active, [Some(short_digest(1)), None]));
    assert_eq!(look(&index, short_digest(1)), Some((id(1), Ok(2))));
    // A record that vanished is not restored by an old version, neither now nor in another rebuild.
    let old = || version(2, 2, Status::Active, [Some(short_digest(2)), None]);
    assert_eq!(apply(&index, old()), ApplyOutcome::RolledBack);
    index.begin_rebuild();
    index.rebuild([
        owner(Kind::ORGANIZATION, 1, active, 1),
        owner(Kind::USER, 2, active, 1),
        old(),
    ]);
    index.finish_rebuild(|_| {});
    assert_eq!(look(&index, short_digest(2)), None);
    assert_eq!(index.sequence(key(2)), 2);
    apply(&index, version(2, 3, Status::Active, [Some(short_digest(2)), None]));
    assert_eq!(look(&index, short_digest(2)), Some((id(2), Ok(3))));
}

#[test]
fn a_revocation_applies_regardless_of_its_sequence() {
    let index = index_with_owners();
    let short_digests = [Some(short_digest(1)), None];
    apply(&index, version(9, 5, Status::Active, short_digests));
    assert_eq!(apply(&index, version(9, 3, Status::Revoked, short_digests)), ApplyOutcome::Applied);
    assert_eq!(look(&index, short_digest(1)), Some((id(9), Err(NotInForce::Revoked))));
    assert_eq!(index.sequence(key(9)), 5);
}

#[test]
fn a_deleted_owner_stays_deleted_across_a_rebuild() {
    let index = index_with_owners();
    apply(&index, version(9, 1, Status::Active, [Some(short_digest(1)), None]));
    apply(&index, owner(Kind::USER, 2, OwnerState::Deleted, 2));
    index.begin_rebuild();
    let active = OwnerState::Active;
    index.rebuild([
        owner(Kind::ORGANIZATION, 1, active, 1),
        owner(Kind::USER, 2, active, 1),
        version(9, 1, Status::Active, [Some(short_digest(1)), None]),
    ]);
    index.finish_rebuild(|_| {});
    assert_eq!(look(&index, short_digest(1)), Some((id(9), Err(NotInForce::Revoked))));
}

/// Writers apply versions out of order while the table grows. Readers must never see a revoked
/// token allowed, nor a version older than one that was seen before.
#[test]
fn concurrent_readers_never_see_an_older_version() {
    const IDS: u64 = 2_000;
    const VERSIONS: u64 = 6;
    let index = &index_with_owners();
    let done = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer: u64| {
                scope.spawn(move || {
                    for step in 0..IDS * VERSIONS {
                        // Each writer applies the versions in an order of its own.
                        let at = (step * [7919, 6007, 5003][writer as usize]) % (IDS * VERSIONS);
                        let (number, sequence) = (at % IDS + 1, at / IDS + 1);
                        let last = sequence == VERSIONS;
                        let status = if last { Status::Revoked } else { Status::Active };
                        let short_digests =
                            [Some(short_digest(number)), Some(short_digest(number + IDS))];
                        apply(index, version(number, sequence, status, short_digests));
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(move || {
                let mut seen = vec![0; IDS as usize * 2 + 1];
                while !done.load(Ordering::Acquire) {
                    for number in 1..=IDS * 2 {
                        let sequence = match look(index, short_digest(number)) {
                            None => 0,
                            Some((_, Ok(sequence))) => sequence,
                            Some((_, Err(_))) => VERSIONS,
                        };
                        let before = &mut seen[number as usize];
                        assert!(sequence >= *before, "{number}: {sequence} after {before}");
                        *before = sequence;
                    }
                }
            });
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Release);
    });
    for number in 1..=IDS * 2 {
        assert!(matches!(look(index, short_digest(number)), Some((_, Err(NotInForce::Revoked)))));
    }
}

/// Tokens that carry ids are found at every size of the table, and only in their newest version.
#[test]
fn tokens_that_carry_ids_are_found_while_the_table_grows_and_shrinks() {
    const IDS: u64 = 50_000;
    let index = index_with_owners();
    for number in 1..=IDS {
        apply(&index, handled(number, 1, Status::Active, TokenLookup::ById(short_digest(number))));
        // An earlier record, wherever it was moved since.
        let old = number / 2 + 1;
        assert_eq!(look_up_by_id(&index, old, short_digest(old)), Some((id(old), Ok(1))));
    }
    assert_eq!(index.len(), IDS as usize + 2);
    index.finish_loading();
    for number in 1..=IDS {
        let ends = Change {
            revision: Revision(9),
            ..handled(number, 2, Status::Revoked, TokenLookup::ById(short_digest(number)))
        };
        if number % 3 == 0 {
            assert_eq!(apply(&index, ends), ApplyOutcome::Applied);
        }
    }
    for number in 1..=IDS {
        let wanted = if number % 3 == 0 { Err(NotInForce::Revoked) } else { Ok(1) };
        assert_eq!(look_up_by_id(&index, number, short_digest(number)), Some((id(number), wanted)));
        assert_eq!(look_up_by_id(&index, number, short_digest(number + IDS)), None);
    }
    assert_eq!(index.revoked().len(), IDS as usize / 3);
    // The slots of purged records are lost until they are left out of a new table.
    for number in 1..=IDS {
        let what = ChangeKind::Purged;
        let purged = Change { key: key(number), revision: Revision(10), what };
        if number % 10 != 0 {
            assert_eq!(apply(&index, purged), ApplyOutcome::Applied);
        }
    }
    index.finish_loading();
    assert_eq!(index.len(), IDS as usize / 10 + 2);
    for number in 1..=IDS {
        let found = look_up_by_id(&index, number, short_digest(number));
        assert_eq!(found.is_some(), number % 10 == 0, "{number}");
    }
    assert_eq!(index.sequence(key(30)), 2);
    assert_eq!(index.sequence(key(31)), 1);
}

#[test]
fn a_returning_digest_reuses_its_slot() {
    const IDS: u64 = 3_000;
    let index = index_with_owners();
    let add = |number| {
        let short_digests = [Some(short_digest(number)), None];
        apply(&index, version(number, 1, Status::Active, short_digests));
    };
    (1..=300).for_each(add);
    // The record alternates between two digests.
    for sequence in 1..=1_000 {
        let short_digests = [Some(short_digest(9_000 + sequence % 2)), None];
        apply(&index, version(IDS + 1, sequence, Status::Active, short_digests));
    }
    (301..=IDS).for_each(add);
    index.finish_loading();
    for number in 1..=IDS {
        assert_eq!(look(&index, short_digest(number)), Some((id(number), Ok(1))));
    }
}

#[test]
fn a_table_never_fills_up_during_a_rebuild() {
    let index = index_with_owners();
    index.begin_rebuild();
    for number in 1..=2_000 {
        let short_digests = [Some(short_digest(number)), None];
        index.rebuild([version(number, 1, Status::Active, short_digests)]);
        let percent = index.fullness_of_rebuild();
        // Tests move few slots at a time, so a table is still moving while hundreds of records
        // arrive.
        let most = if number > 500 { 95 } else { 300 };
        assert!(percent <= most, "{percent} % after {number}");
    }
    index.finish_rebuild(|_| {});
    for number in 1..=2_000 {
        assert!(look(&index, short_digest(number)).is_some());
    }
}

/// All digests hash to the last bucket, which does not happen with keyed ones: the table cannot
/// make room in steps.
#[test]
fn fully_colliding_digests_find_room() {
    let index = index_with_owners();
    let meeting = |number: u64| [u64::MAX - (number << 44), number];
    for number in 1..=200 {
        let short_digests = [Some(meeting(number)), None];
        apply(&index, version(number, 1, Status::Active, short_digests));
        for number in (1..=number).step_by(29) {
            let found = look(&index, meeting(number));
            assert_eq!(found, Some((id(number), Ok(1))));
        }
    }
    index.finish_loading();
    for number in 1..=200 {
        assert_eq!(look(&index, meeting(number)), Some((id(number), Ok(1))));
    }
}
