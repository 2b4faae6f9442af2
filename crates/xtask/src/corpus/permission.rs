//! Permissions, requests, and the rule that matches them.

use std::fmt;

use fastrand::Rng;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Read,
    Write,
}

impl Action {
    pub(super) const ALL: [Self; 2] = [Self::Read, Self::Write];

    pub(super) fn other(self) -> Self {
        match self {
            Self::Read => Self::Write,
            Self::Write => Self::Read,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct ResourceType(&'static str);

impl ResourceType {
    pub(super) const BUCKETS: Self = Self("buckets");
    pub(super) const DASHBOARDS: Self = Self("dashboards");
    pub(super) const INSTANCE: Self = Self("instance");
    pub(super) const ORGS: Self = Self("orgs");
    pub(super) const USERS: Self = Self("users");

    /// The types of InfluxDB OSS in its order, without `instance`: those of the operator.
    pub(super) const OSS: [Self; 22] = [
        Self("authorizations"),
        Self::BUCKETS,
        Self::DASHBOARDS,
        Self::ORGS,
        Self("sources"),
        Self("tasks"),
        Self("telegrafs"),
        Self::USERS,
        Self("variables"),
        Self("scrapers"),
        Self("secrets"),
        Self("labels"),
        Self("views"),
        Self("documents"),
        Self("notificationRules"),
        Self("notificationEndpoints"),
        Self("checks"),
        Self("dbrp"),
        Self("notebooks"),
        Self("annotations"),
        Self("remotes"),
        Self("replications"),
    ];

    /// The types that only InfluxDB Cloud has.
    pub(super) const CLOUD: [Self; 3] = [Self("flows"), Self("functions"), Self("subscriptions")];

    /// Returns a random type that can be granted: any but `instance`.
    pub(super) fn any_grantable(rng: &mut Rng) -> Self {
        let at = rng.usize(..Self::OSS.len() + Self::CLOUD.len());
        let mut types = Self::OSS.iter().chain(&Self::CLOUD);
        types.nth(at).copied().unwrap_or(Self::BUCKETS)
    }
}

/// A grant of `action` on resources of type `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Permission {
    pub(super) action: Action,
    pub(super) kind: ResourceType,
    pub(super) org: Option<u64>,
    pub(super) id: Option<u64>,
}

/// An action that the bearer of a token asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) action: Action,
    pub(super) kind: ResourceType,
    pub(super) id: Option<u64>,
    pub(super) org: Option<u64>,
}

impl Permission {
    pub(super) fn new(
        action: Action,
        kind: ResourceType,
        org: Option<u64>,
        id: Option<u64>,
    ) -> Self {
        Self {
            action,
            kind,
            org,
            id,
        }
    }

    /// Returns whether this grant allows `request`. `write` does not imply `read`.
    pub(super) fn covers(&self, request: &Request) -> bool {
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
}

/// Writes the string form, as in `read:orgs/<org>/buckets/<id>`.
impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.action {
            Action::Read => "read:",
            Action::Write => "write:",
        })?;
        if let Some(org) = self.org {
            write!(f, "orgs/{org:016x}/")?;
        }
        f.write_str(self.kind.0)?;
        match self.id {
            Some(id) => write!(f, "/{id:016x}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(org: Option<u64>, id: Option<u64>) -> Permission {
        Permission::new(Action::Read, ResourceType::BUCKETS, org, id)
    }

    #[test]
    fn a_grant_covers_requests_by_action_type_organization_and_id() {
        let (one, two) = (Some(1), Some(2));
        // Organization and id that are granted, those that are requested, and the answer.
        let table = [
            ((None, None), (None, None), true),
            ((None, None), (one, two), true),
            ((one, None), (one, None), true),
            ((one, None), (one, two), true),
            ((one, None), (None, None), false),
            ((one, None), (None, two), false),
            ((one, None), (two, None), false),
            ((None, two), (None, two), true),
            ((None, two), (one, two), true),
            ((None, two), (one, None), false),
            ((None, two), (None, None), false),
            ((None, two), (None, one), false),
            ((one, two), (one, two), true),
            ((one, two), (None, two), true),
            ((one, two), (two, two), false),
            ((one, two), (one, one), false),
            ((one, two), (one, None), false),
        ];
        for ((granted_org, granted_id), (org, id), covered) in table {
            let granted = grant(granted_org, granted_id);
            for (action, kind, same) in [
                (Action::Read, ResourceType::BUCKETS, true),
                (Action::Write, ResourceType::BUCKETS, false),
                (Action::Read, ResourceType::ORGS, false),
            ] {
                let request = Request {
                    action,
                    kind,
                    org,
                    id,
                };
                assert_eq!(
                    granted.covers(&request),
                    covered && same,
                    "{granted} {request:?}"
                );
            }
        }
    }

    #[test]
    fn string_forms_name_organization_and_id() {
        let (org, id) = (Some(10), Some(11));
        for (granted, text) in [
            (grant(None, None), "read:buckets"),
            (grant(org, None), "read:orgs/000000000000000a/buckets"),
            (grant(None, id), "read:buckets/000000000000000b"),
            (
                grant(org, id),
                "read:orgs/000000000000000a/buckets/000000000000000b",
            ),
        ] {
            assert_eq!(granted.to_string(), text);
        }
    }
}
