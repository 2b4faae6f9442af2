//! Differences between a permission and a request. A permission covers a request if they do not
//! differ, so both are computed in one place.

use super::{Permission, PermissionSet, Request, RequestTarget, Target};

/// A difference because of which a permission does not cover a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mismatch {
    /// The permission is for another resource type.
    Type,
    /// The permission is for another action.
    Action,
    /// The permission is for another organization.
    Organization,
    /// The permission is for one organization, and the request names none.
    NoOrganization,
    /// The permission is for another resource.
    Resource,
    /// The permission is for one resource, and the request names none.
    NoResource,
}

impl Mismatch {
    /// Returns the code: `type`, `action`, `organization`, `no_organization`, `resource` or
    /// `no_resource`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Action => "action",
            Self::Organization => "organization",
            Self::NoOrganization => "no_organization",
            Self::Resource => "resource",
            Self::NoResource => "no_resource",
        }
    }
}

impl std::fmt::Display for Mismatch {
    /// Writes a clause whose subject is the permission.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Type => "is for another type",
            Self::Action => "is for another action",
            Self::Organization => "is for another organization",
            Self::NoOrganization => "is for one organization, and the request names none",
            Self::Resource => "is for another resource",
            Self::NoResource => "is for one resource, and the request names none",
        })
    }
}

impl Permission {
    /// Returns all differences between this permission and `request`, or `None` if it covers the
    /// request.
    pub fn mismatches(&self, request: &Request<'_>) -> Option<Vec<Mismatch>> {
        let all = COMPARISONS.iter().filter_map(|one| one(self, request));
        let all: Vec<Mismatch> = all.collect();
        (!all.is_empty()).then_some(all)
    }
}

impl PermissionSet {
    /// Returns the permissions closest to covering `request` with their mismatches, in the order of
    /// the set: those of the requested type if there are any, and of these the ones with the fewest
    /// mismatches. Empty if a permission covers the request.
    pub fn nearest(&self, request: &Request<'_>) -> Vec<(&Permission, Vec<Mismatch>)> {
        let far = |why: &[Mismatch]| (why.contains(&Mismatch::Type), why.len());
        let whys = self
            .iter()
            .map(|one| Some((one, one.mismatches(request)?)))
            .collect::<Option<Vec<_>>>();
        let mut whys = whys.unwrap_or_default();
        if let Some(least) = whys.iter().map(|(_, why)| far(why)).min() {
            whys.retain(|(_, why)| far(why) == least);
        }
        whys
    }
}

/// Returns `true` if there is no difference.
#[inline]
pub(super) fn covers(granted: &Permission, request: &Request<'_>) -> bool {
    // Evaluated lazily, so that a check stops at the first difference.
    action(granted, request).is_none()
        && kind(granted, request).is_none()
        && target(granted, request).is_none()
        && organization(granted, request).is_none()
}

type Comparison = fn(&Permission, &Request<'_>) -> Option<Mismatch>;

const COMPARISONS: [Comparison; 4] = [kind, action, organization, target];

fn action(granted: &Permission, request: &Request<'_>) -> Option<Mismatch> {
    (granted.action != request.action).then_some(Mismatch::Action)
}

fn kind(granted: &Permission, request: &Request<'_>) -> Option<Mismatch> {
    (granted.resource.kind != request.kind).then_some(Mismatch::Type)
}

fn organization(granted: &Permission, request: &Request<'_>) -> Option<Mismatch> {
    match (granted.resource.organization, request.organization) {
        (None, _) => None,
        (Some(granted), Some(wanted)) => (granted != wanted).then_some(Mismatch::Organization),
        // An id identifies one resource across all organizations; a name only within its
        // organization.
        (Some(_), None) => match granted.resource.target {
            Target::Id(_) => None,
            Target::Any | Target::Name(_) => Some(Mismatch::NoOrganization),
        },
    }
}

fn target(granted: &Permission, request: &Request<'_>) -> Option<Mismatch> {
    let same = match (&granted.resource.target, request.wanted) {
        (Target::Any, _) => true,
        (_, RequestTarget::Any) => return Some(Mismatch::NoResource),
        (Target::Id(granted), RequestTarget::Id(wanted)) => *granted == wanted,
        (Target::Name(granted), RequestTarget::Name(wanted)) => **granted == *wanted,
        _ => false,
    };
    (!same).then_some(Mismatch::Resource)
}
