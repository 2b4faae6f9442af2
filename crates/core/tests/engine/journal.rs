//! The journal: entries of changes, and their use after a rollback.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use symbolon::journal::{
    Actor, Durability, Entry, Event, Intent, Journal, JournalError, MemoryJournal, Operation,
    Outcome,
};
use symbolon::store::{Cursor, Revision, Write};
use symbolon::{
    AdminError, Caller, Clock, Denied, Engine, Id, IfRevoked, ImportItem, IntegrityFaultKind,
    ManualClock, MemoryStore, NewOrganization, NewUser, OpenError, Options, Rotation, Timestamp,
    Token, TokenStore, Transition, UserEdit,
};

use crate::fixture::{READ_BUCKETS, World, key, options};
use crate::imports::{authorization, token};

/// A journal that can fail on demand.
#[derive(Debug, Default)]
pub(crate) struct Failing {
    pub(crate) inner: MemoryJournal,
    broken: AtomicBool,
    outcomes_only: AtomicBool,
}

impl Failing {
    pub(crate) fn break_it(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }
}

impl Journal for Failing {
    fn append(
        &self,
        at: Timestamp,
        events: &[Event],
        durability: Durability,
    ) -> Result<u64, JournalError> {
        let outcomes = self.outcomes_only.load(Ordering::SeqCst);
        let hit = !outcomes || durability == Durability::Written;
        if self.broken.load(Ordering::SeqCst) && hit {
            return Err(JournalError::failed("injected"));
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

pub(crate) struct Journaled {
    pub(crate) world: World,
    pub(crate) journal: Arc<MemoryJournal>,
}

pub(crate) fn with_journal(clock: &ManualClock, journal: Arc<dyn Journal>) -> Options {
    Options { journal: Some(journal), ..options(clock) }
}

/// Creates an organization on a store with a journal.
pub(crate) fn journaled() -> Journaled {
    let journal = Arc::new(MemoryJournal::new());
    let world = on(Arc::new(MemoryStore::new()), journal.clone());
    Journaled { world, journal }
}

pub(crate) fn on(store: Arc<dyn TokenStore>, journal: Arc<dyn Journal>) -> World {
    let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
    let options = with_journal(&clock, journal);
    let engine = Engine::create(store.clone(), key(), options).unwrap();
    let made = engine.admin(Caller::Root).organizations().create(NewOrganization::named("org"));
    World { org: made.unwrap(), engine, store, clock }
}

/// Returns a restored backup of `store`: the same records in another epoch.
pub(crate) fn copy(store: &dyn TokenStore) -> Arc<MemoryStore> {
    let copy = MemoryStore::new();
    let page = store.scan(&Cursor::start(), usize::MAX).unwrap();
    let writes: Vec<Write> = page
        .items
        .into_iter()
        .map(|stored| Write::Put { record: stored.record, expected: Revision::ABSENT })
        .collect();
    writes.chunks(1000).for_each(|chunk| {
        copy.commit(chunk).unwrap();
    });
    Arc::new(copy)
}

impl Journaled {
    pub(crate) fn backup(&self) -> Arc<MemoryStore> {
        copy(&*self.world.store)
    }

    /// Opens `store` with this journal, as in the next process.
    pub(crate) fn open(&self, store: Arc<dyn TokenStore>) -> Result<Engine, OpenError> {
        let journal = Arc::new(self.journal.reopened());
        Engine::open(store, key(), with_journal(&self.world.clock, journal))
    }

    fn intents(&self) -> Vec<Intent> {
        let entries = self.journal.entries().into_iter();
        let intent = |entry: Entry| match entry.event {
            Event::Intent(intent) => Some(intent),
            _ => None,
        };
        entries.filter_map(intent).collect()
    }
}

pub(crate) fn check(engine: &Engine, token: &Token) -> Result<Id, Denied> {
    engine.verifier().check(token.reveal(), &READ_BUCKETS)
}

#[test]
fn intents_precede_outcomes_and_name_caller_operation_and_records() {
    let j = journaled();
    let caller = j.world.caller(&["write:authorizations", "read:buckets"]);
    let Caller::Authorization(bearer) = caller else { unreachable!() };
    let caller_id = bearer.id();
    let new = j.world.new_authorization(&["read:buckets"]);
    let (token, made) = j.world.engine.admin(caller).authorizations().create(new).unwrap();
    j.world.root().authorizations().revoke(made.id).unwrap();
    let entries = j.journal.entries();
    let about: Vec<&Entry> = entries
        .iter()
        .filter(|entry| match &entry.event {
            Event::Intent(intent) => intent.writes.iter().any(|one| one.key.id == made.id),
            _ => false,
        })
        .collect();
    let [created, revoked] = about.as_slice() else { panic!("{about:?}") };
    let (Event::Intent(create), Event::Intent(revoke)) = (&created.event, &revoked.event) else {
        unreachable!()
    };
    assert_eq!(
        (create.actor, create.operation),
        (Actor::Authorization(caller_id), Operation::Create)
    );
    assert_eq!((revoke.actor, revoke.operation), (Actor::Root, Operation::Revoke));
    assert!(create.ends.is_empty() && revoke.ends.len() == 1);
    for intent in about {
        let outcome = entries.iter().find(|entry| {
            matches!(
                entry.event,
                Event::Outcome { of, outcome: Outcome::Done { .. } } if of == intent.number
            )
        });
        assert!(outcome.unwrap().number > intent.number);
    }
    let text = serde_json::to_string(&entries.iter().map(|e| &e.event).collect::<Vec<_>>());
    let text = text.unwrap();
    assert!(!text.contains(token.reveal()) && !text.contains("sym_"));
}

#[test]
fn unknown_outcomes_are_resolved_at_the_next_start() {
    let failing = Arc::new(Failing::default());
    let world = on(Arc::new(MemoryStore::new()), failing.clone());
    let engine = &world.engine;
    let (_, made) = world.create(&["read:buckets"]);
    let (_, other) = world.create(&["read:buckets"]);
    // The process stops after the commit and before the outcome is journaled.
    failing.outcomes_only.store(true, Ordering::SeqCst);
    failing.break_it(true);
    engine.admin(Caller::Root).authorizations().revoke(made.id).unwrap();
    failing.break_it(false);
    // The process stops after the intent is journaled and before the commit.
    let last = failing.inner.entries().last().unwrap().number;
    let intent = Intent {
        actor: Actor::Root,
        operation: Operation::Revoke,
        writes: vec![symbolon::journal::WrittenRecord {
            key: format!("authorization:{}", other.id).parse().unwrap(),
            sequence: 2,
        }],
        ends: vec![symbolon::journal::Revocation {
            key: format!("authorization:{}", other.id).parse().unwrap(),
            at: world.clock.now(),
            mark: None,
        }],
    };
    let at = world.clock.now();
    let unmade = failing.inner.append(at, &[Event::Intent(intent)], Durability::Synced);
    assert_eq!(unmade.unwrap(), last + 1);

    let journal = Arc::new(failing.inner.reopened());
    let options = with_journal(&world.clock, journal.clone());
    let engine = Engine::open(world.store.clone(), key(), options).unwrap();
    assert_eq!(engine.rollback(), None);
    let new = world.new_authorization(&["read:buckets"]);
    engine.admin(Caller::Root).authorizations().create(new).unwrap();
    let found: Vec<Outcome> = journal
        .entries()
        .into_iter()
        .filter_map(|entry| match entry.event {
            Event::Outcome { outcome, .. } if !matches!(outcome, Outcome::Done { .. }) => {
                Some(outcome)
            }
            _ => None,
        })
        .collect();
    assert_eq!(found, [Outcome::Found, Outcome::Failed]);
    // After a restore, the failed revocation is not replayed.
    let backup = copy(&*world.store);
    drop(engine);
    let options = with_journal(&world.clock, Arc::new(journal.reopened()));
    let engine = Engine::open(backup, key(), options).unwrap();
    assert_eq!(engine.rollback().unwrap().revoked, 0);
}

#[test]
fn an_unwritable_journal_allows_only_revocations() {
    let failing = Arc::new(Failing::default());
    let world = on(Arc::new(MemoryStore::new()), failing.clone());
    let engine = &world.engine;
    let root = &Caller::Root;
    let user = engine.admin(*root).users().create(NewUser::named("me")).unwrap();
    let (token, made) = world.create(&["read:buckets"]);
    let (_, second) = world.create(&["read:buckets"]);
    let backup = copy(&*world.store);
    failing.break_it(true);
    let head = world.store.scan(&Cursor::start(), 100).unwrap().end;
    let new = world.new_authorization(&["read:buckets"]);
    assert!(matches!(
        engine.admin(*root).authorizations().create(new),
        Err(AdminError::Journal(_))
    ));
    let rotated = engine.admin(*root).authorizations().rotate(made.id, Rotation::default());
    assert!(matches!(rotated, Err(AdminError::Journal(_))));
    assert!(matches!(
        engine.admin(*root).users().create(NewUser::named("you")),
        Err(AdminError::Journal(_))
    ));
    assert_eq!(world.store.scan(&Cursor::start(), 100).unwrap().end, head);

    engine.admin(*root).authorizations().revoke(made.id).unwrap();
    assert_eq!(world.check(&token), Err(Denied::Revoked(made.id)));
    engine.admin(*root).authorizations().edit(second.id, Transition::Deactivate.into()).unwrap();
    let delete = UserEdit { transition: Some(Transition::Revoke), ..UserEdit::default() };
    engine.admin(*root).users().edit(user.id, delete).unwrap();
    let faults = world.engine.faults();
    assert_eq!(faults.iter().filter(|one| one.problem == IntegrityFaultKind::Unwritten).count(), 3);

    // The next entry records the gap and the revocations in it.
    failing.break_it(false);
    let (later, after) = world.create(&["read:buckets"]);
    assert_eq!(world.check(&later), Ok(after.id));
    let entries = failing.inner.entries();
    assert!(
        entries.iter().any(|entry| matches!(entry.event, Event::Gap { missed } if missed >= 3))
    );
    let options = with_journal(&world.clock, Arc::new(failing.inner.reopened()));
    let engine = Engine::open(backup, key(), options).unwrap();
    assert_eq!(engine.rollback().unwrap().revoked, 2);
    assert_eq!(check(&engine, &token), Err(Denied::Revoked(made.id)));
}

#[test]
fn journaled_refusals_are_rate_limited() {
    let j = journaled();
    let caller = j.world.caller(&["read:buckets"]);
    let engine = &j.world.engine;
    let denied = |j: &Journaled| -> Vec<(Operation, u64)> {
        let entries = j.journal.entries().into_iter();
        let one = |entry: Entry| match entry.event {
            Event::Denied { operation, left_out, .. } => Some((operation, left_out)),
            _ => None,
        };
        entries.filter_map(one).collect()
    };
    for _ in 0..1000 {
        let new = j.world.new_authorization(&["read:buckets"]);
        engine.admin(caller).authorizations().create(new).unwrap_err();
    }
    assert_eq!(denied(&j), vec![(Operation::Create, 0); 100]);
    j.world.clock.advance(Duration::from_secs(1));
    engine.admin(caller).users().create(NewUser::named("me")).unwrap_err();
    assert_eq!(denied(&j).last(), Some(&(Operation::CreateUser, 900)));
    let count = denied(&j).len();
    j.world.root().authorizations().revoke(Id::new(77).unwrap()).unwrap_err();
    assert_eq!(denied(&j).len(), count, "errors of the root caller are not journaled as refusals");
}

#[test]
fn revoked_tokens_are_imported_again_only_on_request() {
    let j = journaled();
    let engine = &j.world.engine;
    let text = "an-imported-token-of-another-origin-0001";
    let item = |id: u64| ImportItem::Authorization(authorization(&j.world, id), token(text));
    engine.maintenance().import(&[item(0x51)]).unwrap();
    engine.admin(Caller::Root).authorizations().revoke(Id::new(0x51).unwrap()).unwrap();
    j.world.clock.advance(Duration::from_secs(40 * 24 * 60 * 60));
    assert_eq!(engine.maintenance().purge().unwrap(), 1);
    let refused = |result: Result<_, AdminError>| match result {
        Err(AdminError::PreviouslyRevoked(key)) => key.to_string(),
        other => panic!("{other:?}"),
    };
    // Neither the id nor the token under another id can be imported.
    assert_eq!(
        refused(engine.maintenance().import(&[item(0x51)])),
        "authorization:0000000000000051"
    );
    assert_eq!(
        refused(engine.maintenance().import(&[item(0x52)])),
        "authorization:0000000000000051"
    );
    j.world.clock.advance(Duration::from_secs(1));
    let revived = engine.maintenance().import_with(&[item(0x51)], IfRevoked::Revive).unwrap();
    assert_eq!(revived.new, 1);
    assert_eq!(j.world.engine.verifier().check(text, &READ_BUCKETS), Ok(Id::new(0x51).unwrap()));
    // A restore does not replay the earlier revocation.
    let engine = j.open(j.backup()).unwrap();
    assert_eq!(engine.rollback().unwrap().revoked, 0);
    assert_eq!(engine.verifier().check(text, &READ_BUCKETS), Ok(Id::new(0x51).unwrap()));
}

#[test]
fn changes_in_a_shared_commit_are_journaled_separately() {
    let j = journaled();
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| j.world.create(&["read:buckets"]));
        }
    });
    let intents = j.intents();
    assert_eq!(intents.iter().filter(|one| one.operation == Operation::Create).count(), 32);
    let outcomes = j.journal.entries().into_iter().filter_map(|entry| match entry.event {
        Event::Outcome { of, outcome: Outcome::Done { .. } } => Some(of),
        _ => None,
    });
    assert_eq!(outcomes.collect::<HashSet<_>>().len(), intents.len());
}

#[test]
fn unwritten_outcomes_are_journaled_later() {
    let failing = Arc::new(Failing::default());
    let world = on(Arc::new(MemoryStore::new()), failing.clone());
    failing.outcomes_only.store(true, Ordering::SeqCst);
    failing.break_it(true);
    for _ in 0..3 {
        let (_, one) = world.create(&["read:buckets"]);
        world.root().authorizations().revoke(one.id).unwrap();
    }
    failing.break_it(false);
    world.create(&["read:buckets"]);
    let entries = failing.inner.entries();
    let (mut intents, mut outcomes) = (HashSet::new(), HashSet::new());
    for entry in &entries {
        match &entry.event {
            Event::Intent(_) => assert!(intents.insert(entry.number)),
            Event::Outcome { of, outcome } => {
                assert!(matches!(outcome, Outcome::Done { .. }) && *of < entry.number);
                assert!(outcomes.insert(*of), "each outcome is journaled once");
            }
            _ => {}
        }
    }
    assert_eq!(intents, outcomes);
    assert_eq!(world.engine.faults(), []);
}
