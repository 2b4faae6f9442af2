//! Large zeroed arrays of atomics, on huge pages where the system gives them.

use std::ops::Deref;
use std::ptr::NonNull;

use memmap2::{MmapMut, MmapOptions};

/// A type that is made of atomics alone, without padding, and whose zero is all bits zero.
///
/// # Safety
///
/// Whoever implements it says just that: memory of zeroes holds values of the type, which are changed through shared
/// references only by atomic operations, and which have nothing to drop.
pub(super) unsafe trait ZeroableAtomics: Default + Sync {}

/// A fixed number of elements, all zero at first, which never move.
pub(super) struct HugeArray<T> {
    start: NonNull<T>,
    len: usize,
    /// What holds the elements; without a map they are allocated.
    map: Option<MmapMut>,
}

/// From 2 MiB on pages are huge; smaller arrays gain nothing by a map of their own.
const HUGE_PAGE: usize = 2 << 20;

impl<T: ZeroableAtomics> HugeArray<T> {
    pub(super) fn new(len: usize) -> Self {
        Self::mapped(len).unwrap_or_else(|| Self::allocated(len))
    }

    fn mapped(len: usize) -> Option<Self> {
        let bytes = len.checked_mul(size_of::<T>())?;
        // The atomics of the model checker are more than their zeroes.
        if bytes < HUGE_PAGE || cfg!(shuttle) {
            return None;
        }
        // So much more that the first element can begin with a huge page.
        let mut map = MmapOptions::new().len(bytes + HUGE_PAGE).map_anon().ok()?;
        // Refused where the system has none: then pages are small, and nothing else differs.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        let offset = map.as_mut_ptr().align_offset(HUGE_PAGE);
        let start = NonNull::from(map.get_mut(offset..offset.checked_add(bytes)?)?).cast();
        let map = Some(map);
        Some(Self { start, len, map })
    }

    /// What the system does not map, and what is small.
    fn allocated(len: usize) -> Self {
        let elements: Box<[T]> = (0..len).map(|_| T::default()).collect();
        let start = NonNull::from(Box::leak(elements)).cast();
        Self {
            start,
            len,
            map: None,
        }
    }
}

// SAFETY: it owns its elements, as a box does; they are atomics, which any thread may drop and use.
unsafe impl<T: ZeroableAtomics> Send for HugeArray<T> {}
// SAFETY: as above: through a shared reference only atomics are reached.
unsafe impl<T: ZeroableAtomics> Sync for HugeArray<T> {}

impl<T: ZeroableAtomics> Deref for HugeArray<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: `start` is the first of `len` elements that live as long as `self`: leaked from a box until drop, or in
        // an anonymous, private map that `self` holds, which nothing else reaches. The map began as zeroes, which are
        // values of `T` (`ZeroableAtomics`), and 2 MiB is more than any alignment here. Nobody has a unique reference to
        // them.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> Drop for HugeArray<T> {
    fn drop(&mut self) {
        if self.map.is_none() {
            let elements = NonNull::slice_from_raw_parts(self.start, self.len);
            // SAFETY: without a map the elements were leaked from a box of this length, and nobody refers to them now.
            drop(unsafe { Box::from_raw(elements.as_ptr()) });
        }
    }
}

impl<T> std::fmt::Debug for HugeArray<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Zeroed")
    }
}

/// Asks for the cache lines of elements that are used soon.
#[inline(always)]
pub(super) fn prefetch<T: ZeroableAtomics>(elements: &[T]) {
    #[cfg(all(target_arch = "x86_64", not(shuttle), not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start: *const i8 = elements.as_ptr().cast();
        for line in 0..size_of_val(elements).div_ceil(64) {
            // SAFETY: a prefetch reads nothing and faults on no address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(line * 64)) };
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(shuttle), not(miri))))]
    let _ = elements;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::sync::{AtomicU64, Ordering};

    // SAFETY: it is an atomic.
    unsafe impl ZeroableAtomics for AtomicU64 {}

    #[test]
    fn small_and_large_arrays_begin_with_zeroes_and_keep_what_is_stored() {
        for len in [1_usize, 100, 262_143, 262_144, 1_000_000] {
            let numbers = HugeArray::<AtomicU64>::new(len);
            assert_eq!(numbers.len(), len);
            assert!(numbers.iter().all(|one| one.load(Ordering::Relaxed) == 0));
            for (at, number) in numbers.iter().enumerate() {
                number.store(at as u64 + 1, Ordering::Relaxed);
                prefetch(std::slice::from_ref(number));
            }
            let sum: u64 = numbers.iter().map(|one| one.load(Ordering::Relaxed)).sum();
            assert_eq!(sum, (len as u64) * (len as u64 + 1) / 2);
        }
    }
}
