//! Stores that were rolled back to an earlier state.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use symbolon::journal::{Event, MemoryJournal, Operation};
use symbolon::record::{Kind, RecordKey};
use symbolon::store::{Cursor, Revision, Write};
use symbolon::{
    AdminError, Caller, Clock, Denied, Engine, Id, IntegrityFaultKind, NewBucket, NewOrganization,
    NewUser, OpenError, Options, OrganizationEdit, Rotation, StoreError, TokenStore, Transition,
    UnjournaledStore, UserEdit,
};

use crate::fixture::{World, key};
use crate::journal::{Journaled, check, journaled, with_journal};
pub(crate) use flaky::Flaky;

#[test]
fn restoring_a_backup_keeps_a_thousand_revoked_tokens_revoked() {
    let j = journaled();
    let made: Vec<_> = (0..1010).map(|_| j.world.create(&["read:buckets"])).collect();
    let backup = j.backup();
    let engine = &j.world.engine;
    let (revoked, kept) = made.split_at(1000);
    for (_, one) in revoked {
        engine.admin(Caller::Root).authorizations().revoke(one.id).unwrap();
    }
    // The old engine continues for a while and purges the revoked records.
    j.world.clock.advance(Duration::from_secs(40 * 24 * 60 * 60));
    assert_eq!(engine.maintenance().purge().unwrap(), 1000);
    let engine = j.open(backup.clone()).unwrap();
    assert_eq!(engine.rollback().unwrap().revoked, 1000);
    for (token, one) in revoked {
        assert_eq!(check(&engine, token), Err(Denied::Revoked(one.id)));
    }
    for (token, one) in kept {
        assert_eq!(check(&engine, token), Ok(one.id));
    }
    assert!(engine.maintenance().fsck(&mut |_| {}).unwrap().problems.is_empty());
    drop(engine);
    // The second open finds the rollback already handled.
    let engine = j.open(backup).unwrap();
    assert_eq!(engine.rollback(), None);
}

#[test]
fn all_revocations_survive_a_restore() {
    let j = journaled();
    let engine = &j.world.engine;
    let root = &Caller::Root;
    let user = engine.admin(*root).users().create(NewUser::named("me")).unwrap();
    let gone = engine.admin(*root).organizations().create(NewOrganization::named("gone")).unwrap();
    let bucket = engine
        .admin(*root)
        .buckets()
        .create(NewBucket { organization: j.world.org.id, name: "b".into() })
        .unwrap();
    let mut new = j.world.new_authorization(&["read:buckets"]);
    new.user = Some(user.id);
    let (of_user, _) = engine.admin(*root).authorizations().create(new).unwrap();
    let mut new = j.world.new_authorization(&["read:buckets"]);
    new.organization = gone.id;
    let (of_organization, _) = engine.admin(*root).authorizations().create(new).unwrap();
    let (rotated, old) = j.world.create(&["read:buckets"]);
    let (inactive, off) = j.world.create(&["read:buckets"]);
    let backup = j.backup();

    let delete = UserEdit { transition: Some(Transition::Revoke), ..UserEdit::default() };
    engine.admin(*root).users().edit(user.id, delete).unwrap();
    let delete =
        OrganizationEdit { transition: Some(Transition::Revoke), ..OrganizationEdit::default() };
    engine.admin(*root).organizations().edit(gone.id, delete).unwrap();
    engine.admin(*root).buckets().delete(bucket.id).unwrap();
    let overlap = Rotation { overlap: Duration::from_secs(3600), ..Rotation::default() };
    let (replacing, _) = engine.admin(*root).authorizations().rotate(old.id, overlap).unwrap();
    engine.admin(*root).authorizations().edit(off.id, Transition::Deactivate.into()).unwrap();

    let engine = j.open(backup).unwrap();
    assert_eq!(engine.rollback().unwrap().revoked, 4, "user, organization, bucket, rotated");
    assert!(matches!(check(&engine, &of_user), Err(Denied::Revoked(_))));
    assert!(matches!(check(&engine, &of_organization), Err(Denied::Revoked(_))));
    let named = engine.admin(*root).buckets().find(j.world.org.id, "b");
    assert!(matches!(named, Err(AdminError::NotFound(_))));
    assert_eq!(check(&engine, &rotated), Ok(old.id), "within the overlap");
    j.world.clock.advance(Duration::from_secs(3601));
    assert_eq!(check(&engine, &rotated), Err(Denied::Expired(old.id)));
    assert_eq!(check(&engine, &replacing), Err(Denied::Unknown));
    assert_eq!(check(&engine, &inactive), Ok(off.id), "a deactivation is not replayed");
}

