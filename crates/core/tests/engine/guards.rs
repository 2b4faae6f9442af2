//! Records that a change depends on without writing them: its commit compares their revisions, so
//! that an owner deleted elsewhere a moment ago gets nothing new.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use symbolon::record::{Kind, RecordKey};
use symbolon::store::{Cursor, Epoch, Limits, Page, Revision, Stored, Write};
use symbolon::{
    Id, MemoryStore, Minute, NewAuthorization, NewBucket, Role, Rotation, StoreError, TokenStore,
};

use crate::fixture::World;

/// A store that remembers which records the last commit guarded and wrote.
#[derive(Debug, Default)]
struct Recording {
    store: MemoryStore,
    guarded: Mutex<BTreeSet<RecordKey>>,
}

impl TokenStore for Recording {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.store.get(key)
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        let guards = writes.iter().filter(|write| !write.is_change()).map(Write::key);
        *self.guarded.lock().unwrap() = guards.collect();
        self.store.commit(writes)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        self.store.scan(after, limit)
    }

    fn limits(&self) -> Limits {
        self.store.limits()
    }

    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        self.store.touch(used)
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        self.store.renew()
    }
}

#[test]
fn the_owners_of_what_is_written_are_guarded() {
    let store = Arc::new(Recording::default());
    let world = World::on(store.clone());
    let root = world.root();
    let org = world.org.id;
    let user = world.user("user");
    let guarded = || std::mem::take(&mut *store.guarded.lock().unwrap());
    let organization = RecordKey::new(Kind::ORGANIZATION, org);
    let owners = BTreeSet::from([organization, RecordKey::new(Kind::USER, user)]);
    let only_organization = BTreeSet::from([organization]);
    root.organizations().add_member(org, user, Role::Member).unwrap();
    assert_eq!(guarded(), only_organization);
    root.organizations().remove_member(org, user).unwrap();
    assert_eq!(guarded(), only_organization);
    root.buckets().create(NewBucket { organization: org, name: "data".into() }).unwrap();
    assert_eq!(guarded(), only_organization);
    let new = NewAuthorization { user: Some(user), ..world.new_authorization(&["read:buckets"]) };
    let (_, authorization) = root.authorizations().create(new).unwrap();
    assert_eq!(guarded(), owners);
    root.authorizations().rotate(authorization.id, Rotation::default()).unwrap();
    assert_eq!(guarded(), owners);
}
