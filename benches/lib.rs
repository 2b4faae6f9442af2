//! Worlds of many tokens for the benchmarks.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::sync::Arc;

use symbolon::{
    Action, Authorization, Caller, Engine, Face, Id, ImportItem, NewAuthorization, Options,
    Permission, PermissionSet, Prefix, ResourceType, Schema, Status, StoreKey, Timestamp, Token,
    TokenStore, User,
};

/// Items in one commit of an import.
const CHUNK: u64 = 1000;
const ORGANIZATIONS: u64 = 10;
const USERS: u64 = 1000;
const SETS: u64 = 20;

/// An engine with many tokens: 1,000 users, 10 organizations, 20 distinct permission sets.
#[derive(Debug)]
pub struct World {
    /// The engine.
    pub engine: Engine,
    /// The organizations.
    pub organizations: Vec<Id>,
    /// Every token with the organization that it belongs to, each in a buffer of its own.
    pub tokens: Vec<(Token, Id)>,
}

/// The options of all benchmarks.
pub fn options() -> Options {
    Options::new(Schema::influxdb_v2())
}

/// The key of all benchmarks.
pub fn key() -> StoreKey {
    StoreKey::from_bytes([7; 32])
}

/// Imports `count` active, native tokens that never expire into an empty store.
pub fn world(store: Arc<dyn TokenStore>, count: u64) -> World {
    let engine = Engine::create(store, key(), options()).unwrap();
    let issuer = engine.issuer();
    let organizations: Vec<Id> = (0..ORGANIZATIONS)
        .map(|number| issuer.create_organization(&Caller::Root, &format!("org-{number}"), ""))
        .map(|made| made.unwrap().id)
        .collect();
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let users: Vec<ImportItem> = (1..=USERS)
        .map(|number| ImportItem::User(user(number, now)))
        .collect();
    issuer.import(&users).unwrap();
    let mut tokens = Vec::new();
    for chunk in 0..count.div_ceil(CHUNK) {
        let numbers = chunk * CHUNK..count.min((chunk + 1) * CHUNK);
        let items: Vec<ImportItem> = numbers
            .map(|number| {
                let one = authorization(number, &organizations, now);
                let token = Token::generate(Prefix::SYMBOLON, one.id).unwrap();
                let copy = Token::parse(Prefix::SYMBOLON, token.reveal()).unwrap();
                tokens.push((copy, one.organization));
                ImportItem::Authorization(one, token)
            })
            .collect();
        issuer.import(&items).unwrap();
    }
    World {
        engine,
        organizations,
        tokens,
    }
}

/// A new authorization of one permission, for benchmarks of creating.
pub fn new_authorization(organization: Id) -> NewAuthorization {
    let read = Permission::new(Action::READ, ResourceType::BUCKETS).organization(organization);
    NewAuthorization::new(organization, [read])
}

fn user(number: u64, now: Timestamp) -> User {
    User {
        id: Id::new(number).unwrap(),
        name: format!("user-{number}"),
        status: Status::Active,
        operator: false,
        memberships: Vec::new(),
        password_hash: None,
        created_at: now,
        updated_at: now,
    }
}

fn authorization(number: u64, organizations: &[Id], now: Timestamp) -> Authorization {
    let pick = usize::try_from(number % ORGANIZATIONS).unwrap();
    let organization = *organizations.get(pick).unwrap();
    // As ids that are drawn one after the other: milliseconds, then 22 lower bits.
    let id = Id::new(((300_000_000_000 + number) << 22) | (number % 1000)).unwrap();
    Authorization {
        id,
        organization,
        user: Id::new(1 + number * 7 % USERS),
        created_by: None,
        face: Face::V2,
        rotated_from: None,
        description: format!("token {number}"),
        permissions: permissions(number / ORGANIZATIONS % (SETS / 2), organization),
        status: Status::Active,
        expires_at: None,
        created_at: now,
        updated_at: now,
        revoked_at: None,
    }
}

/// The set with this number: reading buckets of the organization comes last, after `number` others.
fn permissions(number: u64, organization: Id) -> PermissionSet {
    let others = Schema::influxdb_operator().into_iter().skip(4);
    let others = others.take(usize::try_from(number).unwrap());
    let read = Permission::new(Action::READ, ResourceType::BUCKETS);
    others
        .chain([read])
        .map(|permission| permission.organization(organization))
        .collect()
}
