mod compared;
mod genuine;
mod plain;

use super::samples::*;
use super::*;
use crate::authorization::Dead;
use crate::record::Kind;
use proptest::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

fn status(number: u8) -> Status {
    [Status::Active, Status::Inactive, Status::Revoked][usize::from(number)]
}

fn wanted(sequence: u64, status: Status) -> Result<u64, Dead> {
    match status {
        Status::Active => Ok(sequence),
        Status::Inactive => Err(Dead::Inactive),
        Status::Revoked => Err(Dead::Revoked),
    }
}

proptest! {
    /// Versions of one record come in any order, some twice: the newest holds, under every one of its digests and
    /// under none of those that only older versions had.
    #[test]
    fn newest_wins_in_any_order(
        statuses in proptest::collection::vec((0..2_u8, 1..4_u64), 1..8),
        order in proptest::collection::vec(0..8_usize, 1..30),
        ends: bool,
    ) {
        let index = index_with_owners();
        let mut versions: Vec<Change> = Vec::new();
        for (at, (number, second)) in statuses.iter().enumerate() {
            let last = at + 1 == statuses.len();
            let status = if last && ends { Status::Revoked } else { status(*number) };
            let halves = [Some(half(7)), Some(half(100 + second))];
            versions.push(version(7, at as u64 + 1, status, halves));
        }
        let mut newest = 0;
        for at in order.into_iter().filter(|at| *at < versions.len()) {
            let outcome = apply(&index, versions[at].clone());
            prop_assert_eq!(outcome == Outcome::Applied, at + 1 > newest);
            newest = newest.max(at + 1);
            let What::Authorization(digest, sequence) = &versions[newest - 1].what else {
                unreachable!();
            };
            let state = wanted(*sequence, digest.status);
            for number in 101..104 {
                let held = digest.handle == Handle::Digests([Some(half(7)), Some(half(number))]);
                prop_assert_eq!(look(&index, half(number)), held.then_some((id(7), state)));
            }
            prop_assert_eq!(look(&index, half(7)), Some((id(7), state)));
            prop_assert!(index.agrees(&versions[newest - 1]));
        }
    }
}

#[test]
fn ending_an_id_ends_every_slot_of_it() {
    let index = index_with_owners();
    let halves = [Some(half(1)), Some(half(2))];
    apply(&index, version(9, 1, Status::Active, halves));
    apply(&index, version(9, 2, Status::Revoked, halves));
    for number in [1, 2] {
        assert_eq!(
            look(&index, half(number)),
            Some((id(9), Err(Dead::Revoked)))
        );
    }
}

#[test]
fn an_old_version_under_a_new_revision_is_told_and_not_taken() {
    let index = index_with_owners();
    let halves = [Some(half(1)), None];
    apply(&index, version(9, 1, Status::Active, halves));
    apply(&index, version(9, 2, Status::Inactive, halves));
    let mut old = version(9, 1, Status::Active, halves);
    // As a page of a scan that began before: nothing to tell.
    assert_eq!(apply(&index, old.clone()), Outcome::Known);
    old.revision = Revision(3);
    assert_eq!(apply(&index, old.clone()), Outcome::Replayed);
    assert_eq!(look(&index, half(1)), Some((id(9), Err(Dead::Inactive))));
    // What was revoked stays so whatever the sequence says.
    apply(&index, version(9, 4, Status::Revoked, halves));
    assert_eq!(
        apply(&index, version(9, 5, Status::Active, halves)),
        Outcome::Replayed
    );
    assert_eq!(look(&index, half(1)), Some((id(9), Err(Dead::Revoked))));
}

#[test]
fn one_digest_of_two_authorizations_stays_with_the_first() {
    let index = index_with_owners();
    apply(
        &index,
        version(9, 1, Status::Revoked, [Some(half(1)), None]),
    );
    let second = version(10, 1, Status::Active, [Some(half(1)), None]);
    assert_eq!(apply(&index, second), Outcome::Shadowed);
    assert_eq!(look(&index, half(1)), Some((id(9), Err(Dead::Revoked))));
}

#[test]
fn a_purged_id_is_unknown_and_its_digest_is_free() {
    let index = index_with_owners();
    apply(
        &index,
        version(9, 5, Status::Revoked, [Some(half(1)), Some(half(2))]),
    );
    let purged = Change {
        key: key(9),
        revision: Revision(6),
        what: What::Purged,
    };
    apply(&index, purged);
    assert_eq!((look(&index, half(1)), look(&index, half(2))), (None, None));
    apply(
        &index,
        version(10, 1, Status::Active, [Some(half(1)), None]),
    );
    assert_eq!(look(&index, half(1)), Some((id(10), Ok(1))));
}

