//! Listing authorizations, and finding one by its token.

use super::{Authorizations, List, ListOptions};
use crate::admin_error::AdminError;
use crate::authorization::{Authorization, Origin};
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
    /// [`AdminError::NotFound`] if it does not exist, its user or organization is deleted, or the
    /// caller may not read it.
    pub fn find_by_token(&self, token: &[u8]) -> Result<Authorization, AdminError> {
        self.admin.authorized()?;
        match self.admin.changes.find_token(token)? {
            Some(id) => self.get(id).map_err(|error| match error {
                AdminError::Forbidden(_) => AdminError::NotFound(Field::Authorization),
                error => error,
            }),
            None => Err(AdminError::NotFound(Field::Authorization)),
        }
    }

    /// Returns the authorizations that match the filter and that the caller may read, ordered by
    /// id. Authorizations of a deleted user or organization are left out. The names in the filter
    /// are resolved once: one that changes hands meanwhile does not change the list.
    pub fn list(&self, filter: &AuthorizationFilter, options: ListOptions) -> List<Authorization> {
        let any_status = filter.status.is_some() || filter.revoked == RevokedInList::Included;
        let query = self.query(filter, options);
        List::new(self.admin, query, options.limit, move |change, authorized, entity, stored| {
            let Entity::Authorization(one, credential) = entity else {
                return Ok(None);
            };
            let request = Request::new(Action::READ, ResourceType::AUTHORIZATIONS)
                .organization(one.organization)
                .id(one.id);
            let is_wanted = any_status || one.status != Status::Revoked;
            if !is_wanted || !authorized.may(&request) {
                return Ok(None);
            }
            let indexed_state = change.shared.checks.indexed_state(one.id, &credential);
            let last_used = stored.last_used.max(indexed_state.last_used);
            let is_present = !indexed_state.has_deleted_owner;
            Ok(is_present.then_some(Authorization { last_used, ..one }))
        })
    }

    /// Returns the query for a filter; none if nothing can match. An unknown name reveals as much
    /// as an owner of nothing that the caller may read.
    fn query(
        &self,
        filter: &AuthorizationFilter,
        options: ListOptions,
    ) -> Result<Option<Query>, AdminError> {
        // Each page checks the caller, so this is only for the look-up of names.
        if filter.organization_name.is_some() || filter.user_name.is_some() {
            self.admin.authorized()?;
        }
        let named = |kind, name: &Option<String>| {
            let Some(name) = name else {
                return Ok(Some(None));
            };
            let found = self.admin.changes.find_named(kind, name.as_bytes())?;
            Ok::<_, AdminError>(found.map(|entity| Some(entity.key().id)))
        };
        let organization = named(Kind::ORGANIZATION, &filter.organization_name)?
            .and_then(|named| both(named, filter.organization))
            .and_then(|asked| both(asked, self.organization));
        let user = named(Kind::USER, &filter.user_name)?.and_then(|named| both(named, filter.user));
        let origin = both(filter.origin, self.origin);
        let (Some(organization), Some(user), Some(origin)) = (organization, user, origin) else {
            return Ok(None);
        };
        Ok(Some(Query {
            organization,
            user,
            origin,
            status: filter.status,
            ..options.of(Kind::AUTHORIZATION)
        }))
    }
}

/// Returns what fulfils both filters; none if they contradict each other.
fn both<T: Copy + PartialEq>(one: Option<T>, other: Option<T>) -> Option<Option<T>> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => None,
        _ => Some(one.or(other)),
    }
}
