//! **The table of rules**: who may do each operation on which records. It is written from the
//! documentation, not from what the program answers.

use std::collections::BTreeSet;

use symbolon::{Id, ResourceType, Role};

use crate::fixture::World;
use crate::list_reference::{authorizations, buckets, database_tokens, organizations, users};
use crate::reference::{
    CONFLICT, Credential, FORBIDDEN, INVALID, NOT_FOUND, READ, Refusal, UNAUTHORIZED, WRITE, Who,
};
use crate::resources::{Filled, Thing};

/// An expected reply: success, with the ids in a list, or a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done(u16),
    List(BTreeSet<Id>),
    Refused(Refusal),
}

pub(crate) type Decided = Result<Answer, Refusal>;

pub(crate) fn named<'f, 'w>(filled: &'f [Filled<'w>], name: &str) -> &'f Filled<'w> {
    let mut found = filled.iter().filter(|one| one.slot.name == name);
    found.next().unwrap()
}

pub(crate) fn need(may: bool, refusal: Refusal) -> Result<(), Refusal> {
    if may { Ok(()) } else { Err(refusal) }
}

/// Checks an action on a record, given by organization and id.
///
/// To a caller of another organization that may not read it, the record does not exist. A caller
/// of the same organization learns that it lacks the permission.
pub(crate) fn on(
    who: &Who,
    action: &str,
    kind: ResourceType,
    at: Option<(Id, Id)>,
) -> Result<(), Refusal> {
    let (org, id) = at.ok_or(NOT_FOUND)?;
    let may = |action| who.may(action, kind, Some(org), Some(id));
    need(who.is_inside(org) || may(READ) || may(action), NOT_FOUND)?;
    need(may(action), UNAUTHORIZED)
}

/// Checks an action on a user, who belongs to no organization.
pub(crate) fn on_user(who: &Who, action: &str, user: Option<Id>) -> Result<(), Refusal> {
    let user = user.ok_or(NOT_FOUND)?;
    let may = |action| who.may_user(action, user);
    need(may(READ) || may(action), NOT_FOUND)?;
    need(may(action), UNAUTHORIZED)
}