#[test]
fn a_rebuild_drops_what_is_gone_and_lets_nothing_fall_back() {
    let index = index_with_owners();
    for number in 1..=4 {
        let halves = [Some(half(number)), None];
        apply(&index, version(number, 2, Status::Active, halves));
    }
    apply(
        &index,
        version(3, 3, Status::Revoked, [Some(half(3)), None]),
    );
    index.begin_rebuild();
    let active = OwnerState::Active;
    index.rebuild([
        owner(Kind::ORGANIZATION, 1, active, 1),
        owner(Kind::USER, 2, active, 1),
        version(1, 1, Status::Active, [Some(half(1)), None]),
        version(3, 2, Status::Active, [Some(half(3)), None]),
        version(4, 2, Status::Active, [Some(half(4)), None]),
    ]);
    // Written while the rebuild reads.
    apply(&index, version(5, 9, Status::Active, [Some(half(5)), None]));
    let mut told = Vec::new();
    index.finish_rebuild(|key| told.push(key.id.number()));
    told.sort_unstable();
    assert_eq!(told, [1, 3]);
    for number in 1..=3 {
        assert_eq!(look(&index, half(number)), None, "{number}");
    }
    assert_eq!(look(&index, half(4)), Some((id(4), Ok(2))));
    assert_eq!(look(&index, half(5)), Some((id(5), Ok(9))));
    // The right version brings back what had not ended.
    apply(&index, version(1, 2, Status::Active, [Some(half(1)), None]));
    assert_eq!(look(&index, half(1)), Some((id(1), Ok(2))));
    // What vanished does not come back as it was, neither now nor over another rebuild.
    let old = || version(2, 2, Status::Active, [Some(half(2)), None]);
    assert_eq!(apply(&index, old()), Outcome::Replayed);
    index.begin_rebuild();
    index.rebuild([
        owner(Kind::ORGANIZATION, 1, active, 1),
        owner(Kind::USER, 2, active, 1),
        old(),
    ]);
    index.finish_rebuild(|_| {});
    assert_eq!(look(&index, half(2)), None);
    assert_eq!(index.sequence(key(2)), 2);
    apply(&index, version(2, 3, Status::Active, [Some(half(2)), None]));
    assert_eq!(look(&index, half(2)), Some((id(2), Ok(3))));
}

#[test]
fn an_ending_is_taken_whatever_it_was_counted_from() {
    let index = index_with_owners();
    let halves = [Some(half(1)), None];
    apply(&index, version(9, 5, Status::Active, halves));
    assert_eq!(
        apply(&index, version(9, 3, Status::Revoked, halves)),
        Outcome::Applied
    );
    assert_eq!(look(&index, half(1)), Some((id(9), Err(Dead::Revoked))));
    assert_eq!(index.sequence(key(9)), 5);
}

#[test]
fn a_deleted_owner_stays_deleted_over_a_rebuild() {
    let index = index_with_owners();
    apply(&index, version(9, 1, Status::Active, [Some(half(1)), None]));
    apply(&index, owner(Kind::USER, 2, OwnerState::Deleted, 2));
    index.begin_rebuild();
    let active = OwnerState::Active;
    index.rebuild([
        owner(Kind::ORGANIZATION, 1, active, 1),
        owner(Kind::USER, 2, active, 1),
        version(9, 1, Status::Active, [Some(half(1)), None]),
    ]);
    index.finish_rebuild(|_| {});
    assert_eq!(look(&index, half(1)), Some((id(9), Err(Dead::Revoked))));
}

