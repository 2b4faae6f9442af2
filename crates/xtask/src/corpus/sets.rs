//! The permission sets that real tokens have.

use super::permission::{Action, Permission, ResourceType};
use super::rng::Rng;
use super::world::Org;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PermissionSet {
    /// Everything everywhere: 44 grants without scope.
    Operator,
    /// InfluxDB's "all access": read and write of one organization, and of the user's own record.
    AllAccess,
    /// Read of one organization.
    ReadAll,
    /// Read and write of one bucket.
    Bucket,
    /// Either read or write of one bucket.
    BucketOneWay,
    /// Several buckets of one organization, each in its own way.
    Buckets,
    /// Ids without an organization.
    Ids,
    /// Grants that overlap, so that the order decides which one answers.
    Overlap,
    /// Any types, Cloud's too, in one organization.
    Mixed,
}

impl PermissionSet {
    pub(super) const ALL: [Self; 9] = [
        Self::Operator,
        Self::AllAccess,
        Self::ReadAll,
        Self::Bucket,
        Self::BucketOneWay,
        Self::Buckets,
        Self::Ids,
        Self::Overlap,
        Self::Mixed,
    ];

    pub(super) fn draw(rng: &mut Rng) -> Self {
        match rng.below(100) {
            0..4 => Self::Operator,
            4..14 => Self::AllAccess,
            14..22 => Self::ReadAll,
            22..45 => Self::Bucket,
            45..63 => Self::BucketOneWay,
            63..76 => Self::Buckets,
            76..84 => Self::Ids,
            84..92 => Self::Overlap,
            _ => Self::Mixed,
        }
    }

    /// The grants of a token in `org` that belongs to `user`, if to any.
    pub(super) fn grants(self, rng: &mut Rng, org: &Org, user: Option<u64>) -> Vec<Permission> {
        match self {
            Self::Operator => ResourceType::OSS
                .iter()
                .flat_map(|&kind| both(kind, None, None))
                .collect(),
            Self::AllAccess => owner(org.id, user),
            Self::ReadAll => {
                let mut grants = owner(org.id, user);
                grants.retain(|grant| grant.action == Action::Read);
                grants
            }
            Self::Bucket => both(
                ResourceType::BUCKETS,
                Some(org.id),
                Some(*rng.pick(&org.buckets)),
            )
            .to_vec(),
            Self::BucketOneWay => vec![Permission {
                action: *rng.pick(&Action::ALL),
                kind: ResourceType::BUCKETS,
                org: Some(org.id),
                id: Some(*rng.pick(&org.buckets)),
            }],
            Self::Buckets => buckets(rng, org),
            Self::Ids => ids(rng, org),
            Self::Overlap => overlap(rng, org),
            Self::Mixed => mixed(rng, org),
        }
    }
}

fn both(kind: ResourceType, org: Option<u64>, id: Option<u64>) -> [Permission; 2] {
    Action::ALL.map(|action| Permission {
        action,
        kind,
        org,
        id,
    })
}

fn owner(org: u64, user: Option<u64>) -> Vec<Permission> {
    let mut grants = Vec::with_capacity(2 * ResourceType::OSS.len());
    for kind in ResourceType::OSS {
        match kind {
            ResourceType::ORGS => {
                grants.push(Permission {
                    action: Action::Read,
                    kind,
                    org: None,
                    id: Some(org),
                });
            }
            ResourceType::USERS => {
                grants.extend(user.iter().flat_map(|&user| both(kind, None, Some(user))))
            }
            _ => grants.extend(both(kind, Some(org), None)),
        }
    }
    grants
}

fn buckets(rng: &mut Rng, org: &Org) -> Vec<Permission> {
    let mut ids = org.buckets;
    rng.shuffle(&mut ids);
    let count = rng.between(2, ids.len() as u64) as usize;
    let mut grants = Vec::with_capacity(2 * count);
    for &id in ids.iter().take(count) {
        let way = rng.below(3);
        let [read, write] = both(ResourceType::BUCKETS, Some(org.id), Some(id));
        grants.extend((way != 0).then_some(read));
        grants.extend((way != 1).then_some(write));
    }
    grants
}

fn ids(rng: &mut Rng, org: &Org) -> Vec<Permission> {
    let count = rng.between(1, 4);
    (0..count)
        .map(|_| {
            let (kind, id) = match rng.below(5) {
                0 => (ResourceType::ORGS, org.id),
                1 => (ResourceType::DASHBOARDS, org.resource(rng)),
                2 => (ResourceType::TASKS, org.resource(rng)),
                3 => (ResourceType::TELEGRAFS, org.resource(rng)),
                _ => (ResourceType::BUCKETS, *rng.pick(&org.buckets)),
            };
            Permission {
                action: *rng.pick(&Action::ALL),
                kind,
                org: None,
                id: Some(id),
            }
        })
        .collect()
}

fn overlap(rng: &mut Rng, org: &Org) -> Vec<Permission> {
    let action = *rng.pick(&Action::ALL);
    let kind = ResourceType::BUCKETS;
    let id = Some(*rng.pick(&org.buckets));
    let org = Some(org.id);
    let mut grants = vec![
        Permission {
            action,
            kind,
            org,
            id,
        },
        Permission {
            action,
            kind,
            org,
            id: None,
        },
        Permission {
            action,
            kind,
            org: None,
            id,
        },
        Permission {
            action,
            kind,
            org: None,
            id: None,
        },
    ];
    rng.shuffle(&mut grants);
    grants.truncate(rng.between(2, 4) as usize);
    grants
}

fn mixed(rng: &mut Rng, org: &Org) -> Vec<Permission> {
    let count = rng.between(3, 10);
    (0..count)
        .map(|_| Permission {
            action: *rng.pick(&Action::ALL),
            kind: ResourceType::any_grantable(rng),
            org: Some(org.id),
            id: rng.percent(30).then(|| org.resource(rng)),
        })
        .collect()
}
