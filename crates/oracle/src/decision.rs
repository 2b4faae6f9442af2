//! The decision on a request, and the order of the reasons to refuse it.

use crate::permission::{Permission, Request};

/// An authorization, as far as it decides requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization<'a> {
    /// Its id.
    pub id: u64,
    /// Its own status.
    pub status: Status,
    /// Time from which it is refused, in seconds since 1970.
    pub expires: Option<i64>,
    /// The organization that it belongs to.
    pub organization: Owner,
    /// The user that it belongs to.
    pub user: Option<Owner>,
    /// Its permissions, in the order in which they were given.
    pub permissions: Vec<Permission<'a>>,
}

/// Status of an authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// In force.
    Active,
    /// Switched off.
    Inactive,
    /// Revoked, which is final.
    Revoked,
}

/// A user or organization that authorizations belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Its id.
    pub id: u64,
    /// Its state.
    pub state: OwnerState,
}

/// State of a user or organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerState {
    /// Its authorizations are in force.
    Active,
    /// Its authorizations are refused while it is inactive.
    Inactive,
    /// Its authorizations are revoked.
    Deleted,
    /// Its record was not found.
    Unknown,
}

/// Reasons to refuse a request. If several apply, the first counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denied {
    /// The text does not have the form of a token.
    Malformed,
    /// No authorization has this token.
    Unknown,
    /// Revoked, or its user or organization is deleted.
    Revoked,
    /// Set to inactive.
    Inactive,
    /// Past its expiry.
    Expired,
    /// Its user or organization is inactive or unknown.
    OwnerInactive,
    /// In force, but no permission covers the request.
    Forbidden,
}

impl Denied {
    /// Returns the reason as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Inactive => "inactive",
            Self::Expired => "expired",
            Self::OwnerInactive => "owner_inactive",
            Self::Forbidden => "forbidden",
        }
    }
}

/// The text that a bearer presents.
#[derive(Debug, Clone, Copy)]
pub enum Presented<'o, 'a> {
    /// A text without the form of a token.
    Malformed,
    /// A token that no authorization has.
    Unknown,
    /// The token of this authorization.
    TokenOf(&'o Authorization<'a>),
}

impl Authorization<'_> {
    /// Checks that the authorization is in force at `now`, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// The first reason why it is not.
    pub fn in_force(&self, now: i64) -> Result<(), Denied> {
        let user = self.user.map_or(OwnerState::Active, |user| user.state);
        let owners = [user, self.organization.state];
        let is_deleted = owners.contains(&OwnerState::Deleted);
        let reasons = [
            (self.status == Status::Revoked || is_deleted, Denied::Revoked),
            (self.status == Status::Inactive, Denied::Inactive),
            (self.expires.is_some_and(|expires| expires <= now), Denied::Expired),
            (owners != [OwnerState::Active; 2], Denied::OwnerInactive),
        ];
        let first = reasons.into_iter().find(|(applies, _)| *applies);
        first.map_or(Ok(()), |(_, reason)| Err(reason))
    }
}

/// Decides a request at `now`, and returns the first permission that covers it.
///
/// # Errors
///
/// The first reason to refuse it.
pub fn decide<'a>(
    presented: Presented<'_, 'a>,
    request: &Request<'_>,
    now: i64,
) -> Result<Permission<'a>, Denied> {
    let authorization = match presented {
        Presented::Malformed => return Err(Denied::Malformed),
        Presented::Unknown => return Err(Denied::Unknown),
        Presented::TokenOf(authorization) => authorization,
    };
    authorization.in_force(now)?;
    let mut permissions = authorization.permissions.iter().copied();
    permissions.find(|permission| permission.covers(request)).ok_or(Denied::Forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permission::Target;

    const REQUEST: Request<'_> =
        Request { action: "read", kind: "buckets", organization: Some(1), target: Target::Id(2) };

    fn owner(state: OwnerState) -> Owner {
        Owner { id: 1, state }
    }

    fn active() -> Authorization<'static> {
        Authorization {
            id: 3,
            status: Status::Active,
            expires: None,
            organization: owner(OwnerState::Active),
            user: None,
            permissions: vec![
                Permission::new("write", "buckets"),
                Permission::new("read", "buckets").id(2),
                Permission::new("read", "buckets").organization(1),
            ],
        }
    }

    fn decided(authorization: &Authorization<'_>) -> Result<String, Denied> {
        let decision = decide(Presented::TokenOf(authorization), &REQUEST, 100);
        decision.map(|permission| permission.to_string())
    }

    #[test]
    fn the_first_permission_that_covers_the_request_is_returned() {
        let mut one = active();
        assert_eq!(decided(&one).unwrap(), "read:buckets/0000000000000002");
        one.permissions.remove(1);
        assert_eq!(decided(&one).unwrap(), "read:orgs/0000000000000001/buckets");
        one.permissions.remove(1);
        assert_eq!(decided(&one), Err(Denied::Forbidden));
    }

    #[test]
    fn malformed_and_unknown_tokens_are_refused() {
        let decide = |presented| decide(presented, &REQUEST, 100);
        assert_eq!(decide(Presented::Malformed), Err(Denied::Malformed));
        assert_eq!(decide(Presented::Unknown), Err(Denied::Unknown));
    }

    #[test]
    fn an_authorization_expires_at_the_second_of_its_expiry() {
        for (expires, is_refused) in [(99, true), (100, true), (101, false)] {
            let one = Authorization { expires: Some(expires), ..active() };
            assert_eq!(decided(&one) == Err(Denied::Expired), is_refused, "{expires}");
        }
    }

    #[test]
    fn owners_decide_while_they_are_not_active() {
        use OwnerState::{Active, Deleted, Inactive, Unknown};
        for (user, organization, expected) in [
            (Active, Active, Ok(())),
            (Inactive, Active, Err(Denied::OwnerInactive)),
            (Active, Inactive, Err(Denied::OwnerInactive)),
            (Unknown, Active, Err(Denied::OwnerInactive)),
            (Active, Unknown, Err(Denied::OwnerInactive)),
            (Deleted, Active, Err(Denied::Revoked)),
            (Inactive, Deleted, Err(Denied::Revoked)),
        ] {
            let user = Some(owner(user));
            let one = Authorization { user, organization: owner(organization), ..active() };
            assert_eq!(one.in_force(100), expected, "{one:?}");
        }
    }

    /// Corrects one reason after the other.
    #[test]
    fn the_first_reason_counts() {
        let mut one = active();
        one.permissions.clear();
        one.user = Some(owner(OwnerState::Inactive));
        one.expires = Some(1);
        one.status = Status::Revoked;
        assert_eq!(decided(&one), Err(Denied::Revoked));
        one.status = Status::Inactive;
        assert_eq!(decided(&one), Err(Denied::Inactive));
        one.status = Status::Active;
        assert_eq!(decided(&one), Err(Denied::Expired));
        one.expires = None;
        assert_eq!(decided(&one), Err(Denied::OwnerInactive));
        one.user = None;
        assert_eq!(decided(&one), Err(Denied::Forbidden));
        assert!(Denied::Malformed < Denied::Unknown && Denied::Unknown < Denied::Revoked);
    }
}
