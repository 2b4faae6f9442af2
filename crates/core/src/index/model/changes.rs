//! Concurrent changes of one record.

use std::ops::RangeInclusive;

use super::*;

/// A version of authorization 7. Its expiry, status and user depend on the sequence.
fn version_of(sequence: u64, handle: TokenLookup, revoked: u64) -> Change {
    let status = match sequence {
        _ if sequence == revoked => Status::Revoked,
        _ if sequence % 3 == 2 => Status::Inactive,
        _ => Status::Active,
    };
    let mut change = handled(7, sequence, status, handle);
    if let ChangeKind::Authorization(digest, _) = &mut change.what {
        digest.expires = expires(sequence);
        digest.user = Some(id(2 + sequence % 2));
    }
    change
}

fn moment(seconds: u64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000).unwrap()
}

fn expires(sequence: u64) -> Option<Timestamp> {
    let seconds = [0, 20, 0, 10, 30, 5, 0];
    let at = seconds.get(sequence as usize).copied().unwrap_or_default();
    (at != 0).then(|| moment(at))
}

/// Times before, between and after the expiries of the versions.
const TIMES: [u64; 5] = [1, 7, 15, 25, 35];

/// Returns the version of a record, and its state at each of [`TIMES`].
fn observe(
    index: &Index,
    number: u64,
    short_digest: ShortDigest,
    by_id: bool,
) -> Option<(u64, Vec<Result<(), NotInForce>>)> {
    index.read(|view| {
        let start = if by_id { view.start(number) } else { BucketHash::of_digest(short_digest) };
        index.find(view, (start, short_digest), describe)
    })
}

fn describe(found: Found<'_>) -> (u64, Vec<Result<(), NotInForce>>) {
    let at = |time| found.live(|| moment(time));
    let lives = TIMES.map(at).to_vec();
    (sequence_of(&found), lives)
}

/// Asserts that a version is never in force after its own expiry, and expires only if it or a
/// neighbour does.
fn agrees(sequence: u64, lives: &[Result<(), NotInForce>], revoked: u64) {
    agrees_near(sequence, lives, revoked, sequence - 1..=sequence + 1);
}

/// Like [`agrees`], for a version that any of `near` may have preceded or followed.
fn agrees_near(
    sequence: u64,
    lives: &[Result<(), NotInForce>],
    revoked: u64,
    near: RangeInclusive<u64>,
) {
    for (time, live) in TIMES.into_iter().zip(lives) {
        let expired = |sequence| expires(sequence).is_some_and(|end| end <= moment(time));
        match live {
            _ if sequence == revoked => assert_eq!(*live, Err(NotInForce::Revoked)),
            _ if sequence % 3 == 2 => assert_eq!(*live, Err(NotInForce::Inactive)),
            Ok(()) => assert!(!expired(sequence), "{sequence} at {time}"),
            Err(NotInForce::Expired) => assert!(near.clone().any(expired), "{sequence} at {time}"),
            Err(other) => panic!("{sequence} at {time}: {other:?}"),
        }
    }
}

fn index_with_users() -> Index {
    let index = index_with_owners();
    apply(&index, owner(Kind::USER, 3, OwnerState::Active, 1));
    index
}

#[test]
fn readers_see_matching_word_and_expiry() {
    explore("readers see matching word and expiry", || {
        let index = &index_with_users();
        let handle = TokenLookup::ById(short_digest(7));
        let progress = &Progress::default();
        progress.apply(index, version_of(1, handle, 9), 1);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(move || {
                    let mut last = 0;
                    for _ in 0..2 {
                        let (observe, may) =
                            seen(progress, || observe(index, 7, short_digest(7), true));
                        let (sequence, lives) = observe.expect("the record always exists");
                        assert!(may.contains(&sequence) && sequence >= last);
                        agrees(sequence, &lives, 9);
                        last = sequence;
                    }
                });
            }
            for sequence in 2..=5 {
                progress.apply(index, version_of(sequence, handle, 9), sequence);
            }
        });
    });
}

/// Writes a record with two digests, one of which it loses and regains, and revokes it.
#[test]
fn revoked_records_stay_refused() {
    explore("revoked records stay refused", || {
        let index = &index_with_users();
        let progress = &Progress::default();
        let both = TokenLookup::ByDigest([Some(short_digest(1)), Some(short_digest(2))]);
        let one = TokenLookup::ByDigest([Some(short_digest(1)), None]);
        progress.apply(index, version_of(1, both, 4), 1);
        thread::scope(|scope| {
            for number in 1..=2 {
                scope.spawn(move || {
                    for _ in 0..2 {
                        let look = || observe(index, 7, short_digest(number), false);
                        let (observe, may) = seen(progress, look);
                        let Some((sequence, lives)) = observe else {
                            // Version 3 does not have the second digest.
                            assert!(number == 2 && may.contains(&3), "{may:?}");
                            continue;
                        };
                        agrees(sequence, &lives, 4);
                        assert!(may.contains(&sequence), "{sequence} of {may:?}");
                    }
                });
            }
            progress.apply(index, version_of(2, both, 4), 2);
            progress.apply(index, version_of(3, one, 4), 3);
            progress.apply(index, version_of(4, both, 4), 4);
        });
        for number in 1..=2 {
            let (sequence, lives) = observe(index, 7, short_digest(number), false).unwrap();
            assert_eq!(sequence, 4);
            agrees(sequence, &lives, 4);
        }
    });
}

