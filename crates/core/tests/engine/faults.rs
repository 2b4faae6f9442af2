//! Failing stores, conflicts, and commits without confirmation.

use std::sync::Arc;
use std::time::Duration;

use symbolon::record::RecordKey;
use symbolon::{
    AdminError, AuthorizationEdit, Caller, Denied, Field, ListOptions, MemoryStore, NewUser,
    OrganizationEdit, PermissionSet, PurgeOptions, Schema, SetUpRequest, Token, TokenStore,
    Transition,
};
use symbolon_conformance::faults::{Fault, FaultyStore, Method};

use crate::fixture::{World, engine, permission};

fn faulty() -> (Arc<FaultyStore<MemoryStore>>, World) {
    let store = Arc::new(FaultyStore::new(MemoryStore::new()));
    // Slow commits let other changes queue behind them.
    store.slow_commits(std::time::Duration::from_millis(2));
    (Arc::clone(&store), World::on(store))
}

#[test]
fn a_revoke_under_faults_never_falsely_succeeds_and_can_be_retried() {
    for failure in [Fault::Before, Fault::After, Fault::AfterThenUnreadable] {
        let (store, world) = faulty();
        let (token, made) = world.create(&["read:buckets"]);
        store.plan(Method::Commit, 1, failure);
        let first = world.root().authorizations().revoke(made.id);
        let in_store =
            store.inner().get(&RecordKey::new(symbolon::record::Kind::AUTHORIZATION, made.id));
        let written =
            in_store.unwrap().unwrap().record.columns.status == Some(symbolon::Status::Revoked);
        assert_eq!(written, failure != Fault::Before);
        // Only after `Fault::After` can the engine read the record back and confirm success.
        assert_eq!(first.is_ok(), failure == Fault::After, "{failure:?}");
        if first.is_ok() {
            assert_eq!(world.check(&token), Err(Denied::Revoked(made.id)));
        }
        store.heal();
        world.root().authorizations().revoke(made.id).unwrap();
        assert_eq!(world.check(&token), Err(Denied::Revoked(made.id)), "{failure:?}");
    }
}

#[test]
fn an_unconfirmed_but_written_create_succeeds() {
    let (store, world) = faulty();
    store.plan(Method::Commit, 1, Fault::After);
    let (token, made) = world.create(&["read:buckets"]);
    assert_eq!(world.check(&token), Ok(made.id));
    store.plan(Method::Commit, 1, Fault::Before);
    let new = world.new_authorization(&["read:buckets"]);
    let failed = world.root().authorizations().create(new).unwrap_err();
    assert!(matches!(failed, AdminError::Store(_)), "{failed}");
    assert_eq!(world.engine.len(), 2, "the organization and the one token");
}

#[test]
fn unconfirmed_changes_reach_the_index_after_recovery() {
    let (store, world) = faulty();
    let (token, made) = world.create(&["read:buckets"]);
    store.plan(Method::Commit, 1, Fault::AfterThenUnreadable);
    let off = AuthorizationEdit::from(Transition::Deactivate);
    assert!(world.root().authorizations().edit(made.id, off).is_err());
    store.heal();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while world.check(&token) != Err(Denied::Inactive(made.id)) {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn concurrent_callers_share_a_commit() {
    let (store, world) = faulty();
    let before = store.calls(Method::Commit);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| world.create(&["read:buckets"]));
        }
    });
    let commits = store.calls(Method::Commit) - before;
    assert!(commits <= 16, "{commits} commits for 64 changes");
    assert_eq!(world.engine.len(), 65);
}

