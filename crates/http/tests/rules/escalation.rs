//! **No escalation** over HTTP: a caller never creates a token with more permissions than its own.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use axum::Router;
use proptest::prelude::*;
use serde_json::{Value, json};
use symbolon::{
    Caller, Engine, Id, ManualClock, MemoryStore, NewAuthorization, Origin, Permission,
    ResourceType, Target,
};
use symbolon_http::{Api, Settings, application};

use crate::reference::covers;
use crate::server::engine;
use crate::support::{Reply, ask, run};

/// Two organizations with two users and two registered buckets, `a` and `b`, in each.
struct World {
    app: Router,
    engine: Arc<Engine>,
    orgs: [Id; 2],
    users: [Id; 2],
    buckets: [[Id; 2]; 2],
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let clock = ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap());
    let engine = engine(&Arc::new(MemoryStore::new()), &clock);
    let issuer = engine.issuer();
    let root = Caller::Root;
    let orgs =
        ["first", "second"].map(|name| issuer.create_organization(&root, name, "").unwrap().id);
    let users = ["anna", "bert"].map(|name| issuer.create_user(&root, name, None).unwrap().id);
    let buckets =
        orgs.map(|org| ["a", "b"].map(|name| issuer.register_bucket(&root, org, name).unwrap().id));
    World {
        app: application(Api::new(Arc::clone(&engine), Settings::default())),
        engine,
        orgs,
        users,
        buckets,
    }
});

/// A random permission: organization and resource are each absent or one of two.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    action: &'static str,
    kind: ResourceType,
    org: Option<usize>,
    one: Option<usize>,
}

fn drawn(orgs: impl Strategy<Value = Option<usize>>) -> impl Strategy<Value = Drawn> {
    let action = prop_oneof![Just("read"), Just("write")];
    let kind = prop_oneof![
        3 => Just(ResourceType::AUTHORIZATIONS),
        3 => Just(ResourceType::BUCKETS),
        2 => Just(ResourceType::USERS),
        1 => Just(ResourceType::ORGANIZATIONS),
    ];
    let one = proptest::option::weighted(0.3, 0..2_usize);
    (action, kind, orgs, one).prop_map(|(action, kind, org, one)| Drawn {
        action,
        kind,
        org,
        one,
    })
}

/// Draws the permissions of a token of the first organization; the store refuses the second.
fn held() -> impl Strategy<Value = Vec<Drawn>> {
    let org = proptest::option::weighted(0.7, Just(0));
    proptest::collection::vec(drawn(org), 1..6)
}

fn wanted() -> impl Strategy<Value = Vec<Drawn>> {
    let org = prop_oneof![2 => Just(None), 6 => Just(Some(0)), 1 => Just(Some(1))];
    proptest::collection::vec(drawn(org), 1..3)
}

impl Drawn {
    fn id(self) -> Option<Id> {
        let one = self.one?;
        let org = self.org.unwrap_or(0);
        Some(match self.kind {
            ResourceType::BUCKETS => WORLD.buckets[org][one],
            ResourceType::USERS => WORLD.users[one],
            ResourceType::ORGANIZATIONS => WORLD.orgs[one],
            _ => Id::new(77 + one as u64).unwrap(),
        })
    }

    fn permission(self) -> Permission {
        let mut made = Permission::new(self.action.parse().unwrap(), self.kind);
        if let Some(org) = self.org {
            made = made.organization(WORLD.orgs[org]);
        }
        match self.id() {
            Some(id) => made.id(id),
            None => made,
        }
    }

    fn json(self) -> Value {
        let mut resource = json!({"type": self.kind.to_string()});
        if let Some(org) = self.org {
            resource["orgID"] = json!(WORLD.orgs[org]);
        }
        if let Some(id) = self.id() {
            resource["id"] = json!(id);
        }
        json!({"action": self.action, "resource": resource})
    }
}

/// Returns whether `held` allows granting `wanted`, by a second implementation of the rule: one
/// held permission has equal parts, where a missing part means *any*.
fn may_grant(held: &[Permission], wanted: &Permission) -> bool {
    held.iter().any(|one| {
        let same = one.action == wanted.action && one.resource.kind == wanted.resource.kind;
        let org = one.resource.organization.is_none()
            || one.resource.organization == wanted.resource.organization;
        let target =
            one.resource.target == Target::Any || one.resource.target == wanted.resource.target;
        same && org && target
    })
}

