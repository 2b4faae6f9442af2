//! Large zeroed arrays of atomics, on huge pages if the system provides them; and prefetching.
#![expect(unsafe_code, reason = "elements lie in a mapping, and prefetching is an intrinsic")]

use std::ops::Deref;
use std::ptr::NonNull;

use memmap2::{MmapMut, MmapOptions};

use super::sync::{AtomicU32, AtomicU64};

/// A type consisting only of atomics whose zero value is all bits zero.
///
/// # Safety
///
/// Zeroed memory must hold valid values of the type. Shared references must change them only by
/// atomic operations, and they must have nothing to drop.
pub(crate) unsafe trait Atomics: Default + Sync {}

// SAFETY: zero is a valid value of each, and they have nothing to drop.
unsafe impl Atomics for AtomicU32 {}
// SAFETY: as above.
unsafe impl Atomics for AtomicU64 {}
// SAFETY: as above.
unsafe impl<T: Atomics, const N: usize> Atomics for [T; N] where [T; N]: Default {}

/// Declares a struct of atomics that a [`HugeArray`] can hold. It does not compile if a field is
/// anything else.
macro_rules! atomics {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident { $($(#[$note:meta])* $field:ident: $type:ty,)* }
    ) => {
        $(#[$attribute])*
        $visibility struct $name { $($(#[$note])* $field: $type,)* }

        const _: () = {
            const fn require<T: $crate::primitives::huge_pages::Atomics>() {}
            $(require::<$type>();)*
        };
        // SAFETY: every field is `Atomics`, which the lines above require.
        #[expect(unsafe_code, reason = "every field was checked")]
        unsafe impl $crate::primitives::huge_pages::Atomics for $name {}
    };
}
pub(crate) use atomics;

/// A fixed number of elements, initially zero, which never move.
pub(crate) struct HugeArray<T> {
    start: NonNull<T>,
    len: usize,
    /// Mapping that holds the elements; if there is none, they are in a box.
    map: Option<MmapMut>,
}

/// Arrays of at least 2 MiB use huge pages; smaller ones gain nothing from a mapping of their own.
const HUGE_PAGE: usize = 2 << 20;

impl<T: Atomics> HugeArray<T> {
    pub(crate) fn new(len: usize) -> Self {
        Self::mapped(len).unwrap_or_else(|| Self::allocated(len))
    }

    fn mapped(len: usize) -> Option<Self> {
        let bytes = len.checked_mul(size_of::<T>())?;
        // The atomics of the model checker are not valid as zeroed memory.
        if bytes < HUGE_PAGE || cfg!(shuttle) {
            return None;
        }
        // One huge page more than needed, so that the first element can be aligned to one.
        let mut map = MmapOptions::new().len(bytes + HUGE_PAGE).map_anon().ok()?;
        // Fails if the system has no huge pages; the array then uses small ones.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        let offset = map.as_mut_ptr().align_offset(HUGE_PAGE);
        let start = NonNull::from(map.get_mut(offset..offset.checked_add(bytes)?)?).cast();
        let map = Some(map);
        Some(Self { start, len, map })
    }

    /// Allocates small arrays, and those that the system refuses to map.
    fn allocated(len: usize) -> Self {
        let elements: Box<[T]> = (0..len).map(|_| T::default()).collect();
        let start = NonNull::from(Box::leak(elements)).cast();
        Self { start, len, map: None }
    }
}

// SAFETY: it owns its elements, as a box does; they are atomics, which any thread may drop and use.
unsafe impl<T: Atomics> Send for HugeArray<T> {}
// SAFETY: as above: through a shared reference only atomics are reached.
unsafe impl<T: Atomics> Sync for HugeArray<T> {}

impl<T: Atomics> Deref for HugeArray<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: `start` is the first of `len` elements that live as long as `self`: leaked from a
        // box until drop, or in an anonymous private mapping that `self` owns and nothing else
        // accesses. The mapping is initially zero, which is a valid `T` (`Atomics`), and it
        // is aligned to 2 MiB, more than any `T` here needs. No unique reference to the elements
        // exists.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> Drop for HugeArray<T> {
    fn drop(&mut self) {
        if self.map.is_none() {
            let elements = NonNull::slice_from_raw_parts(self.start, self.len);
            // SAFETY: without a mapping, the elements were leaked from a box of this length, and no
            // reference to them is left.
            drop(unsafe { Box::from_raw(elements.as_ptr()) });
        }
    }
}

impl<T> std::fmt::Debug for HugeArray<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HugeArray")
    }
}

/// Prefetches the cache lines of elements that will be used soon.
#[inline(always)]
pub(crate) fn prefetch<T: Atomics>(elements: &[T]) {
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
    use crate::primitives::sync::Ordering;

    #[test]
    fn arrays_start_zeroed_and_keep_stored_values() {
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
