//! A server on a memory store, called without a network.

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};
use symbolon::{
    Admin, Authorization, Caller, Engine, Id, ManualClock, MemoryStore, NewAuthorization,
    NewBucket, NewOrganization, NewUser, Options, OrganizationEdit, Origin, Permission, Role,
    Schema, StoreKey, Transition, UserEdit,
};
use symbolon_http::{Api, Settings, application};

use crate::sets::{operator, permissions};
use crate::support::{Reply, ask, run};

/// An engine on a memory store with a manual clock.
pub(crate) struct Backend {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: ManualClock,
    store: Arc<MemoryStore>,
}

impl Backend {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        Self::over(Arc::new(MemoryStore::new()), clock)
    }

    fn over(store: Arc<MemoryStore>, clock: ManualClock) -> Self {
        let options = Options {
            clock: Arc::new(clock.clone()),
            ..Options::new(Schema::influxdb_v2().and(Schema::databases()))
        };
        let key = StoreKey::from_bytes([7; 32]);
        let engine = Engine::create(Arc::clone(&store) as _, key, options).unwrap();
        Self { engine: Arc::new(engine), clock, store }
    }

    pub(crate) fn app(&self, settings: Settings) -> Router {
        application(Api::new(Arc::clone(&self.engine), settings))
    }

    pub(crate) fn create(&self, new: NewAuthorization) -> (String, Authorization) {
        let (token, made) = self.root().authorizations().create(new).unwrap();
        (token.reveal().to_owned(), made)
    }

    /// Creates a token of v2.
    pub(crate) fn issue(
        &self,
        org: Id,
        user: Option<Id>,
        held: Vec<Permission>,
    ) -> (String, Authorization) {
        self.create(NewAuthorization {
            user,
            origin: Origin::V2,
            ..NewAuthorization::new(org, held)
        })
    }

    /// Creates a database token.
    pub(crate) fn database_token<T: AsRef<str>>(&self, org: Id, held: &[T]) -> (String, Id) {
        let (token, made) = self.create(NewAuthorization {
            origin: Origin::V0,
            ..NewAuthorization::new(org, permissions(held))
        });
        (token, made.id)
    }

    pub(crate) fn create_user(&self, name: &str) -> Id {
        self.root().users().create(NewUser::named(name)).unwrap().id
    }

    pub(crate) fn create_org(&self, name: &str) -> Id {
        let made = self.root().organizations().create(NewOrganization::named(name));
        made.unwrap().id
    }

    /// Returns the administration by the embedding program.
    pub(crate) fn root(&self) -> Admin {
        self.engine.admin(Caller::Root).with_tombstones()
    }

    pub(crate) fn create_bucket(&self, org: Id, name: &str) -> Id {
        let made = self.root().buckets().create(NewBucket { organization: org, name: name.into() });
        made.unwrap().id
    }

    pub(crate) fn add_member(&self, org: Id, user: Id, role: Role) {
        self.root().organizations().add_member(org, user, role).unwrap();
    }

    pub(crate) fn change_user(&self, id: Id, transition: Transition) {
        let edit = UserEdit { transition: Some(transition), ..UserEdit::default() };
        self.root().users().edit(id, edit).unwrap();
    }

    pub(crate) fn change_org(&self, id: Id, transition: Transition) {
        let edit = OrganizationEdit { transition: Some(transition), ..OrganizationEdit::default() };
        self.root().organizations().edit(id, edit).unwrap();
    }
}

/// A server with an organization, a user and an operator's token.
pub(crate) struct Server {
    pub(crate) app: Router,
    pub(crate) backend: Backend,
    pub(crate) org: Id,
    pub(crate) user: Id,
    pub(crate) operator: String,
}

impl Deref for Server {
    type Target = Backend;

    fn deref(&self) -> &Backend {
        &self.backend
    }
}

/// Returns the string forms of these permissions.
pub(crate) fn texts(held: &[Permission]) -> Vec<String> {
    held.iter().map(ToString::to_string).collect()
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let backend = Backend::new();
        let (org, user) = (backend.create_org("my-org"), backend.create_user("anna"));
        Self {
            app: backend.app(settings),
            operator: backend.issue(org, Some(user), operator()).0,
            backend,
            org,
            user,
        }
    }

    /// Stops the server, and starts it with the same store.
    pub(crate) fn restarted(self) -> Self {
        drop((self.app, self.backend.engine));
        let backend = Backend::over(self.backend.store, self.backend.clock);
        Self { app: backend.app(Settings::default()), backend, ..self }
    }

    /// Creates a token of the organization and its user.
    pub(crate) fn token<T: AsRef<str>>(&self, held: &[T]) -> (String, Authorization) {
        self.issue(self.org, Some(self.user), permissions(held))
    }

    /// Sets the password of the server's user.
    pub(crate) fn set_password(&self, password: &str) {
        let line = format!("POST /api/v2/users/{}/password", self.user);
        let reply = self.operate(&line, json!({"password": password}));
        reply.expect(204);
    }

    /// Sends `METHOD PATH` with a token, and with a body unless it is null.
    pub(crate) fn ask(&self, line: &str, token: &str, body: Value) -> Reply {
        let token = format!("Token {token}");
        self.ask_with(line, &[("authorization", &token)], body)
    }

    /// Sends `METHOD PATH` as operator.
    pub(crate) fn operate(&self, line: &str, body: Value) -> Reply {
        self.ask(line, &self.operator, body)
    }

    /// Sends `GET PATH` as operator.
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.operate(&format!("GET {path}"), Value::Null)
    }

    /// Sends `DELETE PATH` as operator.
    pub(crate) fn delete(&self, path: &str) -> Reply {
        self.operate(&format!("DELETE {path}"), Value::Null)
    }

    /// Sends `PATCH PATH` as operator.
    pub(crate) fn patch(&self, path: &str, body: Value) -> Reply {
        self.operate(&format!("PATCH {path}"), body)
    }

    /// Sends `GET PATH` with a token.
    pub(crate) fn get_as(&self, token: &str, path: &str) -> Reply {
        self.ask(&format!("GET {path}"), token, Value::Null)
    }

    pub(crate) fn ask_with(&self, line: &str, headers: &[(&str, &str)], body: Value) -> Reply {
        run(ask(&self.app, line, headers, body))
    }
}
