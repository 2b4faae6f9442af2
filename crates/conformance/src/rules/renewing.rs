//! Renewals of a store's epoch.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use symbolon::Minute;
use symbolon::store::{Cursor, Epoch, Revision, TokenStore, Wake};

use crate::fresh_store::StoreFactory;
use crate::pages::{dump, scan};
use crate::sample::{
    NEVER, Refusal, TOKEN, USER, commit, guard, id, insert, key, named, purge, put, record,
    refused, replace, revision_of,
};
use crate::threads::{in_threads, rounds};

/// A renewal draws an epoch that was not used before, and the next scan returns it.
pub fn a_renewed_store_has_another_epoch(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let mut epochs = BTreeSet::from([dump(store).end.epoch]);
    for number in 1..=5 {
        let renewed = renew(store);
        assert_eq!(dump(store).end.epoch, renewed);
        assert!(epochs.insert(renewed), "{renewed:?} was used before");
        put(store, &record(TOKEN, number, ""));
        assert_eq!(dump(store).end.epoch, renewed, "a commit changes it");
    }
}

/// A renewal draws its epoch at random: two stores draw different ones, and none counts up.
pub fn a_renewed_epoch_is_random(factory: StoreFactory<'_>) {
    let (one, other) = (factory.fresh(), factory.fresh());
    let epochs = |store: &dyn TokenStore| [(); 3].map(|()| renew(store).0);
    let (one, other) = (epochs(&*one), epochs(&*other));
    assert!(one.iter().all(|epoch| !other.contains(epoch)));
    let step = |epochs: [u64; 3]| [0, 1].map(|at| epochs[at + 1].wrapping_sub(epochs[at]));
    assert_ne!(step(one)[0], step(one)[1], "{one:?} counts up");
    assert_ne!(step(one), step(other));
}

/// A renewal keeps records, last uses, head and floor; the next revision is greater than all
/// before.
pub fn a_renewal_keeps_everything(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &named(TOKEN, 1, "kept"));
    put(store, &record(USER, 1, "kept"));
    let purged = put(store, &record(TOKEN, 2, "to be purged"));
    commit(store, &[purge(key(TOKEN, 2), purged)]);
    let newest = put(store, &record(TOKEN, 3, "newest"));
    store.touch(&[(id(1), Minute(5))]).expect("touch works");
    let before = dump(store);
    let renewed = renew(store);
    let mut wanted = before;
    wanted.end.epoch = renewed;
    assert_eq!(dump(store), wanted);
    assert_eq!(commit(store, &[]), newest, "it takes no revision");
    assert!(put(store, &record(TOKEN, 2, "again")) > newest);
}

/// A renewal keeps the revisions that writes must expect, and unique keys.
pub fn a_renewal_keeps_expected_revisions(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let held = put(store, &named(TOKEN, 1, "held"));
    renew(store);
    let taken = insert(&named(TOKEN, 2, "held"));
    assert_eq!(refused(store, &[taken]), Refusal::Duplicate(0));
    let other = guard(key(TOKEN, 1), NEVER);
    assert_eq!(refused(store, &[other]), Refusal::Conflict(0));
    assert_eq!(revision_of(store, key(TOKEN, 1)), held);
    commit(store, &[replace(&named(TOKEN, 1, "other"), held)]);
}

/// A cursor from before a renewal continues at the same position, within a scan and at its end.
pub fn a_cursor_goes_on_after_a_renewal(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    for number in 1..=4 {
        put(store, &record(TOKEN, number, ""));
    }
    let page = store.scan(&Cursor::start(), 2).expect("scan works");
    let whole = scan(store, &Cursor::start(), 10);
    let rest = scan(store, &page.next, 10).keys();
    let renewed = renew(store);
    let after = scan(store, &page.next, 10);
    assert_eq!((after.keys(), after.end.epoch), (rest, renewed));
    let after = scan(store, &whole.next, 10);
    assert_eq!((after.keys(), after.end.epoch), (vec![], renewed));
    put(store, &record(TOKEN, 3, "again"));
    assert_eq!(scan(store, &whole.next, 10).keys(), [key(TOKEN, 3)]);
}

/// A store that wakes waiting threads on a commit also wakes them on a renewal, but only once.
pub fn a_wait_is_woken_by_a_renewal_as_by_a_commit(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &record(TOKEN, 1, ""));
    let wakes = woken(store, |store| {
        put(store, &record(TOKEN, 2, ""));
    });
    let renewed = woken(store, |store| {
        renew(store);
    });
    assert!(renewed || !wakes, "a commit wakes, and a renewal does not");
    if wakes {
        // A renewal before the wait ends it too.
        let cursor = scan(store, &Cursor::start(), 10).next;
        renew(store);
        assert_eq!(store.wait(&cursor, LONG).expect("wait works"), Wake::Changed);
        let cursor = scan(store, &Cursor::start(), 10).next;
        assert_eq!(store.wait(&cursor, SHORT).expect("wait works"), Wake::Timeout);
    }
}

/// Renewals concurrent with commits lose no commit, and each draws its own epoch.
pub fn concurrent_renewals_and_commits_lose_nothing(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let made = in_threads(|thread| {
        let mut epochs = Vec::new();
        let mut last = Revision::ABSENT;
        for round in rounds(10) {
            epochs.push(renew(store));
            let revision = put(store, &record(TOKEN, thread + 1, &round.to_string()));
            assert!(revision > last, "{revision:?} after {last:?}");
            last = revision;
        }
        (epochs, last)
    });
    let end = dump(store);
    let mut epochs = BTreeSet::new();
    for (thread, (drawn, last)) in (1..).zip(made) {
        assert_eq!(end.records[&key(TOKEN, thread)].revision, last);
        for epoch in drawn {
            assert!(epochs.insert(epoch), "{epoch:?} was drawn twice");
        }
    }
    assert!(epochs.contains(&end.end.epoch));
    let newest = end.records.values().map(|found| found.revision).max();
    assert_eq!(Some(end.end.head), newest);
}

const LONG: Duration = Duration::from_secs(3);
const SHORT: Duration = Duration::from_millis(20);

/// Returns true if `change` wakes a long wait well before its timeout.
fn woken(store: &dyn TokenStore, change: fn(&dyn TokenStore)) -> bool {
    let cursor = scan(store, &Cursor::start(), 10).next;
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let started = Instant::now();
            let wake = store.wait(&cursor, LONG).expect("wait works");
            wake == Wake::Changed && started.elapsed() < LONG / 2
        });
        thread::sleep(Duration::from_millis(50));
        change(store);
        waiting.join().expect("the wait ends")
    })
}

fn renew(store: &dyn TokenStore) -> Epoch {
    store.renew().expect("renew works")
}
