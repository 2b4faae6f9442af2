//! What the rules on many threads share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// How long threads run beside each other at least: short, but no store is so fast that one thread is done before
/// the other has started.
const MIN_OVERLAP: Duration = Duration::from_millis(100);

/// Numbers from 1 on: at least `least` of them, and until some time has passed.
pub(crate) fn rounds(least: u64) -> impl Iterator<Item = u64> {
    let started = Instant::now();
    (1..).take_while(move |round| *round <= least || started.elapsed() < MIN_OVERLAP)
}

/// Runs `work` in four threads, numbered from 0, that start together.
pub(crate) fn in_threads<T: Send>(work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(4);
    thread::scope(|scope| {
        let (work, start) = (&work, &start);
        let spawn = |number| {
            scope.spawn(move || {
                start.wait();
                work(number)
            })
        };
        let threads: Vec<_> = (0..4).map(spawn).collect();
        let join = |thread: ScopedJoinHandle<'_, T>| thread.join().expect("a thread panicked");
        threads.into_iter().map(join).collect()
    })
}

/// Tells whether some threads have ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Running(Arc<AtomicU64>);

impl Running {
    /// One more that runs, until what is returned is dropped: also by a panic, so that nobody waits for it.
    pub(crate) fn one(&self) -> One {
        self.0.fetch_add(1, Ordering::SeqCst);
        One(self.clone())
    }

    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// A thread that runs.
#[derive(Debug)]
pub(crate) struct One(Running);

impl Drop for One {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
