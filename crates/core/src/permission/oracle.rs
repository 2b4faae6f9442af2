//! Conversions to the types of the oracle.

use symbolon_oracle as oracle;

use super::{Permission, PermissionSet, Request, RequestTarget, Target};
use crate::id::Id;

impl<'a> From<&'a Permission> for oracle::Permission<'a> {
    fn from(permission: &'a Permission) -> Self {
        let resource = &permission.resource;
        Self {
            action: permission.action.as_str(),
            kind: resource.kind.as_str(),
            organization: resource.organization.map(Id::number),
            target: match &resource.target {
                Target::Any => oracle::Target::Any,
                Target::Id(id) => oracle::Target::Id(id.number()),
                Target::Name(name) => oracle::Target::Name(name),
            },
        }
    }
}

impl<'a> From<&'a Request<'_>> for oracle::Request<'a> {
    fn from(request: &'a Request<'_>) -> Self {
        Self {
            action: request.action.as_str(),
            kind: request.kind.as_str(),
            organization: request.organization.map(Id::number),
            target: match request.wanted {
                RequestTarget::Any => oracle::Target::Any,
                RequestTarget::Id(id) => oracle::Target::Id(id.number()),
                RequestTarget::Name(name) => oracle::Target::Name(name),
            },
        }
    }
}

impl PermissionSet {
    /// Returns the permissions as the oracle represents them.
    pub(crate) fn to_oracle(&self) -> Vec<oracle::Permission<'_>> {
        self.iter().map(oracle::Permission::from).collect()
    }
}
