//! Permissions and requests, and the rule when one covers the other.

use std::fmt;

use serde::Serialize;

use super::rng::Rng;

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
    pub(super) const TASKS: Self = Self("tasks");
    pub(super) const TELEGRAFS: Self = Self("telegrafs");
    pub(super) const USERS: Self = Self("users");

    /// InfluxDB OSS's types in its order, without `instance`: those of the operator.
    pub(super) const OSS: [Self; 22] = [
        Self("authorizations"),
        Self::BUCKETS,
        Self::DASHBOARDS,
        Self::ORGS,
        Self("sources"),
        Self::TASKS,
        Self::TELEGRAFS,
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

    /// Any type that can be granted: all 26 but `instance`.
    pub(super) fn any_grantable(rng: &mut Rng) -> Self {
        let at = rng.below((Self::OSS.len() + Self::CLOUD.len()) as u64) as usize;
        let mut types = Self::OSS.iter().chain(&Self::CLOUD);
        types.nth(at).copied().unwrap_or(Self::BUCKETS)
    }
}

/// A grant: to do `action` to resources of type `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Permission {
    pub(super) action: Action,
    pub(super) kind: ResourceType,
    pub(super) org: Option<u64>,
    pub(super) id: Option<u64>,
}

/// What the bearer of a token asks to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) action: Action,
    pub(super) kind: ResourceType,
    pub(super) id: Option<u64>,
    pub(super) org: Option<u64>,
}

impl Permission {
    /// Whether this grant answers `request`. `write` does not imply `read`.
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

/// The string form, as in `read:orgs/<org>/buckets/<id>`.
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

    const KIND: ResourceType = ResourceType::BUCKETS;

    fn grant(org: Option<u64>, id: Option<u64>) -> Permission {
        Permission {
            action: Action::Read,
            kind: KIND,
            org,
            id,
        }
    }

    #[test]
    fn covers() {
        let (one, two) = (Some(1), Some(2));
        // granted (org, id), requested (org, id), covered
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
            let request = Request {
                action: Action::Read,
                kind: KIND,
                org,
                id,
            };
            assert_eq!(granted.covers(&request), covered, "{granted} {request:?}");
            assert!(
                !granted.covers(&Request {
                    action: Action::Write,
                    ..request
                }),
                "{granted}"
            );
            assert!(
                !granted.covers(&Request {
                    kind: ResourceType::ORGS,
                    ..request
                }),
                "{granted}"
            );
        }
    }

    #[test]
    fn string_forms() {
        assert_eq!(grant(None, None).to_string(), "read:buckets");
        assert_eq!(
            grant(Some(10), None).to_string(),
            "read:orgs/000000000000000a/buckets"
        );
        assert_eq!(
            grant(None, Some(11)).to_string(),
            "read:buckets/000000000000000b"
        );
        let both = Permission {
            action: Action::Write,
            ..grant(Some(10), Some(11))
        };
        assert_eq!(
            both.to_string(),
            "write:orgs/000000000000000a/buckets/000000000000000b"
        );
    }
}
