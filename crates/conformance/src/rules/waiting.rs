//! Waiting for writes of others.

use std::thread;
use std::time::{Duration, Instant};

use symbolon::store::{Cursor, TokenStore, Wake};

use crate::fresh_store::StoreFactory;
use crate::pages::scan;
use crate::sample::{TOKEN, key, put, record};

/// Delay that a busy machine may add to a wait.
const SLACK: Duration = Duration::from_secs(2);

/// A wait without writes ends at its timeout: not much later, and not earlier if it returns
/// `Timeout`.
pub fn a_wait_without_writes_times_out(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    put(store, &record(TOKEN, 1, ""));
    let end = scan(store, &Cursor::start(), 10).next;
    for timeout in [0, 1, 60] {
        wait(store, &end, Duration::from_millis(timeout));
    }
}

/// A wait for records that already exist ends within its timeout, and a scan then returns them.
pub fn a_wait_for_existing_records_returns_in_time(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let end = scan(store, &Cursor::start(), 10).next;
    put(store, &record(TOKEN, 1, ""));
    for after in [&Cursor::start(), &end] {
        wait(store, after, Duration::from_millis(60));
        assert_eq!(scan(store, after, 10).keys(), [key(TOKEN, 1)]);
    }
}

/// A thread that waits and scans in turn sees the write of another thread within one timeout.
pub fn a_write_during_a_wait_is_seen_afterwards(factory: StoreFactory<'_>) {
    let store = &*factory.fresh();
    let timeout = Duration::from_millis(100);
    let mut cursor = scan(store, &Cursor::start(), 10).next;
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            thread::sleep(Duration::from_millis(40));
            put(store, &record(TOKEN, 1, ""));
            Instant::now()
        });
        let mut follow = || {
            wait(store, &cursor, timeout);
            let scanned = scan(store, &cursor, 10);
            cursor = scanned.next;
            (!scanned.items.is_empty()).then(Instant::now)
        };
        let met = (0..100).find_map(|_| follow()).expect("the write is seen");
        let written = writer.join().expect("the writer ends");
        assert!(met.saturating_duration_since(written) < timeout + SLACK);
    });
}

/// Waits, and checks the duration.
fn wait(store: &dyn TokenStore, after: &Cursor, timeout: Duration) {
    let started = Instant::now();
    let wake = store.wait(after, timeout).expect("wait works");
    let waited = started.elapsed();
    assert!(waited < timeout + SLACK, "{timeout:?} took {waited:?}");
    if wake == Wake::Timeout {
        // Timers of some systems fire up to a millisecond early.
        let enough = timeout.saturating_sub(Duration::from_millis(1));
        assert!(waited >= enough, "{timeout:?} was over after {waited:?}");
    }
}
