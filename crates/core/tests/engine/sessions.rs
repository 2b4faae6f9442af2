//! Sessions: sign-in, expiry and sign-out.

use std::sync::Arc;
use std::time::Duration;

use symbolon::journal::{Actor, Event, Journal, Operation};
use symbolon::record::{Kind, RecordKey};
use symbolon::store::Write;
use symbolon::{
    AdminError, Caller, Denied, Engine, Field, Id, IntegrityFaultKind, ListOptions, MemoryStore,
    PasswordHash, PurgeOptions, Session, Token, TokenStore, Transition, UserEdit,
};

use symbolon_conformance::faults::{Fault, FaultyStore, Method};

use crate::fixture::{World, user_caller};
use crate::journal::{Journaled, journaled};

const ROOT: Caller = Caller::Root;
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn denied(engine: &Engine, text: &str) -> Option<Denied> {
    match engine.sign_in().session(text.as_bytes()) {
        Ok(_) => None,
        Err(AdminError::Caller(denied)) => Some(denied),
        Err(error) => unreachable!("{error}"),
    }
}

pub(crate) fn to(transition: Transition) -> UserEdit {
    UserEdit { transition: Some(transition), ..UserEdit::default() }
}

pub(crate) fn password(text: &str) -> UserEdit {
    UserEdit { password_hash: Some(PasswordHash::from_phc(text)), ..UserEdit::default() }
}

/// Authenticates a user by its password.
pub(crate) fn by_password(engine: &Engine, user: Id) -> Result<Caller, AdminError> {
    let name = engine.admin(ROOT).with_tombstones().users().get(user)?.name;
    engine.sign_in().verify_password(&name, |_| true).map(Caller::from)
}

pub(crate) fn sign_in(engine: &Engine, caller: Caller) -> Result<(Token, Session), AdminError> {
    engine.admin(caller).sessions().create(HOUR)
}

#[test]
fn a_session_is_found_only_by_its_exact_text() {
    let world = World::new();
    let engine = &world.engine;
    let user = world.user("user");
    let (text, session) = sign_in(engine, user_caller(user)).unwrap();
    assert_eq!(engine.sign_in().session(text.reveal().as_bytes()).unwrap().1, session);
    // A forged text with the id of the session.
    let forged = Token::generate(symbolon::Prefix::default(), session.id).unwrap();
    assert_eq!(denied(&world.engine, forged.reveal()), Some(Denied::Unknown));
    let other = "x".repeat(64);
    assert_eq!(denied(&world.engine, &other), Some(Denied::Unknown));
    assert_eq!(denied(&world.engine, "short"), Some(Denied::Malformed));
    let out = engine.sign_in().sign_out(forged.reveal().as_bytes());
    assert!(matches!(out, Err(AdminError::Caller(Denied::Unknown))));
    assert!(engine.sign_in().session(text.reveal().as_bytes()).is_ok());
    assert!(matches!(sign_in(engine, ROOT), Err(AdminError::CannotSignIn)));
    let gone = user_caller(Id::new(99).unwrap());
    let refused = sign_in(engine, gone);
    assert!(matches!(refused, Err(AdminError::Caller(Denied::Unknown))));
    let shown = format!("{session:?}");
    assert!(!shown.contains(text.reveal()));
}

#[test]
fn a_session_is_extended_only_near_its_expiry() {
    let world = World::new();
    let engine = &world.engine;
    let user = world.user("user");
    let (text, _) = sign_in(engine, user_caller(user)).unwrap();
    let mut written = 0;
    for _ in 0..120 {
        world.clock.advance(MINUTE);
        let before = world.engine.committed();
        engine.sign_in().extend(text.reveal().as_bytes(), 5 * MINUTE).unwrap();
        written += usize::from(world.engine.committed() != before);
    }
    // The first extension is after 56 minutes, the others follow every six minutes.
    assert_eq!(written, 11);
}

fn session_key(session: &Session) -> RecordKey {
    RecordKey::new(Kind::SESSION, session.id)
}

/// Replaces the current record in `store` with an earlier version.
pub(crate) fn roll_back_record(store: &dyn TokenStore, old: &symbolon::store::Stored) {
    let now = store.get(&old.record.key).unwrap().unwrap();
    let write = Write::Put { record: old.record.clone(), expected: now.revision };
    store.commit(&[write]).unwrap();
}

fn signed_out(j: &Journaled) -> (Token, Session) {
    let engine = &j.world.engine;
    let user = j.world.user("user");
    let (text, session) = engine.admin(user_caller(user)).sessions().create(10 * HOUR).unwrap();
    let store = &*j.world.store;
    let old = store.get(&session_key(&session)).unwrap().unwrap();
    engine.sign_in().sign_out(text.reveal().as_bytes()).unwrap();
    roll_back_record(store, &old);
    (text, session)
}

