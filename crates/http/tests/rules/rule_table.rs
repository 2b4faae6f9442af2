//! **The table of rules**: who may do each operation on which records. It is written from the
//! documentation, not from what the program answers.

use std::collections::BTreeSet;

use symbolon::{Id, ResourceType, Role};

use crate::fixture::World;
use crate::list_reference::{authorizations, buckets, database_tokens, organizations, users};
use crate::reference::{
    CONFLICT, Credential, FORBIDDEN, INVALID, NOT_FOUND, READ, Refusal, UNAUTHORIZED, WRITE, Who,
};
use crate::resources::Filled;

/// An expected success: its status, or status 200 with the ids in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done(u16),
    List(BTreeSet<Id>),
}

pub(crate) type Decided = Result<Answer, Refusal>;

pub(crate) fn named<'f, 'w>(filled: &'f [Filled<'w>], name: &str) -> &'f Filled<'w> {
    let mut found = filled.iter().filter(|one| one.slot.name == name);
    found.next().unwrap()
}

pub(crate) fn need(may: bool, refusal: Refusal) -> Result<(), Refusal> {
    if may { Ok(()) } else { Err(refusal) }
}

/// Checks an action on a record.
///
/// To a caller of another organization that may not read it, the record does not exist. A caller
/// of the same organization learns that it lacks the permission. A user belongs to no organization.
pub(crate) fn on(who: &Who, action: &str, one: &Filled<'_>) -> Result<(), Refusal> {
    let (org, id) = one.at().ok_or(NOT_FOUND)?;
    let kind = one.resource_type();
    let org = Some(org).filter(|_| kind != ResourceType::USERS);
    let may = |action| who.may(action, kind, org, Some(id));
    let is_inside = org.is_some_and(|org| who.is_inside(org));
    need(is_inside || may(READ) || may(action), NOT_FOUND)?;
    need(may(action), UNAUTHORIZED)
}

/// Returns whether an operation refuses an invalid token or session as such.
pub(crate) fn needs_valid_credential(operation: &str, who: &Who) -> bool {
    match operation {
        "PutMePassword" | "PostSignout" => false,
        // Signing in ignores a session.
        "PostSignin" => !who.is_session(),
        _ => !is_public(operation),
    }
}

fn is_public(operation: &str) -> bool {
    let of_state = ["GetHealth", "GetReady", "GetPing", "HeadPing", "GetMetrics"];
    let of_api = ["GetSetup", "PostSetup", "GetRoutes", "GetOpenapi"];
    of_state.contains(&operation) || of_api.contains(&operation)
}

