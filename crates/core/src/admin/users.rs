//! Creating, reading and changing users.

use super::{Admin, List, ListOptions, unless_revoked};
use crate::admin_error::AdminError;
use crate::field::Field;
use crate::id::Id;
use crate::journal::Operation;
use crate::owner::{PasswordHash, User};
use crate::permission::{Action, Request, ResourceType};
use crate::record::{Entity, Kind, RecordKey};
use crate::status::{AlreadyRevoked, Status, Transition};
use crate::text_limits::check_label;

/// Properties of a new user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Its name, which no other user has.
    pub name: String,
    /// Hash of its password; without one it cannot sign in with a password.
    pub password_hash: Option<PasswordHash>,
    /// [`Status::Active`] or [`Status::Inactive`].
    pub status: Status,
}

impl NewUser {
    /// Returns an active user without a password.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), password_hash: None, status: Status::Active }
    }
}

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

/// The users that the caller of an [`Admin`] may read and change.
///
/// A permission for one organization reaches no user, also not its members: only permissions for
/// all organizations count.
///
/// ```
/// # use std::sync::Arc;
/// # use symbolon::{Engine, MemoryStore, Options, Schema, StoreKey};
/// # let options = Options::new(Schema::influxdb_v2());
/// # let engine = Engine::create(Arc::new(MemoryStore::new()), StoreKey::generate()?, options)?;
/// use symbolon::{Caller, ListOptions, NewUser, Status, UserEdit};
///
/// let root = engine.admin(Caller::Root);
/// let new = NewUser { status: Status::Inactive, ..NewUser::named("anna") };
/// let user = root.users().create(new)?;
/// let edit = UserEdit { name: Some("ann".into()), ..UserEdit::default() };
/// assert_eq!(root.users().edit(user.id, edit)?.name, "ann");
/// assert_eq!(root.users().find("ann")?.id, user.id);
/// root.users().delete(user.id)?;
/// assert!(root.users().list(ListOptions::default()).all()?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Users<'a>(pub(super) &'a Admin);

impl Users<'_> {
    /// Creates a user.
    ///
    /// # Errors
    ///
    /// [`AdminError::Exists`] for a name that is taken, [`AdminError::Invalid`],
    /// [`AdminError::Forbidden`], [`AdminError::Caller`], [`AdminError::Store`],
    /// [`AdminError::Journal`].
    pub fn create(&self, new: NewUser) -> Result<User, AdminError> {
        check_label(Field::UserName, &new.name)?;
        unless_revoked(new.status)?;
        self.0.change(Operation::CreateUser, |change, authorized| {
            authorized.must(&Request::new(Action::WRITE, ResourceType::USERS))?;
            let user = User {
                id: change.new_id(Kind::USER),
                name: new.name.clone(),
                status: new.status,
                operator: false,
                memberships: Vec::new(),
                password_hash: new.password_hash.clone(),
                created_at: change.now(),
                updated_at: change.now(),
            };
            change.put(Entity::User(user.clone()))?;
            Ok(user)
        })
    }

    /// Returns the user with this id.
    ///
    /// # Errors
    ///
    /// [`AdminError::NotFound`] if it does not exist or the caller may not read it.
    pub fn get(&self, id: Id) -> Result<User, AdminError> {
        self.0.change_on(Operation::Read, RecordKey::new(Kind::USER, id), |change, authorized| {
            if !authorized.may_on_user(Action::READ, id) {
                return Err(AdminError::NotFound(Field::User));
            }
            let found = change.user(id)?;
            self.0.check_present(found.status, Field::User)?;
            Ok(found)
        })
    }

    /// Returns the user with this name that is not deleted.
    ///
    /// # Errors
    ///
    /// [`AdminError::NotFound`] if it does not exist or the caller may not read it.
    pub fn find(&self, name: &str) -> Result<User, AdminError> {
        let authorized = self.0.authorized()?;
        let Some(Entity::User(found)) = self.0.changes.find_named(Kind::USER, name.as_bytes())?
        else {
            return Err(AdminError::NotFound(Field::User));
        };
        authorized
            .may_on_user(Action::READ, found.id)
            .then_some(found)
            .ok_or(AdminError::NotFound(Field::User))
    }

    /// Returns the users that are not deleted and that the caller may read, ordered by id.
    pub fn list(&self, options: ListOptions) -> List<User> {
        let query = options.of(Kind::USER);
        List::new(self.0, Ok(Some(query)), options.limit, |_, authorized, entity, _| {
            Ok(match entity {
                Entity::User(one) if one.status != Status::Revoked => {
                    authorized.may_on_user(Action::READ, one.id).then_some(one)
                }
                _ => None,
            })
        })
    }

    /// Changes a user. The name of a deleted user may be used again. Only the user itself, or a
    /// caller that holds all its permissions, can change the password.
    ///
    /// # Errors
    ///
    /// Those of [`Users::create`]; [`AdminError::NotFound`] if it does not exist or is deleted
    /// (with [`Admin::with_tombstones`](crate::Admin::with_tombstones),
    /// [`AdminError::AlreadyRevoked`] if it is deleted); [`AdminError::Exceeds`] for a password.
    pub fn edit(&self, id: Id, edit: UserEdit) -> Result<User, AdminError> {
        if let Some(name) = &edit.name {
            check_label(Field::UserName, name)?;
        }
        self.0.change_user(edit.operation(), id, |user| {
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

    /// Deletes a user. This is final: its tokens and sessions are refused, and its name may be used
    /// again.
    ///
    /// # Errors
    ///
    /// Those of [`Users::edit`].
    pub fn delete(&self, id: Id) -> Result<User, AdminError> {
        self.edit(id, UserEdit { transition: Some(Transition::Revoke), ..UserEdit::default() })
    }
}

impl Admin {
    /// Changes a user by `edit`, after the caller's rights were checked.
    pub(super) fn change_user(
        &self,
        operation: Operation,
        id: Id,
        edit: impl Fn(&mut User) -> Result<(), AdminError>,
    ) -> Result<User, AdminError> {
        self.change_on(operation, RecordKey::new(Kind::USER, id), |change, authorized| {
            if !authorized.may_on_user(Action::READ, id)
                && !authorized.may_on_user(Action::WRITE, id)
            {
                return Err(AdminError::NotFound(Field::User));
            }
            let before = change.user(id)?;
            self.check_present(before.status, Field::User)?;
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