#[test]
fn an_interrupted_replay_resumes_at_the_next_start() {
    let j = journaled();
    let made: Vec<_> = (0..1200).map(|_| j.world.create(&["read:buckets"])).collect();
    let backup = j.backup();
    for (_, one) in &made {
        j.world.root().authorizations().revoke(one.id).unwrap();
    }
    for allowed in 0..3 {
        let flaky = Arc::new(Flaky::new(backup.clone(), allowed));
        assert!(j.open(flaky).is_err(), "{allowed} commits");
    }
    let engine = j.open(backup).unwrap();
    assert!(engine.rollback().is_some());
    for (token, one) in &made {
        assert_eq!(check(&engine, token), Err(Denied::Revoked(one.id)));
    }
}

#[test]
fn a_store_unknown_to_its_journal_opens_only_when_accepted() {
    let j = journaled();
    let (old, first) = j.world.create(&["read:buckets"]);
    j.world.clock.advance(Duration::from_secs(60));
    let between = j.world.clock.now();
    j.world.clock.advance(Duration::from_secs(60));
    let (new, second) = j.world.create(&["read:buckets"]);
    let lost = |unjournaled_store, revoke_created_before| {
        let journal = Arc::new(MemoryJournal::new());
        let options = Options {
            unjournaled_store,
            revoke_created_before,
            ..with_journal(&j.world.clock, journal.clone())
        };
        (journal, Engine::open(j.backup(), key(), options))
    };
    let (journal, refused) = lost(UnjournaledStore::Refuse, None);
    assert!(matches!(refused, Err(OpenError::NoJournal)));
    assert_eq!(journal.entries(), []);
    let (_, accepted) = lost(UnjournaledStore::Accept, None);
    let accepted = accepted.unwrap();
    assert!(accepted.rollback().unwrap().accepted);
    assert_eq!(check(&accepted, &old), Ok(first.id));
    let (journal, careful) = lost(UnjournaledStore::Accept, Some(between));
    let careful = careful.unwrap();
    assert_eq!(check(&careful, &old), Err(Denied::Revoked(first.id)));
    assert_eq!(check(&careful, &new), Ok(second.id));
    let revoked = journal.entries().into_iter().any(|entry| {
        matches!(
            entry.event,
            Event::Intent(intent)
                if intent.operation == Operation::Revoke && intent.ends.len() == 1
        )
    });
    assert!(revoked, "the journal records the revocation");
}

#[test]
fn the_journal_of_another_store_is_refused() {
    let (one, other) = (journaled(), journaled());
    let journal = Arc::new(other.journal.another());
    let options = with_journal(&one.world.clock, journal);
    let opened = Engine::open(one.world.store.clone(), key(), options);
    assert!(matches!(opened, Err(OpenError::ForeignJournal)));
}