#[test]
fn cached_dependencies_are_guarded_by_every_commit() {
    let (store, world) = faulty();
    let caller = world.caller(&["write:authorizations", "read:buckets"]);
    let elsewhere = world.another();
    let new = || world.new_authorization(&["read:buckets"]);
    let create = |caller: &Caller| {
        world.engine.admin(*caller).with_tombstones().authorizations().create(new())
    };
    create(&caller).unwrap();
    let reads = store.calls(Method::Get);
    create(&caller).unwrap();
    create(&Caller::Root).unwrap();
    assert_eq!(store.calls(Method::Get), reads);
    world.clock.advance(Duration::from_secs(1));
    create(&Caller::Root).unwrap();
    assert!(store.calls(Method::Get) > reads);

    // Changes of another engine take effect at once, before this engine has followed them.
    let Caller::Authorization(bearer) = caller else { unreachable!() };
    let id = bearer.id();
    elsewhere.admin(Caller::Root).with_tombstones().authorizations().revoke(id).unwrap();
    let refused = create(&caller).unwrap_err();
    assert!(matches!(refused, AdminError::Caller(_)), "{refused:?}");
    create(&Caller::Root).unwrap();
    let end =
        OrganizationEdit { transition: Some(Transition::Revoke), ..OrganizationEdit::default() };
    let other = &elsewhere;
    other.admin(Caller::Root).with_tombstones().organizations().edit(world.org.id, end).unwrap();
    let commits = store.calls(Method::Commit);
    let refused = create(&Caller::Root).unwrap_err();
    assert!(matches!(refused, AdminError::NotFound(Field::Organization)), "{refused:?}");
    // At most one commit met the conflict, and none wrote.
    assert!(store.calls(Method::Commit) <= commits + 1);
}

#[test]
fn a_conflict_does_not_fail_its_group() {
    let (_, world) = faulty();
    let engine = &world.engine;
    let (_, made) = world.create(&["read:databases"]);
    std::thread::scope(|scope| {
        for writer in 1..=8_u64 {
            let engine = &engine;
            scope.spawn(move || {
                // Concurrent edits of one record, which conflict with each other.
                for _ in 0..20 {
                    let name = format!("w{writer}");
                    engine
                        .admin(Caller::Root)
                        .with_tombstones()
                        .authorizations()
                        .edit(made.id, described(&name))
                        .unwrap();
                }
            });
        }
        for _ in 0..8 {
            scope.spawn(|| world.create(&["read:buckets"]));
        }
    });
    // Eight writers edited one record 160 times. Each edit was based on the one before, and the
    // sequence under the MAC counted each.
    let fsck = world.engine.maintenance().fsck(&mut |_| {}).unwrap();
    assert!(fsck.problems.is_empty(), "{:?}", fsck.problems);
    assert_eq!(world.engine.len(), 1 + 1 + 8);
}

fn described(text: &str) -> AuthorizationEdit {
    AuthorizationEdit { description: Some(text.into()), ..AuthorizationEdit::default() }
}

