//! A sequence lock: atomics that are written together and read without a lock.
//!
//! A writer makes the sequence odd, writes the atomics, and makes it even again. A reader that sees
//! the same even sequence before and after it reads them has values of one write. The fences are
//! those of Boehm, "Can seqlocks get along with programming language memory models?" (MSPC 2012).
//! The values are atomics, so this is safe code on every platform.

use super::sync::{AtomicU64, Ordering, fence};

/// The sequence that protects atomics next to it. They are accessed with [`Ordering::Relaxed`].
#[derive(Debug, Default)]
pub(crate) struct SeqLock(AtomicU64);

/// The sequence at the start of a read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadStart(u64);

impl SeqLock {
    /// Begins a read. Call it before loading the atomics.
    #[inline(always)]
    pub(crate) fn begin_read(&self) -> ReadStart {
        ReadStart(self.0.load(Ordering::Acquire))
    }

    /// Orders the loads of the atomics before [`SeqLock::is_unchanged`].
    #[inline(always)]
    pub(crate) fn end_read(&self) {
        fence(Ordering::Acquire);
    }

    /// Returns true if the atomics loaded between [`SeqLock::begin_read`] and
    /// [`SeqLock::end_read`] were written together.
    #[inline(always)]
    pub(crate) fn is_unchanged(&self, ReadStart(start): ReadStart) -> bool {
        start & 1 == 0 && self.0.load(Ordering::Relaxed) == start
    }

    /// Calls `store`, which stores the atomics, unless another thread is writing.
    #[inline(always)]
    pub(crate) fn try_write(&self, store: impl FnOnce()) {
        let even = self.0.load(Ordering::Relaxed) & !1;
        let taken = self.0.compare_exchange(even, even | 1, Ordering::Acquire, Ordering::Relaxed);
        if taken.is_err() {
            return;
        }
        // Orders the odd sequence before the stores below for every reader that sees one of them.
        fence(Ordering::Release);
        store();
        self.0.store(even + 2, Ordering::Release);
    }
}

#[cfg(test)]
#[cfg(not(shuttle))]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    /// Two threads write values that differ in every part: no reader sees a mixture.
    #[test]
    fn concurrent_writers_never_mix_their_values() {
        let (lock, values) = &(SeqLock::default(), [0; 3].map(AtomicU64::new));
        let done = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writers = [1, 2].map(|number| {
                scope.spawn(move || {
                    for _ in 0..200_000 {
                        lock.try_write(|| {
                            for value in values {
                                value.store(number, Ordering::Relaxed);
                            }
                        });
                    }
                })
            });
            scope.spawn(move || {
                while !done.load(Ordering::Acquire) {
                    let start = lock.begin_read();
                    let [first, second, third] =
                        values.each_ref().map(|value| value.load(Ordering::Relaxed));
                    lock.end_read();
                    if lock.is_unchanged(start) {
                        assert!(first == second && second == third);
                    }
                }
            });
            for writer in writers {
                writer.join().unwrap();
            }
            done.store(true, Ordering::Release);
        });
        let start = lock.begin_read();
        assert!(lock.is_unchanged(start));
        assert_ne!(values[0].load(Ordering::Relaxed), 0);
    }
}
