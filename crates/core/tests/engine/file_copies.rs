//! Stores whose file was copied, restored or replaced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use symbolon::record::RecordKey;
use symbolon::store::{Cursor, Epoch, Limits, Page, Revision, Stored, Wake, Write};
use symbolon::{Id, MemoryStore, Minute, StoreError, TokenStore};

use crate::journal::copy;

/// A copy of a store's file: it keeps the epoch of the original until it is renewed.
#[derive(Debug)]
pub(crate) struct FileCopy {
    inner: Arc<MemoryStore>,
    epoch: Epoch,
    renewed: AtomicBool,
}

impl FileCopy {
    pub(crate) fn of(store: &dyn TokenStore) -> Arc<Self> {
        Arc::new(Self { inner: copy(store), epoch: epoch(store), renewed: AtomicBool::new(false) })
    }
}

pub(crate) fn epoch(store: &dyn TokenStore) -> Epoch {
    let page = store.scan(&Cursor::start(), usize::MAX).unwrap();
    page.end.unwrap().epoch
}

impl TokenStore for FileCopy {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.inner.get(key)
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        self.inner.commit(writes)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let mut page = self.inner.scan(after, limit)?;
        if let (Some(end), false) = (&mut page.end, self.renewed.load(Ordering::SeqCst)) {
            end.epoch = self.epoch;
        }
        Ok(page)
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        self.inner.touch(used)
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        let epoch = self.inner.renew()?;
        self.renewed.store(true, Ordering::SeqCst);
        Ok(epoch)
    }

    fn wait(&self, after: &Cursor, timeout: Duration) -> Result<Wake, StoreError> {
        self.inner.wait(after, timeout)
    }
}

/// A store whose file is replaced while an engine uses it.
#[derive(Debug)]
pub(crate) struct Exchanged(pub(crate) RwLock<Arc<dyn TokenStore>>);

impl Exchanged {
    pub(crate) fn now(&self) -> Arc<dyn TokenStore> {
        Arc::clone(&self.0.read().unwrap())
    }
}

impl TokenStore for Exchanged {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.now().get(key)
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        self.now().commit(writes)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        self.now().scan(after, limit)
    }

    fn limits(&self) -> Limits {
        self.now().limits()
    }

    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        self.now().touch(used)
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        self.now().renew()
    }
}