/// Returns the expected reply to a caller with a valid credential and to well-formed ids.
pub(crate) fn answer(operation: &str, world: &World, who: &Who, filled: &[Filled<'_>]) -> Answer {
    decide(operation, world, who, filled).unwrap_or_else(Answer::Refused)
}

/// Returns whether an operation refuses an invalid token or session as such.
pub(crate) fn needs_valid_credential(operation: &str, who: &Who) -> bool {
    match operation {
        "PutMePassword" | "PostSignout" => false,
        // Signing in ignores a session.
        "PostSignin" => !is_session(who),
        _ => !is_public(operation),
    }
}

fn is_public(operation: &str) -> bool {
    let public = [
        "GetSetup",
        "PostSetup",
        "GetRoutes",
        "GetOpenapi",
        "GetHealth",
        "GetReady",
        "GetPing",
        "HeadPing",
        "GetMetrics",
    ];
    public.contains(&operation)
}

fn decide(operation: &str, world: &World, who: &Who, filled: &[Filled<'_>]) -> Decided {
    let thing = |name: &str| &named(filled, name).thing;
    let authorization = |action| {
        let at = thing("authID").authorization();
        on(who, action, ResourceType::AUTHORIZATIONS, at)
    };
    let user = |action| on_user(who, action, thing("userID").user());
    let org = |action| {
        let at = thing("orgID").organization();
        on(who, action, ResourceType::ORGANIZATIONS, at)
    };
    let bucket = |action| {
        let at = thing("bucketID").bucket();
        on(who, action, ResourceType::BUCKETS, at)
    };
    // Writing all records of a type, in every organization.
    let create = |kind| need(who.may(WRITE, kind, None, None), UNAUTHORIZED);
    let is_bearer = !matches!(who.credential, Credential::Session(_) | Credential::Nothing);
    let done = |status: u16, checked: Result<(), Refusal>| checked.map(|()| Answer::Done(status));
    match operation {
        "GetPing" | "HeadPing" => done(204, Ok(())),
        "PostSetup" => Err(CONFLICT),
        // Any valid credential.
        "GetResources" => done(200, Ok(())),
        // By a token: no caller of the matrix presents a password.
        "PostSignin" => done(204, need(is_bearer, UNAUTHORIZED)),
        "PostSignout" => done(204, need(is_session(who), UNAUTHORIZED)),
        "PutMePassword" => Err(UNAUTHORIZED),
        other if is_public(other) => done(200, Ok(())),
        "GetMe" => {
            let user = who.user.ok_or(NOT_FOUND)?;
            done(200, need(who.may_user(READ, user), UNAUTHORIZED))
        }

        "GetAuthorizations" => authorizations(world, who, filled),
        "PostAuthorizations" => done(
            201,
            post_authorization(who, thing("orgID"), thing("userID"), world),
        ),
        "GetAuthorizationsID" => done(200, authorization(READ)),
        "PatchAuthorizationsID" => done(200, authorization(WRITE)),
        "DeleteAuthorizationsID" => done(204, authorization(WRITE)),
        "PostAuthorizationsIDRotate" => {
            authorization(WRITE)?;
            let (org, _) = thing("authID").authorization().ok_or(NOT_FOUND)?;
            done(201, need(who.may_grant_reading_buckets(org), FORBIDDEN))
        }

        "GetUsers" => users(world, who, filled),
        "PostUsers" => done(201, create(ResourceType::USERS)),
        "GetUsersID" => done(200, user(READ)),
        "PatchUsersID" => done(200, user(WRITE)),
        "DeleteUsersID" => done(204, user(WRITE)),
        // A caller that sets a password can sign in with it, so it must hold the user's roles.
        "PostUsersIDPassword" | "PutUsersIDPassword" => {
            user(WRITE)?;
            let id = thing("userID").user();
            let found = world.users.iter().filter(|one| Some(one.id) == id);
            let mut roles = found.flat_map(|one| &one.roles);
            let holds = roles.all(|(org, role)| who.has_role(*org, *role));
            let is_self = who.user == id && is_session(who);
            done(204, need(is_self || holds, FORBIDDEN))
        }

        "GetOrgs" => organizations(world, who, filled),
        "PostOrgs" => done(201, create(ResourceType::ORGANIZATIONS)),
        "GetOrgsID" => done(200, org(READ)),
        "PatchOrgsID" => done(200, org(WRITE)),
        "DeleteOrgsID" => done(204, org(WRITE)),
        "GetOrgsIDMembers" | "GetOrgsIDOwners" => {
            org(READ)?;
            let (org, _) = thing("orgID").organization().ok_or(NOT_FOUND)?;
            let wanted = (org, role_of(operation));
            let users = world.users.iter().filter(|one| one.roles.contains(&wanted));
            Ok(Answer::List(users.map(|one| one.id).collect()))
        }
        "PostOrgsIDMembers" | "PostOrgsIDOwners" => {
            org(WRITE)?;
            let (org, _) = thing("orgID").organization().ok_or(NOT_FOUND)?;
            // A caller cannot give a role that it does not hold.
            need(who.has_role(org, role_of(operation)), FORBIDDEN)?;
            done(201, sees_user(world, who, org, thing("id")))
        }
        "DeleteOrgsIDMembersID" | "DeleteOrgsIDOwnersID" => {
            org(WRITE)?;
            let (org, _) = thing("orgID").organization().ok_or(NOT_FOUND)?;
            done(204, sees_user(world, who, org, thing("userID")))
        }

        "GetBuckets" => buckets(world, who, filled),
        "PostBuckets" => {
            let org = thing("orgID");
            let id = org.org(world).ok_or(INVALID)?;
            let may = who.may(WRITE, ResourceType::BUCKETS, Some(id), None);
            need(may, UNAUTHORIZED)?;
            done(201, need(org.organization().is_some(), NOT_FOUND))
        }
        "GetBucketsID" => done(200, bucket(READ)),
        "DeleteBucketsID" => done(204, bucket(WRITE)),

        "GetDatabaseTokens"
        | "CreateDatabaseToken"
        | "GetDatabaseToken"
        | "UpdateDatabaseToken"
        | "DeleteDatabaseToken" => database_tokens(operation, world, who, filled),
        // Only a caller with every permission.
        "PostBackup" => done(200, need(who.name.contains("operator"), UNAUTHORIZED)),
        other => panic!("no rule for the operation {other}: add one"),
    }
}

fn role_of(operation: &str) -> Role {
    if operation.ends_with("Owners") {
        Role::Owner
    } else {
        Role::Member
    }
}

/// Requires that the user exists and is a member of `org` or readable.
fn sees_user(world: &World, who: &Who, org: Id, user: &Thing<'_>) -> Result<(), Refusal> {
    let not_found = NOT_FOUND.about("user");
    let user = user.user().ok_or(not_found)?;
    let found = world.users.iter().filter(|one| one.id == user);
    let is_member = found.flat_map(|one| &one.roles).any(|(of, _)| *of == org);
    need(is_member || who.may_user(READ, user), not_found)
}

fn post_authorization(who: &Who, org: &Thing, user: &Thing, world: &World) -> Result<(), Refusal> {
    let id = org.org(world).ok_or(INVALID)?;
    let of = match user {
        Thing::Absent => who.user.ok_or(INVALID)?,
        user => user.any_user(world).ok_or(INVALID)?,
    };
    let may = who.may(WRITE, ResourceType::AUTHORIZATIONS, Some(id), None);
    need(may, UNAUTHORIZED)?;
    need(who.may_user(WRITE, of), UNAUTHORIZED.about("user"))?;
    need(who.may_grant_reading_buckets(id), FORBIDDEN)?;
    let has_user = *user == Thing::Absent || user.user().is_some();
    need(org.organization().is_some() && has_user, INVALID)
}

fn is_session(who: &Who) -> bool {
    matches!(who.credential, Credential::Session(_))
}
