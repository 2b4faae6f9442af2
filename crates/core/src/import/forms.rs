//! Parts of rows that an import reads and an export writes.

use serde::{Deserialize, Serialize};

use crate::authorization::Creator;
use crate::id::Id;
use crate::owner::{Membership, Role};
use crate::record::SetUp;
use crate::time::Timestamp;

/// The membership of a user in an organization.
#[derive(Serialize, Deserialize)]
pub(crate) struct MembershipForm {
    #[serde(rename = "orgID")]
    organization: Id,
    role: Role,
}

/// The creator of an authorization; exactly one field is set.
#[derive(Serialize, Deserialize)]
pub(crate) struct CreatorForm {
    #[serde(rename = "authorizationID", default, skip_serializing_if = "Option::is_none")]
    authorization: Option<Id>,
    #[serde(rename = "userID", default, skip_serializing_if = "Option::is_none")]
    user: Option<Id>,
}

/// The time of the set-up and what it created.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SetUpForm {
    #[serde(rename = "orgID")]
    organization: Id,
    #[serde(rename = "userID")]
    user: Id,
    at: Timestamp,
}

impl From<&Membership> for MembershipForm {
    fn from(one: &Membership) -> Self {
        let Membership { organization, role } = *one;
        Self { organization, role }
    }
}

impl From<MembershipForm> for Membership {
    fn from(form: MembershipForm) -> Self {
        let MembershipForm { organization, role } = form;
        Self { organization, role }
    }
}

impl From<Creator> for CreatorForm {
    fn from(creator: Creator) -> Self {
        let (authorization, user) = match creator {
            Creator::Authorization(id) => (Some(id), None),
            Creator::User(id) => (None, Some(id)),
        };
        Self { authorization, user }
    }
}

impl CreatorForm {
    /// Returns the creator, or `None` unless exactly one field is set.
    pub(crate) fn creator(&self) -> Option<Creator> {
        match (self.authorization, self.user) {
            (Some(id), None) => Some(Creator::Authorization(id)),
            (None, Some(id)) => Some(Creator::User(id)),
            _ => None,
        }
    }
}

impl From<SetUp> for SetUpForm {
    fn from(one: SetUp) -> Self {
        Self { organization: one.organization, user: one.user, at: one.at }
    }
}

impl From<&SetUpForm> for SetUp {
    fn from(form: &SetUpForm) -> Self {
        Self { organization: form.organization, user: form.user, at: form.at }
    }
}
