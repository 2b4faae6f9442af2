//! The lines of the three files, in InfluxDB v2's field names.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use symbolon_oracle::random::{Rng, percent};
use symbolon_oracle::{Bucket, Denied, Owner, OwnerState, Permission, Request, Status};
use symbolon_oracle::{Target, World};

use super::Issued;

/// Creation of the first authorization, in milliseconds since 1970, and the time to the next one.
const FIRST_CREATED: i64 = 1_691_696_000_000;
const PACE: i64 = 6_000;
const LONGEST_UPDATE: i64 = 90 * 86_400_000;

/// Writes the import file, one record per line.
pub(super) fn import_file(rng: &mut Rng, world: &World, issued: &[Issued<'_>]) -> String {
    let orgs = lines(world.organizations.iter().map(|one| owner(one.owner, &one.name)));
    let users = lines(world.users.iter().map(|one| owner(one.owner, &one.name)));
    let buckets = lines(world.organizations.iter().flat_map(|one| one.buckets).map(bucket));
    let all = lines((0..).zip(issued).map(|(number, one)| authorization(rng, one, number)));
    format!(
        "{{\"orgs\":[{orgs}],\n\"users\":[{users}],\n\"buckets\":[{buckets}],\n\
         \"authorizations\":[{all}]}}\n"
    )
}

fn lines(rows: impl Iterator<Item = Value>) -> String {
    rows.map(|row| format!("\n{row}")).collect::<Vec<_>>().join(",")
}

/// Writes an organization or a user.
fn owner(Owner { id, state }: Owner, name: &str) -> Value {
    // A missing status means "active"; both forms occur.
    let status = match state {
        OwnerState::Active => (id >> 22 & 1 == 1).then_some("active"),
        _ => Some("inactive"),
    };
    without_nulls(json!({"id": hex(id), "name": name, "status": status}))
}

fn bucket(Bucket { id, organization, name }: Bucket<'_>) -> Value {
    json!({"id": hex(id), "name": name, "orgID": hex(organization)})
}

fn authorization(
    rng: &mut Rng,
    Issued { authorization, text, kind }: &Issued<'_>,
    number: i64,
) -> Value {
    let hash = kind.stored_hash(text);
    let created = FIRST_CREATED + number * PACE;
    let updated = created + rng.i64(0..LONGEST_UPDATE);
    let status = match authorization.status {
        Status::Active => "active",
        Status::Inactive => "inactive",
        Status::Revoked => "revoked",
    };
    without_nulls(json!({
        "id": hex(authorization.id),
        "status": status,
        "description": format!("CI job {number}"),
        "orgID": hex(authorization.organization.id),
        "userID": authorization.user.map(|user| hex(user.id)),
        "permissions": authorization.permissions.iter().map(permission).collect::<Vec<_>>(),
        "token": hash.is_none().then_some(text),
        "hashedToken": hash,
        "createdAt": percent(rng, 90).then(|| date(created)),
        "updatedAt": percent(rng, 80).then(|| date(updated)),
        "expiresAt": authorization.expires.map(|seconds| date(seconds * 1000)),
    }))
}

fn permission(one: &Permission<'_>) -> Value {
    let (id, org) = (id_of(one.target).map(hex), one.organization.map(hex));
    let resource = json!({"type": one.kind, "id": id, "orgID": org});
    json!({"action": one.action, "resource": without_nulls(resource)})
}

fn date(millis: i64) -> Option<String> {
    let time = DateTime::from_timestamp_millis(millis);
    time.map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Writes a line of `requests.jsonl`: ids mostly in lower case, and some organizations by name.
pub(super) fn request(rng: &mut Rng, world: &World, token: &str, request: &Request<'_>) -> Value {
    let org = request.organization.map(|id| {
        let known = world.organizations.iter().find(|one| one.owner.id == id);
        match known.filter(|_| percent(rng, 20)) {
            Some(one) => one.name.clone(),
            None => spell_id(rng, id),
        }
    });
    let id = id_of(request.target).map(|id| spell_id(rng, id));
    without_nulls(json!({
        "token": token, "action": request.action, "type": request.kind, "id": id, "org": org,
    }))
}

/// Writes a line of `expected.jsonl`. `id` is the authorization of the token, if it has one.
pub(super) fn decision(id: Option<u64>, decision: Result<Permission<'_>, Denied>) -> Value {
    let id = id.map(hex);
    match decision {
        Ok(permission) => json!({"allow": true, "id": id, "permission": permission.to_string()}),
        Err(denied) => without_nulls(json!({"allow": false, "reason": denied.as_str(), "id": id})),
    }
}

/// Returns the id of a resource; the types of InfluxDB v2 have no names.
fn id_of(target: Target<'_>) -> Option<u64> {
    match target {
        Target::Id(id) => Some(id),
        Target::Any | Target::Name(_) => None,
    }
}

fn spell_id(rng: &mut Rng, id: u64) -> String {
    if percent(rng, 5) { hex(id).to_uppercase() } else { hex(id) }
}

/// Writes an id as the program does.
fn hex(id: u64) -> String {
    format!("{id:016x}")
}

/// Removes the members of an object that are null.
fn without_nulls(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    object
}
