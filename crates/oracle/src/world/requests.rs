//! Requests for what an authorization grants, and for what it almost grants.

use super::permissions::grantable_type;
use super::{World, unknown_id};
use crate::decision::Authorization;
use crate::permission::{Permission, Request, Target};
use crate::random::{Rng, percent, pick};

impl World {
    /// Draws a request of the bearer of an authorization. Its permissions cover most requests.
    pub fn request(&self, rng: &mut Rng, of: &Authorization<'static>) -> Request<'static> {
        let permission = *pick(rng, &of.permissions);
        let mut request = self.covered(rng, permission);
        if percent(rng, 20) {
            self.alter(rng, &mut request);
        }
        request
    }

    /// Draws a request that `permission` covers, with random values where it leaves a choice.
    fn covered(&self, rng: &mut Rng, permission: Permission<'static>) -> Request<'static> {
        let Permission { action, kind, organization, target } = permission;
        let organization = match organization {
            None => self.any_organization(rng),
            // A permission for an id covers requests that name no organization.
            Some(_) if target != Target::Any && percent(rng, 30) => None,
            organization => organization,
        };
        let target = match target {
            Target::Any => self.any_target(rng, kind),
            target => target,
        };
        Request { action, kind, organization, target }
    }

    /// Changes one part of `request`.
    fn alter(&self, rng: &mut Rng, request: &mut Request<'static>) {
        match rng.u8(..5) {
            0 => request.action = if request.action == "read" { "write" } else { "read" },
            1 => request.kind = grantable_type(rng),
            2 => request.kind = "instance",
            3 => request.organization = self.any_organization(rng),
            _ => request.target = self.any_target(rng, request.kind),
        }
    }

    fn any_organization(&self, rng: &mut Rng) -> Option<u64> {
        match rng.u8(..4) {
            0 => None,
            1 => Some(unknown_id(rng)),
            _ => Some(pick(rng, &self.organizations).owner.id),
        }
    }

    fn any_target(&self, rng: &mut Rng, kind: &str) -> Target<'static> {
        let organization = pick(rng, &self.organizations);
        match kind {
            _ if percent(rng, 30) => Target::Any,
            _ if percent(rng, 20) => Target::Id(unknown_id(rng)),
            "buckets" => Target::Id(pick(rng, &organization.buckets).id),
            "orgs" => Target::Id(organization.owner.id),
            "users" => Target::Id(pick(rng, &self.users).owner.id),
            _ => Target::Id(organization.resource(rng)),
        }
    }
}
