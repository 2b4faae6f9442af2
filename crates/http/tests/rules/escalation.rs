//! **No escalation** over HTTP: a caller never creates a token with more permissions than its own.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use symbolon::{Action, Id, Permission, ResourceType, Target};
use symbolon_oracle as oracle;

use crate::reference::{READ, WRITE, allows, may_grant, to_oracle};
use crate::server::{Server, texts};
use crate::sets::permissions;
use crate::support::{Reply, read_id};

/// A server with two organizations, two users, and two registered buckets, `a` and `b`, in each
/// organization.
struct World {
    server: Server,
    orgs: [Id; 2],
    users: [Id; 2],
    buckets: [[Id; 2]; 2],
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let server = Server::new();
    let orgs = [server.org, server.create_org("second")];
    World {
        orgs,
        users: [server.user, server.create_user("bert")],
        buckets: orgs.map(|org| ["a", "b"].map(|name| server.create_bucket(org, name))),
        server,
    }
});

const KINDS: [ResourceType; 4] = [
    ResourceType::AUTHORIZATIONS,
    ResourceType::BUCKETS,
    ResourceType::USERS,
    ResourceType::ORGANIZATIONS,
];

/// Draws a permission: organization and resource are each absent or one of two.
fn drawn(orgs: impl Strategy<Value = Option<usize>>) -> impl Strategy<Value = Permission> {
    let action = prop_oneof![Just(Action::READ), Just(Action::WRITE)];
    let [authorizations, buckets, users, organizations] = KINDS.map(Just);
    let kind = prop_oneof![3 => authorizations, 3 => buckets, 2 => users, 1 => organizations];
    let one = proptest::option::weighted(0.3, 0..2_usize);
    (action, kind, orgs, one).prop_map(|(action, kind, org, one)| {
        let mut made = Permission::new(action, kind);
        if let Some(org) = org {
            made = made.organization(WORLD.orgs[org]);
        }
        let Some(one) = one else {
            return made;
        };
        made.id(match kind {
            ResourceType::BUCKETS => WORLD.buckets[org.unwrap_or(0)][one],
            ResourceType::USERS => WORLD.users[one],
            ResourceType::ORGANIZATIONS => WORLD.orgs[one],
            _ => Id::new(77 + one as u64).unwrap(),
        })
    })
}

/// Draws the permissions of a token of the first organization; the store refuses the second.
fn held() -> impl Strategy<Value = Vec<Permission>> {
    let org = proptest::option::weighted(0.7, Just(0));
    proptest::collection::vec(drawn(org), 1..6)
}

fn wanted() -> impl Strategy<Value = Vec<Permission>> {
    let org = prop_oneof![2 => Just(None), 6 => Just(Some(0)), 1 => Just(Some(1))];
    proptest::collection::vec(drawn(org), 1..3)
}

fn permission_json(one: &Permission) -> Value {
    let resource = &one.resource;
    let id = match resource.target {
        Target::Id(id) => Some(id),
        _ => None,
    };
    let kind = resource.kind.to_string();
    let resource = json!({"type": kind, "orgID": resource.organization, "id": id});
    json!({"action": one.action.to_string(), "resource": resource})
}

/// Returns whether `held` allows granting `wanted`.
fn includes(held: &[Permission], wanted: &oracle::Permission<'_>) -> bool {
    let buckets = WORLD.orgs.iter().zip(WORLD.buckets).flat_map(|(org, ids)| {
        let named = ["a", "b"].into_iter().zip(ids);
        named.map(|(name, id)| oracle::Bucket { id: id.number(), organization: org.number(), name })
    });
    may_grant(held, wanted, &buckets.collect::<Vec<_>>())
}

/// Returns every request in this world that `held` allows.
fn reached(held: &[Permission]) -> BTreeSet<(String, Option<Id>, Option<Id>)> {
    let world = &*WORLD;
    let others = [77, 78, 99].map(|number| Id::new(number).unwrap());
    let ids = world.buckets.iter().flatten().chain(&world.users);
    let ids = ids.chain(&world.orgs).chain(&others);
    let ids: Vec<_> = ids.map(|id| Some(*id)).chain([None]).collect();
    let orgs = [Some(world.orgs[0]), Some(world.orgs[1]), None];
    let mut all = BTreeSet::new();
    for kind in KINDS {
        for (org, id) in orgs.iter().flat_map(|org| ids.iter().map(|id| (*org, *id))) {
            // A request for a record names its organization, unless it is a user.
            let is_whole = org.is_some() || id.is_none() || kind == ResourceType::USERS;
            let may = |action: &&str| is_whole && allows(held, action, kind, org, id);
            let actions = [READ, WRITE].into_iter().filter(may);
            all.extend(actions.map(|action| (format!("{action}:{kind}"), org, id)));
        }
    }
    all
}

/// Creates a token of the first organization and the first user.
fn caller(held: &[Permission]) -> (String, Id) {
    let (token, made) = WORLD.server.token(&texts(held));
    (token, made.id)
}

/// Returns the stored permissions of the authorization in a reply.
fn made(reply: &Reply) -> Vec<Permission> {
    stored(read_id(&reply.json()["id"]))
}

fn stored(id: Id) -> Vec<Permission> {
    let found = WORLD.server.root().authorizations().get(id);
    found.unwrap().permissions.to_vec()
}

/// Requires that `made` allows no request that `held` does not.
fn check_within(made: &[Permission], held: &[Permission]) -> Result<(), TestCaseError> {
    let is_within = reached(made).is_subset(&reached(held));
    prop_assert!(is_within, "{:?} exceeds {:?}", made, held);
    Ok(())
}

