//! Reading and listing what the caller may read.

use super::Issuer;
use super::audit_context::AuditContext;
use super::caller::{Authorized, Caller};
use super::transaction::Transaction;
use crate::authorization::{Authorization, Origin};
use crate::error::{Error, Field};
use crate::id::Id;
use crate::journal::Operation;
use crate::owner::{Bucket, Organization, OwnerState, Role, User};
use crate::permission::{Action, Request, ResourceType};
use crate::record::{Entity, Kind, Record, bucket_key};
use crate::status::Status;
use crate::store::{Query, Stored};
use crate::token::TokenShape;

/// Filter for a list of authorizations; fields that are none do not filter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only authorizations of this organization.
    pub organization: Option<Id>,
    /// Only authorizations of this user.
    pub user: Option<Id>,
    /// Only authorizations created through this interface.
    pub origin: Option<Origin>,
    /// Only authorizations with this status.
    pub status: Option<Status>,
    /// Treatment of revoked authorizations, if no status is given.
    pub revoked: Revoked,
    /// Only ids greater than this one.
    pub after: Option<Id>,
    /// Maximum number of results.
    pub limit: Option<usize>,
}

/// Treatment of revoked authorizations in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Revoked {
    /// They are left out.
    #[default]
    LeftOut,
    /// They are included until they are purged.
    Included,
}

/// Page of a list; fields that are none do not limit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListOptions {
    /// Only ids greater than this one.
    pub after: Option<Id>,
    /// Maximum number of results.
    pub limit: Option<usize>,
}

impl ListOptions {
    fn of(self, kind: Kind) -> Query {
        Query {
            after: self.after,
            ..Query::all(kind)
        }
    }
}

const PAGE: usize = 500;

impl Issuer {
    /// Returns the authorization with this id, revoked or not.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it does not exist, its user or organization is deleted, or the caller
    /// belongs to another organization and may not read it; [`Error::Forbidden`] if the caller
    /// belongs to its organization but may not read it.
    pub fn authorization(&self, caller: &Caller, id: Id) -> Result<Authorization, Error> {
        let audit_context = AuditContext::new(caller, Operation::Read).on(Kind::AUTHORIZATION, id);
        self.change(audit_context, |change| {
            let authorized = caller.authorize(change)?;
            let (found, credential) = change.authorization(id)?;
            let kind = ResourceType::AUTHORIZATIONS;
            authorized.require_on(
                Action::READ,
                kind,
                found.organization,
                id,
                Field::Authorization,
            )?;
            let of_user = match found.user {
                Some(user) => change.user_state(user)?,
                None => OwnerState::Active,
            };
            let owners = [of_user, change.organization_state(found.organization)?];
            if owners.contains(&OwnerState::Deleted) {
                return Err(Error::NotFound(Field::Authorization));
            }
            change.shown(found, &credential)
        })
    }

    /// Returns the authorization with this token, in force or not.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it does not exist, its user or organization is deleted, or the caller
    /// may not read it.
    pub fn authorization_with_token(
        &self,
        caller: &Caller,
        token: &[u8],
    ) -> Result<Authorization, Error> {
        self.authorized(caller)?;
        match self.find_token(token)? {
            Some(id) => self.authorization(caller, id).map_err(|error| match error {
                Error::Forbidden(_) => Error::NotFound(Field::Authorization),
                error => error,
            }),
            None => Err(Error::NotFound(Field::Authorization)),
        }
    }

    /// Returns the authorizations that match the filter and that the caller may read, ordered by
    /// id. Authorizations of a deleted user or organization are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if the caller's own token is refused, [`Error::Store`].
    pub fn authorizations(
        &self,
        caller: &Caller,
        filter: &Filter,
    ) -> Result<Vec<Authorization>, Error> {
        let query = Query {
            organization: filter.organization,
            user: filter.user,
            origin: filter.origin,
            status: filter.status,
            after: filter.after,
            ..Query::all(Kind::AUTHORIZATION)
        };
        self.list(caller, query, filter.limit, |authorized, entity, stored| {
            let Entity::Authorization(one, credential) = entity else {
                return None;
            };
            let request = Request::new(Action::READ, ResourceType::AUTHORIZATIONS)
                .organization(one.organization)
                .id(one.id);
            let wanted = filter.status.is_some()
                || filter.revoked == Revoked::Included
                || one.status != Status::Revoked;
            if !wanted || !authorized.may(&request) {
                return None;
            }
            let indexed_state = self.shared.indexed_state(one.id, &credential);
            let last_used = stored.last_used.max(indexed_state.last_used);
            (!indexed_state.has_deleted_owner).then_some(Authorization { last_used, ..one })
        })
    }

