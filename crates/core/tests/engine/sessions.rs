//! Sessions: sign-in, expiry and sign-out.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use symbolon::journal::{Actor, Event, Journal, Operation};
use symbolon::record::{Kind, RecordKey};
use symbolon::store::Write;
use symbolon::{
    AdminError, AuthorizationEdit, Caller, Denied, Engine, Id, IntegrityFaultKind, PasswordHash,
    PurgeOptions, Session, Timestamp, Token, TokenStore, Transition, UserEdit,
};

use crate::fixture::{READ_BUCKETS, World, bearer_caller, user_caller};
use crate::journal::{Journaled, journaled};

const ROOT: Caller = Caller::Root;
const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn denied(engine: &Engine, text: &str) -> Option<Denied> {
    match engine.sessions().get(text.as_bytes()) {
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
    let callers = [user_caller(user), bearer_caller(authorization.id)];
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
                let made = engine.sessions().sign_in(callers.get(who).unwrap(), HOUR);
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
                let answer = engine.sessions().sign_out(text.reveal().as_bytes());
                assert_eq!(answer.is_ok(), !known.purged);
                if known.expires > now && !known.purged {
                    known.ended = known.ended.or(Some(now));
                }
            }
            Step::Extend(which, at_least) => {
                let Some((_, session)) = texts.get(which) else {
                    continue;
                };
                let answer = engine.sessions().extend(session, at_least);
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
                let _ = engine.admin(ROOT).users().edit(user, &to(transition));
                model.user = after(model.user, transition);
            }
            Step::Password => {
                let phc = format!("$argon2id${}", model.passwords + 1);
                if engine.admin(ROOT).users().edit(user, &password(&phc)).is_ok() {
                    model.passwords += 1;
                }
            }
            Step::Rename => {
                let renamed = UserEdit {
                    name: Some(format!("user at {}", model.now)),
                    ..UserEdit::default()
                };
                let _ = engine.admin(ROOT).users().edit(user, &renamed);
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
                let over = |one: &&mut Known| one.ended.unwrap_or(one.expires) < before;
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
                if purged.authorizations > 0 {
                    // No session of a purged authorization is valid, but its records may remain.
                    return;
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
    let (text, session) = engine.sessions().sign_in(&user_caller(user), HOUR).unwrap();
    assert_eq!(engine.sessions().get(text.reveal().as_bytes()).unwrap(), session);
    // A forged text with the id of the session.
    let forged = Token::generate(symbolon::Prefix::default(), session.id).unwrap();
    assert_eq!(denied(&world.engine, forged.reveal()), Some(Denied::Unknown));
    let other = "x".repeat(64);
    assert_eq!(denied(&world.engine, &other), Some(Denied::Unknown));
    assert_eq!(denied(&world.engine, "short"), Some(Denied::Malformed));
    let out = engine.sessions().sign_out(forged.reveal().as_bytes());
    assert!(matches!(out, Err(AdminError::Caller(Denied::Unknown))));
    assert!(engine.sessions().get(text.reveal().as_bytes()).is_ok());
    assert!(matches!(engine.sessions().sign_in(&ROOT, HOUR), Err(AdminError::CannotSignIn)));
    let gone = user_caller(Id::new(99).unwrap());
    let refused = engine.sessions().sign_in(&gone, HOUR);
    assert!(matches!(refused, Err(AdminError::Caller(Denied::Unknown))));
    let shown = format!("{session:?}");
    assert!(!shown.contains(text.reveal()));
}

#[test]
fn a_session_is_extended_only_near_its_expiry() {
    let world = World::new();
    let engine = &world.engine;
    let user = world.user("user");
    let (text, _) = engine.sessions().sign_in(&user_caller(user), HOUR).unwrap();
    let read = || engine.sessions().get(text.reveal().as_bytes()).unwrap();
    let mut written = 0;
    for _ in 0..120 {
        world.clock.advance(MINUTE);
        let before = world.engine.committed();
        engine.sessions().extend(&read(), 5 * MINUTE).unwrap();
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
    let (text, session) = engine.sessions().sign_in(&user_caller(user), 10 * HOUR).unwrap();
    let store = &*j.world.store;
    let old = store.get(&session_key(&session)).unwrap().unwrap();
    engine.sessions().sign_out(text.reveal().as_bytes()).unwrap();
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
        [(); 2].map(|()| engine.sessions().sign_in(&user_caller(user), 10 * HOUR).unwrap());
    let copy = crate::journal::copy(&*j.world.store);
    engine.sessions().sign_out(revoked.0.reveal().as_bytes()).unwrap();
    let rollback = j.open(copy).unwrap();
    assert_eq!(rollback.rollback().unwrap().revoked, 1);
    assert_eq!(denied(&rollback, revoked.0.reveal()), Some(Denied::Revoked(revoked.1.id)));
    assert_eq!(denied(&rollback, kept.0.reveal()), None);
    // All sessions created before a given time can be revoked at once.
    j.world.clock.advance(MINUTE);
    let now = revoked.1.created_at.saturating_add(MINUTE);
    let (later, _) = rollback.sessions().sign_in(&user_caller(user), HOUR).unwrap();
    assert_eq!(rollback.maintenance().revoke_created_before(now).unwrap(), 1);
    assert_eq!(denied(&rollback, kept.0.reveal()), Some(Denied::Revoked(kept.1.id)));
    assert_eq!(denied(&rollback, later.reveal()), None);
}

#[test]
fn the_journal_records_sign_ins_but_never_passwords() {
    let j = journaled();
    let engine = &j.world.engine;
    let user = j.world.user("me");
    let (text, session) = engine.sessions().sign_in(&user_caller(user), HOUR).unwrap();
    engine.sessions().sign_out(text.reveal().as_bytes()).unwrap();
    for name in ["me", "my secret password"] {
        engine.sessions().verify_password(name, |_| false).unwrap_err();
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
