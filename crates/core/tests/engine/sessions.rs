//! Sessions: sign-in, expiry and sign-out.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use symbolon::journal::{Actor, Event, Journal, Operation};
use symbolon::record::{Kind, RecordKey};
use symbolon::store::Write;
use symbolon::{
    AdminError, AuthorizationEdit, Caller, Denied, Engine, Field, Id, IntegrityFaultKind,
    ListOptions, MemoryStore, PasswordHash, PurgeOptions, Session, Timestamp, Token, TokenStore,
    Transition, UserEdit,
};

use symbolon_conformance::faults::{Fault, FaultyStore, Method};

use crate::fixture::{READ_BUCKETS, World, bearer_caller, key, options, user_caller};
use crate::journal::{Journaled, journaled};

const ROOT: Caller = Caller::Root;
const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

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

#[derive(Debug, Clone)]
enum Step {
    SignIn(usize),
    SignOut(usize),
    Extend(usize, Duration),
    Pass(Duration),
    ToUser(Transition),
    Password,
    Rename,
    ToToken(Transition),
    Restart,
    Purge,
}

fn step() -> impl Strategy<Value = Step> {
    let minutes = |range: std::ops::Range<u32>| range.prop_map(|count| MINUTE * count);
    let transition = || {
        prop_oneof![
            4 => Just(Transition::Activate),
            4 => Just(Transition::Deactivate),
            1 => Just(Transition::Revoke),
        ]
    };
    prop_oneof![
        4 => (0..2_usize).prop_map(Step::SignIn),
        2 => (0..6_usize).prop_map(Step::SignOut),
        2 => ((0..6_usize), minutes(0..120)).prop_map(|(which, time)| Step::Extend(which, time)),
        3 => minutes(0..60).prop_map(Step::Pass),
        2 => transition().prop_map(Step::ToUser),
        1 => Just(Step::Password),
        1 => Just(Step::Rename),
        2 => transition().prop_map(Step::ToToken),
        1 => Just(Step::Restart),
        1 => Just(Step::Purge),
    ]
}

/// A simple model of the rules.
struct Model {
    now: Timestamp,
    user: Transition,
    passwords: usize,
    token: Transition,
    sessions: Vec<Known>,
}

struct Known {
    by_user: bool,
    expires: Timestamp,
    ended: Option<Timestamp>,
    passwords: usize,
    purged: bool,
}

impl Model {
    /// Returns the reason why a session is refused, as in [`Denied::reason`].
    fn refused(&self, one: &Known) -> Option<&'static str> {
        if one.purged {
            return Some("unknown");
        }
        if one.ended.is_some() {
            return Some("revoked");
        }
        if one.expires <= self.now {
            return Some("expired");
        }
        match (one.by_user, self.user, self.token) {
            (true, Transition::Revoke, _) => Some("unknown"),
            (true, Transition::Deactivate, _) => Some("owner_inactive"),
            (true, ..) => (one.passwords != self.passwords).then_some("revoked"),
            (false, _, Transition::Revoke) => Some("revoked"),
            (false, _, Transition::Deactivate) => Some("inactive"),
            (false, ..) => None,
        }
    }
}

/// Returns the state after a transition; a revoked record stays revoked.
fn after(before: Transition, step: Transition) -> Transition {
    match before {
        Transition::Revoke => before,
        _ => step,
    }
}

