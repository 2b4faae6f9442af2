//! Concurrent growing, shrinking and rebuilding of tables.

use super::*;

/// Tokens with an odd number carry their id, the others are found by a digest.
fn handle(number: u64) -> TokenLookup {
    match number % 2 {
        1 => TokenLookup::ById(short_digest(number)),
        _ => TokenLookup::ByDigest([Some(short_digest(number)), None]),
    }
}

fn active(number: u64) -> Change {
    handled(number, 1, Status::Active, handle(number))
}

fn revoked(number: u64) -> Change {
    handled(number, 2, Status::Revoked, handle(number))
}

fn find(index: &Index, number: u64) -> Option<(Id, Result<u64, NotInForce>)> {
    match handle(number) {
        TokenLookup::ById(short_digest) => look_up_by_id(index, number, short_digest),
        TokenLookup::ByDigest(_) => look(index, short_digest(number)),
    }
}

fn there(number: u64) -> Option<(Id, Result<u64, NotInForce>)> {
    Some((id(number), Ok(1)))
}

fn found_revoked(number: u64) -> Option<(Id, Result<u64, NotInForce>)> {
    Some((id(number), Err(NotInForce::Revoked)))
}

#[test]
fn existing_entries_are_found_while_the_table_grows() {
    explore("entries are found while the table grows", || {
        const ALL: u64 = 9;
        let index = &index_with_owners();
        let (first, last) = (&UntrackedCounter::default(), &UntrackedCounter::default());
        let revoked_to = &UntrackedCounter::default();
        thread::scope(|scope| {
            for reader in 0..2 {
                scope.spawn(move || {
                    for round in 0..2 {
                        let there_to = first.get();
                        let gone_to = revoked_to.get();
                        for number in (1..=there_to).filter(|number| number % 2 == reader) {
                            let found = find(index, number);
                            let may_end = number <= last.get();
                            assert!(
                                found == there(number) && number > gone_to
                                    || found == found_revoked(number) && may_end,
                                "{number} in round {round}: {found:?}"
                            );
                        }
                    }
                });
            }
            for number in 1..=ALL {
                apply(index, active(number));
                first.set(number);
                if number > 4 {
                    last.set(number - 4);
                    apply(index, revoked(number - 4));
                    revoked_to.set(number - 4);
                }
            }
        });
        index.finish_loading();
        assert_eq!(index.len(), ALL as usize + 2);
        for number in 1..=ALL {
            let wanted = if number <= ALL - 4 { found_revoked(number) } else { there(number) };
            assert_eq!(find(index, number), wanted);
        }
        assert_eq!(index.revoked().len(), ALL as usize - 4);
    });
}

/// A digest is purged, voided, and given to another record, while the table moves.
#[test]
fn a_digest_can_move_between_records() {
    explore("a digest moves between records", || {
        let index = &index_with_owners();
        let short_digests = [Some(short_digest(1)), Some(short_digest(2))];
        let step = &Progress::default();
        for number in [4, 5] {
            apply(index, active(number));
        }
        let steps = [
            version(30, 1, Status::Active, short_digests),
            purged(30, 2),
            version(31, 1, Status::Active, short_digests),
            Change { key: key(31), revision: Revision(2), what: ChangeKind::Tampered },
            version(31, 3, Status::Revoked, short_digests),
        ];
        let said = |at: u64| match at {
            1 => Some((id(30), Ok(1))),
            3 => Some((id(31), Ok(1))),
            5 => Some((id(31), Err(NotInForce::Revoked))),
            _ => None,
        };
        thread::scope(|scope| {
            for number in 1..=2 {
                scope.spawn(move || {
                    for _ in 0..2 {
                        let (found, may) = seen(step, || what(index, short_digest(number)));
                        let of_one = |at| {
                            let said: Option<(Id, Result<u64, NotInForce>)> = said(at);
                            said.map(|(_, live)| live)
                        };
                        assert!(may.clone().any(|at| of_one(at) == found), "{found:?} in {may:?}");
                    }
                    for number in [4, 5] {
                        assert_eq!(find(index, number), there(number));
                    }
                });
            }
            for (change, at) in steps.into_iter().zip(1..) {
                step.apply(index, change, at);
                apply(index, active(10 + at));
            }
        });
        index.finish_loading();
        for number in 1..=2 {
            assert_eq!(look(index, short_digest(number)), said(5));
        }
        assert_eq!(index.len(), 2 + 2 + 5 + 1);
    });
}

/// Like [`look`], but without the id, which a reader concurrent with a purge may miss.
fn what(index: &Index, wanted: ShortDigest) -> Option<Result<u64, NotInForce>> {
    index.read(|view| {
        index.find(view, (BucketHash::of_digest(wanted), wanted), |found| {
            let live = found.live(|| Timestamp::MIN);
            live.map(|()| sequence_of(&found))
        })
    })
}

