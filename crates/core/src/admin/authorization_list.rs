//! Listing authorizations, and finding one by its token.

use super::Authorizations;
use crate::admin_error::AdminError;
use crate::authorization::{Authorization, Origin};
use crate::change::Authorized;
use crate::field::Field;
use crate::id::Id;
use crate::permission::{Action, Request, ResourceType};
use crate::record::{Entity, Kind};
use crate::status::Status;
use crate::store::{Query, Stored};

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

/// A list of authorizations that is read page by page. The names in its filter were resolved once:
/// one that changes hands meanwhile does not change the list.
#[derive(Debug, Clone)]
pub struct AuthorizationPages {
    /// None if nothing can match.
    query: Option<Query>,
    revoked: RevokedInList,
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
    /// id. Authorizations of a deleted user or organization are left out.
    ///
    /// # Errors
    ///
    /// [`AdminError::Caller`] if the caller's own token is refused, [`AdminError::Store`].
    pub fn list(&self, filter: &AuthorizationFilter) -> Result<Vec<Authorization>, AdminError> {
        let mut pages = self.pages(filter)?;
        self.next_page(&mut pages, filter.limit.unwrap_or(usize::MAX))
    }

    /// Prepares to read the list that [`Authorizations::list`] returns with
    /// [`Authorizations::next_page`]. The limit of the filter does not count.
    ///
    /// # Errors
    ///
    /// Those of [`Authorizations::list`].
    pub fn pages(&self, filter: &AuthorizationFilter) -> Result<AuthorizationPages, AdminError> {
        // The first page checks the caller again, so this is only for the look-up of names.
        if filter.organization_name.is_some() || filter.user_name.is_some() {
            self.admin.authorized()?;
        }
        Ok(AuthorizationPages { query: self.query(filter)?, revoked: filter.revoked })
    }

    /// Returns the query for a filter; none if nothing can match. An unknown name reveals as much
    /// as an owner of nothing that the caller may read.
    fn query(&self, filter: &AuthorizationFilter) -> Result<Option<Query>, AdminError> {
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
            after: filter.after,
            ..Query::all(Kind::AUTHORIZATION)
        }))
    }

    /// Returns the next authorizations of a list, at most `limit`. The list is complete once there
    /// are fewer.
    ///
    /// # Errors
    ///
    /// Those of [`Authorizations::list`].
    pub fn next_page(
        &self,
        pages: &mut AuthorizationPages,
        limit: usize,
    ) -> Result<Vec<Authorization>, AdminError> {
        let Some(query) = &mut pages.query else {
            self.admin.authorized()?;
            return Ok(Vec::new());
        };
        let any_status = query.status.is_some() || pages.revoked == RevokedInList::Included;
        let pick = |authorized: &Authorized, entity: Entity, stored: &Stored| {
            let Entity::Authorization(one, credential) = entity else {
                return None;
            };
            let request = Request::new(Action::READ, ResourceType::AUTHORIZATIONS)
                .organization(one.organization)
                .id(one.id);
            let is_wanted = any_status || one.status != Status::Revoked;
            if !is_wanted || !authorized.may(&request) {
                return None;
            }
            let indexed_state = self.admin.changes.shared.checks.indexed_state(one.id, &credential);
            let last_used = stored.last_used.max(indexed_state.last_used);
            (!indexed_state.has_deleted_owner).then_some(Authorization { last_used, ..one })
        };
        let page = self.admin.list(query.clone(), Some(limit), pick)?;
        query.after = page.last().map_or(query.after, |last| Some(last.id));
        Ok(page)
    }
}

/// Returns what fulfils both filters; none if they contradict each other.
fn both<T: Copy + PartialEq>(one: Option<T>, other: Option<T>) -> Option<Option<T>> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => None,
        _ => Some(one.or(other)),
    }
}
