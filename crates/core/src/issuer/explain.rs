//! Why an authorization would be allowed something, or not.

use super::Issuer;
use super::caller::Caller;
use super::errand::Errand;
use crate::authorization::Authorization;
use crate::error::{Denied, Error, Field};
use crate::id::Id;
use crate::journal::Act;
use crate::owner::OwnerState;
use crate::permission::{Action, Permission, Request, ResourceType, WhyNot};
use crate::record::Kind;
use crate::status::Status;
use crate::time::Timestamp;

/// What a check of an authorization's token would say, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The authorization, as it stands in the store.
    pub authorization: Authorization,
    /// The permission that allows the request, or the first reason why it is refused.
    pub decision: Result<Permission, Denied>,
    /// Everything that keeps the authorization from being in force.
    pub reasons: Vec<Reason>,
    /// If no permission covers the request: the nearest ones, each with what is missing.
    pub nearest: Vec<(Permission, Vec<WhyNot>)>,
}

/// Something that keeps an authorization from being in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It was revoked, then.
    Revoked(Timestamp),
    /// It is switched off.
    Inactive,
    /// It expired, then.
    Expired(Timestamp),
    /// Its user is switched off, deleted or unknown.
    User(OwnerState),
    /// Its organization is switched off, deleted or unknown.
    Organization(OwnerState),
}

impl Issuer {
    /// What a check of the token of the authorization `id` would say to `request`, and why. It is asked of the store,
    /// not of the index.
    ///
    /// # Errors
    ///
    /// As [`Issuer::authorization`].
    pub fn explain(
        &self,
        caller: &Caller,
        id: Id,
        request: &Request<'_>,
    ) -> Result<Explanation, Error> {
        let errand = Errand::new(caller, Act::Read).on(Kind::AUTHORIZATION, id);
        self.change(errand, |change| {
            let holder = caller.hold(change)?;
            let (found, credential) = change.authorization(id)?;
            holder.must_on(
                Action::READ,
                ResourceType::AUTHORIZATIONS,
                found.organization,
                id,
                Field::Authorization,
            )?;
            let found = change.shown(found, &credential)?;
            let organization = change.organization_state(found.organization)?;
            let user = match found.user {
                Some(user) => change.user_state(user)?,
                None => OwnerState::Active,
            };
            let now = change.now();
            let covering = found.permissions.covering(request).cloned();
            let nearest = found.permissions.nearest(request).into_iter();
            Ok(Explanation {
                decision: match found.live(now, user, organization) {
                    Err(dead) => Err(Denied::dead(dead, id)),
                    Ok(()) => covering.ok_or(Denied::Forbidden(id)),
                },
                reasons: reasons(&found, now, user, organization),
                nearest: nearest.map(|(one, why)| (one.clone(), why)).collect(),
                authorization: found,
            })
        })
    }
}

fn reasons(
    found: &Authorization,
    now: Timestamp,
    user: OwnerState,
    organization: OwnerState,
) -> Vec<Reason> {
    let status = match found.status {
        Status::Active => None,
        Status::Inactive => Some(Reason::Inactive),
        Status::Revoked => Some(Reason::Revoked(
            found.revoked_at.unwrap_or(found.updated_at),
        )),
    };
    let expired = found.expires_at.filter(|end| *end <= now);
    let off = |state: OwnerState| (state != OwnerState::Active).then_some(state);
    status
        .into_iter()
        .chain(expired.map(Reason::Expired))
        .chain(off(user).map(Reason::User))
        .chain(off(organization).map(Reason::Organization))
        .collect()
}
