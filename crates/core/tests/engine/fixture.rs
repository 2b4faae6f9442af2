//! An engine on a memory store, with a manual clock.

use std::sync::Arc;
use std::time::Duration;

use symbolon::{
    Action, Authorization, Caller, Denied, Engine, Id, ManualClock, MemoryStore, NewAuthorization,
    Options, Organization, Origin, Permission, Request, ResourceType, Schema, StoreKey, Token,
    TokenStore,
};

pub(crate) const READ_BUCKETS: Request<'static> = Request::new(Action::READ, ResourceType::BUCKETS);

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) clock: ManualClock,
    pub(crate) org: Organization,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::on(Arc::new(MemoryStore::new()))
    }

    pub(crate) fn on(store: Arc<dyn TokenStore>) -> Self {
        let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        let engine = engine(&store, &clock);
        let org = engine
            .issuer()
            .create_organization(&Caller::Root, "org", "")
            .unwrap();
        Self {
            engine,
            store,
            clock,
            org,
        }
    }

    /// Creates another engine on the same store, as in another process.
    pub(crate) fn another(&self) -> Engine {
        engine(&self.store, &self.clock)
    }

    pub(crate) fn new_authorization(&self, permissions: &[&str]) -> NewAuthorization {
        NewAuthorization::new(
            self.org.id,
            permissions.iter().map(|text| text.parse().unwrap()),
        )
    }

    pub(crate) fn create(&self, permissions: &[&str]) -> (Token, Authorization) {
        let new = self.new_authorization(permissions);
        self.engine.issuer().create(&Caller::Root, new).unwrap()
    }

    pub(crate) fn create_v2(&self, permissions: &[&str]) -> (Token, Authorization) {
        let new = NewAuthorization {
            origin: Origin::V2,
            ..self.new_authorization(permissions)
        };
        self.engine.issuer().create(&Caller::Root, new).unwrap()
    }

    /// Creates a caller with these permissions in the world's organization.
    pub(crate) fn caller(&self, permissions: &[&str]) -> Caller {
        Caller::Authorization(self.create(permissions).1.id)
    }

    pub(crate) fn check(&self, token: &Token) -> Result<Id, Denied> {
        self.engine.verifier().check(token.reveal(), &READ_BUCKETS)
    }
}

pub(crate) fn options(clock: &ManualClock) -> Options {
    Options {
        clock: Arc::new(clock.clone()),
        max_staleness: Duration::from_secs(10),
        ..Options::new(Schema::influxdb_v2().and(Schema::databases()))
    }
}

pub(crate) fn key() -> StoreKey {
    StoreKey::from_bytes([42; 32])
}

pub(crate) fn engine(store: &Arc<dyn TokenStore>, clock: &ManualClock) -> Engine {
    Engine::create(Arc::clone(store), key(), options(clock)).unwrap()
}

pub(crate) fn permission(text: &str) -> Permission {
    text.parse().unwrap()
}
