//! The records that each list shows to each caller.

use std::collections::BTreeSet;

use symbolon::{Id, ResourceType};

use crate::fixture::World;
use crate::reference::{Credential, FORBIDDEN, NOT_FOUND, READ, REVOKED, UNAUTHORIZED, WRITE, Who};
use crate::resources::{Filled, Thing};
use crate::rule_table::{Answer, Decided, named, need, on};

/// Returns the thing that a parameter names, if the parameter is present.
fn given<'f, 'w>(filled: &'f [Filled<'w>], name: &str) -> Option<&'f Thing<'w>> {
    Some(&named(filled, name).thing).filter(|thing| **thing != Thing::Absent)
}

/// Returns whether `id` comes after the parameter `after`.
fn is_after(filled: &[Filled<'_>], id: Id) -> bool {
    let after = named(filled, "after").text.parse::<Id>();
    after.map_or(true, |after| id > after)
}

/// Returns whether a caller may use the name of an organization: a token of that organization may.
fn sees_org(who: &Who, thing: &Thing<'_>) -> bool {
    let is_session = matches!(who.credential, Credential::Session(_));
    thing.organization().is_some_and(|(id, _)| {
        !is_session && who.is_inside(id)
            || who.may(READ, ResourceType::ORGANIZATIONS, Some(id), Some(id))
    })
}

pub(crate) fn authorizations(world: &World, who: &Who, filled: &[Filled<'_>]) -> Decided {
    let auths = ResourceType::AUTHORIZATIONS;
    if let Some(thing) = given(filled, "id") {
        let at = thing.authorization();
        on(who, READ, auths, at)?;
        return Ok(Answer::List(at.into_iter().map(|(_, id)| id).collect()));
    }
    // An id takes precedence over a name.
    let user = given(filled, "userID");
    let user_name = given(filled, "user").filter(|_| user.is_none());
    let org = given(filled, "orgID");
    let org_name = given(filled, "org").filter(|_| org.is_none());
    let token = given(filled, "token");
    let mut rows = BTreeSet::new();
    for one in &world.authorizations {
        let of_user = |thing: &Thing| thing.user().is_some() && thing.user() == one.user;
        let of_org = |thing: &Thing| thing.organization().is_some_and(|(org, _)| org == one.org);
        let with_token = |thing: &Thing| thing.authorization().is_some_and(|(_, id)| id == one.id);
        if user.or(user_name).is_none_or(of_user)
            && org.or(org_name).is_none_or(of_org)
            && token.is_none_or(with_token)
            && who.may(READ, auths, Some(one.org), Some(one.id))
            && is_after(filled, one.id)
        {
            rows.insert(one.id);
        }
    }
    // A name that the caller may not see is unknown, unless a row already shows it.
    let sees_user = |thing: &Thing| thing.user().is_some_and(|id| who.may_user(READ, id));
    let sees_names =
        user_name.is_none_or(sees_user) && org_name.is_none_or(|thing| sees_org(who, thing));
    need(!rows.is_empty() || sees_names, NOT_FOUND)?;
    Ok(Answer::List(rows))
}

pub(crate) fn users(world: &World, who: &Who, filled: &[Filled<'_>]) -> Decided {
    let wanted: Vec<_> = ["id", "name"]
        .iter()
        .filter_map(|name| given(filled, name))
        .collect();
    let ids = world.users.iter().map(|one| one.id);
    let rows: BTreeSet<Id> = ids
        .filter(|id| wanted.iter().all(|thing| thing.user() == Some(*id)))
        .filter(|id| !wanted.is_empty() || is_after(filled, *id))
        .filter(|id| who.may_user(READ, *id))
        .collect();
    need(wanted.is_empty() || !rows.is_empty(), NOT_FOUND)?;
    Ok(Answer::List(rows))
}

pub(crate) fn organizations(world: &World, who: &Who, filled: &[Filled<'_>]) -> Decided {
    let orgs = ResourceType::ORGANIZATIONS;
    let may = |id: Id| who.may(READ, orgs, Some(id), Some(id));
    let by_id = given(filled, "orgID");
    let single = |id: Id| Ok(Answer::List(BTreeSet::from([id])));
    if let Some(name) = given(filled, "org") {
        let found = name.organization().map(|(id, _)| id);
        let found = found.filter(|id| {
            let same = |thing: &Thing| thing.organization() == Some((*id, *id));
            may(*id) && by_id.is_none_or(same)
        });
        return single(found.ok_or(NOT_FOUND)?);
    }
    if let Some(by_id) = by_id {
        let at = by_id.organization();
        on(who, READ, orgs, at)?;
        return single(at.ok_or(NOT_FOUND)?.0);
    }
    let of_user = given(filled, "userID").map(|thing| {
        let readable = thing.user().filter(|id| who.may_user(READ, *id));
        let found = world.users.iter().find(|one| Some(one.id) == readable);
        let roles = found.map(|one| one.roles.clone()).unwrap_or_default();
        roles.into_iter().map(|(org, _)| org).collect::<Vec<_>>()
    });
    let mut all = BTreeSet::from([world.own.org, world.other.org]);
    all.retain(|id| may(*id) && is_after(filled, *id));
    all.retain(|id| of_user.as_ref().is_none_or(|of| of.contains(id)));
    Ok(Answer::List(all))
}

pub(crate) fn buckets(world: &World, who: &Who, filled: &[Filled<'_>]) -> Decided {
    let by_id = given(filled, "orgID");
    let by_name = given(filled, "org").filter(|_| by_id.is_none());
    need(by_name.is_none_or(|thing| sees_org(who, thing)), NOT_FOUND)?;
    let wanted: Vec<_> = ["id", "name"]
        .iter()
        .filter_map(|name| given(filled, name))
        .collect();
    let mut rows = BTreeSet::new();
    for realm in [&world.own, &world.other] {
        let (org, id) = (realm.org, realm.bucket);
        let of_org = |thing: &Thing| thing.organization() == Some((org, org));
        if wanted.iter().all(|thing| thing.bucket() == Some((org, id)))
            && by_id.or(by_name).is_none_or(of_org)
            && is_after(filled, id)
            && who.may(READ, ResourceType::BUCKETS, Some(org), Some(id))
        {
            rows.insert(id);
        }
    }
    need(wanted.is_empty() || !rows.is_empty(), NOT_FOUND)?;
    Ok(Answer::List(rows))
}

/// Database tokens: a v2 token may read or write those of its own organization if it may read or
/// write authorizations there.
pub(crate) fn database_tokens(
    operation: &str,
    world: &World,
    who: &Who,
    filled: &[Filled<'_>],
) -> Decided {
    need(
        !matches!(who.credential, Credential::Session(_)),
        UNAUTHORIZED,
    )?;
    let action = if operation.starts_with("Get") {
        READ
    } else {
        WRITE
    };
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
    let is_revoked = *target == Thing::Deleted;
    let is_own = matches!(target, Thing::Of(realm) if realm.org == org);
    need(is_own || is_revoked, NOT_FOUND)?;
    match operation {
        "DeleteDatabaseToken" => Ok(Answer::Done(204)),
        "UpdateDatabaseToken" if is_revoked => Err(REVOKED),
        _ => Ok(Answer::Done(200)),
    }
}
