//! Names of ids. Each is looked up once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::Tombstones;
use crate::admin_error::AdminError;
use crate::change::{Changes, Transaction};
use crate::id::Id;
use crate::owner::{Bucket, User};
use crate::permission::{Permission, ResourceType, Target};

/// The names of users, organizations and buckets, for display.
///
/// A caller that may read an authorization also sees the names of its user, its organization and
/// the resources of its permissions, even if it may not read those. So no rights are checked here:
/// ask only for ids in what the caller has read.
#[derive(Debug)]
pub struct Names {
    changes: Arc<Changes>,
    tombstones: Tombstones,
    users: HashMap<Id, Option<User>>,
    organizations: HashMap<Id, Option<String>>,
    buckets: HashMap<Id, Option<Bucket>>,
}

impl Names {
    pub(super) fn new(changes: Arc<Changes>, tombstones: Tombstones) -> Self {
        Self {
            changes,
            tombstones,
            users: HashMap::new(),
            organizations: HashMap::new(),
            buckets: HashMap::new(),
        }
    }

    /// Returns the name of a user, or `None` if it is deleted, unknown or tampered.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`].
    pub fn user(&mut self, id: Id) -> Result<Option<&str>, AdminError> {
        Ok(self.known_user(id)?.map(|user| user.name.as_str()))
    }

    /// Returns the name of an organization, or `None` if it is deleted, unknown or tampered.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`].
    pub fn organization(&mut self, id: Id) -> Result<Option<&str>, AdminError> {
        let found = match self.organizations.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = read(&self.changes, |change| change.organization(id))?;
                let found = found.filter(|one| self.tombstones.shows(one.status));
                unknown.insert(found.map(|one| one.name))
            }
        };
        Ok(found.as_deref())
    }

    /// Returns the name of the single user, organization or bucket that a permission is for.
    ///
    /// For a permission limited to an organization, resources outside of it are not named: a caller
    /// that holds a whole type in an organization may grant any id of this type, even of a resource
    /// that it may not read.
    ///
    /// # Errors
    ///
    /// [`AdminError::Store`].
    pub fn of_resource(&mut self, permission: &Permission) -> Result<Option<&str>, AdminError> {
        let resource = &permission.resource;
        let Target::Id(id) = resource.target else {
            return Ok(None);
        };
        let is_inside = |of: Id| resource.organization.is_none_or(|named| named == of);
        Ok(match resource.kind {
            ResourceType::USERS => {
                let belongs = |user: &&User| match resource.organization {
                    Some(organization) => user.role_in(organization).is_some(),
                    None => true,
                };
                let found = self.known_user(id)?.filter(belongs);
                found.map(|user| user.name.as_str())
            }
            ResourceType::ORGANIZATIONS if is_inside(id) => self.organization(id)?,
            ResourceType::BUCKETS => {
                let found = self.bucket(id)?.filter(|one| is_inside(one.organization));
                found.map(|one| one.name.as_str())
            }
            _ => None,
        })
    }

    fn known_user(&mut self, id: Id) -> Result<Option<&User>, AdminError> {
        Ok(match self.users.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = read(&self.changes, |change| change.user(id))?;
                unknown.insert(found.filter(|one| self.tombstones.shows(one.status)))
            }
        }
        .as_ref())
    }

    fn bucket(&mut self, id: Id) -> Result<Option<&Bucket>, AdminError> {
        Ok(match self.buckets.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = read(&self.changes, |change| change.bucket(id))?;
                unknown.insert(found.filter(|one| self.tombstones.shows(one.status)))
            }
        }
        .as_ref())
    }
}

fn read<T>(
    changes: &Changes,
    get: impl FnOnce(&mut Transaction<'_>) -> Result<T, AdminError>,
) -> Result<Option<T>, AdminError> {
    match get(&mut Transaction::new(&changes.shared)) {
        Ok(found) => Ok(Some(found)),
        Err(AdminError::NotFound(_) | AdminError::Tampered(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
