//! Permissions, the rule that matches them, and the sets of them that real tokens have.

use fastrand::Rng;
use serde_json::{Value, json};

use super::records::Owner;
use super::{hex, percent, pick, without_nulls};

/// An action on a type of resource: granted by a token, or requested by its bearer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permission {
    pub(super) action: &'static str,
    pub(super) kind: &'static str,
    /// The organization; a grant without one is for all.
    pub(super) org: Option<u64>,
    /// The resource; a grant without one is for all.
    pub(super) id: Option<u64>,
}

pub(super) const ACTIONS: [&str; 2] = ["read", "write"];

/// The types of InfluxDB OSS in its order, without `instance`: those of the operator.
#[rustfmt::skip]
const OSS: [&str; 22] = [
    "authorizations", "buckets", "dashboards", "orgs", "sources", "tasks", "telegrafs", "users",
    "variables", "scrapers", "secrets", "labels", "views", "documents", "notificationRules",
    "notificationEndpoints", "checks", "dbrp", "notebooks", "annotations", "remotes",
    "replications",
];

/// The types that only InfluxDB Cloud has.
const CLOUD: [&str; 3] = ["flows", "functions", "subscriptions"];

/// Returns a random type that can be granted: any but `instance`.
pub(super) fn any_grantable(rng: &mut Rng) -> &'static str {
    rng.choice([&OSS[..], &CLOUD[..]].concat()).unwrap_or("buckets")
}

impl Permission {
    fn new(action: &'static str, kind: &'static str, org: Option<u64>, id: Option<u64>) -> Self {
        Self { action, kind, org, id }
    }

    /// Returns whether this grant allows `request`. `write` does not imply `read`.
    pub(super) fn covers(&self, request: &Self) -> bool {
        if self.action != request.action || self.kind != request.kind {
            return false;
        }
        match (self.org, self.id) {
            (None, None) => true,
            (Some(org), None) => request.org == Some(org),
            (None, Some(id)) => request.id == Some(id),
            (Some(org), Some(id)) => {
                request.id == Some(id) && request.org.is_none_or(|asked| asked == org)
            }
        }
    }

    /// Writes the string form, as in `read:orgs/<org>/buckets/<id>`.
    pub(super) fn text(&self) -> String {
        let org = self.org.map(|org| format!("orgs/{}/", hex(org)));
        let id = self.id.map(|id| format!("/{}", hex(id)));
        let (org, id) = (org.unwrap_or_default(), id.unwrap_or_default());
        format!("{}:{org}{}{id}", self.action, self.kind)
    }

    /// Writes InfluxDB's form.
    pub(super) fn json(&self) -> Value {
        let (org, id) = (self.org.map(hex), self.id.map(hex));
        let resource = json!({"type": self.kind, "id": id, "orgID": org});
        json!({"action": self.action, "resource": without_nulls(resource)})
    }
}

/// Draws the permissions of a token in `org` that belongs to `user`.
pub(super) fn draw(rng: &mut Rng, org: &Owner, user: Option<u64>) -> Vec<Permission> {
    match rng.u8(..100) {
        // The operator: everything in every organization.
        0..4 => OSS.map(|kind| both(kind, None, None)).concat(),
        4..14 => all_access(org.id, user),
        14..22 => {
            let mut grants = all_access(org.id, user);
            grants.retain(|grant| grant.action == "read");
            grants
        }
        22..65 => buckets(rng, org),
        65..77 => ids(rng, org),
        77..92 => overlap(rng, org),
        _ => mixed(rng, org),
    }
}

fn both(kind: &'static str, org: Option<u64>, id: Option<u64>) -> [Permission; 2] {
    ACTIONS.map(|action| Permission::new(action, kind, org, id))
}

/// Returns InfluxDB's "all access": one organization, and the user's own record.
fn all_access(org: u64, user: Option<u64>) -> Vec<Permission> {
    let grants = OSS.iter().flat_map(|&kind| match kind {
        "orgs" => both(kind, None, Some(org)).into_iter().take(1).collect(),
        "users" => user.map_or_else(Vec::new, |user| both(kind, None, Some(user)).to_vec()),
        _ => both(kind, Some(org), None).to_vec(),
    });
    grants.collect()
}

/// Grants one to five buckets for reading, writing or both.
fn buckets(rng: &mut Rng, org: &Owner) -> Vec<Permission> {
    let count = rng.usize(1..=org.buckets.len());
    let mut grants = Vec::new();
    for id in rng.choose_multiple(&org.buckets, count) {
        let way = rng.u8(..3);
        let [read, write] = both("buckets", Some(org.id), Some(*id));
        grants.extend((way != 0).then_some(read));
        grants.extend((way != 1).then_some(write));
    }
    grants
}

/// Grants resources by id, without an organization.
fn ids(rng: &mut Rng, org: &Owner) -> Vec<Permission> {
    let grants = (0..rng.u8(1..=4)).map(|_| {
        let (kind, id) = match rng.u8(..3) {
            0 => ("orgs", org.id),
            1 => ("dashboards", org.resource(rng)),
            _ => ("buckets", *pick(rng, &org.buckets)),
        };
        let action = *pick(rng, &ACTIONS);
        Permission::new(action, kind, None, Some(id))
    });
    grants.collect()
}

/// Grants one bucket in several forms, so that their order decides which one is reported.
fn overlap(rng: &mut Rng, org: &Owner) -> Vec<Permission> {
    let action = *pick(rng, &ACTIONS);
    let (org, bucket) = (Some(org.id), Some(*pick(rng, &org.buckets)));
    let forms = [(org, bucket), (org, None), (None, bucket), (None, None)];
    let mut grants = forms.map(|(org, id)| Permission::new(action, "buckets", org, id));
    rng.shuffle(&mut grants);
    grants.into_iter().take(rng.usize(2..=4)).collect()
}

/// Grants any types in one organization, those of InfluxDB Cloud included.
fn mixed(rng: &mut Rng, org: &Owner) -> Vec<Permission> {
    let grants = (0..rng.u8(3..=10)).map(|_| {
        let (action, kind) = (*pick(rng, &ACTIONS), any_grantable(rng));
        let id = percent(rng, 30).then(|| org.resource(rng));
        Permission::new(action, kind, Some(org.id), id)
    });
    grants.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_covers_requests_by_action_type_organization_and_id() {
        let (one, two) = (Some(1), Some(2));
        let forms = [(None, None), (one, None), (None, two), (one, two), (two, two), (one, one)];
        let all = |action, kind| forms.map(|(org, id)| Permission::new(action, kind, org, id));
        // Organization and id that are granted, and the forms that are covered or not.
        for (org, id, covered) in [
            (None, None, [true, true, true, true, true, true]),
            (one, None, [false, true, false, true, false, true]),
            (None, two, [false, false, true, true, true, false]),
            (one, two, [false, false, true, true, false, false]),
        ] {
            let granted = Permission::new("read", "buckets", org, id);
            let covers = |asked: [Permission; 6]| asked.map(|asked| granted.covers(&asked));
            assert_eq!(covers(all("read", "buckets")), covered, "{granted:?}");
            assert_eq!(covers(all("write", "buckets")), [false; 6]);
            assert_eq!(covers(all("read", "orgs")), [false; 6]);
        }
    }
}
