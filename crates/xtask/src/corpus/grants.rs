//! The permission sets that real tokens have.

use fastrand::Rng;

use super::permission::{Action, Permission, ResourceType};
use super::records::Org;
use super::{percent, pick};

/// Draws the permissions of a token in `org` that belongs to `user`.
pub(super) fn draw(rng: &mut Rng, org: &Org, user: Option<u64>) -> Vec<Permission> {
    match rng.u8(..100) {
        // The operator: everything in every organization.
        0..4 => {
            let kinds = ResourceType::OSS.iter();
            kinds.flat_map(|&kind| both(kind, None, None)).collect()
        }
        4..14 => all_access(org.id, user),
        14..22 => {
            let mut grants = all_access(org.id, user);
            grants.retain(|grant| grant.action == Action::Read);
            grants
        }
        22..65 => buckets(rng, org),
        65..77 => ids(rng, org),
        77..92 => overlap(rng, org),
        _ => mixed(rng, org),
    }
}

fn both(kind: ResourceType, org: Option<u64>, id: Option<u64>) -> [Permission; 2] {
    Action::ALL.map(|action| Permission::new(action, kind, org, id))
}

/// Returns InfluxDB's "all access": one organization, and the user's own record.
fn all_access(org: u64, user: Option<u64>) -> Vec<Permission> {
    let mut grants = Vec::new();
    for kind in ResourceType::OSS {
        match kind {
            ResourceType::ORGS => {
                grants.push(Permission::new(Action::Read, kind, None, Some(org)));
            }
            ResourceType::USERS => {
                grants.extend(user.iter().flat_map(|&user| both(kind, None, Some(user))));
            }
            _ => grants.extend(both(kind, Some(org), None)),
        }
    }
    grants
}

/// Grants one to five buckets for reading, writing or both.
fn buckets(rng: &mut Rng, org: &Org) -> Vec<Permission> {
    let mut ids = org.buckets;
    rng.shuffle(&mut ids);
    let count = rng.usize(1..=ids.len());
    let mut grants = Vec::new();
    for &id in ids.iter().take(count) {
        let way = rng.u8(..3);
        let [read, write] = both(ResourceType::BUCKETS, Some(org.id), Some(id));
        grants.extend((way != 0).then_some(read));
        grants.extend((way != 1).then_some(write));
    }
    grants
}

/// Grants resources by id, without an organization.
fn ids(rng: &mut Rng, org: &Org) -> Vec<Permission> {
    let count = rng.u8(1..=4);
    let grants = (0..count).map(|_| {
        let (kind, id) = match rng.u8(..3) {
            0 => (ResourceType::ORGS, org.id),
            1 => (ResourceType::DASHBOARDS, org.resource(rng)),
            _ => (ResourceType::BUCKETS, *pick(rng, &org.buckets)),
        };
        Permission::new(*pick(rng, &Action::ALL), kind, None, Some(id))
    });
    grants.collect()
}

/// Grants one bucket in several forms, so that their order decides which one is reported.
fn overlap(rng: &mut Rng, org: &Org) -> Vec<Permission> {
    let action = *pick(rng, &Action::ALL);
    let bucket = Some(*pick(rng, &org.buckets));
    let org = Some(org.id);
    let forms = [(org, bucket), (org, None), (None, bucket), (None, None)];
    let mut grants = forms.map(|(org, id)| Permission::new(action, ResourceType::BUCKETS, org, id));
    rng.shuffle(&mut grants);
    grants.into_iter().take(rng.usize(2..=4)).collect()
}

/// Grants any types in one organization, those of InfluxDB Cloud included.
fn mixed(rng: &mut Rng, org: &Org) -> Vec<Permission> {
    let count = rng.u8(3..=10);
    let grants = (0..count).map(|_| {
        let (action, kind) = (*pick(rng, &Action::ALL), ResourceType::any_grantable(rng));
        let id = percent(rng, 30).then(|| org.resource(rng));
        Permission::new(action, kind, Some(org.id), id)
    });
    grants.collect()
}
