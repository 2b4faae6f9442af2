//! Changing users, organizations, memberships and registered buckets.

use super::Issuer;
use super::audit_context::AuditContext;
use super::authorizations::IfUnchanged;
use super::caller::Caller;
use crate::error::{Denied, Error, Field};
use crate::id::Id;
use crate::journal::Operation;
use crate::owner::{Bucket, Membership, Organization, PasswordHash, Role, User};
use crate::permission::{Action, Request, ResourceType};
use crate::record::{Entity, Kind, RecordKey};
use crate::status::{AlreadyRevoked, Status, Transition};
use crate::text_limits::{check_description, check_label};

/// Changes to a user; fields that are none stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserEdit {
    /// New name.
    pub name: Option<String>,
    /// Change of the status. A deactivated user's tokens are refused; a deleted user's tokens are
    /// refused for good. Either is one write.
    pub transition: Option<Transition>,
    /// Hash of a new password.
    pub password_hash: Option<PasswordHash>,
}

/// Changes to an organization; fields that are none stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrganizationEdit {
    /// New name.
    pub name: Option<String>,
    /// New description.
    pub description: Option<String>,
    /// Change of the status, with the same effect on all tokens of the organization as for users.
    pub transition: Option<Transition>,
    /// Action if nothing changes.
    pub if_unchanged: IfUnchanged,
}

impl UserEdit {
    /// Returns the operation for the journal.
    fn operation(&self) -> Operation {
        match self.transition {
            Some(Transition::Revoke) => Operation::DeleteUser,
            Some(Transition::Deactivate) if self.password_hash.is_none() => {
                Operation::DeactivateUser
            }
            _ => Operation::EditUser,
        }
    }
}

impl OrganizationEdit {
    /// Returns the operation for the journal.
    fn operation(&self) -> Operation {
        match self.transition {
            Some(Transition::Revoke) => Operation::DeleteOrganization,
            Some(Transition::Deactivate) => Operation::DeactivateOrganization,
            _ => Operation::EditOrganization,
        }
    }
}

impl Issuer {
    /// Creates a user.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] for a name that is taken, [`Error::Invalid`], [`Error::Forbidden`],
    /// [`Error::Caller`], [`Error::Store`], [`Error::Journal`].
    pub fn create_user(
        &self,
        caller: &Caller,
        name: &str,
        password_hash: Option<PasswordHash>,
    ) -> Result<User, Error> {
        check_label(Field::UserName, name)?;
        self.change(AuditContext::new(caller, Operation::CreateUser), |change| {
            let authorized = caller.authorize(change)?;
            authorized.must(&Request::new(Action::WRITE, ResourceType::USERS))?;
            let user = User {
                id: change.new_id(Kind::USER),
                name: name.to_owned(),
                status: Status::Active,
                operator: false,
                memberships: Vec::new(),
                password_hash: password_hash.clone(),
                created_at: change.now(),
                updated_at: change.now(),
            };
            change.put(Entity::User(user.clone()))?;
            Ok(user)
        })
    }

    /// Changes a user. The name of a deleted user may be used again. Only the user itself, or a
    /// caller that holds all its permissions, can change the password.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::create_user`]; [`Error::NotFound`]; [`Error::AlreadyRevoked`] if it is
    /// deleted; [`Error::Exceeds`] for a password.
    pub fn edit_user(&self, caller: &Caller, id: Id, edit: &UserEdit) -> Result<User, Error> {
        if let Some(name) = &edit.name {
            check_label(Field::UserName, name)?;
        }
        let audit_context = AuditContext::new(caller, edit.operation()).on(Kind::USER, id);
        self.change_user(audit_context, caller, id, |user| {
            if let Some(transition) = edit.transition {
                user.status = user.status.after(transition)?;
            }
            if let Some(name) = &edit.name {
                user.name.clone_from(name);
            }
            if edit.password_hash.is_some() {
                user.password_hash.clone_from(&edit.password_hash);
            }
            Ok(())
        })
    }

