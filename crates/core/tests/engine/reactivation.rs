//! Sequences of events that must never reactivate a revoked token.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use symbolon::journal::{
    Actor, Durability, Entry, Event, Intent, Journal, JournalError, MemoryJournal, Operation,
    Revocation, WrittenRecord,
};
use symbolon::store::{Sharing, Write};
use symbolon::{
    AdminError, Caller, Clock, Denied, Engine, Id, IfRevoked, ImportItem, MemoryStore,
    NewOrganization, NewUser, Options, Status, TokenStore, Transition, UserEdit,
};

use crate::file_copies::{Exchanged, FileCopy, epoch};
use crate::fixture::{READ_BUCKETS, key};
use crate::imports::{authorization, token};
use crate::journal::{Journaled, check, copy, journaled, on, with_journal};

const TEXT: &str = "an-imported-token-of-another-origin-0001";
const MONTHS: Duration = Duration::from_secs(70 * 24 * 60 * 60);

fn item(j: &Journaled, id: u64) -> ImportItem {
    ImportItem::Authorization(authorization(&j.world, id), token(TEXT))
}

fn revoke_and_purge(j: &Journaled, engine: &Engine, id: u64) {
    engine.admin(Caller::Root).authorizations().revoke(Id::new(id).unwrap()).unwrap();
    j.world.clock.advance(MONTHS);
    assert_eq!(engine.maintenance().purge().unwrap(), 1);
}

/// Restoring the same file copy twice draws a new epoch each time. In the old epoch, its commits
/// would continue the old revisions, and a later copy of that epoch would look like the newest
/// state.
#[test]
fn restoring_the_same_file_copy_twice_never_continues_the_old_epoch() {
    let j = journaled();
    j.world.create(&["read:buckets"]);
    let old_epoch = epoch(&*j.world.store);
    let copies = [(); 2].map(|()| FileCopy::of(&*j.world.store));
    for _ in 0..10 {
        j.world.create(&["read:buckets"]);
    }
    let (secret, later) = j.world.create(&["read:buckets"]);
    let late_copy = FileCopy::of(&*j.world.store);
    let engine = &j.world.engine;
    engine.admin(Caller::Root).authorizations().revoke(later.id).unwrap();
    for copy in copies {
        let engine = j.open(copy.clone()).unwrap();
        assert!(engine.rollback().is_some());
        assert_ne!(epoch(&*copy), old_epoch);
        let new = j.world.new_authorization(&["read:buckets"]);
        engine.admin(Caller::Root).authorizations().create(new).unwrap();
    }
    let engine = j.open(late_copy).unwrap();
    assert_eq!(check(&engine, &secret), Err(Denied::Revoked(later.id)));
}

/// A running engine refuses the tokens that it knows as revoked. The next engine must refuse them
/// too, even if the store has by then more commits than the journal has recorded.
#[test]
fn revocations_survive_a_rollback_under_a_running_engine() {
    for new_epoch in [false, true] {
        let journal = Arc::new(MemoryJournal::new());
        let first: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
        let store = Arc::new(Exchanged(RwLock::new(first)));
        let world = on(store.clone(), journal.clone());
        let j = Journaled { world, journal };
        let (secret, made) = j.world.create(&["read:buckets"]);
        let copies: [Arc<dyn TokenStore>; 2] = [FileCopy::of(&*store), copy(&*store)];
        let [same, other] = copies;
        let engine = &j.world.engine;
        engine.admin(Caller::Root).authorizations().revoke(made.id).unwrap();
        *store.0.write().unwrap() = if new_epoch { other } else { same };
        let start = Instant::now();
        let status = || {
            let key = format!("authorization:{}", made.id).parse().unwrap();
            store.get(&key).unwrap().unwrap().record.columns.status
        };
        while status() != Some(Status::Revoked) && start.elapsed() < Duration::from_secs(4) {
            std::thread::sleep(Duration::from_millis(10));
        }
        for _ in 0..20 {
            j.world.create(&["read:buckets"]);
        }
        assert_eq!(j.world.check(&secret), Err(Denied::Revoked(made.id)), "{new_epoch}");
        let Journaled { world, journal } = j;
        let clock = world.clock.clone();
        drop(world);
        let options = with_journal(&clock, Arc::new(journal.reopened()));
        let engine = Engine::open(store.clone(), key(), options).unwrap();
        assert_eq!(check(&engine, &secret), Err(Denied::Revoked(made.id)), "{new_epoch}");
    }
}

