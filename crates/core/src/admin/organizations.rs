//! Creating, reading and changing organizations and their members.

use super::{Admin, IfUnchanged, List, ListOptions, unless_revoked};
use crate::admin_error::AdminError;
use crate::field::Field;
use crate::id::Id;
use crate::journal::Operation;
use crate::owner::{Membership, Organization, Role, User};
use crate::permission::{Action, Request, ResourceType};
use crate::record::{Entity, Kind, RecordKey};
use crate::status::{AlreadyRevoked, Status, Transition};
use crate::store::Query;
use crate::text_limits::{check_description, check_label};

/// Properties of a new organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrganization {
    /// Its name, which no other organization has.
    pub name: String,
    /// Free text.
    pub description: String,
    /// [`Status::Active`] or [`Status::Inactive`].
    pub status: Status,
}

impl NewOrganization {
    /// Returns an active organization without a description.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), description: String::new(), status: Status::Active }
    }
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

/// The organizations that the caller of an [`Admin`] may read and change.
///
/// ```
/// # use std::sync::Arc;
/// # use symbolon::{Engine, MemoryStore, Options, Schema, StoreKey};
/// # let options = Options::new(Schema::influxdb_v2());
/// # let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
/// use symbolon::{Caller, NewOrganization, NewUser, Role};
///
/// let root = engine.admin(Caller::Root);
/// let organization = root.organizations().create(NewOrganization::named("my-org"))?;
/// let user = root.users().create(NewUser::named("anna"))?;
/// root.organizations().add_member(organization.id, user.id, Role::Owner)?;
/// let members = root.organizations().members(organization.id)?;
/// assert_eq!(members[0].1, Role::Owner);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Organizations<'a>(pub(super) &'a Admin);