fn text_set(all: &[Permission]) -> BTreeSet<String> {
    texts(all).into_iter().collect()
}

fn writes_authorizations(held: &[Permission], id: Option<Id>) -> bool {
    let org = Some(WORLD.orgs[0]);
    allows(held, WRITE, ResourceType::AUTHORIZATIONS, org, id)
}

/// Returns permissions without which most callers fail for another reason.
fn help(user: Option<Id>) -> Vec<Permission> {
    let mut texts = vec![format!("write:orgs/{}/authorizations", WORLD.orgs[0])];
    texts.extend(user.map(|user| format!("write:users/{user}")));
    permissions(&texts)
}

/// Draws permissions on databases. `a` and `b` are the names of registered buckets.
fn databases() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let action = prop_oneof![Just("read"), Just("write")];
    let name = prop_oneof![Just("a"), Just("b"), Just("c"), Just("*")];
    proptest::collection::vec((action, name), 0..4)
}

/// Returns the permission on a database of the first organization; `*` is any.
fn database((action, name): (&'static str, &'static str)) -> oracle::Permission<'static> {
    let any = oracle::Permission::new(action, "databases").organization(WORLD.orgs[0].number());
    if name == "*" { any } else { any.name(name) }
}

fn database_json(wanted: &[(&str, &str)]) -> Value {
    let each = wanted.iter();
    each.map(|(action, name)| json!({"action": action, "resource": name})).collect()
}

fn database_permissions(wanted: &[(&str, &str)]) -> Vec<String> {
    let each = wanted.iter();
    each.map(|(action, name)| format!("{action}:orgs/{}/databases/{name}", WORLD.orgs[0])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn creating_a_token_never_grants_more_than_the_caller_holds(
        mut held in held(), wanted in wanted(), user in 0..2_usize, helps in any::<bool>(),
    ) {
        let (org, user) = (WORLD.orgs[0], WORLD.users[user]);
        if helps {
            held.extend(help(Some(user)));
        }
        let given: Vec<_> = wanted.iter().map(permission_json).collect();
        let body = json!({"orgID": org, "userID": user, "permissions": given});
        let reply = WORLD.server.ask("POST /api/v2/authorizations", &caller(&held).0, body);
        let is_local = |one: &Permission| one.resource.organization.is_none_or(|of| of == org);
        let writes_user = allows(&held, WRITE, ResourceType::USERS, None, Some(user));
        let expected = if !writes_authorizations(&held, None) || !writes_user {
            401
        } else if !wanted.iter().all(|one| includes(&held, &to_oracle(one))) {
            403
        } else if !wanted.iter().all(is_local) {
            400
        } else {
            201
        };
        prop_assert_eq!(reply.status, expected, "{}", reply.text());
        if expected == 201 {
            prop_assert_eq!(text_set(&made(&reply)), text_set(&wanted));
            check_within(&made(&reply), &held)?;
        }
    }

    #[test]
    fn rotating_a_token_never_grants_more_than_the_caller_holds(
        mut held in held(), old in held(), helps in any::<bool>(), itself in any::<bool>(),
    ) {
        if helps {
            held.extend(help(None));
        }
        let (token, own) = caller(&held);
        let target = if itself { own } else { caller(&old).1 };
        let line = format!("POST /api/v2/authorizations/{target}/rotate");
        let reply = WORLD.server.ask(&line, &token, json!({"overlapSeconds": 60}));
        let expected = if itself {
            201
        } else if !writes_authorizations(&held, Some(target)) {
            401
        } else if !old.iter().all(|one| includes(&held, &to_oracle(one))) {
            403
        } else {
            201
        };
        prop_assert_eq!(reply.status, expected, "{}", reply.text());
        if expected == 201 {
            check_within(&made(&reply), &held)?;
        }
    }

    #[test]
    fn database_tokens_never_grant_more_than_the_caller_holds(
        mut held in held(), first in databases(), then in databases(), helps in any::<bool>(),
    ) {
        if helps {
            held.extend(help(None));
        }
        let (token, _) = caller(&held);
        let may = |one: &(&'static str, &'static str)| includes(&held, &database(*one));
        let body = json!({"description": "made", "permissions": database_json(&first)});
        let reply = WORLD.server.ask("POST /api/v0/tokens", &token, body);
        let may_create = writes_authorizations(&held, None) && first.iter().all(may);
        prop_assert_eq!(reply.status, if may_create { 200 } else { 403 }, "{}", reply.text());

        // The token of another caller may keep its permissions, and gain those of this caller.
        let given = database_permissions(&first);
        let (_, other) = WORLD.server.database_token(WORLD.orgs[0], &given);
        let line = format!("PATCH /api/v0/tokens/{}", other.to_uuid());
        let reply = WORLD.server.ask(&line, &token, json!({"permissions": database_json(&then)}));
        let had = |one: &(&'static str, &'static str)| {
            first.iter().any(|had| database(*had).includes(&database(*one), &[]))
        };
        let writes_this = writes_authorizations(&held, Some(other));
        let may_change = writes_this && then.iter().all(|one| had(one) || may(one));
        prop_assert_eq!(reply.status, if may_change { 200 } else { 403 }, "{}", reply.text());
        let wanted = database_permissions(if may_change { &then } else { &first });
        let wanted = wanted.iter().map(|text| text.trim_end_matches("/*").to_owned());
        prop_assert_eq!(text_set(&stored(other)), wanted.collect());
    }
}
