//! Revokes on a store that fails at every call that they make.

use std::path::Path;
use std::sync::Arc;

use symbolon::record::{Kind, RecordKey};
use symbolon::{
    Action, Caller, Denied, Engine, Error, NewAuthorization, Options, Permission, Request,
    ResourceType, Schema, Status, StoreError, StoreKey, TokenStore,
};

use super::{Fault, FaultyStore, Method};

const READ: Request<'static> = Request::new(Action::READ, ResourceType::BUCKETS);

/// Revokes one authorization after another through an engine on the store that `open` makes in an empty folder, with
/// each fault at each call of the store. Returns how many faults struck.
///
/// # Panics
///
/// If a revoke that answered `Ok` is not in the store or does not hold at once, if one that was refused is, or if one
/// that is tried again after the fault does not hold.
pub fn revoke_under_faults<S: TokenStore>(open: impl FnOnce(&Path) -> S) -> u64 {
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let store = Arc::new(FaultyStore::new(open(dir.path())));
    let world = World::new(&store);
    for (method, count) in world.revoke(None) {
        for nth in 1..=count {
            for fault in method.faults() {
                world.revoke(Some((method, nth, fault)));
            }
        }
    }
    let problems = world.engine.fsck().expect("it can be read").problems;
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
        let engine = Engine::create(shared, key, options).expect("an engine can be made");
        let issuer = engine.issuer();
        let made = issuer.create_organization(&Caller::Root, "organization", "");
        let organization = made.expect("an organization can be made").id;
        let read = Permission::new(Action::READ, ResourceType::BUCKETS);
        // The engine's own thread calls the store too, whenever it likes.
        store.only_this_thread();
        Self {
            store: Arc::clone(store),
            engine,
            new: NewAuthorization::new(organization, [read]),
        }
    }

    /// Revokes with a fault, or none, and once more without. Returns what the first revoke called, and how often.
    fn revoke(&self, fault: Option<(Method, u64, Fault)>) -> [(Method, u64); 7] {
        let (issuer, verifier) = (self.engine.issuer(), self.engine.verifier());
        let made = issuer.create(&Caller::Root, self.new.clone());
        let (token, authorization) = made.expect("an authorization can be made");
        let id = authorization.id;
        let check = || verifier.check(token.reveal(), &READ);
        let is_stored = || {
            let found = self
                .store
                .inner()
                .get(&RecordKey::new(Kind::AUTHORIZATION, id));
            let found = found.expect("it can be read").expect("it is there");
            found.record.columns.status == Some(Status::Revoked)
        };
        assert_eq!(check(), Ok(id));
        let before = self.store.struck();
        if let Some((method, nth, fault)) = fault {
            self.store.plan(method, nth, fault);
        }
        let counts = || Method::ALL.map(|method| (method, self.store.calls(method)));
        let first = counts();
        let answer = issuer.revoke(&Caller::Root, id);
        let mut calls = counts();
        for ((_, count), (_, before)) in calls.iter_mut().zip(first) {
            *count -= before;
        }
        assert_eq!(self.store.struck() - before, u64::from(fault.is_some()));
        match &answer {
            Ok(_) => {
                assert!(is_stored(), "{fault:?}: a false ok");
                assert_eq!(check(), Err(Denied::Revoked(id)), "{fault:?}");
            }
            Err(error) if !is_unknown(error) => {
                assert!(!is_stored(), "{fault:?}: {error} but it is there");
                assert_eq!(check(), Ok(id), "{fault:?}");
            }
            Err(_) => {}
        }
        self.store.heal();
        let again = issuer.revoke(&Caller::Root, id);
        assert!(again.is_ok(), "{fault:?}: {again:?}");
        assert!(is_stored(), "{fault:?}");
        assert_eq!(check(), Err(Denied::Revoked(id)), "{fault:?}");
        calls
    }
}

/// Whether a change that ended so may be there.
fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::Store(error) if matches!(**error, StoreError::Backend(_)))
}