#[test]
fn a_signed_out_session_cannot_be_replayed() {
    let j = journaled();
    let (text, session) = signed_out(&j);
    let engine = &j.world.engine;
    assert_eq!(denied(engine, text.reveal()), Some(Denied::Unknown));
    let key = session_key(&session);
    let is_replayed = |fault: &symbolon::IntegrityFault| {
        fault.key == key && fault.problem == IntegrityFaultKind::RolledBack
    };
    assert!(engine.faults().iter().any(is_replayed));
    // Another engine has never read the later version, but the journal records the sign-out.
    let next = j.open(j.world.store.clone()).unwrap();
    assert_eq!(denied(&next, text.reveal()), Some(Denied::Revoked(session.id)));
}

#[test]
fn restoring_a_backup_does_not_reactivate_signed_out_sessions() {
    let j = journaled();
    let engine = &j.world.engine;
    let user = j.world.user("user");
    let [kept, revoked] =
        [(); 2].map(|()| engine.admin(user_caller(user)).sessions().create(10 * HOUR).unwrap());
    let copy = crate::journal::copy(&*j.world.store);
    engine.sign_in().sign_out(revoked.0.reveal().as_bytes()).unwrap();
    let rollback = j.open(copy).unwrap();
    assert_eq!(rollback.rollback().unwrap().revoked, 1);
    assert_eq!(denied(&rollback, revoked.0.reveal()), Some(Denied::Revoked(revoked.1.id)));
    assert_eq!(denied(&rollback, kept.0.reveal()), None);
    // All sessions created before a given time can be revoked at once.
    j.world.clock.advance(MINUTE);
    let now = revoked.1.created_at.saturating_add(MINUTE);
    let (later, _) = sign_in(&rollback, user_caller(user)).unwrap();
    assert_eq!(rollback.maintenance().revoke_created_before(now, &mut |_| {}).unwrap(), 1);
    assert_eq!(denied(&rollback, kept.0.reveal()), Some(Denied::Revoked(kept.1.id)));
    assert_eq!(denied(&rollback, later.reveal()), None);
}

#[test]
fn the_journal_records_sign_ins_but_never_passwords() {
    let j = journaled();
    let engine = &j.world.engine;
    let user = j.world.user("me");
    let (text, session) = sign_in(engine, user_caller(user)).unwrap();
    engine.sign_in().sign_out(text.reveal().as_bytes()).unwrap();
    for name in ["me", "my secret password"] {
        engine.sign_in().verify_password(name, |_| false).unwrap_err();
    }
    let mut acts = Vec::new();
    let mut refused = Vec::new();
    j.journal
        .read(&mut |entry| {
            let text = serde_json::to_string(&entry.event).unwrap();
            assert!(!text.contains("my secret password"));
            match entry.event {
                Event::Intent(intent) if intent.actor == Actor::User(user) => {
                    let ends: Vec<_> = intent.ends.iter().map(|one| one.key).collect();
                    acts.push((intent.operation, ends));
                }
                Event::Denied { actor: Actor::Anonymous, operation, on, .. } => {
                    refused.push((operation, on))
                }
                _ => {}
            }
        })
        .unwrap();
    let key = session_key(&session);
    assert_eq!(acts, [(Operation::SignIn, vec![]), (Operation::SignOut, vec![key])]);
    let me = RecordKey::new(Kind::USER, user);
    assert_eq!(refused, [(Operation::SignIn, Some(me)), (Operation::SignIn, None)]);
}