    /// Returns the user with this id, deleted or not.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it does not exist or the caller may not read it.
    pub fn user(&self, caller: &Caller, id: Id) -> Result<User, Error> {
        let audit_context = AuditContext::new(caller, Operation::Read).on(Kind::USER, id);
        self.change(audit_context, |change| {
            let authorized = caller.authorize(change)?;
            if !authorized.may_on_user(Action::READ, id) {
                return Err(Error::NotFound(Field::User));
            }
            change.user(id)
        })
    }

    /// Returns the organization with this id, deleted or not.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it does not exist, or the caller belongs to another organization and
    /// may not read it; [`Error::Forbidden`] if the caller belongs to it but may not read it.
    pub fn organization(&self, caller: &Caller, id: Id) -> Result<Organization, Error> {
        let audit_context = AuditContext::new(caller, Operation::Read).on(Kind::ORGANIZATION, id);
        self.change(audit_context, |change| {
            let authorized = caller.authorize(change)?;
            let found = change.organization(id)?;
            let kind = ResourceType::ORGANIZATIONS;
            authorized.require_on(Action::READ, kind, id, id, Field::Organization)?;
            Ok(found)
        })
    }

    /// Returns the registered bucket with this id, deleted or not.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it does not exist, or the caller belongs to another organization and
    /// may not read it; [`Error::Forbidden`] if the caller belongs to its organization but may not
    /// read it.
    pub fn bucket(&self, caller: &Caller, id: Id) -> Result<Bucket, Error> {
        let audit_context = AuditContext::new(caller, Operation::Read).on(Kind::BUCKET, id);
        self.change(audit_context, |change| {
            let authorized = caller.authorize(change)?;
            let found = change.bucket(id)?;
            let kind = ResourceType::BUCKETS;
            authorized.require_on(Action::READ, kind, found.organization, id, Field::Bucket)?;
            Ok(found)
        })
    }

    /// Returns the users that are not deleted and that the caller may read, ordered by id.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::authorizations`].
    pub fn users(&self, caller: &Caller, list_options: &ListOptions) -> Result<Vec<User>, Error> {
        let pick = |authorized: &Authorized, entity, _: &Stored| {
            let Entity::User(one) = entity else {
                return None;
            };
            let may = authorized.may_on_user(Action::READ, one.id);
            (one.status != Status::Revoked && may).then_some(one)
        };
        self.list(
            caller,
            list_options.of(Kind::USER),
            list_options.limit,
            pick,
        )
    }

    /// Returns the organizations that are not deleted and that the caller may read, ordered by id.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::authorizations`].
    pub fn organizations(
        &self,
        caller: &Caller,
        list_options: &ListOptions,
    ) -> Result<Vec<Organization>, Error> {
        let pick = |authorized: &Authorized, entity, _: &Stored| {
            let Entity::Organization(one) = entity else {
                return None;
            };
            let may = authorized.may_on_organization(Action::READ, one.id);
            (one.status != Status::Revoked && may).then_some(one)
        };
        self.list(
            caller,
            list_options.of(Kind::ORGANIZATION),
            list_options.limit,
            pick,
        )
    }

    /// Returns the registered buckets of one organization, or of all, that the caller may read,
    /// ordered by id.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::authorizations`].
    pub fn buckets(
        &self,
        caller: &Caller,
        organization: Option<Id>,
        list_options: &ListOptions,
    ) -> Result<Vec<Bucket>, Error> {
        let query = Query {
            organization,
            ..list_options.of(Kind::BUCKET)
        };
        self.list(
            caller,
            query,
            list_options.limit,
            |authorized, entity, _| {
                let Entity::Bucket(one) = entity else {
                    return None;
                };
                let request = Request::new(Action::READ, ResourceType::BUCKETS)
                    .organization(one.organization)
                    .id(one.id);
                (one.status != Status::Revoked && authorized.may(&request)).then_some(one)
            },
        )
    }

    /// Returns the members of an organization that are not deleted, ordered by id. The caller needs
    /// the permission to read the organization.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::organization`]; [`Error::NotFound`] if it is deleted.
    pub fn members(&self, caller: &Caller, organization: Id) -> Result<Vec<(User, Role)>, Error> {
        if self.organization(caller, organization)?.status == Status::Revoked {
            return Err(Error::NotFound(Field::Organization));
        }
        let pick = |_: &Authorized, entity, _: &Stored| {
            let Entity::User(one) = entity else {
                return None;
            };
            let role = one.role_in(organization)?;
            (one.status != Status::Revoked).then_some((one, role))
        };
        self.list(caller, Query::all(Kind::USER), None, pick)
    }

