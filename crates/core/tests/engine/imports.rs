//! Imports of authorizations with their ids and tokens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon::record::{Kind, RecordKey};
use symbolon::store::Query;
use symbolon::{
    AdminError, Authorization, Denied, Field, ForeignHash, Id, IfRevoked, ImportItem, ImportReport,
    MemoryStore, Origin, Prefix, Status, Timestamp, Token, TokenStore,
};
use symbolon_conformance::faults::{Fault, FaultyStore, Method, Refusal};

use crate::fixture::{READ_BUCKETS, World, permission};

pub(crate) const V2: &str =
    "vU2yFRK0d4kS9K1_8bl3vM7tFwnBXzPz6QQbkG2OQdXqZm3cBqh2vJtQ9C8o5gLhV6p0rN1yWcE4xTzUaSfDiA==";
const V3: &str =
    "apiv3_vU2yFRK0d4kS9K1_8bl3vM7tFwnBXzPz6QQbkG2OQdXqZm3cBqh2vJtQ9C8o5gLhV6p0rN1yWcE4xTzUaSfDiA";

pub(crate) fn authorization(world: &World, number: u64) -> Authorization {
    let at: Timestamp = "2024-05-06T07:08:09.123456789Z".parse().unwrap();
    Authorization {
        id: Id::new(number).unwrap(),
        organization: world.org.id,
        user: None,
        created_by: None,
        origin: Origin::V2,
        rotated_from: None,
        description: "imported".into(),
        permissions: [permission("read:buckets")].into_iter().collect(),
        status: Status::Active,
        expires_at: None,
        created_at: at,
        updated_at: at,
        revoked_at: None,
        last_used: None,
    }
}

pub(crate) fn token(text: &str) -> Token {
    Token::parse(Prefix::SYMBOLON, text).unwrap()
}

fn check(world: &World, text: &str) -> Result<Id, Denied> {
    world.engine.verifier().check(text, &READ_BUCKETS)
}

#[test]
fn imported_tokens_keep_their_ids_and_times() {
    let world = World::new();
    let root = world.root();
    let engine = &world.engine;
    let wanted = authorization(&world, 1000);
    let items = || {
        [
            ImportItem::Authorization(wanted.clone(), token(V2)),
            ImportItem::Authorization(authorization(&world, 1001), token(V3)),
        ]
    };
    assert_eq!(engine.maintenance().import(&items()).unwrap(), ImportReport { new: 2, known: 0 });
    assert_eq!((check(&world, V2), check(&world, V3)), (Ok(wanted.id), Ok(Id::new(1001).unwrap())));
    let found = root.authorizations().get(wanted.id).unwrap();
    let last_used = found.last_used;
    assert!(last_used.is_some());
    assert_eq!(found, Authorization { last_used, ..wanted.clone() });
    assert_eq!(engine.maintenance().import(&items()).unwrap(), ImportReport { new: 0, known: 2 });
    // An authorization that was revoked after the import stays revoked when it is imported again.
    root.authorizations().revoke(wanted.id).unwrap();
    assert_eq!(engine.maintenance().import(&items()).unwrap(), ImportReport { new: 0, known: 2 });
    assert_eq!(check(&world, V2), Err(Denied::Revoked(wanted.id)));
}

#[test]
fn a_foreign_hash_is_upgraded_to_a_keyed_digest_on_first_use() {
    for foreign_hash in [ForeignHash::sha256(V2.as_bytes()), ForeignHash::sha512(V2.as_bytes())] {
        let world = World::new();
        let engine = &world.engine;
        let wanted = authorization(&world, 1000);
        let item = || ImportItem::Hashed(wanted.clone(), foreign_hash);
        engine.maintenance().import(&[item()]).unwrap();
        let before = size(&world, wanted.id);
        assert_eq!(check(&world, V3), Err(Denied::Unknown));
        assert_eq!(check(&world, V2), Ok(wanted.id));
        let start = Instant::now();
        while size(&world, wanted.id) == before {
            assert!(start.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(10));
        }
        let another = world.another();
        assert_eq!(another.verifier().check(V2, &READ_BUCKETS), Ok(wanted.id));
        assert!(world.engine.maintenance().fsck(&mut |_| {}).unwrap().problems.is_empty());
        // The authorization counts as imported in either form, and no other record can have its
        // token.
        assert_eq!(engine.maintenance().import(&[item()]).unwrap().known, 1);
        let text = ImportItem::Authorization(wanted.clone(), token(V2));
        assert_eq!(engine.maintenance().import(&[text]).unwrap().known, 1);
        let second = ImportItem::Authorization(authorization(&world, 1002), token(V2));
        assert!(matches!(
            engine.maintenance().import(&[second]),
            Err(AdminError::Exists(Field::Token))
        ));
        world.root().authorizations().revoke(wanted.id).unwrap();
        assert_eq!(check(&world, V2), Err(Denied::Revoked(wanted.id)));
    }
}

/// Returns the size of a record, which grows when the keyed digest is added.
fn size(world: &World, id: Id) -> usize {
    let key = RecordKey::new(Kind::AUTHORIZATION, id);
    world.store.get(&key).unwrap().unwrap().record.bytes.len()
}

#[test]
fn a_stored_hash_is_not_accepted_as_a_token() {
    let world = World::new();
    let wanted = authorization(&world, 1000);
    let phc = "$influxdb2-sha256$n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg=";
    let item = ImportItem::Hashed(wanted, phc.parse().unwrap());
    world.engine.maintenance().import(&[item]).unwrap();
    assert_eq!(check(&world, phc), Err(Denied::Unknown));
}

