//! Creating, reading, editing, revoking and rotating authorizations.

use super::authorization_inputs::{AuthorizationEdit, NewAuthorization, Rotation};
use super::{Admin, Tombstones};
use crate::admin_error::AdminError;
use crate::authorization::{Authorization, Origin};
use crate::change::{Authorized, Transaction};
use crate::field::Field;
use crate::id::Id;
use crate::invalid_value::InvalidValue;
use crate::journal::Operation;
use crate::owner::OwnerState;
use crate::permission::{Action, Permission, PermissionSet, Request, ResourceType};
use crate::record::{Entity, Kind, RecordKey};
use crate::status::{AlreadyRevoked, Status, Transition};

use crate::text_limits::check_description;
use crate::time::Timestamp;
use crate::token::Token;

/// The authorizations that the caller of an [`Admin`] may read and change.
///
/// ```
/// # use std::sync::Arc;
/// # use symbolon::{Engine, MemoryStore, Options, Schema, StoreKey};
/// # let options = Options::new(Schema::influxdb_v2());
/// # let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
/// use std::time::Duration;
/// use symbolon::{Action, Caller, NewAuthorization, NewOrganization, Permission, ResourceType};
/// use symbolon::{Request, Rotation, Transition};
///
/// let root = engine.admin(Caller::Root);
/// let organization = root.organizations().create(NewOrganization::named("my-org"))?.id;
/// let read = Permission::new(Action::READ, ResourceType::BUCKETS).organization(organization);
/// let new = NewAuthorization::new(organization, [read]);
/// let (token, old) = root.authorizations().create(new)?;
///
/// // The old token remains valid for an hour.
/// let overlap = Duration::from_secs(3600);
/// let rotation = Rotation { overlap, ..Rotation::default() };
/// let (token, new) = root.authorizations().rotate(old.id, rotation)?;
///
/// root.authorizations().edit(new.id, Transition::Deactivate.into())?;
/// let request = Request::new(Action::READ, ResourceType::BUCKETS).organization(organization);
/// assert!(engine.verifier().check(token.reveal(), &request).is_err());
/// root.authorizations().revoke(old.id)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Authorizations<'a> {
    pub(super) admin: &'a Admin,
    pub(super) origin: Option<Origin>,
    pub(super) organization: Option<Id>,
}

impl<'a> Authorizations<'a> {
    pub(super) fn new(admin: &'a Admin) -> Self {
        Self { admin, origin: None, organization: None }
    }

    /// Limits all methods to this organization. Others are [`AdminError::NotFound`].
    #[must_use]
    pub fn in_organization(self, organization: Id) -> Self {
        Self { organization: Some(organization), ..self }
    }

    /// Limits all methods to authorizations that were created through this interface. Others are
    /// [`AdminError::NotFound`].
    #[must_use]
    pub fn of_origin(self, origin: Origin) -> Self {
        Self { origin: Some(origin), ..self }
    }
    /// Creates an authorization. The token is returned here and never again.
    ///
    /// # Errors
    ///
    /// [`AdminError::Invalid`] or [`AdminError::Schema`] for values that are not accepted,
    /// [`AdminError::NotFound`] if the user or organization does not exist or is deleted,
    /// [`AdminError::Forbidden`] or [`AdminError::Exceeds`] if the caller may not create it or
    /// grant its permissions, [`AdminError::Caller`] if the caller's own token is refused,
    /// [`AdminError::Store`], [`AdminError::Journal`].
    pub fn create(&self, new: NewAuthorization) -> Result<(Token, Authorization), AdminError> {
        self.admin.change_with_cache(Operation::Create, None, |change, authorized| {
            self.check_new(&new, change.now())?;
            self.check_scope(new.origin, new.organization)?;
            let request = Request::new(Action::WRITE, ResourceType::AUTHORIZATIONS);
            authorized.must(&request.organization(new.organization))?;
            if let Some(user) = new.user {
                authorized.require_on_user(Action::WRITE, user)?;
            }
            authorized.require_grantable(&new.permissions, &change.buckets())?;
            check_organization(new.organization, &new.permissions)?;
            guard_owners(change, new.organization, new.user)?;
            let now = change.now();
            let authorization = Authorization {
                id: change.new_id(Kind::AUTHORIZATION),
                organization: new.organization,
                user: new.user,
                created_by: authorized.creator(),
                origin: new.origin,
                rotated_from: None,
                description: new.description.clone(),
                permissions: new.permissions.clone(),
                status: new.status,
                expires_at: new.expires_at,
                created_at: now,
                updated_at: now,
                revoked_at: None,
                last_used: None,
            };
            self.admin.changes.write_new_authorization(change, authorization)
        })
    }