fn walk(steps: Vec<Step>) {
    let world = World::new();
    let user = world.user("user");
    let (api, authorization) = world.create(&["read:buckets"]);
    let bearer = world.bearer(&api);
    let mut model = Model {
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
        user: Transition::Activate,
        passwords: 0,
        token: Transition::Activate,
        sessions: Vec::new(),
    };
    let mut texts: Vec<(Token, Session)> = Vec::new();
    let mut engine = world.another();
    for step in steps {
        match step {
            Step::SignIn(who) => {
                let may = [model.user, model.token]
                    .get(who)
                    .is_some_and(|state| *state == Transition::Activate);
                let caller = match who {
                    0 => by_password(&engine, user),
                    _ => Ok(bearer),
                };
                let made = caller.and_then(|caller| sign_in(&engine, caller));
                assert_eq!(made.is_ok(), may);
                let Ok((text, session)) = made else { continue };
                model.sessions.push(Known {
                    by_user: who == 0,
                    expires: model.now.saturating_add(HOUR),
                    ended: None,
                    passwords: model.passwords,
                    purged: false,
                });
                texts.push((text, session));
            }
            Step::SignOut(which) => {
                let Some((text, _)) = texts.get(which) else {
                    continue;
                };
                let now = model.now;
                let known = model.sessions.get_mut(which).unwrap();
                let answer = engine.sign_in().sign_out(text.reveal().as_bytes());
                assert_eq!(answer.is_ok(), !known.purged);
                if known.expires > now && !known.purged {
                    known.ended = known.ended.or(Some(now));
                }
            }
            Step::Extend(which, at_least) => {
                let Some((text, _)) = texts.get(which) else {
                    continue;
                };
                let answer = engine.sign_in().extend(text.reveal().as_bytes(), at_least);
                let refused = model.refused(model.sessions.get(which).unwrap());
                assert_eq!(answer.is_ok(), refused.is_none());
                let known = model.sessions.get_mut(which).unwrap();
                if refused.is_none() && known.expires < model.now.saturating_add(at_least) {
                    known.expires = model.now.saturating_add(2 * at_least);
                }
            }
            Step::Pass(time) => {
                world.clock.advance(time);
                model.now = model.now.saturating_add(time);
            }
            Step::ToUser(transition) => {
                let _ = engine.admin(ROOT).users().edit(user, to(transition));
                model.user = after(model.user, transition);
            }
            Step::Password => {
                let phc = format!("$argon2id${}", model.passwords + 1);
                if engine.admin(ROOT).users().edit(user, password(&phc)).is_ok() {
                    model.passwords += 1;
                }
            }
            Step::Rename => {
                let renamed = UserEdit {
                    name: Some(format!("user at {}", model.now)),
                    ..UserEdit::default()
                };
                let _ = engine.admin(ROOT).users().edit(user, renamed);
            }
            Step::ToToken(transition) => {
                let edit = AuthorizationEdit::from(transition);
                let _ = engine.admin(ROOT).authorizations().edit(authorization.id, edit);
                model.token = after(model.token, transition);
            }
            Step::Restart => engine = world.another(),
            Step::Purge => {
                let how = PurgeOptions { retention: Some(HOUR), ..PurgeOptions::default() };
                let before = model.now.saturating_sub(HOUR);
                let token = model.token;
                let over = |one: &&mut Known| {
                    let is_refused_forever = !one.by_user && token == Transition::Revoke;
                    one.ended.unwrap_or(one.expires) < before || is_refused_forever
                };
                let purged = engine.maintenance().purge_with(&how, &mut |_| {}).unwrap();
                let mut count = 0;
                for one in model.sessions.iter_mut().filter(|one| !one.purged).filter(over) {
                    one.purged = true;
                    count += 1;
                }
                // Sessions of a deleted user are purged with the user.
                assert!(purged.sessions >= count);
                for one in model.sessions.iter_mut().filter(|_| purged.users > 0) {
                    one.purged |= one.by_user;
                }
            }
        }
        for ((text, _), known) in texts.iter().zip(&model.sessions) {
            let reason = denied(&engine, text.reveal()).map(Denied::reason);
            assert_eq!(reason, model.refused(known));
            let check = engine.verifier().check(text.reveal(), &READ_BUCKETS);
            assert_eq!(check, Err(Denied::Unknown));
        }
        assert_eq!(denied(&engine, api.reveal()), Some(Denied::Unknown));
    }
}

