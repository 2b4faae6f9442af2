//! Rotation of the store key.

use std::sync::Arc;

use symbolon::record::{IntegrityError, Kind, RecordKey};
use symbolon::store::{Cursor, Revision, Write};
use symbolon::{
    Caller, Denied, Engine, ForeignHash, ImportItem, IntegrityFaultKind, MemoryStore, OpenError,
    StoreKey,
};

use crate::fixture::{READ_BUCKETS, World, key, options};
use crate::imports::{V2, authorization};
use crate::rollback::Flaky;

fn open(world: &World, key: StoreKey) -> Result<Engine, OpenError> {
    Engine::open(Arc::clone(&world.store), key, options(&world.clock))
}

fn again(key: &StoreKey) -> StoreKey {
    key.to_text().parse().unwrap()
}

#[test]
fn rotation_keeps_tokens_valid_and_rejects_records_under_the_old_key() {
    let world = World::new();
    let (token, made) = world.create(&["read:buckets"]);
    let hashed = authorization(&world, 1000);
    let item = ImportItem::Hashed(hashed.clone(), ForeignHash::sha256(V2.as_bytes()));
    world.engine.maintenance().import(&[item]).unwrap();
    let of_made = RecordKey::new(Kind::AUTHORIZATION, made.id);
    let before = world.store.get(&of_made).unwrap().unwrap();
    let World { engine, .. } = &world;
    assert_eq!(engine.maintenance().reseal(&mut |_| ()).unwrap(), 0, "nothing to do");

    let rotating = key().rotated().unwrap();
    let engine = open(&world, again(&rotating)).unwrap();
    let records = world.store.scan(&Cursor::start(), 1000).unwrap().items.len();
    let mut resealed = 0;
    // Opening the store with the new key has already resealed the settings.
    assert_eq!(engine.maintenance().reseal(&mut |count| resealed = count).unwrap(), records - 1);
    assert_eq!(resealed, records - 1);
    drop(engine);

    let retired = rotating.retired();
    let engine = open(&world, again(&retired)).unwrap();
    assert_eq!(engine.faults(), []);
    let findings = engine.maintenance().fsck(&mut |_| {}).unwrap();
    assert_eq!(findings.problems, []);
    assert_eq!(findings.records.values().sum::<usize>(), records);
    let check = |text: &str| engine.verifier().check(text, &READ_BUCKETS);
    assert_eq!(check(token.reveal()), Ok(made.id));
    assert_eq!(check(V2), Ok(hashed.id));
    let new = world.new_authorization(&["read:buckets"]);
    let (newer, second) = engine.admin(Caller::Root).authorizations().create(new).unwrap();
    assert_eq!(check(newer.reveal()), Ok(second.id));
    // The old key alone no longer opens the store.
    assert!(matches!(open(&world, key()), Err(OpenError::WrongKey(_))));

    // A record under the old key is refused, so a stolen old key cannot create records.
    let now = world.store.get(&of_made).unwrap().unwrap();
    let put = Write::Put { record: before.record, expected: now.revision };
    world.store.commit(&[put]).unwrap();
    drop(engine);
    let engine = open(&world, again(&retired)).unwrap();
    let refused = engine.verifier().check(token.reveal(), &READ_BUCKETS);
    assert_eq!(refused, Err(Denied::Unknown));
    let fault = &engine.faults()[0];
    assert_eq!(fault.key, of_made);
    assert!(matches!(fault.problem, IntegrityFaultKind::Tampered(IntegrityError::Retired(_))));
}

#[test]
fn an_interrupted_rotation_resumes_and_keeps_tokens_valid() {
    let world = World::new();
    let made: Vec<_> = (0..1200).map(|_| world.create(&["read:buckets"])).collect();
    let rotating = key().rotated().unwrap();
    let works = |engine: &Engine| {
        for (token, one) in &made {
            let answer = engine.verifier().check(token.reveal(), &READ_BUCKETS);
            assert_eq!(answer, Ok(one.id));
        }
    };
    for allowed in 0..3 {
        let flaky = Arc::new(Flaky::new(Arc::clone(&world.store), allowed));
        let opened = Engine::open(flaky, again(&rotating), options(&world.clock));
        if let Ok(engine) = opened {
            assert!(engine.maintenance().reseal(&mut |_| ()).is_err(), "{allowed}");
            works(&engine);
        }
    }
    let engine = open(&world, again(&rotating)).unwrap();
    assert!(engine.maintenance().reseal(&mut |_| ()).unwrap() > 0);
    drop(engine);
    let engine = open(&world, rotating.retired()).unwrap();
    works(&engine);
    assert_eq!(engine.maintenance().fsck(&mut |_| {}).unwrap().problems, []);
}

#[test]
fn tampered_records_are_skipped_and_reported() {
    let world = World::on(Arc::new(MemoryStore::new()));
    let (_, made) = world.create(&["read:buckets"]);
    let of_made = RecordKey::new(Kind::AUTHORIZATION, made.id);
    let mut stored = world.store.get(&of_made).unwrap().unwrap();
    let last = stored.record.bytes.len() - 1;
    stored.record.bytes[last] ^= 1;
    let put = Write::Put { record: stored.record.clone(), expected: stored.revision };
    world.store.commit(&[put]).unwrap();
    let rotating = key().rotated().unwrap();
    let engine = open(&world, again(&rotating)).unwrap();
    engine.maintenance().reseal(&mut |_| ()).unwrap();
    assert_eq!(world.store.get(&of_made).unwrap().unwrap().record, stored.record);
    assert!(engine.faults().iter().any(|fault| fault.key == of_made));
    assert_ne!(stored.revision, Revision::ABSENT);
}