/// Returns every request in this world that `held` allows.
fn reached(held: &[Permission]) -> BTreeSet<(String, Option<Id>, Option<Id>)> {
    let world = &*WORLD;
    let kinds = [
        ResourceType::AUTHORIZATIONS,
        ResourceType::BUCKETS,
        ResourceType::USERS,
        ResourceType::ORGANIZATIONS,
    ];
    let others = [77, 78, 99].map(|number| Id::new(number).unwrap());
    let ids = world
        .buckets
        .iter()
        .flatten()
        .chain(&world.users)
        .chain(&world.orgs)
        .chain(&others);
    let ids: Vec<_> = ids.map(|id| Some(*id)).chain([None]).collect();
    let orgs = [Some(world.orgs[0]), Some(world.orgs[1]), None];
    let mut all = BTreeSet::new();
    for (action, kind) in ["read", "write"]
        .into_iter()
        .flat_map(|action| kinds.map(|kind| (action, kind)))
    {
        for (org, id) in orgs.iter().flat_map(|org| ids.iter().map(|id| (*org, *id))) {
            // A request for a record names its organization, unless it is a user.
            let is_whole = org.is_some() || id.is_none() || kind == ResourceType::USERS;
            let unscoped = |one: &&Permission| {
                kind != ResourceType::USERS || one.resource.organization.is_none()
            };
            if is_whole
                && held
                    .iter()
                    .filter(unscoped)
                    .any(|one| covers(one, action, kind, org, id))
            {
                all.insert((format!("{action}:{kind}"), org, id));
            }
        }
    }
    all
}

fn all(drawn: &[Drawn]) -> Vec<Permission> {
    drawn.iter().map(|one| one.permission()).collect()
}

/// Creates a token of the first organization and the first user.
fn caller(held: &[Permission]) -> (String, Id) {
    let new = NewAuthorization {
        user: Some(WORLD.users[0]),
        origin: Origin::V2,
        ..NewAuthorization::new(WORLD.orgs[0], held.iter().cloned())
    };
    let (token, made) = WORLD.engine.issuer().create(&Caller::Root, new).unwrap();
    (token.reveal().to_owned(), made.id)
}

fn send(token: &str, method: &str, path: &str, body: &Value) -> Reply {
    let token = format!("Token {token}");
    let headers = [("authorization", token.as_str())];
    run(ask(
        &WORLD.app,
        method,
        path,
        &headers,
        Some(body.to_string()),
    ))
}

/// Returns the stored permissions of the authorization in a reply.
fn made(reply: &Reply) -> Vec<Permission> {
    let text = reply.json()["id"].as_str().unwrap().to_owned();
    let uuid = uuid::Uuid::try_parse(&text).ok().and_then(Id::from_uuid);
    let id = uuid.or_else(|| text.parse().ok()).unwrap();
    let found = WORLD.engine.issuer().authorization(&Caller::Root, id);
    found.unwrap().permissions.to_vec()
}

fn writes_authorizations(held: &[Permission]) -> bool {
    let org = Some(WORLD.orgs[0]);
    held.iter()
        .any(|one| covers(one, "write", ResourceType::AUTHORIZATIONS, org, None))
}

fn writes_user(held: &[Permission], user: Id) -> bool {
    held.iter().any(|one| {
        one.resource.organization.is_none()
            && covers(one, "write", ResourceType::USERS, None, Some(user))
    })
}

/// Draws permissions on databases. `a` and `b` are the names of registered buckets.
fn databases() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let action = prop_oneof![Just("read"), Just("write")];
    let name = prop_oneof![Just("a"), Just("b"), Just("c"), Just("*")];
    proptest::collection::vec((action, name), 0..4)
}

/// Returns whether `held` allows granting a database: by all buckets of the organization, or by the
/// bucket of the same name.
fn may_grant_database(held: &[Permission], action: &str, name: &str) -> bool {
    let (org, buckets) = (WORLD.orgs[0], WORLD.buckets[0]);
    held.iter().any(|one| {
        let resource = &one.resource;
        let same = one.action.to_string() == action && resource.kind == ResourceType::BUCKETS;
        let in_org = resource.organization.is_none_or(|held| held == org);
        let fits = match resource.target {
            Target::Any => true,
            Target::Id(id) => id == buckets[0] && name == "a" || id == buckets[1] && name == "b",
            Target::Name(_) => false,
        };
        same && in_org && fits
    })
}

