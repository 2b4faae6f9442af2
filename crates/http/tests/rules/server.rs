//! A server on a memory store with one organization, an operator's token, and a clock that is moved by hand.

use std::sync::Arc;

use axum::Router;
use serde_json::Value;
use symbolon::{
    Authorization, Caller, Engine, Id, ManualClock, MemoryStore, NewAuthorization, Options, Origin,
    Schema, StoreKey, User,
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
        let all = Schema::influxdb_operator();
        let all: Vec<_> = all.iter().map(ToString::to_string).collect();
        server.operator = server.token(&all).0;
        server
    }

    /// A token of the organization and its user.
    pub(crate) fn token(&self, held: &[String]) -> (String, Authorization) {
        self.token_of(self.org, Some(self.user.id), held)
    }

    pub(crate) fn token_of(
        &self,
        org: Id,
        user: Option<Id>,
        held: &[String],
    ) -> (String, Authorization) {
        let new = NewAuthorization {
            user,
            origin: Origin::V2,
            ..NewAuthorization::new(org, permissions(held))
        };
        let (token, made) = self.engine.issuer().create(&Caller::Root, new).unwrap();
        (token.reveal().to_owned(), made)
    }

    /// Asks `METHOD PATH` with a token, and a body if it is not null.
    pub(crate) fn ask(&self, line: &str, token: &str, body: Value) -> Reply {
        let token = format!("Token {token}");
        self.ask_with(line, &[("authorization", &token)], body)
    }

    /// The same as operator.
    pub(crate) fn operate(&self, line: &str, body: Value) -> Reply {
        self.ask(line, &self.operator, body)
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