#[test]
fn set_up_succeeds_once_under_concurrency() {
    for _ in 0..20 {
        let store: Arc<dyn TokenStore> = Arc::new(MemoryStore::new());
        let clock = symbolon::ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        let engines = [engine(&store, &clock), engine(&store, &clock)];
        let first = SetUpRequest {
            organization: "org".into(),
            user: "me".into(),
            password_hash: None,
            permissions: PermissionSet::from(Schema::influxdb_operator()),
            bucket: None,
            token: None,
            if_name_exists: symbolon::IfNameExists::Refuse,
        };
        let results = std::thread::scope(|scope| {
            let race = |engine: &symbolon::Engine| engine.maintenance().set_up(&first);
            let threads: Vec<_> =
                engines.iter().map(|engine| scope.spawn(move || race(engine))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        let won = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(won, 1);
        assert!(results.iter().any(|result| matches!(result, Err(AdminError::AlreadySetUp))));
    }
}

#[test]
fn set_up_adopts_existing_names_only_when_asked() {
    let world = World::new();
    let engine = &world.engine;
    let user = world.root().users().create(NewUser::named("me")).unwrap();
    let first = SetUpRequest {
        organization: "org".into(),
        user: "me".into(),
        password_hash: None,
        permissions: [permission("read:buckets")].into_iter().collect(),
        bucket: None,
        token: None,
        if_name_exists: symbolon::IfNameExists::Refuse,
    };
    assert!(matches!(
        engine.maintenance().set_up(&first),
        Err(AdminError::Exists(symbolon::Field::OrganizationName))
    ));
    let first = SetUpRequest { if_name_exists: symbolon::IfNameExists::Adopt, ..first };
    let done = engine.maintenance().set_up(&first).unwrap();
    let (token, made) = (done.token, done.authorization);
    let (organization, me) = (done.organization, done.user);
    assert_eq!((organization.id, me.id), (world.org.id, user.id));
    assert!(me.operator);
    assert_eq!(world.check(&token), Ok(made.id));
}

#[test]
fn an_interrupted_purge_resumes() {
    let (store, world) = faulty();
    let engine = &world.engine;
    let _root = Caller::Root;
    let (_, revoked) = world.create(&["read:buckets"]);
    world.root().authorizations().revoke(revoked.id).unwrap();
    let (kept, _) = world.create(&["read:buckets"]);
    let edit =
        OrganizationEdit { transition: Some(Transition::Revoke), ..OrganizationEdit::default() };
    world.root().organizations().edit(world.org.id, edit).unwrap();
    world.clock.advance(Duration::from_secs(40 * 24 * 3600));
    let mut purged = 0;
    let failed = engine.maintenance().purge_with(&PurgeOptions::default(), &mut |so_far| {
        purged = so_far;
        store.plan(Method::Commit, 1, Fault::Before);
    });
    assert!(matches!(failed, Err(AdminError::Store(_))), "{failed:?}");
    // The organization stays as long as any record of it.
    assert_eq!(purged, 1);
    assert!(world.root().organizations().get(world.org.id).is_ok());
    assert_eq!(world.check(&kept).unwrap_err().reason(), "revoked");
    assert_eq!(engine.maintenance().purge().unwrap(), 2);
    assert!(world.root().organizations().get(world.org.id).is_err());
    assert!(world.engine.maintenance().fsck(&mut |_| {}).unwrap().problems.is_empty());
}

/// The bucket and the chosen token are created in the same commit.
#[test]
fn set_up_accepts_a_token_and_registers_a_bucket() {
    let text = "a-token-that-the-operator-has-chosen";
    let first = |token: &str| SetUpRequest {
        organization: "org".into(),
        user: "me".into(),
        password_hash: None,
        permissions: [permission("read:buckets")].into_iter().collect(),
        bucket: Some("first".into()),
        token: Some(Token::parse(symbolon::Prefix::default(), token).unwrap()),
        if_name_exists: symbolon::IfNameExists::Adopt,
    };
    let world = World::new();
    let engine = &world.engine;
    let before = world.engine.committed();
    let shown = format!("{:?}", first(text));
    assert!(!shown.contains(text));
    let done = engine.maintenance().set_up(&first(text)).unwrap();
    assert_eq!(world.engine.committed().0, before.0 + 1);
    assert_eq!(done.token.reveal(), text);
    assert_eq!(world.check(&done.token), Ok(done.authorization.id));
    let bucket = done.bucket.unwrap();
    assert_eq!((bucket.organization, &*bucket.name), (world.org.id, "first"));
    assert_eq!(
        engine
            .admin(Caller::Root)
            .with_tombstones()
            .buckets()
            .list(None, ListOptions::default())
            .all()
            .unwrap(),
        [bucket]
    );
    // A token in symbolon's own format determines the id, unless the token exists already.
    let (taken, made) = World::new().create(&["read:buckets"]);
    let other = World::new();
    let engine = &other.engine;
    let done = engine.maintenance().set_up(&first(taken.reveal())).unwrap();
    assert_eq!(done.authorization.id, made.id);
    assert_eq!(other.check(&taken), Ok(made.id));
    let third = World::new();
    let (own, _) = third.create(&["read:buckets"]);
    let refused = third.engine.maintenance().set_up(&first(own.reveal()));
    assert!(matches!(refused, Err(AdminError::Exists(symbolon::Field::Token))));
}
