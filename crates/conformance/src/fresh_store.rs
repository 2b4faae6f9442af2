//! Fresh stores, each in its own directory.

use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use symbolon::TokenStore;
use tempfile::TempDir;

/// Creates stores of the type under test.
#[derive(Clone, Copy)]
pub struct StoreFactory<'a> {
    open: &'a dyn Fn(&Path) -> Arc<dyn TokenStore>,
}

impl<'a> StoreFactory<'a> {
    /// Creates a factory that calls `open` with an empty directory that only its owner can access.
    pub fn new(open: &'a dyn Fn(&Path) -> Arc<dyn TokenStore>) -> Self {
        Self { open }
    }

    /// Creates a store in a new directory.
    pub fn fresh(self) -> FreshStore<'a> {
        let dir = tempfile::Builder::new()
            .prefix("symbolon-")
            .tempdir()
            .expect("cannot create a temporary directory");
        let store = (self.open)(dir.path());
        FreshStore { store, dir, make: self }
    }
}

impl fmt::Debug for StoreFactory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreFactory").finish_non_exhaustive()
    }
}

/// A store and its temporary directory, deleted together.
#[derive(Debug)]
pub struct FreshStore<'a> {
    // Fields are dropped in this order: the store before its directory.
    store: Arc<dyn TokenStore>,
    dir: TempDir,
    make: StoreFactory<'a>,
}

impl FreshStore<'_> {
    /// Closes the store and opens it again in the same directory.
    #[must_use]
    pub fn reopened(self) -> Self {
        let Self { store, dir, make } = self;
        drop(store);
        let store = (make.open)(dir.path());
        Self { store, dir, make }
    }

    pub(crate) fn shared(&self) -> Arc<dyn TokenStore> {
        Arc::clone(&self.store)
    }
}

impl Deref for FreshStore<'_> {
    type Target = dyn TokenStore;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}