    /// Returns the authorization with this id.
    ///
    /// # Errors
    ///
    /// [`AdminError::NotFound`] if it does not exist, its user or organization is deleted, or the
    /// caller belongs to another organization and may not read it; [`AdminError::Forbidden`] if the
    /// caller belongs to its organization but may not read it.
    pub fn get(&self, id: Id) -> Result<Authorization, AdminError> {
        self.admin.change_on(
            Operation::Read,
            RecordKey::new(Kind::AUTHORIZATION, id),
            |change, authorized| {
                let (found, credential) = change.authorization(id)?;
                self.check_present(change, &found)?;
                require(authorized, Action::READ, &found)?;
                if has_deleted_owner(change, &found)? {
                    return Err(AdminError::NotFound(Field::Authorization));
                }
                change.shown(found, &credential)
            },
        )
    }

    /// Changes the description, status or permissions of an authorization. An edit that changes
    /// nothing is not written, except with [`IfUnchanged::Touch`](crate::IfUnchanged::Touch).
    ///
    /// # Errors
    ///
    /// Those of [`Authorizations::create`]; [`AdminError::AlreadyRevoked`] for a change to a
    /// revoked authorization; [`AdminError::Fixed`] for new permissions of an authorization that
    /// was created through [`Origin::V2`].
    pub fn edit(&self, id: Id, edit: AuthorizationEdit) -> Result<Authorization, AdminError> {
        self.admin.change_on(
            edit.operation(),
            RecordKey::new(Kind::AUTHORIZATION, id),
            |change, authorized| {
                let (before, credential) = change.authorization(id)?;
                self.check_present(change, &before)?;
                require(authorized, Action::WRITE, &before)?;
                let mut after = before.clone();
                if let Some(transition) = edit.transition {
                    after.status = after.status.after(transition)?;
                }
                if let Some(description) = &edit.description {
                    after.description.clone_from(description);
                }
                if let Some(permissions) = &edit.permissions {
                    after.permissions = permissions.clone();
                }
                if after == before && edit.if_unchanged.leaves(before.status) {
                    return change.shown(before, &credential);
                }
                if before.status == Status::Revoked {
                    return Err(AlreadyRevoked.into());
                }
                check_description(&after.description)?;
                self.check_replacement(authorized, change, &before, &after.permissions)?;
                after.updated_at = change.now();
                if after.status == Status::Revoked {
                    after.revoked_at = Some(change.now());
                }
                change.put(Entity::Authorization(after.clone(), credential))?;
                change.shown(after, &credential)
            },
        )
    }

    /// Revokes an authorization. This is final. Once it returns `Ok`, every check that starts
    /// afterwards refuses the token.
    ///
    /// # Errors
    ///
    /// Those of [`Authorizations::edit`].
    pub fn revoke(&self, id: Id) -> Result<Authorization, AdminError> {
        self.edit(id, Transition::Revoke.into())
    }

    /// Replaces an authorization by a new one with the same owners, permissions, status and expiry,
    /// and with a new token. The old one expires after the overlap. Both happen in one commit. A
    /// token may rotate itself, which does not extend its expiry.
    ///
    /// # Errors
    ///
    /// Those of [`Authorizations::create`]; [`AdminError::AlreadyRevoked`] if it is revoked,
    /// [`AdminError::Invalid`] if it has expired.
    pub fn rotate(&self, id: Id, rotation: Rotation) -> Result<(Token, Authorization), AdminError> {
        if let Some(description) = &rotation.description {
            check_description(description)?;
        }
        self.admin.change_with_cache(
            Operation::Rotate,
            Some(RecordKey::new(Kind::AUTHORIZATION, id)),
            |change, authorized| {
                let (mut old, credential) = change.authorization(id)?;
                self.check_present(change, &old)?;
                if !authorized.is_authorization(id) {
                    require(authorized, Action::WRITE, &old)?;
                    authorized.require_grantable(&old.permissions, &change.buckets())?;
                }
                if old.status == Status::Revoked {
                    return Err(AlreadyRevoked.into());
                }
                let now = change.now();
                if old.expires_at.is_some_and(|end| end <= now) {
                    return Err(AdminError::Invalid(Field::Expiry, InvalidValue::Expired));
                }
                guard_owners(change, old.organization, old.user)?;
                let description = rotation.description.clone();
                let new = Authorization {
                    id: change.new_id(Kind::AUTHORIZATION),
                    created_by: authorized.creator(),
                    rotated_from: Some(id),
                    description: description.unwrap_or_else(|| old.description.clone()),
                    created_at: now,
                    updated_at: now,
                    ..old.clone()
                };
                let end = now.saturating_add(rotation.overlap);
                old.expires_at = Some(old.expires_at.map_or(end, |expiry| expiry.min(end)));
                old.updated_at = now;
                let ends_at = old.expires_at.unwrap_or(end);
                let old = Entity::Authorization(old, credential);
                change.ends(&old, ends_at);
                change.put(old)?;
                self.admin.changes.write_new_authorization(change, new)
            },
        )
    }

