//! Requests made to fit a grant, or to miss it in one way.

use super::category::{Form, Twist};
use super::permission::{Permission, Request, ResourceType};
use super::rng::Rng;
use super::world::World;

impl Form {
    pub(super) fn of(grant: &Permission) -> Self {
        match (grant.org, grant.id) {
            (None, None) => Self::Unscoped,
            (Some(_), None) => Self::Org,
            (Some(_), Some(_)) => Self::OrgAndId,
            (None, Some(_)) => Self::Id,
        }
    }
}

/// A request that `grant` covers; what the grant leaves open is named or not.
pub(super) fn covered(rng: &mut Rng, world: &World, grant: &Permission) -> Request {
    let any_org = match rng.below(4) {
        0 => Some(foreign_org(rng, world)),
        1 => None,
        _ => Some(rng.pick(&world.orgs).id),
    };
    let any_id = match rng.below(3) {
        0 => None,
        _ => Some(foreign_id(rng, world, grant.kind)),
    };
    let org = match Form::of(grant) {
        Form::Unscoped | Form::Id => any_org,
        Form::Org => grant.org,
        Form::OrgAndId => grant.org.filter(|_| rng.percent(70)),
    };
    Request {
        action: grant.action,
        kind: grant.kind,
        id: grant.id.or(any_id),
        org,
    }
}

/// A request that `grant` covers but for `twist`; `None` if its form has no such thing. Another grant may cover it still.
pub(super) fn twisted(
    rng: &mut Rng,
    world: &World,
    grant: &Permission,
    twist: Twist,
) -> Option<Request> {
    let mut request = covered(rng, world, grant);
    match (twist, Form::of(grant)) {
        (Twist::Action, _) => request.action = grant.action.other(),
        (Twist::Type, _) => request.kind = ResourceType::any_grantable(rng),
        (Twist::Instance, _) => request.kind = ResourceType::INSTANCE,
        (Twist::ForeignOrg, Form::Org) => request.org = Some(foreign_org(rng, world)),
        (Twist::NoOrg, Form::Org) => request.org = None,
        (Twist::ForeignId, Form::Id | Form::OrgAndId) => {
            request.id = Some(foreign_id(rng, world, grant.kind));
        }
        (Twist::NoId, Form::Id | Form::OrgAndId) => request.id = None,
        (Twist::ForeignOrgOfId, Form::OrgAndId) => request.org = Some(foreign_org(rng, world)),
        _ => return None,
    }
    Some(request)
}

fn foreign_org(rng: &mut Rng, world: &World) -> u64 {
    if rng.percent(30) {
        world.unknown_id(rng)
    } else {
        rng.pick(&world.orgs).id
    }
}

fn foreign_id(rng: &mut Rng, world: &World, kind: ResourceType) -> u64 {
    let org = rng.pick(&world.orgs);
    match kind {
        _ if rng.percent(20) => world.unknown_id(rng),
        ResourceType::BUCKETS => *rng.pick(&org.buckets),
        ResourceType::ORGS => org.id,
        ResourceType::USERS => rng.pick(&world.users).id,
        _ => org.resource(rng),
    }
}
