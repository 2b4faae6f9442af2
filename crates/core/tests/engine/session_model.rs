//! Sessions compared with a simple model of their rules.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use symbolon::{
    AuthorizationEdit, Caller, Denied, PurgeOptions, Session, Timestamp, Token, Transition,
    UserEdit,
};

use crate::fixture::{READ_BUCKETS, World};
use crate::sessions::{HOUR, MINUTE, by_password, denied, password, sign_in, to};

const ROOT: Caller = Caller::Root;

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
