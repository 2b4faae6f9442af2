//! Revocation on a store that fails at each of its calls.

use std::path::Path;
use std::sync::Arc;

use symbolon::record::{Kind, RecordKey};
use symbolon::{
    Action, AdminError, Caller, Denied, Engine, NewAuthorization, NewOrganization, Options,
    Permission, Request, ResourceType, Schema, Status, StoreError, StoreKey, TokenStore,
};

use super::{Fault, FaultyStore, Method};

const READ: Request<'static> = Request::new(Action::READ, ResourceType::BUCKETS);

/// Revokes one authorization after another through an engine, with each fault at each call of the
/// store. `open` creates the store in an empty directory. Returns the number of faults that
/// occurred.
///
/// # Panics
///
/// Panics if a revocation that returned `Ok` is not stored or not effective at once, if a refused
/// one is stored, or if repeating a revocation after the fault has no effect.
pub fn revoke_under_faults<S: TokenStore>(open: impl FnOnce(&Path) -> S) -> u64 {
    let dir = tempfile::tempdir().expect("cannot create a temporary directory");
    let store = Arc::new(FaultyStore::new(open(dir.path())));
    let world = World::new(&store);
    for (method, count) in world.revoke(None) {
        for nth in 1..=count {
            for fault in method.faults() {
                world.revoke(Some((method, nth, fault)));
            }
        }
    }
    let problems =
        world.engine.maintenance().fsck(&mut |_| {}).expect("the store can be read").problems;
    assert!(problems.is_empty(), "{problems:?}");
    store.struck()
}

struct World<S> {
    store: Arc<FaultyStore<S>>,
    engine: Engine,
    new: NewAuthorization,
}

impl<S: TokenStore> World<S> {
    fn new(store: &Arc<FaultyStore<S>>) -> Self {
        let key = StoreKey::from_bytes([7; 32]);
        let options = Options::new(Schema::influxdb_v2());
        let shared = Arc::clone(store) as Arc<dyn TokenStore>;
        let engine = Engine::create(shared, key, options).expect("cannot create an engine");
        let made = engine
            .admin(Caller::Root)
            .organizations()
            .create(NewOrganization::named("organization"));
        let organization = made.expect("cannot create an organization").id;
        let read = Permission::new(Action::READ, ResourceType::BUCKETS);
        // The engine's own thread calls the store too, at any time.
        store.only_this_thread();
        Self { store: Arc::clone(store), engine, new: NewAuthorization::new(organization, [read]) }
    }

    /// Revokes a new authorization with `fault`, and again without. Returns the number of calls of
    /// each method during the first revocation.
    fn revoke(&self, fault: Option<(Method, u64, Fault)>) -> [(Method, u64); 7] {
        let (engine, verifier) = (&self.engine, self.engine.verifier());
        let made = engine.admin(Caller::Root).authorizations().create(self.new.clone());
        let (token, authorization) = made.expect("cannot create an authorization");
        let id = authorization.id;
        let check = || verifier.check(token.reveal(), &READ);
        let is_stored = || {
            let found = self.store.inner().get(&RecordKey::new(Kind::AUTHORIZATION, id));
            let found = found.expect("get works").expect("the record exists");
            found.record.columns.status == Some(Status::Revoked)
        };
        assert_eq!(check(), Ok(id));
        let before = self.store.struck();
        if let Some((method, nth, fault)) = fault {
            self.store.plan(method, nth, fault);
        }
        let counts = || Method::ALL.map(|method| (method, self.store.calls(method)));
        let first = counts();
        let answer = engine.admin(Caller::Root).authorizations().revoke(id);
        let mut calls = counts();
        for ((_, count), (_, before)) in calls.iter_mut().zip(first) {
            *count -= before;
        }
        assert_eq!(self.store.struck() - before, u64::from(fault.is_some()));
        match &answer {
            Ok(_) => {
                assert!(is_stored(), "{fault:?}: Ok, but not stored");
                assert_eq!(check(), Err(Denied::Revoked(id)), "{fault:?}");
            }
            Err(error) if !is_unknown(error) => {
                assert!(!is_stored(), "{fault:?}: {error}, but stored");
                assert_eq!(check(), Ok(id), "{fault:?}");
            }
            Err(_) => {}
        }
        self.store.heal();
        let again = engine.admin(Caller::Root).authorizations().revoke(id);
        // A revoked authorization is not found.
        let is_done = matches!(again, Ok(_) | Err(AdminError::NotFound(_)));
        assert!(is_done, "{fault:?}: {again:?}");
        assert!(is_stored(), "{fault:?}");
        assert_eq!(check(), Err(Denied::Revoked(id)), "{fault:?}");
        calls
    }
}

/// Returns true if the change may have been written in spite of this error.
fn is_unknown(error: &AdminError) -> bool {
    matches!(error, AdminError::Store(error) if matches!(**error, StoreError::Backend(_)))
}
