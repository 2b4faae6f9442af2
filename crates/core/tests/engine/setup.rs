//! Set-up: the first change of a store closes it for callers without the key.

use std::sync::Arc;

use symbolon::journal::{Durability, Journal, MemoryJournal};
use symbolon::record::{Kind, RecordKey};
use symbolon::store::{Cursor, Stored, Write};
use symbolon::{
    AdminError, Caller, Engine, Id, IfNameExists, IfStoreMissing, ImportItem, ManualClock,
    MemoryStore, NewOrganization, NewUser, OpenError, Options, Organization, OrganizationEdit,
    Schema, SetUpRequest, Status, TokenStore, Transition,
};

use crate::fixture::{bearer_caller, key, options};

fn clock() -> ManualClock {
    ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap())
}

fn memory() -> Arc<dyn TokenStore> {
    Arc::new(MemoryStore::new())
}

fn open(store: &Arc<dyn TokenStore>, journal: &Arc<MemoryJournal>) -> Engine {
    create(store, journal, |options| options).unwrap()
}

fn create(
    store: &Arc<dyn TokenStore>,
    journal: &Arc<MemoryJournal>,
    with: impl Fn(Options) -> Options,
) -> Result<Engine, OpenError> {
    let options =
        Options { journal: Some(Arc::clone(journal) as Arc<dyn Journal>), ..options(&clock()) };
    Engine::create(Arc::clone(store), key(), with(options))
}

fn without_journal(store: &Arc<dyn TokenStore>) -> Engine {
    Engine::create(Arc::clone(store), key(), options(&clock())).unwrap()
}

fn first() -> SetUpRequest {
    SetUpRequest {
        organization: "org".into(),
        user: "me".into(),
        password_hash: None,
        permissions: Schema::influxdb_operator().into(),
        bucket: None,
        token: None,
        if_name_exists: IfNameExists::Refuse,
    }
}

fn setting(number: u64) -> RecordKey {
    RecordKey::new(Kind::SETTING, Id::new(number).unwrap())
}

/// Ids of the settings record and of the record of the set-up.
const SETTINGS: u64 = 1;
const SET_UP: u64 = 2;

fn records(store: &Arc<dyn TokenStore>) -> Vec<Stored> {
    let mut all = Vec::new();
    let mut cursor = Cursor::start();
    loop {
        let page = store.scan(&cursor, 100).unwrap();
        all.extend(page.items);
        if page.end.is_some() {
            return all;
        }
        cursor = page.next;
    }
}

/// Replaces or removes a record, as an attacker with write access to the store can.
fn tamper(store: &Arc<dyn TokenStore>, key: RecordKey, old: Option<&Stored>) {
    let expected = store.get(&key).unwrap().unwrap().revision;
    let write = match old {
        Some(old) => Write::Put { record: old.record.clone(), expected },
        None => Write::Purge { key, expected },
    };
    store.commit(&[write]).unwrap();
}

#[track_caller]
fn assert_closed(engine: &Engine) {
    assert!(!engine.is_setup_open().unwrap());
    let refused = engine.set_up_unused(&first());
    assert!(
        matches!(refused, Err(AdminError::AlreadySetUp | AdminError::SetUpClosed)),
        "{refused:?}"
    );
}

#[test]
fn set_up_is_open_in_an_unused_store_and_closed_afterwards() {
    let (store, journal) = (memory(), Arc::default());
    let engine = open(&store, &journal);
    assert!(engine.is_setup_open().unwrap());
    assert!(!engine.maintenance().is_set_up().unwrap());
    engine.set_up_unused(&first()).unwrap();
    assert!(engine.maintenance().is_set_up().unwrap());
    assert_closed(&engine);
    assert!(matches!(engine.maintenance().set_up(&first()), Err(AdminError::AlreadySetUp)));
    assert_closed(&open(&store, &journal));
    assert_eq!(engine.maintenance().fsck(&mut |_| {}).unwrap().problems, []);
}

