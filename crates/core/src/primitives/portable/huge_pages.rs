//! Large zeroed arrays of atomics, in safe code.

use std::ops::Deref;

/// A type that consists only of atomics.
pub(crate) trait Atomics: Default + Sync {}

/// A fixed number of elements, initially zero, which never move.
#[derive(Debug)]
pub(crate) struct HugeArray<T>(Box<[T]>);

impl<T: Atomics> HugeArray<T> {
    pub(crate) fn new(len: usize) -> Self {
        Self((0..len).map(|_| T::default()).collect())
    }
}

impl<T> Deref for HugeArray<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// Does nothing: there is no portable way to prefetch.
pub(crate) fn prefetch<T: Atomics>(_: &[T]) {}

/// Declares a struct of atomics that a [`HugeArray`] can hold.
macro_rules! atomics {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident { $($fields:tt)* }) => {
        $(#[$attribute])*
        $visibility struct $name { $($fields)* }

        impl $crate::primitives::huge_pages::Atomics for $name {}
    };
}
pub(crate) use atomics;
