//! What each list shows to whom.

use std::collections::BTreeSet;

use symbolon::{Id, ResourceType};

use crate::fixture::{Person, World};
use crate::reference::{
    Credential, FORBIDDEN, NOT_FOUND, READ, REVOKED, Refusal, UNAUTHORIZED, WRITE, Who,
};
use crate::resources::{Filled, Thing};
use crate::rule_table::{Answer, named, need, on, refuse};

/// Whether a list that goes on after another id shows this one.
fn is_after(filled: &[Filled<'_>], id: Id) -> bool {
    let after = named(filled, "after").text.parse::<Id>();
    after.map_or(true, |after| id > after)
}

/// B1.4 and A2.
pub(crate) fn authorizations(
    world: &World,
    who: &Who,
    filled: &[Filled<'_>],
) -> Result<Answer, Refusal> {
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
    let fits = |one: &&crate::fixture::Listed| {
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

pub(crate) fn users(world: &World, who: &Who, filled: &[Filled<'_>]) -> Result<Answer, Refusal> {
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

pub(crate) fn organizations(
    world: &World,
    who: &Who,
    filled: &[Filled<'_>],
) -> Result<Answer, Refusal> {
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

pub(crate) fn buckets(world: &World, who: &Who, filled: &[Filled<'_>]) -> Result<Answer, Refusal> {
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

pub(crate) fn database_tokens(
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
