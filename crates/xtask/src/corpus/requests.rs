//! The request stream: tokens that exist or not, asking for what they grant or for something else.

use fastrand::Rng;
use serde_json::{Value, json};

use super::invalid::{malformed, unknown};
use super::permission::{Permission, any_grantable};
use super::records::{Authorization, Owners};
use super::{hex, percent, pick, without_nulls};

/// Writes a line of `requests.jsonl`: ids mostly in lower case, and some organizations by name.
pub(super) fn line(rng: &mut Rng, owners: &Owners, token: &str, request: &Permission) -> Value {
    let org = request.org.map(|id| {
        let known = owners.orgs.iter().find(|org| org.id == id);
        match known.filter(|_| percent(rng, 20)) {
            Some(org) => org.name.clone(),
            None => spell_id(rng, id),
        }
    });
    let id = request.id.map(|id| spell_id(rng, id));
    without_nulls(json!({
        "token": token, "action": request.action, "type": request.kind, "id": id, "org": org,
    }))
}

/// Draws a token text and a request. Three in four tokens exist, and most requests are granted.
pub(super) fn draw(
    rng: &mut Rng,
    owners: &Owners,
    all: &[Authorization<'_>],
) -> (String, Permission) {
    let existing = pick(rng, all);
    let text = match rng.u8(..100) {
        0..12 => malformed(rng, existing),
        12..24 => unknown(rng, existing),
        _ => existing.text.clone(),
    };
    let grant = pick(rng, &existing.permissions);
    let mut request = covered(rng, owners, grant);
    if percent(rng, 20) {
        alter(rng, owners, &mut request);
    }
    (text, request)
}

/// Returns a request that `grant` covers, with random values where the grant leaves a choice.
fn covered(rng: &mut Rng, owners: &Owners, grant: &Permission) -> Permission {
    let id = grant.id.or_else(|| any_id(rng, owners, grant.kind));
    let org = match grant.org {
        None => any_org(rng, owners),
        // A grant of an id covers requests that name no organization.
        Some(_) if grant.id.is_some() && percent(rng, 30) => None,
        org => org,
    };
    Permission { id, org, ..*grant }
}

/// Changes one property of `request`.
fn alter(rng: &mut Rng, owners: &Owners, request: &mut Permission) {
    match rng.u8(..5) {
        0 => request.action = if request.action == "read" { "write" } else { "read" },
        1 => request.kind = any_grantable(rng),
        2 => request.kind = "instance",
        3 => request.org = any_org(rng, owners),
        _ => request.id = any_id(rng, owners, request.kind),
    }
}

fn any_org(rng: &mut Rng, owners: &Owners) -> Option<u64> {
    match rng.u8(..4) {
        0 => None,
        1 => Some(Owners::unknown_id(rng)),
        _ => Some(pick(rng, &owners.orgs).id),
    }
}

fn any_id(rng: &mut Rng, owners: &Owners, kind: &str) -> Option<u64> {
    let org = pick(rng, &owners.orgs);
    match kind {
        _ if percent(rng, 30) => None,
        _ if percent(rng, 20) => Some(Owners::unknown_id(rng)),
        "buckets" => Some(*pick(rng, &org.buckets)),
        "orgs" => Some(org.id),
        "users" => Some(pick(rng, &owners.users).id),
        _ => Some(org.resource(rng)),
    }
}

fn spell_id(rng: &mut Rng, id: u64) -> String {
    if percent(rng, 5) { hex(id).to_uppercase() } else { hex(id) }
}
