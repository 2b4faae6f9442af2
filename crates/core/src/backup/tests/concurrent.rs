//! Backups of stores that are written to meanwhile.

use crate::NewOrganization;
use std::thread;
use std::time::Instant;

use super::*;

/// A store with a callback after each page.
struct HookedStore<F> {
    store: Arc<MemoryStore>,
    then: F,
    pages: AtomicUsize,
}

impl<F> std::fmt::Debug for HookedStore<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hooked")
    }
}

impl<F: Fn(usize) + Send + Sync + 'static> TokenStore for HookedStore<F> {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.store.get(key)
    }
    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        self.store.commit(writes)
    }
    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        let page = self.store.scan(after, limit);
        (self.then)(self.pages.fetch_add(1, Ordering::Relaxed));
        page
    }
    fn limits(&self) -> Limits {
        self.store.limits()
    }
    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        self.store.touch(used)
    }

    fn renew(&self) -> Result<crate::store::Epoch, StoreError> {
        self.store.renew()
    }
}

/// Writes a backup in pages of 3, and calls `then` after each page with its number.
fn backup_with(
    store: &Arc<MemoryStore>,
    then: impl Fn(usize) + Send + Sync + 'static,
) -> (Vec<u8>, Summary) {
    let store = HookedStore { store: Arc::clone(store), then, pages: AtomicUsize::new(0) };
    let mut bytes = Vec::new();
    let summary = write_paged(&store, &mut bytes, 3, &mut |_| ()).unwrap();
    assert_eq!(verify(&*bytes).unwrap(), summary);
    (bytes, summary)
}

#[test]
fn tokens_revoked_and_purged_during_a_backup_stay_revoked() {
    let (store, engine) = sample(30);
    let first = engine
        .admin(Caller::Root)
        .authorizations()
        .list(&crate::AuthorizationFilter::default(), crate::ListOptions::default())
        .all()
        .unwrap()[0]
        .id;
    let root = engine.admin(Caller::Root);
    let (bytes, _) = backup_with(&store, move |page| {
        if page == 3 {
            root.authorizations().revoke(first).unwrap();
            thread::sleep(Duration::from_millis(5));
            assert_eq!(engine.maintenance().purge().unwrap(), 1);
        }
    });
    let other = restored(bytes);
    let key = RecordKey::new(Kind::AUTHORIZATION, first);
    assert_eq!(other.get(&key).unwrap(), None);
    assert_eq!(records(&everything(&other)), records(&everything(&*store)));
}

#[test]
fn a_name_that_moves_during_a_backup_can_be_restored() {
    let (store, engine) = sample(30);
    let org = engine.admin(Caller::Root).organizations().find("org").unwrap().id;
    let root = engine.admin(Caller::Root);
    let rename = move |name: &str| {
        let edit = OrganizationEdit { name: Some(name.into()), ..OrganizationEdit::default() };
        root.organizations().edit(org, edit).unwrap();
        root.organizations()
            .create(NewOrganization {
                description: ("another").into(),
                ..NewOrganization::named("org")
            })
            .ok();
    };
    // In the second scan, the new holder of the name occurs before the former one.
    let (bytes, _) = backup_with(&store, move |page| match page {
        3 => rename("first"),
        10 => rename("second"),
        _ => {}
    });
    let other = restored(bytes);
    assert_eq!(records(&everything(&other)), records(&everything(&*store)));
    drop(engine);
}

#[test]
fn a_backup_finishes_despite_constant_purges() {
    let (store, engine) = sample(200);
    let org = engine.admin(Caller::Root).organizations().find("org").unwrap().id;
    let (bytes, summary) = backup_with(&store, move |_| {
        let read = Permission::new(Action::READ, ResourceType::BUCKETS);
        let new = NewAuthorization::new(org, [read]);
        let (_, made) = engine.admin(Caller::Root).authorizations().create(new).unwrap();
        engine.admin(Caller::Root).authorizations().revoke(made.id).unwrap();
        thread::sleep(Duration::from_millis(5));
        engine.maintenance().purge().unwrap();
    });
    assert_eq!(summary.records, 202, "one page, before the last purge");
    assert_eq!(everything(&restored(bytes)).len(), 202);
}