#[test]
fn a_continuing_store_is_not_mistaken_for_a_rolled_back_one() {
    let j = journaled();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                // Bounded, because otherwise opening might never catch up.
                for _ in 0..2000 {
                    if done.load(Ordering::SeqCst) {
                        return;
                    }
                    std::thread::sleep(Duration::from_micros(200));
                    let (_, one) = j.world.create(&["read:buckets"]);
                    j.world.root().authorizations().revoke(one.id).unwrap();
                }
            });
        }
        for _ in 0..30 {
            let journal = Arc::new(j.journal.another());
            let options = with_journal(&j.world.clock, journal);
            let engine = Engine::open(j.world.store.clone(), key(), options).unwrap();
            assert_eq!(engine.rollback(), None);
            let new = j.world.new_authorization(&["read:buckets"]);
            engine.admin(Caller::Root).authorizations().create(new).unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    let distinct: HashSet<(u32, u64)> =
        j.journal.entries().iter().map(|entry| (entry.chain, entry.number)).collect();
    assert_eq!(distinct.len(), j.journal.entries().len());
}

/// A store that accepts a limited number of commits.
mod flaky {
    use super::*;
    use symbolon::Minute;
    use symbolon::record::RecordKey;
    use symbolon::store::{Epoch, Limits, Page, Stored};

    #[derive(Debug)]
    pub(crate) struct Flaky {
        inner: Arc<dyn TokenStore>,
        left: AtomicUsize,
    }

    impl Flaky {
        pub(crate) fn new(inner: Arc<dyn TokenStore>, allowed: usize) -> Self {
            let left = AtomicUsize::new(allowed);
            Self { inner, left }
        }
    }

    impl TokenStore for Flaky {
        fn get(&self, key: &RecordKey) -> Result<Option<Stored>, StoreError> {
            self.inner.get(key)
        }

        fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
            let less = |left: usize| left.checked_sub(1);
            let order = Ordering::SeqCst;
            if self.left.fetch_update(order, order, less).is_err() {
                return Err(StoreError::backend("injected"));
            }
            self.inner.commit(writes)
        }

        fn scan(&self, after: &Cursor, limit: usize) -> Result<Page, StoreError> {
            self.inner.scan(after, limit)
        }

        fn limits(&self) -> Limits {
            self.inner.limits()
        }

        fn touch(&self, used: &[(Id, Minute)]) -> Result<(), StoreError> {
            self.inner.touch(used)
        }

        fn renew(&self) -> Result<Epoch, StoreError> {
            self.inner.renew()
        }
    }
}

#[test]
fn records_replayed_offline_stay_revoked() {
    let j = journaled();
    let engine = &j.world.engine;
    let root = &Caller::Root;
    let user = engine.admin(*root).users().create(NewUser::named("me")).unwrap();
    let mut new = j.world.new_authorization(&["read:buckets"]);
    new.user = Some(user.id);
    let (of_user, _) = engine.admin(*root).authorizations().create(new).unwrap();
    let (revoked, made) = j.world.create(&["read:buckets"]);
    let (rotated, old) = j.world.create(&["read:buckets"]);
    let keys = [
        RecordKey::new(Kind::AUTHORIZATION, made.id),
        RecordKey::new(Kind::USER, user.id),
        RecordKey::new(Kind::AUTHORIZATION, old.id),
    ];
    let store = Arc::clone(&j.world.store);
    let before = keys.map(|key| store.get(&key).unwrap().unwrap().record);
    engine.admin(*root).authorizations().revoke(made.id).unwrap();
    let delete = UserEdit { transition: Some(Transition::Revoke), ..UserEdit::default() };
    engine.admin(*root).users().edit(user.id, delete).unwrap();
    engine.admin(*root).authorizations().rotate(old.id, Rotation::default()).unwrap();
    let Journaled { world, journal } = j;
    let World { engine, clock, .. } = world;
    drop(engine);
    for (key, record) in keys.into_iter().zip(before) {
        let expected = store.get(&key).unwrap().unwrap().revision;
        let put = Write::Put { record, expected };
        store.commit(&[put]).unwrap();
    }
    let open = || {
        let journal = Arc::new(journal.reopened());
        Engine::open(store.clone(), key(), with_journal(&clock, journal)).unwrap()
    };
    let engine = open();
    assert_eq!(engine.rollback(), None, "the store itself was not rolled back");
    assert_eq!(check(&engine, &revoked), Err(Denied::Revoked(made.id)));
    assert!(matches!(check(&engine, &of_user), Err(Denied::Revoked(_))));
    assert!(check(&engine, &rotated).is_err());
    let faulty: HashSet<RecordKey> = engine.faults().iter().map(|fault| fault.key).collect();
    assert_eq!(faulty, HashSet::from(keys));
    assert!(engine.faults().iter().all(|one| one.problem == IntegrityFaultKind::RolledBack));
    drop(engine);
    // The replay revoked the records in the store, so the next start finds no fault.
    let engine = open();
    assert_eq!(engine.faults(), []);
    assert_eq!(engine.maintenance().fsck(&mut |_| {}).unwrap().problems, []);
    assert_eq!(check(&engine, &revoked), Err(Denied::Revoked(made.id)));
}

