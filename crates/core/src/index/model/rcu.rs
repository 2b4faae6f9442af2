//! Concurrent replacement and freeing of values.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use super::*;
use crate::primitives::rcu::{Rcu, ReaderDomain};

/// Addresses of the values that are not freed yet.
type Alive = Arc<Mutex<HashSet<usize>>>;

struct Value {
    number: u64,
    alive: Alive,
}

impl Value {
    /// Creates all values first, so that no address is reused.
    fn some(numbers: std::ops::Range<u64>, alive: &Alive) -> Vec<Box<Self>> {
        let value = |number| {
            let alive = Arc::clone(alive);
            let value = Box::new(Self { number, alive });
            value.alive.lock().unwrap().insert(value.at());
            value
        };
        numbers.map(value).collect()
    }

    fn at(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        let at = self.at();
        assert!(self.alive.lock().unwrap().remove(&at), "freed twice");
    }
}

/// Checks the address before reading the value, which must not be read after it was freed.
fn number(held: &Value, alive: &Alive) -> u64 {
    let at = std::ptr::from_ref(held) as usize;
    assert!(alive.lock().unwrap().contains(&at), "read after free");
    held.number
}

/// Stands for work that takes some time.
fn work() {
    thread::yield_now();
}

#[test]
fn values_outlive_their_readers() {
    explore("values outlive their readers", || {
        let alive = Alive::default();
        let mut values = Value::some(0..4, &alive).into_iter();
        let value = &Rcu::new(values.next().unwrap());
        let done = &UntrackedCounter::default();
        thread::scope(|scope| {
            let alive = &alive;
            for _ in 0..2 {
                scope.spawn(move || {
                    let before = done.get();
                    value.read(|held| {
                        let first = number(held, alive);
                        assert!(first >= before, "{first} though {before} was published");
                        work();
                        // A nested read sees a later value, and does not finish the outer read.
                        value.read(|later| assert!(number(later, alive) >= first));
                        work();
                        assert_eq!(number(held, alive), first);
                    });
                    value.read(|held| number(held, alive));
                });
            }
            scope.spawn(move || {
                for value_of in values {
                    let number = value_of.number;
                    value.replace(value_of);
                    done.set(number);
                    value.reclaim();
                }
            });
        });
        value.reclaim();
        assert_eq!((value.waiting(), alive.lock().unwrap().len()), (0, 1));
    });
}

/// Two threads replace and reclaim, while a third reads across both.
#[test]
fn two_writers_never_free_a_value_in_use() {
    explore("two writers never free a value in use", || {
        let alive = Alive::default();
        let mut values = Value::some(0..5, &alive).into_iter();
        let value = &Rcu::new(values.next().unwrap());
        let (one, two): (Vec<_>, Vec<_>) = values.partition(|value| value.number % 2 == 0);
        thread::scope(|scope| {
            let alive = &alive;
            scope.spawn(move || {
                for _ in 0..2 {
                    value.read(|held| {
                        let first = number(held, alive);
                        work();
                        assert_eq!(number(held, alive), first);
                    });
                }
            });
            for values in [one, two] {
                scope.spawn(move || {
                    for new in values {
                        value.replace(new);
                        value.reclaim();
                    }
                });
            }
        });
        value.reclaim();
        assert_eq!((value.waiting(), alive.lock().unwrap().len()), (0, 1));
    });
}

/// A reader belongs to one thread at a time, even if threads exit and others reuse their readers.
#[test]
fn finished_threads_return_their_readers() {
    explore("finished threads return their readers", || {
        let alive = Alive::default();
        let mut values = Value::some(0..4, &alive).into_iter();
        let value = Arc::new(Rcu::new(values.next().unwrap()));
        let reader = |times: usize| {
            let (value, alive) = (Arc::clone(&value), Arc::clone(&alive));
            thread::spawn(move || {
                for _ in 0..times {
                    value.read(|held| {
                        let first = number(held, &alive);
                        work();
                        assert_eq!(number(held, &alive), first);
                    });
                }
            })
        };
        let first = [reader(1), reader(2)];
        for new in values {
            value.replace(new);
            value.reclaim();
        }
        let second = reader(2);
        for thread in first.into_iter().chain([second]) {
            thread.join().unwrap();
        }
        value.reclaim();
        assert_eq!((value.waiting(), alive.lock().unwrap().len()), (0, 1));
    });
}

/// Two threads that share a reader would overwrite each other's announcement.
#[test]
fn leased_readers_are_exclusive() {
    explore("leased readers are exclusive", || {
        let domain: &'static ReaderDomain = Box::leak(Box::new(ReaderDomain::new()));
        let held = Arc::new(Mutex::new(HashSet::new()));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let held = Arc::clone(&held);
                thread::spawn(move || {
                    let at = std::ptr::from_ref(domain.lease()) as usize;
                    work();
                    assert!(held.lock().unwrap().insert(at), "leased twice");
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        #[expect(unsafe_code, reason = "many schedules would leak many domains")]
        // SAFETY: it was leaked from a box above, and no thread uses it any more.
        drop(unsafe { Box::from_raw(std::ptr::from_ref(domain).cast_mut()) });
    });
}
