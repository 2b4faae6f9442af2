//! **The access matrix**: every operation of the OpenAPI document, caller and kind of record.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use symbolon::{Id, Target};
use uuid::Uuid;

use crate::document::{document, operations as described_operations};
use crate::fixture::World;
use crate::parameters::{body, slots};
use crate::reference::{INVALID, UNAUTHORIZED, Who};
use crate::resources::{Filled, Kind, Place, Slot, Thing};
use crate::rule_table::{Answer, Decided, decide, needs_valid_credential};
use crate::support::{Reply, ask, read_id, run};

/// An operation of the document.
struct ApiOperation {
    id: String,
    method: String,
    path: String,
    slots: Vec<Slot>,
}

impl ApiOperation {
    fn is_v0(&self) -> bool {
        self.path.starts_with("/api/v0/")
    }
}

/// Parameters that name no record.
const PLAIN: [&str; 5] =
    ["limit", "offset", "descending", "includeRevoked", "x-symbolon-setup-code"];

/// Returns every operation of the document. The table of slots must list its parameters.
fn operations() -> Vec<ApiOperation> {
    let document = document();
    let mut all = Vec::new();
    for (method, path, described) in described_operations() {
        let id = described["operationId"].as_str().unwrap().to_owned();
        let slots = slots(&id);
        let (in_body, others): (Vec<_>, Vec<_>) =
            slots.iter().partition(|slot| slot.place.is_body());
        check_names(&id, &ids_in_body(&document, &described), &in_body);
        check_names(&id, &parameters(&described), &others);
        all.push(ApiOperation { id, method, path, slots });
    }
    all
}

/// Requires that the table of slots lists exactly these parameters of an operation.
fn check_names(id: &str, names: &BTreeSet<&str>, slots: &[&Slot]) {
    let known = slots.iter().map(|slot| slot.name).collect();
    assert_eq!(*names, known, "parameters of {id}");
}

fn parameters(described: &Value) -> BTreeSet<&str> {
    let all = described["parameters"].as_array().into_iter().flatten();
    let names = all.map(|one| one["name"].as_str().unwrap());
    names.filter(|name| !PLAIN.contains(name)).collect()
}

/// Returns every id in the body.
fn ids_in_body<'d>(document: &'d Value, described: &Value) -> BTreeSet<&'d str> {
    let schema = &described["requestBody"]["content"]["application/json"]["schema"];
    let Some(name) = schema["$ref"].as_str() else {
        return BTreeSet::new();
    };
    let schema = &document["components"]["schemas"][name.rsplit('/').next().unwrap()];
    let all = schema["properties"].as_object().unwrap().iter();
    let ids = all.filter(|(_, one)| {
        let text = one.to_string();
        text.contains("HexId") || text.contains("[0-9a-fA-F]{16}")
    });
    ids.map(|(name, _)| name.as_str()).collect()
}

/// Varies each slot while the others are as usual, then each pair of slots.
fn fillings<'w>(slots: &[Slot], world: &'w World) -> Vec<Vec<Filled<'w>>> {
    let usual = slots.iter().map(|slot| slot.fill(slot.usual(world), world));
    let usual: Vec<_> = usual.collect();
    let unusual = |slot: &Slot| {
        let mut all = slot.things(world);
        all.retain(|thing| *thing != slot.usual(world));
        all
    };
    let (mut one, mut two) = (vec![usual.clone()], Vec::new());
    for (at, slot) in slots.iter().enumerate() {
        for thing in unusual(slot) {
            let mut single = usual.clone();
            single[at] = slot.fill(thing, world);
            for (second, other) in slots.iter().enumerate().skip(at + 1) {
                for thing in unusual(other) {
                    let mut both = single.clone();
                    both[second] = other.fill(thing, world);
                    two.push(both);
                }
            }
            one.push(single);
        }
    }
    one.extend(two);
    one
}