/// Returns the expected reply to a caller with a valid credential and to well-formed ids.
pub(crate) fn decide(operation: &str, world: &World, who: &Who, filled: &[Filled<'_>]) -> Decided {
    let one = |name: &str| named(filled, name);
    // The action on the record that the path names first.
    let may = |action| on(who, action, &filled[0]);
    // Writing all records of a type, in every organization.
    let create = |kind| need(who.may(WRITE, kind, None, None), UNAUTHORIZED);
    let is_bearer = !who.is_session() && !matches!(who.credential, Credential::Nothing);
    let done = |status: u16, checked: Result<(), Refusal>| checked.map(|()| Answer::Done(status));
    match operation {
        "GetPing" | "HeadPing" => done(204, Ok(())),
        "PostSetup" => Err(CONFLICT),
        // Any valid credential.
        "GetResources" => done(200, Ok(())),
        // By a token: no caller of the matrix presents a password.
        "PostSignin" => done(204, need(is_bearer, UNAUTHORIZED)),
        "PostSignout" => done(204, need(who.is_session(), UNAUTHORIZED)),
        "PutMePassword" => Err(UNAUTHORIZED),
        other if is_public(other) => done(200, Ok(())),
        "GetMe" => {
            let user = who.user.ok_or(NOT_FOUND)?;
            done(200, need(who.may_user(READ, user), UNAUTHORIZED))
        }

        "GetAuthorizations" => authorizations(world, who, filled),
        "GetUsers" => users(world, who, filled),
        "GetOrgs" => organizations(world, who, filled),
        "GetBuckets" => buckets(world, who, filled),
        "GetAuthorizationsID" | "GetUsersID" | "GetOrgsID" | "GetBucketsID" => done(200, may(READ)),
        "PatchAuthorizationsID" | "PatchUsersID" | "PatchOrgsID" => done(200, may(WRITE)),
        "DeleteAuthorizationsID" | "DeleteUsersID" | "DeleteOrgsID" | "DeleteBucketsID" => {
            done(204, may(WRITE))
        }

        "PostAuthorizations" => {
            let checked = post_authorization(who, one("orgID"), one("userID"), world);
            done(201, checked)
        }
        "PostAuthorizationsIDRotate" => {
            may(WRITE)?;
            let (org, _) = filled[0].at().ok_or(NOT_FOUND)?;
            done(201, need(who.may_grant_reading_buckets(org), FORBIDDEN))
        }

        "PostUsers" => done(201, create(ResourceType::USERS)),
        // A caller that sets a password can sign in with it, so it must hold the user's roles.
        "PostUsersIDPassword" | "PutUsersIDPassword" => {
            may(WRITE)?;
            let id = filled[0].id();
            let found = world.users.iter().filter(|one| Some(one.id) == id);
            let mut roles = found.flat_map(|one| &one.roles);
            let holds = roles.all(|(org, role)| who.has_role(*org, *role));
            let is_self = who.user == id && who.is_session();
            done(204, need(is_self || holds, FORBIDDEN))
        }

        "PostOrgs" => done(201, create(ResourceType::ORGANIZATIONS)),
        "GetOrgsIDMembers" | "GetOrgsIDOwners" => {
            may(READ)?;
            let wanted = (filled[0].id().ok_or(NOT_FOUND)?, role_of(operation));
            let users = world.users.iter().filter(|one| one.roles.contains(&wanted));
            Ok(Answer::List(users.map(|one| one.id).collect()))
        }
        "PostOrgsIDMembers" | "PostOrgsIDOwners" => {
            may(WRITE)?;
            let org = filled[0].id().ok_or(NOT_FOUND)?;
            // A caller cannot give a role that it does not hold.
            need(who.has_role(org, role_of(operation)), FORBIDDEN)?;
            done(201, sees_user(world, who, org, one("id")))
        }
        "DeleteOrgsIDMembersID" | "DeleteOrgsIDOwnersID" => {
            may(WRITE)?;
            let org = filled[0].id().ok_or(NOT_FOUND)?;
            done(204, sees_user(world, who, org, one("userID")))
        }

        "PostBuckets" => {
            let id = one("orgID").spelled_id(world).ok_or(INVALID)?;
            let may = who.may(WRITE, ResourceType::BUCKETS, Some(id), None);
            need(may, UNAUTHORIZED)?;
            done(201, need(one("orgID").id().is_some(), NOT_FOUND))
        }

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
    let is_owner = operation.ends_with("Owners");
    if is_owner { Role::Owner } else { Role::Member }
}

/// Requires that the user exists and is a member of `org` or readable.
fn sees_user(world: &World, who: &Who, org: Id, user: &Filled<'_>) -> Result<(), Refusal> {
    let not_found = NOT_FOUND.about("user");
    let user = user.id().ok_or(not_found)?;
    let found = world.users.iter().filter(|one| one.id == user);
    let is_member = found.flat_map(|one| &one.roles).any(|(of, _)| *of == org);
    need(is_member || who.may_user(READ, user), not_found)
}

fn post_authorization(
    who: &Who,
    org: &Filled<'_>,
    user: &Filled<'_>,
    world: &World,
) -> Result<(), Refusal> {
    let id = org.spelled_id(world).ok_or(INVALID)?;
    let default_user = who.user.filter(|_| user.is_absent());
    let of = default_user.or_else(|| user.spelled_id(world));
    let of = of.ok_or(INVALID)?;
    let may = who.may(WRITE, ResourceType::AUTHORIZATIONS, Some(id), None);
    need(may, UNAUTHORIZED)?;
    need(who.may_user(WRITE, of), UNAUTHORIZED.about("user"))?;
    need(who.may_grant_reading_buckets(id), FORBIDDEN)?;
    let has_user = user.is_absent() || user.id().is_some();
    need(org.id().is_some() && has_user, INVALID)
}
