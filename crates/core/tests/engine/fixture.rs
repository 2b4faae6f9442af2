//! An engine on a memory store, with a manual clock.

use std::sync::Arc;
use std::time::Duration;

use symbolon::{
    Action, Admin, Authorization, Caller, Denied, Engine, Id, ImportItem, ManualClock, MemoryStore,
    NewAuthorization, NewOrganization, NewUser, Options, Organization, Origin, Permission, Prefix,
    Request, ResourceType, Schema, Status, StoreKey, Token, TokenStore, User,
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
            .admin(Caller::Root)
            .organizations()
            .create(NewOrganization::named("org"))
            .unwrap();
        Self { engine, store, clock, org }
    }

    /// Creates another engine on the same store, as in another process.
    pub(crate) fn another(&self) -> Engine {
        engine(&self.store, &self.clock)
    }

    pub(crate) fn new_authorization(&self, permissions: &[&str]) -> NewAuthorization {
        NewAuthorization::new(self.org.id, permissions.iter().map(|text| text.parse().unwrap()))
    }

    pub(crate) fn create(&self, permissions: &[&str]) -> (Token, Authorization) {
        let new = self.new_authorization(permissions);
        self.root().authorizations().create(new).unwrap()
    }

    pub(crate) fn create_v2(&self, permissions: &[&str]) -> (Token, Authorization) {
        let new = NewAuthorization { origin: Origin::V2, ..self.new_authorization(permissions) };
        self.root().authorizations().create(new).unwrap()
    }

    /// Creates a caller with these permissions in the world's organization.
    pub(crate) fn caller(&self, permissions: &[&str]) -> Caller {
        self.bearer(&self.create(permissions).0)
    }

    /// Returns the bearer of a token as a caller.
    pub(crate) fn bearer(&self, token: &Token) -> Caller {
        let verifier = self.engine.verifier();
        verifier.authenticate(token.reveal()).unwrap().caller()
    }

    /// Creates a user.
    pub(crate) fn user(&self, name: &str) -> Id {
        self.root().users().create(NewUser::named(name)).unwrap().id
    }

    /// Creates an organization.
    pub(crate) fn organization(&self, name: &str) -> Id {
        let new = NewOrganization::named(name);
        self.root().organizations().create(new).unwrap().id
    }

    /// Returns the administration by the embedding program, with tombstones.
    pub(crate) fn root(&self) -> Admin {
        self.engine.admin(Caller::Root).with_tombstones()
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

/// Returns a signed-in user with this id as a caller, whatever the tested store holds under that
/// id.
pub(crate) fn user_caller(id: Id) -> Caller {
    let world = World::new();
    let user = User {
        id,
        name: "caller".into(),
        status: Status::Active,
        operator: false,
        memberships: Vec::new(),
        password_hash: None,
        created_at: world.org.created_at,
        updated_at: world.org.created_at,
    };
    let maintenance = world.engine.maintenance();
    maintenance.import(&[ImportItem::User(user.clone())]).unwrap();
    world.engine.sign_in().verify_password("caller", |_| true).unwrap().into()
}

/// Returns the bearer of the token of an authorization with this id as a caller, whatever the
/// tested store holds under that id.
pub(crate) fn bearer_caller(id: Id) -> Caller {
    let world = World::new();
    let (_, authorization) = world.create(&["read:buckets"]);
    let token = Token::generate(Prefix::default(), id).unwrap();
    let copy = Token::parse(Prefix::default(), token.reveal()).unwrap();
    let item = ImportItem::Authorization(Authorization { id, ..authorization }, token);
    world.engine.maintenance().import(&[item]).unwrap();
    world.bearer(&copy)
}
