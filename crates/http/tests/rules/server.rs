//! A server on a memory store with an organization, a user, an operator's token and a manual clock.

use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};
use symbolon::{
    Authorization, Caller, Engine, Id, ManualClock, MemoryStore, NewAuthorization, Options, Origin,
    Permission, Role, Schema, StoreKey, User,
};
use symbolon_http::{Api, Settings, application};

use crate::sets::permissions;
use crate::support::{Reply, ask, run};

pub(crate) struct Server {
    pub(crate) app: Router,
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: ManualClock,
    pub(crate) org: Id,
    pub(crate) user: User,
    pub(crate) operator: String,
    pub(crate) store: Arc<MemoryStore>,
}

pub(crate) fn engine(store: &Arc<MemoryStore>, clock: &ManualClock) -> Arc<Engine> {
    let options = Options {
        clock: Arc::new(clock.clone()),
        ..Options::new(Schema::influxdb_v2().and(Schema::databases()))
    };
    let store = Arc::clone(store);
    let engine = Engine::create(store, StoreKey::from_bytes([7; 32]), options);
    Arc::new(engine.unwrap())
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
        let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        let store = Arc::new(MemoryStore::new());
        let engine = engine(&store, &clock);
        let issuer = engine.issuer();
        let org = issuer
            .create_organization(&Caller::Root, "my-org", "")
            .unwrap()
            .id;
        let user = issuer.create_user(&Caller::Root, "anna", None).unwrap();
        let app = application(Api::new(Arc::clone(&engine), settings));
        let mut server = Self {
            app,
            engine,
            clock,
            org,
            user,
            operator: String::new(),
            store,
        };
        server.operator = server.token(&texts(&Schema::influxdb_operator())).0;
        server
    }

    /// Creates a token of the organization and its user.
    pub(crate) fn token<T: AsRef<str>>(&self, held: &[T]) -> (String, Authorization) {
        self.token_of(self.org, Some(self.user.id), held)
    }

    pub(crate) fn token_of<T: AsRef<str>>(
        &self,
        org: Id,
        user: Option<Id>,
        held: &[T],
    ) -> (String, Authorization) {
        let new = NewAuthorization {
            user,
            origin: Origin::V2,
            ..NewAuthorization::new(org, permissions(held))
        };
        let (token, made) = self.engine.issuer().create(&Caller::Root, new).unwrap();
        (token.reveal().to_owned(), made)
    }

    pub(crate) fn create_user(&self, name: &str) -> Id {
        let issuer = self.engine.issuer();
        issuer.create_user(&Caller::Root, name, None).unwrap().id
    }

    pub(crate) fn create_org(&self, name: &str) -> Id {
        let made = self.engine.issuer();
        let made = made.create_organization(&Caller::Root, name, "");
        made.unwrap().id
    }

    pub(crate) fn add_member(&self, org: Id, user: Id, role: Role) {
        let issuer = self.engine.issuer();
        issuer.add_member(&Caller::Root, org, user, role).unwrap();
    }

    /// Sets the password of the server's user.
    pub(crate) fn set_password(&self, password: &str) {
        let line = format!("POST /api/v2/users/{}/password", self.user.id);
        self.operate(&line, json!({"password": password}))
            .expect(204);
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

    /// Sends `GET PATH` with a token.
    pub(crate) fn get_as(&self, token: &str, path: &str) -> Reply {
        self.ask(&format!("GET {path}"), token, Value::Null)
    }

    pub(crate) fn ask_with(&self, line: &str, headers: &[(&str, &str)], body: Value) -> Reply {
        let (method, path) = line.split_once(' ').unwrap();
        let body = Some(body).filter(|body| !body.is_null());
        let body = body.map(|body| match body {
            Value::String(raw) => raw,
            body => body.to_string(),
        });
        run(ask(&self.app, method, path, headers, body))
    }
}
