//! Concurrent creation, checks and revocation of many tokens on a store that fails at random.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use symbolon::{
    Action, AdminError, Caller, Denied, Engine, NewAuthorization, NewOrganization, Options,
    Permission, Request, ResourceType, Schema, StoreKey, Token, TokenStore,
};

use super::{FaultyStore, Method};
use crate::rng::Rng;
use crate::threads::Running;

const READ: Request<'static> = Request::new(Action::READ, ResourceType::BUCKETS);
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);
/// Number of concurrent histories, so that they share commits.
const CONCURRENT_HISTORIES: u64 = 16;

/// Runs `histories` of one token each through an engine: each token is created, checked
/// continuously by one thread, and revoked by another, while commits fail in every way. `open`
/// creates the store in an empty directory. Returns the number of faults that occurred.
///
/// The environment variable `SYMBOLON_HISTORIES` overrides the number of histories.
///
/// # Panics
///
/// Panics if a token is refused before its revocation, if a check that started after a successful
/// revocation allows it, or if any check allows it after another refused it as revoked.
pub fn histories_under_faults<S: TokenStore>(open: impl FnOnce(&Path) -> S, histories: u64) -> u64 {
    let asked = std::env::var("SYMBOLON_HISTORIES").ok();
    let histories = asked.and_then(|text| text.parse().ok()).unwrap_or(histories);
    let dir = tempfile::tempdir().expect("cannot create a temporary directory");
    let store = Arc::new(FaultyStore::new(open(dir.path())));
    let shared = Arc::clone(&store) as Arc<dyn TokenStore>;
    let (key, options) = (StoreKey::from_bytes([7; 32]), Options::new(Schema::influxdb_v2()));
    let engine = Engine::create(shared, key, options).expect("cannot create an engine");
    let made =
        engine.admin(Caller::Root).organizations().create(NewOrganization::named("organization"));
    let read = Permission::new(Action::READ, ResourceType::BUCKETS);
    let new = NewAuthorization::new(made.expect("cannot create an organization").id, [read]);
    let next = AtomicU64::new(0);
    let living = Running::default();
    thread::scope(|scope| {
        for _ in 0..CONCURRENT_HISTORIES {
            let (engine, new, next) = (&engine, &new, &next);
            let one = living.one();
            scope.spawn(move || {
                let _living = one;
                while next.fetch_add(1, Ordering::Relaxed) < histories {
                    live(engine, new);
                }
            });
        }
        scope.spawn(|| inject_faults(&store, &living));
    });
    store.heal();
    // A creation that was not confirmed reaches the index only when the engine follows the store.
    let started = Instant::now();
    loop {
        let problems =
            engine.maintenance().fsck(&mut |_| {}).expect("the store can be read").problems;
        if problems.is_empty() {
            break;
        }
        assert!(started.elapsed() < RETRY_TIMEOUT, "{problems:?}");
        thread::sleep(Duration::from_millis(20));
    }
    store.struck()
}

/// Plans faults until all histories have finished.
fn inject_faults<S: TokenStore>(store: &FaultyStore<S>, living: &Running) {
    let mut rng = Rng::new(1);
    while living.any() {
        let method = rng.pick(&[Method::Commit, Method::Commit, Method::Get]);
        store.plan(method, 1 + rng.below(3), rng.pick(&method.faults()));
        thread::sleep(Duration::from_millis(1 + rng.below(4)));
        if rng.once_in(2) {
            store.heal();
        }
    }
}

/// Runs the history of one token.
fn live(engine: &Engine, new: &NewAuthorization) {
    let (engine, verifier) = (&engine, engine.verifier());
    let (token, made) =
        retry_until_ok(|| engine.admin(Caller::Root).authorizations().create(new.clone()));
    let id = made.id;
    let check = |token: &Token| verifier.check(token.reveal(), &READ);
    assert_eq!(check(&token), Ok(id), "a new token is allowed");
    let revoked = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut ended = false;
            for after in 0.. {
                let is_revoked = revoked.load(Ordering::SeqCst);
                match check(&token) {
                    Ok(_) => assert!(!is_revoked && !ended, "{id} is allowed after its revocation"),
                    Err(denied) => {
                        assert_eq!(denied, Denied::Revoked(id));
                        ended = true;
                    }
                }
                if is_revoked && after > 20 {
                    return;
                }
                // Other threads need time on a machine with few processors.
                thread::sleep(Duration::from_micros(100));
            }
        });
        retry_until_ok(|| match engine.admin(Caller::Root).authorizations().revoke(id) {
            // An attempt that failed was written after all.
            Err(AdminError::NotFound(_)) => Ok(()),
            revoked => revoked.map(drop),
        });
        revoked.store(true, Ordering::SeqCst);
    });
}

/// Repeats `change` until it succeeds.
fn retry_until_ok<T, E>(mut change: impl FnMut() -> Result<T, E>) -> T {
    loop {
        if let Ok(done) = change() {
            return done;
        }
        thread::yield_now();
    }
}