impl Organizations<'_> {
    /// Creates an organization.
    ///
    /// # Errors
    ///
    /// [`AdminError::Exists`] for a name that is taken, [`AdminError::Invalid`],
    /// [`AdminError::Forbidden`], [`AdminError::Caller`], [`AdminError::Store`],
    /// [`AdminError::Journal`].
    pub fn create(&self, new: NewOrganization) -> Result<Organization, AdminError> {
        check_label(Field::OrganizationName, &new.name)?;
        check_description(&new.description)?;
        unless_revoked(new.status)?;
        self.0.change(Operation::CreateOrganization, |change, authorized| {
            authorized.must(&Request::new(Action::WRITE, ResourceType::ORGANIZATIONS))?;
            let organization = Organization {
                id: change.new_id(Kind::ORGANIZATION),
                name: new.name.clone(),
                description: new.description.clone(),
                status: new.status,
                created_at: change.now(),
                updated_at: change.now(),
            };
            change.put(Entity::Organization(organization.clone()))?;
            Ok(organization)
        })
    }

    /// Returns the organization with this id.
    ///
    /// # Errors
    ///
    /// [`AdminError::NotFound`] if it does not exist, or the caller belongs to another organization
    /// and may not read it; [`AdminError::Forbidden`] if the caller belongs to it but may not read
    /// it.
    pub fn get(&self, id: Id) -> Result<Organization, AdminError> {
        self.0.change_on(
            Operation::Read,
            RecordKey::new(Kind::ORGANIZATION, id),
            |change, authorized| {
                let found = change.organization(id)?;
                self.0.check_present(found.status, Field::Organization)?;
                let kind = ResourceType::ORGANIZATIONS;
                authorized.require_on(Action::READ, kind, id, id, Field::Organization)?;
                Ok(found)
            },
        )
    }

    /// Returns the organization with this name that is not deleted.
    ///
    /// # Errors
    ///
    /// [`AdminError::NotFound`] if it does not exist or the caller may not read it.
    pub fn find(&self, name: &str) -> Result<Organization, AdminError> {
        let authorized = self.0.authorized()?;
        let found = self.0.changes.find_named(Kind::ORGANIZATION, name.as_bytes())?;
        let Some(Entity::Organization(found)) = found else {
            return Err(AdminError::NotFound(Field::Organization));
        };
        authorized
            .may_on_organization(Action::READ, found.id)
            .then_some(found)
            .ok_or(AdminError::NotFound(Field::Organization))
    }

    /// Returns the organizations that are not deleted and that the caller may read, ordered by id.
    pub fn list(&self, options: ListOptions) -> List<Organization> {
        let query = options.of(Kind::ORGANIZATION);
        List::new(self.0, Ok(Some(query)), options.limit, |_, authorized, entity, _| {
            Ok(match entity {
                Entity::Organization(one) if one.status != Status::Revoked => {
                    authorized.may_on_organization(Action::READ, one.id).then_some(one)
                }
                _ => None,
            })
        })
    }

    /// Changes an organization. The name of a deleted organization may be used again.
    ///
    /// # Errors
    ///
    /// Those of [`Organizations::create`]; [`AdminError::NotFound`]; [`AdminError::AlreadyRevoked`]
    /// if it is deleted.
    pub fn edit(&self, id: Id, edit: OrganizationEdit) -> Result<Organization, AdminError> {
        if let Some(name) = &edit.name {
            check_label(Field::OrganizationName, name)?;
        }
        if let Some(description) = &edit.description {
            check_description(description)?;
        }
        self.0.change_on(
            edit.operation(),
            RecordKey::new(Kind::ORGANIZATION, id),
            |change, authorized| {
                let before = change.organization(id)?;
                self.0.check_present(before.status, Field::Organization)?;
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
            },
        )
    }

    /// Returns the id of the organization with this name, if the caller belongs to it or may read
    /// it.
    ///
    /// # Errors
    ///
    /// [`AdminError::NotFound`] otherwise.
    pub fn resolve(&self, name: &str) -> Result<Id, AdminError> {
        let authorized = self.0.authorized()?;
        let found = self.0.changes.find_named(Kind::ORGANIZATION, name.as_bytes())?;
        match found {
            Some(entity) if authorized.sees_organization(entity.key().id) => Ok(entity.key().id),
            _ => Err(AdminError::NotFound(Field::Organization)),
        }
    }

    /// Deletes an organization. This is final: the tokens in it are refused, and its name may be
    /// used again.
    ///
    /// # Errors
    ///
    /// Those of [`Organizations::edit`].
    pub fn delete(&self, id: Id) -> Result<Organization, AdminError> {
        self.edit(
            id,
            OrganizationEdit {
                transition: Some(Transition::Revoke),
                ..OrganizationEdit::default()
            },
        )
    }

    /// Returns the members of an organization that are not deleted, ordered by id. The caller needs
    /// the permission to read the organization.
    ///
    /// # Errors
    ///
    /// Those of [`Organizations::get`]; [`AdminError::NotFound`] if it is deleted.
    pub fn members(&self, organization: Id) -> Result<Vec<(User, Role)>, AdminError> {
        if self.get(organization)?.status == Status::Revoked {
            return Err(AdminError::NotFound(Field::Organization));
        }
        let query = Query::all(Kind::USER);
        let members = List::new(self.0, Ok(Some(query)), None, move |_, _, entity, _| {
            Ok(match entity {
                Entity::User(one) if one.status != Status::Revoked => {
                    one.role_in(organization).map(|role| (one, role))
                }
                _ => None,
            })
        });
        members.all()
    }

    /// Adds a user to an organization, or changes its role there. The caller must hold all
    /// permissions of the role.
    ///
    /// # Errors
    ///
    /// Those of [`Organizations::edit`], for the organization; [`AdminError::NotFound`] for a user
    /// that does not exist, or that is not a member yet and that the caller may not read;
    /// [`AdminError::Exceeds`] for a role with a permission that the caller does not hold.
    pub fn add_member(&self, organization: Id, user: Id, role: Role) -> Result<User, AdminError> {
        let membership = Membership { organization, role };
        let operation = Operation::AddMember;
        self.change_memberships(operation, (organization, Some(membership)), user, |memberships| {
            match memberships.iter_mut().find(|one| one.organization == organization) {
                Some(held) => *held = membership,
                None => memberships.push(membership),
            }
        })
    }

    /// Removes a user from an organization.
    ///
    /// # Errors
    ///
    /// Those of [`Organizations::add_member`].
    pub fn remove_member(&self, organization: Id, user: Id) -> Result<User, AdminError> {
        let operation = Operation::RemoveMember;
        let none = (organization, None);
        self.change_memberships(operation, none, user, |memberships| {
            memberships.retain(|one| one.organization != organization);
        })
    }

    fn change_memberships(
        &self,
        operation: Operation,
        (organization, gained): (Id, Option<Membership>),
        user: Id,
        edit: impl Fn(&mut Vec<Membership>),
    ) -> Result<User, AdminError> {
        self.0.change_on(operation, RecordKey::new(Kind::USER, user), |change, authorized| {
            let kind = ResourceType::ORGANIZATIONS;
            let status = change.organization(organization)?.status;
            if status == Status::Revoked {
                return Err(AdminError::NotFound(Field::Organization));
            }
            authorized.require_on(
                Action::WRITE,
                kind,
                organization,
                organization,
                Field::Organization,
            )?;
            change.guard(RecordKey::new(Kind::ORGANIZATION, organization))?;
            if let Some(gained) = gained {
                authorized.require_grantable_role(gained)?;
            }
            let mut after = change.user(user)?;
            // A caller that may not read users sees only members.
            let is_seen =
                after.role_in(organization).is_some() || authorized.may_on_user(Action::READ, user);
            if after.status == Status::Revoked || !is_seen {
                return Err(AdminError::NotFound(Field::User));
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
}
