//! Several engines on one store, tampered records, and unreachable stores.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use symbolon::record::{Kind, RecordKey};
use symbolon::store::{
    Cursor, Epoch, Limits, Page, Revision, Sharing, Stored, TokenStore, Wake, Write,
};
use symbolon::{
    AdminError, Caller, Denied, Engine, Id, IntegrityFaultKind, MemoryStore, Minute,
    NewOrganization, NewUser, OpenError, StoreError, StoreKey, Transition,
};

use crate::fixture::{READ_BUCKETS, World, engine, key, options};

pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_micros(200));
    }
    start.elapsed()
}

#[test]
fn changes_of_one_engine_are_seen_by_another() {
    let world = World::on(Arc::new(MemoryStore::shared()));
    let other = world.another();
    let (token, made) = world.create(&["read:buckets"]);
    let seen = || other.verifier().check(token.reveal(), &READ_BUCKETS);
    eventually("created", || seen() == Ok(made.id));
    world.root().authorizations().revoke(made.id).unwrap();
    eventually("revoked", || seen() == Err(Denied::Revoked(made.id)));
    other.admin(Caller::Root).users().create(NewUser::named("user")).unwrap();
    eventually("the user", || world.engine.len() == other.len());
    let newest = other.caught_up().max(world.engine.caught_up());
    eventually("caught up", || world.engine.caught_up() >= newest && other.caught_up() >= newest);
}

#[test]
fn a_purge_elsewhere_triggers_a_rebuild() {
    let world = World::on(Arc::new(MemoryStore::shared()));
    let other = world.another();
    let (token, made) = world.create(&["read:buckets"]);
    let (kept, kept_made) = world.create(&["read:buckets"]);
    let seen = |token: &symbolon::Token| other.verifier().check(token.reveal(), &READ_BUCKETS);
    world.root().authorizations().revoke(made.id).unwrap();
    eventually("revoked", || seen(&token) == Err(Denied::Revoked(made.id)));
    // Time passes for both engines. The other one confirms its state before it counts as stale.
    world.clock.advance(Duration::from_secs(31 * 24 * 3600));
    world.engine.maintenance().purge().unwrap();
    eventually("purged", || seen(&token) == Err(Denied::Unknown));
    eventually("kept", || seen(&kept) == Ok(kept_made.id));
}

/// A store that can become unreachable.
#[derive(Debug)]
struct Link {
    store: MemoryStore,
    down: AtomicBool,
}

impl Link {
    fn up<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        match self.down.load(Ordering::SeqCst) {
            true => Err(StoreError::backend("unreachable")),
            false => answer,
        }
    }
}

impl TokenStore for Link {
    fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
        self.up(self.store.get(key))
    }

    fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        self.up(Ok(()))?;
        self.store.commit(writes)
    }

    fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
        self.up(self.store.scan(after, limit))
    }

    fn limits(&self) -> Limits {
        Limits { sharing: Sharing::Shared, ..self.store.limits() }
    }

    fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
        self.up(self.store.touch(used))
    }

    fn renew(&self) -> Result<Epoch, StoreError> {
        self.up(self.store.renew())
    }

    fn wait(&self, after: &Cursor, timeout: Duration) -> Result<Wake, StoreError> {
        self.up(Ok(()))?;
        self.store.wait(after, timeout)
    }
}

#[test]
fn an_unreachable_store_makes_checks_unavailable_after_max_staleness() {
    let link = Arc::new(Link { store: MemoryStore::shared(), down: AtomicBool::new(false) });
    let world = World::on(Arc::clone(&link) as Arc<dyn TokenStore>);
    let (token, made) = world.create(&["read:buckets"]);
    let grant = world.engine.verifier().authenticate(token.reveal()).unwrap();
    link.down.store(true, Ordering::SeqCst);
    world.clock.advance(Duration::from_secs(9));
    assert_eq!(world.check(&token), Ok(made.id));
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.check(&token), Err(Denied::Unavailable));
    assert_eq!(grant.check(&READ_BUCKETS), Err(Denied::Unavailable));
    let malformed = world.engine.verifier().check("x", &READ_BUCKETS);
    assert_eq!(malformed, Err(Denied::Unavailable), "staleness is checked first");
    link.down.store(false, Ordering::SeqCst);
    eventually("fresh again", || world.check(&token) == Ok(made.id));
    assert_eq!(grant.check(&READ_BUCKETS), Ok(made.id));
}

