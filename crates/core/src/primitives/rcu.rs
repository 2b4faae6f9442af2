//! Read-copy-update: values that readers use without a lock, freed when no reader can hold them.
//!
//! A reader announces in a slot of its own that it is reading, and then loads a pointer. A writer
//! replaces the pointer, makes every thread execute a memory barrier with `membarrier(2)`, and
//! frees the old value when no reader that began before the replacement is left. A read thus costs
//! two plain stores and no fence, and never waits. This is the user-level read-copy-update of
//! Desnoyers et al. (IEEE TPDS 23(2), 2012). If the kernel does not support that barrier, each read
//! costs a full fence.
#![expect(unsafe_code, reason = "values are freed when no reader can hold them any more")]

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::PoisonError;

use super::sync::{
    AtomicBool, AtomicPtr, AtomicU64, Mutex, MutexGuard, Ordering, fence, thread_local,
};

/// A value that can be replaced while other threads read it.
#[derive(Debug)]
pub(crate) struct Rcu<T> {
    domain: &'static ReaderDomain,
    current: AtomicPtr<T>,
    /// Replaced values, each with the era in which it was replaced.
    retired: Mutex<Vec<(u64, Retired<T>)>>,
    /// Several threads read the value at once.
    shared: PhantomData<T>,
}

/// A set of readers that can hold the same values.
#[derive(Debug)]
pub(crate) struct ReaderDomain {
    /// Incremented with each replacement.
    era: AtomicU64,
    readers: Mutex<Vec<&'static Reader>>,
}

/// The slot in which one thread announces its reads. On cache lines of its own, so that readers do
/// not slow each other.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Reader {
    /// Era in which the current read began; 0 if none is in progress.
    since: AtomicU64,
    taken: AtomicBool,
}

impl<T> Rcu<T> {
    pub(crate) fn new(first: Box<T>) -> Self {
        Self::within(&GLOBAL, first)
    }

    pub(crate) fn within(domain: &'static ReaderDomain, first: Box<T>) -> Self {
        barrier::prepare();
        Self {
            domain,
            current: AtomicPtr::new(Box::into_raw(first)),
            retired: Mutex::default(),
            shared: PhantomData,
        }
    }

    /// Calls `use_it` with the current value. It is not freed before `use_it` returns.
    #[inline(always)]
    pub(crate) fn read<R>(&self, use_it: impl FnOnce(&T) -> R) -> R {
        match READER.try_with(Cell::get).ok().flatten() {
            Some(reader) => self.read_as(reader, use_it),
            None => self.read_first(use_it),
        }
    }

    /// The first read of a thread, or a read while the thread exits.
    #[cold]
    fn read_first<R>(&self, use_it: impl FnOnce(&T) -> R) -> R {
        let reader = GLOBAL.lease();
        let kept = LEASE.try_with(|lease| lease.0.set(Some(ReaderReturn(reader))));
        let _return = match kept {
            Ok(()) => {
                let _ = READER.try_with(|mine| mine.set(Some(reader)));
                None
            }
            Err(_) => Some(ReaderReturn(reader)),
        };
        self.read_as(reader, use_it)
    }

    /// Like [`Rcu::read`], for a reader that was leased from the domain of this value.
    #[inline(always)]
    pub(crate) fn read_as<R>(&self, reader: &'static Reader, use_it: impl FnOnce(&T) -> R) -> R {
        let _reading = ReadGuard::begin(self.domain, reader);
        let current = self.current.load(Ordering::Acquire);
        // SAFETY: the pointer came from a box in `new` or `replace`, and is freed only by `reclaim`
        // and by drop. Drop has `&mut self`, so no read is in progress. `reclaim` frees only values
        // that were replaced in an era before the oldest era announced by a reader. This reader
        // announced its era, which is the current one or an older one, before it loaded the
        // pointer, with a barrier in between. If the value was replaced before the load, the reader
        // would have loaded the newer pointer. If it is replaced afterwards, the era of that
        // replacement is not older than the announced one. Nested reads finish before the outer
        // one, because `use_it` is called within it, and only the outermost one clears the
        // announcement.
        use_it(unsafe { &*current })
    }

    /// Replaces the current value. The old one is kept until [`Rcu::reclaim`] finds that no reader
    /// uses it.
    pub(crate) fn replace(&self, new: Box<T>) {
        let old = self.current.swap(Box::into_raw(new), Ordering::SeqCst);
        let era = self.domain.era.fetch_add(1, Ordering::SeqCst);
        self.retired().push((era, Retired(old)));
    }