    /// Changes the password of a user that has given the old one. The caller has compared it with
    /// the hash in `user`, as it was read.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::edit_user`]; [`Error::Caller`] if the password was changed since `user`
    /// was read.
    pub fn change_password(&self, user: &User, hash: &PasswordHash) -> Result<User, Error> {
        let caller = Caller::User(user.id);
        let audit_context = AuditContext::new(&caller, Operation::EditUser).on(Kind::USER, user.id);
        self.change_user(audit_context, &caller, user.id, |now| {
            if now.password_hash != user.password_hash {
                return Err(Error::Caller(Denied::Unknown));
            }
            now.password_hash = Some(hash.clone());
            Ok(())
        })
    }

    /// Creates an organization.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::create_user`].
    pub fn create_organization(
        &self,
        caller: &Caller,
        name: &str,
        description: &str,
    ) -> Result<Organization, Error> {
        check_label(Field::OrganizationName, name)?;
        check_description(description)?;
        self.change(
            AuditContext::new(caller, Operation::CreateOrganization),
            |change| {
                let authorized = caller.authorize(change)?;
                authorized.must(&Request::new(Action::WRITE, ResourceType::ORGANIZATIONS))?;
                let organization = Organization {
                    id: change.new_id(Kind::ORGANIZATION),
                    name: name.to_owned(),
                    description: description.to_owned(),
                    status: Status::Active,
                    created_at: change.now(),
                    updated_at: change.now(),
                };
                change.put(Entity::Organization(organization.clone()))?;
                Ok(organization)
            },
        )
    }

    /// Changes an organization. The name of a deleted organization may be used again.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::edit_user`].
    pub fn edit_organization(
        &self,
        caller: &Caller,
        id: Id,
        edit: &OrganizationEdit,
    ) -> Result<Organization, Error> {
        if let Some(name) = &edit.name {
            check_label(Field::OrganizationName, name)?;
        }
        if let Some(description) = &edit.description {
            check_description(description)?;
        }
        let audit_context = AuditContext::new(caller, edit.operation()).on(Kind::ORGANIZATION, id);
        self.change(audit_context, |change| {
            let authorized = caller.authorize(change)?;
            let before = change.organization(id)?;
            let kind = ResourceType::ORGANIZATIONS;
            authorized.require_on(Action::WRITE, kind, id, id, Field::Organization)?;
            let mut after = before.clone();
            if let Some(transition) = edit.transition {
                after.status = after.status.after(transition)?;
            }
            if let Some(name) = &edit.name {
                after.name.clone_from(name);
            }
            if let Some(description) = &edit.description {
                after.description.clone_from(description);
            }
            if after == before && edit.if_unchanged.leaves(before.status) {
                return Ok(before);
            }
            if before.status == Status::Revoked {
                return Err(AlreadyRevoked.into());
            }
            after.updated_at = change.now();
            change.put(Entity::Organization(after.clone()))?;
            Ok(after)
        })
    }

    /// Adds a user to an organization, or changes its role there. The caller must hold all
    /// permissions of the role.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::edit_user`], for the organization; [`Error::NotFound`] for a user that
    /// does not exist, or that is not a member yet and that the caller may not read;
    /// [`Error::Exceeds`] for a role with a permission that the caller does not hold.
    pub fn add_member(
        &self,
        caller: &Caller,
        organization: Id,
        user: Id,
        role: Role,
    ) -> Result<User, Error> {
        let membership = Membership { organization, role };
        let audit_context = AuditContext::new(caller, Operation::AddMember).on(Kind::USER, user);
        self.change_memberships(
            audit_context,
            caller,
            (organization, Some(membership)),
            user,
            |memberships| match memberships
                .iter_mut()
                .find(|one| one.organization == organization)
            {
                Some(held) => *held = membership,
                None => memberships.push(membership),
            },
        )
    }

    /// Removes a user from an organization.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::add_member`].
    pub fn remove_member(
        &self,
        caller: &Caller,
        organization: Id,
        user: Id,
    ) -> Result<User, Error> {
        let audit_context = AuditContext::new(caller, Operation::RemoveMember).on(Kind::USER, user);
        let none = (organization, None);
        self.change_memberships(audit_context, caller, none, user, |memberships| {
            memberships.retain(|one| one.organization != organization);
        })
    }

