//! **The table of rules**: for each operation what names a thing, and who may do it on which, from the documents and not
//! from what the program answers.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use symbolon::{Id, ResourceType, Role};

use crate::reference::{
    CONFLICT, Credential, FORBIDDEN, INVALID, NOT_FOUND, READ, REVOKED, Refusal, UNAUTHORIZED,
    WRITE, Who,
};
use crate::things::{Filled, Kind, Place, Slot, Thing};
use crate::world::{Person, World};

/// What is answered: success, with the ids that a list shows, or a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done(u16),
    List(BTreeSet<Id>),
    Refused(Refusal),
}

const fn slot(place: Place, name: &'static str, kind: Kind) -> Slot {
    Slot { place, name, kind }
}

const AUTHORIZATION: [Slot; 1] = [slot(Place::Path, "authID", Kind::Authorization)];
const DATABASE_TOKEN: [Slot; 1] = [slot(Place::Path, "tokenId", Kind::DatabaseToken)];
const USER: [Slot; 1] = [slot(Place::Path, "userID", Kind::User)];
const ORG: [Slot; 1] = [slot(Place::Path, "orgID", Kind::Organization)];
const BUCKET: [Slot; 1] = [slot(Place::Path, "bucketID", Kind::Bucket)];
const AFTER: Slot = slot(Place::Query, "after", Kind::After);
const NEW_MEMBER: [Slot; 2] = [
    slot(Place::Path, "orgID", Kind::Organization),
    slot(Place::Body, "id", Kind::User),
];
const MEMBER: [Slot; 2] = [
    slot(Place::Path, "orgID", Kind::Organization),
    slot(Place::Path, "userID", Kind::User),
];

/// What of an operation names a thing. Path and body must; the query may.
pub(crate) fn slots(operation: &str) -> Option<Vec<Slot>> {
    use Kind::{Authorization, Bucket, BucketName, Organization, OrganizationName, User, UserName};
    let query = |name, kind| slot(Place::Query, name, kind);
    Some(match operation {
        "GetAuthorizations" => vec![
            query("id", Authorization),
            query("userID", User),
            query("user", UserName),
            query("orgID", Organization),
            query("org", OrganizationName),
            query("token", Kind::Token),
            AFTER,
        ],
        "PostAuthorizations" => vec![
            slot(Place::Body, "orgID", Organization),
            slot(Place::OptionalBody, "userID", User),
        ],
        "GetAuthorizationsID"
        | "PatchAuthorizationsID"
        | "DeleteAuthorizationsID"
        | "PostAuthorizationsIDRotate" => AUTHORIZATION.to_vec(),
        "GetUsers" => vec![query("id", User), query("name", UserName), AFTER],
        "GetUsersID"
        | "PatchUsersID"
        | "DeleteUsersID"
        | "PostUsersIDPassword"
        | "PutUsersIDPassword" => USER.to_vec(),
        "GetOrgs" => vec![
            query("org", OrganizationName),
            query("orgID", Organization),
            query("userID", User),
            AFTER,
        ],
        "GetOrgsID" | "PatchOrgsID" | "DeleteOrgsID" | "GetOrgsIDMembers" | "GetOrgsIDOwners" => {
            ORG.to_vec()
        }
        "PostOrgsIDMembers" | "PostOrgsIDOwners" => NEW_MEMBER.to_vec(),
        "DeleteOrgsIDMembersID" | "DeleteOrgsIDOwnersID" => MEMBER.to_vec(),
        "GetBuckets" => vec![
            query("id", Bucket),
            query("name", BucketName),
            query("org", OrganizationName),
            query("orgID", Organization),
            AFTER,
        ],
        "PostBuckets" => vec![slot(Place::Body, "orgID", Organization)],
        "GetBucketsID" | "DeleteBucketsID" => BUCKET.to_vec(),
        "GetDatabaseToken" | "UpdateDatabaseToken" | "DeleteDatabaseToken" => {
            DATABASE_TOKEN.to_vec()
        }
        "GetDatabaseTokens"
        | "CreateDatabaseToken"
        | "PostUsers"
        | "PostOrgs"
        | "GetMe"
        | "PutMePassword"
        | "GetSetup"
        | "PostSetup"
        | "PostSignin"
        | "PostSignout"
        | "GetRoutes"
        | "GetResources"
        | "GetOpenapi"
        | "GetHealth"
        | "GetReady"
        | "GetPing"
        | "HeadPing"
        | "GetMetrics"
        | "PostBackup" => Vec::new(),
        _ => return None,
    })
}

