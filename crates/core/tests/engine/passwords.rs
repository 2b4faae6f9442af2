//! Passwords that change during sign-in.

use std::time::Duration;

use symbolon::{Caller, Denied, Error, PasswordHash, Transition, UserEdit};

use crate::fixture::World;
use crate::sessions::{denied, password, to};

const ROOT: &Caller = &Caller::Root;
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn sign_in_fails_if_the_password_changed_after_verification() {
    let world = World::new();
    let issuer = world.engine.issuer();
    let id = issuer.create_user(ROOT, "me", None).unwrap().id;
    let compared = issuer.edit_user(ROOT, id, &password("first")).unwrap();
    let (text, session) = issuer.sign_in_by_password(&compared, HOUR).unwrap();
    assert_eq!(session.caller, Caller::User(id));
    assert_eq!(denied(&world.engine, text.reveal()), None);
    issuer.edit_user(ROOT, id, &password("second")).unwrap();
    let refused = issuer.sign_in_by_password(&compared, HOUR);
    assert!(matches!(refused, Err(Error::Caller(Denied::Unknown))));
    let renamed = UserEdit {
        name: Some("you".into()),
        ..UserEdit::default()
    };
    let compared = issuer.user(ROOT, id).unwrap();
    issuer.edit_user(ROOT, id, &renamed).unwrap();
    issuer.sign_in_by_password(&compared, HOUR).unwrap();
}

#[test]
fn changing_a_password_fails_if_it_changed_after_verification() {
    let world = World::new();
    let issuer = world.engine.issuer();
    let hash = PasswordHash::from_phc;
    let id = issuer.create_user(ROOT, "me", None).unwrap().id;
    let compared = issuer.edit_user(ROOT, id, &password("first")).unwrap();
    let changed = issuer.change_password(&compared, &hash("second")).unwrap();
    assert_eq!(changed.password_hash, Some(hash("second")));
    let refused = issuer.change_password(&compared, &hash("third"));
    assert!(matches!(refused, Err(Error::Caller(Denied::Unknown))));
    assert_eq!(issuer.user(ROOT, id).unwrap(), changed);
    // A user who was deactivated or deleted in the meantime cannot change the password.
    issuer
        .edit_user(ROOT, id, &to(Transition::Deactivate))
        .unwrap();
    let refused = issuer.change_password(&changed, &hash("third"));
    assert!(matches!(
        refused,
        Err(Error::Caller(Denied::OwnerInactive(_)))
    ));
}