/// Two writers apply the same versions in different orders, and other records in between.
#[test]
fn the_newest_version_wins_between_two_writers() {
    explore("the newest version wins between two writers", || {
        let index = &index_with_users();
        let handle = TokenLookup::ByDigest([Some(short_digest(7)), None]);
        let newest = &UntrackedCounter::default();
        thread::scope(|scope| {
            for order in [[1, 3, 4], [2, 4, 3]] {
                scope.spawn(move || {
                    for sequence in order {
                        apply(index, version_of(sequence, handle, 4));
                        newest.set(newest.get().max(sequence));
                        let another = 10 * sequence + order[0];
                        apply(
                            index,
                            handled(
                                another,
                                1,
                                Status::Active,
                                TokenLookup::ById(short_digest(another)),
                            ),
                        );
                    }
                });
            }
            scope.spawn(move || {
                let mut last = 0;
                for _ in 0..3 {
                    let known = newest.get();
                    let sequence = match observe(index, 7, short_digest(7), false) {
                        None => 0,
                        Some((sequence, lives)) => {
                            agrees_near(sequence, &lives, 4, 1..=4);
                            sequence
                        }
                    };
                    assert!(sequence >= last.max(known), "{sequence} after {last}, {known}");
                    last = sequence;
                }
            });
        });
        assert_eq!(observe(index, 7, short_digest(7), false).unwrap().0, 4);
        for another in [11, 31, 41, 22, 32, 42] {
            let found = look_up_by_id(index, another, short_digest(another));
            assert_eq!(found, Some((id(another), Ok(1))));
        }
    });
}

/// A change of an owner applies to all of its authorizations.
#[test]
fn owner_changes_apply_to_all_their_authorizations() {
    explore("owner changes apply to all their authorizations", || {
        let index = &index_with_users();
        let progress = &Progress::default();
        for number in 1..=2 {
            let handle = TokenLookup::ById(short_digest(number));
            apply(index, handled(number, 1, Status::Active, handle));
        }
        let states =
            [OwnerState::Active, OwnerState::Inactive, OwnerState::Active, OwnerState::Deleted];
        progress.begun.set(1);
        progress.done.set(1);
        thread::scope(|scope| {
            for number in 1..=2 {
                scope.spawn(move || {
                    for _ in 0..2 {
                        let look =
                            || observe(index, number, short_digest(number), true).unwrap().1[0];
                        let (live, may) = seen(progress, look);
                        let said = |at: u64| match states[at as usize - 1] {
                            OwnerState::Active => Ok(()),
                            OwnerState::Deleted => Err(NotInForce::Revoked),
                            _ => Err(NotInForce::OwnerInactive),
                        };
                        assert!(may.clone().any(|at| said(at) == live), "{live:?} in {may:?}");
                    }
                });
            }
            // Another user is added at the same time.
            scope.spawn(move || {
                apply(index, owner(Kind::USER, 4, OwnerState::Active, 1));
            });
            for (state, sequence) in states.into_iter().zip(1..).skip(1) {
                progress.apply(index, owner(Kind::USER, 2, state, sequence), sequence);
            }
        });
    });
}

/// Looks first in the slot where the token was found last, as `Grant` does.
#[test]
fn slot_hints_never_return_another_record() {
    explore("slot hints never return another record", || {
        let index = &index_with_users();
        let progress = &Progress::default();
        let handle = TokenLookup::ById(short_digest(7));
        progress.apply(index, version_of(1, handle, 3), 1);
        thread::scope(|scope| {
            scope.spawn(move || {
                let found = index.read(|view| {
                    let start = view.start(7);
                    index.find(view, (start, short_digest(7)), |found| found.slot_hint())
                });
                let mut place = found.unwrap();
                for _ in 0..3 {
                    let look = || {
                        index.read(|view| {
                            let here = view.at(place, short_digest(7));
                            here.map(describe).or_else(|| {
                                let start = view.start(7);
                                index.find(view, (start, short_digest(7)), |found| {
                                    place = found.slot_hint();
                                    describe(found)
                                })
                            })
                        })
                    };
                    let ((sequence, lives), may) = match seen(progress, look) {
                        (Some(observe), may) => (observe, may),
                        (None, may) => panic!("not found in {may:?}"),
                    };
                    assert!(may.contains(&sequence), "{sequence} of {may:?}");
                    agrees(sequence, &lives, 3);
                }
            });
            scope.spawn(move || {
                for number in 20..26 {
                    let handle = TokenLookup::ById(short_digest(number));
                    apply(index, handled(number, 1, Status::Active, handle));
                }
            });
            progress.apply(index, version_of(2, handle, 3), 2);
            progress.apply(index, version_of(3, handle, 3), 3);
        });
    });
}
