//! The kinds of change.

use std::time::Duration;

use symbolon::{
    Authorization, Bucket, Caller, Denied, Edit, Engine, Error, Face, Field, Filter, FirstUser, Id,
    ImportItem, Imported, Locator, NewAuthorization, Organization, OrganizationEdit, PermissionSet,
    Prefix, Role, Rotation, Status, Timestamp, Token, Transition, User, UserEdit,
};

use crate::world::{READ_BUCKETS, World, permission};

/// A kind of change.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// What it starts from.
    pub(super) prepare: fn(&World) -> Before,
    /// The change, and the tokens that it gives.
    pub(super) run: fn(&World, &Before) -> Result<Vec<Token>, Error>,
    /// Whether it was made, whole, as an engine says.
    pub(super) holds: fn(&Engine, &Before) -> bool,
    pub(super) again: Again,
    pub(super) commits: Commits,
}

/// What a second attempt does after a first one that was made, and not confirmed.
#[derive(Clone, Copy)]
pub(super) enum Again {
    /// Nothing more.
    Same,
    /// So many more records: nobody has the token of the first.
    Another(usize),
    /// It is refused, because the first one is there.
    Refused(fn(&Error) -> bool),
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Commits {
    One,
    Several,
}

/// What a change is about.
pub(super) struct Before {
    caller: Caller,
    organization: Id,
    id: Id,
    tokens: Vec<Token>,
}

const ROOT: &Caller = &Caller::Root;
const V2: &str =
    "vU2yFRK0d4kS9K1_8bl3vM7tFwnBXzPz6QQbkG2OQdXqZm3cBqh2vJtQ9C8o5gLhV6p0rN1yWcE4xTzUaSfDiA==";
const HASHED: &str =
    "aU2yFRK0d4kS9K1_8bl3vM7tFwnBXzPz6QQbkG2OQdXqZm3cBqh2vJtQ9C8o5gLhV6p0rN1yWcE4xTzUaSfDiA==";

pub(super) const CASES: &[Case] = &[
    Case {
        name: "create",
        prepare: nothing,
        run: |world, _| created(world, ROOT, None),
        holds: |engine, before| authorizations(engine, before.organization) >= 1,
        again: Again::Another(1),
        commits: Commits::One,
    },
    Case {
        name: "create, by a token, for a user",
        prepare: |world| {
            let caller = world.caller(&["write:authorizations", "write:users", "read:buckets"]);
            Before {
                caller,
                ..user(world)
            }
        },
        run: |world, before| created(world, &before.caller, Some(before.id)),
        holds: |engine, before| {
            let filter = Filter {
                user: Some(before.id),
                ..Filter::default()
            };
            engine.issuer().authorizations(ROOT, &filter).unwrap().len() >= 2
        },
        again: Again::Another(1),
        commits: Commits::One,
    },
    Case {
        name: "edit",
        prepare: authorization,
        run: |world, before| {
            let edit = Edit {
                description: Some("edited".into()),
                permissions: Some([permission("write:buckets")].into_iter().collect()),
                transition: None,
            };
            world.engine.issuer().edit(ROOT, before.id, edit).map(none)
        },
        holds: |engine, before| {
            denied(engine, before) == [Some(Denied::Forbidden(before.id))]
                && found(engine, before.id).description == "edited"
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "deactivate",
        prepare: authorization,
        run: |world, before| {
            let edit = Transition::Deactivate.into();
            world.engine.issuer().edit(ROOT, before.id, edit).map(none)
        },
        holds: |engine, before| {
            denied(engine, before) == [Some(Denied::Inactive(before.id))]
                && found(engine, before.id).status == Status::Inactive
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "revoke",
        prepare: authorization,
        run: |world, before| world.engine.issuer().revoke(ROOT, before.id).map(none),
        holds: |engine, before| {
            denied(engine, before) == [Some(Denied::Revoked(before.id))]
                && found(engine, before.id).status == Status::Revoked
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "rotate, with an overlap",
        prepare: authorization,
        run: |world, before| rotated(world, before, Duration::from_secs(3600)),
        holds: |engine, before| {
            denied(engine, before) == [None]
                && authorizations(engine, before.organization) >= 2
                && found(engine, before.id).expires_at.is_some()
        },
        again: Again::Another(1),
        commits: Commits::One,
    },
    Case {
        name: "rotate, at once",
        prepare: authorization,
        run: |world, before| rotated(world, before, Duration::ZERO),
        holds: |engine, before| {
            denied(engine, before) == [Some(Denied::Expired(before.id))]
                && authorizations(engine, before.organization) == 2
        },
        again: Again::Refused(|error| matches!(error, Error::Invalid(Field::Expiry, _))),
        commits: Commits::One,
    },
    Case {
        name: "create a user",
        prepare: nothing,
        run: |world, _| {
            world
                .engine
                .issuer()
                .create_user(ROOT, "new", None)
                .map(none)
        },
        holds: |engine, _| engine.issuer().user_named(ROOT, "new").is_ok(),
        again: Again::Refused(|error| matches!(error, Error::Exists(Field::UserName))),
        commits: Commits::One,
    },
    Case {
        name: "edit a user",
        prepare: user,
        run: |world, before| {
            let edit = UserEdit {
                name: Some("renamed".into()),
                transition: Some(Transition::Deactivate),
                password_hash: None,
            };
            world
                .engine
                .issuer()
                .edit_user(ROOT, before.id, &edit)
                .map(none)
        },
        holds: |engine, before| {
            matches!(denied(engine, before)[..], [Some(Denied::OwnerInactive(_))])
                && named_user(engine, "renamed") == Some(before.id)
                && named_user(engine, "user").is_none()
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "delete a user",
        prepare: user,
        run: |world, before| {
            let edit = UserEdit {
                transition: Some(Transition::Revoke),
                ..UserEdit::default()
            };
            world
                .engine
                .issuer()
                .edit_user(ROOT, before.id, &edit)
                .map(none)
        },
        holds: |engine, before| {
            matches!(denied(engine, before)[..], [Some(Denied::Revoked(_))])
                && named_user(engine, "user").is_none()
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "create an organization",
        prepare: nothing,
        run: |world, _| {
            let issuer = world.engine.issuer();
            issuer.create_organization(ROOT, "new", "").map(none)
        },
        holds: |engine, _| engine.issuer().organization_named(ROOT, "new").is_ok(),
        again: Again::Refused(|error| matches!(error, Error::Exists(Field::OrganizationName))),
        commits: Commits::One,
    },
    Case {
        name: "edit an organization",
        prepare: authorization,
        run: |world, before| {
            let edit = OrganizationEdit {
                name: Some("renamed".into()),
                description: Some("edited".into()),
                transition: Some(Transition::Deactivate),
            };
            edited_organization(world, before, &edit)
        },
        holds: |engine, before| {
            denied(engine, before) == [Some(Denied::OwnerInactive(before.id))]
                && engine.issuer().organization_named(ROOT, "renamed").is_ok()
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "delete an organization",
        prepare: authorization,
        run: |world, before| {
            let edit = OrganizationEdit {
                transition: Some(Transition::Revoke),
                ..OrganizationEdit::default()
            };
            edited_organization(world, before, &edit)
        },
        holds: |engine, before| {
            denied(engine, before) == [Some(Denied::Revoked(before.id))]
                && engine.issuer().organization_named(ROOT, "org").is_err()
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "add a member",
        prepare: user,
        run: |world, before| added(world, before).map(none),
        holds: |engine, before| memberships(engine, before) == 1,
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "remove a member",
        prepare: |world| {
            let before = user(world);
            added(world, &before).unwrap();
            before
        },
        run: |world, before| {
            let issuer = world.engine.issuer();
            issuer
                .remove_member(ROOT, before.organization, before.id)
                .map(none)
        },
        holds: |engine, before| memberships(engine, before) == 0,
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "register a bucket",
        prepare: nothing,
        run: |world, before| registered(world, before).map(none),
        holds: |engine, before| is_bucket(engine, before),
        again: Again::Refused(|error| matches!(error, Error::Exists(Field::BucketName))),
        commits: Commits::One,
    },
    Case {
        name: "unregister a bucket",
        prepare: |world| {
            let before = nothing(world);
            let id = registered(world, &before).unwrap().id;
            Before { id, ..before }
        },
        run: |world, before| {
            let issuer = world.engine.issuer();
            issuer.unregister_bucket(ROOT, before.id).map(none)
        },
        holds: |engine, before| !is_bucket(engine, before),
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "set up",
        prepare: nothing,
        run: |world, _| {
            let first = FirstUser {
                organization: "first".into(),
                user: "me".into(),
                password_hash: None,
                permissions: PermissionSet::from(symbolon::Schema::influxdb_operator()),
            };
            world
                .engine
                .issuer()
                .set_up(&first)
                .map(|(token, ..)| vec![token])
        },
        holds: |engine, _| {
            named_user(engine, "me").is_some()
                && engine.issuer().organization_named(ROOT, "first").is_ok()
        },
        again: Again::Refused(|error| matches!(error, Error::SetUp)),
        commits: Commits::One,
    },
    Case {
        name: "import",
        prepare: |world| Before {
            tokens: [V2, HASHED].map(token).into(),
            ..nothing(world)
        },
        run: |world, _| {
            let imported = world.engine.issuer().import(&items())?;
            let none = Imported { new: 0, known: 5 };
            assert!(imported == none || imported == Imported { new: 5, known: 0 });
            Ok(Vec::new())
        },
        holds: |engine, before| {
            denied(engine, before) == [None, None]
                && engine.issuer().import(&items()).unwrap().known == 5
        },
        again: Again::Same,
        commits: Commits::One,
    },
    Case {
        name: "purge",
        prepare: |world| {
            let (issuer, before) = (world.engine.issuer(), user(world));
            let revoked = world.create(&["read:buckets"]);
            issuer.revoke(ROOT, revoked.1.id).unwrap();
            let bucket = registered(world, &before).unwrap();
            issuer.unregister_bucket(ROOT, bucket.id).unwrap();
            let edit = UserEdit {
                transition: Some(Transition::Revoke),
                ..UserEdit::default()
            };
            issuer.edit_user(ROOT, before.id, &edit).unwrap();
            world.clock.advance(Duration::from_secs(31 * 24 * 3600));
            let tokens = before.tokens.into_iter().chain([revoked.0]).collect();
            Before { tokens, ..before }
        },
        run: |world, _| world.engine.issuer().purge().map(none),
        holds: |engine, before| {
            let gone = engine.issuer().authorizations(ROOT, &revoked()).unwrap();
            gone.is_empty()
                && denied(engine, before) == [Some(Denied::Unknown); 2]
                && engine.fsck().unwrap().records.values().sum::<usize>() == 2
        },
        again: Again::Same,
        commits: Commits::Several,
    },
];

fn nothing(world: &World) -> Before {
    Before {
        caller: Caller::Root,
        organization: world.org.id,
        id: world.org.id,
        tokens: Vec::new(),
    }
}

fn authorization(world: &World) -> Before {
    let (token, made) = world.create(&["read:buckets"]);
    Before {
        id: made.id,
        tokens: vec![token],
        ..nothing(world)
    }
}

/// A user with one token.
fn user(world: &World) -> Before {
    let issuer = world.engine.issuer();
    let user = issuer.create_user(ROOT, "user", None).unwrap();
    let (token, _) = issuer.create(ROOT, new(world, Some(user.id))).unwrap();
    Before {
        id: user.id,
        tokens: vec![token],
        ..nothing(world)
    }
}

fn new(world: &World, user: Option<Id>) -> NewAuthorization {
    NewAuthorization {
        user,
        ..world.new_authorization(&["read:buckets"])
    }
}

fn created(world: &World, caller: &Caller, user: Option<Id>) -> Result<Vec<Token>, Error> {
    let made = world.engine.issuer().create(caller, new(world, user));
    made.map(|(token, _)| vec![token])
}

fn rotated(world: &World, before: &Before, overlap: Duration) -> Result<Vec<Token>, Error> {
    let rotation = Rotation {
        overlap,
        description: None,
    };
    let made = world.engine.issuer().rotate(ROOT, before.id, &rotation);
    made.map(|(token, _)| vec![token])
}

fn edited_organization(
    world: &World,
    before: &Before,
    edit: &OrganizationEdit,
) -> Result<Vec<Token>, Error> {
    let issuer = world.engine.issuer();
    issuer
        .edit_organization(ROOT, before.organization, edit)
        .map(none)
}

fn added(world: &World, before: &Before) -> Result<User, Error> {
    let issuer = world.engine.issuer();
    issuer.add_member(ROOT, before.organization, before.id, Role::Owner)
}

fn registered(world: &World, before: &Before) -> Result<Bucket, Error> {
    world
        .engine
        .issuer()
        .register_bucket(ROOT, before.organization, "bucket")
}

fn none<T>(_: T) -> Vec<Token> {
    Vec::new()
}

/// What a check of each token is refused with.
fn denied(engine: &Engine, before: &Before) -> Vec<Option<Denied>> {
    let check = |token: &Token| engine.verifier().check(token.reveal(), &READ_BUCKETS).err();
    before.tokens.iter().map(check).collect()
}

fn found(engine: &Engine, id: Id) -> Authorization {
    engine.issuer().authorization(ROOT, id).unwrap()
}

fn authorizations(engine: &Engine, organization: Id) -> usize {
    let filter = Filter {
        organization: Some(organization),
        ..Filter::default()
    };
    engine.issuer().authorizations(ROOT, &filter).unwrap().len()
}

fn revoked() -> Filter {
    Filter {
        status: Some(Status::Revoked),
        ..Filter::default()
    }
}

fn named_user(engine: &Engine, name: &str) -> Option<Id> {
    Some(engine.issuer().user_named(ROOT, name).ok()?.id)
}

fn memberships(engine: &Engine, before: &Before) -> usize {
    let users = engine.issuer().users(ROOT).unwrap();
    let user = users.iter().find(|user| user.id == before.id).unwrap();
    user.memberships.len()
}

fn is_bucket(engine: &Engine, before: &Before) -> bool {
    let issuer = engine.issuer();
    issuer
        .bucket_named(ROOT, before.organization, "bucket")
        .is_ok()
}

fn token(text: &str) -> Token {
    Token::parse(Prefix::SYMBOLON, text).unwrap()
}

/// A hash to import, and the token that it is of.
pub(super) fn hashed(organization: Id) -> (ImportItem, Authorization, &'static str) {
    let [.., ImportItem::Hashed(one, locator)] = items() else {
        unreachable!("it is the last")
    };
    let one = Authorization {
        organization,
        user: None,
        ..one
    };
    (ImportItem::Hashed(one.clone(), locator), one, HASHED)
}

/// One of each sort.
fn items() -> [ImportItem; 5] {
    let id = |number| Id::new(number).unwrap();
    let at: Timestamp = "2024-05-06T07:08:09Z".parse().unwrap();
    let status = Status::Active;
    let authorization = |number| Authorization {
        id: id(number),
        organization: id(1),
        user: Some(id(2)),
        created_by: None,
        face: Face::V2,
        rotated_from: None,
        description: "imported".into(),
        permissions: [permission("read:buckets")].into_iter().collect(),
        status,
        expires_at: None,
        created_at: at,
        updated_at: at,
        revoked_at: None,
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
        ImportItem::Hashed(authorization(5), Locator::sha256(HASHED.as_bytes())),
    ]
}