fn database_json(wanted: &[(&str, &str)]) -> Value {
    let each = wanted
        .iter()
        .map(|(action, name)| json!({"action": action, "resource": name}));
    each.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn creating_a_token_never_grants_more_than_the_caller_holds(
        held in held(), wanted in wanted(), user in 0..2_usize, helps in any::<bool>(),
    ) {
        let mut held = all(&held);
        if helps {
            // Without these, most callers fail for another reason.
            held.push(format!("write:orgs/{}/authorizations", WORLD.orgs[0]).parse().unwrap());
            held.push(format!("write:users/{}", WORLD.users[user]).parse().unwrap());
        }
        let (token, _) = caller(&held);
        let body = json!({
            "orgID": WORLD.orgs[0],
            "userID": WORLD.users[user],
            "permissions": wanted.iter().map(|one| one.json()).collect::<Value>(),
        });
        let wanted = all(&wanted);
        let reply = send(&token, "POST", "/api/v2/authorizations", &body);
        let is_local = |one: &Permission| {
            one.resource.organization.is_none_or(|org| org == WORLD.orgs[0])
        };
        let expected = if !writes_authorizations(&held) || !writes_user(&held, WORLD.users[user]) {
            401
        } else if !wanted.iter().all(|one| may_grant(&held, one)) {
            403
        } else if !wanted.iter().all(is_local) {
            400
        } else {
            201
        };
        prop_assert_eq!(reply.status, expected, "{}", reply.text());
        if expected == 201 {
            let made = made(&reply);
            let texts = |all: &[Permission]| -> BTreeSet<_> {
                all.iter().map(ToString::to_string).collect()
            };
            prop_assert_eq!(texts(&made), texts(&wanted));
            let is_within = reached(&made).is_subset(&reached(&held));
            prop_assert!(is_within, "{:?} exceeds {:?}", made, held);
        }
    }

    #[test]
    fn rotating_a_token_never_grants_more_than_the_caller_holds(
        held in held(), old in held(), helps in any::<bool>(), itself in any::<bool>(),
    ) {
        let (mut held, old) = (all(&held), all(&old));
        if helps {
            held.push(format!("write:orgs/{}/authorizations", WORLD.orgs[0]).parse().unwrap());
        }
        let (token, own) = caller(&held);
        let target = if itself { own } else { caller(&old).1 };
        let path = format!("/api/v2/authorizations/{target}/rotate");
        let reply = send(&token, "POST", &path, &json!({"overlapSeconds": 60}));
        let org = Some(WORLD.orgs[0]);
        let kind = ResourceType::AUTHORIZATIONS;
        let writes = held.iter().any(|one| covers(one, "write", kind, org, Some(target)));
        let expected = if itself {
            201
        } else if !writes {
            401
        } else if !old.iter().all(|one| may_grant(&held, one)) {
            403
        } else {
            201
        };
        prop_assert_eq!(reply.status, expected, "{}", reply.text());
        if expected == 201 {
            let made = made(&reply);
            let is_within = reached(&made).is_subset(&reached(&held));
            prop_assert!(is_within, "{:?} exceeds {:?}", made, held);
        }
    }

    #[test]
    fn database_tokens_never_grant_more_than_the_caller_holds(
        held in held(), first in databases(), then in databases(), helps in any::<bool>(),
    ) {
        let mut held = all(&held);
        if helps {
            held.push(format!("write:orgs/{}/authorizations", WORLD.orgs[0]).parse().unwrap());
        }
        let (token, _) = caller(&held);
        let writes = writes_authorizations(&held);
        let may = |(action, name): &(&str, &str)| may_grant_database(&held, action, name);
        let body = json!({"description": "made", "permissions": database_json(&first)});
        let reply = send(&token, "POST", "/api/v0/tokens", &body);
        let expected = if writes && first.iter().all(may) { 200 } else { 403 };
        prop_assert_eq!(reply.status, expected, "{}", reply.text());

        // The token of another caller may keep its permissions, and gain those of this caller.
        let given = first.iter().map(|(action, name)| {
            let text = format!("{action}:orgs/{}/databases/{name}", WORLD.orgs[0]);
            text.parse::<Permission>().unwrap()
        });
        let new = NewAuthorization {
            origin: Origin::V0,
            ..NewAuthorization::new(WORLD.orgs[0], given)
        };
        let (_, other) = WORLD.engine.issuer().create(&Caller::Root, new).unwrap();
        let path = format!("/api/v0/tokens/{}", other.id.to_uuid());
        let reply = send(&token, "PATCH", &path, &json!({"permissions": database_json(&then)}));
        let had = |(action, name): &(&str, &str)| {
            first.iter().any(|(had, of)| had == action && (of == name || *of == "*"))
        };
        let writes_this = held.iter().any(|one| {
            covers(one, "write", ResourceType::AUTHORIZATIONS, Some(WORLD.orgs[0]), Some(other.id))
        });
        let may_change = writes_this && then.iter().all(|one| had(one) || may(one));
        let expected = if may_change { 200 } else { 403 };
        prop_assert_eq!(reply.status, expected, "{}", reply.text());
        let now = WORLD.engine.issuer().authorization(&Caller::Root, other.id).unwrap();
        let shown: BTreeSet<_> = now.permissions.iter().map(ToString::to_string).collect();
        let wanted = if expected == 200 { &then } else { &first };
        let wanted: BTreeSet<_> = wanted.iter().map(|(action, name)| match *name {
            "*" => format!("{action}:orgs/{}/databases", WORLD.orgs[0]),
            name => format!("{action}:orgs/{}/databases/{name}", WORLD.orgs[0]),
        }).collect();
        prop_assert_eq!(shown, wanted);
    }
}