#[test]
fn a_table_shrinks_under_concurrent_access() {
    explore("a table shrinks under concurrent access", || {
        const ALL: u64 = 10;
        let index = &index_with_owners();
        for number in 1..=ALL {
            apply(index, active(number));
        }
        for number in 4..=ALL {
            apply(index, purged(number, 2));
        }
        let is_revoked = &UntrackedCounter::default();
        thread::scope(|scope| {
            scope.spawn(move || {
                for number in [1, 2, 1] {
                    assert_eq!(find(index, number), there(number));
                }
                for number in [9, 10] {
                    assert_eq!(find(index, number), None);
                }
            });
            scope.spawn(move || {
                for _ in 0..2 {
                    let before = is_revoked.get();
                    let found = find(index, 3);
                    assert!(
                        found == found_revoked(3) || before == 0 && found == there(3),
                        "{found:?}"
                    );
                }
            });
            scope.spawn(move || {
                apply(index, active(20));
                apply(index, revoked(3));
                is_revoked.set(1);
                apply(index, active(21));
            });
            index.finish_loading();
        });
        index.finish_loading();
        assert_eq!(index.len(), 2 + 3 + 2);
        for number in [1, 2, 20, 21] {
            assert_eq!(find(index, number), there(number));
        }
        assert_eq!(find(index, 3), found_revoked(3));
        for number in 4..=ALL {
            assert_eq!(find(index, number), None);
        }
    });
}

#[test]
fn a_concurrent_rebuild_never_reverts_a_record() {
    explore("a rebuild never reverts a record", || {
        let index = &index_with_owners();
        for number in 1..=5 {
            apply(index, active(number));
        }
        apply(index, revoked(4));
        let (is_revoked, is_new) = (&UntrackedCounter::default(), &UntrackedCounter::default());
        thread::scope(|scope| {
            for number in 1..=2 {
                scope.spawn(move || {
                    for _ in 0..2 {
                        assert_eq!(find(index, number), there(number));
                        let before = is_revoked.get();
                        let found = find(index, 3);
                        let may = before == 0 && found == there(3);
                        assert!(may || found == found_revoked(3), "{found:?}");
                        // Not found while a rebuild has read an older version, but never allowed.
                        let found = find(index, 4);
                        assert!(found.is_none() || found == found_revoked(4), "{found:?}");
                        let new = is_new.get();
                        let found = find(index, 6);
                        assert!(found == there(6) || new == 0 && found.is_none());
                    }
                });
            }
            scope.spawn(move || {
                apply(index, revoked(3));
                is_revoked.set(1);
                apply(index, active(6));
                is_new.set(1);
            });
            index.begin_rebuild();
            let active_owner = OwnerState::Active;
            index.rebuild([
                owner(Kind::ORGANIZATION, 1, active_owner, 1),
                owner(Kind::USER, 2, active_owner, 1),
                active(1),
            ]);
            // The scan may read before or after the writes of the other thread.
            let three = if is_revoked.get() == 1 { revoked(3) } else { active(3) };
            let six = (is_new.get() == 1).then(|| active(6));
            let read = [active(2), three, active(4)].into_iter().chain(six);
            index.rebuild(read.collect::<Vec<_>>());
            index.finish_rebuild(|_| {});
            // Frees former views while readers are active.
            index.finish_loading();
        });
        index.finish_loading();
        for number in [1, 2, 6] {
            assert_eq!(find(index, number), there(number));
        }
        assert_eq!(find(index, 5), None);
        assert_eq!(index.sequence(key(5)), 1);
    });
}

/// Digests in the last bucket find no room in a table of the usual size, which grows at once.
#[test]
fn colliding_digests_are_found_while_the_table_grows() {
    explore("colliding digests are found while the table grows", || {
        const ALL: u64 = 12;
        let index = &index_with_owners();
        let meeting = |number: u64| [u64::MAX - (number << 59), number];
        let change = |number, status| {
            let short_digests = [Some(meeting(number)), None];
            version(number, 1 + u64::from(status == Status::Revoked), status, short_digests)
        };
        let (known, is_revoked) = (&UntrackedCounter::default(), &UntrackedCounter::default());
        thread::scope(|scope| {
            scope.spawn(move || {
                for _ in 0..3 {
                    let (to, revoked) = (known.get(), is_revoked.get());
                    for number in 1..=to {
                        let found = look(index, meeting(number));
                        let may = found == there(number) && (number > 1 || revoked == 0);
                        assert!(may || number == 1 && found == found_revoked(1), "{found:?}");
                    }
                }
            });
            for number in 1..=ALL {
                apply(index, change(number, Status::Active));
                known.set(number);
            }
            apply(index, change(1, Status::Revoked));
            is_revoked.set(1);
        });
        index.finish_loading();
        for number in 2..=ALL {
            assert_eq!(look(index, meeting(number)), there(number));
        }
        assert_eq!(look(index, meeting(1)), found_revoked(1));
    });
}