    /// Frees replaced values that no reader can hold any more. Never waits for a reader.
    pub(crate) fn reclaim(&self) {
        if self.retired().is_empty() {
            return;
        }
        // Read first: values that other threads replace after this may be held by readers not
        // examined below.
        let now = self.domain.era.load(Ordering::SeqCst);
        if !barrier::heavy() {
            return;
        }
        let oldest = self.domain.oldest().map_or(now, |oldest| oldest.min(now));
        let free = |(era, _): &mut (u64, Retired<T>)| *era < oldest;
        let freed: Vec<_> = self.retired().extract_if(.., free).collect();
        // Dropped after the lock is released, because it can take long.
        drop(freed);
    }

    /// Returns the number of replaced values that are not freed yet.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.retired().len()
    }

    fn retired(&self) -> MutexGuard<'_, Vec<(u64, Retired<T>)>> {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Rcu<T> {
    fn drop(&mut self) {
        let current = self.current.load(Ordering::Acquire);
        // SAFETY: the pointer came from a box, and `&mut self` excludes readers and writers.
        drop(unsafe { Box::from_raw(current) });
    }
}

/// A replaced value. It is a raw pointer, because a box would claim to be the only access to the
/// value while readers still hold references.
#[derive(Debug)]
struct Retired<T>(*mut T);

// SAFETY: it owns its value as a box does, and readers only share it (`Rcu::shared`).
unsafe impl<T: Send + Sync> Send for Retired<T> {}

impl<T> Drop for Retired<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a box in `new` or `replace`, and was swapped out once.
        // `reclaim` drops it when no reader can hold the value any more, and the drop of `Rcu`
        // when there are no readers.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

#[cfg(not(shuttle))]
static GLOBAL: ReaderDomain = ReaderDomain::new();

// A new domain for every schedule.
#[cfg(shuttle)]
shuttle::lazy_static! {
    static ref GLOBAL: ReaderDomain = ReaderDomain::new();
}

thread_local! {
    /// The reader of this thread. Needs no drop, so that accessing it takes a single load.
    static READER: Cell<Option<&'static Reader>> = const { Cell::new(None) };
    /// Returns the reader to its domain when the thread exits.
    static LEASE: Lease = const { Lease(Cell::new(None)) };
}

struct Lease(Cell<Option<ReaderReturn>>);

impl Drop for Lease {
    fn drop(&mut self) {
        // Thread locals are destroyed in any order.
        let _ = READER.try_with(|mine| mine.set(None));
    }
}

/// Returns a reader to its domain on drop.
struct ReaderReturn(&'static Reader);

impl Drop for ReaderReturn {
    fn drop(&mut self) {
        self.0.taken.store(false, Ordering::Release);
    }
}

impl ReaderDomain {
    pub(crate) const fn new() -> Self {
        Self { era: AtomicU64::new(1), readers: Mutex::new(Vec::new()) }
    }

    /// Returns a reader for exclusive use. Readers are reused, so there are never more than threads
    /// that read at the same time.
    pub(crate) fn lease(&self) -> &'static Reader {
        let mut readers = self.readers();
        let free = readers.iter().find(|reader| !reader.taken.swap(true, Ordering::AcqRel));
        if let Some(reader) = free {
            return reader;
        }
        let reader: &Reader = Box::leak(Box::default());
        reader.taken.store(true, Ordering::Relaxed);
        readers.push(reader);
        reader
    }

    /// Returns the oldest era in which a read in progress began.
    fn oldest(&self) -> Option<u64> {
        let readers = self.readers();
        let since = readers.iter().map(|reader| reader.since.load(Ordering::SeqCst));
        since.filter(|since| *since != 0).min()
    }

    fn readers(&self) -> MutexGuard<'_, Vec<&'static Reader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The model checker runs many schedules, so that leaked readers would add up.
#[cfg(shuttle)]
impl Drop for ReaderDomain {
    fn drop(&mut self) {
        let readers = self.readers.get_mut();
        for reader in std::mem::take(readers.unwrap_or_else(PoisonError::into_inner)) {
            // SAFETY: it was leaked from a box in `lease`, and is not used after its domain is
            // dropped.
            drop(unsafe { Box::from_raw(std::ptr::from_ref(reader).cast_mut()) });
        }
    }
}

/// A read in progress.
struct ReadGuard {
    reader: &'static Reader,
    /// Nested in another read of the same thread, which clears the announcement.
    inner: bool,
}

impl ReadGuard {
    #[inline(always)]
    fn begin(domain: &ReaderDomain, reader: &'static Reader) -> Self {
        let inner = reader.since.load(Ordering::Relaxed) != 0;
        if !inner {
            let era = domain.era.load(Ordering::Acquire);
            reader.since.store(era, Ordering::Relaxed);
            barrier::light();
        }
        Self { reader, inner }
    }
}

impl Drop for ReadGuard {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.inner {
            self.reader.since.store(0, Ordering::Release);
        }
    }
}

