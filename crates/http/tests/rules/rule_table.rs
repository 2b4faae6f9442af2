//! **The table of rules**: for each operation what names a thing, and who may do it on which, from the documents and not
//! from what the program answers.

use std::collections::BTreeSet;

use symbolon::{Id, ResourceType, Role};

use crate::fixture::World;
use crate::list_reference::{authorizations, buckets, database_tokens, organizations, users};
use crate::reference::{
    CONFLICT, Credential, FORBIDDEN, INVALID, NOT_FOUND, READ, Refusal, UNAUTHORIZED, WRITE, Who,
};
use crate::resources::{Filled, Thing};

/// What is answered: success, with the ids that a list shows, or a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done(u16),
    List(BTreeSet<Id>),
    Refused(Refusal),
}

pub(crate) fn named<'f, 'w>(filled: &'f [Filled<'w>], name: &str) -> &'f Filled<'w> {
    let mut found = filled.iter().filter(|one| one.slot.name == name);
    found.next().unwrap()
}

pub(crate) fn refuse(refusal: Refusal) -> Result<(), Refusal> {
    Err(refusal)
}

pub(crate) fn need(may: bool, refusal: Refusal) -> Result<(), Refusal> {
    if may { Ok(()) } else { Err(refusal) }
}

/// A2: for a caller that may not read it, a thing of another organization is not there; a caller of the organization that
/// lacks the permission is told so.
pub(crate) fn on(
    who: &Who,
    action: &str,
    kind: ResourceType,
    at: Option<(Id, Id)>,
) -> Result<(), Refusal> {
    let Some((org, id)) = at else {
        return Err(NOT_FOUND);
    };
    let may = |action| who.may(action, kind, Some(org), Some(id));
    match (may(action), who.is_inside(org) || may(READ)) {
        (true, _) => Ok(()),
        (false, true) => Err(UNAUTHORIZED),
        (false, false) => Err(NOT_FOUND),
    }
}

/// The same for users, which belong to no organization.
pub(crate) fn on_user(who: &Who, action: &str, user: Option<Id>) -> Result<(), Refusal> {
    let user = user.ok_or(NOT_FOUND)?;
    match (who.may_user(action, user), who.may_user(READ, user)) {
        (true, _) => Ok(()),
        (false, true) => Err(UNAUTHORIZED),
        (false, false) => Err(NOT_FOUND),
    }
}

