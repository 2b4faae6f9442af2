//! Initial states of changes, and queries of their results.

use std::time::Duration;

use symbolon::{
    AdminError, Authorization, AuthorizationFilter, Bucket, Caller, Denied, Engine, ForeignHash,
    Id, ImportItem, ListOptions, NewAuthorization, NewBucket, NewUser, Organization,
    OrganizationEdit, Origin, Prefix, Role, Rotation, Status, Timestamp, Token, User,
};

use crate::fixture::{READ_BUCKETS, World, permission};

/// The initial state of a change.
pub(super) struct Before {
    pub(super) caller: Caller,
    pub(super) organization: Id,
    pub(super) id: Id,
    pub(super) tokens: Vec<Token>,
}

pub(super) const ROOT: Caller = Caller::Root;
pub(super) const V2: &str =
    "vU2yFRK0d4kS9K1_8bl3vM7tFwnBXzPz6QQbkG2OQdXqZm3cBqh2vJtQ9C8o5gLhV6p0rN1yWcE4xTzUaSfDiA==";
pub(super) const HASHED: &str =
    "aU2yFRK0d4kS9K1_8bl3vM7tFwnBXzPz6QQbkG2OQdXqZm3cBqh2vJtQ9C8o5gLhV6p0rN1yWcE4xTzUaSfDiA==";

pub(super) fn nothing(world: &World) -> Before {
    Before {
        caller: Caller::Root,
        organization: world.org.id,
        id: world.org.id,
        tokens: Vec::new(),
    }
}

pub(super) fn authorization(world: &World) -> Before {
    let (token, made) = world.create(&["read:buckets"]);
    Before { id: made.id, tokens: vec![token], ..nothing(world) }
}

/// Creates a user with one token.
pub(super) fn user(world: &World) -> Before {
    let user = world.root().users().create(NewUser::named("user")).unwrap();
    let (token, _) = world.root().authorizations().create(new(world, Some(user.id))).unwrap();
    Before { id: user.id, tokens: vec![token], ..nothing(world) }
}

pub(super) fn new(world: &World, user: Option<Id>) -> NewAuthorization {
    NewAuthorization { user, ..world.new_authorization(&["read:buckets"]) }
}

pub(super) fn created(
    world: &World,
    caller: &Caller,
    user: Option<Id>,
) -> Result<Vec<Token>, AdminError> {
    let made =
        world.engine.admin(*caller).with_tombstones().authorizations().create(new(world, user));
    made.map(|(token, _)| vec![token])
}

pub(super) fn rotated(
    world: &World,
    before: &Before,
    overlap: Duration,
) -> Result<Vec<Token>, AdminError> {
    let rotation = Rotation { overlap, description: None };
    let made = world.root().authorizations().rotate(before.id, rotation);
    made.map(|(token, _)| vec![token])
}

pub(super) fn edited_organization(
    world: &World,
    before: &Before,
    edit: &OrganizationEdit,
) -> Result<Vec<Token>, AdminError> {
    world.root().organizations().edit(before.organization, edit.clone()).map(none)
}

pub(super) fn added(world: &World, before: &Before) -> Result<User, AdminError> {
    world.root().organizations().add_member(before.organization, before.id, Role::Owner)
}

pub(super) fn registered(world: &World, before: &Before) -> Result<Bucket, AdminError> {
    world
        .root()
        .buckets()
        .create(NewBucket { organization: before.organization, name: ("bucket").into() })
}

pub(super) fn none<T>(_: T) -> Vec<Token> {
    Vec::new()
}

/// Returns the reason why each token is refused, or `None` if it is allowed.
pub(super) fn denied(engine: &Engine, before: &Before) -> Vec<Option<Denied>> {
    let check = |token: &Token| engine.verifier().check(token.reveal(), &READ_BUCKETS).err();
    before.tokens.iter().map(check).collect()
}

pub(super) fn found(engine: &Engine, id: Id) -> Authorization {
    engine.admin(ROOT).with_tombstones().authorizations().get(id).unwrap()
}

pub(super) fn authorizations(engine: &Engine, organization: Id) -> usize {
    let filter =
        AuthorizationFilter { organization: Some(organization), ..AuthorizationFilter::default() };
    engine
        .admin(ROOT)
        .with_tombstones()
        .authorizations()
        .list(&filter, ListOptions::default())
        .all()
        .unwrap()
        .len()
}

pub(super) fn revoked() -> AuthorizationFilter {
    AuthorizationFilter { status: Some(Status::Revoked), ..AuthorizationFilter::default() }
}

pub(super) fn named_user(engine: &Engine, name: &str) -> Option<Id> {
    Some(engine.admin(ROOT).with_tombstones().users().find(name).ok()?.id)
}

pub(super) fn memberships(engine: &Engine, before: &Before) -> usize {
    let users =
        engine.admin(ROOT).with_tombstones().users().list(ListOptions::default()).all().unwrap();
    let user = users.iter().find(|user| user.id == before.id).unwrap();
    user.memberships.len()
}

pub(super) fn is_bucket(engine: &Engine, before: &Before) -> bool {
    engine.admin(ROOT).with_tombstones().buckets().find(before.organization, "bucket").is_ok()
}

pub(super) fn token(text: &str) -> Token {
    Token::parse(Prefix::SYMBOLON, text).unwrap()
}

/// Returns an imported hash, its authorization, and the text of the token.
pub(super) fn hashed(organization: Id) -> (ImportItem, Authorization, &'static str) {
    let [.., ImportItem::Hashed(one, foreign_hash)] = items() else {
        unreachable!("it is the last")
    };
    let one = Authorization { organization, user: None, ..one };
    (ImportItem::Hashed(one.clone(), foreign_hash), one, HASHED)
}

/// Returns one item of each type.
pub(super) fn items() -> [ImportItem; 5] {
    let id = |number| Id::new(number).unwrap();
    let at: Timestamp = "2024-05-06T07:08:09Z".parse().unwrap();
    let status = Status::Active;
    let authorization = |number| Authorization {
        id: id(number),
        organization: id(1),
        user: Some(id(2)),
        created_by: None,
        origin: Origin::V2,
        rotated_from: None,
        description: "imported".into(),
        permissions: [permission("read:buckets")].into_iter().collect(),
        status,
        expires_at: None,
        created_at: at,
        updated_at: at,
        revoked_at: None,
        last_used: None,
    };
    [
        ImportItem::Organization(Organization {
            id: id(1),
            name: "imported".into(),
            description: String::new(),
            status,
            created_at: at,
            updated_at: at,
        }),
        ImportItem::User(User {
            id: id(2),
            name: "imported".into(),
            status,
            operator: false,
            memberships: Vec::new(),
            password_hash: None,
            created_at: at,
            updated_at: at,
        }),
        ImportItem::Bucket(Bucket {
            id: id(3),
            organization: id(1),
            name: "imported".into(),
            status,
            created_at: at,
            updated_at: at,
        }),
        ImportItem::Authorization(authorization(4), token(V2)),
        ImportItem::Hashed(authorization(5), ForeignHash::sha256(HASHED.as_bytes())),
    ]
}
