//! Fresh stores, each in a folder of its own.

use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use symbolon::TokenStore;
use tempfile::TempDir;

/// Makes stores of the kind under test.
#[derive(Clone, Copy)]
pub struct StoreFactory<'a> {
    open: &'a dyn Fn(&Path) -> Arc<dyn TokenStore>,
}

impl<'a> StoreFactory<'a> {
    /// Makes stores with `open`, which is given an empty folder that only its owner may enter.
    pub fn new(open: &'a dyn Fn(&Path) -> Arc<dyn TokenStore>) -> Self {
        Self { open }
    }

    /// A new store in a new folder.
    pub fn fresh(self) -> FreshStore<'a> {
        let dir = tempfile::Builder::new()
            .prefix("symbolon-")
            .tempdir()
            .expect("a temporary folder can be made");
        let store = (self.open)(dir.path());
        FreshStore {
            store,
            dir,
            make: self,
        }
    }
}

impl fmt::Debug for StoreFactory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Make").finish_non_exhaustive()
    }
}

/// A store, and the folder that it lies in; both end together.
#[derive(Debug)]
pub struct FreshStore<'a> {
    // The store is dropped before its folder: fields are dropped in the order in which they stand here.
    store: Arc<dyn TokenStore>,
    dir: TempDir,
    make: StoreFactory<'a>,
}

impl FreshStore<'_> {
    /// Closes the store and opens what lies in its folder.
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