#[test]
fn revocations_missing_from_the_journal_are_added_at_the_next_start() {
    // First, a process without a journal revoked the token; second, the store had no journal yet.
    for accepted in [false, true] {
        let j = journaled();
        let (token, made) = j.world.create(&["read:buckets"]);
        let backup = j.backup();
        let journal = match accepted {
            false => j.journal,
            true => Arc::new(MemoryJournal::new()),
        };
        let World { engine, clock, store, .. } = j.world;
        drop(engine);
        let without = Engine::open(store.clone(), key(), crate::fixture::options(&clock)).unwrap();
        without.admin(Caller::Root).authorizations().revoke(made.id).unwrap();
        drop(without);
        let open = |store: Arc<dyn TokenStore>| {
            let options = Options {
                unjournaled_store: UnjournaledStore::Accept,
                ..with_journal(&clock, Arc::new(journal.reopened()))
            };
            Engine::open(store, key(), options).unwrap()
        };
        drop(open(store.clone()));
        let length = journal.entries().len();
        drop(open(store));
        assert_eq!(journal.entries().len(), length, "the revocation is added once");
        let engine = open(backup);
        assert_eq!(engine.rollback().unwrap().revoked, 1);
        assert_eq!(check(&engine, &token), Err(Denied::Revoked(made.id)));
    }
}

#[test]
fn an_unchanged_store_is_not_rewritten() {
    let j = journaled();
    let engine = &j.world.engine;
    let root = &Caller::Root;
    let user = engine.admin(*root).users().create(NewUser::named("me")).unwrap();
    let bucket = engine
        .admin(*root)
        .buckets()
        .create(NewBucket { organization: j.world.org.id, name: "b".into() })
        .unwrap();
    let made: Vec<_> = (0..4).map(|_| j.world.create(&["read:buckets"])).collect();
    for ((_, one), seconds) in made.iter().zip([0, 3600]) {
        let rotation = Rotation { overlap: Duration::from_secs(seconds), ..Rotation::default() };
        engine.admin(*root).authorizations().rotate(one.id, rotation).unwrap();
    }
    engine.admin(*root).authorizations().revoke(made[2].1.id).unwrap();
    engine.admin(*root).buckets().delete(bucket.id).unwrap();
    let delete = UserEdit { transition: Some(Transition::Revoke), ..UserEdit::default() };
    engine.admin(*root).users().edit(user.id, delete).unwrap();
    let end = || j.world.store.scan(&Cursor::start(), 100).unwrap().end;
    let (before, lines) = (end(), j.journal.entries().len());
    for _ in 0..3 {
        let engine = j.open(j.world.store.clone()).unwrap();
        assert_eq!(engine.faults(), []);
        assert_eq!(engine.rollback(), None);
        drop(engine);
        assert_eq!((end(), j.journal.entries().len()), (before, lines));
        j.world.clock.advance(Duration::from_secs(3600));
    }
}