/// A store that remembers all of its earlier states.
#[derive(Debug)]
struct HistoryStore {
    store: MemoryStore,
    states: Mutex<BTreeMap<Revision, BTreeMap<RecordKey, Record>>>,
}

impl TokenStore for HistoryStore {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.store.get(key)
    }
    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        let mut states = self.states.lock().unwrap();
        let revision = self.store.commit(writes)?;
        let all = || records(&everything(&self.store));
        states.entry(revision).or_insert_with(all);
        Ok(revision)
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

    fn renew(&self) -> Result<crate::store::Epoch, StoreError> {
        self.store.renew()
    }
    fn find(&self, query: &Query) -> Result<Vec<Stored>, StoreError> {
        self.store.find(query)
    }
    fn wait(&self, after: &Cursor, timeout: Duration) -> Result<Wake, StoreError> {
        self.store.wait(after, timeout)
    }
}

/// One of twenty writers: creates and revokes tokens, renames its organization, and sometimes
/// purges.
fn busy(engine: &Engine, number: usize, until: Instant) {
    let name = |round: usize| format!("org-{number}-{}", round % 2);
    let made = engine.admin(Caller::Root).organizations().create(NewOrganization::named(name(0)));
    let org = made.unwrap().id;
    let mut living = Vec::new();
    for round in 1.. {
        if Instant::now() >= until {
            return;
        }
        let read = Permission::new(Action::READ, ResourceType::BUCKETS);
        let new = NewAuthorization::new(org, [read]);
        living.push(engine.admin(Caller::Root).authorizations().create(new).unwrap().1.id);
        if living.len() > 8 {
            engine.admin(Caller::Root).authorizations().revoke(living.remove(round % 8)).unwrap();
        }
        if round % 5 == 0 {
            let edit = OrganizationEdit {
                name: Some(name(round)),
                transition: Some(match round % 10 {
                    0 => Transition::Activate,
                    _ => Transition::Deactivate,
                }),
                ..OrganizationEdit::default()
            };
            engine.admin(Caller::Root).organizations().edit(org, edit).unwrap();
        }
        if (round + number).is_multiple_of(50) {
            engine.maintenance().purge().unwrap();
        }
    }
}

#[test]
fn a_backup_under_twenty_writers_is_a_consistent_snapshot() {
    let store = Arc::new(HistoryStore { store: MemoryStore::shared(), states: Mutex::default() });
    let engine = engine(&store);
    let until = Instant::now() + Duration::from_secs(2);
    let mut made = Vec::new();
    thread::scope(|scope| {
        for number in 0..20 {
            let engine = &engine;
            scope.spawn(move || busy(engine, number, until));
        }
        while Instant::now() < until {
            let mut bytes = Vec::new();
            let summary = write_paged(&*store, &mut bytes, 3, &mut |_| ()).unwrap();
            made.push((bytes, summary));
        }
    });
    let states = store.states.lock().unwrap();
    let (mut twice, mut repeated) = (0, 0);
    for (bytes, summary) in &made {
        let mut backup = Backup::read(Bytes::new(bytes)).unwrap();
        repeated += usize::from(backup.contents.scans > 1);
        let into = MemoryStore::new();
        let done = backup.restore(&into, &key(), &mut |_| ()).unwrap();
        twice += usize::from(done.records < summary.records);
        assert!(records(&everything(&into)) == states[&summary.head], "{summary:?}");
    }
    println!("{} backups, {twice} with duplicates, {repeated} repeated a scan", made.len());
    assert!(made.len() > 3 && twice > 0 && repeated > 0);
}