    /// Fails with [`AdminError::NotFound`] for an authorization out of scope, and for one that is
    /// revoked or whose user or organization is deleted, unless tombstones are shown.
    pub(super) fn check_present(
        &self,
        change: &mut Transaction<'_>,
        found: &Authorization,
    ) -> Result<(), AdminError> {
        self.check_scope(found.origin, found.organization)?;
        let is_hidden = self.admin.tombstones == Tombstones::NotFound
            && (found.status == Status::Revoked || has_deleted_owner(change, found)?);
        match is_hidden {
            true => Err(AdminError::NotFound(Field::Authorization)),
            false => Ok(()),
        }
    }

    /// Fails with [`AdminError::NotFound`] for an authorization out of scope.
    fn check_scope(&self, origin: Origin, organization: Id) -> Result<(), AdminError> {
        let is_other = self.origin.is_some_and(|wanted| origin != wanted)
            || self.organization.is_some_and(|of| organization != of);
        match is_other {
            true => Err(AdminError::NotFound(Field::Authorization)),
            false => Ok(()),
        }
    }

    fn check_new(&self, new: &NewAuthorization, now: Timestamp) -> Result<(), AdminError> {
        check_description(&new.description)?;
        if new.status == Status::Revoked {
            return Err(AlreadyRevoked.into());
        }
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(AdminError::Invalid(Field::Expiry, InvalidValue::InThePast));
        }
        self.admin.changes.shared.schema.check(new.origin, &new.permissions)?;
        Ok(())
    }

    /// Checks new permissions: the caller may keep old ones, and add only those that it holds.
    fn check_replacement(
        &self,
        authorized: &Authorized,
        change: &Transaction<'_>,
        before: &Authorization,
        permissions: &PermissionSet,
    ) -> Result<(), AdminError> {
        if before.permissions == *permissions {
            return Ok(());
        }
        if before.origin == Origin::V2 {
            return Err(AdminError::Fixed);
        }
        self.admin.changes.shared.schema.check(before.origin, permissions)?;
        check_organization(before.organization, permissions)?;
        let buckets = change.buckets();
        let gained: Vec<Permission> = permissions
            .iter()
            .filter(|one| !before.permissions.includes(one, &buckets))
            .cloned()
            .collect();
        authorized.require_grantable(&gained, &buckets)
    }
}

/// Checks that permissions which name an organization name that of their authorization.
pub(crate) fn check_organization(
    organization: Id,
    permissions: &[Permission],
) -> Result<(), AdminError> {
    let foreign = permissions.iter().find(|one| {
        let named = one.resource.organization;
        named.is_some_and(|named| named != organization)
    });
    foreign.map_or(Ok(()), |permission| {
        let permission = Box::new(permission.clone());
        let reason = InvalidValue::OtherOrganization { permission, organization };
        Err(AdminError::Invalid(Field::Permissions, reason))
    })
}

fn has_deleted_owner(
    change: &mut Transaction<'_>,
    found: &Authorization,
) -> Result<bool, AdminError> {
    if let Some(user) = found.user
        && change.user_state(user)? == OwnerState::Deleted
    {
        return Ok(true);
    }
    Ok(change.organization_state(found.organization)? == OwnerState::Deleted)
}

/// Checks that the caller may do `action` on an authorization.
pub(super) fn require(
    authorized: &Authorized,
    action: Action,
    on: &Authorization,
) -> Result<(), AdminError> {
    let kind = ResourceType::AUTHORIZATIONS;
    authorized.require_on(action, kind, on.organization, on.id, Field::Authorization)
}

/// Guards the owners of an authorization, which must exist and not be deleted until the commit.
fn guard_owners(
    change: &mut Transaction<'_>,
    organization: Id,
    user: Option<Id>,
) -> Result<(), AdminError> {
    if change.organization(organization)?.status == Status::Revoked {
        return Err(AdminError::NotFound(Field::Organization));
    }
    change.guard(RecordKey::new(Kind::ORGANIZATION, organization))?;
    if let Some(user) = user {
        if change.user(user)?.status == Status::Revoked {
            return Err(AdminError::NotFound(Field::User));
        }
        change.guard(RecordKey::new(Kind::USER, user))?;
    }
    Ok(())
}