#[test]
fn a_replayed_record_is_refused_and_reported() {
    let world = World::on(Arc::new(MemoryStore::shared()));
    let (token, made) = world.create(&["read:buckets"]);
    let key = RecordKey::new(Kind::AUTHORIZATION, made.id);
    let old = world.store.get(&key).unwrap().unwrap();
    for transition in [Transition::Deactivate, Transition::Revoke] {
        world.root().authorizations().edit(made.id, transition.into()).unwrap();
        let denied = world.check(&token);
        let now = world.store.get(&key).unwrap().unwrap();
        let put = Write::Put { record: old.record.clone(), expected: now.revision };
        let revision = world.store.commit(&[put]).unwrap();
        eventually("followed", || world.engine.caught_up() >= revision);
        assert_eq!(world.check(&token), denied);
        assert!(
            world
                .engine
                .faults()
                .iter()
                .any(|fault| fault.problem == IntegrityFaultKind::RolledBack)
        );
        let found = world.engine.maintenance().fsck(&mut |_| {}).unwrap().problems;
        assert!(found.iter().any(|one| one.key == key), "{found:?}");
        let back = Write::Put { record: now.record, expected: revision };
        world.store.commit(&[back]).unwrap();
        world.another();
    }
}

#[test]
fn a_forged_record_is_refused_and_reported_without_blocking_others() {
    let world = World::on(Arc::new(MemoryStore::shared()));
    let (token, made) = world.create(&["read:buckets"]);
    let key = RecordKey::new(Kind::AUTHORIZATION, made.id);
    let stored = world.store.get(&key).unwrap().unwrap();
    let mut forged = stored.record.clone();
    forged.columns.organization = Id::new(99);
    let put = Write::Put { record: forged, expected: stored.revision };
    world.store.commit(&[put]).unwrap();
    eventually("denied", || world.check(&token) == Err(Denied::Unknown));
    let (later, later_made) = world.create(&["read:buckets"]);
    assert_eq!(world.check(&later), Ok(later_made.id));
    let refused = world.root().authorizations().revoke(made.id);
    assert!(matches!(refused, Err(AdminError::Tampered(_))));
    let restarted = world.another();
    assert_eq!(restarted.verifier().check(token.reveal(), &READ_BUCKETS), Err(Denied::Unknown));
    assert!(restarted.faults().iter().any(|fault| fault.key == key));
}

#[test]
fn a_store_requires_its_key_and_settings() {
    let world = World::new();
    let wrong = Engine::open(
        Arc::clone(&world.store),
        StoreKey::from_bytes([1; 32]),
        options(&world.clock),
    );
    assert!(matches!(wrong, Err(OpenError::WrongKey(_))));
    let empty: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let opened = Engine::open(Arc::clone(&empty), key(), options(&world.clock));
    assert!(matches!(opened, Err(OpenError::Empty)));
    let setting = RecordKey::new(Kind::SETTING, Id::new(1).unwrap());
    let stored = world.store.get(&setting).unwrap().unwrap();
    let gone = Write::Purge { key: setting, expected: stored.revision };
    world.store.commit(&[gone]).unwrap();
    for open in [Engine::open, Engine::create] {
        let opened = open(Arc::clone(&world.store), key(), options(&world.clock));
        assert!(matches!(opened, Err(OpenError::Settings)));
    }
}

#[test]
fn concurrent_creation_of_one_store_agrees() {
    for _ in 0..50 {
        let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::shared());
        let clock = symbolon::ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        let (one, two) = std::thread::scope(|scope| {
            let make = || engine(&store, &clock);
            let one = scope.spawn(make);
            (make(), one.join().unwrap())
        });
        let org =
            one.admin(Caller::Root).organizations().create(NewOrganization::named("org")).unwrap();
        eventually("seen", || two.len() == 1);
        let found = two.admin(Caller::Root).organizations().find("org").unwrap();
        assert_eq!(found.id, org.id);
    }
}

/// Restores an earlier version of the record that is stored under `key`.
fn roll_back_record(world: &World, key: RecordKey, old: &Stored) {
    let expected = world.store.get(&key).unwrap().map_or(Revision::ABSENT, |now| now.revision);
    let put = Write::Put { record: old.record.clone(), expected };
    let revision = world.store.commit(&[put]).unwrap();
    eventually("followed", || world.engine.caught_up() >= revision);
}

