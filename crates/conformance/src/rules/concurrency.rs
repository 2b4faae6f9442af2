//! Concurrent use by several threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use symbolon::StoreError;
use symbolon::record::Record;
use symbolon::store::{Cursor, Query, Revision, TokenStore};

use crate::fresh_store::StoreFactory;
use crate::pages::{dump, newest, scan};
use crate::sample::{
    Refusal, TOKEN, commit, get, insert, insert_all, key, named, put, record, replace, stored,
};
use crate::threads::{Running, in_threads, rounds};

/// Threads that read a counter and write it back incremented lose no increment.
pub fn concurrent_increments_lose_nothing(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &record(TOKEN, 1, "0"));
    let added = in_threads(|_| rounds(15).inspect(|_| increment(store)).count());
    let wanted: usize = added.into_iter().sum();
    assert_eq!(count(&stored(store, key(TOKEN, 1)).record), wanted as u64);
}

/// If threads concurrently create records with the same unique key, exactly one succeeds.
pub fn one_creator_of_a_unique_key_wins(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let mut created = 0;
    for round in rounds(10) {
        let name = format!("round {round}");
        let create =
            |thread: u64| store.commit(&[insert(&named(TOKEN, round * 10 + thread, &name))]);
        one_wins(&in_threads(create), Refusal::Duplicate(0));
        created += 1;
    }
    assert_eq!(dump(store).records.len(), created);
}

/// If threads concurrently insert the same record, exactly one succeeds.
pub fn one_creator_of_a_record_wins(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    for round in rounds(10) {
        let create =
            |thread: u64| store.commit(&[insert(&record(TOKEN, round, &thread.to_string()))]);
        one_wins(&in_threads(create), Refusal::Conflict(0));
    }
}

/// Every commit has its own revision, and the revisions of a thread increase.
pub fn concurrent_commits_have_distinct_revisions(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let revisions = in_threads(|thread| {
        let put = |round| put(store, &record(TOKEN, thread + 1, &format!("{round}")));
        let revisions: Vec<Revision> = rounds(15).map(put).collect();
        assert!(revisions.is_sorted());
        revisions
    })
    .concat();
    let mut distinct = revisions.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), revisions.len());
    assert_eq!(Some(&dump(store).end.head), distinct.last());
}

/// A read that starts after a commit returned sees the commit, in every thread, with `get`, `scan`
/// and `find`.
pub fn a_read_sees_every_commit_that_returned(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &record(TOKEN, 1, "0"));
    let returned = AtomicU64::new(0);
    let reads: [fn(&dyn TokenStore) -> u64; 3] = [
        |store| count(&stored(store, key(TOKEN, 1)).record),
        |store| count(&dump(store).records[&key(TOKEN, 1)].record),
        |store| count(&store.find(&Query::all(TOKEN)).expect("find works")[0].record),
    ];
    thread::scope(|scope| {
        let running = Running::default();
        let _writing = running.one();
        for read in reads {
            let (returned, running) = (&returned, running.clone());
            scope.spawn(move || {
                while running.any() {
                    let at_least = returned.load(Ordering::SeqCst);
                    let read = read(store);
                    assert!(read >= at_least, "{read} was read after {at_least}");
                }
            });
        }
        for number in rounds(40) {
            put(store, &record(TOKEN, 1, &number.to_string()));
            returned.store(number, Ordering::SeqCst);
        }
    });
}

/// A page and its end come from one snapshot, which contains each commit completely or not at all.
pub fn a_page_is_one_snapshot(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let pair = |n: u64| [1, 2].map(|number| record(TOKEN, number, &n.to_string()));
    insert_all(store, &pair(0));
    thread::scope(|scope| {
        let running = Running::default();
        let writing = running.one();
        scope.spawn(move || {
            let _writing = writing;
            let mut last = dump(store).end.head;
            for n in rounds(40) {
                let [one, two] = pair(n);
                last = commit(store, &[replace(&one, last), replace(&two, last)]);
            }
        });
        while running.any() {
            let page = store.scan(&Cursor::start(), 100).expect("scan works");
            let head = page.end.expect("two records are one page").head;
            assert_eq!(page.items.len(), 2);
            assert_eq!(page.items[0].record.bytes, page.items[1].record.bytes);
            // Every commit writes both records, so both have the revision of the head.
            assert!(page.items.iter().all(|item| item.revision == head));
        }
    });
}

/// A follower that scans during writes has seen everything at the end.
pub fn a_scan_during_writes_loses_nothing(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let records: Vec<Record> = (1..=40).map(|n| record(TOKEN, n, "0")).collect();
    insert_all(store, &records);
    let followed = thread::scope(|scope| {
        let running = Running::default();
        for writer in 0..2_u64 {
            let writing = running.one();
            scope.spawn(move || {
                let _writing = writing;
                for n in rounds(40) {
                    // The threads share no record: one writes odd numbers, the other even ones.
                    let number = 1 + (n * 7) % 20 * 2 + writer;
                    put(store, &record(TOKEN, number, &n.to_string()));
                }
            });
        }
        let mut followed = Vec::new();
        let mut cursor = Cursor::start();
        loop {
            let last = !running.any();
            let scanned = scan(store, &cursor, 3);
            followed.extend(scanned.items);
            cursor = scanned.next;
            if last {
                break followed;
            }
        }
    });
    assert_eq!(newest(followed), dump(store).records);
}

/// Checks that one commit succeeded and all others were refused with `refusal`.
fn one_wins(results: &[Result<Revision, StoreError>], refusal: Refusal) {
    let errors: Vec<&StoreError> =
        results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert_eq!(errors.len(), results.len() - 1, "{results:?}");
    for error in errors {
        assert_eq!(Refusal::of(error), Some(refusal));
    }
}

/// Maximum time for one increment. Three other threads cannot block it that long.
const PATIENCE: Duration = Duration::from_secs(5);

fn increment(store: &dyn TokenStore) {
    // Each conflict means that another thread has succeeded.
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let found = get(store, key(TOKEN, 1)).expect("the counter exists");
        thread::yield_now();
        let next = record(TOKEN, 1, &(count(&found.record) + 1).to_string());
        match store.commit(&[replace(&next, found.revision)]) {
            Ok(_) => return,
            Err(StoreError::Conflict(0)) => {}
            Err(error) => panic!("a commit failed: {error:?}"),
        }
    }
    panic!("the increment conflicts again and again");
}

fn count(record: &Record) -> u64 {
    let text = std::str::from_utf8(&record.bytes).expect("text");
    text.parse().expect("a number")
}