#[test]
fn any_first_change_restricts_set_up_to_the_key_holder() {
    let organization = Organization {
        id: Id::new(0x0804_f741_42bb_f000).unwrap(),
        name: "imported".into(),
        description: String::new(),
        status: Status::Active,
        created_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        updated_at: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    let item = ImportItem::Organization(organization);
    let changes: [&dyn Fn(&Engine); 4] = [
        &|engine| {
            drop(
                engine
                    .admin(Caller::Root)
                    .organizations()
                    .create(NewOrganization::named("a"))
                    .unwrap(),
            )
        },
        &|engine| drop(engine.admin(Caller::Root).users().create(NewUser::named("a")).unwrap()),
        &|engine| {
            assert_eq!(engine.maintenance().import(std::slice::from_ref(&item)).unwrap().new, 1)
        },
        &|engine| {
            // Records that were created and purged leave nothing in the store.
            let id = engine
                .admin(Caller::Root)
                .organizations()
                .create(NewOrganization::named("a"))
                .unwrap()
                .id;
            let delete = OrganizationEdit {
                transition: Some(Transition::Revoke),
                ..OrganizationEdit::default()
            };
            engine.admin(Caller::Root).organizations().edit(id, delete).unwrap();
            let purge = symbolon::PurgeOptions {
                retention: Some(std::time::Duration::ZERO),
                dry_run: false,
            };
            engine.maintenance().purge_with(&purge, &mut |_| {}).unwrap();
        },
    ];
    for (at, change) in changes.iter().enumerate() {
        let (store, journal) = (memory(), Arc::default());
        let engine = open(&store, &journal);
        change(&engine);
        assert_closed(&engine);
        assert_closed(&open(&store, &journal));
        assert_closed(&without_journal(&store));
        assert!(!engine.maintenance().is_set_up().unwrap(), "{at}");
        engine.maintenance().set_up(&first()).unwrap();
        assert_eq!(engine.maintenance().fsck(&mut |_| {}).unwrap().problems, [], "{at}");
        assert!(matches!(engine.maintenance().set_up(&first()), Err(AdminError::AlreadySetUp)));
    }
}

#[test]
fn refused_and_empty_changes_leave_set_up_open() {
    let (store, journal) = (memory(), Arc::default());
    let engine = open(&store, &journal);
    let unknown = bearer_caller(Id::new(0x0804_f741_42bb_f000).unwrap());
    assert!(engine.admin(unknown).organizations().create(NewOrganization::named("a")).is_err());
    assert!(engine.admin(Caller::Root).organizations().create(NewOrganization::named("")).is_err());
    assert_eq!(engine.maintenance().import(&[]).unwrap().new, 0);
    assert_eq!(engine.maintenance().purge().unwrap(), 0);
    assert_eq!(engine.maintenance().reseal(&mut |_| {}).unwrap(), 0);
    assert!(engine.is_setup_open().unwrap());
    assert!(open(&store, &journal).is_setup_open().unwrap());
}

#[test]
fn removing_the_set_up_record_does_not_reopen_set_up() {
    for journaled in [true, false] {
        let (store, journal) = (memory(), Arc::default());
        let open = || match journaled {
            true => open(&store, &journal),
            false => without_journal(&store),
        };
        let engine = open();
        engine.set_up_unused(&first()).unwrap();
        tamper(&store, setting(SET_UP), None);
        let engine = [engine, open()];
        for engine in &engine {
            assert!(engine.maintenance().is_set_up().unwrap());
            assert_closed(engine);
            assert!(matches!(engine.maintenance().set_up(&first()), Err(AdminError::AlreadySetUp)));
            let problems = engine.maintenance().fsck(&mut |_| {}).unwrap().problems;
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert_eq!(problems[0].key, setting(SET_UP));
        }
    }
}

#[test]
fn restoring_old_settings_does_not_reopen_set_up() {
    let (store, journal) = (memory(), Arc::default());
    let engine = open(&store, &journal);
    let unused = store.get(&setting(SETTINGS)).unwrap().unwrap();
    engine.set_up_unused(&first()).unwrap();
    drop(engine);
    tamper(&store, setting(SETTINGS), Some(&unused));
    tamper(&store, setting(SET_UP), None);
    let engine = open(&store, &journal);
    assert!(engine.maintenance().is_set_up().unwrap(), "the journal records it");
    assert_closed(&engine);
    let problems = engine.maintenance().fsck(&mut |_| {}).unwrap().problems;
    assert!(problems.iter().any(|one| one.key == setting(SETTINGS)), "{problems:?}");
    drop(engine);
    // Without a journal, the other records keep set-up closed.
    assert_closed(&without_journal(&store));
    // With all other records removed, the journal alone keeps set-up closed.
    for stored in records(&store) {
        if stored.record.key != setting(SETTINGS) {
            tamper(&store, stored.record.key, None);
        }
    }
    let engine = open(&store, &journal);
    assert!(engine.maintenance().is_set_up().unwrap());
    assert_closed(&engine);
}

#[test]
fn the_journal_keeps_set_up_closed_after_a_rollback_to_an_unused_store() {
    let (store, journal) = (memory(), Arc::default());
    let engine = open(&store, &journal);
    let unused = records(&store);
    engine.set_up_unused(&first()).unwrap();
    drop(engine);
    let copy = memory();
    for stored in &unused {
        let write = Write::Put {
            record: stored.record.clone(),
            expected: symbolon::store::Revision::ABSENT,
        };
        copy.commit(&[write]).unwrap();
    }
    let engine = open(&copy, &journal);
    assert!(engine.maintenance().is_set_up().unwrap());
    assert_closed(&engine);
    assert!(matches!(engine.maintenance().set_up(&first()), Err(AdminError::AlreadySetUp)));
}

#[test]
fn set_up_without_the_key_and_a_concurrent_change_never_both_succeed() {
    for _ in 0..20 {
        let (store, journal) = (memory(), Arc::default());
        let engines = [open(&store, &journal), open(&store, &journal)];
        let won = std::thread::scope(|scope| {
            let import = scope.spawn(|| {
                engines[0].admin(Caller::Root).users().create(NewUser::named("me")).is_ok()
            });
            let set_up = scope.spawn(|| {
                let adopt = SetUpRequest { if_name_exists: IfNameExists::Adopt, ..first() };
                engines[1].set_up_unused(&adopt).is_ok()
            });
            (import.join().unwrap(), set_up.join().unwrap())
        });
        assert_ne!(won, (true, true));
        assert_ne!(won, (false, false));
        engines.iter().for_each(assert_closed);
    }
}

#[test]
fn a_missing_store_with_a_used_journal_is_recreated_only_on_request() {
    let journal = Arc::default();
    let engine = open(&memory(), &journal);
    engine.admin(Caller::Root).organizations().create(NewOrganization::named("a")).unwrap();
    drop(engine);
    let empty = memory();
    let refused = create(&empty, &journal, |options| options);
    assert!(matches!(refused, Err(OpenError::StoreMissing)), "{refused:?}");
    assert!(records(&empty).is_empty(), "nothing was written");
    let accepted = create(&empty, &journal, |options| Options {
        if_store_missing: IfStoreMissing::Create,
        ..options
    });
    let accepted = accepted.unwrap();
    // Entries about the other store do not affect this one.
    assert!(accepted.is_setup_open().unwrap());
    accepted.maintenance().set_up(&first()).unwrap();
    drop(accepted);
    assert_closed(&open(&empty, &journal));
}

#[test]
fn creation_resumes_after_a_crash_between_journal_and_store() {
    let journal: Arc<MemoryJournal> = Arc::default();
    let opened = symbolon::journal::Event::Opened { store: "0".repeat(32), epoch: 1, head: 0 };
    let at = "2026-01-01T00:00:00Z".parse().unwrap();
    journal.append(at, &[opened], Durability::Synced).unwrap();
    let store = memory();
    let engine = open(&store, &journal);
    assert!(engine.is_setup_open().unwrap());
}

#[test]
fn a_store_accepted_without_its_journal_is_not_unused() {
    let (store, journal) = (memory(), Arc::default());
    let unused = records_after_creation(&store, &journal);
    let copy = memory();
    for stored in &unused {
        let write = Write::Put {
            record: stored.record.clone(),
            expected: symbolon::store::Revision::ABSENT,
        };
        copy.commit(&[write]).unwrap();
    }
    let lost: Arc<MemoryJournal> = Arc::default();
    let accepted = create(&copy, &lost, |options| Options {
        unjournaled_store: symbolon::UnjournaledStore::Accept,
        ..options
    });
    assert_closed(&accepted.unwrap());
}

fn records_after_creation(
    store: &Arc<dyn TokenStore>,
    journal: &Arc<MemoryJournal>,
) -> Vec<Stored> {
    drop(open(store, journal));
    records(store)
}
