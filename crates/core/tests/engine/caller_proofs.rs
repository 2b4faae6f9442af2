//! Callers are refused once the proof of their authentication no longer holds.

use std::sync::Arc;
use std::time::Duration;

use symbolon::{AdminError, Denied, Engine, Id, UserEdit};

use crate::fixture::{World, bearer_caller, key, options, user_caller};
use crate::sessions::{HOUR, by_password, password, sign_in};

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
