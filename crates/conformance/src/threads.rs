//! Helpers for the rules that use several threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// Minimum time that threads run concurrently, so that a fast store does not finish one thread
/// before the next has started.
const MIN_OVERLAP: Duration = Duration::from_millis(100);

/// Returns the numbers from 1 on: at least `least`, and until [`MIN_OVERLAP`] has passed.
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

/// A counter of the threads that still run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Running(Arc<AtomicU64>);

impl Running {
    /// Counts one more thread until the returned guard is dropped. A panic drops it too, so other
    /// threads do not wait forever.
    pub(crate) fn one(&self) -> One {
        self.0.fetch_add(1, Ordering::SeqCst);
        One(self.clone())
    }

    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// The guard of one running thread.
#[derive(Debug)]
pub(crate) struct One(Running);

impl Drop for One {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