/// An asymmetric barrier between a reader's announcement and its load: free for readers.
#[cfg(all(target_os = "linux", not(shuttle), not(miri)))]
mod barrier {
    use super::{Ordering, fence};
    use rustix::thread::{MembarrierCommand, membarrier};
    use std::sync::Once;
    use std::sync::atomic::{AtomicBool, compiler_fence};

    /// True if the kernel can make all threads of this process execute a barrier.
    static BY_KERNEL: AtomicBool = AtomicBool::new(false);
    static PREPARED: Once = Once::new();

    /// Registers for the barrier. Called before the first value exists, so that every reader has
    /// it.
    pub(super) fn prepare() {
        PREPARED.call_once(|| {
            let registered = membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok();
            BY_KERNEL.store(registered, Ordering::SeqCst);
        });
    }

    #[inline(always)]
    pub(super) fn light() {
        if BY_KERNEL.load(Ordering::Relaxed) {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    /// Returns false if the kernel refuses the barrier; then nothing can be freed.
    pub(super) fn heavy() -> bool {
        fence(Ordering::SeqCst);
        !BY_KERNEL.load(Ordering::SeqCst) || membarrier(MembarrierCommand::PrivateExpedited).is_ok()
    }
}

#[cfg(not(all(target_os = "linux", not(shuttle), not(miri))))]
mod barrier {
    use super::{Ordering, fence};

    pub(super) fn prepare() {}

    pub(super) fn light() {
        fence(Ordering::SeqCst);
    }

    pub(super) fn heavy() -> bool {
        fence(Ordering::SeqCst);
        true
    }
}

#[cfg(test)]
#[cfg(not(shuttle))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    /// Counts its live instances.
    struct Counted(u64, Arc<AtomicUsize>);

    impl Counted {
        fn new(value: u64, alive: &Arc<AtomicUsize>) -> Box<Self> {
            alive.fetch_add(1, Ordering::SeqCst);
            Box::new(Self(value, Arc::clone(alive)))
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0 = u64::MAX;
            self.1.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn values_are_freed_after_their_last_reader() {
        let domain: &'static ReaderDomain = Box::leak(Box::new(ReaderDomain::new()));
        let alive = Arc::default();
        let value = Rcu::within(domain, Counted::new(1, &alive));
        let (one, two) = (domain.lease(), domain.lease());
        value.read_as(one, |held| {
            value.replace(Counted::new(2, &alive));
            value.reclaim();
            assert_eq!((held.0, value.waiting()), (1, 1));
            // Neither a nested read nor one that began later keeps more values.
            value.read_as(one, |held| assert_eq!(held.0, 2));
            value.reclaim();
            assert_eq!((held.0, value.waiting()), (1, 1));
        });
        value.read_as(two, |held| {
            value.reclaim();
            assert_eq!((held.0, value.waiting()), (2, 0));
        });
        assert_eq!(alive.load(Ordering::SeqCst), 1);
        drop(value);
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn readers_of_finished_threads_are_reused() {
        let value = &Rcu::new(Box::new(7));
        for _ in 0..100 {
            std::thread::scope(|scope| {
                scope.spawn(|| value.read(|held| assert_eq!(*held, 7)));
            });
        }
        // Other tests read at the same time.
        assert!(GLOBAL.readers().len() < 90);
    }

    #[test]
    fn concurrent_readers_never_see_freed_values() {
        let alive = Arc::default();
        let value = &Rcu::new(Counted::new(0, &alive));
        let done = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(move || {
                    let mut last = 0;
                    while !done.load(Ordering::Acquire) {
                        let now = value.read(|held| held.0);
                        assert!(now >= last && now != u64::MAX, "{now} after {last}");
                        last = now;
                    }
                });
            }
            for number in 1..20_000 {
                value.replace(Counted::new(number, &alive));
                value.reclaim();
            }
            done.store(true, Ordering::Release);
        });
        value.reclaim();
        assert_eq!(alive.load(Ordering::SeqCst), 1);
    }
}