#[test]
fn invalid_imports_are_reported_and_write_nothing() {
    let world = World::new();
    let engine = &world.engine;
    let (_, own) = world.create(&["read:buckets"]);
    let native = Token::generate(Prefix::SYMBOLON, Id::new(77).unwrap()).unwrap();
    let good = || ImportItem::Authorization(authorization(&world, 1000), token(V2));
    let bad = |edit: &dyn Fn(&mut Authorization), text: &str| {
        let mut changed = authorization(&world, 1001);
        edit(&mut changed);
        let item = ImportItem::Authorization(changed, token(text));
        assert!(engine.maintenance().check_import(&item, IfRevoked::Refuse).is_err() || text == V2);
        engine.maintenance().import(&[good(), item]).unwrap_err().to_string()
    };
    assert_eq!(bad(&|_| {}, V2), "token exists already; choose another");
    assert!(bad(&|_| {}, native.reveal()).contains("belongs to authorization"));
    assert!(bad(&|one| one.description = "\u{7}".into(), V3).contains("U+0007"));
    assert!(
        bad(&|one| one.permissions = [permission("read:nothing")].into_iter().collect(), V3)
            .contains("unknown resource type `nothing`")
    );
    assert!(bad(&|one| one.permissions = Vec::new().into(), V3).contains("must include"));
    assert_eq!(bad(&|one| one.id = own.id, V3), "authorization exists already; choose another");
    assert_eq!(check(&world, V2), Err(Denied::Unknown));
    assert_eq!(world.engine.len(), 2);
}

fn texts(numbers: std::ops::Range<u64>) -> impl Iterator<Item = (u64, String)> {
    numbers.map(|number| (number, format!("{number:040}")))
}

fn items(world: &World, numbers: std::ops::Range<u64>) -> Vec<ImportItem> {
    let item = |(number, text): (u64, String)| {
        ImportItem::Authorization(authorization(world, number), token(&text))
    };
    texts(numbers).map(item).collect()
}

#[test]
fn imports_are_compared_with_unindexed_records() {
    let world = World::new();
    // An engine on an exclusive store rarely reads writes of others.
    let blind = world.another();
    let engine = &blind;
    world.engine.maintenance().import(&items(&world, 1000..1010)).unwrap();
    assert_eq!(
        engine.maintenance().import(&items(&world, 1005..1015)).unwrap(),
        ImportReport { new: 5, known: 5 }
    );
    world.engine.maintenance().import(&items(&world, 1100..1101)).unwrap();
    let other_token = ImportItem::Authorization(authorization(&world, 1100), token(V2));
    assert!(matches!(
        engine.maintenance().import(&[other_token]),
        Err(AdminError::Exists(Field::Authorization))
    ));
    world.engine.maintenance().import(&items(&world, 1200..1201)).unwrap();
    let mut same_token = items(&world, 1300..1305);
    let (_, text) = texts(1200..1201).next().unwrap();
    same_token.push(ImportItem::Authorization(authorization(&world, 1399), token(&text)));
    assert!(matches!(
        engine.maintenance().import(&same_token),
        Err(AdminError::Exists(Field::Token))
    ));
    let mut nowhere = authorization(&world, 1400);
    nowhere.organization = Id::new(99).unwrap();
    let nowhere = ImportItem::Authorization(nowhere, token(V2));
    assert!(matches!(
        engine.maintenance().import(&[nowhere]),
        Err(AdminError::NotFound(Field::Organization))
    ));
    let kept = world.store.find(&Query::all(Kind::AUTHORIZATION)).unwrap();
    assert_eq!(kept.len(), 15 + 1 + 1, "refused imports write nothing");
}

#[test]
fn duplicate_import_items_are_rejected_and_write_nothing() {
    let world = World::new();
    let engine = &world.engine;
    let mut same_id = items(&world, 1000..1010);
    same_id.push(ImportItem::Authorization(authorization(&world, 1004), token(V2)));
    assert!(matches!(
        engine.maintenance().import(&same_id),
        Err(AdminError::Exists(Field::Authorization))
    ));
    let mut same_token = items(&world, 1000..1010);
    let (_, text) = texts(1004..1005).next().unwrap();
    same_token.push(ImportItem::Authorization(authorization(&world, 1010), token(&text)));
    assert!(matches!(
        engine.maintenance().import(&same_token),
        Err(AdminError::Exists(Field::Token))
    ));
    let kept = world.store.find(&Query::all(Kind::AUTHORIZATION)).unwrap();
    assert!(kept.is_empty());
    assert_eq!(check(&world, &text), Err(Denied::Unknown));
}

#[test]
fn an_interrupted_import_resumes() {
    let faults = Method::Commit.faults().into_iter();
    for fault in faults.chain([Fault::Instead(Refusal::Conflict(3))]) {
        let store = Arc::new(FaultyStore::new(MemoryStore::new()));
        let world = World::on(Arc::clone(&store) as Arc<dyn TokenStore>);
        let engine = &world.engine;
        engine.maintenance().import(&items(&world, 1000..1010)).unwrap();
        store.plan(Method::Commit, 1, fault);
        let interrupted = engine.maintenance().import(&items(&world, 1010..1020));
        assert_eq!(store.struck(), 1, "{fault:?}");
        store.heal();
        let there = world.store.find(&Query::all(Kind::AUTHORIZATION)).unwrap();
        assert!(matches!(there.len(), 10 | 20), "all or none: {fault:?}");
        assert!(interrupted.is_err() || there.len() == 20, "{fault:?}");
        let again = engine.maintenance().import(&items(&world, 1000..1020)).unwrap();
        let known = there.len();
        assert_eq!(again, ImportReport { new: 20 - known, known }, "{fault:?}");
        for (number, text) in texts(1000..1020) {
            assert_eq!(check(&world, &text), Ok(Id::new(number).unwrap()), "{fault:?}");
        }
    }
}