#[test]
fn sessions_are_listed_and_deleted_within_the_callers_rights() {
    let world = World::new();
    let engine = &world.engine;
    let [anna, ben] = ["anna", "ben"].map(|name| world.user(name));
    let (api, _) = world.create(&["read:buckets"]);
    let [of_anna, of_ben, of_token] =
        [by_password(engine, anna).unwrap(), by_password(engine, ben).unwrap(), world.bearer(&api)]
            .map(|caller| sign_in(engine, caller).unwrap());
    let ids = [&of_anna, &of_ben, &of_token].map(|(_, session)| session.id);
    let [by_anna, by_token] = [&of_anna, &of_token]
        .map(|(text, _)| engine.sign_in().session(text.reveal().as_bytes()).unwrap().0);
    let list = |caller, user| {
        let found =
            engine.admin(caller).sessions().list(user, ListOptions::default()).all().unwrap();
        found.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    let reader = world.caller(&["read:users"]);
    let in_org = world.org.id;
    let scoped = world.caller(&[
        &format!("read:orgs/{in_org}/users"),
        &format!("read:orgs/{in_org}/authorizations"),
    ]);
    let auditor = world.caller(&["read:authorizations"]);
    for (caller, seen) in [
        (ROOT, vec![ids[0], ids[1], ids[2]]),
        (by_anna, vec![ids[0]]),
        (by_token, vec![ids[2]]),
        (reader, vec![ids[0], ids[1]]),
        (auditor, vec![ids[2]]),
        (scoped, vec![]),
    ] {
        assert_eq!(list(caller, None), seen, "{caller:?}");
        for id in ids {
            assert_eq!(engine.admin(caller).sessions().get(id).is_ok(), seen.contains(&id));
        }
    }
    assert_eq!(list(ROOT, Some(ben)), [ids[1]]);
    let delete = |caller, id| engine.admin(caller).sessions().delete(id);
    assert!(matches!(delete(reader, ids[0]), Err(AdminError::Forbidden(_))));
    assert!(matches!(delete(by_anna, ids[1]), Err(AdminError::NotFound(Field::Session))));
    delete(by_anna, ids[0]).unwrap();
    delete(ROOT, ids[1]).unwrap();
    delete(ROOT, ids[1]).unwrap();
    assert_eq!(list(ROOT, None), [ids[2]]);
    assert_eq!(denied(engine, of_anna.0.reveal()), Some(Denied::Revoked(ids[0])));
}

/// Otherwise the session would be valid again after an import of the authorization.
#[test]
fn purging_an_authorization_purges_its_sessions() {
    let world = World::new();
    let engine = &world.engine;
    let (token, authorization) = world.create(&["read:users"]);
    let (text, _) = sign_in(engine, world.bearer(&token)).unwrap();
    world.root().authorizations().revoke(authorization.id).unwrap();
    world.clock.advance(MINUTE);
    let how = PurgeOptions { retention: Some(Duration::ZERO), ..PurgeOptions::default() };
    let purged = engine.maintenance().purge_with(&how, &mut |_| {}).unwrap();
    assert_eq!((purged.authorizations, purged.sessions), (1, 1));
    let again = symbolon::ImportItem::Authorization(authorization, token);
    engine.maintenance().import(&[again]).unwrap();
    assert_eq!(denied(engine, text.reveal()), Some(Denied::Unknown));
}

/// A write that was not committed does not make the stored version look rolled back.
#[test]
fn a_session_survives_extensions_that_are_not_committed() {
    let store = Arc::new(FaultyStore::new(MemoryStore::new()));
    let world = World::on(store.clone());
    let engine = &world.engine;
    let user = world.user("user");
    let (text, session) = sign_in(engine, user_caller(user)).unwrap();
    let text = text.reveal().as_bytes();
    world.clock.advance(56 * MINUTE);
    store.plan(Method::Commit, 1, Fault::Before);
    assert!(engine.sign_in().extend(text, 5 * MINUTE).is_err());
    let (_, extended) = engine.sign_in().extend(text, 5 * MINUTE).unwrap();
    assert!(extended.expires_at > session.expires_at);
    // Concurrent requests extend one session; all but one conflict and run again.
    for _ in 0..20 {
        world.clock.advance(9 * MINUTE);
        let all: Vec<_> = std::thread::scope(|scope| {
            let each = || scope.spawn(|| engine.sign_in().extend(text, 5 * MINUTE).map(|_| ()));
            let threads: Vec<_> = (0..8).map(|_| each()).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(all.iter().all(Result::is_ok), "{all:?}");
    }
    assert_eq!(engine.faults(), []);
}

/// The authorization of a deleted owner is purged with it, and so are its sessions.
#[test]
fn purging_an_owner_purges_the_sessions_of_its_authorizations() {
    let world = World::new();
    let engine = &world.engine;
    let user = world.user("user");
    let new = symbolon::NewAuthorization {
        user: Some(user),
        ..world.new_authorization(&["read:buckets"])
    };
    let (token, _) = world.root().authorizations().create(new).unwrap();
    sign_in(engine, world.bearer(&token)).unwrap();
    world.root().users().delete(user).unwrap();
    world.clock.advance(MINUTE);
    for dry_run in [true, false] {
        let how = PurgeOptions { retention: Some(Duration::ZERO), dry_run };
        let purged = engine.maintenance().purge_with(&how, &mut |_| {}).unwrap();
        assert_eq!((purged.users, purged.authorizations, purged.sessions), (1, 1, 1), "{dry_run}");
    }
}
