//! Listing authorizations, and finding one by its token.

use super::Authorizations;
use crate::authorization::{Authorization, Origin};
use crate::error::Error;
use crate::field::Field;
use crate::id::Id;
use crate::permission::{Action, Request, ResourceType};
use crate::record::{Entity, Kind};
use crate::status::Status;
use crate::store::Query;

/// Filter for a list of authorizations; fields that are none do not filter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorizationFilter {
    /// Only authorizations of this organization.
    pub organization: Option<Id>,
    /// Only authorizations of this user.
    pub user: Option<Id>,
    /// Only authorizations of the organization with this name.
    pub organization_name: Option<String>,
    /// Only authorizations of the user with this name.
    pub user_name: Option<String>,
    /// Only authorizations created through this interface.
    pub origin: Option<Origin>,
    /// Only authorizations with this status.
    pub status: Option<Status>,
    /// Treatment of revoked authorizations, if no status is given.
    pub revoked: RevokedInList,
    /// Only ids greater than this one.
    pub after: Option<Id>,
    /// Maximum number of results.
    pub limit: Option<usize>,
}

/// Treatment of revoked authorizations in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RevokedInList {
    /// They are left out.
    #[default]
    LeftOut,
    /// They are included until they are purged.
    Included,
}

impl Authorizations<'_> {
    /// Returns the authorization with this token, in force or not.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it does not exist, its user or organization is deleted, or the caller
    /// may not read it.
    pub fn find_by_token(&self, token: &[u8]) -> Result<Authorization, Error> {
        self.admin.authorized()?;
        match self.admin.changes.find_token(token)? {
            Some(id) => self.get(id).map_err(|error| match error {
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
    pub fn list(&self, filter: &AuthorizationFilter) -> Result<Vec<Authorization>, Error> {
        // An unknown name reveals as much as an owner of nothing that the caller may read.
        let named = |kind, name: &Option<String>, id: Option<Id>| {
            let Some(name) = name else {
                return Ok(Some(id));
            };
            let found = self.admin.changes.find_named(kind, name.as_bytes())?;
            let found = found.map(|entity| entity.key().id);
            Ok::<_, Error>(
                found
                    .filter(|found| id.is_none_or(|id| id == *found))
                    .map(Some),
            )
        };
        let organization = named(
            Kind::ORGANIZATION,
            &filter.organization_name,
            self.organization.or(filter.organization),
        )?;
        let user = named(Kind::USER, &filter.user_name, filter.user)?;
        let (Some(organization), Some(user)) = (organization, user) else {
            self.admin.authorized()?;
            return Ok(Vec::new());
        };
        let query = Query {
            organization,
            user,
            origin: self.origin.or(filter.origin),
            status: filter.status,
            after: filter.after,
            ..Query::all(Kind::AUTHORIZATION)
        };
        self.admin
            .list(query, filter.limit, |authorized, entity, stored| {
                let Entity::Authorization(one, credential) = entity else {
                    return None;
                };
                let request = Request::new(Action::READ, ResourceType::AUTHORIZATIONS)
                    .organization(one.organization)
                    .id(one.id);
                let wanted = filter.status.is_some()
                    || filter.revoked == RevokedInList::Included
                    || one.status != Status::Revoked;
                if !wanted || !authorized.may(&request) {
                    return None;
                }
                let indexed_state = self.admin.changes.shared.indexed_state(one.id, &credential);
                let last_used = stored.last_used.max(indexed_state.last_used);
                (!indexed_state.has_deleted_owner).then_some(Authorization { last_used, ..one })
            })
    }
}
