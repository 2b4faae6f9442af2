//! Renewed stores, and stores that are rolled back under a running engine.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use symbolon::record::{Kind, RecordKey};
use symbolon::store::{Cursor, Epoch, Limits, Page, Revision, Stored, TokenStore, Write};
use symbolon::{Caller, Denied, Id, MemoryStore, Minute, StoreError};

use crate::fixture::World;
use crate::replication::eventually;

/// A store that can be rolled back to an earlier copy without a change of its epoch.
#[derive(Debug)]
struct Copied {
    /// The store in use, and the copy.
    stores: Mutex<(Arc<MemoryStore>, Arc<MemoryStore>)>,
    copying: AtomicBool,
}

impl Copied {
    fn new() -> Self {
        Self {
            stores: Mutex::new((MemoryStore::shared().into(), MemoryStore::shared().into())),
            copying: AtomicBool::new(true),
        }
    }

    fn now(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.stores.lock().unwrap().0)
    }

    fn roll_back(&self) {
        let mut stores = self.stores.lock().unwrap();
        stores.0 = Arc::clone(&stores.1);
    }
}

impl TokenStore for Copied {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.now().get(key)
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        let stores = self.stores.lock().unwrap();
        if self.copying.load(Ordering::SeqCst) {
            stores.1.commit(writes)?;
        }
        stores.0.commit(writes)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let mut page = self.now().scan(after, limit)?;
        if let Some(end) = &mut page.end {
            end.epoch = Epoch(1);
        }
        Ok(page)
    }

    fn limits(&self) -> Limits {
        self.now().limits()
    }

    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        self.now().touch(used)
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        Err(StoreError::backend("the epoch cannot change"))
    }
}

#[test]
fn a_decreased_head_triggers_a_rebuild() {
    let store = Arc::new(Copied::new());
    let world = World::on(Arc::clone(&store) as Arc<dyn TokenStore>);
    let (kept, kept_made) = world.create(&["read:buckets"]);
    let (revoked, revoked_made) = world.create(&["read:buckets"]);
    store.copying.store(false, Ordering::SeqCst);
    world.root().authorizations().revoke(revoked_made.id).unwrap();
    let (lost, lost_made) = world.create(&["read:buckets"]);
    let newest = store.scan(&Cursor::start(), 100).unwrap().end.unwrap().head;
    eventually("followed", || world.engine.caught_up() == newest);
    assert_eq!(world.check(&lost), Ok(lost_made.id));
    store.roll_back();
    eventually("rebuilt", || world.check(&lost) == Err(Denied::Unknown));
    eventually("head lowered", || world.engine.caught_up() < newest);
    assert_eq!(world.check(&kept), Ok(kept_made.id));
    assert_eq!(world.check(&revoked), Err(Denied::Unknown), "it stays revoked");
    // The engine follows commits that reuse the same revisions.
    let other = world.another();
    other.admin(Caller::Root).authorizations().revoke(kept_made.id).unwrap();
    let denied = Err(Denied::Revoked(kept_made.id));
    eventually("followed", || world.check(&kept) == denied);
}

#[test]
fn a_renewed_store_is_reread() {
    let world = World::on(Arc::new(MemoryStore::shared()));
    let (token, made) = world.create(&["read:buckets"]);
    let key = RecordKey::new(Kind::AUTHORIZATION, made.id);
    let old = world.store.get(&key).unwrap().unwrap();
    world.root().authorizations().revoke(made.id).unwrap();
    let (kept, kept_made) = world.create(&["read:buckets"]);
    let newest = world.store.commit(&[]).unwrap();
    eventually("followed", || world.engine.caught_up() >= newest);
    let faults = || world.engine.faults().len();
    let before = faults();
    // Every read reports the fault: the second one because a renewed store is read from the start.
    let expected = world.store.get(&key).unwrap().unwrap().revision;
    let put = Write::Put { record: old.record, expected };
    world.store.commit(&[put]).unwrap();
    eventually("reported", || faults() == before + 1);
    let epoch = world.store.renew().unwrap();
    eventually("reported again", || faults() > before + 1);
    let end = world.store.scan(&Cursor::start(), 100).unwrap().end;
    assert_eq!(end.unwrap().epoch, epoch);
    assert_eq!(world.check(&kept), Ok(kept_made.id));
    assert_eq!(world.check(&token), Err(Denied::Unknown));
}
