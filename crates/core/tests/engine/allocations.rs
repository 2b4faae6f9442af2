//! Checks allocate no memory.

use symbolon::{Action, Denied, ForeignHash, Id, ImportItem, Request, ResourceType};

use crate::fixture::{READ_BUCKETS, World};

const ROUNDS: usize = 1_000_000;

#[test]
fn a_million_checks_allocate_nothing() {
    let world = World::new();
    let engine = &world.engine;
    let tokens: Vec<_> = (0..100).map(|_| world.create(&["write:tasks", "read:buckets"])).collect();
    let (revoked, made) = world.create(&["read:buckets"]);
    engine.admin(symbolon::Caller::Root).authorizations().revoke(made.id).unwrap();
    let expiring = symbolon::NewAuthorization {
        expires_at: Some(symbolon::Timestamp::MAX),
        ..world.new_authorization(&["read:buckets"])
    };
    let (expiring, _) =
        engine.admin(symbolon::Caller::Root).authorizations().create(expiring).unwrap();
    let verifier = world.engine.verifier();
    let grant = verifier.authenticate(tokens[0].0.reveal()).unwrap();
    let forbidden = Request::new(Action::WRITE, ResourceType::BUCKETS).id(Id::MIN);
    let named = Request::new(Action::READ, ResourceType::DATABASES).name("metrics");
    let garbage = "g".repeat(88);
    let mut allowed = 0;
    let measured = allocation_counter::measure(|| {
        for round in 0..ROUNDS / 10 {
            let (token, made) = &tokens[round % tokens.len()];
            allowed += usize::from(verifier.check(token.reveal(), &READ_BUCKETS) == Ok(made.id));
            allowed += usize::from(verifier.check(expiring.reveal(), &READ_BUCKETS).is_ok());
            allowed += usize::from(grant.check(&READ_BUCKETS).is_ok());
            for request in [&forbidden, &named] {
                assert_eq!(
                    verifier.check(token.reveal(), request),
                    Err(Denied::Forbidden(made.id))
                );
            }
            assert!(grant.check(&forbidden).is_err());
            assert!(matches!(
                verifier.check(revoked.reveal(), &READ_BUCKETS),
                Err(Denied::Revoked(_))
            ));
            assert_eq!(verifier.check(&garbage, &READ_BUCKETS), Err(Denied::Unknown));
            assert_eq!(verifier.check("short", &READ_BUCKETS), Err(Denied::Malformed));
            assert_eq!(verifier.check([0xff; 64], &READ_BUCKETS), Err(Denied::Malformed));
        }
    });
    assert_eq!(allowed, ROUNDS / 10 * 3);
    assert_eq!((measured.count_total, measured.bytes_total), (0, 0));
}

#[test]
fn foreign_hash_lookups_allocate_nothing() {
    let world = World::new();
    let made = world.create_v2(&["read:buckets"]).1;
    let text = "t".repeat(88);
    let hashed = symbolon::Authorization { id: Id::new(1000).unwrap(), ..made };
    let item = ImportItem::Hashed(hashed, ForeignHash::sha512(text.as_bytes()));
    world.engine.maintenance().import(&[item]).unwrap();
    let verifier = world.engine.verifier();
    // The first hash in a process initialises the implementation, which allocates.
    assert!(verifier.check("u".repeat(88), &READ_BUCKETS).is_err());
    let measured = allocation_counter::measure(|| {
        for _ in 0..1000 {
            assert!(verifier.check(&text, &READ_BUCKETS).is_ok());
        }
    });
    assert_eq!(measured.count_total, 0);
}