    /// Registers the name of a bucket of the database.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::create_user`]; [`Error::NotFound`] if the organization does not exist.
    pub fn register_bucket(
        &self,
        caller: &Caller,
        organization: Id,
        name: &str,
    ) -> Result<Bucket, Error> {
        check_label(Field::BucketName, name)?;
        self.change(
            AuditContext::new(caller, Operation::RegisterBucket),
            |change| {
                let authorized = caller.authorize(change)?;
                let request = Request::new(Action::WRITE, ResourceType::BUCKETS);
                authorized.must(&request.organization(organization))?;
                if change.organization(organization)?.status == Status::Revoked {
                    return Err(Error::NotFound(Field::Organization));
                }
                change.guard(RecordKey::new(Kind::ORGANIZATION, organization))?;
                let bucket = Bucket {
                    id: change.new_id(Kind::BUCKET),
                    organization,
                    name: name.to_owned(),
                    status: Status::Active,
                    created_at: change.now(),
                    updated_at: change.now(),
                };
                change.put(Entity::Bucket(bucket.clone()))?;
                Ok(bucket)
            },
        )
    }

    /// Deletes the registered name of a bucket.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Caller`], [`Error::Store`].
    pub fn unregister_bucket(&self, caller: &Caller, id: Id) -> Result<Bucket, Error> {
        let audit_context =
            AuditContext::new(caller, Operation::UnregisterBucket).on(Kind::BUCKET, id);
        self.change(audit_context, |change| {
            let authorized = caller.authorize(change)?;
            let mut bucket = change.bucket(id)?;
            let kind = ResourceType::BUCKETS;
            authorized.require_on(Action::WRITE, kind, bucket.organization, id, Field::Bucket)?;
            if bucket.status != Status::Revoked {
                bucket.status = Status::Revoked;
                bucket.updated_at = change.now();
                change.put(Entity::Bucket(bucket.clone()))?;
            }
            Ok(bucket)
        })
    }

    fn change_memberships(
        &self,
        audit_context: AuditContext,
        caller: &Caller,
        (organization, gained): (Id, Option<Membership>),
        user: Id,
        edit: impl Fn(&mut Vec<Membership>),
    ) -> Result<User, Error> {
        self.change(audit_context, |change| {
            let authorized = caller.authorize(change)?;
            let kind = ResourceType::ORGANIZATIONS;
            let status = change.organization(organization)?.status;
            authorized.require_on(
                Action::WRITE,
                kind,
                organization,
                organization,
                Field::Organization,
            )?;
            if status == Status::Revoked {
                return Err(Error::NotFound(Field::Organization));
            }
            change.guard(RecordKey::new(Kind::ORGANIZATION, organization))?;
            if let Some(gained) = gained {
                authorized.require_grantable_role(gained)?;
            }
            let mut after = change.user(user)?;
            // A caller that may not read users sees only members.
            let is_seen =
                after.role_in(organization).is_some() || authorized.may_on_user(Action::READ, user);
            if after.status == Status::Revoked || !is_seen {
                return Err(Error::NotFound(Field::User));
            }
            let before = after.memberships.clone();
            edit(&mut after.memberships);
            if after.memberships != before {
                after.updated_at = change.now();
                change.put(Entity::User(after.clone()))?;
            }
            Ok(after)
        })
    }

    fn change_user(
        &self,
        audit_context: AuditContext,
        caller: &Caller,
        id: Id,
        edit: impl Fn(&mut User) -> Result<(), Error>,
    ) -> Result<User, Error> {
        self.change(audit_context, |change| {
            let authorized = caller.authorize(change)?;
            if !authorized.may_on_user(Action::READ, id)
                && !authorized.may_on_user(Action::WRITE, id)
            {
                return Err(Error::NotFound(Field::User));
            }
            let before = change.user(id)?;
            authorized.require_on_user(Action::WRITE, id)?;
            let mut after = before.clone();
            edit(&mut after)?;
            if after == before {
                return Ok(before);
            }
            if before.status == Status::Revoked {
                return Err(AlreadyRevoked.into());
            }
            if after.password_hash != before.password_hash {
                authorized.require_rights_of_user(&before)?;
            }
            after.updated_at = change.now();
            change.put(Entity::User(after.clone()))?;
            Ok(after)
        })
    }
}