#[test]
fn session_validity_matches_the_reference() {
    let mut runner = TestRunner::new(ProptestConfig::with_cases(200));
    let steps = prop::collection::vec(step(), 1..30);
    runner
        .run(&steps, |steps| {
            walk(steps);
            Ok(())
        })
        .unwrap();
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
fn roll_back_record(store: &dyn TokenStore, old: &symbolon::store::Stored) {
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

/// A caller that was authenticated by a session is refused as soon as the session is.
#[test]
fn a_caller_does_not_outlive_its_session_or_password() {
    let world = World::new();
    let engine = &world.engine;
    let user = world.user("user");
    let (api, _) = world.create(&["read:users"]);
    let refused = |caller| match engine.admin(caller).own_user() {
        Ok(_) => None,
        Err(AdminError::Caller(denied)) => Some(denied.reason()),
        Err(error) => unreachable!("{error}"),
    };
    let start = |caller| {
        let (text, session) = sign_in(engine, caller).unwrap();
        let (caller, found) = engine.sign_in().session(text.reveal().as_bytes()).unwrap();
        assert_eq!(found, session);
        assert_eq!(refused(caller), None);
        (text, caller)
    };
    for by in [by_password(engine, user).unwrap(), world.bearer(&api)] {
        let ((text, ended), (_, expired)) = (start(by), start(by));
        engine.sign_in().sign_out(text.reveal().as_bytes()).unwrap();
        assert_eq!(refused(ended), Some("revoked"));
        assert_eq!(refused(by), None);
        world.clock.advance(HOUR);
        assert_eq!(refused(expired), Some("expired"));
    }
    let by = by_password(engine, user).unwrap();
    let (_, caller) = start(by);
    world.root().users().edit(user, password("$argon2id$new")).unwrap();
    assert_eq!((refused(by), refused(caller)), (Some("unknown"), Some("revoked")));
    let edit = engine.admin(by).users().edit(user, UserEdit::default());
    assert!(matches!(edit, Err(AdminError::Caller(Denied::Unknown))));
}

/// A caller belongs to a token, not to an id: it fits neither another record under the id nor
/// another store.
#[test]
fn a_caller_fits_only_the_record_whose_token_was_checked() {
    let world = World::new();
    let (token, authorization) = world.create(&["read:users"]);
    let bearer = world.bearer(&token);
    let impostor = bearer_caller(authorization.id);
    assert!(world.engine.admin(bearer).own_authorization().is_ok());
    let refused = world.engine.admin(impostor).own_authorization();
    assert!(matches!(refused, Err(AdminError::Caller(Denied::Unknown))));
    // The next process with the same store and key accepts it.
    assert!(world.another().admin(bearer).own_authorization().is_ok());
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

/// A session does not create another one, which would outlive its sign-out, and a session in a list
/// is no caller.
#[test]
fn a_session_cannot_create_another_session() {
    let world = World::new();
    let engine = &world.engine;
    let user = world.user("user");
    let (api, _) = world.create(&["read:users"]);
    for by in [by_password(engine, user).unwrap(), world.bearer(&api)] {
        let (text, _) = sign_in(engine, by).unwrap();
        let (caller, _) = engine.sign_in().session(text.reveal().as_bytes()).unwrap();
        assert!(matches!(sign_in(engine, caller), Err(AdminError::CannotSignIn)));
    }
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

/// The digest of a caller is the one under which its token was found: for a token that was imported
/// by its hash, at first a digest of that hash.
#[test]
fn the_bearer_of_an_imported_token_is_a_caller_before_and_after_its_adoption() {
    let world = World::new();
    let raw = "an-imported-token".repeat(4);
    let hash = symbolon::ForeignHash::sha256(raw.as_bytes());
    let (_, authorization) = world.create(&["read:users"]);
    let imported = symbolon::Authorization { id: Id::new(77).unwrap(), ..authorization };
    let item = symbolon::ImportItem::Hashed(imported, hash);
    world.engine.maintenance().import(&[item]).unwrap();
    let caller = world.engine.verifier().authenticate(&raw).unwrap().caller();
    for _ in 0..3 {
        assert!(world.engine.admin(caller).own_authorization().is_ok());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The session keeps the key under which its password was recorded.
#[test]
fn a_session_survives_a_rotation_of_the_key() {
    let world = World::new();
    let user = world.user("user");
    let (text, _) = sign_in(&world.engine, user_caller(user)).unwrap();
    let rotated = key().rotated().unwrap();
    let next = Engine::open(Arc::clone(&world.store), rotated, options(&world.clock)).unwrap();
    let (caller, _) = next.sign_in().session(text.reveal().as_bytes()).unwrap();
    assert_eq!(next.admin(caller).own_user().unwrap(), Some(user));
}
