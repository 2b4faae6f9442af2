//! Passwords that change during sign-in.

use symbolon::record::{Kind, RecordKey};
use symbolon::{
    AdminError, AuthenticatedUser, Denied, Engine, NewUser, PasswordHash, SessionOwner, Transition,
    UserEdit,
};

use crate::fixture::World;
use crate::sessions::{denied, password, roll_back_record, sign_in, to};

fn verified(engine: &Engine) -> AuthenticatedUser {
    engine.sign_in().verify_password("me", |_| true).unwrap()
}

/// `verify` alone decides, and gets no hash of an unknown user.
#[test]
fn a_password_is_verified_against_the_stored_hash() {
    let world = World::new();
    let root = world.root();
    let engine = &world.engine;
    let id = root.users().create(NewUser::named("me"));
    let id = id.unwrap().id;
    root.users().edit(id, password("first")).unwrap();
    let sessions = engine.sign_in();
    let first = PasswordHash::from_phc("first");
    let verified = sessions.verify_password("me", |hash| hash == Some(&first));
    assert_eq!(verified.unwrap().id(), id);
    for (name, answer) in [("me", false), ("you", false), ("you", true)] {
        let refused = sessions.verify_password(name, |hash| {
            assert_eq!(hash.is_some(), name == "me");
            answer
        });
        assert!(matches!(refused, Err(AdminError::Caller(Denied::Unknown))));
    }
    root.users().edit(id, to(Transition::Deactivate)).unwrap();
    let refused = sessions.verify_password("me", |_| true);
    assert!(matches!(refused, Err(AdminError::Caller(Denied::OwnerInactive(of))) if of == id));
}

#[test]
fn sign_in_fails_if_the_password_changed_after_verification() {
    let world = World::new();
    let root = world.root();
    let engine = &world.engine;
    let id = world.user("me");
    root.users().edit(id, password("first")).unwrap();
    let compared = verified(engine);
    let (text, session) = sign_in(engine, compared.into()).unwrap();
    assert_eq!(session.owner, SessionOwner::User(id));
    assert_eq!(denied(&world.engine, text.reveal()), None);
    root.users().edit(id, password("second")).unwrap();
    let refused = sign_in(engine, compared.into());
    assert!(matches!(refused, Err(AdminError::Caller(Denied::Unknown))));
    let renamed = UserEdit { name: Some("you".into()), ..UserEdit::default() };
    let compared = verified(engine);
    root.users().edit(id, renamed).unwrap();
    sign_in(engine, compared.into()).unwrap();
}

#[test]
fn changing_a_password_fails_if_it_changed_after_verification() {
    let world = World::new();
    let root = world.root();
    let engine = &world.engine;
    let hash = PasswordHash::from_phc;
    let set = |user: AuthenticatedUser, text| {
        engine.admin(user.into()).users().edit(user.id(), password(text))
    };
    let id = world.user("me");
    root.users().edit(id, password("first")).unwrap();
    let compared = verified(engine);
    let changed = set(compared, "second").unwrap();
    assert_eq!(changed.password_hash, Some(hash("second")));
    let refused = set(compared, "third");
    assert!(matches!(refused, Err(AdminError::Caller(Denied::Unknown))));
    assert_eq!(root.users().get(id).unwrap(), changed);
    // A user who was deactivated or deleted in the meantime cannot change the password.
    let changed = verified(engine);
    root.users().edit(id, to(Transition::Deactivate)).unwrap();
    let refused = set(changed, "third");
    assert!(matches!(refused, Err(AdminError::Caller(Denied::OwnerInactive(_)))));
}

/// An earlier version of the record, written back to the store, does not revive its password.
#[test]
fn a_password_of_a_rolled_back_user_is_refused() {
    let world = World::new();
    let root = world.root();
    let id = world.user("me");
    root.users().edit(id, password("first")).unwrap();
    let key = RecordKey::new(Kind::USER, id);
    let old = world.store.get(&key).unwrap().unwrap();
    root.users().edit(id, password("second")).unwrap();
    roll_back_record(&*world.store, &old);
    let first = PasswordHash::from_phc("first");
    let refused = world.engine.sign_in().verify_password("me", |hash| hash == Some(&first));
    assert!(matches!(refused, Err(AdminError::Caller(Denied::Unknown))), "{refused:?}");
}