/// A chain that was idle for long records an epoch that the store left while only another process
/// ran. A copy from that epoch is an earlier state, however many commits it has.
#[test]
fn a_superseded_epoch_is_not_resumed_by_a_running_engine() {
    let journal = Arc::new(MemoryJournal::new());
    let first: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
    let store = Arc::new(Exchanged(RwLock::new(first)));
    let world = on(store.clone(), journal.clone());
    let j = Journaled { world, journal };
    let idle = with_journal(&j.world.clock, Arc::new(j.journal.another()));
    let idle = Engine::open(store.clone(), key(), idle).unwrap();
    let new = j.world.new_authorization(&["read:buckets"]);
    idle.admin(Caller::Root).authorizations().create(new).unwrap();
    drop(idle);
    let (secret, made) = j.world.create(&["read:buckets"]);
    let of_made = format!("authorization:{}", made.id).parse().unwrap();
    let late = FileCopy::of(&*store);
    for _ in 0..20 {
        let stored = late.get(&of_made).unwrap().unwrap();
        let put = Write::Put { record: stored.record, expected: stored.revision };
        late.commit(&[put]).unwrap();
    }
    let engine = &j.world.engine;
    engine.admin(Caller::Root).authorizations().revoke(made.id).unwrap();
    let other: Arc<dyn TokenStore> = copy(&*store);
    let new_epoch = epoch(&*other);
    *store.0.write().unwrap() = other;
    let follows = || {
        let entries = j.journal.entries();
        entries
            .iter()
            .any(|one| matches!(one.event, Event::Opened { epoch, .. } if epoch == new_epoch.0))
    };
    let start = Instant::now();
    while !follows() {
        assert!(start.elapsed() < Duration::from_secs(10));
        j.world.create(&["read:buckets"]);
        std::thread::sleep(Duration::from_millis(50));
    }
    let Journaled { world, journal } = j;
    let clock = world.clock.clone();
    drop(world);
    let options = with_journal(&clock, Arc::new(journal.reopened()));
    let engine = Engine::open(late, key(), options).unwrap();
    assert_eq!(check(&engine, &secret), Err(Denied::Revoked(made.id)));
}

/// A process stops after its commit and before the outcome is journaled. Another one purges the
/// revoked record before the first starts again.
#[test]
fn a_revocation_without_outcome_counts_even_after_a_purge() {
    let j = journaled();
    let (secret, made) = j.world.create(&["read:buckets"]);
    let backup = j.backup();
    let other = Arc::new(j.journal.another());
    let of_made = format!("authorization:{}", made.id).parse().unwrap();
    let intent = Intent {
        actor: Actor::Root,
        operation: Operation::Revoke,
        writes: vec![WrittenRecord { key: of_made, sequence: 2 }],
        ends: vec![Revocation { key: of_made, at: j.world.clock.now(), mark: None }],
    };
    j.journal.append(j.world.clock.now(), &[Event::Intent(intent)], Durability::Synced).unwrap();
    // The purge by another process, of which this chain has no entry.
    let stored = j.world.store.get(&of_made).unwrap().unwrap();
    let purge = Write::Purge { key: of_made, expected: stored.revision };
    j.world.store.commit(&[purge]).unwrap();
    drop(other);
    let engine = j.open(j.world.store.clone()).unwrap();
    assert_eq!(engine.rollback(), None);
    let new = j.world.new_authorization(&["read:buckets"]);
    engine.admin(Caller::Root).authorizations().create(new).unwrap();
    drop(engine);
    let engine = j.open(backup).unwrap();
    assert_eq!(check(&engine, &secret), Err(Denied::Revoked(made.id)));
}

/// An import does not undo a later revocation, even if the clock was set back in between.
#[test]
fn an_import_before_a_revocation_reactivates_nothing_despite_clock_changes() {
    for another_chain in [false, true] {
        let j = journaled();
        j.world.clock.advance(MONTHS);
        let engine = &j.world.engine;
        engine.maintenance().import(&[item(&j, 0x51)]).unwrap();
        let backup = j.backup();
        j.world.clock.set("2026-01-02T00:00:00Z".parse().unwrap());
        let journal: Arc<dyn Journal> = match another_chain {
            false => Arc::new(j.journal.reopened()),
            true => Arc::new(j.journal.another()),
        };
        let options = with_journal(&j.world.clock, journal);
        let second = Engine::open(j.world.store.clone(), key(), options).unwrap();
        assert_eq!(second.rollback(), None);
        let revoked = second.admin(Caller::Root).authorizations().revoke(Id::new(0x51).unwrap());
        revoked.unwrap();
        drop(second);
        let engine = j.open(backup).unwrap();
        let refused = engine.verifier().check(TEXT, &READ_BUCKETS);
        assert_eq!(
            refused,
            Err(Denied::Revoked(Id::new(0x51).unwrap())),
            "another chain: {another_chain}"
        );
    }
}

#[test]
fn imports_respect_revocations_by_other_processes() {
    let j = journaled();
    let engine = &j.world.engine;
    engine.maintenance().import(&[item(&j, 0x51)]).unwrap();
    let options = with_journal(&j.world.clock, Arc::new(j.journal.another()));
    let other = Engine::open(j.world.store.clone(), key(), options).unwrap();
    // This engine reads the other's chain before the revocation.
    let unrelated = ImportItem::Authorization(
        authorization(&j.world, 0x60),
        token("an-imported-token-of-another-origin-0002"),
    );
    engine.maintenance().import(&[unrelated]).unwrap();
    revoke_and_purge(&j, &other, 0x51);
    let again = engine.maintenance().import(&[item(&j, 0x51)]);
    assert!(matches!(again, Err(AdminError::PreviouslyRevoked(_))), "{again:?}");
}

