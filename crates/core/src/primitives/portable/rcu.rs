//! A value that can be replaced while others read it, in safe code.

use std::sync::{Arc, PoisonError, RwLock};

/// A value that can be replaced while other threads read it. A read takes a lock for as long as it
/// takes to clone an [`Arc`].
#[derive(Debug)]
pub(crate) struct Rcu<T>(RwLock<Arc<T>>);

impl<T> Rcu<T> {
    pub(crate) fn new(first: Box<T>) -> Self {
        Self(RwLock::new(first.into()))
    }

    /// Calls `use_it` with the current value.
    pub(crate) fn read<R>(&self, use_it: impl FnOnce(&T) -> R) -> R {
        let current = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        use_it(&current)
    }

    /// Replaces the current value. The old one is freed by its last reader.
    pub(crate) fn replace(&self, new: Box<T>) {
        let new = new.into();
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *current, new);
        drop(current);
        // Dropped after the lock is released, because it can take long.
        drop(old);
    }

    /// Does nothing: values are freed by their last reader.
    pub(crate) fn reclaim(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_keeps_its_value_while_another_replaces_it() {
        let value = Rcu::new(Box::new(1));
        value.read(|held| {
            value.replace(Box::new(2));
            assert_eq!(*held, 1);
            value.read(|nested| assert_eq!(*nested, 2));
        });
        assert_eq!(value.read(|held| *held), 2);
    }
}
