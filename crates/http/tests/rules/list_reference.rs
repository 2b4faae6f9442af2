//! The records that each list shows to each caller.

use std::collections::BTreeSet;

use symbolon::{Id, ResourceType};

use crate::fixture::World;
use crate::reference::{FORBIDDEN, NOT_FOUND, READ, REVOKED, UNAUTHORIZED, WRITE, Who};
use crate::resources::{Filled, Thing};
use crate::rule_table::{Answer, Decided, named, need, on};

/// Returns the parameter if it is present.
fn given<'f, 'w>(filled: &'f [Filled<'w>], name: &str) -> Option<&'f Filled<'w>> {
    Some(named(filled, name)).filter(|one| !one.is_absent())
}

/// Returns the parameter for an id, or that for a name: an id takes precedence.
fn given_either<'f, 'w>(filled: &'f [Filled<'w>], names: [&str; 2]) -> Option<&'f Filled<'w>> {
    names.iter().find_map(|name| given(filled, name))
}

/// Returns whether `id` comes after the parameter `after`.
fn is_after(filled: &[Filled<'_>], id: Id) -> bool {
    let after = named(filled, "after").text.parse::<Id>();
    after.map_or(true, |after| id > after)
}

/// Returns whether a caller may use the name of an organization: a token of that organization may.
fn sees_org(who: &Who, one: &Filled<'_>) -> bool {
    one.id().is_some_and(|id| {
        !who.is_session() && who.is_inside(id)
            || who.may(READ, ResourceType::ORGANIZATIONS, Some(id), Some(id))
    })
}

pub(crate) fn authorizations(world: &World, who: &Who, filled: &[Filled<'_>]) -> Decided {
    if let Some(one) = given(filled, "id") {
        on(who, READ, one)?;
        return Ok(Answer::List(one.id().into_iter().collect()));
    }
    let user = given_either(filled, ["userID", "user"]);
    let org = given_either(filled, ["orgID", "org"]);
    let token = given(filled, "token");
    let kind = ResourceType::AUTHORIZATIONS;
    let rows = world.authorizations.iter().filter(|one| {
        user.is_none_or(|user| user.id().is_some() && user.id() == one.user)
            && org.is_none_or(|org| org.id() == Some(one.org))
            && token.is_none_or(|token| token.id() == Some(one.id))
            && who.may(READ, kind, Some(one.org), Some(one.id))
            && is_after(filled, one.id)
    });
    let rows: BTreeSet<_> = rows.map(|one| one.id).collect();
    // A name that the caller may not see is unknown, unless a row already shows it.
    let sees_user = |one: &Filled<'_>| one.id().is_some_and(|id| who.may_user(READ, id));
    let user_name = user.filter(|one| one.slot.name == "user");
    let org_name = org.filter(|one| one.slot.name == "org");
    let sees_names =
        user_name.is_none_or(sees_user) && org_name.is_none_or(|one| sees_org(who, one));
    need(!rows.is_empty() || sees_names, NOT_FOUND)?;
    Ok(Answer::List(rows))
}

pub(crate) fn users(world: &World, who: &Who, filled: &[Filled<'_>]) -> Decided {
    let wanted = ["id", "name"].map(|name| given(filled, name));
    let wanted: Vec<_> = wanted.into_iter().flatten().collect();
    let ids = world.users.iter().map(|one| one.id);
    let rows: BTreeSet<Id> = ids
        .filter(|id| wanted.iter().all(|one| one.id() == Some(*id)))
        .filter(|id| !wanted.is_empty() || is_after(filled, *id))
        .filter(|id| who.may_user(READ, *id))
        .collect();
    need(wanted.is_empty() || !rows.is_empty(), NOT_FOUND)?;
    Ok(Answer::List(rows))
}

pub(crate) fn organizations(world: &World, who: &Who, filled: &[Filled<'_>]) -> Decided {
    let may = |id: Id| who.may(READ, ResourceType::ORGANIZATIONS, Some(id), Some(id));
    let by_id = given(filled, "orgID");
    let single = |id: Id| Ok(Answer::List(BTreeSet::from([id])));
    if let Some(name) = given(filled, "org") {
        let is_it = |id: &Id| may(*id) && by_id.is_none_or(|one| one.id() == Some(*id));
        return single(name.id().filter(is_it).ok_or(NOT_FOUND)?);
    }
    if let Some(by_id) = by_id {
        on(who, READ, by_id)?;
        return single(by_id.id().ok_or(NOT_FOUND)?);
    }
    let of_user = given(filled, "userID").map(|one| {
        let readable = one.id().filter(|id| who.may_user(READ, *id));
        let found = world.users.iter().filter(|one| Some(one.id) == readable);
        let roles = found.flat_map(|one| &one.roles);
        roles.map(|(org, _)| *org).collect::<Vec<_>>()
    });
    let mut all = BTreeSet::from([world.own.org, world.other.org]);
    all.retain(|id| may(*id) && is_after(filled, *id));
    all.retain(|id| of_user.as_ref().is_none_or(|of| of.contains(id)));
    Ok(Answer::List(all))
}

pub(crate) fn buckets(world: &World, who: &Who, filled: &[Filled<'_>]) -> Decided {
    let of_org = given_either(filled, ["orgID", "org"]);
    let by_name = of_org.filter(|one| one.slot.name == "org");
    need(by_name.is_none_or(|one| sees_org(who, one)), NOT_FOUND)?;
    let wanted = ["id", "name"].map(|name| given(filled, name));
    let wanted: Vec<_> = wanted.into_iter().flatten().collect();
    let realms = [&world.own, &world.other].into_iter().filter(|realm| {
        let (org, id) = (Some(realm.org), Some(realm.bucket));
        wanted.iter().all(|one| one.id() == id)
            && of_org.is_none_or(|one| one.id() == org)
            && is_after(filled, realm.bucket)
            && who.may(READ, ResourceType::BUCKETS, org, id)
    });
    let rows: BTreeSet<_> = realms.map(|realm| realm.bucket).collect();
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
    need(!who.is_session(), UNAUTHORIZED)?;
    let reads = operation.starts_with("Get");
    let action = if reads { READ } else { WRITE };
    let org = world.own.org;
    let id = filled.first().and_then(|one| one.spelled_id(world));
    // A database token holds nothing.
    let may = who.may(action, ResourceType::AUTHORIZATIONS, Some(org), id);
    need(may, FORBIDDEN)?;
    let Some(target) = filled.first().map(|one| one.thing) else {
        if operation == "CreateDatabaseToken" {
            need(who.may_grant_reading_database(org, "db"), FORBIDDEN)?;
            return Ok(Answer::Done(200));
        }
        let own = world.database_tokens.iter().filter(|(_, of)| *of == org);
        return Ok(Answer::List(own.map(|(id, _)| *id).collect()));
    };
    let is_revoked = target == Thing::Deleted;
    let is_own = matches!(target, Thing::Of(realm) if realm.org == org);
    need(is_own || is_revoked, NOT_FOUND)?;
    match operation {
        "DeleteDatabaseToken" => Ok(Answer::Done(204)),
        "UpdateDatabaseToken" if is_revoked => Err(REVOKED),
        _ => Ok(Answer::Done(200)),
    }
}