/// Writers apply versions out of order while the table grows from nothing; readers must never see a token that is
/// known to be revoked allowed, nor a version that is older than one that was seen before.
#[test]
fn readers_beside_writers_never_see_a_step_back() {
    const IDS: u64 = 2_000;
    const VERSIONS: u64 = 6;
    let index = &index_with_owners();
    let done = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer: u64| {
                scope.spawn(move || {
                    for step in 0..IDS * VERSIONS {
                        // Each writer walks all versions in an order of its own.
                        let at = (step * [7919, 6007, 5003][writer as usize]) % (IDS * VERSIONS);
                        let (number, sequence) = (at % IDS + 1, at / IDS + 1);
                        let last = sequence == VERSIONS;
                        let status = if last {
                            Status::Revoked
                        } else {
                            Status::Active
                        };
                        let halves = [Some(half(number)), Some(half(number + IDS))];
                        apply(index, version(number, sequence, status, halves));
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(move || {
                let mut seen = vec![0; IDS as usize * 2 + 1];
                while !done.load(Ordering::Acquire) {
                    for number in 1..=IDS * 2 {
                        let sequence = match look(index, half(number)) {
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
        writers
            .into_iter()
            .for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Release);
    });
    for number in 1..=IDS * 2 {
        assert!(matches!(
            look(index, half(number)),
            Some((_, Err(Dead::Revoked)))
        ));
    }
}

/// What carries its id is found by it through every size of the table, and only its newest version.
#[test]
fn tokens_that_carry_ids_are_found_while_the_table_grows_and_shrinks() {
    const IDS: u64 = 50_000;
    let index = index_with_owners();
    for number in 1..=IDS {
        apply(
            &index,
            handled(number, 1, Status::Active, Handle::Id(half(number))),
        );
        // One that came long ago, whatever moved since.
        let old = number / 2 + 1;
        assert_eq!(look_home(&index, old, half(old)), Some((id(old), Ok(1))));
    }
    assert_eq!(index.len(), IDS as usize + 2);
    index.settle();
    for number in 1..=IDS {
        let ends = Change {
            revision: Revision(9),
            ..handled(number, 2, Status::Revoked, Handle::Id(half(number)))
        };
        if number % 3 == 0 {
            assert_eq!(apply(&index, ends), Outcome::Applied);
        }
    }
    for number in 1..=IDS {
        let wanted = if number % 3 == 0 {
            Err(Dead::Revoked)
        } else {
            Ok(1)
        };
        assert_eq!(
            look_home(&index, number, half(number)),
            Some((id(number), wanted))
        );
        assert_eq!(look_home(&index, number, half(number + IDS)), None);
    }
    assert_eq!(index.ended().len(), IDS as usize / 3);
    // Of those that are purged the slots are lost, until a new table drops them.
    for number in 1..=IDS {
        let what = What::Purged;
        let purged = Change {
            key: key(number),
            revision: Revision(10),
            what,
        };
        if number % 10 != 0 {
            assert_eq!(apply(&index, purged), Outcome::Applied);
        }
    }
    index.settle();
    assert_eq!(index.len(), IDS as usize / 10 + 2);
    for number in 1..=IDS {
        let found = look_home(&index, number, half(number));
        assert_eq!(found.is_some(), number % 10 == 0, "{number}");
    }
    assert_eq!(index.sequence(key(30)), 2);
    assert_eq!(index.sequence(key(31)), 1);
}

#[test]
fn a_digest_that_comes_back_takes_no_room_twice() {
    const IDS: u64 = 3_000;
    let index = index_with_owners();
    let add = |number| {
        let halves = [Some(half(number)), None];
        apply(&index, version(number, 1, Status::Active, halves));
    };
    (1..=300).for_each(add);
    // Two digests in turn: each of them is given up, and taken again.
    for sequence in 1..=1_000 {
        let halves = [Some(half(9_000 + sequence % 2)), None];
        apply(&index, version(IDS + 1, sequence, Status::Active, halves));
    }
    (301..=IDS).for_each(add);
    index.settle();
    for number in 1..=IDS {
        assert_eq!(look(&index, half(number)), Some((id(number), Ok(1))));
    }
}

#[test]
fn a_table_is_never_full_while_it_is_built_anew() {
    let index = index_with_owners();
    index.begin_rebuild();
    for number in 1..=2_000 {
        let halves = [Some(half(number)), None];
        index.rebuild([version(number, 1, Status::Active, halves)]);
        let percent = index.fullness_of_rebuild();
        // Tests move few slots at a time, so that many come while a table moves.
        let most = if number > 500 { 95 } else { 300 };
        assert!(percent <= most, "{percent} % after {number}");
    }
    index.finish_rebuild(|_| {});
    for number in 1..=2_000 {
        assert!(look(&index, half(number)).is_some());
    }
}

/// Digests that all begin in the last bucket, as keyed ones never do: no table in steps has room for them.
#[test]
fn digests_that_all_meet_find_room_too() {
    let index = index_with_owners();
    let meeting = |number: u64| [u64::MAX - (number << 44), number];
    for number in 1..=200 {
        let halves = [Some(meeting(number)), None];
        apply(&index, version(number, 1, Status::Active, halves));
        for number in (1..=number).step_by(29) {
            let found = look(&index, meeting(number));
            assert_eq!(found, Some((id(number), Ok(1))));
        }
    }
    index.settle();
    for number in 1..=200 {
        assert_eq!(look(&index, meeting(number)), Some((id(number), Ok(1))));
    }
}

/// Somebody who may write to the store cannot bring back what was purged by writing something else first.
#[test]
fn the_slot_of_another_does_not_say_when_a_record_expires() {
    let index = index_with_owners();
    let halves = [Some(half(1)), None];
    let mut first = version(9, 1, Status::Active, halves);
    if let What::Authorization(digest, _) = &mut first.what {
        digest.expires = Some(time(10));
    }
    apply(&index, first);
    apply(&index, version(10, 1, Status::Active, halves));
    let later = time(20);
    assert!(!index.may_outlive(key(9), later));
    assert!(index.may_outlive(key(10), later));
}