    /// Returns the organization with this name that is not deleted.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it does not exist or the caller may not read it.
    pub fn organization_named(&self, caller: &Caller, name: &str) -> Result<Organization, Error> {
        let found = self.find_named(Kind::ORGANIZATION, name.as_bytes())?;
        let Some(Entity::Organization(found)) = found else {
            return Err(Error::NotFound(Field::Organization));
        };
        self.authorized(caller)?
            .may_on_organization(Action::READ, found.id)
            .then_some(found)
            .ok_or(Error::NotFound(Field::Organization))
    }

    /// Returns the user with this name that is not deleted.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it does not exist or the caller may not read it.
    pub fn user_named(&self, caller: &Caller, name: &str) -> Result<User, Error> {
        let Some(Entity::User(found)) = self.find_named(Kind::USER, name.as_bytes())? else {
            return Err(Error::NotFound(Field::User));
        };
        self.authorized(caller)?
            .may_on_user(Action::READ, found.id)
            .then_some(found)
            .ok_or(Error::NotFound(Field::User))
    }

    /// Returns the registered bucket with this name in its organization.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it does not exist or the caller may not read it.
    pub fn bucket_named(
        &self,
        caller: &Caller,
        organization: Id,
        name: &str,
    ) -> Result<Bucket, Error> {
        let found = self.find_named(Kind::BUCKET, &bucket_key(organization, name))?;
        let Some(Entity::Bucket(found)) = found else {
            return Err(Error::NotFound(Field::Bucket));
        };
        let request = Request::new(Action::READ, ResourceType::BUCKETS)
            .organization(organization)
            .id(found.id);
        self.authorized(caller)?
            .may(&request)
            .then_some(found)
            .ok_or(Error::NotFound(Field::Bucket))
    }

    /// Checks in the store that the caller is in force and may do what `request` says. Use it for
    /// users with a session, which a [`Verifier`](crate::Verifier) cannot check.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] if the caller may not, [`Error::Caller`] if it is not in force,
    /// [`Error::Store`].
    pub fn authorize(&self, caller: &Caller, request: &Request<'_>) -> Result<(), Error> {
        self.change(AuditContext::new(caller, Operation::Read), |change| {
            caller.authorize(change)?.must(request)
        })
    }

    pub(super) fn find_named(&self, kind: Kind, unique: &[u8]) -> Result<Option<Entity>, Error> {
        let found = self.shared.store.find(&Query::unique(kind, unique))?;
        Ok(found
            .iter()
            .find_map(|stored| self.open_or_report(&stored.record)))
    }

    /// Returns the id of the authorization with this token, which is searched by each hash under
    /// which it may be stored.
    pub(super) fn find_token(&self, token: &[u8]) -> Result<Option<Id>, Error> {
        if TokenShape::of(self.shared.prefix, token).is_err() {
            return Ok(None);
        }
        for unique in self.all_keys(token) {
            let found = self.find_named(Kind::AUTHORIZATION, &unique)?;
            if let Some(found) = found {
                return Ok(Some(found.key().id));
            }
        }
        Ok(None)
    }

    fn authorized(&self, caller: &Caller) -> Result<Authorized, Error> {
        caller.authorize(&mut Transaction::new(&self.shared))
    }

    /// Reads page by page until `pick` has accepted `limit` records.
    fn list<T>(
        &self,
        caller: &Caller,
        mut query: Query,
        limit: Option<usize>,
        pick: impl Fn(&Authorized, Entity, &Stored) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let authorized = self.authorized(caller)?;
        let limit = limit.unwrap_or(usize::MAX);
        query.limit = PAGE;
        let mut found = Vec::new();
        while found.len() < limit {
            let page: Vec<Stored> = self.shared.store.find(&query)?;
            found.extend(page.iter().filter_map(|stored| {
                let entity = self.open_or_report(&stored.record)?;
                pick(&authorized, entity, stored)
            }));
            match page.last() {
                Some(last) if page.len() == PAGE => query.after = Some(last.record.key.id),
                _ => break,
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Opens a record. A tampered record is reported as a fault and skipped.
    pub(super) fn open_or_report(&self, record: &Record) -> Option<Entity> {
        match self.shared.sealer.open(record) {
            Ok(opened) => opened.map(|(entity, _)| entity),
            Err(error) => {
                self.shared.fault(record.key, error.into());
                None
            }
        }
    }
}