/// A body that is taken, but for what the slots name.
pub(crate) fn body(operation: &str, world: &World, filled: &[Filled<'_>]) -> Option<Value> {
    let mut body = match operation {
        "PostAuthorizations" => {
            let org = named(filled, "orgID")
                .thing
                .org(world)
                .unwrap_or(world.own.org);
            json!({"permissions": [
                {"action": "read", "resource": {"type": "buckets", "orgID": org}}
            ]})
        }
        "PatchAuthorizationsID" => json!({"description": "another"}),
        "PostAuthorizationsIDRotate" => json!({"overlapSeconds": 60}),
        "PostUsers" | "PatchUsersID" => json!({"name": "another-user"}),
        "PutMePassword" | "PostUsersIDPassword" | "PutUsersIDPassword" => {
            json!({"password": "a good password"})
        }
        "PostOrgs" | "PatchOrgsID" => json!({"name": "another-organization"}),
        "PostOrgsIDMembers" | "PostOrgsIDOwners" => json!({}),
        "PostBuckets" => json!({"name": "another-bucket"}),
        "PostSetup" => json!({
            "username": "again", "password": "a good password", "org": "again", "bucket": "again",
        }),
        "CreateDatabaseToken" => json!({
            "description": "made", "permissions": [{"action": "read", "resource": "db"}],
        }),
        "UpdateDatabaseToken" => json!({"description": "another"}),
        _ => return None,
    };
    let slots = filled.iter().filter(|one| one.slot.place.is_body());
    for one in slots.filter(|one| one.thing != Thing::Absent) {
        body[one.slot.name] = Value::String(one.text.clone());
    }
    Some(body)
}

pub(crate) fn named<'f, 'w>(filled: &'f [Filled<'w>], name: &str) -> &'f Filled<'w> {
    let mut found = filled.iter().filter(|one| one.slot.name == name);
    found.next().unwrap()
}

fn refuse(refusal: Refusal) -> Result<(), Refusal> {
    Err(refusal)
}

fn need(may: bool, refusal: Refusal) -> Result<(), Refusal> {
    if may { Ok(()) } else { Err(refusal) }
}