/// **The rules.** Of dead callers and malformed ids the whole program says the same, which is not repeated here.
pub(crate) fn answer(operation: &str, world: &World, who: &Who, filled: &[Filled<'_>]) -> Answer {
    match decide(operation, world, who, filled) {
        Ok(done) => done,
        Err(refusal) => Answer::Refused(refusal),
    }
}

/// Whether an operation looks at a token or session that is dead: to some it does not matter, others want something else.
pub(crate) fn minds_death(operation: &str, who: &Who) -> bool {
    let is_session = matches!(who.credential, Credential::Session(_));
    let others = match operation {
        "PutMePassword" | "PostSignout" => false,
        // A session is not what one signs in with.
        "PostSignin" => !is_session,
        _ => true,
    };
    others && !is_public(operation)
}

/// Whether an operation is done whatever comes with it.
fn is_public(operation: &str) -> bool {
    matches!(
        operation,
        "GetSetup"
            | "PostSetup"
            | "GetRoutes"
            | "GetOpenapi"
            | "GetHealth"
            | "GetReady"
            | "GetPing"
            | "HeadPing"
            | "GetMetrics"
    )
}

fn decide(
    operation: &str,
    world: &World,
    who: &Who,
    filled: &[Filled<'_>],
) -> Result<Answer, Refusal> {
    let thing = |name: &str| &named(filled, name).thing;
    let orgs = ResourceType::ORGANIZATIONS;
    let auths = ResourceType::AUTHORIZATIONS;
    let is_bearer = !matches!(who.credential, Credential::Session(_) | Credential::Nothing);
    let status = match operation {
        // B2.2, B5: without authorization.
        "GetSetup" | "GetRoutes" | "GetOpenapi" | "GetHealth" | "GetReady" | "GetMetrics" => 200,
        "GetPing" | "HeadPing" => 204,
        "PostSetup" => return Err(CONFLICT),
        // B5: no more than a valid token.
        "GetResources" => 200,
        // A9: by password, which nobody here gives, or by a token; and out with the cookie alone.
        "PostSignin" if is_bearer => 204,
        "PostSignout" if matches!(who.credential, Credential::Session(_)) => 204,
        "PostSignin" | "PostSignout" | "PutMePassword" => return Err(UNAUTHORIZED),
        "GetMe" => {
            let user = who.user.ok_or(NOT_FOUND)?;
            need(who.may_user(READ, user), UNAUTHORIZED)?;
            200
        }

        "GetAuthorizations" => return authorizations(world, who, filled),
        "PostAuthorizations" => {
            post_authorization(who, thing("orgID"), thing("userID"), world)?;
            201
        }
        "GetAuthorizationsID" => {
            on(who, READ, auths, thing("authID").authorization())?;
            200
        }
        "PatchAuthorizationsID" => {
            on(who, WRITE, auths, thing("authID").authorization())?;
            200
        }
        "DeleteAuthorizationsID" => {
            on(who, WRITE, auths, thing("authID").authorization())?;
            204
        }
        "PostAuthorizationsIDRotate" => {
            let at = thing("authID").authorization();
            on(who, WRITE, auths, at)?;
            let (org, _) = at.ok_or(NOT_FOUND)?;
            need(who.may_grant_reading_buckets(org), FORBIDDEN)?;
            201
        }

        "GetUsers" => return users(world, who, filled),
        "PostUsers" => {
            need(
                who.may(WRITE, ResourceType::USERS, None, None),
                UNAUTHORIZED,
            )?;
            201
        }
        "GetUsersID" => {
            on_user(who, READ, thing("userID").user())?;
            200
        }
        "PatchUsersID" => {
            on_user(who, WRITE, thing("userID").user())?;
            200
        }
        "DeleteUsersID" => {
            on_user(who, WRITE, thing("userID").user())?;
            204
        }
        // Whoever sets a password can sign in with it, and so must hold all that the user may do.
        "PostUsersIDPassword" | "PutUsersIDPassword" => {
            let user = thing("userID").user();
            on_user(who, WRITE, user)?;
            let known = world.users.iter().find(|one| Some(one.id) == user);
            let mut roles = known.into_iter().flat_map(|one| &one.roles);
            let holds = roles.all(|(org, role)| who.has_role(*org, *role));
            need(who.user == user && is_session(who) || holds, FORBIDDEN)?;
            204
        }

        "GetOrgs" => return organizations(world, who, filled),
        "PostOrgs" => {
            need(who.may(WRITE, orgs, None, None), UNAUTHORIZED)?;
            201
        }
        "GetOrgsID" => {
            on(who, READ, orgs, thing("orgID").organization())?;
            200
        }
        "PatchOrgsID" => {
            on(who, WRITE, orgs, thing("orgID").organization())?;
            200
        }
        "DeleteOrgsID" => {
            on(who, WRITE, orgs, thing("orgID").organization())?;
            204
        }
        "GetOrgsIDMembers" | "GetOrgsIDOwners" => {
            let at = thing("orgID").organization();
            on(who, READ, orgs, at)?;
            let wanted = match operation {
                "GetOrgsIDOwners" => Role::Owner,
                _ => Role::Member,
            };
            let of = |roles: &[(Id, Role)]| {
                roles
                    .iter()
                    .any(|(org, role)| Some((*org, *org)) == at && *role == wanted)
            };
            let users = world.users.iter().filter(|one| of(&one.roles));
            return Ok(Answer::List(users.map(|one| one.id).collect()));
        }
        "PostOrgsIDMembers"
        | "PostOrgsIDOwners"
        | "DeleteOrgsIDMembersID"
        | "DeleteOrgsIDOwnersID" => {
            let at = thing("orgID").organization();
            on(who, WRITE, orgs, at)?;
            let adds = operation.starts_with("Post");
            let role = match operation {
                "PostOrgsIDOwners" => Role::Owner,
                _ => Role::Member,
            };
            // Nobody gives what they do not hold.
            let holds = at.is_some_and(|(org, _)| who.has_role(org, role));
            need(!adds || holds, FORBIDDEN)?;
            let user = thing(if adds { "id" } else { "userID" })
                .user()
                .ok_or(NOT_FOUND.about("user"))?;
            // Of the users only the members are seen by whoever may not read users.
            let is_member = world.users.iter().any(|one| {
                one.id == user && one.roles.iter().any(|(org, _)| Some((*org, *org)) == at)
            });
            need(
                is_member || who.may_user(READ, user),
                NOT_FOUND.about("user"),
            )?;
            if adds { 201 } else { 204 }
        }

        "GetBuckets" => return buckets(world, who, filled),
        "PostBuckets" => {
            let org = thing("orgID");
            let id = org.org(world).ok_or(INVALID)?;
            need(
                who.may(WRITE, ResourceType::BUCKETS, Some(id), None),
                UNAUTHORIZED,
            )?;
            need(org.organization().is_some(), NOT_FOUND)?;
            201
        }
        "GetBucketsID" => {
            on(who, READ, ResourceType::BUCKETS, thing("bucketID").bucket())?;
            200
        }
        "DeleteBucketsID" => {
            on(
                who,
                WRITE,
                ResourceType::BUCKETS,
                thing("bucketID").bucket(),
            )?;
            204
        }

        // A7: a bearer whose authorization may write (read) authorizations of its own organization; 401, 403, 404.
        "GetDatabaseTokens"
        | "CreateDatabaseToken"
        | "GetDatabaseToken"
        | "UpdateDatabaseToken"
        | "DeleteDatabaseToken" => return database_tokens(operation, world, who, filled),
        // Whoever may do everything that there is.
        "PostBackup" => {
            need(who.name.contains("operator"), UNAUTHORIZED)?;
            200
        }
        other => panic!("no rule for the operation {other}: add one"),
    };
    Ok(Answer::Done(status))
}

/// B1.3, 7 to 12.
fn post_authorization(who: &Who, org: &Thing, user: &Thing, world: &World) -> Result<(), Refusal> {
    let id = org.org(world).ok_or(INVALID)?;
    let of = match user {
        Thing::Absent => who.user.ok_or(INVALID)?,
        user => user.any_user(world).ok_or(INVALID)?,
    };
    need(
        who.may(WRITE, ResourceType::AUTHORIZATIONS, Some(id), None),
        UNAUTHORIZED,
    )?;
    need(who.may_user(WRITE, of), UNAUTHORIZED.about("user"))?;
    need(who.may_grant_reading_buckets(id), FORBIDDEN)?;
    let is_there =
        org.organization().is_some() && (*user == Thing::Absent || user.user().is_some());
    need(is_there, INVALID)
}

fn is_session(who: &Who) -> bool {
    matches!(who.credential, Credential::Session(_))
}