#[test]
fn a_removed_record_cannot_be_replayed() {
    let world = World::on(Arc::new(MemoryStore::shared()));
    let root = world.root();
    let engine = &world.engine;
    let (token, made) = world.create(&["read:buckets"]);
    let key = RecordKey::new(Kind::AUTHORIZATION, made.id);
    let old = world.store.get(&key).unwrap().unwrap();
    root.authorizations().revoke(made.id).unwrap();
    let now = world.store.get(&key).unwrap().unwrap();
    // An attacker removes the row, so that the engine rebuilds without it, and restores the old
    // one.
    let purge = Write::Purge { key, expected: now.revision };
    let revision = world.store.commit(&[purge]).unwrap();
    eventually("rebuilt", || world.engine.caught_up() >= revision);
    roll_back_record(&world, key, &old);
    assert_eq!(world.check(&token), Err(Denied::Unknown));
    assert!(
        world.engine.faults().iter().any(|fault| fault.problem == IntegrityFaultKind::RolledBack)
    );
    // The attacker waits until the engine itself has purged the row.
    let (token, made) = world.create(&["read:buckets"]);
    let key = RecordKey::new(Kind::AUTHORIZATION, made.id);
    let old = world.store.get(&key).unwrap().unwrap();
    root.authorizations().revoke(made.id).unwrap();
    world.clock.advance(Duration::from_secs(31 * 24 * 3600));
    engine.maintenance().purge().unwrap();
    roll_back_record(&world, key, &old);
    eventually("fresh", || world.check(&token) == Err(Denied::Unknown));
}

#[test]
fn a_replayed_record_can_only_be_revoked() {
    let world = World::on(Arc::new(MemoryStore::shared()));
    let root = world.root();
    let engine = &world.engine;
    let (token, made) = world.create(&["read:buckets", "write:orgs"]);
    let key = RecordKey::new(Kind::AUTHORIZATION, made.id);
    let caller = world.bearer(&token);
    let wide = world.store.get(&key).unwrap().unwrap();
    let narrow = symbolon::AuthorizationEdit {
        permissions: Some([crate::fixture::permission("read:buckets")].into_iter().collect()),
        ..symbolon::AuthorizationEdit::default()
    };
    root.authorizations().edit(made.id, narrow).unwrap();
    roll_back_record(&world, key, &wide);
    // As a caller, the replayed authorization has no permissions, neither the old nor the new ones.
    let created = engine.admin(caller).organizations().create(NewOrganization::named("stolen"));
    assert!(matches!(created, Err(AdminError::Tampered(_))), "{created:?}");
    let off = root.authorizations().edit(made.id, Transition::Deactivate.into());
    assert!(matches!(off, Err(AdminError::Tampered(_))));
    assert_eq!(world.check(&token), Ok(made.id));
    root.authorizations().revoke(made.id).unwrap();
    assert_eq!(world.check(&token), Err(Denied::Revoked(made.id)));
    let restarted = world.another();
    assert_eq!(
        restarted.verifier().check(token.reveal(), &READ_BUCKETS),
        Err(Denied::Revoked(made.id))
    );
}

/// An engine that has read up to `Engine::committed` sees all earlier results of the other engine.
#[test]
fn waiting_for_a_commit_sees_all_earlier_changes() {
    let world = World::new();
    let other = world.another();
    let (token, made) = world.create(&["read:buckets"]);
    let checked =
        |engine: &symbolon::Engine| engine.verifier().check(token.reveal(), &READ_BUCKETS);
    for round in 0..20 {
        let edit = match round % 2 {
            0 => Transition::Deactivate,
            _ => Transition::Activate,
        };
        world.root().authorizations().edit(made.id, edit.into()).unwrap();
        let wanted = checked(&world.engine);
        assert!(other.wait_for(world.engine.committed(), Duration::from_secs(10)));
        assert_eq!(checked(&other), wanted);
        // The third engine has nothing to write, so its result depends on the commit of the first.
        let third = world.another();
        let before = third.committed();
        third.admin(Caller::Root).authorizations().edit(made.id, edit.into()).unwrap();
        assert!(third.committed() > before);
        assert_eq!(third.committed(), world.engine.committed());
    }
    let never = symbolon::store::Revision(other.committed().0 + 1_000_000);
    let started = std::time::Instant::now();
    assert!(!other.wait_for(never, Duration::from_millis(50)));
    assert!(started.elapsed() >= Duration::from_millis(50));
}