/// A2: for a caller that may not read it, a thing of another organization is not there; a caller of the organization that
/// lacks the permission is told so.
fn on(who: &Who, action: &str, kind: ResourceType, at: Option<(Id, Id)>) -> Result<(), Refusal> {
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
fn on_user(who: &Who, action: &str, user: Option<Id>) -> Result<(), Refusal> {
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

/// Whether a list that goes on after another id shows this one.
fn is_after(filled: &[Filled<'_>], id: Id) -> bool {
    let after = named(filled, "after").text.parse::<Id>();
    after.map_or(true, |after| id > after)
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
        // Whoever can sign in as a user must hold what that user may: it is a member of its organization.
        "PostUsersIDPassword" | "PutUsersIDPassword" => {
            on_user(who, WRITE, thing("userID").user())?;
            let (org, _) = thing("userID").organization().ok_or(NOT_FOUND)?;
            need(who.holds_role(org, Role::Member), FORBIDDEN)?;
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
            let role = match operation.contains("Owners") {
                true => Role::Owner,
                false => Role::Member,
            };
            let (org, _) = at.ok_or(NOT_FOUND)?;
            need(!adds || who.holds_role(org, role), FORBIDDEN)?;
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

/// B1.4 and A2.
fn authorizations(world: &World, who: &Who, filled: &[Filled<'_>]) -> Result<Answer, Refusal> {
    let thing = |name: &str| &named(filled, name).thing;
    let auths = ResourceType::AUTHORIZATIONS;
    if *thing("id") != Thing::Absent {
        let at = thing("id").authorization();
        on(who, READ, auths, at)?;
        return Ok(Answer::List(at.into_iter().map(|(_, id)| id).collect()));
    }
    let user = Some(thing("userID")).filter(|one| **one != Thing::Absent);
    let user_name = Some(thing("user")).filter(|one| **one != Thing::Absent && user.is_none());
    let org = Some(thing("orgID")).filter(|one| **one != Thing::Absent);
    let org_name = Some(thing("org")).filter(|one| **one != Thing::Absent && org.is_none());
    let token = Some(thing("token")).filter(|one| **one != Thing::Absent);
    let fits = |one: &&crate::world::Listed| {
        let of_user = |thing: &Thing| thing.user().is_some() && thing.user() == one.user;
        let of_org = |thing: &Thing| thing.organization().is_some_and(|(org, _)| org == one.org);
        let with_token = |thing: &Thing| thing.authorization().is_some_and(|(_, id)| id == one.id);
        user.is_none_or(of_user)
            && user_name.is_none_or(of_user)
            && org.is_none_or(of_org)
            && org_name.is_none_or(of_org)
            && token.is_none_or(with_token)
            && who.may(READ, auths, Some(one.org), Some(one.id))
    };
    let rows = world.authorizations.iter().filter(fits).map(|one| one.id);
    let rows: BTreeSet<Id> = rows.filter(|id| is_after(filled, *id)).collect();
    // A name that the caller may not see is unknown; whatever the list shows is seen.
    let sees_user = |thing: &Thing| thing.user().is_some_and(|id| who.may_user(READ, id));
    let sees_org = |thing: &Thing| {
        let at = thing.organization().map(|(id, _)| id);
        at.is_some_and(|id| {
            let token = !matches!(who.credential, Credential::Session(_));
            token && who.is_inside(id)
                || who.may(READ, ResourceType::ORGANIZATIONS, Some(id), Some(id))
        })
    };
    let seen = !rows.is_empty() || user_name.is_none_or(sees_user) && org_name.is_none_or(sees_org);
    need(seen, NOT_FOUND)?;
    Ok(Answer::List(rows))
}

fn users(world: &World, who: &Who, filled: &[Filled<'_>]) -> Result<Answer, Refusal> {
    let thing = |name: &str| &named(filled, name).thing;
    let wanted = ["id", "name"].map(|name| Some(thing(name)).filter(|one| **one != Thing::Absent));
    let asked = wanted.iter().any(Option::is_some);
    let mut rows = BTreeSet::new();
    for Person { id, .. } in &world.users {
        let fits = wanted
            .iter()
            .flatten()
            .all(|thing| thing.user() == Some(*id));
        let fits = fits && (asked || is_after(filled, *id));
        if fits && who.may_user(READ, *id) {
            rows.insert(*id);
        }
    }
    need(!asked || !rows.is_empty(), NOT_FOUND)?;
    Ok(Answer::List(rows))
}

fn organizations(world: &World, who: &Who, filled: &[Filled<'_>]) -> Result<Answer, Refusal> {
    let thing = |name: &str| &named(filled, name).thing;
    let may = |id: Id| who.may(READ, ResourceType::ORGANIZATIONS, Some(id), Some(id));
    let name = Some(thing("org")).filter(|one| **one != Thing::Absent);
    let by_id = Some(thing("orgID")).filter(|one| **one != Thing::Absent);
    let user = Some(thing("userID")).filter(|one| **one != Thing::Absent);
    let single = |id: Id| Ok(Answer::List(BTreeSet::from([id])));
    if let Some(name) = name {
        let found = name.organization().map(|(id, _)| id);
        let found = found.filter(|id| {
            let same = |thing: &Thing| thing.organization() == Some((*id, *id));
            may(*id) && by_id.is_none_or(same)
        });
        return single(found.ok_or(NOT_FOUND)?);
    }
    if let Some(by_id) = by_id {
        let at = by_id.organization();
        on(who, READ, ResourceType::ORGANIZATIONS, at)?;
        return single(at.ok_or(NOT_FOUND)?.0);
    }
    let of = |thing: &Thing| {
        let readable = thing.user().filter(|id| who.may_user(READ, *id));
        let found = world.users.iter().find(|one| Some(one.id) == readable);
        let roles = found.map(|one| one.roles.clone()).unwrap_or_default();
        roles.into_iter().map(|(org, _)| org).collect::<Vec<_>>()
    };
    let of = user.map(of);
    let all = [world.own.org, world.other.org].into_iter();
    let all = all.filter(|id| {
        may(*id) && is_after(filled, *id) && of.as_ref().is_none_or(|of| of.contains(id))
    });
    Ok(Answer::List(all.collect()))
}

fn buckets(world: &World, who: &Who, filled: &[Filled<'_>]) -> Result<Answer, Refusal> {
    let thing = |name: &str| &named(filled, name).thing;
    let given = |name: &str| Some(thing(name)).filter(|one| **one != Thing::Absent);
    let org = given("orgID").or_else(|| given("org"));
    if let (None, Some(name)) = (given("orgID"), given("org")) {
        let seen = name.organization().is_some_and(|(id, _)| {
            let token = !matches!(who.credential, Credential::Session(_));
            token && who.is_inside(id)
                || who.may(READ, ResourceType::ORGANIZATIONS, Some(id), Some(id))
        });
        need(seen, NOT_FOUND)?;
    }
    let wanted = [given("id"), given("name")];
    let mut rows = BTreeSet::new();
    for realm in [&world.own, &world.other] {
        let same = |thing: &Thing| thing.bucket() == Some((realm.org, realm.bucket));
        let of = |thing: &Thing| thing.organization() == Some((realm.org, realm.org));
        let fits = wanted.iter().flatten().all(|thing| same(thing)) && org.is_none_or(of);
        let fits = fits && is_after(filled, realm.bucket);
        if fits
            && who.may(
                READ,
                ResourceType::BUCKETS,
                Some(realm.org),
                Some(realm.bucket),
            )
        {
            rows.insert(realm.bucket);
        }
    }
    let asked = wanted.iter().any(Option::is_some);
    if asked && rows.is_empty() {
        refuse(NOT_FOUND)?;
    }
    Ok(Answer::List(rows))
}

fn database_tokens(
    operation: &str,
    world: &World,
    who: &Who,
    filled: &[Filled<'_>],
) -> Result<Answer, Refusal> {
    let action = match operation.starts_with("Get") {
        true => READ,
        false => WRITE,
    };
    if matches!(who.credential, Credential::Session(_)) {
        return Err(UNAUTHORIZED);
    }
    let org = world.own.org;
    let target = filled.first().map(|one| &one.thing);
    let id = target.and_then(|thing| thing.spelled_id(world));
    let is_v2 = !matches!(who.credential, Credential::DatabaseToken(_));
    let may = is_v2 && who.may(action, ResourceType::AUTHORIZATIONS, Some(org), id);
    need(may, FORBIDDEN)?;
    let Some(target) = target else {
        if operation == "CreateDatabaseToken" {
            need(who.may_grant_reading_buckets(org), FORBIDDEN)?;
            return Ok(Answer::Done(200));
        }
        let own = world.database_tokens.iter().filter(|(_, of)| *of == org);
        return Ok(Answer::List(own.map(|(id, _)| *id).collect()));
    };
    let (is_there, is_revoked) = match target {
        Thing::Of(realm) => (realm.org == org, false),
        Thing::Ended => (true, true),
        _ => (false, false),
    };
    need(is_there, NOT_FOUND)?;
    match operation {
        "DeleteDatabaseToken" => Ok(Answer::Done(204)),
        "UpdateDatabaseToken" if is_revoked => Err(REVOKED),
        _ => Ok(Answer::Done(200)),
    }
}