async fn send(world: &World, operation: &ApiOperation, who: &Who, filled: &[Filled<'_>]) -> Reply {
    let mut line = format!("{} {}", operation.method, operation.path);
    let mut query = Vec::new();
    for one in filled.iter().filter(|one| !one.is_absent()) {
        match one.slot.place {
            Place::Path => line = line.replace(&format!("{{{}}}", one.slot.name), &one.text),
            Place::Query => query.push(format!("{}={}", one.slot.name, one.text)),
            Place::Body | Place::OptionalBody => {}
        }
    }
    if !query.is_empty() {
        line = format!("{line}?{}", query.join("&"));
    }
    let header = who.header();
    let headers = header.iter().map(|(name, value)| (*name, value.as_str()));
    let body = body(&operation.id, world, filled);
    ask(&world.app, &line, &headers.collect::<Vec<_>>(), body).await
}

fn expected(operation: &ApiOperation, world: &World, who: &Who, filled: &[Filled<'_>]) -> Decided {
    if let Some((refusal, _)) = who.invalid
        && needs_valid_credential(&operation.id, who)
    {
        return Err(refusal);
    }
    if operation.is_v0() && who.is_session() {
        return Err(UNAUTHORIZED);
    }
    if filled.iter().any(|one| one.thing == Thing::Malformed) {
        return Err(INVALID);
    }
    decide(&operation.id, world, who, filled)
}

/// Compares a reply with the expected answer, and describes the difference.
fn check(
    operation: &ApiOperation,
    who: &Who,
    wanted: &Decided,
    reply: &Reply,
) -> Result<(), String> {
    for name in ["x-influxdb-build", "x-influxdb-version"] {
        same(&reply.headers.contains_key(name), &true, name)?;
    }
    let refusal = match wanted {
        Ok(Answer::Done(status)) => return same(&reply.status, status, "status"),
        Ok(Answer::List(ids)) => {
            same(&reply.status, &200, "status")?;
            return same(&listed(&reply.json()), ids, "ids");
        }
        Err(refusal) => refusal,
    };
    same(&reply.status, &refusal.status, "status")?;
    if operation.is_v0() {
        return same(&reply.json()["code"], &Value::from(refusal.status), "code");
    }
    let (_, code, message) = reply.refusal();
    same(&code.as_str(), &refusal.code, "code")?;
    match who.invalid {
        Some((_, wanted)) if needs_valid_credential(&operation.id, who) => {
            same(&message.as_str(), &wanted, "message")
        }
        _ => Ok(()),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, wanted: &T, what: &str) -> Result<(), String> {
    let differ = || format!("{what}: {found:?} instead of {wanted:?}");
    (found == wanted).then_some(()).ok_or_else(differ)
}

/// Returns the ids in a list.
fn listed(reply: &Value) -> BTreeSet<Id> {
    let names = ["authorizations", "users", "orgs", "buckets"];
    let named = names.iter().find_map(|name| reply[*name].as_array());
    let rows = named.or(reply.as_array()).unwrap();
    let ids: BTreeSet<Id> = rows.iter().map(|row| read_id(&row["id"])).collect();
    assert_eq!(ids.len(), rows.len(), "a record is listed twice: {reply}");
    ids
}

/// Returns a reply without what differs each time, and without the id or name in the request.
fn bytes(reply: &Reply, text: &str) -> (u16, BTreeMap<String, Vec<u8>>, String) {
    let varying = ["date", "x-request-id", "x-symbolon-revision"];
    let headers = reply.headers.iter();
    let headers = headers.filter(|(name, _)| !varying.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    let mut body = reply.text().to_owned();
    if let Some(id) = Uuid::try_parse(text).ok().and_then(Id::from_uuid) {
        // Messages about missing records spell a UUID as an id.
        body = body.replace(&id.to_string(), "ASKED");
    }
    if !text.is_empty() {
        body = body.replace(text, "ASKED");
    }
    (reply.status, headers.collect(), body)
}

/// Returns whether every slot but that at `at` is as usual.
fn is_single(filled: &[Filled<'_>], at: usize, world: &World) -> bool {
    let mut others = filled.iter().enumerate().filter(|(other, _)| *other != at);
    others.all(|(_, one)| one.thing == one.slot.usual(world))
}

/// Requires equal bytes in the replies for an existing record and for one that never existed where
/// the rules give both the same answer. Returns the number of comparisons.
async fn compare(
    world: &World,
    operation: &ApiOperation,
    who: &Who,
    filled: &[Filled<'_>],
    reply: &Reply,
) -> Result<usize, String> {
    let wanted = expected(operation, world, who, filled);
    let mut count = 0;
    for (at, one) in filled.iter().enumerate() {
        let is_thing = !matches!(one.thing, Thing::Absent | Thing::Malformed | Thing::Unknown);
        if !is_thing || one.slot.kind == Kind::After || !is_single(filled, at, world) {
            continue;
        }
        let mut unknown = filled.to_vec();
        unknown[at] = one.slot.fill(Thing::Unknown, world);
        let is_done = matches!(wanted, Ok(Answer::Done(_)));
        if is_done || expected(operation, world, who, &unknown) != wanted {
            let is_hidden = must_be_hidden(who, one, world);
            same(&is_hidden, &false, "the rules reveal that it exists")?;
            continue;
        }
        let other = send(world, operation, who, &unknown).await;
        let (known, other) = (bytes(reply, &one.text), bytes(&other, &unknown[at].text));
        same(&known, &other, "differs from one that never existed")?;
        count += 1;
    }
    Ok(count)
}

/// Returns whether the record must be hidden from the caller: it belongs to another organization,
/// and the caller has no permission in all organizations.
fn must_be_hidden(who: &Who, one: &Filled<'_>, world: &World) -> bool {
    let Thing::Of(realm) = one.thing else {
        return one.slot.kind != Kind::DatabaseToken;
    };
    let own = [realm.org, realm.user];
    let is_local = who.holds.as_ref().is_some_and(|held| {
        held.iter().all(|one| {
            let resource = &one.resource;
            resource.organization.is_some_and(|org| org != realm.org)
                || matches!(&resource.target, Target::Id(id) if !own.contains(id))
        })
    });
    let is_there = [world.own.org, world.other.org].contains(&realm.org);
    is_there && is_local && !who.inside.contains(&realm.org)
}

/// Results of requests.
#[derive(Default)]
struct Tried {
    asked: usize,
    compared: usize,
    wrong: Vec<String>,
}

/// Sends every request of one operation. After a change, the next request has a new world.
async fn try_operation(operation: &ApiOperation) -> Tried {
    let mut tried = Tried::default();
    let mut at = 0;
    loop {
        let world = World::new();
        let fillings = fillings(&operation.slots, &world);
        loop {
            let Some(who) = world.callers.get(at / fillings.len()) else {
                return tried;
            };
            let filled = &fillings[at % fillings.len()];
            at += 1;
            let is_unusual = |one: &&Filled<'_>| one.thing != one.slot.usual(&world);
            if who.invalid.is_some() && filled.iter().filter(is_unusual).count() > 1 {
                continue;
            }
            let wanted = expected(operation, &world, who, filled);
            let reply = send(&world, operation, who, filled).await;
            tried.asked += 1;
            let answered = check(operation, who, &wanted, &reply);
            let bytes = compare(&world, operation, who, filled, &reply).await;
            match answered.and(bytes) {
                Ok(compared) => tried.compared += compared,
                Err(differs) => {
                    let what = describe(operation, who, filled);
                    tried.wrong.push(format!("{what}: {differs}"));
                }
            }
            let changes = operation.method != "GET" && operation.method != "HEAD";
            if changes && reply.status < 300 {
                break;
            }
        }
    }
}

fn describe(operation: &ApiOperation, who: &Who, filled: &[Filled<'_>]) -> String {
    let each = filled.iter().map(|one| match one.thing {
        Thing::Of(_) => format!("{}={}", one.slot.name, one.text),
        other => format!("{}={other:?}", one.slot.name),
    });
    let asked: Vec<_> = each.collect();
    format!("{} by {} for {}", operation.id, who.name, asked.join(" "))
}

fn try_those(wanted: impl Fn(&ApiOperation) -> bool) {
    let mut all = Tried::default();
    for operation in operations().iter().filter(|operation| wanted(operation)) {
        let tried = run(try_operation(operation));
        all.asked += tried.asked;
        all.compared += tried.compared;
        all.wrong.extend(tried.wrong);
    }
    let (asked, compared, wrong) = (all.asked, all.compared, all.wrong);
    println!("{asked} requests; {compared} replies compared with those for unknown records");
    assert!(asked > 0);
    let (count, first) = (wrong.len(), &wrong[..wrong.len().min(40)]);
    let first = first.join("\n");
    assert!(count == 0, "{count} of {asked} are wrong:\n{first}");
}

#[test]
fn access_to_authorizations_follows_the_rules() {
    try_those(|one| one.path.starts_with("/api/v2/authorizations"));
}

#[test]
fn access_to_users_follows_the_rules() {
    try_those(|one| one.path.starts_with("/api/v2/users"));
}

#[test]
fn access_to_organizations_follows_the_rules() {
    try_those(|one| one.path.starts_with("/api/v2/orgs"));
}

#[test]
fn access_by_all_other_operations_follows_the_rules() {
    let tried = ["/api/v2/authorizations", "/api/v2/users", "/api/v2/orgs"];
    try_those(|one| !tried.iter().any(|path| one.path.starts_with(path)));
}
