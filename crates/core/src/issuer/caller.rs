//! Who asks for a change, and what that lets them do.

use super::transaction::Transaction;
use crate::authorization::{Authorization, Creator};
use crate::error::{Denied, Error, Field};
use crate::id::Id;
use crate::permission::{Action, BucketNames, Permission, Request, ResourceType};
use crate::record::{Kind, RecordKey};

/// On whose behalf something is changed or shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caller {
    /// The program that links the engine, or whoever holds its key: may do everything.
    Root,
    /// The bearer of the token of this authorization, which was checked: may do what it allows.
    Authorization(Id),
}

/// A caller whose authorization was read from the store, and is compared again when the change is committed: a token
/// that was revoked elsewhere a moment ago changes nothing.
pub(super) enum Holder {
    Root,
    Authorization(Box<Authorization>),
}

impl Caller {
    /// Reads the caller's authorization and owners, and guards them.
    pub(super) fn hold(&self, change: &mut Transaction<'_>) -> Result<Holder, Error> {
        let id = match self {
            Self::Root => return Ok(Holder::Root),
            Self::Authorization(id) => *id,
        };
        let unknown = |error| match error {
            Error::NotFound(_) => Error::Caller(Denied::Unknown),
            other => other,
        };
        let (held, _) = change.authorization(id).map_err(unknown)?;
        change.guard(RecordKey::new(Kind::AUTHORIZATION, id))?;
        let organization = change.organization_state(held.organization)?;
        change.guard(RecordKey::new(Kind::ORGANIZATION, held.organization))?;
        let user = match held.user {
            Some(user) => {
                change.guard(RecordKey::new(Kind::USER, user))?;
                change.user_state(user)?
            }
            None => crate::owner::OwnerState::Active,
        };
        held.live(change.now(), user, organization)
            .map_err(|dead| Error::Caller(Denied::dead(dead, id)))?;
        Ok(Holder::Authorization(Box::new(held)))
    }
}

impl Holder {
    /// The authorization of the caller, if it is not the program itself.
    pub(super) fn id(&self) -> Option<Id> {
        match self {
            Self::Root => None,
            Self::Authorization(held) => Some(held.id),
        }
    }

    /// Who is noted as the creator of what this caller makes.
    pub(super) fn creator(&self) -> Option<Creator> {
        self.id().map(Creator::Authorization)
    }

    pub(super) fn may(&self, request: &Request<'_>) -> bool {
        match self {
            Self::Root => true,
            Self::Authorization(held) => held.permissions.covering(request).is_some(),
        }
    }

    /// # Errors
    ///
    /// [`Error::Forbidden`] with the request that is not covered.
    pub(super) fn must(&self, request: &Request<'_>) -> Result<(), Error> {
        if self.may(request) {
            return Ok(());
        }
        Err(Error::Forbidden(request.to_string()))
    }

    /// Asks for `action` on one thing of an organization. Outside of the caller's own organization whoever may not
    /// read it learns nothing of its existence.
    pub(super) fn must_on(
        &self,
        action: Action,
        kind: ResourceType,
        organization: Id,
        id: Id,
        field: Field,
    ) -> Result<(), Error> {
        let request = |action| Request::new(action, kind).organization(organization).id(id);
        if self.may(&request(action)) {
            return Ok(());
        }
        if !self.is_of(organization) && !self.may(&request(Action::READ)) {
            return Err(Error::NotFound(field));
        }
        Err(Error::Forbidden(request(action).to_string()))
    }

    /// Users belong to no organization: only a permission for all organizations counts, or whoever may grant `users`
    /// within one could reach every user by its id.
    pub(super) fn may_user(&self, action: Action, id: Id) -> bool {
        let request = Request::new(action, ResourceType::USERS).id(id);
        match self {
            Self::Root => true,
            Self::Authorization(held) => held
                .permissions
                .iter()
                .any(|one| one.resource.organization.is_none() && one.covers(&request)),
        }
    }

    /// # Errors
    ///
    /// [`Error::Forbidden`] unless [`Holder::may_user`].
    pub(super) fn must_on_user(&self, action: Action, id: Id) -> Result<(), Error> {
        if self.may_user(action, id) {
            return Ok(());
        }
        let request = Request::new(action, ResourceType::USERS).id(id);
        Err(Error::Forbidden(request.to_string()))
    }

    /// Asks for `action` on an organization, which belongs to itself.
    pub(super) fn may_organization(&self, action: Action, id: Id) -> bool {
        let request = Request::new(action, ResourceType::ORGANIZATIONS);
        self.may(&request.organization(id).id(id))
    }

    /// Whether every one of `permissions` may be granted by this caller.
    pub(super) fn must_include(
        &self,
        permissions: &[Permission],
        buckets: &dyn BucketNames,
    ) -> Result<(), Error> {
        let Self::Authorization(held) = self else {
            return Ok(());
        };
        let missing = permissions
            .iter()
            .find(|wanted| !held.permissions.includes(wanted, buckets));
        missing.map_or(Ok(()), |wanted| Err(Error::Exceeds(wanted.to_string())))
    }

    fn is_of(&self, organization: Id) -> bool {
        match self {
            Self::Root => true,
            Self::Authorization(held) => held.organization == organization,
        }
    }
}