/// Authorizations of a deleted user are revoked and purged with the user.
#[test]
fn tokens_revoked_with_their_owner_stay_revoked_when_the_owner_is_reimported() {
    let j = journaled();
    let engine = &j.world.engine;
    let root = &Caller::Root;
    let user = engine.admin(*root).users().create(NewUser::named("me")).unwrap();
    let mut of_user = authorization(&j.world, 0x51);
    of_user.user = Some(user.id);
    let item = || ImportItem::Authorization(of_user.clone(), token(TEXT));
    engine.maintenance().import(&[item()]).unwrap();
    let backup = j.backup();
    let delete = UserEdit { transition: Some(Transition::Revoke), ..UserEdit::default() };
    engine.admin(*root).users().edit(user.id, delete).unwrap();
    j.world.clock.advance(MONTHS);
    assert_eq!(engine.maintenance().purge().unwrap(), 2);
    let revived = [ImportItem::User(user.clone())];
    engine.maintenance().import_with(&revived, IfRevoked::Revive).unwrap();
    let again = engine.maintenance().import(&[item()]);
    assert!(matches!(again, Err(AdminError::PreviouslyRevoked(_))), "{again:?}");
    let engine = j.open(backup).unwrap();
    let refused = engine.verifier().check(TEXT, &READ_BUCKETS);
    assert_eq!(refused, Err(Denied::Revoked(Id::new(0x51).unwrap())));
}

/// A journal whose disk hangs.
#[derive(Debug, Default)]
struct Hanging {
    inner: MemoryJournal,
    hangs: AtomicBool,
    entered: AtomicBool,
}

impl Journal for Hanging {
    fn append(
        &self,
        at: symbolon::Timestamp,
        events: &[Event],
        durability: Durability,
    ) -> Result<u64, JournalError> {
        while self.hangs.load(Ordering::SeqCst) {
            self.entered.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(1));
        }
        self.inner.append(at, events, durability)
    }

    fn recent(&self) -> Result<Vec<Entry>, JournalError> {
        self.inner.recent()
    }

    fn read(&self, visit: &mut dyn FnMut(Entry)) -> Result<(), JournalError> {
        self.inner.read(visit)
    }
}

/// A change waits for the journal; checks never do.
#[test]
fn a_hanging_journal_does_not_affect_checks() {
    let journal = Arc::new(Hanging::default());
    let store = Arc::new(MemoryStore::shared());
    assert_eq!(store.limits().sharing, Sharing::Shared);
    let options = Options {
        journal: Some(journal.clone()),
        max_staleness: Duration::from_millis(300),
        ..Options::new(symbolon::Schema::influxdb_v2())
    };
    let engine = Engine::create(store, key(), options).unwrap();
    let root = engine.admin(Caller::Root);
    let org = root.organizations().create(NewOrganization::named("org")).unwrap();
    let new = symbolon::NewAuthorization::new(org.id, ["read:buckets".parse().unwrap()]);
    let (secret, made) = root.authorizations().create(new).unwrap();
    journal.hangs.store(true, Ordering::SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| root.users().create(NewUser::named("me")).unwrap());
        while !journal.entered.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let start = Instant::now();
        let mut answers = Vec::new();
        while start.elapsed() < Duration::from_millis(1200) {
            answers.push(check(&engine, &secret));
            std::thread::sleep(Duration::from_millis(10));
        }
        journal.hangs.store(false, Ordering::SeqCst);
        assert!(answers.iter().all(|answer| *answer == Ok(made.id)));
    });
}

/// Two engines open a rolled-back store at the same time. Both replay the revocations and continue,
/// and neither finds a rollback at its next start.
#[test]
fn concurrent_opens_of_a_rolled_back_store_agree() {
    for round in 0..20 {
        let j = journaled();
        let made: Vec<_> = (0..30).map(|_| j.world.create(&["read:buckets"])).collect();
        let rollback: Arc<dyn TokenStore> = match round % 2 {
            0 => j.backup(),
            _ => FileCopy::of(&*j.world.store),
        };
        let engine = &j.world.engine;
        for (_, one) in &made {
            engine.admin(Caller::Root).authorizations().revoke(one.id).unwrap();
        }
        let first: Arc<dyn Journal> = Arc::new(j.journal.reopened());
        let second: Arc<dyn Journal> = Arc::new(j.journal.another());
        std::thread::scope(|scope| {
            for journal in [&first, &second] {
                scope.spawn(|| {
                    let options = with_journal(&j.world.clock, Arc::clone(journal));
                    let engine = Engine::open(rollback.clone(), key(), options).unwrap();
                    for (token, one) in &made {
                        assert_eq!(check(&engine, token), Err(Denied::Revoked(one.id)));
                    }
                    let new = j.world.new_authorization(&["read:buckets"]);
                    engine.admin(Caller::Root).authorizations().create(new).unwrap();
                });
            }
        });
        for journal in [first, second] {
            let options = with_journal(&j.world.clock, journal);
            let engine = Engine::open(rollback.clone(), key(), options).unwrap();
            assert_eq!(engine.rollback(), None, "{round}");
        }
    }
}
