//! Permission sets as real tokens have them.

use super::Organization;
use crate::permission::Permission;
use crate::random::{Rng, percent, pick};
use crate::roles::{ACTIONS, CLOUD_TYPES, TYPES, all_access, operator};

/// Draws the permissions of a token in `organization` that belongs to `user`.
pub(super) fn draw(
    rng: &mut Rng,
    organization: &Organization,
    user: Option<u64>,
) -> Vec<Permission<'static>> {
    let all_access = || all_access(organization.owner.id, user);
    match rng.u8(..100) {
        0..4 => operator(),
        4..14 => all_access(),
        14..22 => all_access().into_iter().filter(|one| one.action == "read").collect(),
        22..65 => buckets(rng, organization),
        65..77 => ids(rng, organization),
        77..92 => overlap(rng, organization),
        _ => mixed(rng, organization),
    }
}

/// Draws a type that can be granted: any but `instance`.
pub(super) fn grantable_type(rng: &mut Rng) -> &'static str {
    let all = [&TYPES[..], &CLOUD_TYPES[..]].concat();
    pick::<&str>(rng, &all)
}

/// Draws one to five buckets for reading, writing or both.
fn buckets(rng: &mut Rng, organization: &Organization) -> Vec<Permission<'static>> {
    let count = rng.usize(1..=organization.buckets.len());
    let mut granted = Vec::new();
    for bucket in rng.choose_multiple(organization.buckets, count) {
        let on = |action| Permission::new(action, "buckets").organization(organization.owner.id);
        let way = rng.u8(..3);
        granted.extend((way != 0).then(|| on("read").id(bucket.id)));
        granted.extend((way != 1).then(|| on("write").id(bucket.id)));
    }
    granted
}

/// Draws resources by id, without an organization.
fn ids(rng: &mut Rng, organization: &Organization) -> Vec<Permission<'static>> {
    let granted = (0..rng.u8(1..=4)).map(|_| {
        let (kind, id) = match rng.u8(..3) {
            0 => ("orgs", organization.owner.id),
            1 => ("dashboards", organization.resource(rng)),
            _ => ("buckets", pick(rng, &organization.buckets).id),
        };
        Permission::new(pick::<&str>(rng, &ACTIONS), kind).id(id)
    });
    granted.collect()
}

/// Draws one bucket in several forms, so that their order decides which one covers a request first.
fn overlap(rng: &mut Rng, organization: &Organization) -> Vec<Permission<'static>> {
    let any = Permission::new(pick::<&str>(rng, &ACTIONS), "buckets");
    let (own, bucket) = (organization.owner.id, pick(rng, &organization.buckets).id);
    let mut forms = [any.organization(own).id(bucket), any.organization(own), any.id(bucket), any];
    rng.shuffle(&mut forms);
    forms.into_iter().take(rng.usize(2..=4)).collect()
}

/// Draws any types in one organization, those of InfluxDB Cloud included.
fn mixed(rng: &mut Rng, organization: &Organization) -> Vec<Permission<'static>> {
    let granted = (0..rng.u8(3..=10)).map(|_| {
        let one = Permission::new(pick::<&str>(rng, &ACTIONS), grantable_type(rng));
        let one = one.organization(organization.owner.id);
        if percent(rng, 30) { one.id(organization.resource(rng)) } else { one }
    });
    granted.collect()
}
