//! Adoption: the engine's own thread adds a keyed digest to an imported hash.

use std::sync::Arc;
use std::time::Duration;

use symbolon::record::{Kind, RecordKey};
use symbolon::store::TokenStore;
use symbolon::{Authorization, Engine, MemoryStore, Options};
use symbolon_conformance::faults::{FaultyStore, Method};

use super::{Plan, eventually};
use crate::fixture::{READ_BUCKETS, World, key, options};

/// With each fault at each call, the token stays allowed, and has its keyed digest after recovery.
#[test]
fn adoption_eventually_succeeds_under_every_fault() {
    let counts = adopt(&Vec::new());
    let mut faults = 0;
    for (method, count) in [Method::Get, Method::Find, Method::Commit].into_iter().zip(counts) {
        assert!(count >= 1, "{method:?}");
        for nth in 1..=count {
            for fault in method.faults() {
                adopt(&vec![(method, nth, fault)]);
                faults += 1;
            }
        }
    }
    println!("an adoption calls {counts:?}; {faults} faults");
}

/// Returns the number of calls of `get`, `find` and `commit` by the engine's thread.
fn adopt(plan: &Plan) -> [u64; 3] {
    let store = Arc::new(FaultyStore::new(MemoryStore::shared()));
    let world = World::on(Arc::clone(&store) as Arc<dyn TokenStore>);
    let (wanted, text) = imported(&world);
    let record = RecordKey::new(Kind::AUTHORIZATION, wanted.id);
    let size = || store.inner().get(&record).unwrap().unwrap().record.bytes.len();
    let before = size();
    // A short staleness limit makes the engine read the store often.
    let options = Options { max_staleness: Duration::from_millis(30), ..options(&world.clock) };
    let shared = Arc::clone(&store) as Arc<dyn TokenStore>;
    let engine = Engine::open(shared, key(), options).unwrap();
    let check = |engine: &Engine| engine.verifier().check(text, &READ_BUCKETS);
    let counts = || [Method::Get, Method::Find, Method::Commit].map(|one| store.calls(one));
    let first = counts();
    for (method, nth, fault) in plan {
        store.plan(*method, *nth, *fault);
    }
    assert_eq!(check(&engine), Ok(wanted.id));
    eventually(|| store.struck() == plan.len() as u64 && (!plan.is_empty() || size() > before));
    let now = counts();
    assert_eq!(check(&engine), Ok(wanted.id), "{plan:?}");
    store.heal();
    // A failed adoption is repeated at the next use of the token.
    eventually(|| check(&engine) == Ok(wanted.id) && size() > before);
    eventually(|| engine.maintenance().fsck(&mut |_| {}).unwrap().problems.is_empty());
    assert_eq!(check(&engine), Ok(wanted.id), "{plan:?}");
    let restarted = world.another();
    assert_eq!(check(&restarted), Ok(wanted.id), "{plan:?}");
    assert_eq!(restarted.maintenance().fsck(&mut |_| {}).unwrap().problems, [], "{plan:?}");
    let mut made = now.into_iter().zip(first).map(|(now, first)| now - first);
    [(); 3].map(|()| made.next().unwrap())
}

fn imported(world: &World) -> (Authorization, &'static str) {
    let (item, wanted, text) = super::setup::hashed(world.org.id);
    world.engine.maintenance().import(&[item]).unwrap();
    (wanted, text)
}
