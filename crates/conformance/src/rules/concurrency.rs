//! Many threads at once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use symbolon::StoreError;
use symbolon::record::Record;
use symbolon::store::{Cursor, Revision, TokenStore};

use crate::fresh::Make;
use crate::pages::{dump, newest, scan};
use crate::sample::{
    Refusal, TOKEN, commit, get, insert, insert_all, key, named, put, record, replace, stored,
};

/// Threads that read, add one and write over what they read lose no addition.
pub fn concurrent_increments_lose_nothing(make: Make<'_>) {
    let store = &*make.fresh();
    put(store, &record(TOKEN, 1, "0"));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..15).for_each(|_| increment(store)));
        }
    });
    assert_eq!(count(&stored(store, key(TOKEN, 1)).record), 60);
}

/// Of many threads that create records with one unique key at the same time exactly one succeeds, each time.
pub fn one_creator_of_a_unique_key_wins(make: Make<'_>) {
    let store = &*make.fresh();
    for round in 0..10_u64 {
        let name = format!("round {round}");
        let create =
            |thread: u64| store.commit(&[insert(&named(TOKEN, round * 10 + thread, &name))]);
        one_wins(create, Refusal::Duplicate(0));
    }
    assert_eq!(dump(store).records.len(), 10);
}

/// Of many threads that insert the same record at the same time exactly one succeeds, each time.
pub fn one_creator_of_a_record_wins(make: Make<'_>) {
    let store = &*make.fresh();
    for round in 1..=10_u64 {
        let create =
            |thread: u64| store.commit(&[insert(&record(TOKEN, round, &format!("by {thread}")))]);
        one_wins(create, Refusal::Conflict(0));
    }
}

/// No two commits get the same revision, and each thread's grow.
pub fn concurrent_commits_have_distinct_revisions(make: Make<'_>) {
    let store = &*make.fresh();
    let revisions = thread::scope(|scope| {
        let write = |thread: u64| {
            move || {
                let put = |n| put(store, &record(TOKEN, thread * 100 + n, ""));
                let revisions: Vec<Revision> = (1..=15).map(put).collect();
                assert!(revisions.is_sorted());
                revisions
            }
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(write(thread))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().expect("no panic");
        threads.into_iter().flat_map(join).collect::<Vec<_>>()
    });
    let mut distinct = revisions.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 60);
    assert_eq!(dump(store).end.head, distinct[59]);
}

/// A read that starts after a commit returned sees it, in every other thread, by `get`, `find` and `scan`.
pub fn a_read_sees_every_commit_that_returned(make: Make<'_>) {
    let store = &*make.fresh();
    put(store, &record(TOKEN, 1, "0"));
    let returned = AtomicU64::new(0);
    let read: [&(dyn Fn() -> u64 + Sync); 3] = [
        &|| count(&stored(store, key(TOKEN, 1)).record),
        &|| count(&dump(store).records[&key(TOKEN, 1)].record),
        &|| {
            let all = symbolon::store::Query::all(TOKEN);
            count(&store.find(&all).expect("find works")[0].record)
        },
    ];
    thread::scope(|scope| {
        for read in read {
            let returned = &returned;
            scope.spawn(move || {
                while returned.load(Ordering::SeqCst) < 40 {
                    let at_least = returned.load(Ordering::SeqCst);
                    let read = read();
                    assert!(read >= at_least, "{read} was read after {at_least}");
                }
            });
        }
        for number in 1..=40 {
            // Also when this thread panics the readers end.
            let written = Written(&returned, number);
            put(store, &record(TOKEN, 1, &number.to_string()));
            drop(written);
        }
    });
}

/// A page and its end come from one snapshot, and a commit is in it whole or not at all.
pub fn a_page_is_one_snapshot(make: Make<'_>) {
    let store = &*make.fresh();
    let pair = |n: u64| [1, 2].map(|number| record(TOKEN, number, &n.to_string()));
    insert_all(store, &pair(0));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _done = Done(&done);
            let mut last = dump(store).end.head;
            for n in 1..=40 {
                let [one, two] = pair(n);
                last = commit(store, &[replace(&one, last), replace(&two, last)]);
            }
        });
        while !done.load(Ordering::SeqCst) {
            let page = store.scan(&Cursor::start(), 100).expect("scan works");
            let head = page.end.expect("two records are one page").head;
            assert_eq!(page.items.len(), 2);
            assert_eq!(page.items[0].record.bytes, page.items[1].record.bytes);
            // Every commit writes both, so that both are as new as the head.
            assert!(page.items.iter().all(|item| item.revision == head));
        }
    });
}

/// Whoever follows a store by scans while others write has met everything at the end.
pub fn a_scan_beside_writers_loses_nothing(make: Make<'_>) {
    let store = &*make.fresh();
    let records: Vec<Record> = (1..=40).map(|n| record(TOKEN, n, "0")).collect();
    insert_all(store, &records);
    let writers = AtomicU64::new(2);
    let followed = thread::scope(|scope| {
        for writer in 0..2_u64 {
            let writers = &writers;
            scope.spawn(move || {
                let _ended = Ended(writers);
                for n in 0..40 {
                    let number = 1 + (n * 7 + writer) % 20 * 2 + writer;
                    put(store, &record(TOKEN, number, &n.to_string()));
                }
            });
        }
        let mut followed = Vec::new();
        let mut cursor = Cursor::start();
        loop {
            let last = writers.load(Ordering::SeqCst) == 0;
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

/// Runs `create` in four threads at once, and finds that all but one were refused as `refusal` says.
fn one_wins(create: impl Fn(u64) -> Result<Revision, StoreError> + Sync, refusal: Refusal) {
    let create = &create;
    let results = thread::scope(|scope| {
        let threads: Vec<_> = (1..=4)
            .map(|thread| scope.spawn(move || create(thread)))
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().expect("no panic");
        threads.into_iter().map(join).collect::<Vec<_>>()
    });
    let refused = |result: &Result<Revision, StoreError>| {
        result
            .as_ref()
            .err()
            .map(|error| Refusal::of(error) == Some(refusal))
    };
    let refusals: Vec<bool> = results.iter().filter_map(refused).collect();
    assert_eq!(refusals, [true; 3], "{results:?}");
}

fn increment(store: &dyn TokenStore) {
    // Each conflict is another thread's success, of which there are few.
    for _ in 0..1000 {
        let found = get(store, key(TOKEN, 1)).expect("the counter is there");
        let next = record(TOKEN, 1, &(count(&found.record) + 1).to_string());
        match store.commit(&[replace(&next, found.revision)]) {
            Ok(_) => return,
            Err(StoreError::Conflict(0)) => {}
            Err(error) => panic!("a commit failed: {error:?}"),
        }
    }
    panic!("what is read conflicts again and again");
}

fn count(record: &Record) -> u64 {
    let text = std::str::from_utf8(&record.bytes).expect("text");
    text.parse().expect("a number")
}

/// Stores a number when it is dropped.
struct Written<'a>(&'a AtomicU64, u64);

impl Drop for Written<'_> {
    fn drop(&mut self) {
        let number = if thread::panicking() {
            u64::MAX
        } else {
            self.1
        };
        self.0.store(number, Ordering::SeqCst);
    }
}

/// Says that a thread is done, also if it panics.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Counts a thread as ended, also if it panics.
struct Ended<'a>(&'a AtomicU64);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
